//! XMPP over TCP without TLS: SASL PLAIN, a resource, the roster, presence, then chat messages.

use std::net::SocketAddr;

use anyhow::bail;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{Buf, BytesMut};
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Error, Reader};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::line::{Heard, Line, Wire, connect, mark_in, more};

const STREAM: &str = "<?xml version='1.0'?><stream:stream to='localhost' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>";

/// What stands at the top of a stream.
#[derive(Debug, PartialEq)]
enum Stanza {
    Opened,
    Features,
    /// An `iq` that says that it is done.
    Result,
    /// The password was right.
    Success,
    Message(Option<u64>),
    /// Something was refused.
    Refused,
    Other,
}

struct Xmpp {
    to: String,
}

/// Makes an account, whose password is its name.
pub(crate) async fn register(server: SocketAddr, place: usize, name: &str) -> anyhow::Result<()> {
    let mut login = Login::open(server, place).await?;
    let register = format!(
        "<iq type='set' id='r'><query xmlns='jabber:iq:register'><username>{name}</username><password>{name}</password></query></iq>"
    );
    login.ask(&register, &Stanza::Result).await
}

/// Logs in as somebody who writes to `to`.
pub(crate) async fn log_in(
    server: SocketAddr,
    place: usize,
    name: &str,
    to: &str,
) -> anyhow::Result<Line> {
    let mut login = Login::open(server, place).await?;
    let password = STANDARD.encode(format!("\0{name}\0{name}"));
    let plain = format!(
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{password}</auth>"
    );
    login.ask(&plain, &Stanza::Success).await?;
    login.ask(STREAM, &Stanza::Features).await?;
    let bind = "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>bench</resource></bind></iq>";
    login.ask(bind, &Stanza::Result).await?;
    let here = "<presence/><iq type='get' id='q'><query xmlns='jabber:iq:roster'/></iq>";
    login.ask(here, &Stanza::Result).await?;
    let to = format!("{to}@localhost/bench");
    Ok(Line::new(login.stream, login.inbox, Xmpp { to }))
}

struct Login {
    stream: TcpStream,
    inbox: BytesMut,
}

impl Login {
    async fn open(server: SocketAddr, place: usize) -> anyhow::Result<Self> {
        let mut login = Self {
            stream: connect(server, place).await?,
            inbox: BytesMut::new(),
        };
        login.ask(STREAM, &Stanza::Features).await?;
        Ok(login)
    }

    /// Says something and waits for this answer.
    async fn ask(&mut self, xml: &str, answer: &Stanza) -> anyhow::Result<()> {
        self.stream.write_all(xml.as_bytes()).await?;
        loop {
            match take_stanza(&mut self.inbox)? {
                Some(stanza) if stanza == *answer => return Ok(()),
                Some(Stanza::Refused) => bail!("refused: {xml}"),
                Some(_) => {}
                None => more(&mut self.stream, &mut self.inbox).await?,
            }
        }
    }
}

/// Takes the next whole stanza out of what came.
fn take_stanza(inbox: &mut BytesMut) -> anyhow::Result<Option<Stanza>> {
    let mut reader = Reader::from_reader(&inbox[..]);
    // The stream's own tag was taken long before its end comes.
    reader.config_mut().check_end_names = false;
    reader.config_mut().allow_unmatched_ends = true;
    let mut depth = 0_usize;
    let mut stanza = Stanza::Other;
    loop {
        let event = match reader.read_event() {
            Ok(event) => event,
            // It ends within a tag: the rest is still to come.
            Err(Error::Syntax(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        match event {
            Event::Eof => return Ok(None),
            Event::Start(tag) if tag.name().as_ref() == b"stream:stream" => {
                stanza = Stanza::Opened;
                break;
            }
            Event::Start(tag) => {
                if depth == 0 {
                    stanza = kind_of(&tag)?;
                }
                depth += 1;
            }
            Event::Empty(tag) if depth == 0 => {
                stanza = kind_of(&tag)?;
                break;
            }
            Event::Text(text) => {
                if let Stanza::Message(found @ None) = &mut stanza {
                    *found = mark_in(&text);
                }
            }
            Event::End(_) if depth == 0 => bail!("the server ended the stream"),
            Event::End(_) => {
                depth -= 1;
                if depth == 0 {
                    break;
                }
            }
            _ => {}
        }
    }
    let end = usize::try_from(reader.buffer_position())?;
    inbox.advance(end);
    Ok(Some(stanza))
}

fn kind_of(tag: &BytesStart<'_>) -> anyhow::Result<Stanza> {
    let kind = tag.try_get_attribute("type")?;
    let kind: Option<&[u8]> = kind.as_ref().map(|attribute| attribute.value.as_ref());
    Ok(match (tag.name().as_ref(), kind) {
        (b"message" | b"iq" | b"presence", Some(b"error")) | (b"failure" | b"stream:error", _) => {
            Stanza::Refused
        }
        (b"message", _) => Stanza::Message(None),
        (b"iq", Some(b"result")) => Stanza::Result,
        (b"success", _) => Stanza::Success,
        (b"stream:features", _) => Stanza::Features,
        _ => Stanza::Other,
    })
}

impl Wire for Xmpp {
    fn write(&mut self, text: &str, outbox: &mut BytesMut) -> anyhow::Result<()> {
        for part in ["<message to='", &self.to, "' type='chat'><body>", text] {
            outbox.extend_from_slice(part.as_bytes());
        }
        outbox.extend_from_slice(b"</body></message>");
        Ok(())
    }

    fn take(
        &mut self,
        inbox: &mut BytesMut,
        _outbox: &mut BytesMut,
    ) -> anyhow::Result<Option<Heard>> {
        match take_stanza(inbox)? {
            None => Ok(None),
            Some(Stanza::Message(Some(mark))) => Ok(Some(Heard::Message { mark })),
            Some(Stanza::Refused) => bail!("the server refused a message"),
            Some(_) => Ok(Some(Heard::Other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::{Stanza, take_stanza};
    use crate::line::text_with;

    #[test]
    fn stanzas_are_found_wherever_the_bytes_are_cut() {
        let message = format!(
            "<message type='chat'><body>{}</body></message>",
            text_with(7)
        );
        let xml = format!(
            "<?xml version='1.0'?><stream:stream id='1' xmlns='jabber:client'>\
             <stream:features><bind/></stream:features><presence/> {message}\
             <iq type='error' id='1'><error/></iq>{message}"
        );
        let expected = [
            Stanza::Opened,
            Stanza::Features,
            Stanza::Other,
            Stanza::Message(Some(7)),
            Stanza::Refused,
            Stanza::Message(Some(7)),
        ];
        for cut in 0..=xml.len() {
            let mut inbox = BytesMut::new();
            let mut found = Vec::new();
            for part in [&xml[..cut], &xml[cut..]] {
                inbox.extend_from_slice(part.as_bytes());
                while let Some(stanza) = take_stanza(&mut inbox).unwrap() {
                    found.push(stanza);
                }
            }
            assert_eq!(found, expected, "cut at {cut}");
            assert!(inbox.is_empty(), "cut at {cut}");
        }
    }

    #[test]
    fn the_end_of_a_stream_is_an_error() {
        let mut inbox = BytesMut::from("</stream:stream>");
        assert!(take_stanza(&mut inbox).is_err());
    }
}
