//! The store in memory, for simulations: everything happens at once where it is asked for, so that
//! the same questions in the same order always take the same course.

use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;

use super::engine::Engine;
use super::{SqliteStore, connection, writer};
use crate::store::{Change, Outcome, StoreError, meta};

/// One connection, to memory, until it is closed.
#[derive(Debug)]
pub struct Inline(Mutex<Option<Connection>>);

impl Inline {
    fn with<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut conn = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        work(conn.as_mut().ok_or_else(writer::closed)?)
    }
}

impl SqliteStore<Inline> {
    /// An empty database that ends with this value.
    ///
    /// # Errors
    /// If `SQLite` refuses, or there are no random numbers.
    pub fn in_memory() -> Result<Self, StoreError> {
        let conn = connection::open_in_memory()?;
        let sql = "INSERT INTO t_meta (f_key, f_value) VALUES (?1, ?2)";
        conn.execute(sql, (meta::EPOCH, meta::new_epoch()?))?;
        Ok(Self {
            engine: Inline(Mutex::new(Some(conn))),
        })
    }
}

impl Engine for Inline {
    async fn commit(&self, batch: &[Change]) -> Result<Vec<Outcome>, StoreError> {
        self.with(|conn| writer::commit(conn, batch))
    }

    async fn read<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        self.with(|conn| {
            let tx = conn.unchecked_transaction()?;
            let done = read(&tx);
            tx.finish()?;
            done
        })
    }

    async fn close(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}
