//! A logged-in connection of the load generator: a socket, two buffers, and a protocol that knows
//! nothing of sockets. The same for every server, so that what differs is the server.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::LazyLock;
use std::time::Instant;

use anyhow::{Context, bail};
use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// Every message has so many bytes of text.
const TEXT_BYTES: usize = 100;
const MARK: &[u8] = b"@@";
const DIGITS: usize = 16;
/// Room that is made for a read.
const READ_BYTES: usize = 16 * 1024;
/// More than this without a whole frame is an error, not a frame.
const FRAME_BYTES_MAX: usize = 1024 * 1024;

/// What a protocol took out of the bytes that came.
#[derive(Debug, PartialEq)]
pub(crate) enum Heard {
    /// A message, and the mark of its text.
    Message { mark: u64 },
    /// Answers, acknowledgments, presence and the like.
    Other,
}

/// How a logged-in client speaks.
pub(crate) trait Wire: Send + Sync {
    /// Appends a message with this text to the one whom this client writes to.
    fn write(&mut self, text: &str, outbox: &mut BytesMut) -> anyhow::Result<()>;

    /// Takes the next whole frame; `None` when there is none yet. What has to be answered at once
    /// is appended to the outbox.
    fn take(
        &mut self,
        inbox: &mut BytesMut,
        outbox: &mut BytesMut,
    ) -> anyhow::Result<Option<Heard>>;
}

pub(crate) struct Line {
    stream: TcpStream,
    inbox: BytesMut,
    outbox: BytesMut,
    wire: Box<dyn Wire>,
}

impl Line {
    /// `inbox` is what has come already.
    pub(crate) fn new(stream: TcpStream, inbox: BytesMut, wire: impl Wire + 'static) -> Self {
        Self {
            stream,
            inbox,
            outbox: BytesMut::new(),
            wire: Box::new(wire),
        }
    }

    /// Sends so many messages with this text, in one write.
    pub(crate) async fn send(&mut self, text: &str, count: usize) -> anyhow::Result<()> {
        for _ in 0..count {
            self.put(text)?;
        }
        self.flush().await
    }

    /// Keeps a message for the next `flush`.
    pub(crate) fn put(&mut self, text: &str) -> anyhow::Result<()> {
        self.wire.write(text, &mut self.outbox)
    }

    pub(crate) async fn readable(&self) -> io::Result<()> {
        self.stream.readable().await
    }

    /// Reads what has come, without waiting, and tells the mark of each message in it.
    pub(crate) async fn read(&mut self, mut message: impl FnMut(u64)) -> anyhow::Result<()> {
        if !take_what_came(&self.stream, &mut self.inbox)? {
            return Ok(());
        }
        while let Some(heard) = self.wire.take(&mut self.inbox, &mut self.outbox)? {
            if let Heard::Message { mark } = heard {
                message(mark);
            }
        }
        if self.inbox.len() > FRAME_BYTES_MAX {
            bail!("a frame of more than {FRAME_BYTES_MAX} bytes");
        }
        self.flush().await
    }

    pub(crate) async fn flush(&mut self) -> anyhow::Result<()> {
        if !self.outbox.is_empty() {
            self.stream.write_all_buf(&mut self.outbox).await?;
        }
        Ok(())
    }
}

/// Reads without waiting; false when there is nothing.
pub(crate) fn take_what_came(stream: &TcpStream, inbox: &mut BytesMut) -> anyhow::Result<bool> {
    inbox.reserve(READ_BYTES);
    match stream.try_read_buf(inbox) {
        Ok(0) => bail!("the server closed the connection"),
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Microseconds since this program began to measure.
pub(crate) fn now_us() -> u64 {
    static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(BEGAN.elapsed().as_micros()).unwrap_or(u64::MAX)
}

/// A text with this mark.
pub(crate) fn text_with(mark: u64) -> String {
    let rest = TEXT_BYTES - MARK.len() - DIGITS;
    format!("{}{}", word_of(mark), "x".repeat(rest))
}

/// The mark as a word of a text.
pub(crate) fn word_of(mark: u64) -> String {
    format!("@@{mark:0DIGITS$}")
}

/// The mark of the text in these bytes; `None` if there is none.
pub(crate) fn mark_in(bytes: &[u8]) -> Option<u64> {
    let start = memchr::memmem::find(bytes, MARK)? + MARK.len();
    let digits = bytes.get(start..start + DIGITS)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Connects from an address of its own: a pair of addresses has ports for a few thousand
/// connections before the kernel has to look for them.
pub(crate) async fn connect(server: SocketAddr, place: usize) -> anyhow::Result<TcpStream> {
    let octet = |number: usize| u8::try_from(number % 250 + 1);
    let source = Ipv4Addr::new(127, 1, octet(place / 250)?, octet(place)?);
    let socket = TcpSocket::new_v4()?;
    socket.bind((source, 0).into())?;
    let stream = socket
        .connect(server)
        .await
        .with_context(|| format!("no connection from {source} to {server}"))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Waits for more bytes.
pub(crate) async fn more(stream: &mut TcpStream, inbox: &mut BytesMut) -> anyhow::Result<()> {
    inbox.reserve(READ_BYTES);
    if stream.read_buf(inbox).await? == 0 {
        bail!("the server closed the connection");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{TEXT_BYTES, mark_in, text_with};

    #[test]
    fn a_text_keeps_its_mark() {
        let text = text_with(12_345);
        assert_eq!(text.len(), TEXT_BYTES);
        assert_eq!(
            mark_in(format!("<body>{text}</body>").as_bytes()),
            Some(12_345)
        );
        assert_eq!(mark_in(b"somebody@example"), None);
        assert_eq!(mark_in(&text.as_bytes()[..10]), None);
    }
}
