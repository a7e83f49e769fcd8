//! Messages, many at once: the group commit.

use std::collections::{BTreeSet, HashMap, HashSet};

use mysql_async::{Conn, Params, Value};

use super::bulk::{groups, lookups, marks};
use super::connections::rows;
use super::fault::Fault;
use super::log::{Heads, SendKey, saved, send_key, write_entries};
use crate::api::{Entry, Refusal};
use crate::id::{ConvId, ConvKind, UserId};
use crate::store::{Append, Guard, Outcome};

/// What must be found for a guard to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Need {
    /// A row that connects the two numbers, the smaller first: friends, or a member and a group.
    Relation(u32, u32),
    User(UserId),
}

/// Applies consecutive appends. Locks heads first, so that what it then looks at cannot change
/// before the commit.
pub(super) async fn append_all(
    conn: &mut Conn,
    appends: &[&Append],
) -> Result<Vec<Outcome>, Fault> {
    let convs: BTreeSet<ConvId> = appends.iter().map(|append| append.conv).collect();
    let mut heads = Heads::lock(conn, &convs).await?;

    let keys: Vec<SendKey> = appends.iter().map(|a| send_key(&a.origin)).collect();
    let mut known = saved(conn, &keys).await?;
    let held = held(conn, appends).await?;
    let accepted = |append: &Append| {
        !known.contains_key(&send_key(&append.origin)) && refusal(append, &held).is_none()
    };
    let fresh: BTreeSet<ConvId> = appends
        .iter()
        .filter(|append| accepted(append))
        .map(|append| append.conv)
        .collect();
    heads.create(conn, &fresh).await?;

    let mut entries = Vec::with_capacity(appends.len());
    let mut outcomes = Vec::with_capacity(appends.len());
    for append in appends {
        outcomes.push(one(append, &mut heads, &mut known, &held, &mut entries));
    }
    write_entries(conn, &entries).await?;
    Ok(outcomes)
}

/// Decides one append; what is accepted joins `known` and `entries`.
fn one(
    append: &Append,
    heads: &mut Heads,
    known: &mut HashMap<SendKey, Entry>,
    held: &HashSet<Need>,
    entries: &mut Vec<Entry>,
) -> Outcome {
    let key = send_key(&append.origin);
    if let Some(entry) = known.get(&key) {
        return repeated(
            entry,
            entry.conv == append.conv && entry.body == append.body,
        );
    }
    if let Some(refusal) = refusal(append, held) {
        return Outcome::Refused(refusal);
    }
    let entry = heads.number(append.conv, &append.origin, &append.body);
    known.insert(key, entry.clone());
    entries.push(entry.clone());
    Outcome::Done {
        id: None,
        entries: vec![entry],
    }
}

/// The answer to a client id that was used before.
pub(super) fn repeated(entry: &Entry, same: bool) -> Outcome {
    if same {
        Outcome::AlreadyThere {
            conv: entry.conv,
            seq: entry.seq,
            at: entry.origin.at,
        }
    } else {
        Outcome::Refused(Refusal::ClientIdConflict)
    }
}

/// What the guard of an append needs; `Err` where it can never hold.
fn need(append: &Append) -> Result<Need, Refusal> {
    let sender = append.origin.user;
    let pair = |a: UserId, b: UserId| Need::Relation(a.0.min(b.0), a.0.max(b.0));
    match (append.conv.kind(), append.guard) {
        (Some(ConvKind::Group(group)), Guard::Contact | Guard::Exists) => {
            Ok(Need::Relation(sender.0, group.0))
        }
        (Some(ConvKind::Direct(a, b)), guard) => match (guard, a == sender || b == sender) {
            (Guard::Contact, true) if a != b => Ok(pair(a, b)),
            (Guard::Contact, _) => Err(Refusal::NotFriends),
            (Guard::Exists, true) => Ok(Need::User(if a == sender { b } else { a })),
            (Guard::Exists, false) => Err(Refusal::NoSuchUser),
        },
        (Some(ConvKind::Inbox(owner)), Guard::Contact) if owner != sender => {
            Ok(pair(owner, sender))
        }
        (Some(ConvKind::Inbox(owner)), Guard::Contact | Guard::Exists) => Ok(Need::User(owner)),
        (None, Guard::Contact | Guard::Exists) => Err(Refusal::NoSuchUser),
    }
}

fn refusal(append: &Append, held: &HashSet<Need>) -> Option<Refusal> {
    match need(append) {
        Err(refusal) => Some(refusal),
        Ok(need) if held.contains(&need) => None,
        Ok(Need::User(_)) => Some(Refusal::NoSuchUser),
        Ok(Need::Relation(..)) => Some(match append.conv.kind() {
            Some(ConvKind::Group(_)) => Refusal::NotAMember,
            _ => Refusal::NotFriends,
        }),
    }
}

/// Which of the needs hold. The rows are locked against removal until the commit.
async fn held(conn: &mut Conn, appends: &[&Append]) -> Result<HashSet<Need>, Fault> {
    let needs: HashSet<Need> = appends.iter().filter_map(|a| need(a).ok()).collect();
    let mut relations = Vec::new();
    let mut users = Vec::new();
    for need in needs {
        match need {
            Need::Relation(small, large) => relations.push((small, large)),
            Need::User(user) => users.push(user),
        }
    }
    relations.sort_unstable();
    users.sort_unstable();

    let mut held = HashSet::new();
    for keys in lookups(&relations) {
        let sql = format!(
            "SELECT f_user_id1, f_user_id2 FROM t_user_relationship FORCE INDEX (u_pair) \
             WHERE (f_user_id1, f_user_id2) IN ({}) LOCK IN SHARE MODE",
            groups(keys.len(), 2)
        );
        let pair = |key: (u32, u32)| -> [Value; 2] { [key.0.into(), key.1.into()] };
        let values = keys.into_iter().flat_map(pair).collect();
        let found: Vec<(u32, u32)> = rows(conn, &sql, Params::Positional(values)).await?;
        held.extend(found.into_iter().map(|(a, b)| Need::Relation(a, b)));
    }
    for keys in lookups(&users) {
        let sql = format!(
            "SELECT f_user_id FROM t_user FORCE INDEX (PRIMARY) WHERE f_user_id IN ({})",
            marks(keys.len())
        );
        let values = keys.into_iter().map(|user| user.0.into()).collect();
        let found: Vec<u32> = rows(conn, &sql, Params::Positional(values)).await?;
        held.extend(found.into_iter().map(|user| Need::User(UserId(user))));
    }
    Ok(held)
}
