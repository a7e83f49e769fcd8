//! The one queue to the database: everything that waits is committed together.
//!
//! The previous commit's duration is the batching window; there is no timer. Only after the commit
//! does the sender hear of success, the tail get the entries and the hub ring the receivers' bells.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use common::api::{Body, Entry};
use common::auth::Commit;
use common::id::{DeviceId, UserId};
use common::store::{Change, Outcome, Store, StoreError};
use common::telemetry::metrics;
use common::telemetry::trace::{self, TraceId};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::repeated;
use super::unheard::Unheard;
use super::{Tail, Unindexed};
use crate::hub::Hub;
use crate::read_marks::OwnMarks;

/// How many changes may wait. A full queue makes the submitting session wait, and so its client.
pub const QUEUE_LENGTH_MAX: usize = 8_192;
/// How many changes go into one transaction.
const BATCH_LENGTH_MAX: usize = 1_024;
/// How much work goes into one transaction, see [`weight`]: a database that is a millisecond away
/// has to be done within its time limit, or nothing of the batch is ever saved.
const BATCH_WEIGHT_MAX: usize = 1_024;
/// How long a batch is tried again while the database is away, before the senders are told.
const RETRY_FOR: Duration = Duration::from_secs(4);
const RETRY_PAUSE_FIRST: Duration = Duration::from_millis(50);
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(1);

struct Job {
    change: Change,
    answer: Answer,
}

/// The way back to whoever handed a change in, and when that was.
struct Answer {
    sender: oneshot::Sender<Result<Outcome, StoreError>>,
    since: Instant,
    /// The change is a message, and who wrote it has read what stands before.
    is_readers: bool,
    /// The database broke off while it saved the change: whatever goes wrong with its repetition,
    /// nobody knows the outcome.
    doubt: Option<StoreError>,
}

impl Answer {
    fn send(self, outcome: Result<Outcome, StoreError>) {
        let outcome = outcome.map_err(|error| self.doubt.unwrap_or(error));
        // A receiver that is gone wants to know nothing.
        let _ = self.sender.send(outcome);
    }
}

/// The way to the committer, for everybody.
#[derive(Clone, Debug)]
pub struct Log {
    queue: mpsc::Sender<Job>,
    own_marks: Arc<OwnMarks>,
}

/// A change that was handed in and whose outcome is not known yet.
#[derive(Debug)]
pub struct Pending(oneshot::Receiver<Result<Outcome, StoreError>>);

impl Log {
    /// Hands a change in, in order, and waits only for a place in the queue.
    ///
    /// # Errors
    /// [`StoreError::Unreachable`] when the server is stopping.
    pub fn submit(
        &self,
        change: Change,
    ) -> impl Future<Output = Result<Pending, StoreError>> + Send {
        self.hand_in(change, false)
    }

    /// As [`Log::submit`], for a message whose author has read what stands before it: that is noted
    /// with the commit, also if nobody waits for the outcome any more.
    ///
    /// # Errors
    /// As [`Log::submit`].
    pub fn submit_of_reader(
        &self,
        message: Change,
    ) -> impl Future<Output = Result<Pending, StoreError>> + Send {
        self.hand_in(message, true)
    }

    /// The place first, then what is put there: a change is large, and every connection has room for
    /// as many as stand in this at a time.
    async fn hand_in(&self, change: Change, is_readers: bool) -> Result<Pending, StoreError> {
        let since = Instant::now();
        let place = self.queue.reserve().await.map_err(|_| stopping())?;
        let (sender, pending) = oneshot::channel();
        let answer = Answer {
            sender,
            since,
            is_readers,
            doubt: None,
        };
        place.send(Job { change, answer });
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

#[async_trait]
impl Commit for Log {
    async fn commit_one(&self, change: Change) -> Result<Outcome, StoreError> {
        self.commit(change).await
    }
}

impl Log {
    /// How many changes wait.
    pub fn waiting(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }

    /// How far those who write have read, as far as it is not in the database yet.
    pub fn own_marks(&self) -> &OwnMarks {
        &self.own_marks
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
    unindexed: Arc<Unindexed>,
    own_marks: Arc<OwnMarks>,
    unheard: Unheard,
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
        let own_marks = Arc::<OwnMarks>::default();
        (
            Log {
                queue: sender,
                own_marks: Arc::clone(&own_marks),
            },
            Self {
                queue,
                store,
                tail,
                hub,
                unindexed: Arc::default(),
                own_marks,
                unheard: Unheard::new(),
                is_down: false,
            },
        )
    }

    /// Where it is noted which conversations something was appended to.
    pub fn unindexed(&self) -> Arc<Unindexed> {
        Arc::clone(&self.unindexed)
    }

    /// Commits until every [`Log`] is gone. If it panics, `shutdown` is cancelled at once: a
    /// server that can save nothing has to say so and stop.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let stop_if_panicked = shutdown.drop_guard();
        let mut jobs = Vec::new();
        loop {
            let due = self.unheard.next_at();
            tokio::select! {
                biased;
                count = self.queue.recv_many(&mut jobs, BATCH_LENGTH_MAX) => if count == 0 {
                    break;
                },
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    self.tell_unheard().await;
                }
            }
            while !jobs.is_empty() {
                let length = fitting(jobs.iter().map(|job| &job.change));
                let now = jobs.drain(..length);
                let (batch, answers) = now.map(|job| (job.change, job.answer)).unzip();
                self.commit(batch, answers).await;
            }
        }
        stop_if_panicked.disarm();
    }

