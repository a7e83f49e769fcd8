//! Takes the body of a request in: in pieces, within the memory that there is, and not for ever.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::blob::{BlobError, Content, Staging};
use crate::telemetry::metrics;
use crate::transfer::Transfers;
use crate::transfer::budget::Budget;
use crate::transfer::disk_watch::DiskWatch;

/// Below this rate an upload is not worth its connection: who sends one byte now and then would
/// hold it for ever.
const BYTES_PER_S_MIN: u64 = 1 << 10;

/// How much of an upload is held in memory before it goes to the disk. A thousand slow uploads
/// together hold 32 MiB.
const PIECE_BYTES: usize = 32 << 10;

/// The same for an upload that fills a piece within [`FAST`]: fewer, larger steps.
const FAST_PIECE_BYTES: usize = 512 << 10;
const FAST: Duration = Duration::from_millis(100);

/// How much of a body that nobody wants is read, so that the peer, which is still sending, sees the
/// answer instead of a broken connection, and how long that may take.
const DRAINED_BYTES_MAX: usize = 1 << 20;
const DRAINED_WITHIN: Duration = Duration::from_secs(2);

/// How taking in ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// With the body.
    Whole,
    /// There was more than wanted; what was wanted is taken in.
    TooMuch,
    /// The peer was too slow.
    Slow,
    /// The connection broke.
    Broken,
    /// Somebody else goes on with the upload.
    Preempted,
}

/// Where content goes.
pub(super) trait Sink {
    async fn write(&mut self, piece: Bytes) -> Result<(), BlobError>;
}

impl Sink for Staging {
    async fn write(&mut self, piece: Bytes) -> Result<(), BlobError> {
        Staging::write(self, piece).await
    }
}

impl Sink for Content {
    async fn write(&mut self, piece: Bytes) -> Result<(), BlobError> {
        Content::write(self, piece).await
    }
}

/// Looks at the disk before it fills it.
struct Watched<'a, S> {
    sink: &'a mut S,
    transfers: &'a Transfers,
    watch: DiskWatch,
}

impl<S: Sink> Sink for Watched<'_, S> {
    async fn write(&mut self, piece: Bytes) -> Result<(), BlobError> {
        self.watch.look(self.transfers, piece.len()).await?;
        self.sink.write(piece).await
    }
}

impl Transfers {
    /// Takes at most `most` bytes of a body in.
    ///
    /// # Errors
    /// The sink's. What came before is taken in.
    pub(super) async fn take(
        &self,
        body: &mut Body,
        most: u64,
        sink: &mut impl Sink,
        preempted: &CancellationToken,
    ) -> Result<End, BlobError> {
        let mut watched = Watched {
            sink,
            transfers: self,
            watch: DiskWatch::default(),
        };
        let pace = Pace {
            budget: &self.budget,
            grace: self.policy.upload_grace,
        };
        receive(body, most, &mut watched, pace, preempted).await
    }
}

/// How much of a body may come at a time, and how late.
#[derive(Clone, Copy)]
struct Pace<'a> {
    budget: &'a Budget,
    /// The peer may be silent so long, and so much later than it should the body may come.
    grace: Duration,
}

/// A body on its way in.
struct Incoming<'b> {
    body: &'b mut Body,
    /// How much of it is wanted still.
    left: u64,
    received: u64,
    began: Instant,
    grace: Duration,
    /// What has come and is in no piece yet.
    rest: Bytes,
    /// Behind the rest nothing comes any more.
    end: Option<End>,
}

impl Incoming<'_> {
    /// Until when the next bytes must be there.
    fn deadline(&self) -> Instant {
        let earned = Duration::from_secs(self.received / BYTES_PER_S_MIN);
        (Instant::now() + self.grace).min(self.began + self.grace + earned)
    }

    /// Waits for bytes or the end.
    async fn read(&mut self, preempted: &CancellationToken) {
        let deadline = self.deadline();
        let next = tokio::select! {
            biased;
            () = preempted.cancelled() => {
                self.end = Some(End::Preempted);
                return;
            }
            next = timeout_at(deadline, self.body.frame()) => next,
        };
        let frame = match next {
            Err(_) => return self.end = Some(End::Slow),
            Ok(None) => return self.end = Some(End::Whole),
            Ok(Some(Err(_))) => return self.end = Some(End::Broken),
            Ok(Some(Ok(frame))) => frame,
        };
        // Trailers say nothing that anybody asked for.
        let Ok(mut bytes) = frame.into_data() else {
            return;
        };
        let count = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if count > self.left {
            bytes.truncate(usize::try_from(self.left).unwrap_or(0));
            self.end = Some(End::TooMuch);
        }
        let taken = count.min(self.left);
        self.left -= taken;
        self.received += taken;
        self.rest = bytes;
    }

    /// Collects a piece of `size` bytes, less only at the end or if a large one does not come within
    /// [`FAST`]; tells if it was the last one.
    async fn piece(&mut self, size: usize, preempted: &CancellationToken) -> (Bytes, Option<End>) {
        let mut piece = BytesMut::new();
        // Who was fast once, as everybody is whose first bytes waited for the server, may not hold a
        // large piece for as long as he takes to fill it.
        let due = (size > PIECE_BYTES).then(|| Instant::now() + FAST);
        while piece.len() < size {
            if self.rest.is_empty() {
                if self.end.is_some() {
                    return (piece.freeze(), self.end);
                }
                match due.filter(|_| !piece.is_empty()) {
                    None => self.read(preempted).await,
                    Some(due) => match timeout_at(due, self.read(preempted)).await {
                        Ok(()) => {}
                        Err(_) => break,
                    },
                }
                continue;
            }
            if piece.capacity() == 0 {
                // No more than it needs: a thousand that are half full are what memory goes into.
                piece.reserve(size);
            }
            let room = self.rest.len().min(size - piece.len());
            piece.extend_from_slice(&self.rest.split_to(room));
        }
        (piece.freeze(), None)
    }
}

/// Takes at most `most` bytes in.
async fn receive(
    body: &mut Body,
    most: u64,
    sink: &mut impl Sink,
    pace: Pace<'_>,
    preempted: &CancellationToken,
) -> Result<End, BlobError> {
    let mut incoming = Incoming {
        body,
        left: most,
        received: 0,
        began: Instant::now(),
        grace: pace.grace,
        rest: Bytes::new(),
        end: None,
    };
    let mut wanted = PIECE_BYTES;
    loop {
        let room = pace.budget.take(wanted);
        let began = Instant::now();
        let (piece, end) = incoming.piece(room.bytes, preempted).await;
        if !piece.is_empty() {
            metrics::UPLOAD_BYTES_TOTAL.increment(u64::try_from(piece.len()).unwrap_or(0));
            sink.write(piece).await?;
        }
        if let Some(end) = end {
            return Ok(end);
        }
        wanted = match began.elapsed() < FAST {
            true => FAST_PIECE_BYTES,
            false => PIECE_BYTES,
        };
    }
}

/// Reads a little of what nobody wants.
pub(super) async fn drain(body: &mut Body) {
    let mut left = DRAINED_BYTES_MAX;
    let reading = async {
        while let Some(Ok(frame)) = body.frame().await {
            let count = frame.data_ref().map_or(0, Bytes::len);
            match left.checked_sub(count) {
                Some(rest) => left = rest,
                None => return,
            }
        }
    };
    // Not reading to the end is no failure: the peer had its chance.
    let _ = tokio::time::timeout(DRAINED_WITHIN, reading).await;
}

#[cfg(test)]
#[path = "receive_tests.rs"]
mod tests;
