//! Whether an upload of some size may come from this caller now.

use axum::http::StatusCode;

use super::access::Caller;
use super::finish::{quota_total, quota_user};
use super::problem::Problem;
use crate::id::BlobId;
use crate::store::file;
use crate::telemetry::metrics;
use crate::transfer::Transfers;
use crate::transfer::promised_bytes::NoRoom;
use crate::transfer::quota::Reservation;

impl Transfers {
    /// Checks every limit that can be checked before the first byte comes. `promised` of `bytes`
    /// are counted among the promises already.
    ///
    /// # Errors
    /// 413 for a file that is too large, 507 where there is no room for it.
    pub(super) async fn admit(
        &self,
        caller: Caller,
        bytes: u64,
        promised: u64,
    ) -> Result<(), Problem> {
        let policy = &self.policy;
        if bytes > policy.upload_bytes_max {
            return Err(too_large(policy.upload_bytes_max));
        }
        self.check_disk(bytes, promised).await?;
        self.check_quotas(caller, bytes).await?;
        if caller.user.is_none() {
            self.reserve(caller, bytes).await?;
        }
        Ok(())
    }

    /// The same when all bytes are here, just before they are kept: refused later, they would lie
    /// around.
    ///
    /// # Errors
    /// 507.
    pub(super) async fn admit_whole(
        &self,
        caller: Caller,
        blob: BlobId,
        bytes: u64,
    ) -> Result<Option<Reservation>, Problem> {
        let Some(user) = caller.user else {
            self.check_quotas(caller, bytes).await?;
            return Ok(Some(self.reserve(caller, bytes).await?));
        };
        let class = self.policy.class;
        // What counts already does not count again.
        if !file::uploaded_by(&*self.store, user, class, blob).await? {
            self.check_quotas(caller, bytes).await?;
        }
        Ok(None)
    }

    /// Takes from what an address may upload today.
    async fn reserve(&self, caller: Caller, bytes: u64) -> Result<Reservation, Problem> {
        let (store, day) = (&*self.store, self.clock.now().day());
        let reserved = self.quota.reserve(store, caller.address, day, bytes);
        reserved.await?.ok_or_else(day_quota)
    }

    async fn check_quotas(&self, caller: Caller, bytes: u64) -> Result<(), Problem> {
        let policy = &self.policy;
        let within = |used: u64, most: u64| used.saturating_add(bytes) <= most;
        if let (Some(user), Some(most)) = (caller.user, policy.user_bytes_max)
            && !within(file::used(&*self.store, user).await?, most)
        {
            return Err(quota_user());
        }
        if let Some(most) = policy.total_bytes_max
            && !within(file::used_in_all(&*self.store).await?, most)
        {
            return Err(quota_total());
        }
        Ok(())
    }

    async fn check_disk(&self, bytes: u64, promised: u64) -> Result<(), Problem> {
        match self.find_room(bytes, promised).await? {
            Ok(()) => Ok(()),
            Err(NoRoom { free, promised }) => {
                tracing::warn!(
                    free,
                    promised,
                    bytes,
                    "an upload was refused: the disk is full"
                );
                Err(disk_full())
            }
        }
    }
}

pub(super) fn too_large(most: u64) -> Problem {
    let status = StatusCode::PAYLOAD_TOO_LARGE;
    let detail = format!("A file may have {most} bytes at most on this server.");
    Problem::new(status, "file_too_large", detail)
}

pub(super) fn disk_full() -> Problem {
    let detail = "The server's disk is full; try again later, or tell its operator.";
    Problem::new(StatusCode::INSUFFICIENT_STORAGE, "disk_full", detail)
}

fn day_quota() -> Problem {
    metrics::rate_limited("upload_day_bytes");
    let detail = "Your address has uploaded as much today as the server allows.";
    Problem::new(StatusCode::INSUFFICIENT_STORAGE, "quota_day", detail)
}
