//! Reads a file and computes its hash, not faster than is good for the others who read.

use std::io;
use std::time::Duration;

use bytes::BytesMut;
use tokio::time::{Instant, sleep_until};

use crate::blob::BlobFile;
use crate::blob::file::Hasher;
use crate::id::BlobId;
use crate::pool::BlockingPool;

/// How much is read at a time.
const PIECE_BYTES: u64 = 1 << 20;

/// Spreads reading over time.
#[derive(Debug)]
pub(super) struct Pace {
    bytes_per_s_max: Option<u64>,
    /// What was read so far is paid for until then.
    next: Instant,
}

impl Pace {
    pub(super) fn new(bytes_per_s_max: Option<u64>) -> Self {
        Self {
            bytes_per_s_max,
            next: Instant::now(),
        }
    }

    /// Comes back when so many more bytes may be read.
    async fn wait(&mut self, bytes: u64) {
        let Some(rate) = self.bytes_per_s_max else {
            return;
        };
        sleep_until(self.next).await;
        let taken = Duration::from_micros(bytes.saturating_mul(1_000_000) / rate.max(1));
        self.next = self.next.max(Instant::now()) + taken;
    }
}

/// The hash of the content.
pub(super) async fn hash(
    pool: &BlockingPool,
    file: &BlobFile,
    pace: &mut Pace,
) -> io::Result<BlobId> {
    let mut hasher = Hasher::new(false);
    let mut piece = BytesMut::new();
    let mut offset = 0;
    while offset < file.len() {
        let count = PIECE_BYTES.min(file.len() - offset);
        pace.wait(count).await;
        piece.clear();
        let wanted = usize::try_from(count).unwrap_or(usize::MAX);
        piece = file.read(offset, wanted, piece).await?;
        (hasher, piece) = pool
            .run(move || {
                hasher.update(&piece);
                (hasher, piece)
            })
            .await;
        offset += count;
    }
    Ok(hasher.digest().blob)
}
