//! What the system of a program's machine knows of a connection: what arrived there, and how much
//! of it the program has read. The server's system hears of the first, see decision 0003.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use common::net::Wire;
use common::wire::chat::{Decoder, Packet};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

/// See the module's description.
#[derive(Debug, Default)]
pub(super) struct System {
    arrived: Mutex<BytesMut>,
    read: AtomicU64,
    is_broken: AtomicBool,
}

impl System {
    fn bytes(&self) -> MutexGuard<'_, BytesMut> {
        self.arrived.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn arrived_count(&self) -> u64 {
        u64::try_from(self.bytes().len()).expect("a play is short")
    }

    pub(super) fn arrived(&self, piece: &[u8]) {
        self.bytes().extend_from_slice(piece);
    }

    /// Every whole packet that arrived, whether the program read it or not.
    pub(super) fn packets(&self) -> Vec<Packet> {
        let mut bytes = self.bytes().clone();
        let mut decoder = Decoder::default();
        std::iter::from_fn(|| {
            decoder
                .decode(&mut bytes)
                .expect("the server writes frames")
        })
        .collect()
    }

    /// Nothing comes through any more, and both sides are told.
    pub(super) fn breaks(&self) {
        self.is_broken.store(true, Ordering::Relaxed);
    }

    /// The program closes it, or is killed: TCP says goodbye only if everything was read.
    pub(super) fn closes(&self) {
        if self.read.load(Ordering::Relaxed) < self.arrived_count() {
            self.breaks();
        }
    }

    fn is_broken(&self) -> bool {
        self.is_broken.load(Ordering::Relaxed)
    }
}

/// Both ends of a connection, watched by the program's system.
pub(super) fn watched(
    program: DuplexStream,
    server: DuplexStream,
    system: &Arc<System>,
) -> (ProgramEnd, ServerEnd) {
    let program = ProgramEnd {
        io: program,
        system: Arc::clone(system),
    };
    let server = ServerEnd {
        io: server,
        system: Arc::clone(system),
        written: 0,
    };
    (program, server)
}

/// Counts what is read.
#[derive(Debug)]
pub(super) struct ProgramEnd {
    io: DuplexStream,
    system: Arc<System>,
}

impl AsyncRead for ProgramEnd {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(context, into))?;
        let read = u64::try_from(into.filled().len() - before).expect("a buffer is small");
        self.system.read.fetch_add(read, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ProgramEnd {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

/// Knows what has not arrived yet, and tells a connection that broke from one that was closed.
#[derive(Debug)]
pub(super) struct ServerEnd {
    io: DuplexStream,
    system: Arc<System>,
    written: u64,
}

impl ServerEnd {
    fn broken<T>(&self) -> io::Result<T> {
        Err(io::ErrorKind::ConnectionReset.into())
    }
}

impl Wire for ServerEnd {
    fn unsent(&self) -> io::Result<u32> {
        if self.system.is_broken() {
            return self.broken();
        }
        let unsent = self.written - self.system.arrived_count();
        Ok(u32::try_from(unsent).expect("a buffer is small"))
    }
}

impl AsyncRead for ServerEnd {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(context, into))?;
        if into.filled().len() == before && self.system.is_broken() {
            return Poll::Ready(self.broken());
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ServerEnd {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.io).poll_write(context, bytes))?;
        self.written += u64::try_from(written).expect("a buffer is small");
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}
