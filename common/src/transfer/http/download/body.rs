//! The body of an answer: parts of a file on their way from the disk to a connection.
//!
//! While one piece is written the next one is read. A piece is counted against the budget until
//! the connection has let go of it, and a slow connection gets small ones.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::Instant;

use super::range::Part;
use crate::blob::BlobFile;
use crate::telemetry::metrics;
use crate::transfer::budget::{Budget, Room};

/// What is read at a time: at first, and for a connection that does not keep up. A small file is
/// one piece.
const PIECE_BYTES: usize = 64 << 10;

/// What is read at a time for a connection that took the last piece within [`FAST`]. Smaller ones
/// cost a step to a blocking thread more often, larger ones fall out of the processor's cache
/// between the two copies.
const FAST_PIECE_BYTES: usize = 256 << 10;
const FAST: Duration = Duration::from_millis(100);

/// One thing after the other that a body consists of.
#[derive(Debug)]
pub(super) enum Step {
    /// Goes out as it is.
    Text(Bytes),
    /// Comes from the file.
    Part(Part),
}

impl Step {
    fn len(&self) -> u64 {
        match self {
            Self::Text(text) => u64::try_from(text.len()).unwrap_or(u64::MAX),
            Self::Part(part) => part.len,
        }
    }
}

/// What is read while the piece before it is written.
enum Ahead {
    Reading(Pin<Box<dyn Future<Output = io::Result<Bytes>> + Send>>),
    Read(io::Result<Bytes>),
}

/// A body. An error in it ends the connection, so that the client sees that something is missing.
pub(super) struct FileBody {
    file: BlobFile,
    budget: Budget,
    /// What comes after `ahead`.
    steps: VecDeque<Step>,
    ahead: Option<Ahead>,
    /// Bytes that were not handed out yet.
    left: u64,
    handed_out: Option<Instant>,
}

impl FileBody {
    pub(super) fn new(file: BlobFile, steps: VecDeque<Step>, budget: Budget) -> Self {
        let left = steps.iter().map(Step::len).sum();
        Self {
            file,
            budget,
            steps,
            ahead: None,
            left,
            handed_out: None,
        }
    }

    /// The length of all of it.
    pub(super) fn len(&self) -> u64 {
        self.left
    }

    /// Begins to read if it is the file's turn. What cannot go on at once wakes whoever waits for
    /// the body, who then comes by [`Self::poll_ahead`].
    fn read_ahead(&mut self, context: &mut Context<'_>) {
        let Some(Step::Part(part)) = self.steps.front_mut() else {
            return;
        };
        let is_fast = self.handed_out.is_some_and(|at| at.elapsed() < FAST);
        let wanted = match is_fast {
            true => FAST_PIECE_BYTES,
            false => PIECE_BYTES,
        };
        let wanted = wanted.min(usize::try_from(part.len).unwrap_or(usize::MAX));
        let room = self.budget.take(wanted);
        let offset = part.offset;
        let count = u64::try_from(room.bytes).unwrap_or(u64::MAX);
        part.offset += count;
        part.len -= count;
        if part.len == 0 {
            self.steps.pop_front();
        }
        self.ahead = Some(match at_hand(&self.file, offset, room) {
            Ok(bytes) => Ahead::Read(Ok(bytes)),
            Err(room) => {
                let mut reading: Pin<Box<_>> = Box::pin(read(self.file.clone(), offset, room));
                match reading.as_mut().poll(context) {
                    Poll::Ready(read) => Ahead::Read(read),
                    Poll::Pending => Ahead::Reading(reading),
                }
            }
        });
    }

    /// The piece that was read ahead; `None` if there is none.
    fn poll_ahead(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        match self.ahead.take() {
            None => Poll::Ready(None),
            Some(Ahead::Read(read)) => Poll::Ready(Some(read)),
            Some(Ahead::Reading(mut reading)) => match reading.as_mut().poll(context) {
                Poll::Ready(read) => Poll::Ready(Some(read)),
                Poll::Pending => {
                    self.ahead = Some(Ahead::Reading(reading));
                    Poll::Pending
                }
            },
        }
    }

    fn hand_out(&mut self, bytes: Bytes, context: &mut Context<'_>) -> Frame<Bytes> {
        let count = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.left = self.left.saturating_sub(count);
        metrics::DOWNLOAD_BYTES_TOTAL.increment(count);
        self.read_ahead(context);
        self.handed_out = Some(Instant::now());
        Frame::data(bytes)
    }
}

impl Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let body = &mut *self;
        if body.ahead.is_none() {
            match body.steps.front() {
                Some(Step::Part(_)) => body.read_ahead(context),
                Some(Step::Text(_)) => {
                    let Some(Step::Text(text)) = body.steps.pop_front() else {
                        return Poll::Ready(None);
                    };
                    return Poll::Ready(Some(Ok(body.hand_out(text, context))));
                }
                None => return Poll::Ready(None),
            }
        }
        let Some(read) = ready!(body.poll_ahead(context)) else {
            return Poll::Ready(None);
        };
        Poll::Ready(Some(match read {
            Ok(bytes) => Ok(body.hand_out(bytes, context)),
            Err(error) => {
                body.steps.clear();
                tracing::error!(%error, "a stored file cannot be read");
                Err(error)
            }
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// Bytes, and the room that they take as long as anybody has them.
struct Piece {
    bytes: BytesMut,
    _room: Room,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Reads a small piece without a step to a blocking thread, if the system has it in memory; the
/// room comes back if it has not. A step costs more than copying so little.
#[cfg(target_os = "linux")]
fn at_hand(file: &BlobFile, offset: u64, room: Room) -> Result<Bytes, Room> {
    use rustix::io::{ReadWriteFlags, preadv2};

    let Some(local) = file.local().filter(|_| room.bytes <= PIECE_BYTES) else {
        return Err(room);
    };
    let mut bytes = BytesMut::zeroed(room.bytes);
    let mut slices = [io::IoSliceMut::new(&mut bytes)];
    // Anything but all of it, also that the file system cannot tell, is the other way's business.
    match preadv2(&**local, &mut slices, offset, ReadWriteFlags::NOWAIT) {
        Ok(count) if count == room.bytes => Ok(Bytes::from_owner(Piece { bytes, _room: room })),
        _ => Err(room),
    }
}

#[cfg(not(target_os = "linux"))]
fn at_hand(_: &BlobFile, _: u64, room: Room) -> Result<Bytes, Room> {
    Err(room)
}

/// Reads as much as there is room for.
async fn read(file: BlobFile, offset: u64, room: Room) -> io::Result<Bytes> {
    let bytes = BytesMut::with_capacity(room.bytes);
    let bytes = file.read(offset, room.bytes, bytes).await?;
    Ok(Bytes::from_owner(Piece { bytes, _room: room }))
}
