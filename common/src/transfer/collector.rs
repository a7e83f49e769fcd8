//! Lets go what nobody needs: files that nothing refers to, when their time is over, and files that
//! the operator keeps for so many days only.
//!
//! Every server of a file cache does this, for files and pictures alike; the locks of the file
//! cache and the database's own conditions keep them from each other. A file goes in three steps:
//! the database says that it is gone, the content is deleted, the row goes. Whoever comes next goes
//! on where a server stopped in between.

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio_util::sync::CancellationToken;

use super::Transfers;
use crate::blob::{BlobError, Blobs};
use crate::config::TransferConfig;
use crate::id::{BlobId, Millis};
use crate::store::file::{self, FileChange};
use crate::store::{Change, Outcome, Store, StoreError};
use crate::telemetry::metrics;

const EVERY: Duration = Duration::from_secs(60);

/// Files that go together. None of them is published meanwhile, so these are few.
const BATCH: u32 = 32;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// How long files are kept although messages refer to them; `None` for ever. In days since they
/// were uploaded last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    pub file_days: Option<u32>,
    pub image_days: Option<u32>,
}

impl From<&TransferConfig> for Retention {
    fn from(config: &TransferConfig) -> Self {
        let days = |days: u32| Some(days).filter(|days| *days > 0);
        Self {
            file_days: days(config.retention_file_days),
            image_days: days(config.retention_image_days),
        }
    }
}

/// Why files could not be let go.
#[derive(Debug, Error)]
pub enum CollectError {
    #[error("the database: {0}")]
    Store(#[from] StoreError),
    #[error("the file cache: {0}")]
    Blob(#[from] BlobError),
}

/// Lets go what is due, now and every minute, until the server stops.
pub(super) async fn look_after(transfers: Arc<Transfers>, shutdown: CancellationToken) {
    let mut minutes = tokio::time::interval(EVERY);
    minutes.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            _ = minutes.tick() => {}
        }
        let (store, blobs) = (&*transfers.store, &transfers.blobs);
        let now = transfers.clock.now();
        let collecting = collect(store, blobs, transfers.policy.retention, now);
        // What is stopped half way is found again.
        match shutdown.run_until_cancelled(collecting).await {
            None => return,
            Some(Ok(0)) => {}
            Some(Ok(deleted)) => tracing::info!(deleted, "deleted files that nobody needs"),
            Some(Err(CollectError::Store(error))) if error.is_passing() => {}
            Some(Err(error)) => tracing::warn!(%error, "cannot delete files that nobody needs"),
        }
    }
}

/// Lets go everything that is due. Answers how many files went.
///
/// # Errors
/// When the database cannot be asked, or content cannot be deleted.
pub async fn collect(
    store: &dyn Store,
    blobs: &Blobs,
    retention: Retention,
    now: Millis,
) -> Result<usize, CollectError> {
    retire(store, retention, now).await?;
    let mut deleted = 0;
    loop {
        let due = file::expired(store, now, BATCH).await?;
        let gone = let_go(store, blobs, &due, now).await?;
        deleted += gone;
        // Those that are needed after all, or just come again, stay at the front: more of them than
        // a batch holds would be a mistake of ours, and not worth going round for ever.
        if gone == 0 {
            return Ok(deleted);
        }
    }
}

/// Says of what is too old that it is gone.
async fn retire(store: &dyn Store, retention: Retention, now: Millis) -> Result<(), StoreError> {
    let before =
        |days: Option<u32>| days.map(|days| Millis(now.0.saturating_sub(i64::from(days) * DAY_MS)));
    let (files, images) = (before(retention.file_days), before(retention.image_days));
    loop {
        let aged = file::aged(store, files, images, BATCH).await?;
        // Each is older than its class's moment, and so than the later one.
        let Some(newest) = files.max(images).filter(|_| !aged.is_empty()) else {
            return Ok(());
        };
        let change = |blob| FileChange::Retire {
            blob,
            before: newest,
            now,
        };
        if done(store, aged, change).await?.is_empty() {
            return Ok(());
        }
    }
}

/// Lets these files go, unless they are needed after all, or uploaded again this moment: then they
/// get their turn in a minute. Answers how many went.
async fn let_go(
    store: &dyn Store,
    blobs: &Blobs,
    due: &[BlobId],
    now: Millis,
) -> Result<usize, CollectError> {
    if due.is_empty() {
        return Ok(0);
    }
    let (_collecting, free) = blobs.collecting_free(due.to_vec()).await?;
    let gone = claim(store, free, now).await?;
    delete(blobs, &gone).await?;
    metrics::FILES_DELETED_TOTAL.increment(u64::try_from(gone.len()).unwrap_or(0));
    erase(store, gone).await
}

/// First step: nobody refers to them from now on. Answers which are to be deleted.
async fn claim(
    store: &dyn Store,
    due: Vec<BlobId>,
    now: Millis,
) -> Result<Vec<BlobId>, StoreError> {
    done(store, due, |blob| FileChange::Forget { blob, now }).await
}

/// Second step.
async fn delete(blobs: &Blobs, gone: &[BlobId]) -> Result<(), BlobError> {
    for blob in gone {
        blobs.forget(*blob).await?;
    }
    Ok(())
}

/// Third step.
async fn erase(store: &dyn Store, gone: Vec<BlobId>) -> Result<usize, CollectError> {
    let erased = done(store, gone, |blob| FileChange::Erased { blob }).await?;
    Ok(erased.len())
}

/// Commits a change for each file; answers for which it was done.
async fn done(
    store: &dyn Store,
    files: Vec<BlobId>,
    change: impl Fn(BlobId) -> FileChange,
) -> Result<Vec<BlobId>, StoreError> {
    let batch: Vec<Change> = files
        .iter()
        .map(|file| Change::File(change(*file)))
        .collect();
    let outcomes = store.commit(&batch).await?;
    let done = files.into_iter().zip(outcomes);
    Ok(done
        .filter(|(_, outcome)| matches!(outcome, Outcome::Done { .. }))
        .map(|(file, _)| file)
        .collect())
}

#[cfg(test)]
mod tests;
