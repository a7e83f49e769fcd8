//! Connections that no kernel has, for simulations: whoever makes one says what the peer's system
//! has acknowledged, and when it breaks.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use super::limits::{ConnectionLimits, Table};
use super::listener::{Connection, next_id};
use super::socket::Socket;

/// The server's end of one.
pub trait Wire: AsyncRead + AsyncWrite + fmt::Debug + Send + Sync + Unpin {
    /// See [`Socket::unsent`].
    ///
    /// # Errors
    /// If the connection broke.
    fn unsent(&self) -> io::Result<u32>;
}

impl Connection {
    /// One that was just accepted from there.
    pub fn simulated(wire: Box<dyn Wire>, peer: SocketAddr) -> Self {
        let table = Table::new(ConnectionLimits::default());
        Self {
            socket: Socket::simulated(wire, peer),
            id: next_id(),
            accepted: Instant::now(),
            permit: table.admit(peer.ip()).expect("nobody is in yet"),
        }
    }
}
