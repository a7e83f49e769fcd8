//! The sends that were read from a client and not handed to the log yet.
//!
//! A send looks up files and mentions before it is handed in. Whoever asks for its fate meanwhile
//! has to wait: "not stored" must stay true.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use common::id::{ClientId, UserId};
use tokio::sync::Notify;

type Sends = HashMap<(UserId, ClientId), usize>;

/// See the module's description. Bounded by the requests that are carried out at a time.
#[derive(Debug, Default)]
pub struct UnderWay(Arc<Book>);

#[derive(Debug, Default)]
struct Book {
    sends: Mutex<Sends>,
    left: Notify,
}

/// A send that is under way until this is dropped.
#[derive(Debug)]
pub struct Entered {
    book: Arc<Book>,
    key: (UserId, ClientId),
}

impl UnderWay {
    pub fn enter(&self, user: UserId, client_id: ClientId) -> Entered {
        let key = (user, client_id);
        *self.0.lock().entry(key.clone()).or_default() += 1;
        let book = Arc::clone(&self.0);
        Entered { book, key }
    }

    /// Waits until no send of this name is under way.
    pub async fn settled(&self, user: UserId, client_id: &ClientId) {
        let key = (user, client_id.clone());
        loop {
            // Listens first and looks then, so that nobody leaves unheard in between.
            let left = self.0.left.notified();
            tokio::pin!(left);
            left.as_mut().enable();
            if !self.0.lock().contains_key(&key) {
                return;
            }
            left.await;
        }
    }
}

impl Book {
    fn lock(&self) -> MutexGuard<'_, Sends> {
        self.sends.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        let mut sends = self.book.lock();
        if let Some(count) = sends.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                sends.remove(&self.key);
            }
        }
        drop(sends);
        self.book.left.notify_waiters();
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
        assert!(under_way.0.lock().is_empty());
    }
}
