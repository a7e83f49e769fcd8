//! The smallest possible Flamingo client: no task of its own, so that it costs next to nothing.

use std::net::SocketAddr;

use anyhow::{Context, bail};
use bytes::{Bytes, BytesMut};
use common::wire::chat::{Decoder, Encoding, Limits, Packet, encode};
use common::wire::command;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::counted::Counted;

/// Somebody with a connection.
pub(crate) struct Person {
    stream: Counted,
    decoder: Decoder,
    inbox: BytesMut,
}

impl Person {
    pub(crate) async fn connect(server: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        Ok(Self::over(Counted::new(stream)))
    }

    pub(crate) fn over(stream: Counted) -> Self {
        Self {
            stream,
            decoder: Decoder::new(Limits::default()),
            inbox: BytesMut::new(),
        }
    }

    /// The connection, for somebody who speaks over it in another way from now on.
    pub(crate) fn into_parts(self) -> (TcpStream, Decoder, BytesMut) {
        (self.stream.into_inner(), self.decoder, self.inbox)
    }

    /// What was sent and received so far.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        (self.stream.sent, self.stream.received)
    }

    pub(crate) async fn send(&mut self, packets: &[Packet]) -> anyhow::Result<()> {
        let mut bytes = Vec::new();
        for packet in packets {
            encode(packet, Encoding::Plain, &mut bytes)?;
        }
        self.stream.write_all(&bytes).await?;
        Ok(())
    }

    pub(crate) async fn receive(&mut self) -> anyhow::Result<Packet> {
        loop {
            if let Some(packet) = self.decoder.decode(&mut self.inbox)? {
                return Ok(packet);
            }
            if self.stream.read_buf(&mut self.inbox).await? == 0 {
                bail!("the server closed the connection");
            }
        }
    }

    /// Receives until a packet of this command comes.
    pub(crate) async fn expect(&mut self, command: i32) -> anyhow::Result<Packet> {
        loop {
            let packet = self.receive().await?;
            if packet.command == command {
                return Ok(packet);
            }
        }
    }

    async fn ask(&mut self, command: i32, json: String) -> anyhow::Result<serde_json::Value> {
        self.send(&[packet(command, json, Bytes::new())]).await?;
        let answer = self.expect(command).await?;
        let answer: serde_json::Value = serde_json::from_slice(&answer.data)?;
        if answer["code"] != 0 {
            bail!("command {command} failed: {answer}");
        }
        Ok(answer)
    }

    pub(crate) async fn register(&mut self, name: &str) -> anyhow::Result<()> {
        let json =
            format!(r#"{{"username": "{name}", "nickname": "{name}", "password": "{name}"}}"#);
        self.ask(command::REGISTER, json).await.map(drop)
    }

    /// Returns the user's number.
    pub(crate) async fn log_in(&mut self, name: &str, client_type: usize) -> anyhow::Result<u32> {
        self.log_in_with(name, name, client_type).await
    }

    /// The same with a password that is not the name.
    pub(crate) async fn log_in_with(
        &mut self,
        name: &str,
        password: &str,
        client_type: usize,
    ) -> anyhow::Result<u32> {
        let json = format!(
            r#"{{"username": "{name}", "password": "{password}", "clienttype": {client_type}, "status": 1}}"#
        );
        let answer = self.ask(command::LOGIN, json).await?;
        let id = answer["userid"].as_u64().context("no user id")?;
        // An idle client holds no buffer: what is measured is the server.
        if self.inbox.is_empty() {
            self.inbox = BytesMut::new();
        }
        Ok(u32::try_from(id)?)
    }

    /// Makes two people friends.
    pub(crate) async fn befriend(
        &mut self,
        own: u32,
        other: &mut Self,
        id: u32,
    ) -> anyhow::Result<()> {
        let apply = format!(r#"{{"userid": {id}, "type": 1}}"#);
        self.send(&[packet(command::OPERATE_FRIEND, apply, Bytes::new())])
            .await?;
        other.expect(command::OPERATE_FRIEND).await?;
        let accept = format!(r#"{{"userid": {own}, "type": 3, "accept": 1}}"#);
        other
            .send(&[packet(command::OPERATE_FRIEND, accept, Bytes::new())])
            .await?;
        other.expect(command::OPERATE_FRIEND).await?;
        self.expect(command::OPERATE_FRIEND).await.map(drop)
    }
}

pub(crate) fn packet(command: i32, data: impl Into<Bytes>, trailing: Bytes) -> Packet {
    Packet {
        command,
        seq: 0,
        data: data.into(),
        trailing,
    }
}
