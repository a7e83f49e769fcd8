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

/// A peer may be silent so long, and so much later than it should it may come.
const GRACE: Duration = Duration::from_secs(15);

/// Below this rate an upload is not worth its connection: who sends one byte now and then would
/// hold it for ever.
const BYTES_PER_S_MIN: u64 = 1 << 10;

/// How much of an upload is held in memory before it goes to the disk. A thousand slow uploads
/// together hold 64 MiB.
const PIECE_BYTES: usize = 64 << 10;

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
        receive(body, most, &mut watched, &self.budget, preempted).await
    }
}

/// How long the peer may take.
struct Pace {
    began: Instant,
    received: u64,
}

impl Pace {
    /// Until when the next bytes must be there.
    fn deadline(&self) -> Instant {
        let earned = Duration::from_secs(self.received / BYTES_PER_S_MIN);
        (Instant::now() + GRACE).min(self.began + GRACE + earned)
    }
}

/// Takes at most `most` bytes in.
async fn receive(
    body: &mut Body,
    most: u64,
    sink: &mut impl Sink,
    budget: &Budget,
    preempted: &CancellationToken,
) -> Result<End, BlobError> {
    let mut pace = Pace {
        began: Instant::now(),
        received: 0,
    };
    let mut wanted = PIECE_BYTES;
    loop {
        let room = budget.take(wanted);
        let began = Instant::now();
        let mut piece = BytesMut::new();
        let ended = fill(body, most, &mut piece, room.bytes, &mut pace, preempted).await;
        if !piece.is_empty() {
            metrics::UPLOAD_BYTES_TOTAL.increment(u64::try_from(piece.len()).unwrap_or(0));
            sink.write(piece.freeze()).await?;
        }
        if let Some(end) = ended {
            return Ok(end);
        }
        wanted = match began.elapsed() < FAST {
            true => FAST_PIECE_BYTES,
            false => PIECE_BYTES,
        };
    }
}

/// Collects a piece; tells if it was the last one.
async fn fill(
    body: &mut Body,
    most: u64,
    piece: &mut BytesMut,
    room: usize,
    pace: &mut Pace,
    preempted: &CancellationToken,
) -> Option<End> {
    while piece.len() < room {
        let next = tokio::select! {
            biased;
            () = preempted.cancelled() => return Some(End::Preempted),
            next = timeout_at(pace.deadline(), body.frame()) => next,
        };
        let frame = match next {
            Err(_) => return Some(End::Slow),
            Ok(None) => return Some(End::Whole),
            Ok(Some(Err(_))) => return Some(End::Broken),
            Ok(Some(Ok(frame))) => frame,
        };
        // Trailers say nothing that anybody asked for.
        let Ok(mut bytes) = frame.into_data() else {
            continue;
        };
        let left = most - pace.received;
        let count = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if count > left {
            bytes.truncate(usize::try_from(left).unwrap_or(0));
            piece.extend_from_slice(&bytes);
            pace.received += left;
            return Some(End::TooMuch);
        }
        pace.received += count;
        piece.extend_from_slice(&bytes);
    }
    None
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
