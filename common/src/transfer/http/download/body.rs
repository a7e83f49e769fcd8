//! The body of an answer: parts of a file on their way from the disk to a connection.
//!
//! What the system has in memory is copied when its turn comes; what has to come from a disk or from
//! elsewhere is read while the piece before it is written. A piece is counted against the budget
//! until the connection has let go of it, and a slow connection gets small ones.

use std::collections::VecDeque;
use std::future::{Future, ready};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{self, Context, Poll};
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

/// What is read at a time for a connection that took [`PROVEN_BYTES`], each piece of them within
/// [`FAST`]. Smaller ones cost more system calls, larger ones fall out of the processor's cache between
/// the two copies; this much is copied within a tenth of a millisecond, for which no other connection
/// notices that it waits.
const FAST_PIECE_BYTES: usize = 256 << 10;
const FAST: Duration = Duration::from_millis(100);

/// The system alone takes some MiB of an answer as fast as it gets them, though nobody reads: only
/// behind these it is seen who is fast. A thousand who are not would hold a large piece each.
const PROVEN_BYTES: u64 = 8 << 20;

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

type Reading = Pin<Box<dyn Future<Output = io::Result<Bytes>> + Send>>;

/// A body. An error in it ends the connection, so that the client sees that something is missing.
pub(super) struct FileBody {
    file: BlobFile,
    budget: Budget,
    /// What comes after what is being read.
    steps: VecDeque<Step>,
    reading: Option<Reading>,
    /// The last piece had to be waited for, so the next one is read ahead.
    is_cold: bool,
    /// Bytes that were not handed out yet.
    left: u64,
    handed_out: Option<Instant>,
    /// Bytes in a row that were taken as soon as they were there.
    taken_fast: u64,
    spare: Spare,
}

impl FileBody {
    pub(super) fn new(file: BlobFile, steps: VecDeque<Step>, budget: Budget) -> Self {
        let left = steps.iter().map(Step::len).sum();
        Self {
            file,
            budget,
            steps,
            reading: None,
            is_cold: false,
            left,
            handed_out: None,
            taken_fast: 0,
            spare: Spare::default(),
        }
    }

    /// The length of all of it.
    pub(super) fn len(&self) -> u64 {
        self.left
    }

    /// The next piece of the file, if it is the file's turn: where it begins, and room for it.
    fn next_piece(&mut self) -> Option<(u64, Room)> {
        let Some(Step::Part(part)) = self.steps.front_mut() else {
            return None;
        };
        if self.handed_out.is_none_or(|at| at.elapsed() >= FAST) {
            self.taken_fast = 0;
        }
        let wanted = match self.taken_fast >= PROVEN_BYTES {
            true => FAST_PIECE_BYTES,
            false => PIECE_BYTES,
        };
        let wanted = wanted.min(usize::try_from(part.len).unwrap_or(usize::MAX));
        let room = self.budget.take(wanted);
        let offset = part.offset;
        let count = u64::try_from(room.bytes).unwrap_or(u64::MAX);
        part.offset += count;
        part.len -= count;
        self.taken_fast = self.taken_fast.saturating_add(count);
        if part.len == 0 {
            self.steps.pop_front();
        }
        Some((offset, room))
    }

    /// Waits for what is being read.
    fn poll_reading(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let Some(reading) = &mut self.reading else {
            return Poll::Ready(None);
        };
        let read = task::ready!(reading.as_mut().poll(context));
        self.reading = None;
        Poll::Ready(Some(read))
    }

    /// The next bytes; `None` behind the last.
    fn poll_bytes(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if self.reading.is_some() {
            return self.poll_reading(context);
        }
        if let Some(Step::Text(text)) = self.steps.front() {
            let text = text.clone();
            self.steps.pop_front();
            return Poll::Ready(Some(Ok(text)));
        }
        let Some((offset, room)) = self.next_piece() else {
            return Poll::Ready(None);
        };
        match self.at_hand(offset, room) {
            Ok(bytes) => Poll::Ready(Some(Ok(bytes))),
            Err(room) => {
                self.reading = Some(Box::pin(read(self.file.clone(), offset, room)));
                self.poll_reading(context)
            }
        }
    }

    /// Begins to read what follows. What cannot go on at once wakes whoever waits for the body, who
    /// then comes by [`Self::poll_reading`].
    fn read_ahead(&mut self, context: &mut Context<'_>) {
        let Some((offset, room)) = self.next_piece() else {
            return;
        };
        let mut reading: Reading = match self.at_hand(offset, room) {
            Ok(bytes) => Box::pin(ready(Ok(bytes))),
            Err(room) => Box::pin(read(self.file.clone(), offset, room)),
        };
        self.reading = Some(match reading.as_mut().poll(context) {
            Poll::Ready(read) => Box::pin(ready(read)),
            Poll::Pending => reading,
        });
    }

