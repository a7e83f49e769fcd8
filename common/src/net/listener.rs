//! Accepts connections, each with a permit and a number, until told to stop.

use std::future::Future;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, debug, info_span, warn};

use super::limits::{ConnectionLimits, Permit, Table};
use super::log_throttle::LogThrottle;
use super::reception::Security;
use super::socket::Socket;
use crate::telemetry::metrics;

/// Connections that the system keeps until they are accepted: a reconnect storm of 10,000
/// clients in a second leaves 0.4 s to get round to them.
const BACKLOG: u32 = 4096;

/// The pauses after an accept that failed for want of descriptors or memory.
const PAUSE_FIRST: Duration = Duration::from_millis(5);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// Numbers connections through all listeners of the process, for the log.
static NEXT_ID: AtomicU64 = AtomicU64::new(1);

pub(super) fn next_id() -> u64 {
    NEXT_ID.fetch_add(1, Ordering::Relaxed)
}

/// An open port.
#[derive(Debug)]
pub struct Listener {
    listener: TcpListener,
    local: SocketAddr,
    security: Security,
}

impl Listener {
    /// Opens the port, port 0 any free one. A restart does not have to wait for connections of the
    /// previous run to die away.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = match address {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let listener = socket.listen(BACKLOG)?;
        let local = listener.local_addr()?;
        Ok(Self {
            listener,
            local,
            security: Security::default(),
        })
    }

    /// The same port with this certificate and these rules.
    #[must_use]
    pub fn secured(self, security: &Security) -> Self {
        Self {
            security: security.clone(),
            ..self
        }
    }

    /// What a [`super::Reception`] of this port's connections asks of them.
    pub fn security(&self) -> Security {
        self.security.clone()
    }

    /// Where it listens, with the port that port 0 became.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }
}

/// One accepted connection.
#[derive(Debug)]
pub struct Connection {
    pub socket: Socket,
    /// Unique in this process.
    pub id: u64,
    pub accepted: Instant,
    /// To be held as long as the connection lives.
    pub permit: Permit,
}

/// Accepts until `shutdown`, then closes the port. Each connection is handled in a task of
/// `tasks`, inside a log span `connection` with its number, its peer and an empty field `user`.
pub async fn serve<Handle, Handled>(
    listener: Listener,
    limits: ConnectionLimits,
    shutdown: CancellationToken,
    tasks: &TaskTracker,
    handle: Handle,
) where
    Handle: Fn(Connection) -> Handled,
    Handled: Future<Output = ()> + Send + 'static,
{
    let mut door = Door::new(limits);
    loop {
        let accepted = tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            accepted = listener.listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                if let Some(connection) = door.admit(stream, peer) {
                    let span = info_span!(
                        "connection",
                        id = connection.id,
                        peer = %connection.socket.peer(),
                        user = tracing::field::Empty,
                    );
                    tasks.spawn(handle(connection).instrument(span));
                }
            }
            Err(error) => tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(door.pause(&error)) => {}
            },
        }
    }
}

/// Who gets in, and what is said about those who do not.
struct Door {
    table: Arc<Table>,
    pause: Duration,
    refusals: LogThrottle,
    failures: LogThrottle,
}

impl Door {
    fn new(limits: ConnectionLimits) -> Self {
        Self {
            table: Table::new(limits),
            pause: PAUSE_FIRST,
            refusals: LogThrottle::default(),
            failures: LogThrottle::default(),
        }
    }

    fn admit(&mut self, stream: TcpStream, peer: SocketAddr) -> Option<Connection> {
        self.pause = PAUSE_FIRST;
        let permit = match self.table.admit(peer.ip()) {
            Ok(permit) => permit,
            Err(limit) => {
                metrics::ACCEPTS_REFUSED.increment(1);
                if let Some(held_back) = self.refusals.now() {
                    warn!(%peer, %limit, held_back, "connection refused: limit reached");
                }
                return None;
            }
        };
        match Socket::new(stream, peer) {
            Ok(socket) => {
                metrics::ACCEPTS_ADMITTED.increment(1);
                Some(Connection {
                    socket,
                    id: next_id(),
                    accepted: Instant::now(),
                    permit,
                })
            }
            Err(error) => {
                debug!(%peer, %error, "the peer left before it was served");
                None
            }
        }
    }

    /// How long to wait after this failure. A peer that left while it waited is no reason to;
    /// without descriptors the next accept would fail at once too, and spin.
    fn pause(&mut self, error: &io::Error) -> Duration {
        if matches!(
            error.kind(),
            ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted
        ) {
            return Duration::ZERO;
        }
        metrics::ACCEPTS_FAILED.increment(1);
        if let Some(held_back) = self.failures.now() {
            warn!(%error, held_back, "cannot accept connections, trying again");
        }
        let pause = self.pause;
        self.pause = (pause * 2).min(PAUSE_MAX);
        pause
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
