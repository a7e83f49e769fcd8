//! Connections to the file: how each is set, that commits are durable, and the tables.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::shared;
use crate::clock::{Clock, SystemClock};
use crate::store::name_look::Filled;
use crate::store::schema::{self, Migration};
use crate::store::{OpenOptions, StoreError};

/// Nobody else writes while the lock is held; a person with the `sqlite3` program may.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// There are about 60 statements in this folder: none is ever prepared twice.
const STATEMENTS_MAX: usize = 128;

/// SQLite counts negative cache sizes in KiB. 16 MiB hold the inner pages of the indexes of some
/// ten million entries.
const WRITER_CACHE: i64 = -16 * 1024;
const READER_CACHE: i64 = -4 * 1024;

/// The log file is cut back to this after a burst (64 MiB).
const WAL_BYTES_KEPT: i64 = 64 * 1024 * 1024;

/// `PRAGMA synchronous`: 0 OFF, 1 NORMAL, 2 FULL, 3 EXTRA. With a write-ahead log, NORMAL loses
/// every commit since the last checkpoint in a power cut; FULL loses none.
const SYNCHRONOUS_FULL: i64 = 2;

/// The connection that writes: creates the file, its tables, and whatever is missing of them.
pub(super) fn open_writer(path: &Path, options: &OpenOptions) -> Result<Connection, StoreError> {
    let mut conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    prepare(&conn)?;
    let journal: String =
        conn.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if journal != "wal" {
        return Err(StoreError::Broken(format!(
            "journal_mode is {journal}, a write-ahead log is needed: is this a network disk?"
        )));
    }
    conn.pragma_update(None, "synchronous", "FULL")?;
    // Only macOS knows the difference: there fsync alone does not reach the disk.
    conn.pragma_update(None, "fullfsync", true)?;
    conn.pragma_update(None, "checkpoint_fullfsync", true)?;
    conn.pragma_update(None, "foreign_keys", false)?;
    conn.pragma_update(None, "cache_size", WRITER_CACHE)?;
    conn.pragma_update_and_check(None, "journal_size_limit", WAL_BYTES_KEPT, |_| Ok(()))?;
    check_durability(&conn, options)?;
    upgrade(&mut conn, schema::SQLITE)?;
    #[cfg(feature = "planted")]
    if crate::config::planted::has("synchronous-off") {
        conn.pragma_update(None, "synchronous", "OFF")?;
    }
    Ok(conn)
}

/// What every connection needs.
fn prepare(conn: &Connection) -> Result<(), StoreError> {
    conn.busy_timeout(BUSY_TIMEOUT)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    // A plan never depends on what is asked for: otherwise SQLite prepares a statement with
    // `LIMIT ?` anew before each use.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// Brings what earlier runs left in the write-ahead log into the database, for sure.
///
/// The system may show there what never reached the disk: after a sync that failed it takes for
/// written what it could not write. What is committed behind such a place would be lost with it in
/// a power cut. Here everything is written anew, to another file, and synced; and the log is emptied,
/// because what the disk has of it would count more than that file.
pub(super) fn settle(conn: &Connection) -> Result<(), StoreError> {
    let is_held: bool = conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    if is_held {
        let why = "another program reads it, and has to end before a server starts";
        return Err(StoreError::Unreachable(why.to_owned()));
    }
    Ok(())
}

/// A connection that can only read.
pub(super) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    prepare(&conn)?;
    conn.pragma_update(None, "cache_size", READER_CACHE)?;
    Ok(conn)
}

/// Reads back what the database says it will do, whatever it was told.
fn check_durability(conn: &Connection, options: &OpenOptions) -> Result<(), StoreError> {
    let synchronous: i64 = conn.pragma_query_value(None, "synchronous", |row| row.get(0))?;
    if synchronous >= SYNCHRONOUS_FULL || options.accept_weak_durability {
        return Ok(());
    }
    let name = if synchronous == 1 { "NORMAL" } else { "OFF" };
    Err(StoreError::WeakDurability {
        setting: "synchronous",
        found: name.to_owned(),
        needed: "FULL",
    })
}

/// How many sentences SQLite may say about a damaged file.
const SENTENCES_MAX: u32 = 100;

/// What SQLite finds wrong with the order of its file. It has no checksums of what is in there.
pub(super) fn look_at_file(conn: &Connection) -> Result<Vec<String>, StoreError> {
    let mut look = conn.prepare(&format!("PRAGMA integrity_check({SENTENCES_MAX})"))?;
    let told: Vec<String> = look
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    // One sentence may come with a headline.
    let lines = told.iter().flat_map(|told| told.lines());
    let faults = lines.filter(|line| *line != "ok" && !line.starts_with("***"));
    Ok(faults.map(str::to_owned).collect())
}

