//! What the user names of accounts look like: whoever makes an account may not look like somebody
//! who is there.
//!
//! A look belongs to the first who has it. Accounts that are older than this rule, and imported ones,
//! may share a look; they keep their names, and only somebody new is refused. Nobody is found or
//! signed in by a look. A group has none: its name is its number, and that is exact.

use super::{Tx, Value};
use crate::id::{GROUP_ID_FIRST, UserId};
use crate::names::{looks, looks_version};
use crate::store::bulk::{groups, lookups, marks, pieces};
use crate::store::{Store, StoreError};

/// In `t_meta`: the version of the looks, and the first user number whose look may not be noted.
const NOTED: &str = "name_looks";

/// Accounts of one step: less than a tenth of a second, and little to do again after a crash.
const FILL_ACCOUNTS: usize = 1_000;

/// After so many the log says how far it is.
const TOLD_ACCOUNTS: u32 = 100_000;

/// The number of the first user.
const FIRST: UserId = UserId(1);

/// How far the accounts of before are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Filled {
    Part,
    Whole,
}

/// The question who has one of a name's looks; nothing to ask for a name that shows nothing.
fn question(name: &str) -> Option<(String, Vec<Value>)> {
    let looks = lookups(&looks(name)).into_iter().next()?;
    let sql = format!(
        "SELECT f_user_id FROM t_name_look WHERE f_look IN ({})",
        marks(looks.len())
    );
    Some((sql, looks.into_iter().map(Value::from).collect()))
}

/// Whether the name looks like somebody's.
pub(in crate::store) async fn is_taken<T: Tx>(tx: &mut T, name: &str) -> Result<bool, T::Fault> {
    match question(name) {
        Some((sql, values)) => Ok(!tx.select(&sql, values).await?.is_empty()),
        None => Ok(false),
    }
}

/// As [`is_taken`], before the change: what it says may be otherwise a moment later.
///
/// # Errors
/// When the database cannot be asked.
pub async fn is_known(store: &dyn Store, name: &str) -> Result<bool, StoreError> {
    match question(name) {
        Some((sql, values)) => Ok(!store.select(&sql, values).await?.is_empty()),
        None => Ok(false),
    }
}

/// Notes the looks of a new account's name, which were free. Where others commit beside this
/// transaction, one that took a look meanwhile makes it fail at the key of the table.
pub(in crate::store) async fn note<T: Tx>(
    tx: &mut T,
    user: UserId,
    name: &str,
) -> Result<(), T::Fault> {
    let rows: Vec<_> = looks(name).into_iter().map(|look| (look, user)).collect();
    insert(tx, "INSERT", &rows).await?;
    Ok(())
}

/// Notes the looks of names that are there already; where two look alike, it is the first one's.
/// Answers how many looks are new.
pub(in crate::store) async fn admit<T: Tx>(
    tx: &mut T,
    names: &[(UserId, String)],
) -> Result<u64, T::Fault> {
    let looks_of = |(user, name): &(UserId, String)| {
        let user = *user;
        looks(name).into_iter().map(move |look| (look, user))
    };
    let mut rows: Vec<_> = names.iter().flat_map(looks_of).collect();
    // In the order of the key, so that two servers never wait for each other; the first one's first.
    rows.sort_unstable();
    rows.dedup_by(|next, kept| next.0 == kept.0);
    insert(tx, T::INSERT_IGNORE, &rows).await
}

async fn insert<T: Tx>(tx: &mut T, verb: &str, rows: &[(String, UserId)]) -> Result<u64, T::Fault> {
    let mut inserted = 0;
    for piece in pieces(rows) {
        let sql = format!(
            "{verb} INTO t_name_look (f_look, f_user_id) VALUES {}",
            groups(piece.len(), 2)
        );
        let row = |(look, user): &(String, UserId)| [look.clone().into(), (*user).into()];
        let values = piece.iter().flat_map(row).collect();
        inserted += tx.execute(&sql, values).await?;
    }
    Ok(inserted)
}

/// Notes that the looks of all users before this one are there.
pub(in crate::store) async fn note_all_before<T: Tx>(
    tx: &mut T,
    next: UserId,
) -> Result<(), T::Fault> {
    let noted = format!("{} {}", looks_version(), next.0);
    let sql = "REPLACE INTO t_meta (f_key, f_value) VALUES (?, ?)";
    tx.execute(sql, vec![NOTED.into(), noted.into()]).await?;
    Ok(())
}

/// Notes how the next accounts look that nobody looked at: those of before this rule, of an adopted
/// database, and, once more, those since the last start: a server of an earlier version may have made
/// accounts beside this one. Numbers are given in order, and each is there before the
/// next one is given, so none is passed over.
///
/// After a change of the rules all are looked at again. Looks by other rules stay: they are of people
/// who are there, and another server may still have those rules.
pub(in crate::store) async fn fill<T: Tx>(tx: &mut T) -> Result<Filled, T::Fault> {
    let version = looks_version();
    let sql = "SELECT f_value FROM t_meta WHERE f_key = ?";
    let rows = tx.select(sql, vec![NOTED.into()]).await?;
    let noted = rows.first().map(|row| row.text(0)).transpose()?;
    let from = noted
        .as_deref()
        .and_then(|noted| noted.strip_prefix(&version))
        .and_then(|number| number.trim_start().parse().ok())
        .unwrap_or(FIRST.0);
    let sql = format!(
        "SELECT f_user_id, f_username FROM t_user WHERE f_user_id >= ? AND f_user_id < ? \
         ORDER BY f_user_id LIMIT {FILL_ACCOUNTS}"
    );
    let range = vec![UserId(from).into(), UserId(GROUP_ID_FIRST).into()];
    let rows = tx.select(&sql, range).await?;
    let names: Result<Vec<_>, StoreError> = rows
        .iter()
        .map(|row| Ok((row.user(0)?, row.text(1)?)))
        .collect();
    let names = names?;
    let Some((last, _)) = names.last() else {
        return Ok(Filled::Whole);
    };
    let is_full = names.len() == FILL_ACCOUNTS;
    // The few who have all their looks may be looked at again: most starts write nothing.
    if admit(tx, &names).await? > 0 || is_full {
        note_all_before(tx, UserId(last.0 + 1)).await?;
    }
    if !is_full {
        return Ok(Filled::Whole);
    }
    if from == FIRST.0 || last.0 / TOLD_ACCOUNTS != from / TOLD_ACCOUNTS {
        tracing::info!(up_to = last.0, "noting what all user names look like");
    }
    Ok(Filled::Part)
}
