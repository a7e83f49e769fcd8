//! Finding people, and the requests between them.

use std::collections::BTreeSet;

use super::tx::refused;
use super::{Row, Tx, Value};
use crate::api::{Profile, Refusal};
use crate::id::{GROUP_ID_FIRST, Millis, Peer, UserId};
use crate::store::bulk::{lookups, marks};
use crate::store::{Outcome, Store, StoreError};

/// A write about people.
#[derive(Clone, Debug)]
pub enum PeopleChange {
    /// The asker takes an open request back. Refused: `NotRequested`.
    CancelRequest { from: UserId, to: UserId },
}

/// An open request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FriendRequest {
    pub from: UserId,
    pub to: UserId,
    pub note: String,
    pub at: Millis,
}

pub(super) async fn apply<T: Tx>(tx: &mut T, change: &PeopleChange) -> Result<Outcome, T::Fault> {
    match change {
        PeopleChange::CancelRequest { from, to } => {
            tx.lock(&[from.0, to.0]).await?;
            let sql = "DELETE FROM t_friend_request WHERE f_from = ? AND f_to = ?";
            let deleted = tx.execute(sql, vec![(*from).into(), (*to).into()]).await?;
            if deleted == 0 {
                return refused(Refusal::NotRequested);
            }
            Ok(Outcome::done())
        }
    }
}

/// Users (no groups) whose user name or nickname begins with the text, whatever its case, or
/// whose number it is; ascending by number, behind `after`. Nobody for no text. MySQL takes
/// letters with and without accents for the same.
///
/// # Errors
/// When the database cannot be asked.
pub async fn find(
    store: &dyn Store,
    text: &str,
    after: Option<UserId>,
    limit: u32,
) -> Result<Vec<Profile>, StoreError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let after = after.unwrap_or(UserId(0));
    let range: [Value; 2] = [after.into(), GROUP_ID_FIRST.into()];
    let number: Value = UserId::from_decimal(text).map_or(Value::Int(0), Value::from);
    let mut arms = vec![arm("f_user_id = ?")];
    let mut values = vec![number];
    values.extend(range.clone());
    for way in ways(text) {
        for column in ["f_username", "f_nickname"] {
            let (condition, prefix) = store.begins_with(column, &way);
            arms.push(arm(&condition));
            values.extend(prefix);
            values.extend(range.clone());
        }
    }
    let sql = format!(
        "SELECT f_user_id FROM ({}) AS found ORDER BY f_user_id LIMIT ?",
        arms.join(" UNION ")
    );
    values.push(limit.into());
    let rows = store.select(&sql, values).await?;
    let found: Result<Vec<Peer>, StoreError> = rows.iter().map(|row| row.peer(0)).collect();
    store.profiles(&found?).await
}

/// One way to be found. The plus keeps both databases from walking through all users in the order
/// of their numbers instead of using the index of names.
fn arm(condition: &str) -> String {
    format!("SELECT f_user_id FROM t_user WHERE {condition} AND +f_user_id > ? AND +f_user_id < ?")
}

/// A condition on `u`, that a name has this text in it, and its values.
pub(super) fn has_in_name(text: &str) -> (String, Vec<Value>) {
    let mut conditions = Vec::new();
    let mut values = Vec::new();
    for way in ways(text) {
        for column in ["u.f_username", "u.f_nickname"] {
            conditions.push(format!("{column} LIKE ? ESCAPE '!'"));
            values.push(format!("%{}", pattern(&way)).into());
        }
    }
    (conditions.join(" OR "), values)
}

/// How a name may be written. SQLite knows capitals of ASCII only: other scripts are asked for
/// in the three ways in which people write names.
fn ways(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let mut ways = vec![lower.clone()];
    if !text.is_ascii() {
        let mut chars = lower.chars();
        let first = chars.next().into_iter().flat_map(char::to_uppercase);
        ways.push(first.chain(chars).collect());
        ways.push(text.to_uppercase());
        ways.push(text.to_owned());
        ways.sort_unstable();
        ways.dedup();
    }
    ways
}

/// A condition that a column begins so, for a database that finds an index for it, and its value.
pub(in crate::store) fn like(column: &str, text: &str) -> (String, Vec<Value>) {
    (
        format!("{column} LIKE ? ESCAPE '!'"),
        vec![pattern(text).into()],
    )
}

/// A LIKE pattern for texts that begin so.
fn pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 1);
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(letter);
    }
    pattern + "%"
}

