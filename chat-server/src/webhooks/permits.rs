//! How much may be on its way to targets at a time: of everybody, and of one person.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};

use common::id::UserId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::lock;

/// How many events are on their way at a time.
const POSTS_MAX: usize = 64;
/// How many of them one person and his bots may have. Less than all by far: who has only targets
/// that never answer takes an eighth of the room, and the others do not wait for him.
const POSTS_OF_ONE_MAX: usize = 8;

/// See the module's description.
#[derive(Debug)]
pub(super) struct Permits {
    all: Arc<Semaphore>,
    /// Of those who have, or wait for, a permit.
    of_one: Mutex<HashMap<UserId, Weak<Semaphore>>>,
}

/// The right to have something on its way.
#[derive(Debug)]
pub(super) struct Permit {
    _of_all: Option<OwnedSemaphorePermit>,
    _of_one: Option<OwnedSemaphorePermit>,
}

impl Default for Permits {
    fn default() -> Self {
        Self {
            all: Arc::new(Semaphore::new(POSTS_MAX)),
            of_one: Mutex::default(),
        }
    }
}

impl Permits {
    /// Waits until not too much is on its way already, of this person's and of all. Cancel-safe.
    pub(super) async fn get(&self, of: UserId) -> Permit {
        // His own first: who waits for that holds up nobody else. Never closed, so a permit comes.
        let of_one = self.of_one(of).acquire_owned().await.ok();
        let of_all = Arc::clone(&self.all).acquire_owned().await.ok();
        Permit {
            _of_all: of_all,
            _of_one: of_one,
        }
    }

    fn of_one(&self, of: UserId) -> Arc<Semaphore> {
        let mut known = lock(&self.of_one);
        if let Some(permits) = known.get(&of).and_then(Weak::upgrade) {
            return permits;
        }
        known.retain(|_, permits| permits.strong_count() > 0);
        let permits = Arc::new(Semaphore::new(POSTS_OF_ONE_MAX));
        known.insert(of, Arc::downgrade(&permits));
        permits
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    const ANN: UserId = UserId(1);
    const BOB: UserId = UserId(2);

    #[test]
    fn whoever_waits_for_slow_targets_leaves_room_for_others() {
        let permits = Permits::default();
        let mut of_ann = Vec::new();
        while let Some(permit) = permits.get(ANN).now_or_never() {
            of_ann.push(permit);
            assert!(of_ann.len() <= POSTS_MAX / 4, "Ann has no bound of her own");
        }
        let of_bob = permits.get(BOB).now_or_never();
        assert!(of_bob.is_some());
        of_ann.pop();
        assert!(permits.get(ANN).now_or_never().is_some());
    }

    #[test]
    fn all_together_have_a_bound_too() {
        let permits = Permits::default();
        let everybody = (0..1_000).map(UserId);
        let got = everybody.map_while(|user| permits.get(user).now_or_never());
        let got: Vec<_> = got.collect();
        assert_eq!(got.len(), POSTS_MAX);
    }

    #[test]
    fn nothing_is_kept_of_who_has_nothing_on_its_way() {
        let permits = Permits::default();
        for user in 0..1_000 {
            drop(permits.get(UserId(user)).now_or_never());
        }
        assert_eq!(lock(&permits.of_one).len(), 1);
    }
}
