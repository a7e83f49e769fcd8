//! The contract once more, on a store that has each of its statements explained: none reads the whole
//! of a table that grows with use.
//!
//! What SQLite plans does not depend on what is in the tables here, because nobody runs ANALYZE.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use rusqlite::trace::{TraceEvent, TraceEventCodes};

use super::engine::Engine;
use super::{SqliteStore, connection, writer};
use crate::store::{Change, Outcome, Store, StoreError, contract, meta};

/// Tables that may be read whole, by the name that the plan has for them, and words of the statement.
const MAY_SCAN: [(&str, &str); 8] = [
    // An account has a few at the most, and most have none.
    ("h", "FROM t_outgoing_hook h"),
    ("t_outgoing_hook", "FROM t_outgoing_hook"),
    ("t_incoming_hook", "SELECT COUNT(*)"),
    ("t_bot", "SELECT COUNT(*)"),
    // Those that an administrator made, and accounts that one decided something about.
    ("t_invite", "FROM t_invite"),
    ("t_account_state", "FROM t_account_state"),
    // How much there is in all, for administrators.
    (
        "t_conversation",
        "SELECT COUNT(*), COALESCE(SUM(f_head), 0)",
    ),
    ("t_session", "SELECT COUNT(*) FROM t_session"),
];

/// What stands in statements that must not sort what they find.
const NEVER_SORTED: &str = "AND w.f_word = ? AND w.f_seq > ? AND w.f_seq < ?";

/// Statements that ran and were not explained yet.
type Ran = Arc<Mutex<BTreeSet<String>>>;

/// One connection to memory, as for simulations, and what it was asked.
#[derive(Debug)]
struct Explained {
    conn: Mutex<Option<Connection>>,
    ran: Ran,
    /// Whether one was explained that must not sort.
    is_unsorted_seen: AtomicBool,
}

fn note(ran: &Ran, sql: &str) {
    let mut ran = ran.lock().unwrap_or_else(PoisonError::into_inner);
    if !ran.contains(sql) {
        ran.insert(sql.to_owned());
    }
}

fn is_explainable(sql: &str) -> bool {
    let words = ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"];
    words.iter().any(|word| sql.trim_start().starts_with(word))
}

/// The steps of a plan that read the whole of a table, or sort where nothing is sorted. What a
/// statement itself makes is no table.
fn scans(conn: &Connection, sql: &str) -> Vec<String> {
    let mut explain = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let mut rows = explain.raw_query();
    let mut scans = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        let step: String = row.get("detail").unwrap();
        if step.starts_with("USE TEMP B-TREE") && sql.contains(NEVER_SORTED) {
            scans.push(step);
            continue;
        }
        let Some(what) = step.strip_prefix("SCAN ") else {
            continue;
        };
        let name = what.split(' ').next().unwrap_or(what);
        let is_made = what.starts_with("(subquery")
            || what.ends_with("VALUES CLAUSE")
            || what.contains("VIRTUAL TABLE")
            || what == "CONSTANT ROW"
            || sql.contains(&format!(") AS {name}"))
            || sql.starts_with(&format!("WITH RECURSIVE {name}("));
        let may = |(table, words): &(&str, &str)| name == *table && sql.contains(words);
        if !is_made && !MAY_SCAN.iter().any(may) {
            scans.push(step);
        }
    }
    scans
}

impl Explained {
    fn new() -> Self {
        let mut conn = connection::open_in_memory().unwrap();
        let ran = Ran::default();
        let noted = Arc::clone(&ran);
        let trace = move |event: TraceEvent<'_>| {
            if let TraceEvent::Stmt(statement, _) = event {
                note(&noted, &statement.sql());
            }
        };
        conn.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(trace))
            .unwrap();
        Self {
            conn: Mutex::new(Some(conn)),
            ran,
            is_unsorted_seen: AtomicBool::new(false),
        }
    }

    fn with<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut conn = self.conn.lock().unwrap_or_else(PoisonError::into_inner);
        let conn = conn.as_mut().ok_or_else(writer::closed)?;
        let done = work(conn);
        let ran = std::mem::take(&mut *self.ran.lock().unwrap_or_else(PoisonError::into_inner));
        for sql in ran.iter().filter(|sql| is_explainable(sql)) {
            let scans = scans(conn, sql);
            assert!(scans.is_empty(), "{scans:?}: {sql}");
            self.is_unsorted_seen
                .fetch_or(sql.contains(NEVER_SORTED), Ordering::Relaxed);
        }
        // To explain is to run, too.
        self.ran
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        done
    }
}

impl Engine for Explained {
    async fn commit(&self, batch: &[Change]) -> Result<Vec<Outcome>, StoreError> {
        self.with(|conn| writer::commit(conn, batch))
    }

    async fn read<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        self.with(|conn| read(conn))
    }

    async fn close(&self) {
        self.conn
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
    }
}

fn store() -> SqliteStore<Explained> {
    let engine = Explained::new();
    let sql = "INSERT INTO t_meta (f_key, f_value) VALUES (?1, ?2)";
    let epoch = (meta::EPOCH, meta::new_epoch().unwrap());
    engine.with(|conn| Ok(conn.execute(sql, epoch)?)).unwrap();
    SqliteStore { engine }
}

async fn fresh() -> (Arc<dyn Store>, ()) {
    (Arc::new(store()), ())
}

#[tokio::test]
async fn the_newest_with_a_frequent_word_are_not_sorted() {
    let store = store();
    contract::frequent_words::the_newest_come_first_in_pages(&store).await;
    assert!(store.engine.is_unsorted_seen.load(Ordering::Relaxed));
}

crate::store_contract!(super::fresh);