/// A database in memory, which ends with its connection.
#[cfg(feature = "contract")]
pub(super) fn open_in_memory() -> Result<Connection, StoreError> {
    let mut conn = Connection::open_in_memory()?;
    prepare(&conn)?;
    upgrade(&mut conn, schema::SQLITE)?;
    Ok(conn)
}

/// Applies the schema files that are missing, all or none of them.
fn upgrade(conn: &mut Connection, known: &[Migration]) -> Result<(), StoreError> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute_batch(
        "CREATE TABLE IF NOT EXISTS t_schema_version (
             n      INTEGER PRIMARY KEY,
             sha256 TEXT    NOT NULL,
             at     INTEGER NOT NULL
         ) STRICT",
    )?;
    let applied: Vec<(u32, String)> = tx
        .prepare("SELECT n, sha256 FROM t_schema_version ORDER BY n")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let is_new = applied.is_empty();
    for Migration { n, name, sql } in schema::plan(&applied, known)? {
        if !is_new {
            tracing::info!(version = n, name, "upgrading the database");
        }
        tx.execute_batch(sql)?;
        tx.execute(
            "INSERT INTO t_schema_version (n, sha256, at) VALUES (?1, ?2, ?3)",
            (n, schema::sha256(sql), SystemClock.now().0),
        )?;
    }
    tx.commit()?;
    Ok(())
}

/// Notes how the names of accounts look that nobody looked at yet. Each step is a transaction, so
/// that who stops in the middle goes on from there.
pub(super) fn fill_looks(conn: &mut Connection) -> Result<(), StoreError> {
    loop {
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let filled = shared::fill_looks(&tx)?;
        tx.commit()?;
        if filled == Filled::Whole {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;

    #[test]
    fn a_weak_setting_is_refused_unless_accepted() {
        let conn = Connection::open_in_memory().unwrap();
        let accepting = OpenOptions {
            accept_weak_durability: true,
        };
        for (setting, weak) in [("OFF", true), ("NORMAL", true), ("FULL", false)] {
            conn.pragma_update(None, "synchronous", setting).unwrap();
            let checked = check_durability(&conn, &OpenOptions::default());
            assert_eq!(
                matches!(&checked, Err(StoreError::WeakDurability { found, .. }) if found == setting),
                weak,
                "{checked:?}"
            );
            check_durability(&conn, &accepting).unwrap();
        }
    }

    #[test]
    fn the_writer_is_durable_whatever_is_accepted() {
        let folder = tempfile::tempdir().unwrap();
        let accepting = OpenOptions {
            accept_weak_durability: true,
        };
        let conn = open_writer(&folder.path().join("im.db"), &accepting).unwrap();
        check_durability(&conn, &OpenOptions::default()).unwrap();
    }

    #[test]
    fn no_statement_is_prepared_anew_for_other_values() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("im.db");
        let writer = open_writer(&path, &OpenOptions::default()).unwrap();
        for conn in [writer, open_reader(&path).unwrap()] {
            let sql = "SELECT f_key FROM t_meta WHERE f_key > ?1 ORDER BY f_key LIMIT ?2";
            for limit in [100_000, 200_000, 300_000] {
                let mut read = conn.prepare_cached(sql).unwrap();
                let _none = read.query(("a", limit)).unwrap().next().unwrap();
            }
            let read = conn.prepare_cached(sql).unwrap();
            assert_eq!(read.get_status(StatementStatus::RePrepare), 0);
        }
    }

    #[test]
    fn a_failing_schema_file_leaves_nothing() {
        let mut conn = Connection::open_in_memory().unwrap();
        let file = |sql| Migration {
            n: 1,
            name: "first",
            sql,
        };
        upgrade(&mut conn, &[file("CREATE TABLE a (b); WRONG")]).unwrap_err();
        upgrade(&mut conn, &[file("CREATE TABLE a (b)")]).unwrap();
        let changed = upgrade(&mut conn, &[file("CREATE TABLE a (c)")]);
        assert!(matches!(changed, Err(StoreError::Broken(_))), "{changed:?}");
        let newer = upgrade(&mut conn, &[]);
        assert!(matches!(
            newer,
            Err(StoreError::Newer { found: 1, known: 0 })
        ));
    }
}
