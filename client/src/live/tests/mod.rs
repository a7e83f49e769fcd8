//! The driver against a server that says what a test wants, on a clock that the test owns.

mod closing;
mod connecting;
mod receiving;
mod sending;

use std::sync::Arc;
use std::time::Duration;

use common::clock::Clock;
use common::id::Millis;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

use super::client::{Client, ClientBuilder};
use super::event::{Entry, Event, Events};
use super::state::Connection;
use super::surroundings::Surroundings;
use crate::api::Api;
use crate::model::{ConversationId, GroupId, Segment, Seq, UserId};
use crate::net::memory::{HOST, InMemory, Listener};
use crate::store::{Memory, MemoryStore, Store};

/// On the clock of a test, which jumps when nothing is left to do.
const PATIENCE: Duration = Duration::from_secs(300);
const ME: UserId = UserId(7);
const GROUP: GroupId = GroupId(268_435_460);

fn chat() -> ConversationId {
    ConversationId::group(GROUP)
}

fn text(text: impl Into<String>) -> Vec<Segment> {
    vec![Segment::text(text)]
}

async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match timeout(PATIENCE, future).await {
        Ok(done) => done,
        Err(_) => panic!("waited for {what}"),
    }
}

/// The wall clock goes with the test's own.
struct TestClock(Instant);

impl Clock for TestClock {
    fn now(&self) -> Millis {
        let since = i64::try_from(self.0.elapsed().as_millis()).unwrap();
        Millis(1_800_000_000_000 + since)
    }
}

/// A store that the test can look into.
#[derive(Clone, Default)]
struct SharedStore(Arc<MemoryStore>);

impl SharedStore {
    async fn memory(&self) -> Memory {
        self.0.load().await.unwrap()
    }

    async fn place(&self, conversation: ConversationId) -> Option<Seq> {
        let places = self.memory().await.places;
        let found = places.iter().find(|(id, _)| *id == conversation);
        found.map(|(_, seq)| *seq)
    }
}

#[async_trait::async_trait]
impl Store for SharedStore {
    async fn load(&self) -> Result<Memory, crate::store::StoreError> {
        self.0.load().await
    }

    async fn apply(
        &self,
        changes: &[crate::store::Change],
    ) -> Result<(), crate::store::StoreError> {
        self.0.apply(changes).await
    }
}

/// A server that does nothing by itself.
struct Server(Listener);

impl Server {
    fn new() -> Self {
        Self(Listener::new())
    }

    fn builder(&self) -> ClientBuilder {
        let address = format!("http://{HOST}:{}", self.0.port);
        let address: crate::Server = address.parse().unwrap();
        let api = Api::new(address.through(InMemory));
        Client::builder(api.with_token("secret"))
    }

    async fn start(&self, store: &SharedStore) -> (Client, Events) {
        start(self.builder().store(store.clone())).await
    }

    async fn stream(&mut self) -> DuplexStream {
        soon("a connection", self.0.accept()).await
    }

    /// The next connection, as a WebSocket.
    async fn accept(&mut self) -> Peer {
        let stream = self.stream().await;
        #[expect(clippy::result_large_err, reason = "the library wants it so")]
        let agree = |request: &Request, mut response: Response| {
            let wanted = request.headers()["sec-websocket-protocol"].clone();
            response
                .headers_mut()
                .insert("sec-websocket-protocol", wanted);
            Ok(response)
        };
        let socket = accept_hdr_async(stream, agree).await.unwrap();
        Peer { socket }
    }

    /// The next connection, hello answered.
    async fn welcome(&mut self) -> Peer {
        self.welcome_with(json!({})).await.0
    }

    /// The same with more in the answer; and the hello.
    async fn welcome_with(&mut self, more: Value) -> (Peer, Value) {
        let mut peer = self.accept().await;
        let hello = peer.request("hello").await;
        let mut ok = json!({"user": {"id": ME.to_string()}, "session_id": "1", "heartbeat": 30, "epoch": "e1"});
        for (name, value) in more.as_object().unwrap() {
            ok[name] = value.clone();
        }
        peer.ok(&hello, ok).await;
        (peer, hello)
    }

    /// Answers one call over HTTP; its first line.
    async fn http(&mut self, status: &str, body: &Value) -> String {
        let mut stream = self.stream().await;
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(soon("a request", stream.read_u8()).await.unwrap());
        }
        let body = body.to_string();
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
        );
        stream.write_all(answer.as_bytes()).await.unwrap();
        let request = String::from_utf8(request).unwrap();
        request.lines().next().unwrap().to_owned()
    }
}

async fn start(builder: ClientBuilder) -> (Client, Events) {
    let surroundings = Surroundings {
        clock: Arc::new(TestClock(Instant::now())),
        ..Surroundings::default()
    };
    builder.surroundings(surroundings).start().await.unwrap()
}

/// One connection as the server sees it.
struct Peer {
    socket: WebSocketStream<DuplexStream>,
}

impl Peer {
    async fn try_next(&mut self) -> Option<Value> {
        loop {
            match soon("a frame", self.socket.next()).await {
                Some(Ok(Message::Text(text))) => return Some(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    async fn next(&mut self) -> Value {
        self.try_next().await.expect("the client is there")
    }

    async fn request(&mut self, op: &str) -> Value {
        let request = self.next().await;
        assert_eq!(request["op"], op, "{request}");
        request
    }

    async fn say(&mut self, frame: Value) {
        self.socket
            .send(Message::text(frame.to_string()))
            .await
            .unwrap();
    }

    async fn ok(&mut self, request: &Value, ok: Value) {
        self.say(json!({"id": request["id"], "ok": ok})).await;
    }

    async fn stored(&mut self, request: &Value, seq: u64) {
        let ok = json!({"conversation": chat().to_string(), "seq": seq,
            "time": "2026-01-31T12:00:00.000Z", "client_id": request["client_id"]});
        self.ok(request, ok).await;
    }

    async fn error(&mut self, request: &Value, error: Value) {
        self.say(json!({"id": request["id"], "error": error})).await;
    }

    async fn message(&mut self, seq: u64) {
        self.say(message(chat(), seq, "x")).await;
    }

    async fn close(mut self, code: u16) {
        let frame = CloseFrame {
            code: code.into(),
            reason: "why".into(),
        };
        self.socket.send(Message::Close(Some(frame))).await.unwrap();
        while let Some(Ok(_)) = soon("the end", self.socket.next()).await {}
    }

    async fn ping(&mut self) {
        self.socket
            .send(Message::Ping(Vec::new().into()))
            .await
            .unwrap();
    }
}

fn message(conversation: ConversationId, seq: u64, text: &str) -> Value {
    let id = conversation.to_string();
    json!({"event": "message", "conversation": id, "seq": seq, "message": {
        "conversation": id, "seq": seq, "sender": "9", "time": "2026-01-31T12:00:00.000Z",
        "client_id": format!("c{seq}"), "segments": [{"type": "text", "text": text}]}})
}

async fn next(events: &mut Events) -> Event {
    let event = soon("an event", events.next()).await;
    event.expect("the client has not ended")
}

/// The next entry; how the connection is does not matter.
async fn entry(events: &mut Events) -> Entry {
    loop {
        match next(events).await {
            Event::Entry(entry) => return entry,
            Event::Connection(_) => {}
            other => panic!("expected an entry: {other:?}"),
        }
    }
}

async fn state(client: &Client, wanted: impl FnMut(&Connection) -> bool) -> Connection {
    let mut connection = client.connection();
    let found = soon("a state", connection.wait_for(wanted)).await;
    found.unwrap().clone()
}
