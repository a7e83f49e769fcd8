//! The connections to the database server: few, reused, and never trusted after a failure.
//!
//! The driver's own pool cleans a returned connection by talking to the server, so a server that
//! hangs would hold its connections for ever. Here a connection comes back only after it answered;
//! any other is closed, which also makes the server undo what was open on it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use mysql_async::prelude::{FromRow, Queryable};
use mysql_async::{Conn, Opts, OptsBuilder, Params, Row, from_row_opt};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout, timeout_at};

use super::fault::Fault;
use crate::store::StoreError;

/// Connections that read at a time; more would only wait for each other.
const READERS_MAX: usize = 7;

/// Connections that commit at a time: the committer's, and one for administration beside it. They
/// are counted apart, so that a storm of readers does not hold up what people write.
const WRITERS_MAX: usize = 2;

/// How often the system asks whether the other end of a silent connection is still there. Calls
/// have a limit of their own; this is for what may take its time, like a migration.
const KEEPALIVE: Duration = Duration::from_secs(10);

/// How long a new connection may take to be ready.
const CONNECT_LIMIT: Duration = Duration::from_secs(3);

/// How long one call may take, so that a database that hangs is reported within 5 seconds.
pub(super) const CALL_LIMIT: Duration = Duration::from_millis(4_500);

/// Prepared statements that are kept per connection. Statements over many rows come in sizes that
/// are powers of two, so this is more than there are.
const STATEMENTS_MAX: usize = 256;

/// What every connection is told first. Strict: nothing is cut off silently.
const SESSION: [&str; 2] = [
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    "SET SESSION time_zone = '+00:00', \
     sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO'",
];

/// What the connections that serve calls are told too: let go of a statement before we give up
/// waiting for it at [`CALL_LIMIT`]. The two servers have different names for the same limit.
const SESSION_LIMITS: &str = "SET SESSION eq_range_index_dive_limit = 1, innodb_lock_wait_timeout = 3, lock_wait_timeout = 4 \
     /*M! , max_statement_time = 4.4 */ /*!80000 , max_execution_time = 4400 */";

/// The connections of one store.
pub(super) struct Connections {
    opts: Opts,
    readers: Semaphore,
    writers: Semaphore,
    idle: Mutex<Vec<Conn>>,
}

/// What a connection is wanted for.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Read,
    Write,
}

/// A connection in use. Dropping it closes the connection; [`Lease::give_back`] keeps it.
pub(super) struct Lease<'a> {
    pub(super) conn: Conn,
    /// It was idle before: that it is broken says nothing about the server now.
    pub(super) reused: bool,
    home: &'a Connections,
    _permit: SemaphorePermit<'a>,
}

impl Lease<'_> {
    pub(super) fn give_back(self) {
        if !self.home.readers.is_closed() {
            self.home.idle().push(self.conn);
        }
    }
}

/// How long statements may take on a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// Serving calls.
    Call,
    /// Opening, migrating, importing: a big table takes its time.
    Endless,
}

/// The options of every connection, from the URL's.
pub(super) fn options(opts: Opts, patience: Patience) -> OptsBuilder {
    let mut session = SESSION.to_vec();
    if patience == Patience::Call {
        session.push(SESSION_LIMITS);
    }
    OptsBuilder::from_opts(opts)
        // The server says where its socket is, but in a container that is somebody else's file.
        .prefer_socket(false)
        .tcp_nodelay(true)
        .tcp_keepalive(Some(KEEPALIVE))
        .stmt_cache_size(STATEMENTS_MAX)
        .init(session)
}

/// Opens a connection.
pub(super) async fn connect(opts: Opts) -> Result<Conn, Fault> {
    let server = format!("{}:{}", opts.ip_or_hostname(), opts.tcp_port());
    match timeout(CONNECT_LIMIT, Conn::new(opts)).await {
        Ok(Ok(conn)) => Ok(conn),
        Ok(Err(error)) => Err(match Fault::from(error) {
            Fault::Lost(text) => Fault::Lost(format!("{server}: {text}")),
            other => other,
        }),
        Err(_elapsed) => Err(Fault::Lost(format!("{server} does not answer"))),
    }
}

impl Connections {
    pub(super) fn new(opts: Opts) -> Self {
        Self {
            opts,
            readers: Semaphore::new(READERS_MAX),
            writers: Semaphore::new(WRITERS_MAX),
            idle: Mutex::new(Vec::new()),
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Conn>> {
        // A list of connections cannot be half changed.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An idle connection or a new one; waits while all are in use.
    pub(super) async fn take(&self, purpose: Purpose) -> Result<Lease<'_>, Fault> {
        let permits = match purpose {
            Purpose::Read => &self.readers,
            Purpose::Write => &self.writers,
        };
        let permit = permits
            .acquire()
            .await
            .map_err(|_closed| Fault::Lost("the store was closed".to_owned()))?;
        let idle = self.idle().pop();
        let reused = idle.is_some();
        let conn = match idle {
            Some(conn) => conn,
            None => connect(self.opts.clone()).await?,
        };
        Ok(Lease {
            conn,
            reused,
            home: self,
            _permit: permit,
        })
    }

    /// Closes what is idle: one connection broke, so the others probably did too.
    pub(super) fn forget_idle(&self) {
        self.idle().clear();
    }

    /// Runs one reading statement within [`CALL_LIMIT`].
    pub(super) async fn rows<R: FromRow + Send + 'static>(
        &self,
        sql: &str,
        params: impl Into<Params>,
    ) -> Result<Vec<R>, StoreError> {
        let params = params.into();
        let deadline = Instant::now() + CALL_LIMIT;
        loop {
            let mut reused = false;
            let attempt = async {
                let mut lease = self.take(Purpose::Read).await?;
                reused = lease.reused;
                let rows = rows(&mut lease.conn, sql, params.clone()).await?;
                lease.give_back();
                Ok(rows)
            };
            match timeout_at(deadline, attempt).await {
                Ok(Ok(rows)) => return Ok(rows),
                Ok(Err(Fault::Lost(_))) if reused => self.forget_idle(),
                Ok(Err(fault)) => return Err(fault.into()),
                Err(_elapsed) => {
                    self.forget_idle();
                    return Err(silent());
                }
            }
        }
    }

    pub(super) fn close(&self) {
        self.readers.close();
        self.writers.close();
        self.forget_idle();
    }
}

/// The database took longer than [`CALL_LIMIT`].
pub(super) fn silent() -> StoreError {
    StoreError::Unreachable(format!(
        "the database did not answer within {} ms",
        CALL_LIMIT.as_millis()
    ))
}

/// Runs a statement with bound parameters and reads all its rows.
pub(super) async fn rows<R: FromRow>(
    conn: &mut Conn,
    sql: &str,
    params: impl Into<Params>,
) -> Result<Vec<R>, Fault> {
    let rows: Vec<Row> = conn.exec(sql, params.into()).await?;
    rows.into_iter()
        .map(|row| {
            from_row_opt(row).map_err(|_row| Fault::broken("a column has an unexpected type"))
        })
        .collect()
}

/// The first row, if there is one.
pub(super) async fn row<R: FromRow>(
    conn: &mut Conn,
    sql: &str,
    params: impl Into<Params>,
) -> Result<Option<R>, Fault> {
    Ok(rows(conn, sql, params).await?.into_iter().next())
}

/// Runs a writing statement with bound parameters; answers how many rows it touched.
pub(super) async fn write(
    conn: &mut Conn,
    sql: &str,
    params: impl Into<Params>,
) -> Result<u64, Fault> {
    conn.exec_drop(sql, params.into()).await?;
    Ok(conn.affected_rows())
}
