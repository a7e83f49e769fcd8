//! Whether there is room for an upload: on the disk, and among the unfinished ones.
//!
//! What was promised but has not come yet is counted as if it were there: many uploads that each
//! would fit must not fill the disk together. Servers of one process that share a file cache share
//! its promises; those of other processes are not known here.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Transfers;
use crate::blob::{BlobError, UploadId};
use crate::id::UserId;

/// Unfinished uploads of one user, or of one address, at most. Each is two small files.
const OF_ONE_MAX: usize = 10_000;

/// Unfinished uploads in all, at most: some 30 MiB of memory.
const IN_ALL_MAX: usize = 200_000;

/// Whose upload it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Owner {
    User(UserId),
    Address(IpAddr),
}

/// The disk would have less left than it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoRoom {
    pub(super) free: u64,
    /// Of these, what others were promised.
    pub(super) promised: u64,
}

/// There are too many unfinished uploads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooMany;

/// What was promised to a file cache and has not come.
#[derive(Clone, Debug, Default)]
pub struct Promises {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// In bytes, in all.
    bytes: u64,
    uploads: HashMap<UploadId, Unfinished>,
    of: HashMap<Owner, usize>,
}

/// An upload that may be interrupted.
#[derive(Clone, Copy, Debug)]
struct Unfinished {
    owner: Owner,
    /// In bytes.
    left: u64,
    /// Whether it is on the disk, where it is found again.
    is_there: bool,
}

/// An upload that is being begun. It counts, and no more if it is dropped before it is there.
#[derive(Debug)]
pub(super) struct Begun {
    promises: Promises,
    id: UploadId,
}

/// Bytes that one request may still bring; given back when dropped.
#[derive(Debug)]
pub(super) struct Promise {
    state: Arc<Mutex<State>>,
    bytes: u64,
}

impl Promises {
    /// All bytes that were promised.
    pub(super) fn bytes(&self) -> u64 {
        self.lock().bytes
    }

    /// For a request that brings everything itself.
    pub(super) fn promise(&self, bytes: u64) -> Promise {
        let mut state = self.lock();
        state.bytes = state.bytes.saturating_add(bytes);
        Promise {
            state: Arc::clone(&self.state),
            bytes,
        }
    }

    /// For an upload that may be interrupted; `left` of it has not come.
    pub(super) fn begin(&self, id: UploadId, owner: Owner, left: u64) -> Result<Begun, TooMany> {
        let mut state = self.lock();
        let of_one = state.of.get(&owner).copied().unwrap_or(0);
        if of_one >= OF_ONE_MAX || state.uploads.len() >= IN_ALL_MAX {
            return Err(TooMany);
        }
        let is_there = false;
        state.add(
            id,
            Unfinished {
                owner,
                left,
                is_there,
            },
        );
        let promises = self.clone();
        Ok(Begun { promises, id })
    }

    /// One that was begun before the server started; it counts whatever the limits are.
    pub(super) fn found(&self, id: UploadId, owner: Owner, left: u64) {
        let is_there = true;
        self.lock().add(
            id,
            Unfinished {
                owner,
                left,
                is_there,
            },
        );
    }

    /// Those that were on the disk once.
    pub(super) fn there(&self) -> Vec<UploadId> {
        let state = self.lock();
        let there = state.uploads.iter().filter(|(_, upload)| upload.is_there);
        there.map(|(id, _)| *id).collect()
    }

    /// How much has not come now.
    pub(super) fn left(&self, id: UploadId, left: u64) {
        let mut state = self.lock();
        if let Some(upload) = state.uploads.get_mut(&id) {
            let before = std::mem::replace(&mut upload.left, left);
            state.bytes = state.bytes.saturating_sub(before).saturating_add(left);
        }
    }

