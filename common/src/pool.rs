//! A bounded place for work that would block the runtime: disk, hashing, the embedded database.
//!
//! Tokio's blocking threads without a bound would let a burst start hundreds of threads; here a
//! permit is needed first, and whoever waits for one is slowed down, which is the point.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

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

    /// Begins `work` on a blocking thread and comes back once it has a place there.
    pub async fn begin<T, F>(&self, work: F) -> JoinHandle<T>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let permit = Arc::clone(&self.permits)
            .acquire_owned()
            .await
            .expect("the semaphore is never closed");
        tokio::task::spawn_blocking(move || {
            let done = work();
            drop(permit);
            done
        })
    }
}
