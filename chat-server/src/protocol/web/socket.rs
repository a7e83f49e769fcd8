//! A WebSocket: what is written is collected and goes out in one piece. That a client takes nothing
//! for too long is noticed by the connection below (`common::http`).

use std::io::ErrorKind;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use futures_util::{SinkExt, StreamExt};
use tokio::time::timeout;

use super::close_reason::CloseReason;

/// The only subprotocol.
pub(super) const SUBPROTOCOL: &str = "myim.v1";
/// What a connection holds to read into, also while it is idle. Most requests are shorter; longer
/// ones get more while they are read.
const READ_BYTES: usize = 1024;
/// What is collected before the system is given some of it.
const WRITE_BYTES: usize = 16 * 1024;
/// A batch of events and the longest message fit many times; nothing collects more.
const WRITE_BYTES_MAX: usize = 2 * 1024 * 1024;
/// The longest request, in bytes: the longest message with every character escaped fits.
const REQUEST_BYTES_MAX: usize = 1024 * 1024;
/// How long a closing server listens for the client's farewell.
const LINGER: Duration = Duration::from_secs(1);

/// Sets a connection's limits.
pub(super) fn limited(upgrade: WebSocketUpgrade) -> WebSocketUpgrade {
    upgrade
        .protocols([SUBPROTOCOL])
        .read_buffer_size(READ_BYTES)
        .write_buffer_size(WRITE_BYTES)
        .max_write_buffer_size(WRITE_BYTES_MAX)
        .max_message_size(REQUEST_BYTES_MAX)
        .max_frame_size(REQUEST_BYTES_MAX)
}

/// See the module's description.
#[derive(Debug)]
pub(super) struct Socket {
    socket: WebSocket,
    is_fed: bool,
}

/// What a client sent.
#[derive(Debug)]
pub(super) enum Received {
    Request(Utf8Bytes),
    /// Asks whether the server is there. It was answered.
    Ping,
    Pong,
}

impl Socket {
    pub(super) fn new(socket: WebSocket) -> Self {
        Self {
            socket,
            is_fed: false,
        }
    }

    /// Waits for the next frame. Cancel-safe.
    ///
    /// # Errors
    /// Why the connection ends.
    pub(super) async fn receive(&mut self) -> Result<Received, CloseReason> {
        match self.socket.next().await {
            Some(Ok(Message::Text(text))) => Ok(Received::Request(text)),
            Some(Ok(Message::Ping(_))) => Ok(Received::Ping),
            Some(Ok(Message::Pong(_))) => Ok(Received::Pong),
            Some(Ok(Message::Binary(_))) => Err(CloseReason::Protocol("a binary frame")),
            Some(Ok(Message::Close(_))) | None => Err(CloseReason::Gone),
            Some(Err(error)) => Err(broken(&error)),
        }
    }

    /// Adds a text to what is written next.
    ///
    /// # Errors
    /// Why the connection ends.
    pub(super) async fn feed(&mut self, text: impl Into<Utf8Bytes>) -> Result<(), CloseReason> {
        self.is_fed = true;
        let fed = self.socket.feed(Message::Text(text.into())).await;
        fed.map_err(|error| broken(&error))
    }

    /// Adds a finished event.
    ///
    /// # Errors
    /// Why the connection ends.
    pub(super) async fn feed_event(&mut self, event: Bytes) -> Result<(), CloseReason> {
        match Utf8Bytes::try_from(event) {
            Ok(text) => self.feed(text).await,
            Err(_) => Ok(()),
        }
    }

    /// Asks whether the client is there.
    ///
    /// # Errors
    /// Why the connection ends.
    pub(super) async fn ping(&mut self) -> Result<(), CloseReason> {
        self.is_fed = true;
        let fed = self.socket.feed(Message::Ping(Bytes::new())).await;
        fed.map_err(|error| broken(&error))
    }

    /// Writes what was added.
    ///
    /// # Errors
    /// Why the connection ends.
    pub(super) async fn flush(&mut self) -> Result<(), CloseReason> {
        if !std::mem::take(&mut self.is_fed) {
            return Ok(());
        }
        self.socket.flush().await.map_err(|error| broken(&error))
    }

    /// Says why the connection ends. Nothing can be written afterwards.
    pub(super) async fn say_goodbye(&mut self, closing: &CloseReason) {
        let Some((code, reason)) = closing.code() else {
            return;
        };
        if let Some(event) = closing.last_event()
            && self.feed(event).await.is_err()
        {
            return;
        }
        let reason = reason.into();
        let goodbye = Message::Close(Some(CloseFrame { code, reason }));
        // Not being heard is no failure: the client is leaving anyway.
        let _ = self.socket.send(goodbye).await;
    }

    /// Listens until the client has read everything and closed too, or for a moment.
    pub(super) async fn linger(&mut self) {
        let farewell = async { while let Some(Ok(_)) = self.socket.next().await {} };
        let _ = timeout(LINGER, farewell).await;
    }
}

/// What the library found wrong: a broken connection, or frames that nobody may send.
fn broken(error: &axum::Error) -> CloseReason {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(inner) = source {
        if let Some(error) = inner.downcast_ref::<std::io::Error>() {
            return match error.kind() {
                ErrorKind::TimedOut => CloseReason::Stalled,
                _ => CloseReason::Gone,
            };
        }
        source = inner.source();
    }
    // The library's own type is not at hand; its texts are.
    let reason = error.to_string();
    let code = if reason.contains("closing handshake") || reason.contains("Connection closed") {
        return CloseReason::Gone;
    } else if reason.contains("UTF-8") {
        1007
    } else if reason.contains("too long") {
        1009
    } else {
        1002
    };
    CloseReason::Frames { code, reason }
}
