//! The one thread that writes. Batches come through a bounded queue, each is one transaction.
//!
//! Knows no change: what one does is `change`'s business. A batch that panics fails alone; the
//! thread lives on.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode};
use tokio::sync::{mpsc, oneshot};

use super::change;
use super::generation::Counter;
use super::place::Lock;
use crate::store::{Change, Outcome, StoreError};

/// Batches that may wait. The committer has one under way at a time; the rest is for
/// administration beside it. Who finds the queue full waits.
const QUEUE_BATCHES_MAX: usize = 16;

struct Job {
    batch: Vec<Change>,
    answer: oneshot::Sender<Result<Vec<Outcome>, StoreError>>,
}

/// The near end of the queue.
#[derive(Debug)]
pub(super) struct Writer {
    open: Mutex<Option<Open>>,
}

#[derive(Debug)]
struct Open {
    queue: mpsc::Sender<Job>,
    thread: JoinHandle<()>,
}

impl Writer {
    /// Starts the thread. It keeps the lock until its connection is closed. The counter, if there
    /// is one, counts the end of the run.
    pub(super) fn start(
        mut conn: Connection,
        counter: Option<Counter>,
        lock: Arc<Lock>,
    ) -> Result<Self, StoreError> {
        let (queue, mut jobs) = mpsc::channel::<Job>(QUEUE_BATCHES_MAX);
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || {
                let lost = commit_all(&mut conn, &mut jobs);
                if let (None, Some(counter)) = (lost, counter) {
                    counter.end(&mut conn);
                }
                drop(conn);
                drop(lock);
            })
            .map_err(|error| StoreError::Unreachable(format!("no thread: {error}")))?;
        Ok(Self {
            open: Mutex::new(Some(Open { queue, thread })),
        })
    }

    pub(super) async fn commit(&self, batch: Vec<Change>) -> Result<Vec<Outcome>, StoreError> {
        let queue = {
            let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.as_ref().map(|open| open.queue.clone())
        };
        let (answer, outcomes) = oneshot::channel();
        let queue = queue.ok_or_else(closed)?;
        let sent = queue.send(Job { batch, answer }).await;
        sent.map_err(|_| closed())?;
        tokio::select! {
            biased;
            Ok(outcomes) = outcomes => outcomes,
            // A job that is pushed at the very moment in which the thread dies stays in the queue,
            // and its answer is never dropped.
            () = queue.closed() => Err(StoreError::OutcomeUnknown(
                "the writer stopped in the middle".to_owned(),
            )),
        }
    }

    /// Answers when everything that was queued is done and the connection is closed.
    pub(super) async fn close(&self) {
        let open = {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.take()
        };
        if let Some(Open { queue, thread }) = open {
            drop(queue);
            // A thread that panicked has closed its connection as well.
            let _ended = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }
}

/// Commits what comes until nothing comes any more. After a failed sync nothing is committed: that
/// error is the answer to everything then, and how it ended.
fn commit_all(conn: &mut Connection, jobs: &mut mpsc::Receiver<Job>) -> Option<StoreError> {
    let mut lost = None;
    while let Some(job) = jobs.blocking_recv() {
        if let Some(error) = &lost {
            let _gone = job.answer.send(Err(StoreError::clone(error)));
            continue;
        }
        #[cfg(feature = "planted")]
        let Some(job) = planted::answer_first(conn, job) else {
            continue;
        };
        let outcomes = unharmed(conn, |conn| commit(conn, &job.batch));
        if let Err(error @ StoreError::SyncFailed(_)) = &outcomes {
            leave_as_it_is(conn);
            lost = Some(error.clone());
        }
        // Who asked may have gone away; the batch is applied all the same.
        let _gone = job.answer.send(outcomes);
    }
    lost
}

/// Usually the last connection to close moves the write-ahead log into the database and removes it.
fn leave_as_it_is(conn: &Connection) {
    if let Err(error) = conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true) {
        tracing::warn!(%error, "the database will be tidied up at the end all the same");
    }
}

pub(super) fn closed() -> StoreError {
    StoreError::Unreachable("the store was closed".to_owned())
}

/// Runs `work`, and if it panics leaves the connection as if it had not begun.
fn unharmed<T>(
    conn: &mut Connection,
    work: impl FnOnce(&mut Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let done = catch_unwind(AssertUnwindSafe(|| work(conn)));
    match done {
        Ok(done) => done,
        Err(_) if conn.is_autocommit() => Err(StoreError::OutcomeUnknown(
            "the writer panicked; its message is on the error output".to_owned(),
        )),
        Err(_) => {
            conn.execute_batch("ROLLBACK")?;
            Err(StoreError::Broken(
                "the writer panicked and undid the change; its message is on the error output"
                    .to_owned(),
            ))
        }
    }
}

/// One batch, one transaction: all of it or nothing.
pub(super) fn commit(conn: &mut Connection, batch: &[Change]) -> Result<Vec<Outcome>, StoreError> {
    #[cfg(feature = "planted")]
    if let Some(outcomes) = planted::commit(conn, batch) {
        return outcomes;
    }
    conn.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let outcomes: Result<Vec<Outcome>, StoreError> = batch
        .iter()
        .map(|change| change::apply(conn, change))
        .collect();
    let done = outcomes.and_then(
        |outcomes| match conn.prepare_cached("COMMIT")?.execute([]) {
            Ok(_) => Ok(outcomes),
            Err(error) => Err(not_committed(error)),
        },
    );
    // After some errors SQLite has rolled back by itself.
    if done.is_err() && !conn.is_autocommit() {
        let undone = conn.execute_batch("ROLLBACK");
        // What failed first says more.
        if !matches!(done, Err(StoreError::SyncFailed(_))) {
            undone?;
        }
    }
    done
}

/// When the disk fails at the very end, the batch may stand in the log file without this program
/// being told; the next start would find it there. A full disk fails before that.
fn not_committed(error: rusqlite::Error) -> StoreError {
    let is_of_the_disk = error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure);
    match StoreError::from(error) {
        StoreError::Unreachable(why) if is_of_the_disk => StoreError::OutcomeUnknown(why),
        other => other,
    }
}

