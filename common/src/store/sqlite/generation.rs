//! Notices that the database is an older copy of itself: a backup that was restored.
//!
//! Clients remember how far they got. After a restored backup their places stand for entries that
//! are gone, or for others; so they must hear that this is another history (the epoch in
//! `t_meta`). A counter in the database grows at every start and at every orderly end; a small file
//! beside the database repeats it. A copy that was made before the last of these moments counts
//! less than the file says.
//!
//! What this cannot see: a copy put back after a run that ended without order (a crash), if it was
//! made during that run; and a copy that is put where there is no such file.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use crate::store::{StoreError, meta};

/// The counter's key in `t_meta`.
const GENERATION: &str = "generation";

/// The file that repeats the counter.
#[derive(Debug)]
pub(super) struct Counter {
    file: PathBuf,
}

impl Counter {
    /// The one of the database at `path`.
    pub(super) fn beside(path: &Path) -> Self {
        let mut file: OsString = path.as_os_str().to_owned();
        file.push(".generation");
        Self { file: file.into() }
    }

    /// Counts a start. Gives the history its epoch: the first one, or another one if the database
    /// is an older copy.
    pub(super) fn start(&self, conn: &mut Connection) -> Result<(), StoreError> {
        self.count(conn)
    }

    /// Counts an orderly end. The work is done: what goes wrong here is only told.
    pub(super) fn end(&self, conn: &mut Connection) {
        if let Err(error) = self.count(conn) {
            tracing::warn!(
                file = %self.file.display(),
                error = %error,
                "the end of the run was not counted; a backup made during it will not be recognised"
            );
        }
    }

    fn count(&self, conn: &mut Connection) -> Result<(), StoreError> {
        let told = self.read()?;
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let known = counted(&tx)?;
        if known < told {
            tracing::warn!(
                file = %self.file.display(),
                database = known,
                expected = told,
                "the database is an older copy of itself, as after restoring a backup; \
                 clients will be told to synchronise anew"
            );
            set(&tx, "REPLACE", meta::EPOCH, &meta::new_epoch()?)?;
        } else {
            set(&tx, "INSERT OR IGNORE", meta::EPOCH, &meta::new_epoch()?)?;
        }
        let next = known.max(told).saturating_add(1);
        set(&tx, "REPLACE", GENERATION, &next.to_string())?;
        tx.commit()?;
        // After the commit: a crash between the two leaves a file that says less, which is well.
        self.write(next).map_err(|error| self.failed(&error))
    }

    /// What the file says; 0 if there is none, or if it holds no number.
    fn read(&self) -> Result<u64, StoreError> {
        match fs::read(&self.file) {
            Ok(bytes) => Ok(std::str::from_utf8(&bytes)
                .ok()
                .and_then(|text| text.trim().parse().ok())
                .unwrap_or(0)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(self.failed(&error)),
        }
    }

    /// Replaces the file as a whole, so that a power cut leaves the old or the new one.
    fn write(&self, generation: u64) -> io::Result<()> {
        let mut name: OsString = self.file.as_os_str().to_owned();
        name.push(".new");
        let new = PathBuf::from(name);
        let mut file = File::create(&new)?;
        writeln!(file, "{generation}")?;
        file.sync_all()?;
        fs::rename(&new, &self.file)?;
        match self.file.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
            _ => Ok(()),
        }
    }

    fn failed(&self, error: &io::Error) -> StoreError {
        StoreError::Unreachable(format!("{}: {error}", self.file.display()))
    }
}

/// What the database says; 0 if it was never counted.
fn counted(conn: &Connection) -> Result<u64, StoreError> {
    let text: Option<String> = conn
        .query_row(
            "SELECT f_value FROM t_meta WHERE f_key = ?1",
            [GENERATION],
            |row| row.get(0),
        )
        .optional()?;
    match text {
        None => Ok(0),
        Some(text) => text
            .parse()
            .map_err(|_| StoreError::Broken(format!("the generation is {text:?}"))),
    }
}

fn set(conn: &Connection, verb: &str, key: &str, value: &str) -> Result<(), StoreError> {
    let sql = format!("{verb} INTO t_meta (f_key, f_value) VALUES (?1, ?2)");
    conn.execute(&sql, (key, value))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::SqliteStore;
    use super::*;
    use crate::store::{OpenOptions, Store};

    /// Opens, asks for the epoch, and stops in order.
    async fn run(path: &Path) -> u32 {
        let store = SqliteStore::open(path, &OpenOptions::default())
            .await
            .unwrap();
        let epoch = meta::epoch(&store).await.unwrap();
        store.close().await;
        epoch
    }

    fn generation(path: &Path) -> u64 {
        Counter::beside(path).read().unwrap()
    }

    #[tokio::test]
    async fn an_epoch_lasts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("im.db");
        let epoch = run(&path).await;
        assert!(epoch > 0);
        assert_eq!(generation(&path), 2, "one start and one end");
        assert_eq!(run(&path).await, epoch);
        assert_eq!(generation(&path), 4);
        let other = folder.path().join("other.db");
        assert_ne!(run(&other).await, epoch);
    }

    #[tokio::test]
    async fn an_older_copy_is_another_history() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("im.db");
        let backup = folder.path().join("backup");
        let first = run(&path).await;
        fs::copy(&path, &backup).unwrap();
        assert_eq!(run(&path).await, first);
        fs::copy(&backup, &path).unwrap();
        let second = run(&path).await;
        assert_ne!(second, first);
        // From then on it is a history like any other.
        assert_eq!(run(&path).await, second);
        // The same backup once more is a third one.
        fs::copy(&backup, &path).unwrap();
        let third = run(&path).await;
        assert!(third != first && third != second);
    }

    #[tokio::test]
    async fn a_copy_made_during_the_last_run_is_another_history() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("im.db");
        let store = SqliteStore::open(&path, &OpenOptions::default())
            .await
            .unwrap();
        let first = meta::epoch(&store).await.unwrap();
        let backup = folder.path().join("backup");
        let conn = Connection::open(&path).unwrap();
        conn.execute("VACUUM INTO ?1", [backup.to_str().unwrap()])
            .unwrap();
        drop(conn);
        store.close().await;
        fs::copy(&backup, &path).unwrap();
        assert_ne!(run(&path).await, first);
    }

    #[tokio::test]
    async fn a_missing_or_spoiled_file_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("im.db");
        let epoch = run(&path).await;
        fs::remove_file(Counter::beside(&path).file).unwrap();
        assert_eq!(run(&path).await, epoch);
        fs::write(Counter::beside(&path).file, "\0\0\0").unwrap();
        assert_eq!(run(&path).await, epoch);
        assert_eq!(generation(&path), 6);
    }

    #[test]
    fn a_crash_between_database_and_file_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("im.db");
        let mut conn =
            super::super::connection::open_writer(&path, &OpenOptions::default()).unwrap();
        let counter = Counter::beside(&path);
        counter.start(&mut conn).unwrap();
        let epoch = |conn: &Connection| -> String {
            conn.query_row(
                "SELECT f_value FROM t_meta WHERE f_key = 'epoch'",
                [],
                |row| row.get(0),
            )
            .unwrap()
        };
        let first = epoch(&conn);
        set(&conn, "REPLACE", GENERATION, "2").unwrap();
        counter.start(&mut conn).unwrap();
        assert_eq!(epoch(&conn), first);
        assert_eq!(generation(&path), 3);
    }
}
