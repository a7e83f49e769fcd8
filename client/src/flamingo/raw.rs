//! A connection for tests: says exact bytes and hears what comes, or that nothing comes.

use std::time::Duration;

use bytes::BytesMut;
use common::wire::chat::{self, Decoder, Encoding, Packet};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::connection::dial;
use super::{Error, Result};

#[derive(Debug)]
pub struct RawConnection {
    stream: TcpStream,
    buffer: BytesMut,
    decoder: Decoder,
}

impl RawConnection {
    pub async fn connect(address: &str) -> Result<Self> {
        Ok(Self {
            stream: dial(address, Duration::from_secs(10)).await?,
            buffer: BytesMut::new(),
            decoder: Decoder::default(),
        })
    }

    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(bytes).await?)
    }

    pub async fn send(&mut self, packet: &Packet, encoding: Encoding) -> Result<()> {
        let mut frame = Vec::new();
        chat::encode(packet, encoding, &mut frame)?;
        self.write(&frame).await
    }

    /// Tells the server that nothing more will be said; it may go on talking.
    pub async fn finish(&mut self) -> Result<()> {
        Ok(self.stream.shutdown().await?)
    }

    /// The next packet, which must come within `limit`.
    pub async fn next(&mut self, limit: Duration) -> Result<Packet> {
        let packet = async {
            loop {
                if let Some(packet) = self.decoder.decode(&mut self.buffer)? {
                    return Ok(packet);
                }
                if self.stream.read_buf(&mut self.buffer).await? == 0 {
                    return Err(Error::Closed);
                }
            }
        };
        timeout(limit, packet).await.unwrap_or(Err(Error::NoReply {
            command: "what was written",
            after: limit,
        }))
    }

    /// Nothing must come within `span`, nor the connection end.
    pub async fn expect_silence(&mut self, span: Duration) -> Result<()> {
        let heard = match self.next(span).await {
            Err(Error::NoReply { .. }) if self.buffer.is_empty() => return Ok(()),
            Err(Error::NoReply { .. }) => "half a packet came".to_owned(),
            Ok(packet) => format!("{packet:?} came"),
            Err(error) => error.to_string(),
        };
        Err(Error::NotSilent { heard })
    }

    /// The server must close within `limit`, without another packet. A reset counts as closing.
    pub async fn expect_close(&mut self, limit: Duration) -> Result<()> {
        match self.next(limit).await {
            Err(Error::Closed | Error::Connection(_)) => Ok(()),
            Err(error) => Err(error),
            Ok(packet) => Err(Error::NotSilent {
                heard: format!("{packet:?} came"),
            }),
        }
    }

    /// The socket, with whatever has been read from it and not yet been taken.
    pub fn into_parts(self) -> (TcpStream, BytesMut) {
        (self.stream, self.buffer)
    }
}
