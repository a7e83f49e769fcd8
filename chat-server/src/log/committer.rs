//! The one queue to the database: everything that waits is committed together.
//!
//! The previous commit's duration is the batching window; there is no timer. Only after the commit
//! does the sender hear of success, the tail get the entries and the hub ring the receivers' bells.

use std::sync::Arc;
use std::time::Duration;

use common::store::{Change, Outcome, Store, StoreError};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::Tail;
use crate::hub::Hub;

/// How many changes may wait. A full queue makes the submitting session wait, and so its client.
pub const QUEUE_LENGTH_MAX: usize = 8_192;
/// How many changes go into one transaction.
const BATCH_LENGTH_MAX: usize = 1_024;
/// How long a batch is tried again while the database is away, before the senders are told.
const RETRY_FOR: Duration = Duration::from_secs(4);
const RETRY_PAUSE_FIRST: Duration = Duration::from_millis(50);
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(1);

struct Job {
    change: Change,
    answer: oneshot::Sender<Result<Outcome, StoreError>>,
}

/// The way to the committer, for everybody.
#[derive(Clone, Debug)]
pub struct Log {
    queue: mpsc::Sender<Job>,
}

/// A change that was handed in and whose outcome is not known yet.
#[derive(Debug)]
pub struct Pending(oneshot::Receiver<Result<Outcome, StoreError>>);

impl Log {
    /// Hands a change in, in order, and waits only for a place in the queue.
    ///
    /// # Errors
    /// [`StoreError::Unreachable`] when the server is stopping.
    pub async fn submit(&self, change: Change) -> Result<Pending, StoreError> {
        let (answer, pending) = oneshot::channel();
        self.queue
            .send(Job { change, answer })
            .await
            .map_err(|_| stopping())?;
        Ok(Pending(pending))
    }

    /// Hands a change in and waits until it is durable.
    ///
    /// # Errors
    /// Whatever kept the database from saving it.
    pub async fn commit(&self, change: Change) -> Result<Outcome, StoreError> {
        self.submit(change).await?.outcome().await
    }
}

impl Pending {
    /// Waits until the change is durable, or refused, or failed.
    ///
    /// # Errors
    /// Whatever kept the database from saving it.
    pub async fn outcome(self) -> Result<Outcome, StoreError> {
        self.0.await.unwrap_or_else(|_| Err(stopping()))
    }
}

fn stopping() -> StoreError {
    StoreError::Unreachable("the server is stopping".to_owned())
}

/// Owns the queue's other end. Ends when every [`Log`] is gone.
pub struct Committer {
    queue: mpsc::Receiver<Job>,
    store: Arc<dyn Store>,
    tail: Arc<Tail>,
    hub: Arc<Hub>,
    /// The last batch failed: tell the next senders at once instead of letting each wait.
    is_down: bool,
}

impl std::fmt::Debug for Committer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Committer")
            .field("is_down", &self.is_down)
            .finish_non_exhaustive()
    }
}

impl Committer {
    pub fn new(store: Arc<dyn Store>, tail: Arc<Tail>, hub: Arc<Hub>) -> (Log, Self) {
        let (sender, queue) = mpsc::channel(QUEUE_LENGTH_MAX);
        (
            Log { queue: sender },
            Self {
                queue,
                store,
                tail,
                hub,
                is_down: false,
            },
        )
    }

    pub async fn run(mut self) {
        let mut jobs = Vec::new();
        while self.queue.recv_many(&mut jobs, BATCH_LENGTH_MAX).await > 0 {
            let (batch, answers) = jobs.drain(..).map(|job| (job.change, job.answer)).unzip();
            self.commit(batch, answers).await;
        }
    }

    async fn commit(&mut self, mut batch: Vec<Change>, mut answers: Vec<Answer>) {
        let deadline = Instant::now() + RETRY_FOR;
        let mut pause = RETRY_PAUSE_FIRST;
        loop {
            let error = match self.store.commit(&batch).await {
                Ok(outcomes) => {
                    if self.is_down {
                        tracing::info!("the database saves changes again");
                    }
                    self.is_down = false;
                    return self.tell(&batch, outcomes, answers);
                }
                Err(error) => error,
            };
            if matches!(error, StoreError::OutcomeUnknown(_)) {
                (batch, answers) = keep_repeatable(batch, answers, &error);
            }
            let may_retry = error.is_passing() && !self.is_down && !batch.is_empty();
            if !may_retry || Instant::now() + pause > deadline {
                tracing::error!(%error, changes = batch.len(), "changes could not be saved");
                self.is_down = error.is_passing();
                for answer in answers {
                    // A receiver that is gone wants to know nothing.
                    let _ = answer.send(Err(error.clone()));
                }
                return;
            }
            tracing::warn!(%error, changes = batch.len(), "trying to save again");
            tokio::time::sleep(pause).await;
            pause = RETRY_PAUSE_MAX.min(pause * 2);
        }
    }

    fn tell(&self, batch: &[Change], outcomes: Vec<Outcome>, answers: Vec<Answer>) {
        let mut fresh = Vec::new();
        for (change, outcome) in batch.iter().zip(&outcomes) {
            if let Outcome::Done { id, entries } = outcome {
                self.hub.note_membership(change, *id);
                fresh.extend(entries.iter().cloned());
            }
        }
        self.tail.push(fresh.iter().cloned());
        for entry in &fresh {
            self.hub
                .ring(entry.conv, (entry.origin.user, entry.origin.device));
        }
        // A commit whose answer was lost rang nobody: its repetition does.
        for (change, outcome) in batch.iter().zip(&outcomes) {
            if let (Change::Append(append), Outcome::AlreadyThere { .. }) = (change, outcome) {
                let origin = &append.origin;
                self.hub.ring(append.conv, (origin.user, origin.device));
            }
        }
        for (outcome, answer) in outcomes.into_iter().zip(answers) {
            // A receiver that is gone wants to know nothing.
            let _ = answer.send(Ok(outcome));
        }
    }
}

type Answer = oneshot::Sender<Result<Outcome, StoreError>>;

/// After a commit of unknown outcome only what is recognised by its client id may be repeated;
/// the others are told that nobody knows.
fn keep_repeatable(
    batch: Vec<Change>,
    answers: Vec<Answer>,
    error: &StoreError,
) -> (Vec<Change>, Vec<Answer>) {
    let mut kept = (Vec::new(), Vec::new());
    for (change, answer) in batch.into_iter().zip(answers) {
        if matches!(change, Change::Append(_) | Change::MoveCursor { .. }) {
            kept.0.push(change);
            kept.1.push(answer);
        } else {
            let _ = answer.send(Err(error.clone()));
        }
    }
    kept
}
