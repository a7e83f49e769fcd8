//! MySQL for the changes and reads that both databases share.

use std::collections::BTreeSet;

use mysql_async::{Conn, Params, Row as MySqlRow, Value as MySqlValue};

use super::account;
use super::connections::{Connections, rows, write};
use super::fault::Fault;
use super::friend;
use super::guard::{Ask, Held};
use super::log::{Heads, saved};
use crate::api::{Entry, NewAccount, Notice, Origin, Profile, Refusal};
use crate::id::{BlobId, ClientId, ConvId, Millis, Seq, UserId};
use crate::store::audit::{self, Record};
use crate::store::bulk::marks;
use crate::store::file::{self, Reference};
use crate::store::invite;
use crate::store::name_look::{self, Filled};
use crate::store::shared::{self, Row, Tx, Value};
use crate::store::{Change, Guard, Outcome, StoreError};

/// An open transaction.
struct MySqlTx<'a>(&'a mut Conn);

/// Applies a change inside the open transaction.
pub(super) async fn apply(conn: &mut Conn, change: &Change) -> Result<Outcome, Fault> {
    shared::apply(&mut MySqlTx(conn), change).await
}

/// What stands against a change that is to be written down; nothing if it may be applied.
pub(super) async fn check_audited(
    conn: &mut Conn,
    record: &Record,
) -> Result<Option<Refusal>, Fault> {
    audit::check(&mut MySqlTx(conn), record).await
}

/// Writes down what became of a change.
pub(super) async fn note_audited(
    conn: &mut Conn,
    record: &Record,
    outcome: &Outcome,
) -> Result<(), Fault> {
    audit::note(&mut MySqlTx(conn), record, outcome).await
}

/// What stands against the use of an invite; nothing if it may be used. Locks it.
pub(super) async fn check_invite(
    conn: &mut Conn,
    code: &str,
    at: Millis,
) -> Result<Option<Refusal>, Fault> {
    invite::check(&mut MySqlTx(conn), code, at).await
}

/// Counts a use of an invite.
pub(super) async fn count_invite(conn: &mut Conn, code: &str) -> Result<(), Fault> {
    invite::count(&mut MySqlTx(conn), code).await
}

/// Those of these files that are here. Locks them.
pub(super) async fn present(conn: &mut Conn, files: &[BlobId]) -> Result<BTreeSet<BlobId>, Fault> {
    file::present(&mut MySqlTx(conn), files).await
}

/// Lets a message refer to files.
pub(super) async fn refer(
    conn: &mut Conn,
    (conv, seq): (ConvId, Seq),
    files: BTreeSet<BlobId>,
) -> Result<(), Fault> {
    file::refer(&mut MySqlTx(conn), Reference::Message(conv, seq), files).await
}

/// Lets a user refer to the picture that his profile shows.
pub(super) async fn show_avatar(
    conn: &mut Conn,
    profile: &Profile,
    at: Millis,
) -> Result<(), Fault> {
    file::show_avatar(&mut MySqlTx(conn), profile.id, &profile.avatar.custom, at).await
}

/// Whether the name is too much like one that somebody has.
pub(super) async fn looks_taken(conn: &mut Conn, username: &str) -> Result<bool, Fault> {
    name_look::is_taken(&mut MySqlTx(conn), username).await
}

/// Notes how the name of a new account looks.
pub(super) async fn note_look(conn: &mut Conn, user: UserId, username: &str) -> Result<(), Fault> {
    name_look::note(&mut MySqlTx(conn), user, username).await
}

/// Notes how names look that are there whatever they look like.
pub(super) async fn admit_looks(conn: &mut Conn, names: &[(UserId, String)]) -> Result<u64, Fault> {
    name_look::admit(&mut MySqlTx(conn), names).await
}

/// Notes that the looks of all users before this one are there.
pub(super) async fn note_all_looks_before(conn: &mut Conn, next: UserId) -> Result<(), Fault> {
    name_look::note_all_before(&mut MySqlTx(conn), next).await
}

/// A step of noting how the names of accounts look that nobody looked at yet.
pub(super) async fn fill_looks(conn: &mut Conn) -> Result<Filled, Fault> {
    name_look::fill(&mut MySqlTx(conn)).await
}

