//! One TCP connection, with back-pressure and deadlines but without buffers of its own.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, ready};
use std::time::Duration;

use bytes::{BufMut, BytesMut};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::unsent::unsent;

/// The one read buffer of a thread. What arrived is copied out before the thread does anything
/// else, so that an idle connection holds no buffer and a small frame a small one.
const SCRATCH_BYTES: usize = 64 * 1024;

/// A caller that made at least this much room reads straight into it.
const DIRECT_BYTES_MIN: usize = 4096;

/// After this silence the system asks whether the peer is still there ...
const KEEPALIVE_IDLE: Duration = Duration::from_secs(60);
/// ... again after this ...
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
/// ... and gives the connection up after so many questions without an answer: 90 s in all.
const KEEPALIVE_PROBES: u32 = 3;

/// How long a closing side listens to a peer that goes on sending.
const LINGER: Duration = Duration::from_secs(1);

thread_local! {
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; SCRATCH_BYTES].into());
}

/// One TCP connection.
#[derive(Debug)]
pub struct Socket {
    stream: TcpStream,
    peer: SocketAddr,
    /// The system has told that the connection broke. It tells that only once.
    is_broken: AtomicBool,
}

impl Socket {
    /// Prepares an accepted connection: small frames leave at once, dead peers are noticed.
    pub(super) fn new(stream: TcpStream, peer: SocketAddr) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        SockRef::from(&stream).set_tcp_keepalive(
            &TcpKeepalive::new()
                .with_time(KEEPALIVE_IDLE)
                .with_interval(KEEPALIVE_INTERVAL)
                .with_retries(KEEPALIVE_PROBES),
        )?;
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        let is_broken = AtomicBool::new(false);
        Ok(Self {
            stream,
            peer,
            is_broken,
        })
    }

    /// The other side's address; IPv4 is told as IPv4 even on an IPv6 listener.
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Appends what has arrived, at least one and at most `limit` bytes; 0 means that the peer
    /// will send no more. Nothing is lost if the caller stops waiting.
    pub async fn read(&mut self, into: &mut BytesMut, limit: usize) -> io::Result<usize> {
        if limit == 0 {
            return Err(ErrorKind::InvalidInput.into());
        }
        if into.capacity() - into.len() >= DIRECT_BYTES_MIN {
            return self.stream.read_buf(&mut into.limit(limit)).await;
        }
        poll_fn(|context| {
            SCRATCH.with_borrow_mut(|scratch| {
                let room = limit.min(scratch.len());
                let mut arrived = ReadBuf::new(&mut scratch[..room]);
                ready!(Pin::new(&mut self.stream).poll_read(context, &mut arrived))?;
                into.extend_from_slice(arrived.filled());
                Poll::Ready(Ok(arrived.filled().len()))
            })
        })
        .await
    }

    /// Writes everything. [`ErrorKind::TimedOut`] if for `stall` nothing could be written and the
    /// peer confirmed nothing either: a slow reader is waited for, a stuck one is not.
    ///
    /// How much was written is unknown to a caller that stops waiting; it must close.
    pub async fn write_all(&mut self, mut bytes: &[u8], stall: Duration) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.try_write(bytes) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.room_to_write(stall).await?;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Waits for room. The system reports room only when a third of its send buffer is free, which
    /// takes a slow peer long; so a peer that confirms anything at all gets another `stall`.
    async fn room_to_write(&self, stall: Duration) -> io::Result<()> {
        let mut waiting = self.unsent()?;
        while timeout(stall, self.writable()).await.is_err() {
            let still = self.unsent()?;
            if still >= waiting {
                return Err(io::Error::new(
                    ErrorKind::TimedOut,
                    format!("the peer took nothing for {} s", stall.as_secs()),
                ));
            }
            waiting = still;
        }
        Ok(())
    }

    /// Writes what fits now; [`ErrorKind::WouldBlock`] if nothing does.
    pub fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.try_write(bytes)
    }

    /// Returns when [`Socket::try_write`] is worth trying.
    pub async fn writable(&self) -> io::Result<()> {
        self.stream.writable().await
    }

    /// Returns when [`Socket::read`] will not wait, so that one can wait for both directions.
    pub async fn readable(&self) -> io::Result<()> {
        self.stream.readable().await
    }

    /// Bytes written that the peer's system has not confirmed; always 0 where the system does not
    /// tell (everything but Linux). On a connection that broke nobody knows, and this is an error:
    /// the system throws away what was under way, so that its own count says 0.
    pub fn unsent(&self) -> io::Result<u32> {
        let unsent = unsent(&self.stream)?;
        // Looked at after the count: a connection that breaks in between is noticed.
        if self.stream.take_error()?.is_some() {
            self.is_broken.store(true, Ordering::Relaxed);
        }
        if self.is_broken.load(Ordering::Relaxed) {
            return Err(ErrorKind::ConnectionReset.into());
        }
        Ok(unsent)
    }

    /// The bare stream, for a library that wants to read and write by itself.
    pub fn into_stream(self) -> impl AsyncRead + AsyncWrite + Unpin + Send + 'static {
        self.stream
    }

    /// Says goodbye so that the peer receives everything written before: closing while unread
    /// bytes wait would make the system throw away what is still under way.
    pub async fn close(mut self) {
        if self.stream.shutdown().await.is_err() {
            return;
        }
        let farewell = async {
            let mut ignored = BytesMut::new();
            while matches!(self.read(&mut ignored, SCRATCH_BYTES).await, Ok(1..)) {
                ignored.clear();
            }
        };
        // Not listening to the end is no failure: the peer had its chance.
        let _ = timeout(LINGER, farewell).await;
    }
}
