//! A TCP proxy that breaks connections on purpose, as a seed says.
//!
//! Connections are late, narrow, come in slices, are cut, reset, half-open, half-closed, held up,
//! damaged, robbed of an answer (`plan.rs` has them all), and for some moments new ones are refused.
//!
//! **What follows from the seed:** what happens to the first, second, third connection, and when
//! new ones are refused, counted from the start. **What does not:** who opens the n-th connection,
//! how many bytes come at once, and in which order tasks run. So a seed gives the same faults in
//! the same order, and nearly the same run.
//!
//! Everything ends with the value; its tasks are its own, and each connection's memory is bounded.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::{CancellationToken, DropGuard};

mod line;
mod plan;

use line::{End, Witness, carry};
pub use plan::{Fate, Fault, Moment, Way};

use crate::api::RUNTIME;
use crate::dice::Dice;

/// Open connections; what is beyond is reset.
const CONNECTIONS_MAX: usize = 256;
/// A WebSocket that opens before the end of the one before has come through gets this much time.
const OVERLAP_GRACE: Duration = Duration::from_millis(2000);
/// A request for a WebSocket begins so.
const WEBSOCKET: &[u8] = b"GET /api/v1/ws";

/// A proxy in front of one server. Dropping it ends it and every connection.
#[derive(Debug)]
pub struct FaultProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    healed: watch::Sender<bool>,
    _end: DropGuard,
}

#[derive(Debug)]
struct Shared {
    seed: u64,
    target: SocketAddr,
    began: Instant,
    fates: Fates,
    /// Bytes that reached the server, over all connections.
    delivered: watch::Sender<u64>,
    seen: Mutex<Seen>,
    healed: watch::Receiver<bool>,
}

/// What happens to connections.
#[derive(Clone, Copy, Debug)]
enum Fates {
    /// What the seed says.
    Drawn,
    /// What the seed says for uploads.
    Uploads,
    /// What the seed says for what is encrypted.
    Tls,
    /// This to every one; none is refused.
    Fixed(Fate),
}

impl Fates {
    fn of(self, seed: u64, number: u64) -> Fate {
        match self {
            Self::Drawn => Fate::drawn(seed, number),
            Self::Uploads => Fate::drawn_for_uploads(seed, number),
            Self::Tls => Fate::drawn_for_tls(seed, number),
            Self::Fixed(fate) => fate,
        }
    }
}

#[derive(Debug, Default)]
struct Seen {
    connections: u64,
    refused: u64,
    /// Connections in which a bit was flipped.
    damaged: u64,
    /// The number of the first connection after healing.
    healed_at: Option<u64>,
    /// Open WebSockets of the client, by the number of their connection: the socket once more.
    live: BTreeMap<u64, OwnedFd>,
    overlaps: Vec<String>,
    story: Vec<String>,
}

impl Shared {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().expect("no holder of this lock panics")
    }
}

impl FaultProxy {
    /// Faults as the seed says, in front of this server.
    pub fn start(seed: u64, target: SocketAddr) -> Self {
        Self::open(seed, target, Fates::Drawn)
    }

    /// Faults as the seed says, in front of a server to which much is sent.
    pub fn for_uploads(seed: u64, target: SocketAddr) -> Self {
        Self::open(seed, target, Fates::Uploads)
    }

    /// Damage as the seed says, in front of a server that is spoken to in TLS.
    pub fn for_tls(seed: u64, target: SocketAddr) -> Self {
        Self::open(seed, target, Fates::Tls)
    }

    /// This happens to every connection; none is refused.
    pub fn with_fate(target: SocketAddr, fate: Fate) -> Self {
        Self::open(0, target, Fates::Fixed(fate))
    }

    fn open(seed: u64, target: SocketAddr, fates: Fates) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        listener
            .set_nonblocking(true)
            .expect("a socket can do that");
        let (healed, healing) = watch::channel(false);
        let shared = Arc::new(Shared {
            seed,
            target,
            began: Instant::now(),
            fates,
            delivered: watch::Sender::new(0),
            seen: Mutex::default(),
            healed: healing,
        });
        let end = CancellationToken::new();
        let accepting = Arc::clone(&shared);
        let ended = end.clone();
        RUNTIME.spawn(async move {
            let listener = TcpListener::from_std(listener).expect("it does not block");
            // Its connections end with it: they are in its set.
            ended.run_until_cancelled(accept(accepting, listener)).await;
        });
        Self {
            address,
            shared,
            healed,
            _end: end.drop_guard(),
        }
    }

    /// Where clients go.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on nothing new breaks and everything is passed on at once. What is half-open stays
    /// so: clients have to notice by themselves.
    pub fn heal(&self) {
        let mut seen = self.shared.seen();
        seen.healed_at = Some(seen.connections);
        self.healed.send_replace(true);
    }

    /// Whether the client's WebSocket was opened after healing, so that nothing about it can be
    /// broken.
    pub fn is_whole(&self) -> bool {
        let seen = self.shared.seen();
        let newest = seen.live.keys().next_back();
        newest.is_some_and(|newest| seen.healed_at.is_some_and(|first| *newest >= first))
    }

    /// How many connections there were.
    pub fn connections(&self) -> u64 {
        self.shared.seen().connections
    }

    /// In how many of them a bit was flipped.
    pub fn damaged(&self) -> u64 {
        self.shared.seen().damaged
    }

    /// Waits until so many bytes have reached the server, over all connections, or the time is over;
    /// whether they have.
    pub fn delivers(&self, bytes: u64, patience: Duration) -> bool {
        let mut delivered = self.shared.delivered.subscribe();
        let enough = async move {
            // The sender lives as long as the proxy.
            let _ = delivered.wait_for(|delivered| *delivered >= bytes).await;
        };
        RUNTIME.block_on(async { tokio::time::timeout(patience, enough).await.is_ok() })
    }

    /// Where a second WebSocket was open beside a first one, for more than a moment.
    pub fn overlaps(&self) -> Vec<String> {
        self.shared.seen().overlaps.clone()
    }

    /// What was done to whom, for a failure message.
    pub fn story(&self) -> String {
        self.shared.seen().story.join("\n")
    }
}

