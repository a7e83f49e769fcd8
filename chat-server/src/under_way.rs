//! The sends that were read from a client and not handed to the log yet.
//!
//! A send looks up files and mentions before it is handed in. Whoever asks for its fate meanwhile
//! has to wait: "not stored" must stay true.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use common::id::{ClientId, UserId};
use tokio::sync::Notify;

type Sends = HashMap<(UserId, ClientId), usize>;

/// See the module's description. Bounded by the requests that are carried out at a time.
#[derive(Debug, Default)]
pub struct UnderWay {
    sends: Mutex<Sends>,
    left: Notify,
}

/// A send that is under way until this is dropped.
#[derive(Debug)]
pub struct Entered<'a> {
    home: &'a UnderWay,
    key: (UserId, ClientId),
}

impl UnderWay {
    pub fn enter(&self, user: UserId, client_id: ClientId) -> Entered<'_> {
        let key = (user, client_id);
        *self.lock().entry(key.clone()).or_default() += 1;
        Entered { home: self, key }
    }

    /// Waits until no send of this name is under way.
    pub async fn settled(&self, user: UserId, client_id: &ClientId) {
        let key = (user, client_id.clone());
        loop {
            // Listens first and looks then, so that nobody leaves unheard in between.
            let left = self.left.notified();
            tokio::pin!(left);
            left.as_mut().enable();
            if !self.lock().contains_key(&key) {
                return;
            }
            left.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Sends> {
        self.sends.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        let mut sends = self.home.lock();
        if let Some(count) = sends.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                sends.remove(&self.key);
            }
        }
        drop(sends);
        self.home.left.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn the_question_waits_for_the_send() {
        let under_way = UnderWay::default();
        let (ann, name) = (UserId(1), ClientId::new("x").unwrap());
        let first = under_way.enter(ann, name.clone());
        let second = under_way.enter(ann, name.clone());
        let settled = under_way.settled(ann, &name);
        tokio::pin!(settled);
        assert!(settled.as_mut().now_or_never().is_none());
        drop(first);
        assert!(settled.as_mut().now_or_never().is_none());
        let other = ClientId::new("y").unwrap();
        assert!(under_way.settled(ann, &other).now_or_never().is_some());
        drop(second);
        settled.await;
        assert!(under_way.lock().is_empty());
    }
}