    /// As [`at_hand`], and notes whether it was.
    fn at_hand(&mut self, offset: u64, room: Room) -> Result<Bytes, Room> {
        let read = at_hand(&self.file, offset, room, &self.spare);
        self.is_cold = read.is_err();
        read
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
        Poll::Ready(match task::ready!(body.poll_bytes(context)) {
            None => None,
            Some(Ok(bytes)) => {
                let count = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                body.left = body.left.saturating_sub(count);
                metrics::DOWNLOAD_BYTES_TOTAL.increment(count);
                if body.is_cold {
                    body.read_ahead(context);
                }
                body.handed_out = Some(Instant::now());
                Some(Ok(Frame::data(bytes)))
            }
            Some(Err(error)) => {
                body.steps.clear();
                tracing::error!(%error, "a stored file cannot be read");
                Some(Err(error))
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// The memory of a piece that the connection has let go of, for the next one: it need not be asked
/// for, nor filled with zeros, again.
#[derive(Clone, Debug, Default)]
struct Spare(Arc<Mutex<Vec<u8>>>);

impl Spare {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn give_back(&self, bytes: Vec<u8>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = bytes;
    }
}

/// Bytes, and the room that they take as long as anybody has them.
struct Piece {
    bytes: Vec<u8>,
    spare: Spare,
    _room: Room,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.spare.give_back(std::mem::take(&mut self.bytes));
    }
}

/// Reads without a step to a blocking thread what the system has in memory; the room comes back if
/// it has not. A step costs more than the copy.
#[cfg(target_os = "linux")]
fn at_hand(file: &BlobFile, offset: u64, room: Room, spare: &Spare) -> Result<Bytes, Room> {
    use rustix::io::{ReadWriteFlags, preadv2};

    let Some(local) = file.local() else {
        return Err(room);
    };
    let mut bytes = spare.take();
    // Room was taken for so much and not for more.
    if bytes.capacity() > room.bytes {
        bytes = Vec::new();
    }
    bytes.resize(room.bytes, 0);
    let mut slices = [io::IoSliceMut::new(&mut bytes)];
    // Anything but all of it, also that the file system cannot tell, is the other way's business.
    match preadv2(&**local, &mut slices, offset, ReadWriteFlags::NOWAIT) {
        Ok(count) if count == room.bytes => Ok(Bytes::from_owner(Piece {
            bytes,
            spare: spare.clone(),
            _room: room,
        })),
        _ => Err(room),
    }
}

#[cfg(not(target_os = "linux"))]
fn at_hand(_: &BlobFile, _: u64, room: Room, _: &Spare) -> Result<Bytes, Room> {
    Err(room)
}

/// Reads as much as there is room for.
async fn read(file: BlobFile, offset: u64, room: Room) -> io::Result<Bytes> {
    let bytes = BytesMut::with_capacity(room.bytes);
    let bytes = file.read(offset, room.bytes, bytes).await?;
    Ok(Bytes::from_owner(Piece {
        bytes: Vec::from(bytes),
        spare: Spare::default(),
        _room: room,
    }))
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write;

    use http_body_util::BodyExt;
    use tokio::time::advance;

    use super::*;
    use crate::pool::BlockingPool;

    /// The body of an answer with a file of so many bytes.
    fn body(len: usize) -> FileBody {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&vec![7; len]).unwrap();
        let len = u64::try_from(len).unwrap();
        let file: Arc<File> = Arc::new(file);
        let file = BlobFile::on_disk(file, len, BlockingPool::new(1));
        let steps = VecDeque::from([Step::Part(Part { offset: 0, len })]);
        FileBody::new(file, steps, Budget::new(1 << 30))
    }

    async fn piece(body: &mut FileBody) -> Bytes {
        let frame = body.frame().await.unwrap().unwrap();
        frame.into_data().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn large_pieces_are_for_those_who_are_fast_for_long() {
        let mut body = body(16 << 20);
        let mut taken = 0;
        let large = loop {
            let piece = piece(&mut body).await;
            if piece.len() > PIECE_BYTES {
                break piece;
            }
            taken += u64::try_from(piece.len()).unwrap();
        };
        assert_eq!(large.len(), FAST_PIECE_BYTES);
        // Where nothing is at hand, a piece more is on its way.
        let near = u64::try_from(PIECE_BYTES).unwrap();
        assert!(
            (PROVEN_BYTES - near..=PROVEN_BYTES).contains(&taken),
            "{taken}"
        );
        // Whoever took it late has to begin again, and holds no more than he is counted for.
        advance(FAST).await;
        drop(large);
        drop(piece(&mut body).await);
        assert_eq!(piece(&mut body).await.len(), PIECE_BYTES);
        assert!(body.spare.take().capacity() <= PIECE_BYTES);
        assert_eq!(piece(&mut body).await.len(), PIECE_BYTES);
    }
}