/// The open request of one user to another.
///
/// # Errors
/// When the database cannot be asked.
pub async fn request(
    store: &dyn Store,
    from: UserId,
    to: UserId,
) -> Result<Option<FriendRequest>, StoreError> {
    let sql = "SELECT f_from, f_to, f_note, f_time FROM t_friend_request \
         WHERE f_from = ? AND f_to = ?";
    let rows = store.select(sql, vec![from.into(), to.into()]).await?;
    rows.first().map(open_request).transpose()
}

/// All open requests from and to a user, the newest first.
///
/// # Errors
/// When the database cannot be asked.
pub async fn requests(store: &dyn Store, user: UserId) -> Result<Vec<FriendRequest>, StoreError> {
    // The two directions apart, so that each finds its key.
    let sql = "SELECT f_from, f_to, f_note, f_time FROM t_friend_request WHERE f_from = ? \
         UNION ALL SELECT f_from, f_to, f_note, f_time FROM t_friend_request WHERE f_to = ? \
         ORDER BY f_time DESC, f_from, f_to";
    let rows = store.select(sql, vec![user.into(), user.into()]).await?;
    rows.iter().map(open_request).collect()
}

fn open_request(row: &Row) -> Result<FriendRequest, StoreError> {
    Ok(FriendRequest {
        from: row.user(0)?,
        to: row.user(1)?,
        note: row.text(2)?,
        at: row.millis(3)?,
    })
}

/// How somebody stands to another user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub is_contact: bool,
    /// The other one does not want to hear from him.
    pub is_blocked: bool,
}

/// How `user` stands to `other`.
///
/// # Errors
/// When the database cannot be asked.
pub async fn standing(
    store: &dyn Store,
    user: UserId,
    other: UserId,
) -> Result<Standing, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM t_user_relationship \
         WHERE f_user_id1 = ? AND f_user_id2 = ?), \
         EXISTS (SELECT 1 FROM t_block WHERE f_user_id = ? AND f_blocked_id = ?)";
    let values = vec![
        user.min(other).into(),
        user.max(other).into(),
        other.into(),
        user.into(),
    ];
    let rows = store.select(sql, values).await?;
    let row = rows
        .first()
        .ok_or_else(|| StoreError::Broken("no row where there is always one".to_owned()))?;
    Ok(Standing {
        is_contact: row.flag(0)?,
        is_blocked: row.flag(1)?,
    })
}

/// Those of these users who are members of a group in which `user` is one too.
///
/// # Errors
/// When the database cannot be asked.
pub async fn in_common_groups(
    store: &dyn Store,
    user: UserId,
    users: &[UserId],
) -> Result<BTreeSet<UserId>, StoreError> {
    let mut found = BTreeSet::new();
    for keys in lookups(users) {
        // From their memberships to the own ones: a group's members are never walked.
        let sql = format!(
            "SELECT DISTINCT t.f_user_id1 FROM t_user_relationship t \
             WHERE t.f_user_id1 IN ({}) AND t.f_user_id2 >= ? \
             AND EXISTS (SELECT 1 FROM t_user_relationship o \
             WHERE o.f_user_id1 = ? AND o.f_user_id2 = t.f_user_id2)",
            marks(keys.len())
        );
        let mut values: Vec<Value> = keys.into_iter().map(Value::from).collect();
        values.extend([Value::from(GROUP_ID_FIRST), Value::from(user)]);
        for row in &store.select(&sql, values).await? {
            found.insert(row.user(0)?);
        }
    }
    Ok(found)
}

/// When these users were last on line; who never was is left out.
///
/// # Errors
/// When the database cannot be asked.
pub async fn last_seen(
    store: &dyn Store,
    users: &[UserId],
) -> Result<Vec<(UserId, Millis)>, StoreError> {
    let mut seen = Vec::with_capacity(users.len());
    for keys in lookups(users) {
        let sql = format!(
            "SELECT f_user_id, f_last_seen FROM t_user WHERE f_user_id IN ({}) \
             AND f_last_seen > 0",
            marks(keys.len())
        );
        let values = keys.into_iter().map(Value::from).collect();
        for row in &store.select(&sql, values).await? {
            seen.push((row.user(0)?, row.millis(1)?));
        }
    }
    Ok(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_takes_nothing_for_a_wildcard() {
        assert_eq!(pattern("50%_a!"), "50!%!_a!!%");
    }

    #[test]
    fn other_scripts_are_asked_for_in_the_ways_of_names() {
        assert_eq!(ways("AnN"), ["ann"]);
        assert_eq!(ways("иВАН"), ["ИВАН", "Иван", "иВАН", "иван"]);
        assert_eq!(ways("小明"), ["小明"]);
    }
}
