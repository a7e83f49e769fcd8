//! A bounded place for work that would block the runtime: disk, hashing, the embedded database.
//!
//! Tokio's blocking threads without a bound would let a burst start hundreds of threads; here a
//! permit is needed first, and whoever waits for one is slowed down, which is the point.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::JoinHandle;
use tokio_util::task::AbortOnDropHandle;

/// At most `size` pieces of blocking work at a time.
#[derive(Clone, Debug)]
pub struct BlockingPool {
    permits: Arc<Semaphore>,
}

impl BlockingPool {
    pub fn new(size: usize) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(size)),
        }
    }

    /// Runs `work` on a blocking thread. A caller that goes away does not stop work that began.
    ///
    /// # Panics
    /// If `work` panics, so does the caller.
    pub async fn run<T, F>(&self, work: F) -> T
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        match self.begin(work).await.await {
            Ok(done) => done,
            Err(stopped) => std::panic::resume_unwind(stopped.into_panic()),
        }
    }

    /// Begins `work` on a blocking thread and comes back once it has a place there. Work that has no
    /// place yet is given up with its caller.
    ///
    /// A place goes to whoever has waited longest, whether he is looking or not. A future among
    /// several of one task is not polled while the task waits for something else; if that waits for
    /// a place too, behind it, the place would be held for nothing and for ever. So the waiting is
    /// done by a task of its own.
    pub async fn begin<T, F>(&self, work: F) -> JoinHandle<T>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let permits = Arc::clone(&self.permits);
        if let Ok(permit) = Arc::clone(&permits).try_acquire_owned() {
            return start(work, permit);
        }
        let (tell, started) = oneshot::channel();
        let waiting = tokio::spawn(async move {
            let permit = permits.acquire_owned().await;
            let permit = permit.expect("the semaphore is never closed");
            // Who asked cannot be gone: then this would have been given up.
            let _ = tell.send(start(work, permit));
        });
        let _given_up_with_us = AbortOnDropHandle::new(waiting);
        match started.await {
            Ok(started) => started,
            // The runtime is being taken down, and whoever asked with it.
            Err(_gone) => std::future::pending().await,
        }
    }
}

fn start<T, F>(work: F, permit: OwnedSemaphorePermit) -> JoinHandle<T>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    tokio::task::spawn_blocking(move || {
        let done = work();
        drop(permit);
        done
    })
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn who_waits_and_does_not_look_holds_up_nobody() {
        let pool = BlockingPool::new(1);
        let (let_go, held) = mpsc::channel::<()>();
        let first = pool.begin(move || held.recv().is_err()).await;
        let mut unlooked = Box::pin(pool.run(|| 2));
        assert!(futures_util::poll!(&mut unlooked).is_pending());
        let mut third = Box::pin(pool.run(|| 3));
        assert!(futures_util::poll!(&mut third).is_pending());
        drop(let_go);
        assert!(first.await.unwrap());
        let third = timeout(Duration::from_secs(10), third).await;
        assert_eq!(third.expect("it is held up"), 3);
        assert_eq!(unlooked.await, 2);
    }
}
