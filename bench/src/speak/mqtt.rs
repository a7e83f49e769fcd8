//! MQTT 3.1.1 with QoS 1: each message is acknowledged by the broker and by the receiver.

use std::net::SocketAddr;

use anyhow::bail;
use bytes::BytesMut;
use mqttbytes::QoS;
use mqttbytes::v4::{Connect, ConnectReturnCode, Packet, PubAck, Publish, Subscribe};
use tokio::io::AsyncWriteExt;

use crate::line::{Heard, Line, Wire, connect, mark_in, more};

const PACKET_BYTES_MAX: usize = 64 * 1024;

struct Mqtt {
    to: String,
    number: u16,
}

/// Logs in as somebody who writes to `to` and reads what is written to `name`.
pub(crate) async fn log_in(
    server: SocketAddr,
    place: usize,
    name: &str,
    to: &str,
) -> anyhow::Result<Line> {
    let mut stream = connect(server, place).await?;
    let (mut inbox, mut outbox) = (BytesMut::new(), BytesMut::new());
    let mut hello = Connect::new(name);
    hello.keep_alive = 0;
    hello.clean_session = true;
    wrote(hello.write(&mut outbox))?;
    let mut subscribe = Subscribe::new(format!("to/{name}"), QoS::AtLeastOnce);
    subscribe.pkid = 1;
    wrote(subscribe.write(&mut outbox))?;
    stream.write_all_buf(&mut outbox).await?;
    let mut answers = 0;
    while answers < 2 {
        match take_packet(&mut inbox)? {
            Some(Packet::ConnAck(answer)) if answer.code == ConnectReturnCode::Success => {
                answers += 1;
            }
            Some(Packet::SubAck(_)) => answers += 1,
            Some(other) => bail!("the broker answered {other:?}"),
            None => more(&mut stream, &mut inbox).await?,
        }
    }
    let to = format!("to/{to}");
    Ok(Line::new(stream, BytesMut::new(), Mqtt { to, number: 0 }))
}

/// The error of this library is none of the standard ones.
fn wrote(result: Result<usize, mqttbytes::Error>) -> anyhow::Result<()> {
    match result {
        Ok(_) => Ok(()),
        Err(error) => bail!("a packet cannot be written: {error:?}"),
    }
}

fn take_packet(inbox: &mut BytesMut) -> anyhow::Result<Option<Packet>> {
    match mqttbytes::v4::read(inbox, PACKET_BYTES_MAX) {
        Ok(packet) => Ok(Some(packet)),
        Err(mqttbytes::Error::InsufficientBytes(_)) => Ok(None),
        Err(error) => bail!("not MQTT: {error:?}"),
    }
}

impl Wire for Mqtt {
    fn write(&mut self, text: &str, outbox: &mut BytesMut) -> anyhow::Result<()> {
        self.number = self.number.checked_add(1).unwrap_or(1);
        let mut publish = Publish::new(self.to.as_str(), QoS::AtLeastOnce, text);
        publish.pkid = self.number;
        wrote(publish.write(outbox))
    }

    fn take(
        &mut self,
        inbox: &mut BytesMut,
        outbox: &mut BytesMut,
    ) -> anyhow::Result<Option<Heard>> {
        let Some(packet) = take_packet(inbox)? else {
            return Ok(None);
        };
        let Packet::Publish(publish) = packet else {
            return Ok(Some(Heard::Other));
        };
        wrote(PubAck::new(publish.pkid).write(outbox))?;
        let mark = mark_in(&publish.payload);
        Ok(Some(
            mark.map_or(Heard::Other, |mark| Heard::Message { mark }),
        ))
    }
}
