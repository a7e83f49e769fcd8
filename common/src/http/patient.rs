//! A connection that gives up on a peer that takes nothing.
//!
//! A slow reader is waited for: the system reports room only when a third of its send buffer is free,
//! which may take such a peer minutes, so what counts is whether its system confirms anything at all.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use crate::net::Socket;

/// See the module's description. A write fails with [`ErrorKind::TimedOut`].
pub(super) struct Patient {
    socket: Socket,
    /// How long a peer may take nothing.
    stall: Duration,
    /// There is something to write and no room for it.
    blocked: Option<Box<Blocked>>,
}

struct Blocked {
    until: Pin<Box<Sleep>>,
    /// Bytes that the peer had not confirmed when the time began to run.
    unsent: u32,
}

impl Patient {
    pub(super) fn new(socket: Socket, stall: Duration) -> Self {
        Self {
            socket,
            stall,
            blocked: None,
        }
    }

    fn step<T>(
        &mut self,
        context: &mut Context<'_>,
        step: impl FnOnce(Pin<&mut Socket>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if let Poll::Ready(done) = step(Pin::new(&mut self.socket), context) {
            self.blocked = None;
            return Poll::Ready(done);
        }
        let unsent = self.socket.unsent()?;
        let stall = self.stall;
        let blocked = self.blocked.get_or_insert_with(|| {
            let until = Box::pin(sleep(stall));
            Box::new(Blocked { until, unsent })
        });
        loop {
            ready!(blocked.until.as_mut().poll(context));
            if unsent >= blocked.unsent {
                let why = format!("the peer took nothing for {} s", stall.as_secs());
                return Poll::Ready(Err(io::Error::new(ErrorKind::TimedOut, why)));
            }
            blocked.unsent = unsent;
            blocked.until.as_mut().reset(Instant::now() + stall);
        }
    }
}

impl AsyncRead for Patient {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_read(context, into)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.get_mut()
            .step(context, |socket, context| socket.poll_write(context, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().step(context, |socket, context| {
            socket.poll_write_vectored(context, slices)
        })
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut()
            .step(context, |socket, context| socket.poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut()
            .step(context, |socket, context| socket.poll_shutdown(context))
    }
}
