//! A client of the WebSocket interface: requests and their answers, events, close codes.
//!
//! Reads with a deadline and never sleeps. What a user does with it stands in `account.rs`.

use std::collections::{BTreeMap, VecDeque};
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::{IntoClientRequest as _, client_with_config};
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocket, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, HandshakeError, Message};

use crate::peer::PATIENCE;

/// What a client and the server agree to speak.
pub const SUBPROTOCOL: &str = "myim.v1";

/// What came instead of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Silence {
    /// Nothing came in time.
    TimedOut,
    /// The server said good-bye with this code and reason.
    Closed(u16, String),
    /// The connection ended without a word.
    Cut,
}

/// One WebSocket connection.
#[derive(Debug)]
pub struct Socket {
    stream: WebSocket<TcpStream>,
    /// Events that came while something else was waited for.
    events: VecDeque<Value>,
    /// Answers that came while something else was waited for.
    answers: Vec<Value>,
    next_id: u64,
    /// The newest place told of each conversation.
    heads: BTreeMap<String, u64>,
    /// What was held before this connection.
    held: BTreeMap<String, u64>,
    /// The server crashed since: some of it may come again.
    may_repeat: bool,
    /// Pongs seen so far, newest last.
    pub pongs: Vec<Vec<u8>>,
    /// Everything that went over this connection as text, in order, with its direction.
    pub tape: Vec<(Side, Value)>,
}

/// Who sent a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Client,
    Server,
}

/// The most frames that are remembered: tests that look at them are short.
const TAPE_LENGTH_MAX: usize = 10_000;

/// The request of a handshake, to be changed before it is sent.
pub fn handshake(address: SocketAddr) -> Request {
    let mut request = format!("ws://{address}/api/v1/ws")
        .into_client_request()
        .expect("an address");
    let value = SUBPROTOCOL.parse().expect("a header");
    request
        .headers_mut()
        .insert("sec-websocket-protocol", value);
    request
}

impl Socket {
    /// Connects and agrees on the protocol; nothing has been said yet.
    pub fn connect(address: SocketAddr) -> Self {
        Self::connect_with(address, handshake(address))
            .unwrap_or_else(|status| panic!("no WebSocket at {address}: status {status}"))
    }

