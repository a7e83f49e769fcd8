//! SQLite for the changes and reads that both databases share.

use std::collections::BTreeSet;
use std::future::ready;

use futures_util::FutureExt;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql, params_from_iter};

use super::fault::{Applied, Stop};
use super::{accounts, change, cursors, guard, log};
use crate::api::{Entry, NewAccount, Notice, Origin, Profile, Refusal};
use crate::id::{BlobId, ClientId, ConvId, Millis, Peer, Seq, UserId};
use crate::store::audit::{self, Record};
use crate::store::file::{self, Reference};
use crate::store::invite;
use crate::store::name_look::{self, Filled};
use crate::store::shared::{self, Row, Tx, Value};
use crate::store::{Change, Guard, Outcome, StoreError};

/// The writer's open transaction.
struct SqliteTx<'a>(&'a Connection);

/// Applies a change inside the writer's transaction.
pub(super) fn apply(conn: &Connection, change: &Change) -> Applied {
    at_once(shared::apply(&mut SqliteTx(conn), change))
}

/// Applies a change that is written down, and writes it down.
pub(super) fn audited(conn: &Connection, change: &Change, record: &Record) -> Applied {
    let mut tx = SqliteTx(conn);
    if let Some(refusal) = at_once(audit::check(&mut tx, record))? {
        return Err(refusal.into());
    }
    let outcome = change::apply(conn, change)?;
    at_once(audit::note(&mut tx, record, &outcome))?;
    Ok(outcome)
}

/// Applies a change that takes an invite.
pub(super) fn invited(conn: &Connection, change: &Change, code: &str, at: Millis) -> Applied {
    let mut tx = SqliteTx(conn);
    if let Some(refusal) = at_once(invite::check(&mut tx, code, at))? {
        return Err(refusal.into());
    }
    let outcome = change::apply(conn, change)?;
    if matches!(outcome, Outcome::Done { .. }) {
        at_once(invite::count(&mut tx, code))?;
    }
    Ok(outcome)
}

/// Those of these files that are here.
pub(super) fn present(conn: &Connection, files: &[BlobId]) -> Result<BTreeSet<BlobId>, Stop> {
    at_once(file::present(&mut SqliteTx(conn), files))
}

/// Lets a message refer to files.
pub(super) fn refer(conn: &Connection, entry: &Entry, files: BTreeSet<BlobId>) -> Result<(), Stop> {
    let by = Reference::Message(entry.conv, entry.seq);
    at_once(file::refer(&mut SqliteTx(conn), by, files))
}

/// Lets a user refer to the picture that his profile shows.
pub(super) fn show_avatar(conn: &Connection, profile: &Profile, at: Millis) -> Result<(), Stop> {
    let mut tx = SqliteTx(conn);
    at_once(file::show_avatar(
        &mut tx,
        profile.id,
        &profile.avatar.custom,
        at,
    ))
}

/// Whether the name is too much like one that somebody has.
pub(super) fn looks_taken(conn: &Connection, username: &str) -> Result<bool, Stop> {
    at_once(name_look::is_taken(&mut SqliteTx(conn), username))
}

/// Notes how the name of a new account looks.
pub(super) fn note_look(conn: &Connection, user: UserId, username: &str) -> Result<(), Stop> {
    at_once(name_look::note(&mut SqliteTx(conn), user, username))
}

/// Notes how names look that are there whatever they look like.
pub(super) fn admit_looks(
    conn: &Connection,
    names: &[(UserId, String)],
) -> Result<u64, StoreError> {
    at_once(name_look::admit(&mut SqliteTx(conn), names)).map_err(failed)
}

/// Notes that the looks of all users before this one are there.
pub(super) fn note_all_looks_before(conn: &Connection, next: UserId) -> Result<(), StoreError> {
    at_once(name_look::note_all_before(&mut SqliteTx(conn), next)).map_err(failed)
}

/// A step of noting how the names of accounts look that nobody looked at yet.
pub(super) fn fill_looks(conn: &Connection) -> Result<Filled, StoreError> {
    at_once(name_look::fill(&mut SqliteTx(conn))).map_err(failed)
}

/// Why steps stopped that are no change of somebody's, and so cannot be refused.
fn failed(stop: Stop) -> StoreError {
    match stop {
        Stop::Failed(error) => error,
        Stop::With(outcome) => StoreError::Broken(format!("nobody asked, and {outcome:?} it is")),
    }
}