/// Runs a reading statement.
pub(super) async fn select(
    db: &Connections,
    sql: &str,
    values: Vec<Value>,
) -> Result<Vec<Row>, StoreError> {
    let found: Vec<MySqlRow> = db.rows(sql, params(values)).await?;
    Ok(found
        .into_iter()
        .map(from_row)
        .collect::<Result<_, Fault>>()?)
}

impl Tx for MySqlTx<'_> {
    type Fault = Fault;
    const INSERT_IGNORE: &'static str = "INSERT IGNORE";
    const FOR_UPDATE: &'static str = " FOR UPDATE";

    async fn select(&mut self, sql: &str, values: Vec<Value>) -> Result<Vec<Row>, Fault> {
        let found: Vec<MySqlRow> = rows(self.0, sql, params(values)).await?;
        found.into_iter().map(from_row).collect()
    }

    async fn execute(&mut self, sql: &str, values: Vec<Value>) -> Result<u64, Fault> {
        write(self.0, sql, params(values)).await
    }

    async fn lock(&mut self, numbers: &[u32]) -> Result<BTreeSet<u32>, Fault> {
        let sql = format!(
            "SELECT f_user_id FROM t_user WHERE f_user_id IN ({}) ORDER BY f_user_id FOR UPDATE",
            marks(numbers.len())
        );
        let numbers: Vec<MySqlValue> = numbers.iter().map(|number| (*number).into()).collect();
        let found: Vec<(u32,)> = rows(self.0, &sql, Params::Positional(numbers)).await?;
        Ok(found.into_iter().map(|(number,)| number).collect())
    }

    async fn head(&mut self, conv: ConvId) -> Result<Seq, Fault> {
        let heads = Heads::lock(self.0, &BTreeSet::from([conv])).await?;
        Ok(heads.last(conv).seq)
    }

    async fn sent(&mut self, sender: UserId, client_id: &ClientId) -> Result<Option<Entry>, Fault> {
        let key = (sender, client_id.as_str().to_owned());
        Ok(saved(self.0, &[key]).await?.into_values().next())
    }

    async fn check_guard(
        &mut self,
        sender: UserId,
        conv: ConvId,
        guard: Guard,
        at: Millis,
    ) -> Result<Option<Refusal>, Fault> {
        let ask = Ask {
            sender,
            conv,
            guard,
            at,
        };
        let held = Held::find(self.0, std::iter::once(ask)).await?;
        Ok(held.refusal(&ask))
    }

    async fn create_account(&mut self, account: &NewAccount, at: Millis) -> Result<Outcome, Fault> {
        account::create(self.0, account, at).await
    }

    async fn append(
        &mut self,
        notices: Vec<(ConvId, Origin, Notice)>,
    ) -> Result<Vec<Entry>, Fault> {
        friend::append(self.0, notices).await
    }
}

fn params(values: Vec<Value>) -> Params {
    if values.is_empty() {
        return Params::Empty;
    }
    let to_mysql = |value| match value {
        Value::Null => MySqlValue::NULL,
        Value::Int(int) => MySqlValue::Int(int),
        Value::Text(text) => MySqlValue::Bytes(text.into_bytes()),
        Value::Bytes(bytes) => MySqlValue::Bytes(bytes),
    };
    Params::Positional(values.into_iter().map(to_mysql).collect())
}

fn from_row(row: MySqlRow) -> Result<Row, Fault> {
    let cells: Result<Vec<Value>, Fault> = row.unwrap().into_iter().map(from_mysql).collect();
    Ok(Row(cells?))
}

fn from_mysql(value: MySqlValue) -> Result<Value, Fault> {
    match value {
        MySqlValue::NULL => Ok(Value::Null),
        MySqlValue::Int(int) => Ok(Value::Int(int)),
        MySqlValue::UInt(int) => i64::try_from(int)
            .map(Value::Int)
            .map_err(|_| Fault::broken("a number of 64 bits in a row")),
        MySqlValue::Bytes(bytes) => Ok(Value::Bytes(bytes)),
        other => Err(Fault::broken(format!("an unexpected value: {other:?}"))),
    }
}
