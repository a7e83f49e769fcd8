//! myim's WebSocket, without a library between its frames and the load generator.

use std::io::Cursor;
use std::net::SocketAddr;

use anyhow::{bail, ensure};
use bytes::{Buf, BufMut, BytesMut};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};

use crate::line::{Heard, Line, Wire, connect, mark_in, more, now_us};
use crate::web::WebPerson;

/// A receiver acknowledges after so many messages, as a client that batches does.
const ACKNOWLEDGE_EVERY: u64 = 32;

struct WebSocket {
    /// Whom this client writes to: `{"user": "7"}` or `{"conversation": "9"}`.
    to: Value,
    /// A message that is sent again under another connection must not have an old name.
    connection: u64,
    sent: u64,
    heard: u64,
}

/// Opens a WebSocket of somebody who signed in and writes to `to`, and has this conversation on the
/// screen, if any.
pub(crate) async fn open(
    server: SocketAddr,
    place: usize,
    person: &WebPerson,
    to: Value,
    shown: Option<&str>,
) -> anyhow::Result<Line> {
    let (mut stream, inbox) = greet(server, place, person).await?;
    if let Some(conversation) = shown {
        let open = json!({"id": 2, "op": "conversation.open", "conversation": conversation});
        let mut outbox = BytesMut::new();
        put_text(open.to_string().as_bytes(), &mut outbox)?;
        stream.write_all_buf(&mut outbox).await?;
    }
    let wire = WebSocket {
        to,
        connection: now_us(),
        sent: 2,
        heard: 0,
    };
    Ok(Line::new(stream, inbox, wire))
}

/// Opens a WebSocket and says hello; returns it with what came behind the answer.
pub(crate) async fn greet(
    server: SocketAddr,
    place: usize,
    person: &WebPerson,
) -> anyhow::Result<(TcpStream, BytesMut)> {
    let stream = connect(server, place).await?;
    let mut request = format!("ws://{server}/api/v1/ws").into_client_request()?;
    request
        .headers_mut()
        .insert("sec-websocket-protocol", "myim.v1".parse()?);
    let (socket, _) = client_async(request, stream).await?;
    // Nothing is lost here: the server says nothing before it is greeted.
    let mut stream = socket.into_inner();
    let (mut inbox, mut outbox) = (BytesMut::new(), BytesMut::new());
    let hello = json!({"id": 1, "op": "hello", "token": person.token, "backlog": "recent"});
    put_text(hello.to_string().as_bytes(), &mut outbox)?;
    stream.write_all_buf(&mut outbox).await?;
    loop {
        let Some((opcode, payload)) = take_frame(&mut inbox)? else {
            more(&mut stream, &mut inbox).await?;
            continue;
        };
        if opcode == OpCode::Data(Data::Text) {
            let answer: Value = serde_json::from_slice(&payload)?;
            ensure!(!answer["ok"].is_null(), "hello was refused: {answer}");
            return Ok((stream, inbox));
        }
    }
}

pub(crate) fn put_text(frame: &[u8], outbox: &mut BytesMut) -> anyhow::Result<()> {
    put_frame(OpCode::Data(Data::Text), frame, outbox)
}

/// Appends a frame. Its mask is zero, which the protocol allows: the server unmasks it all the same.
fn put_frame(opcode: OpCode, payload: &[u8], outbox: &mut BytesMut) -> anyhow::Result<()> {
    let header = FrameHeader {
        opcode,
        mask: Some([0; 4]),
        ..FrameHeader::default()
    };
    let length = u64::try_from(payload.len())?;
    header.format(length, &mut BufMut::writer(&mut *outbox))?;
    outbox.extend_from_slice(payload);
    Ok(())
}

/// The next text that came. Pings are answered on the way.
pub(crate) fn take_text(
    inbox: &mut BytesMut,
    outbox: &mut BytesMut,
) -> anyhow::Result<Option<BytesMut>> {
    while let Some((opcode, payload)) = take_frame(inbox)? {
        match opcode {
            OpCode::Data(Data::Text) => return Ok(Some(payload)),
            OpCode::Control(Control::Ping) => {
                put_frame(OpCode::Control(Control::Pong), &payload, outbox)?;
            }
            OpCode::Control(Control::Close) => {
                let why = payload.get(2..).unwrap_or_default();
                bail!(
                    "the server closed the socket: {}",
                    String::from_utf8_lossy(why)
                );
            }
            _ => {}
        }
    }
    Ok(None)
}

fn take_frame(inbox: &mut BytesMut) -> anyhow::Result<Option<(OpCode, BytesMut)>> {
    let mut cursor = Cursor::new(&inbox[..]);
    let Some((header, length)) = FrameHeader::parse(&mut cursor)? else {
        return Ok(None);
    };
    let (start, length) = (
        usize::try_from(cursor.position())?,
        usize::try_from(length)?,
    );
    if inbox.len() < start.saturating_add(length) {
        return Ok(None);
    }
    inbox.advance(start);
    Ok(Some((header.opcode, inbox.split_to(length))))
}

impl WebSocket {
    fn acknowledge(&self, event: &[u8], outbox: &mut BytesMut) -> anyhow::Result<()> {
        let event: Value = serde_json::from_slice(event)?;
        let place = json!({"op": "ack", "conversation": event["conversation"],
            "seq": event["seq"]});
        put_text(place.to_string().as_bytes(), outbox)
    }
}

impl Wire for WebSocket {
    fn write(&mut self, text: &str, outbox: &mut BytesMut) -> anyhow::Result<()> {
        self.sent += 1;
        let (id, to, connection) = (self.sent, &self.to, self.connection);
        let frame = format!(
            r#"{{"id":{id},"op":"message.send","to":{to},"client_id":"{connection}-{id}","segments":[{{"type":"text","text":"{text}"}}]}}"#
        );
        put_frame(OpCode::Data(Data::Text), frame.as_bytes(), outbox)
    }

    fn take(
        &mut self,
        inbox: &mut BytesMut,
        outbox: &mut BytesMut,
    ) -> anyhow::Result<Option<Heard>> {
        let Some(payload) = take_text(inbox, outbox)? else {
            return Ok(None);
        };
        if let Some(mark) = mark_in(&payload) {
            self.heard += 1;
            if self.heard.is_multiple_of(ACKNOWLEDGE_EVERY) {
                self.acknowledge(&payload, outbox)?;
            }
            return Ok(Some(Heard::Message { mark }));
        }
        if memchr::memmem::find(&payload, br#""error":"#).is_some() {
            bail!("the server refused: {}", String::from_utf8_lossy(&payload));
        }
        Ok(Some(Heard::Other))
    }
}
