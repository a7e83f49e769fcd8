//! Finds uploads again that were begun before the server started, and clears away what was given up.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::note::{Class, Note};
use crate::blob::{BlobError, UploadId};
use crate::id::Millis;
use crate::transfer::Transfers;

const EVERY: Duration = Duration::from_secs(60 * 60);

/// Counts what is there among the promises.
async fn gather(transfers: &Transfers) -> Result<(), BlobError> {
    for id in transfers.partials.list().await? {
        let Some(found) = transfers.partials.find(id).await? else {
            continue;
        };
        let note = Note::read(&found.note);
        let own = note.filter(|note| note.class == Class::from(transfers.policy.class));
        let Some(note) = own.filter(|note| note.stored.is_none()) else {
            continue;
        };
        let received = found.received.unwrap_or(0);
        let left = note.length.unwrap_or(0).saturating_sub(received);
        transfers.promises.found(id, note.owner(), left);
    }
    Ok(())
}

/// Ends the promises of uploads that are there no more, or became files: a server of another
/// process may have removed or finished them.
async fn settle(transfers: &Transfers) -> Result<(), BlobError> {
    for id in transfers.promises.there() {
        let found = transfers.partials.find(id).await?;
        let note = found.and_then(|found| Note::read(&found.note));
        if note.is_none_or(|note| note.stored.is_some()) {
            transfers.promises.end(id);
        }
    }
    Ok(())
}

/// Counts what is there, and removes what expired, now and every hour, until the server stops.
pub(in crate::transfer) async fn look_after(
    transfers: Arc<Transfers>,
    shutdown: CancellationToken,
) {
    if let Err(error) = gather(&transfers).await {
        tracing::warn!(%error, "cannot look for unfinished uploads; they are not counted");
    }
    let mut hours = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            _ = hours.tick() => {}
        }
        match sweep(&transfers).await {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "removed uploads that expired"),
            Err(error) => tracing::warn!(%error, "cannot remove uploads that expired"),
        }
    }
}

/// How many were removed.
async fn sweep(transfers: &Transfers) -> Result<usize, BlobError> {
    let now = transfers.clock.now();
    let before = Millis(now.0.saturating_sub(transfers.policy.upload_expiry_ms));
    let mut removed = 0;
    for id in transfers.partials.list().await? {
        if remove(transfers, id, before).await? {
            removed += 1;
        }
    }
    settle(transfers).await?;
    Ok(removed)
}

async fn remove(transfers: &Transfers, id: UploadId, before: Millis) -> Result<bool, BlobError> {
    let removed = transfers.partials.remove_if_older(id, before).await?;
    if removed {
        transfers.promises.end(id);
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::BlobClass;
    use crate::transfer::Policy;
    use crate::transfer::http::tus::create;
    use crate::transfer::testing::{lenient, uploading, uploading_beside};

    /// To which everything is expired.
    fn impatient(class: BlobClass) -> Policy {
        Policy {
            upload_expiry_ms: -60_000,
            ..lenient(class)
        }
    }

    #[tokio::test]
    async fn what_another_server_removed_is_promised_no_more() {
        let (files, dir) = uploading(lenient(BlobClass::File));
        let images = uploading_beside(&dir, impatient(BlobClass::Image));
        let (caller, note) = Note::of_somebody(&files, 4 << 30);
        drop(create::begin(&files, caller, note).await.unwrap());
        assert_eq!(files.promises.bytes(), 4 << 30);
        assert_eq!(sweep(&images).await.unwrap(), 1);
        assert_eq!(sweep(&files).await.unwrap(), 0);
        assert_eq!(files.promises.bytes(), 0);
    }

    #[tokio::test]
    async fn servers_of_one_process_keep_one_account() {
        let (files, dir) = uploading(lenient(BlobClass::File));
        let images = uploading_beside(&dir, impatient(BlobClass::Image));
        let images = images.sharing(files.promises.clone());
        let (caller, note) = Note::of_somebody(&files, 4 << 30);
        drop(create::begin(&files, caller, note).await.unwrap());
        assert_eq!(images.promises.bytes(), 4 << 30);
        assert_eq!(sweep(&images).await.unwrap(), 1);
        assert_eq!(files.promises.bytes(), 0);
    }
}
