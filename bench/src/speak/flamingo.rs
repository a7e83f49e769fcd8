//! The protocol of the existing clients: no answers, no acknowledgments.

use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use common::wire::chat::{Decoder, Encoding, Packet, encode};
use common::wire::command;

use crate::counted::Counted;
use crate::line::{Heard, Line, Wire, connect, mark_in};
use crate::person::{Person, packet};

struct Flamingo {
    to: Bytes,
    decoder: Decoder,
    encoded: Vec<u8>,
}

/// A connection of somebody who has not logged in yet.
pub(crate) async fn guest(server: SocketAddr, place: usize) -> anyhow::Result<Person> {
    Ok(Person::over(Counted::new(connect(server, place).await?)))
}

/// Goes on as somebody who logged in and writes to the user `to`.
pub(crate) fn line(person: Person, to: u32) -> Line {
    let (stream, decoder, inbox) = person.into_parts();
    let wire = Flamingo {
        to: Bytes::copy_from_slice(&to.to_be_bytes()),
        decoder,
        encoded: Vec::new(),
    };
    Line::new(stream, inbox, wire)
}

/// A message to a user or a group, whose number this is.
pub(crate) fn message(to: Bytes, text: &str) -> Packet {
    let json =
        format!(r#"{{"msgType":1,"time":0,"clientType":1,"content":[{{"msgText":"{text}"}}]}}"#);
    packet(command::CHAT, json, to)
}

impl Wire for Flamingo {
    fn write(&mut self, text: &str, outbox: &mut BytesMut) -> anyhow::Result<()> {
        self.encoded.clear();
        let packet = message(self.to.clone(), text);
        encode(&packet, Encoding::Plain, &mut self.encoded)?;
        outbox.extend_from_slice(&self.encoded);
        Ok(())
    }

    fn take(
        &mut self,
        inbox: &mut BytesMut,
        _outbox: &mut BytesMut,
    ) -> anyhow::Result<Option<Heard>> {
        let Some(packet) = self.decoder.decode(inbox)? else {
            return Ok(None);
        };
        let mark = match packet.command {
            command::CHAT => mark_in(&packet.data),
            _ => None,
        };
        Ok(Some(
            mark.map_or(Heard::Other, |mark| Heard::Message { mark }),
        ))
    }
}
