//! One connection, plain or with TLS, with back-pressure and deadlines but without buffers of its
//! own.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BufMut, BytesMut};
use rustix::net::{RecvFlags, recv};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;

#[cfg(feature = "simulation")]
use super::simulated::Wire;
use super::sniff::{Guess, SNIFFED_BYTES_MAX};
use super::stall::Stall;
use super::tls::{Alpn, TlsKeys};
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

/// What was written must be confirmed within this time, and a window that is closed must open, or
/// the system gives the connection up; by itself it would try for 15 minutes. The same 90 s as for
/// a silent peer: 60 + 3 * 10. A shorter time would cut the questions above short too.
#[cfg(target_os = "linux")]
const UNCONFIRMED_MAX: Duration = Duration::from_secs(90);

/// How long a closing side listens to a peer that goes on sending.
const LINGER: Duration = Duration::from_secs(1);

thread_local! {
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; SCRATCH_BYTES].into());
}

/// One connection.
#[derive(Debug)]
pub struct Socket {
    stream: Stream,
    peer: SocketAddr,
    /// The system has told that the connection broke. It tells that only once.
    is_broken: AtomicBool,
}

/// What TLS needs, some 20 KiB while it is busy, is out of the way of plain connections.
#[derive(Debug)]
enum Stream {
    Plain(TcpStream),
    Tls(Box<Tls>),
    #[cfg(feature = "simulation")]
    Simulated(Box<dyn Wire>),
    /// The handshake failed, or was given up: there is no connection any more.
    Gone,
}

#[derive(Debug)]
struct Tls {
    stream: TlsStream<TcpStream>,
    /// What was read to see which protocol is spoken, and is to be read again.
    early: BytesMut,
}

