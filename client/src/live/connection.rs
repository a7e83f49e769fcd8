//! One WebSocket: opening it with `hello`, reading and writing frames, why it ended.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{FutureExt, Sink, SinkExt, StreamExt};
use http::header::{HeaderValue, RETRY_AFTER, SEC_WEBSOCKET_PROTOCOL};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error as SocketError, Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::client::Backlog;
use super::frames::{self, Frame, Welcome};
use crate::error::Problem;
use crate::model::Status;
use crate::net::{self, Stream};
use crate::server::Server;

const SUBPROTOCOL: &str = "myim.v1";
/// The longest frame that is read, in bytes.
const FRAME_BYTES_MAX: usize = 16 * 1024 * 1024;
const READ_BUFFER_BYTES: usize = 4096;
/// Becoming a WebSocket takes no longer.
const UPGRADE_TIMEOUT: Duration = Duration::from_secs(10);
/// The answer to `hello` takes no longer.
const HELLO_TIMEOUT: Duration = Duration::from_secs(15);
/// A frame that cannot be written in this time means that nobody is there.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// The number of the first request.
const HELLO_ID: u64 = 1;

/// Why there is no connection (any more).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    SignedOut,
    Replaced,
    Broken { reason: String, wait: Wait },
}

/// When to connect again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    Backoff,
    AtLeast(Duration),
    /// The server said when.
    Told(Duration),
}

impl Lost {
    pub(super) fn broken(reason: impl Into<String>) -> Self {
        Self::Broken {
            reason: reason.into(),
            wait: Wait::Backoff,
        }
    }

    fn after(reason: impl Into<String>, least: Duration) -> Self {
        Self::Broken {
            reason: reason.into(),
            wait: Wait::AtLeast(least),
        }
    }
}

/// What a client says of itself when it connects.
#[derive(Clone)]
pub(super) struct Greeting {
    pub(super) server: Server,
    pub(super) token: Option<std::sync::Arc<str>>,
    pub(super) epoch: Option<String>,
    pub(super) backlog: Backlog,
    pub(super) status: Status,
}

/// What came over a connection.
#[derive(Debug)]
pub(super) enum Received {
    /// A frame, and how long it was.
    Frame(Box<Frame>, usize),
    /// A sign of life.
    Life,
}

/// An open connection.
pub(super) struct Link {
    socket: WebSocketStream<Stream>,
    queue: VecDeque<Utf8Bytes>,
    must_flush: bool,
    /// Since when nothing more can be written.
    stuck_since: Option<Instant>,
    heard_at: Instant,
    is_reading: bool,
    /// The server stops, and said when to come back.
    draining: Option<Duration>,
}

/// Opens a connection and says hello.
pub(super) async fn open(greeting: Greeting) -> Result<(Link, Welcome), Lost> {
    let stream = net::connect(&greeting.server).await;
    let stream = stream.map_err(|error| Lost::broken(error.to_string()))?;
    let request = handshake(&greeting.server)?;
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_message_size(Some(FRAME_BYTES_MAX))
        .max_frame_size(Some(FRAME_BYTES_MAX));
    let upgraded = client_async_with_config(request, stream, Some(config));
    let socket = match timeout(UPGRADE_TIMEOUT, Box::pin(upgraded)).await {
        Ok(Ok((socket, _))) => socket,
        Ok(Err(SocketError::Http(response))) => return Err(refused(&response)),
        Ok(Err(error)) => return Err(Lost::broken(error.to_string())),
        Err(_) => return Err(Lost::broken("the server does not open a WebSocket")),
    };
    let mut link = Link {
        socket,
        queue: VecDeque::new(),
        must_flush: false,
        stuck_since: None,
        heard_at: Instant::now(),
        is_reading: true,
        draining: None,
    };
    match timeout(HELLO_TIMEOUT, hello(&mut link, &greeting)).await {
        Ok(Ok(welcome)) => Ok((link, welcome)),
        Ok(Err(lost)) => Err(link.told(lost)),
        Err(_) => Err(Lost::broken("the server does not answer hello")),
    }
}

fn handshake(server: &Server) -> Result<Request, Lost> {
    let address = server.to_string();
    let address = address.replacen("http", "ws", 1);
    let request = format!("{address}/api/v1/ws").into_client_request();
    let mut request = request.map_err(|error| Lost::broken(error.to_string()))?;
    request.headers_mut().insert(
        SEC_WEBSOCKET_PROTOCOL,
        HeaderValue::from_static(SUBPROTOCOL),
    );
    Ok(request)
}

