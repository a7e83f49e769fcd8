//! How long a peer may take nothing of what is to be written.
//!
//! A slow reader is waited for: the system reports room only when a third of its send buffer is free,
//! which may take such a peer minutes, so what counts is whether its system confirms anything at all.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

use super::Socket;

/// Runs while there is something to write and no room for it; usually there is, and nobody needs a
/// timer.
#[derive(Debug, Default)]
pub(crate) struct Stall(Option<Box<Blocked>>);

#[derive(Debug)]
struct Blocked {
    until: Pin<Box<Sleep>>,
    /// Bytes that the peer had not confirmed when the time began to run.
    unsent: u32,
}

impl Stall {
    /// Takes a step of writing. [`ErrorKind::TimedOut`] if for `longest` none could be taken and the
    /// peer confirmed nothing either.
    pub(crate) fn poll<T>(
        &mut self,
        socket: &mut Socket,
        context: &mut Context<'_>,
        longest: Duration,
        step: impl FnOnce(Pin<&mut Socket>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if let Poll::Ready(done) = step(Pin::new(socket), context) {
            self.0 = None;
            return Poll::Ready(done);
        }
        let blocked = match &mut self.0 {
            Some(blocked) => blocked,
            free => free.insert(Box::new(Blocked {
                unsent: socket.unsent()?,
                until: Box::pin(sleep(longest)),
            })),
        };
        loop {
            ready!(blocked.until.as_mut().poll(context));
            let unsent = socket.unsent()?;
            if unsent >= blocked.unsent {
                let why = format!("the peer took nothing for {} s", longest.as_secs());
                return Poll::Ready(Err(io::Error::new(ErrorKind::TimedOut, why)));
            }
            blocked.unsent = unsent;
            blocked.until.as_mut().reset(Instant::now() + longest);
        }
    }
}
