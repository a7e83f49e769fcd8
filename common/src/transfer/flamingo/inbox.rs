//! Takes requests off a socket: the head as soon as it is there, the content piece by piece.
//!
//! The buffer holds one head or one piece, and grows only with bytes that arrived. Knows every
//! waiting time of the protocol, and nothing of what requests mean.

use std::io;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::time::{Instant, timeout_at};

use super::refusal::Refusal;
use crate::net::Socket;
use crate::transfer::Policy;
use crate::wire::transfer_head::{HEAD_BYTES_MAX, Head, read_head};

/// A head must be complete so long after its first byte, and the first head of a connection so long
/// after the connection was made.
pub(in crate::transfer) const HEAD_WAIT: Duration = Duration::from_secs(10);

/// Below this rate a content is not worth its connection: who sends one byte now and then would
/// hold it for ever.
const CONTENT_BYTES_PER_S_MIN: u64 = 1 << 10;

#[derive(Debug)]
pub(super) struct Inbox {
    socket: Socket,
    buffer: BytesMut,
    /// How much of the request's body after its head was not handed out yet, and until when it must
    /// have come.
    left: u64,
    deadline: Instant,
    /// Whether a head was ever complete.
    greeted: bool,
    /// In the middle of a request a peer may be silent so long, and so much later than it should it
    /// may come. The old clients give up after 3 s.
    content_wait: Duration,
    write_stall: Duration,
}

impl Inbox {
    pub(super) fn new(socket: Socket, accepted: Instant, policy: &Policy) -> Self {
        Self {
            socket,
            buffer: BytesMut::new(),
            left: 0,
            deadline: accepted + HEAD_WAIT,
            greeted: false,
            content_wait: policy.upload_grace,
            write_stall: policy.write_stall,
        }
    }

    /// Returns when a request begins: false if instead the peer is done. May be given up.
    pub(super) async fn wait(&mut self, idle: Duration) -> Result<bool, Refusal> {
        if self.greeted {
            self.deadline = Instant::now() + idle;
        }
        if self.buffer.is_empty() && self.fill(HEAD_BYTES_MAX, self.deadline).await? == 0 {
            return Ok(false);
        }
        if self.greeted {
            self.deadline = Instant::now() + HEAD_WAIT;
        }
        Ok(true)
    }

    /// The head of the request that has begun.
    pub(super) async fn head(&mut self) -> Result<Head, Refusal> {
        loop {
            if let Some((head, len)) = read_head(&self.buffer)? {
                self.buffer.advance(len);
                self.left = head.content_len + head.tail_len;
                let time = Duration::from_secs(self.left / CONTENT_BYTES_PER_S_MIN);
                self.deadline = Instant::now() + self.content_wait + time;
                self.greeted = true;
                return Ok(head);
            }
            let room = HEAD_BYTES_MAX.saturating_sub(self.buffer.len());
            if room == 0 || self.fill(room, self.deadline).await? == 0 {
                return Err(Refusal::Truncated);
            }
        }
    }

    /// The next `want` bytes of the body, but at most `most` of them.
    pub(super) async fn body(&mut self, want: u64, most: usize) -> Result<Bytes, Refusal> {
        let want = want.min(self.left);
        let want = usize::try_from(want).map_or(most, |want| want.min(most));
        while self.buffer.len() < want {
            let silence = Instant::now() + self.content_wait;
            let room = want - self.buffer.len();
            if self.fill(room, silence.min(self.deadline)).await? == 0 {
                return Err(Refusal::Truncated);
            }
        }
        self.left -= u64::try_from(want).unwrap_or(0);
        Ok(self.buffer.split_to(want).freeze())
    }

    /// Throws `count` bytes of the body away.
    pub(super) async fn skip(&mut self, count: u64, most: usize) -> Result<(), Refusal> {
        let mut count = count;
        while count > 0 {
            let skipped = self.body(count, most).await?.len();
            count -= u64::try_from(skipped).unwrap_or(count);
        }
        Ok(())
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.socket.write_all(bytes, self.write_stall).await
    }

    pub(super) async fn close(self) {
        self.socket.close().await;
    }

    async fn fill(&mut self, most: usize, until: Instant) -> Result<usize, Refusal> {
        match timeout_at(until, self.socket.read(&mut self.buffer, most)).await {
            Ok(read) => Ok(read?),
            Err(_) => Err(Refusal::Silent),
        }
    }
}
