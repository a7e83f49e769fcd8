//! One client's connection as packets: reads and decodes, encodes and writes.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use bytes::BytesMut;
use common::config::ChatConfig;
use common::net::{Connection, Permit, Socket};
use common::store::StoreError;
use common::telemetry::metrics;
use common::wire::chat::{Decoder, Encoding, FrameError, Limits, Packet, encode};
use thiserror::Error;
use tokio::time::Instant;

/// Bodies from this size on are compressed. Below it zlib costs more than all other work on a
/// message together and saves next to nothing.
const COMPRESS_FROM_BYTES: usize = 512;
/// How much is read at a time.
const READ_BYTES_MAX: usize = 64 * 1024;
/// What a body may inflate to before anybody logged in.
const GREETING_INFLATED_BYTES_MAX: usize = 64 * 1024;
/// What a body may inflate to afterwards: the protocol's own limit.
const INFLATED_BYTES_MAX: usize = 10 * 1024 * 1024;

/// Why a connection ended.
#[derive(Debug, Error)]
pub(super) enum Ended {
    #[error("the client closed the connection")]
    Closed,
    #[error("the connection broke: {0}")]
    Broke(io::Error),
    #[error("the client took no data for {0:?}")]
    Stalled(Duration),
    #[error("bad frame: {0}")]
    BadFrame(#[from] FrameError),
    #[error("bad request: {0}")]
    BadRequest(&'static str),
    #[error("{0}")]
    TimedOut(&'static str),
    #[error("the same user logged in with the same kind of client")]
    Replaced,
    /// The existing clients understand no failed send: a closed connection is how they are told.
    #[error("a message could not be saved: {0}")]
    NotSaved(StoreError),
    #[error("the server is stopping")]
    Stopping,
}

impl Ended {
    /// Writes the reason to the log and counts it; what is the client's fault or ours is louder.
    pub(super) fn log(&self) {
        match self {
            Self::BadFrame(_) => metrics::protocol_error("flamingo", "bad_frame"),
            Self::BadRequest(_) => metrics::protocol_error("flamingo", "bad_request"),
            Self::TimedOut(_) => metrics::protocol_error("flamingo", "timed_out"),
            Self::Stalled(_) => metrics::SLOW_CONSUMER_DISCONNECTS.increment(1),
            Self::Closed | Self::Broke(_) | Self::Replaced | Self::NotSaved(_) | Self::Stopping => {
            }
        }
        match self {
            Self::Closed | Self::Broke(_) | Self::Stopping | Self::Replaced => {
                tracing::debug!(reason = %self, "connection ended");
            }
            Self::TimedOut(_) | Self::Stalled(_) => {
                tracing::info!(reason = %self, "connection closed");
            }
            Self::BadFrame(_) | Self::BadRequest(_) | Self::NotSaved(_) => {
                tracing::warn!(reason = %self, "connection closed");
            }
        }
    }
}

/// See the module's description.
#[derive(Debug)]
pub(super) struct Link {
    socket: Socket,
    permit: Permit,
    decoder: Decoder,
    inbox: BytesMut,
    outbox: Vec<u8>,
    /// All bytes ever written.
    written: u64,
    stall: Duration,
    /// Since when an unfinished frame is waiting for its rest.
    unfinished_since: Option<Instant>,
    /// How long the longest write took since last asked.
    longest_write: Duration,
}

impl Link {
    pub(super) fn new(connection: Connection, config: &ChatConfig) -> Self {
        let mut decoder = Decoder::new(Limits::default());
        decoder.set_inflated_max(GREETING_INFLATED_BYTES_MAX);
        Self {
            socket: connection.socket,
            permit: connection.permit,
            decoder,
            inbox: BytesMut::new(),
            outbox: Vec::new(),
            written: 0,
            stall: Duration::from_secs(config.limits.write_stall_s),
            unfinished_since: None,
            longest_write: Duration::ZERO,
        }
    }

    pub(super) fn address(&self) -> IpAddr {
        self.socket.peer().ip()
    }

    /// Somebody logged in: larger bodies may be inflated, and the place among the newcomers is
    /// free again.
    pub(super) fn logged_in(&mut self) {
        self.permit.greeted();
        self.decoder.set_inflated_max(INFLATED_BYTES_MAX);
    }

    /// Nobody is logged in any more: a stranger's limits again.
    pub(super) fn logged_out(&mut self) {
        self.decoder.set_inflated_max(GREETING_INFLATED_BYTES_MAX);
    }

    /// Waits for bytes. Cancel-safe: nothing read is lost.
    pub(super) async fn fill(&mut self) -> Result<(), Ended> {
        match self.socket.read(&mut self.inbox, READ_BYTES_MAX).await {
            Ok(0) => Err(Ended::Closed),
            Ok(_) => Ok(()),
            Err(error) => Err(Ended::Broke(error)),
        }
    }

    /// The next packet of what was read; `None` when more bytes are needed.
    pub(super) fn next_packet(&mut self) -> Result<Option<Packet>, Ended> {
        let packet = self.decoder.decode(&mut self.inbox)?;
        if packet.is_some() || self.inbox.is_empty() {
            self.unfinished_since = None;
        } else if self.unfinished_since.is_none() {
            self.unfinished_since = Some(Instant::now());
        }
        if packet.is_none() && self.inbox.is_empty() {
            // An idle connection holds no buffer.
            self.inbox = BytesMut::new();
        }
        Ok(packet)
    }

    /// Since when an unfinished frame is waiting for its rest.
    pub(super) fn unfinished_since(&self) -> Option<Instant> {
        self.unfinished_since
    }

    /// Adds a packet to what is written next.
    pub(super) fn push(&mut self, packet: &Packet) {
        if let Err(error) = encode(
            packet,
            Encoding::PlainBelow(COMPRESS_FROM_BYTES),
            &mut self.outbox,
        ) {
            tracing::error!(%error, command = packet.command, "a packet could not be encoded");
        }
    }

    /// Adds a finished packet to what is written next.
    pub(super) fn push_encoded(&mut self, packet: &[u8]) {
        self.outbox.extend_from_slice(packet);
    }

    /// How many bytes wait to be written.
    pub(super) fn waiting(&self) -> usize {
        self.outbox.len()
    }

    /// Writes everything that waits, in one piece.
    pub(super) async fn flush(&mut self) -> Result<(), Ended> {
        if self.outbox.is_empty() {
            return Ok(());
        }
        let outbox = std::mem::take(&mut self.outbox);
        let began = Instant::now();
        let result = self.socket.write_all(&outbox, self.stall).await;
        self.longest_write = self.longest_write.max(began.elapsed());
        self.written += u64::try_from(outbox.len()).unwrap_or(u64::MAX);
        result.map_err(|error| match error.kind() {
            io::ErrorKind::TimedOut => Ended::Stalled(self.stall),
            _ => Ended::Broke(error),
        })
    }

    /// How long the longest write took since this was last asked.
    pub(super) fn take_longest_write(&mut self) -> Duration {
        std::mem::take(&mut self.longest_write)
    }

    /// All bytes ever written, after a flush.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// How many of the written bytes the peer's TCP has acknowledged; none if nobody can know,
    /// because the connection broke.
    pub(super) fn acknowledged(&self) -> u64 {
        match self.socket.unsent() {
            Ok(unsent) => self.written.saturating_sub(u64::from(unsent)),
            Err(_) => 0,
        }
    }

    pub(super) async fn close(self) {
        self.socket.close().await;
    }
}

/// A finished packet, as [`Link::push_encoded`] takes it.
pub(super) fn encoded(packet: &Packet) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Err(error) = encode(
        packet,
        Encoding::PlainBelow(COMPRESS_FROM_BYTES),
        &mut bytes,
    ) {
        tracing::error!(%error, command = packet.command, "a packet could not be encoded");
        bytes.clear();
    }
    bytes
}
