//! A memory in an SQLite file.
//!
//! One thread owns the database: nothing of it blocks the program's tasks. What was applied survives
//! the end of the program, also a sudden one. After a power cut the last changes may be missing:
//! then entries that were confirmed just before come again, and so do messages that were just sent,
//! under their old client ids, so that the server does not store them twice.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Transaction, params};
use tokio::sync::{mpsc, oneshot};

use super::{Change, Memory, Outgoing, Store, StoreError};
use crate::model::{ConversationId, Seq, Timestamp};

/// Requests that wait for the thread, at most.
const REQUESTS_MAX: usize = 64;
/// A program that just ended may need a moment to let go of its file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);
/// What this version writes.
const VERSION: i64 = 1;

const SCHEMA: &str = "
CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE place (conversation INTEGER PRIMARY KEY, seq INTEGER NOT NULL);
CREATE TABLE outgoing (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    client_id TEXT NOT NULL UNIQUE,
    content TEXT NOT NULL,
    expires_at INTEGER,
    attempted INTEGER NOT NULL DEFAULT 0,
    failed TEXT
);
PRAGMA user_version = 1;
";

const SET_FACT: &str = "INSERT INTO fact (name, value) VALUES (?1, ?2)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value";
const SET_PLACE: &str = "INSERT INTO place (conversation, seq) VALUES (?1, ?2)
    ON CONFLICT (conversation) DO UPDATE SET seq = max(seq, excluded.seq)";
const ACCEPT: &str = "INSERT INTO outgoing (client_id, content, expires_at, attempted, failed)
    VALUES (?1, ?2, ?3, ?4, ?5)";
const RETRY: &str = "UPDATE outgoing SET failed = NULL, expires_at = ?2,
    position = (SELECT max(position) + 1 FROM outgoing) WHERE client_id = ?1";

/// Keeps the memory in a file, for one client at a time.
#[derive(Debug)]
pub struct SqliteStore {
    requests: mpsc::Sender<Request>,
    path: String,
}

#[derive(Debug)]
enum Request {
    Load(oneshot::Sender<Result<Memory, StoreError>>),
    Apply(Vec<Change>, oneshot::Sender<Result<(), StoreError>>),
}

impl SqliteStore {
    /// Opens or makes the file, readable by its owner only.
    ///
    /// # Errors
    /// If that cannot be done, or the file is in use.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let (requests, receiver) = mpsc::channel(REQUESTS_MAX);
        let (opened, is_open) = oneshot::channel();
        let file = File {
            path: path.to_owned(),
        };
        let spawned = thread::Builder::new().name("myim-store".to_owned());
        let spawned = spawned.spawn(move || serve(&file, receiver, opened));
        let failed = |problem: String| StoreError::File {
            path: path.display().to_string(),
            problem,
        };
        spawned.map_err(|error| failed(error.to_string()))?;
        let ended = |_| failed("the store's thread ended".to_owned());
        is_open.await.map_err(ended)??;
        Ok(Self {
            requests,
            path: path.display().to_string(),
        })
    }

    async fn ask<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Request,
    ) -> Result<T, StoreError> {
        let ended = || StoreError::File {
            path: self.path.clone(),
            problem: "the store's thread ended".to_owned(),
        };
        let (answer, answered) = oneshot::channel();
        let sent = self.requests.send(request(answer)).await;
        sent.map_err(|_| ended())?;
        answered.await.map_err(|_| ended())?
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn load(&self) -> Result<Memory, StoreError> {
        self.ask(Request::Load).await
    }

    async fn apply(&self, changes: &[Change]) -> Result<(), StoreError> {
        let changes = changes.to_vec();
        self.ask(|answer| Request::Apply(changes, answer)).await
    }
}