    async fn commit(&mut self, mut batch: Vec<Change>, mut answers: Vec<Answer>) {
        let deadline = Instant::now() + RETRY_FOR;
        let mut pause = RETRY_PAUSE_FIRST;
        loop {
            let began = Instant::now();
            let committed = self.store.commit(&batch).await;
            note_commit(batch.len(), began.elapsed());
            let error = match committed {
                Ok(outcomes) => {
                    if self.is_down {
                        tracing::info!("the database saves changes again");
                    }
                    self.is_down = false;
                    return self.tell(&batch, outcomes, answers).await;
                }
                Err(error) => error,
            };
            metrics::db_error(&error);
            if matches!(error, StoreError::Broken(_)) && batch.len() > 1 {
                return self.commit_one_by_one(batch, answers).await;
            }
            if matches!(error, StoreError::OutcomeUnknown(_)) {
                self.unheard.note(&batch);
                self.tail.forget();
                (batch, answers) = keep_repeatable(batch, answers, &error);
            }
            let may_retry = error.is_passing() && !self.is_down && !batch.is_empty();
            if !may_retry || Instant::now() + pause > deadline {
                tracing::error!(%error, changes = batch.len(), "changes could not be saved");
                self.is_down = error.is_passing();
                for answer in answers {
                    answer.send(Err(error.clone()));
                }
                return;
            }
            tracing::warn!(%error, changes = batch.len(), "trying to save again");
            tokio::time::sleep(pause).await;
            pause = RETRY_PAUSE_MAX.min(pause * 2);
        }
    }

    /// One change that the database cannot take must not fail its neighbors.
    async fn commit_one_by_one(&mut self, batch: Vec<Change>, answers: Vec<Answer>) {
        for (change, answer) in batch.into_iter().zip(answers) {
            Box::pin(self.commit(vec![change], vec![answer])).await;
        }
    }

    async fn tell(&mut self, batch: &[Change], outcomes: Vec<Outcome>, answers: Vec<Answer>) {
        let mut fresh = Vec::new();
        for outcome in &outcomes {
            if let Outcome::Done { entries, .. } = outcome {
                fresh.extend(entries.iter().cloned());
            }
        }
        for entry in &fresh {
            self.hub.note(entry);
        }
        self.tail.push(fresh.iter().cloned());
        self.unindexed.mark(fresh.iter().map(|entry| entry.conv));
        let is_traced = trace::is_on();
        for entry in &fresh {
            if is_traced {
                trace(entry, "committed");
            }
            self.hub.ring(entry.conv, entry.seq, knows_already(entry));
            if is_traced {
                trace(entry, "fanned out");
            }
        }
        self.unheard.settle(batch, &outcomes);
        self.tell_unheard().await;
        count(batch, &outcomes, &answers);
        for ((change, outcome), answer) in batch.iter().zip(outcomes).zip(answers) {
            if answer.is_readers {
                self.note_read(change, &outcome);
            }
            answer.send(Ok(outcome));
        }
    }

    /// Who wrote a message has read what stands before. A repetition says nothing new, unless the
    /// answer to the first commit was lost.
    fn note_read(&self, change: &Change, outcome: &Outcome) {
        let Change::Append(append) = change.inner() else {
            return;
        };
        let place = match outcome {
            Outcome::Done { entries, .. } => entries.first().map(|entry| (entry.conv, entry.seq)),
            Outcome::AlreadyThere { conv, seq, .. } => Some((*conv, *seq)),
            Outcome::Refused(_) => None,
        };
        if let Some((conv, seq)) = place {
            self.own_marks.note(append.origin.user, conv, seq);
        }
    }

    async fn tell_unheard(&mut self) {
        self.unheard
            .go_on(&*self.store, &self.hub, &self.unindexed)
            .await;
    }
}

/// The device that has no need to be woken: the one that wrote a message. Of a notice that it
/// caused, a device of the API is told like others, so that it can count on every number.
fn knows_already(entry: &Entry) -> Option<(UserId, DeviceId)> {
    let origin = &entry.origin;
    let is_told = matches!(entry.body, Body::Notice(_)) && origin.device.acknowledges();
    (!is_told).then_some((origin.user, origin.device))
}