    /// It is finished, or gone.
    pub(super) fn end(&self, id: UploadId) {
        self.lock().remove(id);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl State {
    fn add(&mut self, id: UploadId, upload: Unfinished) {
        self.remove(id);
        self.uploads.insert(id, upload);
        *self.of.entry(upload.owner).or_default() += 1;
        self.bytes = self.bytes.saturating_add(upload.left);
    }

    fn remove(&mut self, id: UploadId) {
        let Some(Unfinished { owner, left, .. }) = self.uploads.remove(&id) else {
            return;
        };
        self.bytes = self.bytes.saturating_sub(left);
        if let Some(count) = self.of.get_mut(&owner) {
            *count -= 1;
            if *count == 0 {
                self.of.remove(&owner);
            }
        }
    }
}

impl Transfers {
    /// Whether the disk has room for `bytes`, of which `promised` are counted already.
    pub(super) async fn find_room(
        &self,
        bytes: u64,
        promised: u64,
    ) -> Result<Result<(), NoRoom>, BlobError> {
        let free = self.blobs.free_bytes().await?;
        let others = self.promises.bytes().saturating_sub(promised);
        let left = free.saturating_sub(others).saturating_sub(bytes);
        if left < self.policy.disk_free_bytes_min {
            let promised = others;
            return Ok(Err(NoRoom { free, promised }));
        }
        Ok(Ok(()))
    }
}

impl Promise {
    /// So much of it came, and lies on the disk now.
    pub(super) fn came(&mut self, bytes: u64) {
        let came = bytes.min(self.bytes);
        self.bytes -= came;
        let mut state = lock(&self.state);
        state.bytes = state.bytes.saturating_sub(came);
    }
}

impl Begun {
    /// It is on the disk: from now on it counts until it is finished or removed.
    pub(super) fn settle(self) {
        let mut state = self.promises.lock();
        if let Some(upload) = state.uploads.get_mut(&self.id) {
            upload.is_there = true;
        }
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        let mut state = self.promises.lock();
        let upload = state.uploads.get(&self.id);
        if upload.is_some_and(|upload| !upload.is_there) {
            state.remove(self.id);
        }
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        state.bytes = state.bytes.saturating_sub(self.bytes);
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // Numbers are changed together, and nothing in between can panic.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_promised_counts_until_it_came_or_never_will() {
        let promises = Promises::default();
        let (ann, bob) = (Owner::User(UserId(1)), Owner::User(UserId(2)));
        let ids: Vec<_> = (0..2).map(|_| UploadId::random().unwrap()).collect();
        promises.begin(ids[0], ann, 100).unwrap().settle();
        promises.begin(ids[1], bob, 10).unwrap().settle();
        let mut all_at_once = promises.promise(1000);
        assert_eq!(promises.bytes(), 1110);
        promises.left(ids[0], 40);
        assert_eq!(promises.bytes(), 1050);
        all_at_once.came(300);
        assert_eq!(promises.bytes(), 750);
        drop(all_at_once);
        promises.end(ids[1]);
        promises.end(ids[1]);
        assert_eq!(promises.bytes(), 40);
        promises.end(ids[0]);
        assert_eq!(promises.bytes(), 0);
        assert!(promises.lock().of.is_empty());
    }

    #[test]
    fn what_never_got_to_the_disk_counts_no_more() {
        let promises = Promises::default();
        let ann = Owner::User(UserId(1));
        let begun = promises
            .begin(UploadId::random().unwrap(), ann, 100)
            .unwrap();
        assert_eq!((promises.bytes(), promises.there()), (100, vec![]));
        drop(begun);
        assert_eq!(promises.bytes(), 0);
        assert!(promises.lock().of.is_empty());
    }

    #[test]
    fn nobody_leaves_too_many_unfinished() {
        let promises = Promises::default();
        let (ann, bob) = (Owner::User(UserId(1)), Owner::User(UserId(2)));
        let first = UploadId::random().unwrap();
        promises.begin(first, ann, 0).unwrap().settle();
        for _ in 1..OF_ONE_MAX {
            let id = UploadId::random().unwrap();
            promises.begin(id, ann, 0).unwrap().settle();
        }
        let more = UploadId::random().unwrap();
        assert!(promises.begin(more, ann, 0).is_err());
        promises.begin(more, bob, 0).unwrap();
        promises.end(first);
        promises.begin(first, ann, 0).unwrap();
    }
}