/// The store's thread: ends when the [`SqliteStore`] is gone.
fn serve(
    file: &File,
    mut requests: mpsc::Receiver<Request>,
    opened: oneshot::Sender<Result<(), StoreError>>,
) {
    // Nobody waits for the answers of a store that is gone.
    let mut database = match file.open() {
        Ok(database) => database,
        Err(error) => {
            let _ = opened.send(Err(error));
            return;
        }
    };
    let _ = opened.send(Ok(()));
    while let Some(request) = requests.blocking_recv() {
        match request {
            Request::Load(answer) => {
                let _ = answer.send(file.load(&database));
            }
            Request::Apply(changes, answer) => {
                let _ = answer.send(file.apply(&mut database, &changes));
            }
        }
    }
}

/// The file, for what goes wrong with it.
struct File {
    path: PathBuf,
}

impl File {
    fn failed(&self, problem: &dyn ToString) -> StoreError {
        StoreError::File {
            path: self.path.display().to_string(),
            problem: problem.to_string(),
        }
    }

    fn wrong(&self, error: &rusqlite::Error) -> StoreError {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                self.failed(&"another client uses it at the moment: give each a file of its own")
            }
            Some(ErrorCode::NotADatabase) => self.failed(&"it is no store of a client"),
            _ => self.failed(&error),
        }
    }

    fn open(&self) -> Result<Connection, StoreError> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        // SQLite gives the files beside it the same rights.
        options.open(&self.path).map_err(|it| self.failed(&it))?;
        self.prepare().map_err(|error| self.wrong(&error))?
    }

    fn prepare(&self) -> rusqlite::Result<Result<Connection, StoreError>> {
        let mut database = Connection::open(&self.path)?;
        database.busy_timeout(BUSY_TIMEOUT)?;
        database.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        database.pragma_update(None, "journal_mode", "WAL")?;
        database.pragma_update(None, "synchronous", "NORMAL")?;
        // In this mode the first transaction locks the file until it is closed.
        let transaction = database.transaction_with_behavior(IMMEDIATE)?;
        let version = "PRAGMA user_version";
        let version: i64 = transaction.query_row(version, (), |row| row.get(0))?;
        let tables = "SELECT count(*) FROM sqlite_schema";
        let tables: i64 = transaction.query_row(tables, (), |row| row.get(0))?;
        match (version, tables) {
            (VERSION, _) => {}
            (0, 0) => transaction.execute_batch(SCHEMA)?,
            (0, _) => return Ok(Err(self.failed(&"it is no store of a client"))),
            (newer, _) => {
                let problem = format!("it is of a newer version ({newer}) of this program");
                return Ok(Err(self.failed(&problem)));
            }
        }
        transaction.commit()?;
        Ok(Ok(database))
    }

    fn load(&self, database: &Connection) -> Result<Memory, StoreError> {
        let wrong = |error: rusqlite::Error| self.wrong(&error);
        let fact = |name: &str| -> Result<Option<String>, StoreError> {
            let sql = "SELECT value FROM fact WHERE name = ?1";
            let value = database.query_row(sql, [name], |row| row.get(0));
            value.optional().map_err(wrong)
        };
        let owner = fact("owner")?
            .map(|owner| serde_json::from_str(&owner).map_err(|it| self.failed(&it)))
            .transpose()?;
        Ok(Memory {
            owner,
            epoch: fact("epoch")?,
            places: places(database).map_err(wrong)?,
            outbox: self.outbox(database)?,
        })
    }

    fn outbox(&self, database: &Connection) -> Result<Vec<Outgoing>, StoreError> {
        let wrong = |error: rusqlite::Error| self.wrong(&error);
        let sql = "SELECT content, expires_at, attempted, failed FROM outgoing ORDER BY position";
        let mut statement = database.prepare(sql).map_err(wrong)?;
        let mut rows = statement.query(()).map_err(wrong)?;
        let mut outbox = Vec::new();
        while let Some(row) = rows.next().map_err(wrong)? {
            let content: String = row.get(0).map_err(wrong)?;
            let kept: Outgoing = serde_json::from_str(&content).map_err(|it| self.failed(&it))?;
            let expires_at: Option<i64> = row.get(1).map_err(wrong)?;
            outbox.push(Outgoing {
                expires_at: expires_at.and_then(|ms| Timestamp::from_millisecond(ms).ok()),
                attempted: row.get(2).map_err(wrong)?,
                failed: row.get(3).map_err(wrong)?,
                ..kept
            });
        }
        Ok(outbox)
    }

    fn apply(&self, database: &mut Connection, changes: &[Change]) -> Result<(), StoreError> {
        let wrong = |error: rusqlite::Error| self.wrong(&error);
        let transaction = database.transaction_with_behavior(IMMEDIATE);
        let transaction = transaction.map_err(wrong)?;
        for change in changes {
            self.change(&transaction, change)?;
        }
        transaction.commit().map_err(wrong)
    }

    fn change(&self, to: &Transaction<'_>, change: &Change) -> Result<(), StoreError> {
        let json = |value: serde_json::Result<String>| value.map_err(|it| self.failed(&it));
        let run = |sql: &str, values: &dyn Fn(&mut rusqlite::CachedStatement<'_>) -> Ran| {
            let ran = to.prepare_cached(sql).and_then(|mut sql| values(&mut sql));
            ran.map(drop).map_err(|error| self.wrong(&error))
        };
        match change {
            Change::SetOwner(owner) => {
                let owner = json(serde_json::to_string(owner))?;
                run(SET_FACT, &|sql| sql.execute(params!["owner", owner]))
            }
            Change::SetEpoch(epoch) => {
                run("DELETE FROM place", &|sql| sql.execute(()))?;
                run(SET_FACT, &|sql| sql.execute(params!["epoch", epoch]))
            }
            Change::SetPlace(ConversationId(conversation), Seq(seq)) => {
                let number = |it: u64| i64::try_from(it).map_err(|it| self.failed(&it));
                let (conversation, seq) = (number(*conversation)?, number(*seq)?);
                run(SET_PLACE, &|sql| sql.execute(params![conversation, seq]))
            }
            Change::Accept(outgoing) => {
                let content = json(serde_json::to_string(outgoing))?;
                let expires_at = milliseconds(outgoing.expires_at);
                run(ACCEPT, &|sql| {
                    let Outgoing {
                        client_id,
                        attempted,
                        failed,
                        ..
                    } = outgoing;
                    sql.execute(params![client_id, content, expires_at, attempted, failed])
                })
            }
            Change::Attempted { client_id } => {
                let sql = "UPDATE outgoing SET attempted = 1 WHERE client_id = ?1";
                run(sql, &|sql| sql.execute([client_id]))
            }
            Change::Fail { client_id, reason } => {
                let sql = "UPDATE outgoing SET failed = ?2 WHERE client_id = ?1";
                run(sql, &|sql| sql.execute([client_id, reason]))
            }
            Change::Retry {
                client_id,
                expires_at,
            } => {
                let expires_at = milliseconds(*expires_at);
                run(RETRY, &|sql| sql.execute(params![client_id, expires_at]))
            }
            Change::Remove { client_id } => {
                let sql = "DELETE FROM outgoing WHERE client_id = ?1";
                run(sql, &|sql| sql.execute([client_id]))
            }
        }
    }
}

type Ran = rusqlite::Result<usize>;

const IMMEDIATE: rusqlite::TransactionBehavior = rusqlite::TransactionBehavior::Immediate;

fn milliseconds(time: Option<Timestamp>) -> Option<i64> {
    time.map(|time| time.as_millisecond())
}

fn places(database: &Connection) -> rusqlite::Result<Vec<(ConversationId, Seq)>> {
    let mut statement = database.prepare("SELECT conversation, seq FROM place")?;
    let number = |row: &rusqlite::Row<'_>, at| -> rusqlite::Result<u64> {
        let number: i64 = row.get(at)?;
        u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(at, number))
    };
    let rows = statement.query_map((), |row| {
        Ok((ConversationId(number(row, 0)?), Seq(number(row, 1)?)))
    })?;
    rows.collect()
}