#[cfg(feature = "planted")]
mod planted {
    //! Ways to commit wrongly, see `common::config::planted`.

    use std::time::Duration;

    use super::{Change, Connection, Job, Outcome, StoreError, change};
    use crate::config::planted::has;

    /// Time enough to die between the answer and the commit.
    const LATE: Duration = Duration::from_millis(30);

    /// Takes the job and answers before the commit, if it is to have this bug.
    pub(super) fn answer_first(conn: &mut Connection, job: Job) -> Option<Job> {
        if !has("acknowledged-before-commit") || !are_messages(&job.batch) {
            return Some(job);
        }
        let applied = conn
            .execute_batch("BEGIN IMMEDIATE")
            .map_err(StoreError::from)
            .and_then(|()| {
                let changes = job.batch.iter();
                changes.map(|change| change::apply(conn, change)).collect()
            });
        let _gone = job.answer.send(applied);
        std::thread::sleep(LATE);
        if let Err(error) = conn.execute_batch("COMMIT") {
            tracing::error!(%error, "what was acknowledged is not saved");
        }
        None
    }

    /// Another way to commit, if it is to have such a bug.
    pub(super) fn commit(
        conn: &mut Connection,
        batch: &[Change],
    ) -> Option<Result<Vec<Outcome>, StoreError>> {
        if has("batch-reversed") {
            return Some(reversed(conn, batch));
        }
        if has("failed-commit-unseen") && are_messages(batch) {
            return Some(unseen(conn, batch));
        }
        let is_half = has("half-a-batch") && batch.len() > 1 && are_messages(batch);
        is_half.then(|| half(conn, batch))
    }

    /// Accounts and groups are made rightly: without them there is nothing to play.
    fn are_messages(batch: &[Change]) -> bool {
        let mut changes = batch.iter();
        changes.all(|change| matches!(change, Change::Append(_) | Change::MoveCursor { .. }))
    }

    fn reversed(conn: &Connection, batch: &[Change]) -> Result<Vec<Outcome>, StoreError> {
        conn.execute_batch("BEGIN IMMEDIATE")?;
        let changes = batch.iter().rev();
        let outcomes: Result<Vec<_>, _> = changes.map(|one| change::apply(conn, one)).collect();
        conn.execute_batch("COMMIT")?;
        outcomes.map(|mut outcomes| {
            outcomes.reverse();
            outcomes
        })
    }

    fn unseen(conn: &Connection, batch: &[Change]) -> Result<Vec<Outcome>, StoreError> {
        conn.execute_batch("BEGIN IMMEDIATE")?;
        let outcomes = batch.iter().map(|one| change::apply(conn, one)).collect();
        if conn.execute_batch("COMMIT").is_err() && !conn.is_autocommit() {
            conn.execute_batch("ROLLBACK")?;
        }
        outcomes
    }

    fn half(conn: &Connection, batch: &[Change]) -> Result<Vec<Outcome>, StoreError> {
        let (kept, undone) = batch.split_at(batch.len() / 2);
        let apply = |changes: &[Change]| -> Result<Vec<_>, StoreError> {
            changes.iter().map(|one| change::apply(conn, one)).collect()
        };
        conn.execute_batch("BEGIN IMMEDIATE")?;
        let mut outcomes = apply(kept)?;
        conn.execute_batch("SAVEPOINT half")?;
        outcomes.extend(apply(undone)?);
        conn.execute_batch("ROLLBACK TO half; COMMIT")?;
        Ok(outcomes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_undoes_the_batch_and_nothing_else() {
        let mut conn = Connection::open_in_memory().unwrap();
        conn.execute_batch("CREATE TABLE t (n)").unwrap();
        let harmed: Result<(), _> = unharmed(&mut conn, |conn| {
            conn.execute_batch("BEGIN; INSERT INTO t VALUES (1)")?;
            panic!("on purpose")
        });
        assert!(matches!(harmed, Err(StoreError::Broken(_))), "{harmed:?}");
        let rows = unharmed(&mut conn, |conn| {
            Ok(conn.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0))?)
        });
        assert_eq!(rows.unwrap(), 0);
    }

    #[test]
    fn a_panic_outside_a_transaction_admits_that_it_does_not_know() {
        let mut conn = Connection::open_in_memory().unwrap();
        let harmed: Result<(), _> = unharmed(&mut conn, |_| panic!("on purpose"));
        assert!(matches!(harmed, Err(StoreError::OutcomeUnknown(_))));
    }

    #[test]
    fn a_thread_that_died_is_an_error_and_no_silence() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let (queue, mut jobs) = mpsc::channel(1);
        let thread = std::thread::spawn(|| {});
        let writer = Writer {
            open: Mutex::new(Some(Open { queue, thread })),
        };
        let dies = async {
            while jobs.is_empty() {
                tokio::task::yield_now().await;
            }
            // As if it had died when this job was on its way.
            jobs.close();
        };
        let (in_the_middle, ()) =
            runtime.block_on(async { tokio::join!(writer.commit(Vec::new()), dies) });
        assert!(
            matches!(in_the_middle, Err(StoreError::OutcomeUnknown(_))),
            "{in_the_middle:?}"
        );
        let afterwards = runtime.block_on(writer.commit(Vec::new()));
        assert!(
            matches!(afterwards, Err(StoreError::Unreachable(_))),
            "{afterwards:?}"
        );
    }
}