async fn accept(shared: Arc<Shared>, listener: TcpListener) {
    let mut lines = JoinSet::new();
    loop {
        while lines.try_join_next().is_some() {}
        let client = match listener.accept().await {
            Ok((client, _)) => client,
            // The system is out of something for a moment.
            Err(_) => {
                sleep(Duration::from_millis(10)).await;
                continue;
            }
        };
        let is_healed = *shared.healed.borrow();
        let elapsed = shared.began.elapsed();
        let is_fixed = matches!(shared.fates, Fates::Fixed(_));
        let refuses = !is_healed && !is_fixed && plan::refuses(shared.seed, elapsed);
        if refuses || lines.len() >= CONNECTIONS_MAX {
            shared.seen().refused += 1;
            reset(&client);
            continue;
        }
        lines.spawn(connection(Arc::clone(&shared), client));
    }
}

async fn connection(shared: Arc<Shared>, mut client: TcpStream) {
    let number = {
        let mut seen = shared.seen();
        seen.connections += 1;
        seen.connections - 1
    };
    let fate = match *shared.healed.borrow() {
        true => Fate::CLEAN,
        false => shared.fates.of(shared.seed, number),
    };
    // It is our own socket that opens the way: a server that is down looks so to the client.
    let Ok(mut server) = TcpStream::connect(shared.target).await else {
        reset(&client);
        return;
    };
    // Slices should be segments.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let watcher = Watcher {
        shared: Arc::clone(&shared),
        number,
        socket: Mutex::new(client.as_fd().try_clone_to_owned().ok()),
        is_websocket: Notify::new(),
    };
    let dice = Dice::new(shared.seed, u64::MAX - number);
    let healed = shared.healed.clone();
    let end = tokio::select! {
        end = carry(&mut client, &mut server, fate, dice, healed, &watcher) => end,
        end = watcher.looks_for_others() => end,
    };
    if end == End::Reset {
        reset(&client);
        reset(&server);
    }
    // It holds the client's socket open.
    drop(watcher);
    let at = shared.began.elapsed();
    let line = format!("{at:>8.3?} connection {number} ended: {end:?}, {fate:?}");
    shared.seen().story.push(line);
}

/// Closing it will be a reset.
fn reset(stream: &TcpStream) {
    // An error means that there is no connection any more.
    let _ = stream.set_zero_linger();
}

/// Whether the client has not closed its side. Asks the system, and so knows it before whoever
/// carries the bytes has come to the end of them.
fn is_open(socket: &OwnedFd) -> bool {
    let mut polled = [PollFd::new(socket, PollFlags::RDHUP)];
    // Without an event it is open; an error of the call itself cannot happen to an open socket.
    let events = poll(&mut polled, Some(&Timespec::default()));
    events.is_ok_and(|events| events == 0)
}

/// Counts the WebSockets of the client.
struct Watcher {
    shared: Arc<Shared>,
    number: u64,
    /// The client's socket once more, until it turns out to carry a WebSocket.
    socket: Mutex<Option<OwnedFd>>,
    is_websocket: Notify,
}

impl Watcher {
    /// Whether an older WebSocket is open beside this one. Looks after a moment: the end of the
    /// older one may not have come through before. Never ends.
    async fn looks_for_others(&self) -> End {
        self.is_websocket.notified().await;
        sleep(OVERLAP_GRACE).await;
        {
            let mut seen = self.shared.seen();
            let mut before = seen.live.range(..self.number);
            let before = before.rfind(|(_, socket)| is_open(socket));
            let before = before.map(|(number, _)| *number);
            let is_here = seen.live.get(&self.number).is_some_and(is_open);
            if let (Some(before), true) = (before, is_here) {
                let both = format!("WebSockets {before} and {} are open together", self.number);
                seen.overlaps.push(both);
            }
        }
        std::future::pending().await
    }
}

impl Witness for Watcher {
    fn begins(&self, first: &[u8]) {
        if first.starts_with(WEBSOCKET) {
            let mut seen = self.shared.seen();
            let socket = self.socket.lock().expect("no holder of this lock panics");
            if let Some(socket) = { socket }.take() {
                seen.live.insert(self.number, socket);
                self.is_websocket.notify_one();
            }
        }
    }

    fn delivered(&self, count: u64) {
        self.shared.delivered.send_modify(|bytes| *bytes += count);
    }

    fn damaged(&self) {
        self.shared.seen().damaged += 1;
    }

    fn client_left(&self) {
        self.shared.seen().live.remove(&self.number);
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.client_left();
    }
}
