//! Where pictures are decoded and encoded: so many at a time, so many that wait, each for so long.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use bytes::BytesMut;
use common::blob::BlobFile;
use common::config::PicturesConfig;
use common::pool::BlockingPool;
use common::transfer::http::problem::Problem;
use common::transfer::inspect::Rejected;
use thiserror::Error;
use tokio::sync::Semaphore;
use tracing::error;

use crate::picture::{Fault, Halt, Limits};

/// How many wait for each worker. At some tenths of a second each, the last one waits as long as a
/// person would.
const WAITING_EACH: usize = 32;

/// When to come back if all places are taken, in seconds.
const RETRY_AFTER_S: u64 = 2;

/// Why nothing was made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum Trouble {
    #[error("{0}")]
    Fault(#[from] Fault),
    #[error("Too many pictures are waiting; try again in a moment.")]
    Busy,
    /// What exactly is in the log.
    #[error("The server could not read or write a file.")]
    Disk,
}

impl From<Trouble> for Problem {
    fn from(trouble: Trouble) -> Self {
        let detail = trouble.to_string();
        match trouble {
            Trouble::Fault(Fault::GivenUp) | Trouble::Busy => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail).after(RETRY_AFTER_S)
            }
            Trouble::Fault(fault) => {
                let status = StatusCode::from_u16(fault.status());
                let status = status.unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
                Self::new(status, fault.code(), detail)
            }
            Trouble::Disk => Self::internal(),
        }
    }
}

impl From<Trouble> for Rejected {
    fn from(trouble: Trouble) -> Self {
        let problem = Problem::from(trouble);
        Self {
            status: problem.status.as_u16(),
            code: problem.code,
            detail: problem.detail.into_owned(),
        }
    }
}

/// The workers.
#[derive(Debug)]
pub(crate) struct Workshop {
    limits: Limits,
    time: Duration,
    /// Whoever waits or works.
    places: Semaphore,
    /// Whoever works. Content is in memory only for these.
    turns: Arc<Semaphore>,
    pool: BlockingPool,
}

impl Workshop {
    pub(crate) fn new(config: &PicturesConfig) -> Self {
        let workers = usize::from(config.render_workers);
        Self {
            limits: Limits {
                bytes_max: config.picture_bytes_max.0,
                pixels_max: config.picture_pixels_max,
                frames_max: config.picture_frames_max,
            },
            time: Duration::from_secs(config.render_timeout_s),
            places: Semaphore::new(workers * (1 + WAITING_EACH)),
            turns: Arc::new(Semaphore::new(workers)),
            pool: BlockingPool::new(workers),
        }
    }

    /// Does something with the content of a file. Dropping the future ends the work, too.
    pub(crate) async fn work<T, F>(&self, file: &BlobFile, work: F) -> Result<T, Trouble>
    where
        T: Send + 'static,
        F: FnOnce(&[u8], &Limits, &Halt) -> Result<T, Fault> + Send + 'static,
    {
        let limits = self.limits;
        limits.check_bytes(file.len())?;
        let Ok(_place) = self.places.try_acquire() else {
            return Err(Trouble::Busy);
        };
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let turn = turn.map_err(|_closed| Trouble::Busy)?;
        let count = usize::try_from(file.len()).unwrap_or(usize::MAX);
        let bytes = file.read(0, count, BytesMut::new()).await;
        let bytes = bytes.map_err(|error| {
            error!(%error, "a stored picture cannot be read");
            Trouble::Disk
        })?;
        let halt = Halt::after(self.time);
        let _given_up = GivenUpWhenDropped(halt.clone());
        let done = self.pool.run(move || {
            // Kept until the work ends, even if nobody waits for it any more.
            let _turn = turn;
            let work = AssertUnwindSafe(|| work(&bytes, &limits, &halt));
            catch_unwind(work).unwrap_or_else(|_panic| {
                error!("a decoder failed on a picture");
                Err(Fault::Broken("the server cannot read it".to_owned()))
            })
        });
        Ok(done.await?)
    }
}

/// Ends work that nobody waits for.
struct GivenUpWhenDropped(Halt);

impl Drop for GivenUpWhenDropped {
    fn drop(&mut self) {
        self.0.give_up();
    }
}

#[cfg(test)]
impl Workshop {
    /// Takes every worker, as pictures would that take long.
    pub(crate) async fn take_all(&self) -> tokio::sync::SemaphorePermit<'_> {
        let workers = u32::try_from(self.turns.available_permits()).unwrap();
        self.turns.acquire_many(workers).await.unwrap()
    }

    /// Takes every place, as a crowd would.
    pub(crate) async fn take_places(&self) -> tokio::sync::SemaphorePermit<'_> {
        let places = u32::try_from(self.places.available_permits()).unwrap();
        self.places.acquire_many(places).await.unwrap()
    }
}
