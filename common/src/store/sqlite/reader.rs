//! A few connections for reading, so that a long read and the writer do not wait for each other.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;

use super::connection;
use super::place::Lock;
use super::writer::closed;
use crate::pool::BlockingPool;
use crate::store::StoreError;

/// Reads are short and the pages are in memory: a few threads reach what one disk gives.
const CONNECTIONS_MAX: usize = 4;

/// The pool of reading connections.
#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    pool: BlockingPool,
    idle: Arc<Mutex<Option<Idle>>>,
}

#[derive(Debug)]
struct Idle {
    connections: Vec<Connection>,
    lock: Arc<Lock>,
}

impl Readers {
    pub(super) fn new(path: PathBuf, lock: Arc<Lock>) -> Self {
        Self {
            path,
            pool: BlockingPool::new(CONNECTIONS_MAX),
            idle: Arc::new(Mutex::new(Some(Idle {
                connections: Vec::new(),
                lock,
            }))),
        }
    }

    /// Runs `read` in one transaction: everything it sees is from one moment.
    pub(super) async fn run<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let idle = Arc::clone(&self.idle);
        let path = self.path.clone();
        self.pool
            .run(move || {
                // The lock is let go last, after this connection too.
                let (taken, _lock) = take(&idle)?;
                let conn = match taken {
                    Some(conn) => conn,
                    None => connection::open_reader(&path)?,
                };
                let tx = conn.unchecked_transaction()?;
                let done = read(&tx);
                tx.finish()?;
                give_back(&idle, conn);
                done
            })
            .await
    }

    /// Closes the connections that rest; one at work is closed when its read is done.
    pub(super) fn close(&self) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        *idle = None;
    }
}

fn take(idle: &Mutex<Option<Idle>>) -> Result<(Option<Connection>, Arc<Lock>), StoreError> {
    let mut idle = idle.lock().unwrap_or_else(PoisonError::into_inner);
    let idle = idle.as_mut().ok_or_else(closed)?;
    Ok((idle.connections.pop(), Arc::clone(&idle.lock)))
}

fn give_back(idle: &Mutex<Option<Idle>>, conn: Connection) {
    let mut idle = idle.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(idle) = idle.as_mut() {
        idle.connections.push(conn);
    }
}