fn refused(response: &Response) -> Lost {
    let status = response.status();
    let problem = response.body().as_deref();
    let problem = problem.and_then(|body| serde_json::from_slice::<Problem>(body).ok());
    let code = problem.as_ref().map(|problem| problem.code.as_str());
    if status == http::StatusCode::UNAUTHORIZED && code.is_none_or(|it| it == "unauthenticated") {
        return Lost::SignedOut;
    }
    let header = response.headers().get(RETRY_AFTER);
    let header = header.and_then(|value| value.to_str().ok()?.parse().ok());
    let told = problem.as_ref().and_then(Problem::retry_after);
    let wait = told.or(header.map(Duration::from_secs));
    let reason = match problem {
        Some(problem) => format!("the server opens no WebSocket: {problem}"),
        None => format!("the server opens no WebSocket: {status}"),
    };
    Lost::after(reason, wait.unwrap_or(Duration::from_secs(1)))
}

async fn hello(link: &mut Link, greeting: &Greeting) -> Result<Welcome, Lost> {
    let token = greeting.token.as_deref().unwrap_or_default();
    let epoch = greeting.epoch.as_deref();
    let (backlog, status) = (greeting.backlog, greeting.status);
    link.push(frames::hello(HELLO_ID, token, epoch, backlog, status));
    loop {
        let Received::Frame(frame, _) = link.next(true).await? else {
            continue;
        };
        let Frame::Answer {
            id: HELLO_ID,
            result,
        } = *frame
        else {
            continue;
        };
        let answer = match result {
            Ok(answer) => answer,
            Err(problem) if problem.code == "unauthenticated" => return Err(Lost::SignedOut),
            Err(problem) => {
                let wait = problem.retry_after().unwrap_or(Duration::from_secs(1));
                return Err(Lost::after(problem.to_string(), wait));
            }
        };
        let strange = || Lost::broken("the answer to hello is none of a myim server");
        return frames::welcome(&answer).ok_or_else(strange);
    }
}

impl Link {
    /// Writes a frame, soon.
    pub(super) fn push(&mut self, frame: String) {
        self.queue.push_back(frame.into());
    }

    /// Writes what is to be written, and reads one frame if `reading`. Can be dropped at any time.
    pub(super) async fn next(&mut self, reading: bool) -> Result<Received, Lost> {
        if reading && !self.is_reading {
            // Nobody listened: that nothing was heard says nothing.
            self.heard_at = Instant::now();
        }
        self.is_reading = reading;
        poll_fn(|cx| self.poll(cx)).await
    }

    /// One frame, if it is there already.
    pub(super) fn next_waiting(&mut self) -> Option<Result<Received, Lost>> {
        self.next(true).now_or_never()
    }

    /// When something was heard the last time.
    pub(super) fn heard_at(&self) -> Instant {
        self.heard_at
    }

    pub(super) fn is_reading(&self) -> bool {
        self.is_reading
    }

    /// When the connection is lost if nothing more can be written until then.
    pub(super) fn stuck_until(&self) -> Option<Instant> {
        self.stuck_since.map(|since| since + WRITE_TIMEOUT)
    }

    /// Adds to a loss what the server had said before.
    pub(super) fn told(&self, lost: Lost) -> Lost {
        match (lost, self.draining) {
            (Lost::Broken { reason, .. }, Some(wait)) => Lost::Broken {
                reason,
                wait: Wait::Told(wait),
            },
            (lost, _) => lost,
        }
    }

