//! The two tasks of a connection: one writes what it is handed, one reads and sorts what comes.
//!
//! A reply goes to the one who waits for it, everything else into the queue of events. Knows
//! which packet answers which only through the [`Wanted`] it is given.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::BytesMut;
use common::wire::chat::{self, Decoder, Packet};
use common::wire::command;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::event::Event;
use super::reply::command_name;
use super::{Error, Options, Result};

/// Writes waiting for the socket. Callers wait for their own write, so this bounds callers.
const WRITES_MAX: usize = 16;

/// Connects with a limit, and without waiting to fill segments.
pub(super) async fn dial(address: &str, limit: Duration) -> Result<TcpStream> {
    let failed = |cause| Error::Connect {
        address: address.to_owned(),
        cause,
    };
    let stream = timeout(limit, TcpStream::connect(address))
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
        .map_err(failed)?;
    stream.set_nodelay(true).map_err(failed)?;
    Ok(stream)
}

/// Recognizes the answer to one request.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) command: i32,
    pub(super) seq: i32,
    /// Decides where a push can look like an answer.
    pub(super) accept: fn(&Packet) -> bool,
}

#[derive(Debug)]
struct Waiting {
    wanted: Wanted,
    answer: oneshot::Sender<Packet>,
}

#[derive(Debug)]
struct Shared {
    /// `None` once nothing more will be read.
    waiting: Mutex<Option<Vec<Waiting>>>,
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Option<Vec<Waiting>>> {
        // A list stays a list whoever panicked while holding it.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the packet to the one who waits for it, or gives it back.
    fn answer(&self, packet: Packet) -> Option<Packet> {
        let mut waiting = self.waiting();
        let Some(waiting) = waiting.as_mut() else {
            return Some(packet);
        };
        waiting.retain(|waiting| !waiting.answer.is_closed());
        let place = waiting.iter().position(|Waiting { wanted, .. }| {
            wanted.command == packet.command && wanted.seq == packet.seq && (wanted.accept)(&packet)
        });
        match place {
            Some(place) => waiting.remove(place).answer.send(packet).err(),
            None => Some(packet),
        }
    }
}

#[derive(Debug)]
struct Write {
    frame: Vec<u8>,
    done: oneshot::Sender<io::Result<()>>,
}

#[derive(Debug)]
pub(super) struct Connection {
    options: Options,
    shared: Arc<Shared>,
    writes: mpsc::Sender<Write>,
    events: tokio::sync::Mutex<mpsc::Receiver<Result<Event>>>,
    /// Dropping it ends the tasks.
    _tasks: JoinSet<()>,
}

impl Connection {
    pub(super) async fn open(address: &str, options: Options) -> Result<Self> {
        let stream = dial(address, options.timeout).await?;
        Ok(Self::over(stream.into_split(), options))
    }

    pub(super) fn over<R, W>((reader, writer): (R, W), options: Options) -> Self
    where
        R: AsyncRead + Send + Unpin + 'static,
        W: AsyncWrite + Send + Unpin + 'static,
    {
        let shared = Arc::new(Shared {
            waiting: Mutex::new(Some(Vec::new())),
        });
        let (writes, to_write) = mpsc::channel(WRITES_MAX);
        let (to_events, events) = mpsc::channel(options.events_max.max(1));
        let mut tasks = JoinSet::new();
        tasks.spawn(write(writer, to_write));
        tasks.spawn(read(reader, Arc::clone(&shared), to_events));
        if let Some(every) = options.heartbeat {
            tasks.spawn(beat(every, options.clone(), writes.clone()));
        }
        Self {
            options,
            shared,
            writes,
            events: tokio::sync::Mutex::new(events),
            _tasks: tasks,
        }
    }

    pub(super) fn options(&self) -> &Options {
        &self.options
    }

    /// Returns when the socket has taken the packet. Giving up early sends it whole or not at all.
    pub(super) async fn send(&self, packet: &Packet) -> Result<()> {
        let mut frame = Vec::new();
        chat::encode(packet, self.options.imitate.encoding(), &mut frame)?;
        let after = self.options.timeout;
        timeout(after, hand_over(&self.writes, frame))
            .await
            .unwrap_or(Err(Error::Stalled { after }))
    }

    /// Sends and waits for the answer.
    pub(super) async fn request(&self, packet: &Packet, wanted: Wanted) -> Result<Packet> {
        let (answer, answered) = oneshot::channel();
        match self.shared.waiting().as_mut() {
            Some(waiting) => waiting.push(Waiting { wanted, answer }),
            None => return Err(Error::Closed),
        }
        self.send(packet).await?;
        let after = self.options.timeout;
        match timeout(after, answered).await {
            Ok(Ok(packet)) => Ok(packet),
            Ok(Err(_)) => Err(Error::Closed),
            Err(_) => Err(Error::NoReply {
                command: command_name(packet.command),
                after,
            }),
        }
    }

    /// What the server said next; after the last of it, why the connection ended.
    pub(super) async fn next_event(&self) -> Result<Event> {
        let next = self.events.lock().await.recv().await;
        next.unwrap_or(Err(Error::Closed))
    }
}

async fn hand_over(writes: &mpsc::Sender<Write>, frame: Vec<u8>) -> Result<()> {
    let (done, written) = oneshot::channel();
    writes
        .send(Write { frame, done })
        .await
        .map_err(|_| Error::Closed)?;
    written.await.map_err(|_| Error::Closed)??;
    Ok(())
}

async fn write(mut socket: impl AsyncWrite + Unpin, mut writes: mpsc::Receiver<Write>) {
    while let Some(Write { frame, done }) = writes.recv().await {
        let result = socket.write_all(&frame).await;
        let broken = result.is_err();
        // Whoever gave up waiting does not want to know.
        let _ = done.send(result);
        if broken {
            return;
        }
    }
}

async fn read(
    mut socket: impl AsyncRead + Unpin,
    shared: Arc<Shared>,
    events: mpsc::Sender<Result<Event>>,
) {
    let mut decoder = Decoder::default();
    let mut buffer = BytesMut::new();
    let end = loop {
        match decoder.decode(&mut buffer) {
            Ok(Some(packet)) => {
                let Some(packet) = shared.answer(packet) else {
                    continue;
                };
                if packet.command == command::HEARTBEAT {
                    continue;
                }
                if events.send(Ok(Event::read(packet))).await.is_err() {
                    return;
                }
            }
            Ok(None) => match socket.read_buf(&mut buffer).await {
                Ok(0) => break Error::Closed,
                Ok(_) => {}
                Err(error) => break error.into(),
            },
            Err(error) => break error.into(),
        }
    };
    // Dropping the senders tells everyone who waits.
    *shared.waiting() = None;
    let _ = events.send(Err(end)).await;
}

async fn beat(every: Duration, options: Options, writes: mpsc::Sender<Write>) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    ticks.tick().await;
    for seq in 0.. {
        ticks.tick().await;
        let mut frame = Vec::new();
        let packet = Packet::new(command::HEARTBEAT, seq, "");
        let encoded = chat::encode(&packet, options.imitate.encoding(), &mut frame);
        if encoded.is_err() || hand_over(&writes, frame).await.is_err() {
            return;
        }
    }
}
