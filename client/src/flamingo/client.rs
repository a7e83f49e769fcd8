//! A conversation with a chat server.
//!
//! The requests themselves stand beside this file, by what they are about: `account`, `friends`,
//! `groups`, `message`.

use std::sync::atomic::{AtomicI32, Ordering};

use bytes::Bytes;
use common::wire::chat::Packet;
use common::wire::command;
use serde_json::Value;

use super::connection::{Connection, Wanted};
use super::{Event, Options, Result};
use crate::net::dial::Io;

/// All requests take `&self`: a client may be shared, and several may wait at once. Take events
/// with [`Client::next_event`] while it is connected; see [`Options::events_max`].
#[derive(Debug)]
pub struct Client {
    connection: Connection,
    seq: AtomicI32,
}

impl Client {
    /// Connects as the PC client does; `address` is `host:port`.
    pub async fn connect(address: &str) -> Result<Self> {
        Self::connect_with(address, Options::default()).await
    }

    pub async fn connect_with(address: &str, options: Options) -> Result<Self> {
        Ok(Self {
            connection: Connection::open(address, options).await?,
            seq: AtomicI32::new(1),
        })
    }

    /// The same on a connection that was made in another way.
    pub fn over(io: impl Io + 'static, options: Options) -> Self {
        Self {
            connection: Connection::over(tokio::io::split(io), options),
            seq: AtomicI32::new(1),
        }
    }

    pub fn options(&self) -> &Options {
        self.connection.options()
    }

    /// Waits, without limit, for what the server says next. When the connection has ended this
    /// says why, and from then on [`super::Error::Closed`].
    pub async fn next_event(&self) -> Result<Event> {
        self.connection.next_event().await
    }

    /// Asks whether the server is there.
    pub async fn heartbeat(&self) -> Result<()> {
        self.request(command::HEARTBEAT, "", "").await?;
        Ok(())
    }

    /// Sends what nobody answers.
    pub async fn send_raw(
        &self,
        command: i32,
        data: impl Into<Bytes>,
        trailing: impl Into<Bytes>,
    ) -> Result<()> {
        let packet = Packet::new(command, self.next_seq(), data).with_trailing(trailing);
        self.connection.send(&packet).await
    }

    /// Sends and waits for the packet of the same command and number.
    pub async fn request(
        &self,
        command: i32,
        data: impl Into<Bytes>,
        trailing: impl Into<Bytes>,
    ) -> Result<Packet> {
        let packet = Packet::new(command, self.next_seq(), data).with_trailing(trailing);
        self.request_for(&packet, command, |_| true).await
    }

    /// The same with a JSON value and nothing behind it.
    pub(super) async fn request_json(&self, command: i32, data: &Value) -> Result<Packet> {
        self.request(command, data.to_string(), "").await
    }

    /// Sends and waits for a packet of another command, or one that `accept` recognizes.
    pub(super) async fn request_for(
        &self,
        packet: &Packet,
        command: i32,
        accept: fn(&Packet) -> bool,
    ) -> Result<Packet> {
        let seq = packet.seq;
        let wanted = Wanted {
            command,
            seq,
            accept,
        };
        self.connection.request(packet, wanted).await
    }

    pub(super) fn next_seq(&self) -> i32 {
        self.seq.fetch_add(1, Ordering::Relaxed)
    }
}