fn trace(entry: &Entry, what: &'static str) {
    tracing::debug!(
        target: trace::TARGET,
        trace_id = %TraceId::of(&entry.origin),
        conv = %entry.conv,
        seq = entry.seq.0,
        "{what}"
    );
}

/// How many of these changes go into the next transaction; at least one.
fn fitting<'c>(changes: impl Iterator<Item = &'c Change>) -> usize {
    let mut room = BATCH_WEIGHT_MAX;
    let fits = changes.take_while(|change| {
        let left = room.checked_sub(weight(change));
        room = left.unwrap_or(0);
        left.is_some()
    });
    fits.count().max(1)
}

/// How often a database is asked for a change, roughly. Many of the first kind are written together
/// with a few questions.
fn weight(change: &Change) -> usize {
    match change {
        Change::Append(append) if !append.files.is_empty() => 4,
        Change::Append(_)
        | Change::MoveCursor { .. }
        | Change::NoteLogin { .. }
        | Change::CountUpload { .. } => 1,
        Change::Place(_) | Change::Meta(_) => 2,
        Change::Audited { change, .. } | Change::Invited { change, .. } => 4 + weight(change),
        Change::Session(_)
        | Change::Admin(_)
        | Change::Invite(_)
        | Change::Block(_)
        | Change::OutgoingHook(_)
        | Change::IncomingHook(_)
        | Change::People(_)
        | Change::Search(_)
        | Change::SetPassword { .. }
        | Change::SetProfile { .. }
        | Change::RegisterDevice { .. }
        | Change::SetRemark { .. }
        | Change::MoveContact { .. }
        | Change::EditTeams { .. }
        | Change::File(_)
        | Change::Upgrade(_)
        | Change::NameBlob { .. } => 8,
        Change::Bot(_)
        | Change::Group(_)
        | Change::JoinGroup { .. }
        | Change::LeaveGroup { .. }
        | Change::CreateGroup { .. }
        | Change::Message(_)
        | Change::CreateAccount { .. }
        | Change::RequestFriend { .. }
        | Change::AnswerFriend { .. }
        | Change::RemoveFriend { .. } => 16,
    }
}

fn note_commit(changes: usize, took: Duration) {
    let changes = u32::try_from(changes).unwrap_or(u32::MAX);
    metrics::COMMIT_BATCH_SIZE.record(f64::from(changes));
    metrics::COMMIT_DURATION.record(took.as_secs_f64());
}

/// Counts what became of the messages of a batch, and how long their senders waited.
fn count(batch: &[Change], outcomes: &[Outcome], answers: &[Answer]) {
    let (mut accepted, mut deduplicated) = (0, 0);
    let now = Instant::now();
    for ((change, outcome), answer) in batch.iter().zip(outcomes).zip(answers) {
        match outcome {
            Outcome::Done { entries, .. } => {
                accepted += u64::try_from(entries.len()).unwrap_or(0);
            }
            Outcome::AlreadyThere { .. } => deduplicated += 1,
            Outcome::Refused(_) => {}
        }
        if matches!(change, Change::Append(_)) {
            let waited = now.saturating_duration_since(answer.since);
            metrics::ACK_DURATION.record(waited.as_secs_f64());
        }
    }
    metrics::MESSAGES_ACCEPTED_TOTAL.increment(accepted);
    metrics::MESSAGES_DEDUPLICATED_TOTAL.increment(deduplicated);
}

/// After a commit of unknown outcome what may be applied twice, or is recognized by its client id,
/// is repeated; the others are told that nobody knows.
fn keep_repeatable(
    batch: Vec<Change>,
    answers: Vec<Answer>,
    error: &StoreError,
) -> (Vec<Change>, Vec<Answer>) {
    let mut kept = (Vec::new(), Vec::new());
    for (change, mut answer) in batch.into_iter().zip(answers) {
        if repeated::is_repeatable(&change) {
            answer.doubt.get_or_insert_with(|| error.clone());
            kept.0.push(change);
            kept.1.push(answer);
        } else {
            answer.send(Err(error.clone()));
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use common::id::{GroupId, Millis};
    use common::store::meta::MetaChange;

    use super::*;

    #[test]
    fn a_transaction_is_no_more_work_than_a_database_does_in_its_time() {
        let light = Change::Meta(MetaChange::Barrier);
        let heavy = Change::LeaveGroup {
            group: GroupId(300_000_000),
            origin: common::api::Origin {
                user: UserId(1),
                device: DeviceId(1),
                client_id: common::id::ClientId::new("x").unwrap(),
                tag: 0,
                at: Millis(0),
            },
        };
        assert_eq!(fitting(vec![light.clone(); 10].iter()), 10);
        assert_eq!(fitting(vec![heavy.clone(); 1_000].iter()), 64);
        let mixed = [vec![light; 500], vec![heavy; 10]].concat();
        assert_eq!(fitting(mixed.iter()), 501);
    }
}
