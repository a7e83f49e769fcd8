//! The smallest possible client of the HTTP and WebSocket API.

use std::net::SocketAddr;

use anyhow::{Context, bail};
use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper::http::request::Builder;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::counted::Counted;

/// How many devices an account has where only connections are measured.
const DEVICES: usize = 50;

/// Somebody who signed in.
#[derive(Clone)]
pub(crate) struct WebPerson {
    server: SocketAddr,
    pub token: String,
    pub user: String,
}

/// An open WebSocket of somebody, after `hello`.
pub(crate) struct Live {
    pub socket: WebSocketStream<Counted>,
}

pub(crate) type Sender = SplitSink<WebSocketStream<Counted>, Message>;
pub(crate) type Receiver = SplitStream<WebSocketStream<Counted>>;

/// A connection for calls, one after the other.
pub(crate) struct Calls {
    server: SocketAddr,
    requests: http1::SendRequest<Full<Bytes>>,
    connection: JoinHandle<hyper::Result<()>>,
}

impl Calls {
    pub(crate) async fn connect(server: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        let (requests, connection) = http1::handshake(TokioIo::new(stream)).await?;
        Ok(Self {
            server,
            requests,
            connection: tokio::spawn(connection),
        })
    }

    /// Null is an answer without a body.
    pub(crate) async fn send(
        &mut self,
        token: &str,
        request: Builder,
        body: Bytes,
    ) -> anyhow::Result<Value> {
        let mut request = request.header("host", self.server.to_string());
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.body(Full::new(body))?;
        let path = request.uri().clone();
        self.requests.ready().await?;
        let answer = self.requests.send_request(request).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        if !status.is_success() {
            bail!("{path}: {status}: {}", String::from_utf8_lossy(&body));
        }
        if status == StatusCode::NO_CONTENT || body.is_empty() {
            return Ok(Value::Null);
        }
        Ok(serde_json::from_slice(&body)?)
    }
}

impl Drop for Calls {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

impl WebPerson {
    /// Registers and signs in.
    pub(crate) async fn new(server: SocketAddr, name: &str) -> anyhow::Result<Self> {
        let person = Self::guest(server);
        let account = json!({"username": name, "password": format!("{name}-password")});
        person.post("/api/v1/users", &account).await?;
        person.other_device(name, "bench").await
    }

    /// Somebody who did not sign in.
    pub(crate) fn guest(server: SocketAddr) -> Self {
        Self {
            server,
            token: String::new(),
            user: String::new(),
        }
    }

    /// The same account on another device.
    pub(crate) async fn other_device(&self, name: &str, device: &str) -> anyhow::Result<Self> {
        let mut person = Self::guest(self.server);
        let device = json!({"username": name, "password": format!("{name}-password"),
            "device": {"kind": "bot", "id": device}});
        let session = person.post("/api/v1/sessions", &device).await?;
        person.token = text(&session["token"])?;
        person.user = text(&session["user"]["id"])?;
        Ok(person)
    }

    /// The same person, when the server is at another address.
    pub(crate) fn at(mut self, server: SocketAddr) -> Self {
        self.server = server;
        self
    }

    /// One call on a connection of its own.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        let mut calls = Calls::connect(self.server).await?;
        self.call_over(&mut calls, method, path, body).await
    }

    /// One call on this connection.
    pub(crate) async fn call_over(
        &self,
        calls: &mut Calls,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json");
        calls.send(&self.token, request, body.into()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.call(Method::POST, path, Some(body)).await
    }

    /// Makes two people contacts.
    pub(crate) async fn befriend(&self, other: &Self) -> anyhow::Result<()> {
        let asked = self
            .post("/api/v1/contacts/requests", &json!({"user_id": other.user}))
            .await?;
        let accept = format!("/api/v1/contacts/requests/{}/accept", text(&asked["id"])?);
        other.post(&accept, &json!({})).await.map(drop)
    }

    /// Opens a WebSocket and says hello; `backlog` is `all` or `recent`.
    pub(crate) async fn live(&self, backlog: &str) -> anyhow::Result<Live> {
        let stream = TcpStream::connect(self.server).await?;
        stream.set_nodelay(true)?;
        let mut request = format!("ws://{}/api/v1/ws", self.server).into_client_request()?;
        request
            .headers_mut()
            .insert("sec-websocket-protocol", "myim.v1".parse()?);
        let (socket, _) = client_async(request, Counted::new(stream)).await?;
        let mut live = Live { socket };
        live.say(&json!({"id": 1, "op": "hello", "token": self.token, "backlog": backlog}))
            .await?;
        let answer = live.hear().await?;
        if answer["ok"].is_null() {
            bail!("hello was refused: {answer}");
        }
        Ok(live)
    }
}

/// So many devices with tokens.
pub(crate) async fn devices(server: SocketAddr, devices: usize) -> anyhow::Result<Vec<WebPerson>> {
    let mut people = Vec::with_capacity(devices);
    for number in 0..devices.div_ceil(DEVICES) {
        let name = format!("device{number}");
        let first = WebPerson::new(server, &name).await?;
        for device in 1..DEVICES.min(devices - people.len()) {
            people.push(first.other_device(&name, &format!("d{device}")).await?);
        }
        people.push(first);
    }
    Ok(people)
}

impl Live {
    pub(crate) async fn say(&mut self, frame: &Value) -> anyhow::Result<()> {
        self.socket.send(Message::text(frame.to_string())).await?;
        Ok(())
    }

    pub(crate) async fn hear(&mut self) -> anyhow::Result<Value> {
        loop {
            let frame = self.socket.next().await.context("the socket ended")??;
            if let Some(value) = value(&frame)? {
                return Ok(value);
            }
        }
    }
}

/// The JSON of a text frame; `None` for pings and the like.
pub(crate) fn value(frame: &Message) -> anyhow::Result<Option<Value>> {
    match frame {
        Message::Text(text) => Ok(Some(serde_json::from_str(text)?)),
        Message::Close(why) => bail!("the server closed the socket: {why:?}"),
        Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => Ok(None),
    }
}

pub(crate) fn text(value: &Value) -> anyhow::Result<String> {
    Ok(value.as_str().context("no text in an answer")?.to_owned())
}
