//! A reader of server-sent events: one event at a time, each with a deadline.

use std::time::{Duration, Instant};

use http_body_util::{BodyExt as _, Empty};
use hyper::Request;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ACCEPT, AUTHORIZATION, HOST};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::api::{Api, BASE, RUNTIME};
use crate::peer::PATIENCE;

/// An open stream of events.
#[derive(Debug)]
pub struct EventStream {
    body: Incoming,
    received: String,
}

/// One event of a stream.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamEvent {
    /// What a client gives back as `Last-Event-ID`.
    pub id: Option<String>,
    pub name: Option<String>,
    pub data: Value,
}

impl EventStream {
    /// Opens the stream, behind this event if one is named; an error is the status.
    pub fn open(api: &Api, last: Option<&str>) -> Result<Self, u16> {
        let mut request = Request::get(format!("{BASE}/events"))
            .header(HOST, api.address.to_string())
            .header(ACCEPT, "text/event-stream");
        if let Some(token) = &api.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let request = request.body(Empty::<Bytes>::new()).expect("a request");
        let address = api.address;
        let opened = RUNTIME.block_on(async move {
            let exchange = async {
                let stream = TcpStream::connect(address).await.expect("a server");
                let (mut sender, connection) =
                    hyper::client::conn::http1::handshake(TokioIo::new(stream))
                        .await
                        .expect("a fresh connection");
                tokio::spawn(connection);
                sender.send_request(request).await.expect("an answer")
            };
            tokio::time::timeout(PATIENCE, exchange).await
        });
        let answer = opened.expect("the stream opens in time");
        if answer.status() != 200 {
            return Err(answer.status().as_u16());
        }
        let kind = answer.headers()["content-type"]
            .to_str()
            .unwrap_or_default();
        assert!(kind.starts_with("text/event-stream"), "{kind}");
        Ok(Self {
            body: answer.into_body(),
            received: String::new(),
        })
    }

    /// The next event; comments that keep the line open are passed over.
    pub fn event(&mut self) -> StreamEvent {
        self.try_event(PATIENCE)
            .unwrap_or_else(|end| panic!("no event: {end}"))
    }

    /// The next event, or whether the time or the stream was over.
    pub fn try_event(&mut self, patience: Duration) -> Result<StreamEvent, &'static str> {
        let deadline = Instant::now() + patience;
        loop {
            while let Some((block, rest)) = self.received.split_once("\n\n") {
                let (event, rest) = (read(block), rest.to_owned());
                self.received = rest;
                if let Some(event) = event {
                    return Ok(event);
                }
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let frame = RUNTIME
                .block_on(async { tokio::time::timeout(left, self.body.frame()).await })
                .map_err(|_| "the time is over")?
                .ok_or("the stream is over")?
                .map_err(|_| "the stream broke off")?;
            if let Some(bytes) = frame.data_ref() {
                let text = std::str::from_utf8(bytes).expect("events are not cut inside a letter");
                self.received.push_str(text);
            }
        }
    }
}

/// Lines up to an empty one; `None` for comments alone.
fn read(block: &str) -> Option<StreamEvent> {
    let (mut id, mut name, mut data) = (None, None, String::new());
    for line in block.lines() {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => id = Some(value.to_owned()),
            "event" => name = Some(value.to_owned()),
            "data" => data.push_str(value),
            _ => {}
        }
    }
    let data = serde_json::from_str(&data).ok()?;
    Some(StreamEvent { id, name, data })
}