    /// Connects with this handshake; an error is the status with which the server refused.
    pub fn connect_with(address: SocketAddr, request: Request) -> Result<Self, u16> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)
            .unwrap_or_else(|error| panic!("cannot connect to {address}: {error}"));
        stream.set_nodelay(true).expect("a connected socket");
        stream.set_read_timeout(Some(PATIENCE)).expect("positive");
        let config = WebSocketConfig::default();
        match client_with_config(request, stream, Some(config)) {
            Ok((stream, _)) => Ok(Self {
                stream,
                events: VecDeque::new(),
                answers: Vec::new(),
                next_id: 1,
                heads: BTreeMap::new(),
                held: BTreeMap::new(),
                may_repeat: false,
                pongs: Vec::new(),
                tape: Vec::new(),
            }),
            Err(HandshakeError::Failure(Error::Http(answer))) => Err(answer.status().as_u16()),
            Err(other) => panic!("the handshake with {address} failed: {other}"),
        }
    }

    pub fn stream(&self) -> &TcpStream {
        self.stream.get_ref()
    }

    /// The newest place told of each conversation on this connection.
    pub fn heads(&self) -> &BTreeMap<String, u64> {
        &self.heads
    }

    /// These places were acknowledged on an earlier connection: nothing up to them may come again,
    /// unless the server crashed, which may cost it the last acknowledgments. Then what comes again
    /// is recognized and left out.
    pub fn resume(&mut self, heads: BTreeMap<String, u64>, after_crash: bool) {
        for event in &self.events {
            let again = is_held(&heads, event) && !after_crash;
            assert!(!again, "acknowledged, and told again: {event} {heads:?}");
        }
        self.events.retain(|event| !is_held(&heads, event));
        (self.held, self.may_repeat) = (heads, after_crash);
    }

    /// Up to where this conversation is known: told on this connection, or held before it.
    pub fn reached(&self, conversation: &str) -> u64 {
        let told = self.heads.get(conversation).copied().unwrap_or(0);
        told.max(self.held.get(conversation).copied().unwrap_or(0))
    }

    /// Says hello with a token; the answer.
    pub fn hello(&mut self, token: &str) -> Value {
        self.ok("hello", json!({"token": token}))
    }

    /// Sends one frame as it is.
    pub fn send(&mut self, message: Message) {
        let sent = self.stream.send(message);
        sent.unwrap_or_else(|error| panic!("the server hung up while we wrote: {error}"));
    }

    /// Sends one frame as it is; says whether the server still took it.
    pub fn try_send(&mut self, message: Message) -> bool {
        self.stream.send(message).is_ok()
    }

    pub fn send_text(&mut self, text: impl Into<String>) {
        self.send(Message::text(text.into()));
    }

    /// Sends a request and returns its number.
    pub fn request(&mut self, op: &str, mut fields: Value) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        fields["id"] = json!(id);
        fields["op"] = json!(op);
        self.send_text(fields.to_string());
        self.remember(Side::Client, &fields);
        id
    }

    /// Sends what gets no answer.
    pub fn tell(&mut self, op: &str, mut fields: Value) {
        fields["op"] = json!(op);
        self.send_text(fields.to_string());
    }

    /// Sends a request and waits for its answer: `ok`, or `error`. Events stay for later.
    pub fn ask(&mut self, op: &str, fields: Value) -> Result<Value, Value> {
        let id = self.request(op, fields);
        self.answer(id)
    }

    /// A request that must succeed.
    pub fn ok(&mut self, op: &str, fields: Value) -> Value {
        self.ask(op, fields)
            .unwrap_or_else(|error| panic!("{op}: {error}"))
    }

    /// A request that must be refused with this code.
    pub fn refused(&mut self, op: &str, fields: Value, code: &str) -> Value {
        match self.ask(op, fields) {
            Err(error) => {
                assert_eq!(error["code"], code, "{op}: {error}");
                let message = error["message"].as_str().unwrap_or_default();
                assert!(!message.is_empty(), "{op}: {error} says nothing to people");
                error
            }
            Ok(ok) => panic!("{op} must be refused with {code}, got {ok}"),
        }
    }

    /// The answer to this request.
    pub fn answer(&mut self, id: u64) -> Result<Value, Value> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(at) = self.answers.iter().position(|answer| answer["id"] == id) {
                let mut answer = self.answers.swap_remove(at);
                return match (answer.get("ok"), answer.get("error")) {
                    (Some(_), None) => Ok(answer["ok"].take()),
                    (None, Some(_)) => Err(answer["error"].take()),
                    _ => panic!("either ok or error: {answer}"),
                };
            }
            if let Err(silence) = self.pump(deadline) {
                panic!("no answer to request {id}: {silence:?}");
            }
        }
    }

    /// The answer to this request, if it has come already.
    pub fn try_answer(&mut self, id: u64) -> Option<Result<Value, Value>> {
        let came = self.answers.iter().any(|answer| answer["id"] == id);
        came.then(|| self.answer(id))
    }

    /// The next event, whatever it is.
    pub fn event(&mut self) -> Value {
        self.try_event(PATIENCE)
            .unwrap_or_else(|silence| panic!("waited for an event: {silence:?}"))
    }

    /// The next event or what came instead of it.
    pub fn try_event(&mut self, patience: Duration) -> Result<Value, Silence> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(event);
            }
            self.pump(deadline)?;
        }
    }

    /// The first event that fits; the others stay for later, in order.
    pub fn find(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        let mut looked_at = 0;
        loop {
            while looked_at < self.events.len() {
                if fits(&self.events[looked_at]) {
                    return self.events.remove(looked_at).expect("just found");
                }
                looked_at += 1;
            }
            if let Err(silence) = self.pump(deadline) {
                panic!("{silence:?}; so far {:#?}", self.events);
            }
        }
    }

    /// The next event of this name; the others stay for later.
    pub fn find_event(&mut self, name: &str) -> Value {
        self.find(|event| event["event"] == name)
    }

    /// Everything that came so far and was not taken.
    pub fn waiting(&self) -> impl Iterator<Item = &Value> {
        self.events.iter()
    }

    /// Takes everything that came so far.
    pub fn take_waiting(&mut self) -> Vec<Value> {
        self.events.drain(..).collect()
    }

    /// Puts an event back, to be received again first.
    pub fn keep(&mut self, event: Value) {
        self.events.push_front(event);
    }

    /// Pings and waits for the pong. Whatever the server had written before is received then.
    pub fn ping(&mut self) {
        let mark = format!("ping {}", self.next_id).into_bytes();
        self.next_id += 1;
        self.send(Message::Ping(mark.clone().into()));
        let deadline = Instant::now() + PATIENCE;
        while !self.pongs.contains(&mark) {
            if let Err(silence) = self.pump(deadline) {
                panic!("no pong: {silence:?}");
            }
        }
    }

    /// The server closes with this code, whatever it says before.
    pub fn closed_with(&mut self, code: u16) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.pump(deadline) {
                Ok(()) => {}
                Err(Silence::Closed(said, reason)) => {
                    assert_eq!(said, code, "{reason}");
                    return reason;
                }
                Err(other) => panic!("expected close code {code}, got {other:?}"),
            }
        }
    }

    /// The connection ends, with or without a close frame.
    pub fn ends(&mut self) -> Silence {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.pump(deadline) {
                Ok(()) => {}
                Err(Silence::TimedOut) => panic!("the connection is still open"),
                Err(end) => return end,
            }
        }
    }

    /// Says good-bye and waits for the answer.
    pub fn close(mut self) {
        // An error means that the other side was faster.
        let _ = self.stream.close(None);
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.pump(deadline) {
                Ok(()) => {}
                Err(Silence::TimedOut) => panic!("the server does not answer a close frame"),
                Err(_) => return,
            }
        }
    }

    /// Reads one frame and puts it where it belongs.
    pub fn pump(&mut self, deadline: Instant) -> Result<(), Silence> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Silence::TimedOut);
        }
        let stream = self.stream.get_ref();
        stream.set_read_timeout(Some(left)).expect("positive");
        match self.stream.read() {
            Ok(Message::Text(text)) => {
                let value = serde_json::from_str(&text)
                    .unwrap_or_else(|error| panic!("a frame is JSON: {error}: {text}"));
                self.sort(value);
                Ok(())
            }
            Ok(Message::Pong(mark)) => {
                self.pongs.push(mark.to_vec());
                Ok(())
            }
            Ok(Message::Ping(_) | Message::Frame(_)) => Ok(()),
            Ok(Message::Binary(bytes)) => panic!("a binary frame from the server: {bytes:?}"),
            Ok(Message::Close(frame)) => Err(said(frame)),
            Err(Error::Io(error)) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut => Err(Silence::TimedOut),
                ErrorKind::Interrupted => Ok(()),
                _ => Err(Silence::Cut),
            },
            Err(Error::Protocol(problem)) if problem.to_string().contains("without closing") => {
                Err(Silence::Cut)
            }
            Err(Error::ConnectionClosed | Error::AlreadyClosed) => Err(Silence::Cut),
            Err(error) => panic!("the server broke the protocol: {error}"),
        }
    }

    fn remember(&mut self, side: Side, frame: &Value) {
        if self.tape.len() < TAPE_LENGTH_MAX {
            self.tape.push((side, frame.clone()));
        }
    }

    fn sort(&mut self, value: Value) {
        self.remember(Side::Server, &value);
        match (value.get("event"), value.get("id")) {
            (Some(Value::String(name)), None) => {
                if !PASSING.contains(&name.as_str()) {
                    self.advance(&value);
                    if is_held(&self.held, &value) {
                        assert!(self.may_repeat, "acknowledged, and told again: {value}");
                        return;
                    }
                }
                self.events.push_back(value);
            }
            (None, Some(_)) => self.answers.push(value),
            _ => panic!("neither an event nor an answer: {value}"),
        }
    }

    /// An entry of a log: in order, and nothing twice.
    fn advance(&mut self, event: &Value) {
        let (Some(conversation), Some(seq)) =
            (event["conversation"].as_str(), event["seq"].as_u64())
        else {
            panic!("an entry of a log names its conversation and its place: {event}");
        };
        let head = self.heads.entry(conversation.to_owned()).or_default();
        assert!(
            seq > *head,
            "{seq} after {head}, twice or out of order: {event}"
        );
        *head = seq;
    }
}

/// Events that are no entries of a log: they may be lost and name no new place.
pub const PASSING: [&str; 10] = [
    "contact.profile_changed",
    "conversation",
    "group.profile_changed",
    "head",
    "presence",
    "read",
    "delivered",
    "server.draining",
    "session.revoked",
    "typing",
];

/// Whether an entry of a log stands at or before these places.
fn is_held(heads: &BTreeMap<String, u64>, event: &Value) -> bool {
    let name = event["event"].as_str().unwrap_or_default();
    let held = event["conversation"].as_str().and_then(|id| heads.get(id));
    match (held, event["seq"].as_u64()) {
        (Some(held), Some(seq)) => !PASSING.contains(&name) && seq <= *held,
        _ => false,
    }
}

fn said(frame: Option<CloseFrame>) -> Silence {
    frame.map_or(Silence::Closed(1005, String::new()), |frame| {
        Silence::Closed(frame.code.into(), frame.reason.to_string())
    })
}
