//! Connections between programs and the server: slow, cut into pieces, broken, silent.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use client::{Dial, Io};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex, split};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::node::Node;
use super::system::{self, ProgramEnd, System};
use super::world::World;

/// What the kernels of both sides hold.
const BUFFER_BYTES: usize = 64 * 1024;
/// What little systems hold.
const SMALL_BUFFER_BYTES: usize = 512;
/// The largest piece that goes at once.
const PIECE_BYTES: usize = 4_096;
/// A machine that is not there says nothing for so long.
const NO_ANSWER: Duration = Duration::from_secs(5);
/// So long nobody is told that a connection is of no use any more.
const SILENCE: Duration = Duration::from_secs(600);

/// The way to the server of one run of a program.
pub(super) struct Line {
    world: Arc<World>,
    /// The program was killed.
    end: CancellationToken,
}

impl Line {
    pub(super) fn new(world: &Arc<World>, end: &CancellationToken) -> Self {
        Self {
            world: Arc::clone(world),
            end: end.clone(),
        }
    }

    /// The server, if it answers.
    async fn reach(&self) -> io::Result<Arc<Node>> {
        let world = &self.world;
        sleep(world.time(0..30)).await;
        if world.fails(5) {
            sleep(NO_ANSWER).await;
            return Err(io::ErrorKind::TimedOut.into());
        }
        let node = world.node().filter(|_| !self.end.is_cancelled());
        node.ok_or(io::ErrorKind::ConnectionRefused.into())
    }

    /// A connection of the Flamingo protocol, and what the program's system knows of it.
    pub(super) async fn dial_flamingo(&self) -> io::Result<(ProgramEnd, Arc<System>)> {
        let node = self.reach().await?;
        let buffer_bytes = if self.world.happens(30) {
            SMALL_BUFFER_BYTES
        } else {
            BUFFER_BYTES
        };
        let (program, near) = duplex(buffer_bytes);
        let (far, server) = duplex(BUFFER_BYTES);
        let system = Arc::<System>::default();
        let (program, server) = system::watched(program, server, &system);
        node.serve_flamingo(Box::new(server));
        self.lay((near, far), Arc::clone(&system), &node);
        Ok((program, system))
    }

    fn lay(&self, ends: (DuplexStream, DuplexStream), system: Arc<System>, node: &Node) {
        tokio::spawn(carry(
            Arc::clone(&self.world),
            ends,
            system,
            self.end.clone(),
            node.end.clone(),
        ));
    }
}

#[async_trait]
impl Dial for Line {
    async fn dial(&self, _host: &str, _port: u16) -> io::Result<Box<dyn Io>> {
        let node = self.reach().await?;
        let (program, near) = duplex(BUFFER_BYTES);
        let (far, server) = duplex(BUFFER_BYTES);
        node.serve(server);
        self.lay((near, far), Arc::default(), &node);
        Ok(Box::new(program))
    }
}

/// Carries bytes until one of the two sides is dead or the connection breaks: what is under way
/// then is lost.
async fn carry(
    world: Arc<World>,
    (near, far): (DuplexStream, DuplexStream),
    system: Arc<System>,
    program: CancellationToken,
    server: CancellationToken,
) {
    let (from_program, to_program) = split(near);
    let (from_server, to_server) = split(far);
    let breaks = world.fails(60);
    let is_silent = world.happens(25);
    let lives_for = if breaks {
        world.time(0..4_000)
    } else {
        SILENCE * 100
    };
    let both = async {
        tokio::join!(
            one_way(&world, from_program, to_server, |_| {}),
            one_way(&world, from_server, to_program, |piece| system
                .arrived(piece)),
        );
    };
    tokio::select! {
        biased;
        () = program.cancelled() => {}
        () = server.cancelled() => {}
        () = both => {}
        () = sleep(lives_for) => {
            if is_silent {
                world.note("a connection goes silent");
                tokio::select! {
                    biased;
                    () = program.cancelled() => {}
                    () = server.cancelled() => {}
                    () = sleep(SILENCE) => {}
                }
            } else {
                world.note("a connection breaks");
            }
            system.breaks();
        }
    }
}

async fn one_way(
    world: &World,
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    arrived: impl Fn(&[u8]),
) {
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let length = 1 + world.below(PIECE_BYTES);
        let Ok(read @ 1..) = from.read(&mut piece[..length]).await else {
            // The other direction goes on: half of a connection is closed.
            let _ = to.shutdown().await;
            return;
        };
        sleep(world.time(0..15)).await;
        if to.write_all(&piece[..read]).await.is_err() {
            return;
        }
        arrived(&piece[..read]);
    }
}
