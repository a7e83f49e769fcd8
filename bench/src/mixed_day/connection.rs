//! The open connection of somebody: frames out of bytes, and bytes out of what he does.
//!
//! Knows nothing of who else there is, or when anything was planned.

use std::collections::HashMap;

use anyhow::{Context, bail};
use bytes::{Bytes, BytesMut};
use common::id::Peer;
use common::wire::chat::{Decoder, Encoding, encode};
use common::wire::command;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::office::{Colleague, Office};
use crate::line::{mark_in, take_what_came, word_of};
use crate::speak::{flamingo, web_socket};

/// A client acknowledges after so many events, as one that batches does.
const ACKNOWLEDGE_EVERY: usize = 32;
/// Flamingo's number of a client on a PC.
const PC: usize = 1;

/// What came.
pub(super) enum Heard {
    Message { mark: u64 },
    Answer { id: u64 },
}

pub(super) struct Connection {
    stream: TcpStream,
    inbox: BytesMut,
    outbox: BytesMut,
    wire: Wire,
}

enum Wire {
    WebSocket(Places),
    Flamingo(Decoder),
}

/// How far each conversation came of which the server was told nothing yet.
#[derive(Default)]
struct Places {
    heard: HashMap<String, u64>,
    events: usize,
    last: Option<(String, u64)>,
}

/// What is looked at of a frame.
#[derive(Deserialize)]
struct Frame<'a> {
    id: Option<u64>,
    error: Option<IgnoredAny>,
    event: Option<&'a str>,
    conversation: Option<&'a str>,
    seq: Option<u64>,
}

impl Connection {
    pub(super) async fn open(
        office: &Office,
        number: usize,
        colleague: &Colleague,
    ) -> anyhow::Result<Self> {
        let server = office.chat;
        let (stream, inbox, wire) = if colleague.is_flamingo {
            let mut person = flamingo::guest(server, number).await?;
            let (name, password) = (&colleague.name, colleague.password());
            person.log_in_with(name, &password, PC).await?;
            let (stream, decoder, inbox) = person.into_parts();
            (stream, inbox, Wire::Flamingo(decoder))
        } else {
            let (stream, inbox) = web_socket::greet(server, number, &colleague.web).await?;
            (stream, inbox, Wire::WebSocket(Places::default()))
        };
        Ok(Self {
            stream,
            inbox,
            outbox: BytesMut::new(),
            wire,
        })
    }

    pub(super) async fn readable(&self) -> std::io::Result<()> {
        self.stream.readable().await
    }

    /// Reads what has come, without waiting.
    pub(super) async fn hear(&mut self, mut heard: impl FnMut(Heard)) -> anyhow::Result<()> {
        take_what_came(&self.stream, &mut self.inbox)?;
        match &mut self.wire {
            Wire::Flamingo(decoder) => {
                while let Some(packet) = decoder.decode(&mut self.inbox)? {
                    if packet.command == command::CHAT
                        && let Some(mark) = mark_in(&packet.data)
                    {
                        heard(Heard::Message { mark });
                    }
                }
            }
            Wire::WebSocket(places) => {
                while let Some(text) = web_socket::take_text(&mut self.inbox, &mut self.outbox)? {
                    if let Some(what) = places.understand(&text)? {
                        heard(what);
                    }
                }
                if places.events >= ACKNOWLEDGE_EVERY {
                    places.acknowledge(&mut self.outbox)?;
                }
            }
        }
        self.flush().await
    }

    /// Writes a message; says whether it will be answered.
    pub(super) async fn text(&mut self, id: u64, to: Peer) -> anyhow::Result<bool> {
        let text = text_of(id);
        let is_answered = match &mut self.wire {
            Wire::Flamingo(_) => {
                let mut encoded = Vec::new();
                let to = Bytes::copy_from_slice(&to.number().to_be_bytes());
                let packet = flamingo::message(to, &text);
                encode(&packet, Encoding::Plain, &mut encoded)?;
                self.outbox.extend_from_slice(&encoded);
                false
            }
            Wire::WebSocket(_) => {
                let to = match to {
                    Peer::User(user) => json!({"user": user.0.to_string()}),
                    Peer::Group(group) => json!({"group": group.0.to_string()}),
                };
                let frame = json!({"id": id, "op": "message.send", "to": to,
                    "client_id": id.to_string(), "segments": [{"type": "text", "text": text}]});
                web_socket::put_text(frame.to_string().as_bytes(), &mut self.outbox)?;
                true
            }
        };
        self.flush().await?;
        Ok(is_answered)
    }

    /// Says that everything was read up to what came last; false if nothing came.
    pub(super) async fn read(&mut self, id: u64) -> anyhow::Result<bool> {
        let Wire::WebSocket(places) = &mut self.wire else {
            bail!("existing clients have no read marks");
        };
        let Some((conversation, seq)) = &places.last else {
            return Ok(false);
        };
        let frame = json!({"id": id, "op": "read", "conversation": conversation, "seq": seq});
        web_socket::put_text(frame.to_string().as_bytes(), &mut self.outbox)?;
        self.flush().await?;
        Ok(true)
    }

    pub(super) async fn set_presence(&mut self, id: u64, status: &str) -> anyhow::Result<()> {
        let frame = json!({"id": id, "op": "presence.set", "status": status});
        web_socket::put_text(frame.to_string().as_bytes(), &mut self.outbox)?;
        self.flush().await
    }

    /// Tells what was heard, so that it does not come again.
    pub(super) async fn acknowledge(&mut self) -> anyhow::Result<()> {
        if let Wire::WebSocket(places) = &mut self.wire {
            places.acknowledge(&mut self.outbox)?;
        }
        self.flush().await
    }

    async fn flush(&mut self) -> anyhow::Result<()> {
        if !self.outbox.is_empty() {
            self.stream.write_all_buf(&mut self.outbox).await?;
        }
        Ok(())
    }
}

impl Places {
    fn understand(&mut self, text: &[u8]) -> anyhow::Result<Option<Heard>> {
        let frame: Frame<'_> = serde_json::from_slice(text)
            .with_context(|| format!("no frame: {}", String::from_utf8_lossy(text)))?;
        if frame.error.is_some() {
            bail!("the server refused: {}", String::from_utf8_lossy(text));
        }
        if let Some(id) = frame.id {
            return Ok(Some(Heard::Answer { id }));
        }
        // Only what stands in a log has a place; read marks have one, too, but not their own.
        let is_message = frame.event == Some("message");
        let (Some(conversation), Some(seq), true) = (frame.conversation, frame.seq, is_message)
        else {
            return Ok(None);
        };
        self.events += 1;
        match self.heard.get_mut(conversation) {
            Some(place) => *place = seq.max(*place),
            None => drop(self.heard.insert(conversation.to_owned(), seq)),
        }
        self.last = Some((conversation.to_owned(), seq));
        Ok(mark_in(text).map(|mark| Heard::Message { mark }))
    }

    fn acknowledge(&mut self, outbox: &mut BytesMut) -> anyhow::Result<()> {
        self.events = 0;
        for (conversation, seq) in self.heard.drain() {
            let place = json!({"op": "ack", "conversation": conversation, "seq": seq});
            web_socket::put_text(place.to_string().as_bytes(), outbox)?;
        }
        Ok(())
    }
}

/// What somebody writes: words that are searched for, and the mark.
pub(super) fn text_of(id: u64) -> String {
    format!(
        "{} Shall we look at the plan at noon? r{}",
        word_of(id),
        id % 997
    )
}
