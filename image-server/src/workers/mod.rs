//! The workers as the server sees them: started when there is work, given one picture at a time,
//! and ended when there was none for a while.
//!
//! How many there are at a time is decided by whoever asks: one for each picture under way.
//!
//! In reading order: `program` is what is started, `spawner` starts it, `process` is one of them,
//! `cause` is why one ended that should not have.

mod cause;
mod process;
mod program;
mod spawner;

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use common::blob::BlobFile;
use thiserror::Error;
use tokio::time::Instant;
use tracing::error;

use crate::picture::Fault;
use crate::trouble::Trouble;
use crate::worker::{Confinement, Orders, Task};
use cause::Cause;
use process::{Failure, WorkerProcess};
use spawner::Spawner;

pub(crate) use process::Made;
pub use program::Program;

/// Whoever had no work for so long is ended: starting another one takes some milliseconds.
pub(crate) const IDLE: Duration = Duration::from_secs(30);

/// Why there is no worker.
#[derive(Debug, Error)]
pub enum StartError {
    #[error("it cannot be started: {0}")]
    Start(#[source] io::Error),
    #[error("it said nothing within {} s", .0.as_secs())]
    Silent(Duration),
    #[error("{0}")]
    Refused(String),
}

/// All workers of a server.
#[derive(Debug)]
pub(crate) struct Workers {
    orders: Orders,
    spawner: Spawner,
    /// Whoever has no work, the longest idle first. No more than there ever were pictures under way.
    idle: Mutex<Vec<Idle>>,
}

#[derive(Debug)]
struct Idle {
    worker: WorkerProcess,
    since: Instant,
}

impl Workers {
    /// Nobody is started yet. To be called inside of a runtime.
    pub(crate) fn new(program: &Program, orders: Orders) -> io::Result<Self> {
        Ok(Self {
            orders,
            spawner: Spawner::open(program, &orders)?,
            idle: Mutex::default(),
        })
    }

    /// What holds a worker: tries it with one.
    pub(crate) async fn confinement(&self) -> Result<Confinement, StartError> {
        let worker = self.take().await?;
        let confinement = worker.confinement;
        self.give_back(worker);
        Ok(confinement)
    }

    /// Has something done about the picture in a file. If the future is dropped, the worker is ended.
    pub(crate) async fn carry_out(&self, task: Task, file: &BlobFile) -> Result<Made, Trouble> {
        let taken = self.take().await.map_err(|error| {
            error!(%error, "no process for a picture");
            Trouble::NoWorker
        });
        let mut worker = taken?;
        match worker.carry_out(task, file, &self.orders).await {
            Ok(answer) => {
                self.give_back(worker);
                Ok(answer?)
            }
            Err(Failure::Source(error)) => {
                // It waits for the rest of a picture, and there is no other way to tell it.
                worker.end().await;
                error!(%error, "a stored picture cannot be read");
                Err(Trouble::System)
            }
            Err(Failure::Panicked) => {
                error!("a decoder failed on a picture");
                self.give_back(worker);
                Err(Fault::unreadable().into())
            }
            Err(Failure::Late) => {
                worker.end().await;
                Err(Cause::Late.told())
            }
            Err(Failure::Nonsense) => {
                worker.end().await;
                Err(Cause::Nonsense.told())
            }
            Err(Failure::Gone) => Err(worker.cause_of_end().await.told()),
        }
    }

    /// Ends whoever had nothing to do for so long.
    pub(crate) fn retire(&self, idle_for: Duration) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|idle| idle.since.elapsed() < idle_for);
    }

    /// A worker that lives: the last one that worked, or a new one.
    async fn take(&self) -> Result<WorkerProcess, StartError> {
        while let Some(mut worker) = self.last_idle() {
            // The system may have ended it meanwhile, to have its memory.
            if worker.lives() {
                return Ok(worker);
            }
        }
        self.spawner.spawn().await
    }

    fn last_idle(&self) -> Option<WorkerProcess> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.pop().map(|idle| idle.worker)
    }

    /// One that has seen enough is ended: if a picture could do something to it in spite of
    /// everything, the pictures after it are not many.
    fn give_back(&self, worker: WorkerProcess) {
        if worker.pictures >= self.orders.pictures {
            return;
        }
        let since = Instant::now();
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(Idle { worker, since });
    }
}

#[cfg(test)]
mod tests;
