//! Reads an object of a bucket.
//!
//! Most readers go from the beginning to the end in small steps. A request for each would be slow,
//! so from the second step on one request is kept open and read from, as far as it is wanted.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use object_store::{GetOptions, ObjectMeta, ObjectStore};
use tokio::time::timeout;

use crate::blob::lock;
use crate::id::Millis;

/// How long an object store may keep a reader waiting for bytes.
const READ_WAIT: Duration = Duration::from_secs(60);

/// An object that is open for reading.
pub(in crate::blob) struct BucketFile {
    bucket: Arc<dyn ObjectStore>,
    about: ObjectMeta,
    reading: Mutex<Reading>,
}

/// What the last step left.
#[derive(Default)]
enum Reading {
    #[default]
    Nothing,
    /// It ended here.
    Until(u64),
    /// There is a request that goes on.
    Open(Ahead),
}

struct Ahead {
    next: u64,
    until: u64,
    rest: Bytes,
    coming: BoxStream<'static, object_store::Result<Bytes>>,
}

impl fmt::Debug for BucketFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BucketFile")
            .field("about", &self.about)
            .finish_non_exhaustive()
    }
}

impl BucketFile {
    pub(super) fn new(bucket: Arc<dyn ObjectStore>, about: ObjectMeta) -> Self {
        Self {
            bucket,
            about,
            reading: Mutex::default(),
        }
    }

    pub(in crate::blob) fn len(&self) -> u64 {
        self.about.size
    }

    /// When it was written.
    pub(in crate::blob) fn modified(&self) -> Millis {
        Millis(self.about.last_modified.timestamp_millis())
    }

    /// Appends `count` bytes from `offset` to `into`; fewer bytes there are an error.
    pub(in crate::blob) async fn read(
        &self,
        offset: u64,
        count: usize,
        into: BytesMut,
    ) -> io::Result<BytesMut> {
        let end = offset.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        if end > self.len() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if count == 0 {
            return Ok(into);
        }
        let reading = timeout(READ_WAIT, self.step(offset, end, into)).await;
        reading.unwrap_or_else(|_| {
            let seconds = READ_WAIT.as_secs();
            let told = format!("the object store sent too little within {seconds} s");
            Err(io::Error::new(io::ErrorKind::TimedOut, told))
        })
    }

    async fn step(&self, offset: u64, end: u64, mut into: BytesMut) -> io::Result<BytesMut> {
        let start = into.len();
        let last = std::mem::take(&mut *lock(&self.reading));
        let goes_on = last.end() == Some(offset);
        if goes_on && let Reading::Open(mut ahead) = last {
            // The object store may have ended it, if the reader was slow. Then once more.
            if ahead.read(end, &mut into).await.is_ok() {
                self.leave(ahead);
                return Ok(into);
            }
            into.truncate(start);
        }
        let until = if goes_on { self.len() } else { end };
        let mut ahead = self.request(offset, until).await?;
        ahead.read(end, &mut into).await?;
        self.leave(ahead);
        Ok(into)
    }

    async fn request(&self, offset: u64, until: u64) -> io::Result<Ahead> {
        let options = GetOptions::new().with_range(Some(offset..until));
        let got = self.bucket.get_opts(&self.about.location, options).await?;
        Ok(Ahead {
            next: offset,
            until,
            rest: Bytes::new(),
            coming: got.into_stream(),
        })
    }

    fn leave(&self, ahead: Ahead) {
        *lock(&self.reading) = match ahead.next == ahead.until {
            true => Reading::Until(ahead.next),
            false => Reading::Open(ahead),
        };
    }
}

impl Reading {
    fn end(&self) -> Option<u64> {
        match self {
            Self::Nothing => None,
            Self::Until(end) => Some(*end),
            Self::Open(ahead) => Some(ahead.next),
        }
    }
}

impl Ahead {
    /// Appends what comes before `end`.
    async fn read(&mut self, end: u64, into: &mut BytesMut) -> io::Result<()> {
        while self.next < end {
            if self.rest.is_empty() {
                let come = self.coming.next().await;
                self.rest = come.ok_or(io::ErrorKind::UnexpectedEof)??;
            }
            let wanted = usize::try_from(end - self.next).unwrap_or(usize::MAX);
            let piece = self.rest.split_to(wanted.min(self.rest.len()));
            self.next += u64::try_from(piece.len()).unwrap_or(u64::MAX);
            into.extend_from_slice(&piece);
        }
        Ok(())
    }
}