/// The result of steps none of which waits.
fn at_once<T>(steps: impl Future<Output = T>) -> T {
    steps
        .now_or_never()
        .expect("every step of this transaction is a future that is ready")
}

/// Runs a reading statement.
pub(super) fn select(
    conn: &Connection,
    sql: &str,
    values: &[Value],
) -> Result<Vec<Row>, StoreError> {
    let mut statement = conn.prepare_cached(sql)?;
    let width = statement.column_count();
    let mut found = statement.query(params_from_iter(values))?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        let cells: Result<Vec<Value>, StoreError> = (0..width)
            .map(|column| from_sqlite(row.get_ref(column)?))
            .collect();
        rows.push(Row(cells?));
    }
    Ok(rows)
}

impl SqliteTx<'_> {
    fn execute_now(&self, sql: &str, values: &[Value]) -> Result<u64, Stop> {
        let touched = self
            .0
            .prepare_cached(sql)?
            .execute(params_from_iter(values))?;
        u64::try_from(touched)
            .map_err(|_| StoreError::Broken("a row count is too large".to_owned()).into())
    }

    fn lock_now(&self, numbers: &[u32]) -> Result<BTreeSet<u32>, Stop> {
        // The one writer has everything to itself.
        let mut there = BTreeSet::new();
        for number in numbers {
            if let Some(peer) = Peer::from_number(*number)
                && accounts::exists(self.0, peer)?
            {
                there.insert(*number);
            }
        }
        Ok(there)
    }

    fn append_now(&self, notices: Vec<(ConvId, Origin, Notice)>) -> Result<Vec<Entry>, Stop> {
        notices
            .into_iter()
            .map(|(conv, origin, notice)| Ok(log::write_notice(self.0, conv, &origin, notice)?))
            .collect()
    }
}

impl Tx for SqliteTx<'_> {
    type Fault = Stop;
    const INSERT_IGNORE: &'static str = "INSERT OR IGNORE";
    // The one writer has everything to itself.
    const FOR_UPDATE: &'static str = "";

    fn select(
        &mut self,
        sql: &str,
        values: Vec<Value>,
    ) -> impl Future<Output = Result<Vec<Row>, Stop>> + Send {
        ready(select(self.0, sql, &values).map_err(Stop::from))
    }

    fn execute(
        &mut self,
        sql: &str,
        values: Vec<Value>,
    ) -> impl Future<Output = Result<u64, Stop>> + Send {
        ready(self.execute_now(sql, &values))
    }

    fn lock(
        &mut self,
        numbers: &[u32],
    ) -> impl Future<Output = Result<BTreeSet<u32>, Stop>> + Send {
        ready(self.lock_now(numbers))
    }

    fn head(&mut self, conv: ConvId) -> impl Future<Output = Result<Seq, Stop>> + Send {
        ready(cursors::head(self.0, conv).map_err(Stop::from))
    }

    fn sent(
        &mut self,
        sender: UserId,
        client_id: &ClientId,
    ) -> impl Future<Output = Result<Option<Entry>, Stop>> + Send {
        ready(log::find(self.0, sender, client_id).map_err(Stop::from))
    }

    fn check_guard(
        &mut self,
        sender: UserId,
        conv: ConvId,
        needed: Guard,
        at: Millis,
    ) -> impl Future<Output = Result<Option<Refusal>, Stop>> + Send {
        ready(guard::check(self.0, sender, conv, needed, at).map_err(Stop::from))
    }

    fn create_account(
        &mut self,
        account: &NewAccount,
        at: Millis,
    ) -> impl Future<Output = Result<Outcome, Stop>> + Send {
        ready(accounts::create(self.0, account, at))
    }

    fn append(
        &mut self,
        notices: Vec<(ConvId, Origin, Notice)>,
    ) -> impl Future<Output = Result<Vec<Entry>, Stop>> + Send {
        ready(self.append_now(notices))
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(int) => ValueRef::Integer(*int),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn from_sqlite(value: ValueRef<'_>) -> Result<Value, StoreError> {
    match value {
        ValueRef::Null => Ok(Value::Null),
        ValueRef::Integer(int) => Ok(Value::Int(int)),
        ValueRef::Text(text) => Ok(Value::Text(String::from_utf8_lossy(text).into_owned())),
        ValueRef::Blob(bytes) => Ok(Value::Bytes(bytes.to_vec())),
        ValueRef::Real(_) => Err(StoreError::Broken("a fraction in a row".to_owned())),
    }
}