    /// Says good-bye: what is to be written is written first.
    pub(super) async fn close(mut self, deadline: Instant) {
        let goodbye = async {
            while let Some(frame) = self.queue.pop_front() {
                self.socket.send(Message::Text(frame)).await?;
            }
            let frame = CloseFrame {
                code: CloseCode::Normal,
                reason: Utf8Bytes::default(),
            };
            self.socket.send(Message::Close(Some(frame))).await
        };
        // Nothing depends on it: the server notices the end of the connection too.
        let _ = timeout_at(deadline, goodbye).await;
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Received, Lost>> {
        if let Err(error) = self.poll_write(cx) {
            return Poll::Ready(Err(broken(&error)));
        }
        if !self.is_reading {
            return Poll::Pending;
        }
        match self.socket.poll_next_unpin(cx) {
            Poll::Ready(Some(Ok(message))) => Poll::Ready(self.received(&message)),
            Poll::Ready(Some(Err(error))) => Poll::Ready(Err(broken(&error))),
            Poll::Ready(None) => Poll::Ready(Err(Lost::broken("the server hung up"))),
            Poll::Pending => Poll::Pending,
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Result<(), SocketError> {
        while !self.queue.is_empty() {
            let socket = std::pin::Pin::new(&mut self.socket);
            match socket.poll_ready(cx) {
                Poll::Ready(ready) => ready?,
                Poll::Pending => {
                    self.stuck_since.get_or_insert_with(Instant::now);
                    return Ok(());
                }
            }
            if let Some(frame) = self.queue.pop_front() {
                self.socket.start_send_unpin(Message::Text(frame))?;
                (self.must_flush, self.stuck_since) = (true, None);
            }
        }
        if self.must_flush {
            match self.socket.poll_flush_unpin(cx) {
                Poll::Ready(flushed) => {
                    flushed?;
                    (self.must_flush, self.stuck_since) = (false, None);
                }
                Poll::Pending => {
                    self.stuck_since.get_or_insert_with(Instant::now);
                }
            }
        }
        Ok(())
    }

    fn received(&mut self, message: &Message) -> Result<Received, Lost> {
        self.heard_at = Instant::now();
        match message {
            Message::Text(text) => match frames::read(text) {
                Some(Frame::Draining(wait)) => {
                    self.draining = Some(wait);
                    Ok(Received::Life)
                }
                Some(frame) => Ok(Received::Frame(Box::new(frame), text.len())),
                None => {
                    tracing::warn!(bytes = text.len(), "a frame that cannot be read is ignored");
                    Ok(Received::Life)
                }
            },
            Message::Close(frame) => Err(closed(frame.as_ref())),
            Message::Ping(_) => {
                // The library has the pong ready.
                self.must_flush = true;
                Ok(Received::Life)
            }
            Message::Pong(_) | Message::Binary(_) | Message::Frame(_) => Ok(Received::Life),
        }
    }
}

fn broken(error: &SocketError) -> Lost {
    Lost::broken(match error {
        SocketError::ConnectionClosed | SocketError::AlreadyClosed => "the server hung up".into(),
        other => other.to_string(),
    })
}

/// What to do about the server's good-bye.
fn closed(frame: Option<&CloseFrame>) -> Lost {
    let Some(frame) = frame else {
        return Lost::broken("the server hung up");
    };
    let code = u16::from(frame.code);
    let reason = format!(
        "the server closed the connection: {} ({code})",
        frame.reason
    );
    match code {
        4001 | 4002 => Lost::SignedOut,
        4009 => Lost::Replaced,
        4003 => {
            tracing::warn!(reason = %frame.reason, "the server says that this client is wrong");
            Lost::after(reason, Duration::from_secs(1))
        }
        4008 => Lost::after(reason, Duration::from_secs(5)),
        1012 | 1013 => Lost::after(reason, Duration::from_secs(1)),
        _ => Lost::broken(reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_close_code_says_what_to_do() {
        let close = |code: u16| {
            closed(Some(&CloseFrame {
                code: code.into(),
                reason: "why".into(),
            }))
        };
        assert_eq!(close(4001), Lost::SignedOut);
        assert_eq!(close(4002), Lost::SignedOut);
        assert_eq!(close(4009), Lost::Replaced);
        let Lost::Broken { wait, .. } = close(4008) else {
            panic!("not the end");
        };
        assert_eq!(wait, Wait::AtLeast(Duration::from_secs(5)));
        let Lost::Broken { wait, reason } = close(1001) else {
            panic!("not the end");
        };
        assert_eq!(wait, Wait::Backoff);
        assert_eq!(reason, "the server closed the connection: why (1001)");
    }

    #[test]
    fn the_address_of_the_websocket_follows_from_the_servers() {
        let server: Server = "https://chat.example:443".parse().unwrap();
        let request = handshake(&server).unwrap();
        assert_eq!(request.uri(), "wss://chat.example:443/api/v1/ws");
        assert_eq!(request.headers()["sec-websocket-protocol"], "myim.v1");
    }
}
