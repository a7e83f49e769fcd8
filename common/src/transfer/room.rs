//! Whether there is room for an upload: on the disk, within the quotas, among the unfinished ones.
//!
//! What was promised but has not come yet is counted as if it were there: many uploads that each
//! would fit must not fill the disk together.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::blob::UploadId;
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

/// There are too many unfinished uploads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooMany;

/// What was promised and has not come.
#[derive(Clone, Debug, Default)]
pub(super) struct Promises {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// In bytes, in all.
    bytes: u64,
    uploads: HashMap<UploadId, (Owner, u64)>,
    of: HashMap<Owner, usize>,
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
    pub(super) fn begin(&self, id: UploadId, owner: Owner, left: u64) -> Result<(), TooMany> {
        let mut state = self.lock();
        let of_one = state.of.get(&owner).copied().unwrap_or(0);
        if of_one >= OF_ONE_MAX || state.uploads.len() >= IN_ALL_MAX {
            return Err(TooMany);
        }
        state.add(id, owner, left);
        Ok(())
    }

    /// One that was begun before the server started; it counts whatever the limits are.
    pub(super) fn found(&self, id: UploadId, owner: Owner, left: u64) {
        self.lock().add(id, owner, left);
    }

    /// How much has not come now.
    pub(super) fn left(&self, id: UploadId, left: u64) {
        let mut state = self.lock();
        if let Some((_, promised)) = state.uploads.get_mut(&id) {
            let before = std::mem::replace(promised, left);
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
    fn add(&mut self, id: UploadId, owner: Owner, left: u64) {
        self.remove(id);
        self.uploads.insert(id, (owner, left));
        *self.of.entry(owner).or_default() += 1;
        self.bytes = self.bytes.saturating_add(left);
    }

    fn remove(&mut self, id: UploadId) {
        let Some((owner, left)) = self.uploads.remove(&id) else {
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
        promises.begin(ids[0], ann, 100).unwrap();
        promises.begin(ids[1], bob, 10).unwrap();
        let all_at_once = promises.promise(1000);
        assert_eq!(promises.bytes(), 1110);
        promises.left(ids[0], 40);
        assert_eq!(promises.bytes(), 1050);
        drop(all_at_once);
        promises.end(ids[1]);
        promises.end(ids[1]);
        assert_eq!(promises.bytes(), 40);
        promises.end(ids[0]);
        assert_eq!(promises.bytes(), 0);
        assert!(promises.lock().of.is_empty());
    }

    #[test]
    fn nobody_leaves_too_many_unfinished() {
        let promises = Promises::default();
        let (ann, bob) = (Owner::User(UserId(1)), Owner::User(UserId(2)));
        let first = UploadId::random().unwrap();
        promises.begin(first, ann, 0).unwrap();
        for _ in 1..OF_ONE_MAX {
            let id = UploadId::random().unwrap();
            promises.begin(id, ann, 0).unwrap();
        }
        let more = UploadId::random().unwrap();
        assert_eq!(promises.begin(more, ann, 0), Err(TooMany));
        promises.begin(more, bob, 0).unwrap();
        promises.end(first);
        promises.begin(first, ann, 0).unwrap();
    }
}