impl Socket {
    /// Prepares an accepted connection: small frames leave at once, dead peers are noticed.
    pub(super) fn new(stream: TcpStream, peer: SocketAddr) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let socket = SockRef::from(&stream);
        socket.set_tcp_keepalive(
            &TcpKeepalive::new()
                .with_time(KEEPALIVE_IDLE)
                .with_interval(KEEPALIVE_INTERVAL)
                .with_retries(KEEPALIVE_PROBES),
        )?;
        #[cfg(target_os = "linux")]
        socket.set_tcp_user_timeout(Some(UNCONFIRMED_MAX))?;
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        let is_broken = AtomicBool::new(false);
        Ok(Self {
            stream: Stream::Plain(stream),
            peer,
            is_broken,
        })
    }

    #[cfg(feature = "simulation")]
    pub(super) fn simulated(wire: Box<dyn Wire>, peer: SocketAddr) -> Self {
        Self {
            stream: Stream::Simulated(wire),
            peer,
            is_broken: AtomicBool::new(false),
        }
    }

    /// Whether what is said cannot be overheard.
    pub fn is_tls(&self) -> bool {
        matches!(self.stream, Stream::Tls(_))
    }

    /// Waits for bytes until `guess` is no longer [`Guess::Open`] about them, or the peer will
    /// send no more. All of them are still there to be read.
    pub(super) async fn sniff(&mut self, guess: impl Fn(&[u8]) -> Guess) -> io::Result<Guess> {
        match &mut self.stream {
            Stream::Plain(stream) => peek(stream, guess).await,
            Stream::Tls(tls) => {
                let Tls { stream, early } = &mut **tls;
                loop {
                    let guessed = guess(early);
                    let room = SNIFFED_BYTES_MAX.saturating_sub(early.len());
                    if guessed != Guess::Open || room == 0 {
                        return Ok(guessed);
                    }
                    if stream.read_buf(&mut (&mut *early).limit(room)).await? == 0 {
                        return Ok(Guess::Open);
                    }
                }
            }
            #[cfg(feature = "simulation")]
            Stream::Simulated(_) => Err(ErrorKind::Unsupported.into()),
            Stream::Gone => Err(ErrorKind::NotConnected.into()),
        }
    }

    /// Answers a TLS client hello. Whoever stops waiting loses the connection.
    pub(super) async fn begin_tls(&mut self, keys: &TlsKeys) -> io::Result<Alpn> {
        let Stream::Plain(stream) = std::mem::replace(&mut self.stream, Stream::Gone) else {
            return Err(ErrorKind::InvalidInput.into());
        };
        let (stream, alpn) = keys.accept(stream).await?;
        let early = BytesMut::new();
        self.stream = Stream::Tls(Box::new(Tls { stream, early }));
        Ok(alpn)
    }

    fn tcp(&self) -> io::Result<&TcpStream> {
        match &self.stream {
            Stream::Plain(stream) => Ok(stream),
            Stream::Tls(tls) => Ok(tls.stream.get_ref().0),
            #[cfg(feature = "simulation")]
            Stream::Simulated(_) => Err(ErrorKind::Unsupported.into()),
            Stream::Gone => Err(ErrorKind::NotConnected.into()),
        }
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
            return self.read_buf(&mut into.limit(limit)).await;
        }
        poll_fn(|context| {
            SCRATCH.with_borrow_mut(|scratch| {
                let room = limit.min(scratch.len());
                let mut arrived = ReadBuf::new(&mut scratch[..room]);
                ready!(Pin::new(&mut *self).poll_read(context, &mut arrived))?;
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
        let mut blocked = Stall::default();
        while !bytes.is_empty() {
            let write = poll_fn(|context| {
                blocked.poll(self, context, stall, |socket, context| {
                    socket.poll_write(context, bytes)
                })
            });
            match write.await? {
                0 => return Err(ErrorKind::WriteZero.into()),
                written => bytes = &bytes[written..],
            }
        }
        // TLS takes bytes before TCP does.
        poll_fn(|context| blocked.poll(self, context, stall, Socket::poll_flush)).await
    }

    /// Bytes written that the peer's system has not confirmed; always 0 where the system does not
    /// tell (everything but Linux). On a connection that broke nobody knows, and this is an error:
    /// the system throws away what was under way, so that its own count says 0. With TLS these are
    /// encrypted bytes, which are more than what was written: rather too many than too few.
    pub fn unsent(&self) -> io::Result<u32> {
        #[cfg(feature = "simulation")]
        if let Stream::Simulated(wire) = &self.stream {
            return wire.unsent();
        }
        let stream = self.tcp()?;
        let unsent = unsent(stream)?;
        // Looked at after the count: a connection that breaks in between is noticed.
        if stream.take_error()?.is_some() {
            self.is_broken.store(true, Ordering::Relaxed);
        }
        if self.is_broken.load(Ordering::Relaxed) {
            return Err(ErrorKind::ConnectionReset.into());
        }
        Ok(unsent)
    }

    /// Says goodbye so that the peer receives everything written before: closing while unread
    /// bytes wait would make the system throw away what is still under way.
    pub async fn close(mut self) {
        let farewell = async {
            if self.shutdown().await.is_err() {
                return;
            }
            let mut ignored = BytesMut::new();
            while matches!(self.read(&mut ignored, SCRATCH_BYTES).await, Ok(1..)) {
                ignored.clear();
            }
        };
        // Not listening to the end is no failure: the peer had its chance.
        let _ = timeout(LINGER, farewell).await;
    }
}

/// Looks at what has arrived until it says enough.
async fn peek(stream: &TcpStream, guess: impl Fn(&[u8]) -> Guess) -> io::Result<Guess> {
    loop {
        let ready = stream.ready(Interest::READABLE).await?;
        // Looked at inside of `try_io`, which then knows that the next bytes are worth waking up
        // for, although these are still there to be read.
        let guessed = stream.try_io(Interest::READABLE, || {
            let mut first = [0; SNIFFED_BYTES_MAX];
            let (_, arrived) = recv(stream, &mut first, RecvFlags::PEEK)?;
            match guess(&first[..arrived]) {
                Guess::Open if arrived > 0 && !ready.is_read_closed() => {
                    Err(ErrorKind::WouldBlock.into())
                }
                guessed => Ok(guessed),
            }
        });
        match guessed {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            other => return other,
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Stream::Plain(stream) => Pin::new(stream).poll_read(context, into),
            Stream::Tls(tls) if tls.early.is_empty() => {
                Pin::new(&mut tls.stream).poll_read(context, into)
            }
            Stream::Tls(tls) => {
                let count = tls.early.len().min(into.remaining());
                into.put_slice(&tls.early[..count]);
                tls.early.advance(count);
                if tls.early.is_empty() {
                    tls.early = BytesMut::new();
                }
                Poll::Ready(Ok(()))
            }
            #[cfg(feature = "simulation")]
            Stream::Simulated(wire) => Pin::new(wire).poll_read(context, into),
            Stream::Gone => Poll::Ready(Err(ErrorKind::NotConnected.into())),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Stream::Tls(tls) => Pin::new(&mut tls.stream).poll_write(context, bytes),
            #[cfg(feature = "simulation")]
            Stream::Simulated(wire) => Pin::new(wire).poll_write(context, bytes),
            Stream::Gone => Poll::Ready(Err(ErrorKind::NotConnected.into())),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write_vectored(context, slices),
            Stream::Tls(tls) => Pin::new(&mut tls.stream).poll_write_vectored(context, slices),
            #[cfg(feature = "simulation")]
            Stream::Simulated(wire) => Pin::new(wire).poll_write_vectored(context, slices),
            Stream::Gone => Poll::Ready(Err(ErrorKind::NotConnected.into())),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.stream {
            Stream::Plain(stream) => stream.is_write_vectored(),
            Stream::Tls(tls) => tls.stream.is_write_vectored(),
            #[cfg(feature = "simulation")]
            Stream::Simulated(wire) => wire.is_write_vectored(),
            Stream::Gone => false,
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(context),
            Stream::Tls(tls) => Pin::new(&mut tls.stream).poll_flush(context),
            #[cfg(feature = "simulation")]
            Stream::Simulated(wire) => Pin::new(wire).poll_flush(context),
            Stream::Gone => Poll::Ready(Err(ErrorKind::NotConnected.into())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Stream::Tls(tls) => Pin::new(&mut tls.stream).poll_shutdown(context),
            #[cfg(feature = "simulation")]
            Stream::Simulated(wire) => Pin::new(wire).poll_shutdown(context),
            Stream::Gone => Poll::Ready(Err(ErrorKind::NotConnected.into())),
        }
    }
}
