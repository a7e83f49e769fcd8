//! Gives large uploads of HTTP their MD5 name afterwards, by which old clients ask for them.
//!
//! One at a time. What is not done when the server ends is found again at its next start.

use std::sync::Arc;

use bytes::BytesMut;
use md5::{Digest as _, Md5};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Transfers;
use crate::id::BlobId;
use crate::store::file::{self, FileChange};
use crate::store::{Change, StoreError};

/// Files that wait. One more is found at the next start only, or when its turn comes after a pause.
const WAITING_MAX: usize = 1024;

/// So many files without a name are asked for at a time.
const FOUND_MAX: u32 = 256;

/// Files are read in steps of this size.
const STEP_BYTES: u64 = 4 << 20;

/// Where uploads ask for a name.
#[derive(Debug)]
pub(super) struct Naming {
    sender: mpsc::Sender<BlobId>,
}

/// Where the one who gives names finds them.
#[derive(Debug)]
pub(super) struct Unnamed {
    waiting: mpsc::Receiver<BlobId>,
}

pub(super) fn naming() -> (Naming, Unnamed) {
    let (sender, waiting) = mpsc::channel(WAITING_MAX);
    (Naming { sender }, Unnamed { waiting })
}

impl Naming {
    /// This file needs a name. Nobody waits for it.
    pub(super) fn ask(&self, blob: BlobId) {
        // With so many before it, it is found at the next start.
        if self.sender.try_send(blob).is_err() {
            tracing::warn!(%blob, "too many files wait for their MD5; this one waits for a restart");
        }
    }
}

/// Names what was left without, and then what comes, until the server stops.
pub(super) async fn run(
    transfers: Arc<Transfers>,
    mut unnamed: Unnamed,
    shutdown: CancellationToken,
) {
    let work = async {
        if let Err(error) = name_the_left(&transfers).await {
            tracing::warn!(%error, "cannot look for files without an MD5; the next start will");
        }
        while let Some(blob) = unnamed.waiting.recv().await {
            name(&transfers, blob).await;
        }
    };
    tokio::select! {
        biased;
        () = shutdown.cancelled() => {}
        () = work => {}
    }
}

async fn name_the_left(transfers: &Transfers) -> Result<(), StoreError> {
    let class = transfers.policy.class;
    let mut after = None;
    loop {
        let found = file::unnamed(&*transfers.store, class, after, FOUND_MAX).await?;
        let Some(last) = found.last() else {
            return Ok(());
        };
        after = Some(*last);
        for blob in found {
            name(transfers, blob).await;
        }
    }
}

/// Old clients do without the file if this fails.
async fn name(transfers: &Transfers, blob: BlobId) {
    match md5(transfers, blob).await {
        Ok(Some(md5)) => {
            let change = FileChange::Named {
                class: transfers.policy.class,
                blob,
                md5,
                at: transfers.clock.now(),
            };
            if let Err(error) = transfers.store.commit(&[Change::File(change)]).await {
                tracing::warn!(%blob, %error, "a file has no MD5 yet; the next start tries again");
            }
        }
        Ok(None) => {}
        Err(error) => tracing::warn!(%blob, error, "the MD5 of a file cannot be computed"),
    }
}

async fn md5(transfers: &Transfers, blob: BlobId) -> Result<Option<String>, String> {
    let opened = transfers.blobs.read(blob).await;
    let Some(file) = opened.map_err(|error| error.to_string())? else {
        return Ok(None);
    };
    let mut sum = Md5::new();
    let mut bytes = BytesMut::new();
    let mut at = 0;
    while at < file.len() {
        let count = STEP_BYTES.min(file.len() - at);
        bytes.clear();
        let read = file.read(at, usize::try_from(count).unwrap_or(0), bytes);
        bytes = read.await.map_err(|error| error.to_string())?;
        let work = move || {
            sum.update(&bytes);
            (sum, bytes)
        };
        (sum, bytes) = transfers.blobs.pool().run(work).await;
        at += count;
    }
    let sum = sum.finalize();
    Ok(Some(sum.iter().map(|byte| format!("{byte:02x}")).collect()))
}
