//! A user's own view of a conversation: how far he read, what he wants to hear of it.

use super::tx::refused;
use super::{Row, Tx, Value, unread};
use crate::api::Refusal;
use crate::id::{ConvId, ConvKind, GROUP_ID_FIRST, Millis, Seq, UserId};
use crate::store::{Outcome, Store, StoreError};

/// The most unread messages that are counted.
pub const UNREAD_MAX: u32 = 999;

/// A write about places.
#[derive(Clone, Debug)]
pub enum PlaceChange {
    /// Makes a direct conversation appear in the user's list before anything was written in it.
    /// Opening one that is there only shows it again. Refused: `NoSuchUser` (the other one),
    /// `NoSuchConversation` (not his, or a group of which he is no member).
    Open {
        user: UserId,
        conv: ConvId,
        at: Millis,
    },
    /// The user has read up to here. Never moves back, never past the head. Refused:
    /// `NoSuchConversation`.
    Read {
        user: UserId,
        conv: ConvId,
        seq: Seq,
    },
    /// What is `None` stays. Hidden lasts until the next entry. Refused: `NoSuchConversation`.
    Set {
        user: UserId,
        conv: ConvId,
        notify: Option<Notify>,
        pinned: Option<bool>,
        hidden: Option<bool>,
    },
}

/// What of a conversation rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notify {
    All,
    Mentions,
    Nothing,
}

impl Notify {
    fn from_number(number: i64) -> Result<Self, StoreError> {
        match number {
            0 => Ok(Self::All),
            1 => Ok(Self::Mentions),
            2 => Ok(Self::Nothing),
            other => Err(StoreError::Broken(format!("f_notify is {other}"))),
        }
    }

    fn number(self) -> i64 {
        match self {
            Self::All => 0,
            Self::Mentions => 1,
            Self::Nothing => 2,
        }
    }
}

/// A conversation as one user sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub conv: ConvId,
    /// The user may read what is behind this.
    pub since: Seq,
    pub head: Seq,
    /// When the last entry was written.
    pub at: Millis,
    /// The user has read up to here; what he may not read counts as read.
    pub read: Seq,
    pub notify: Notify,
    pub pinned: bool,
    pub hidden: bool,
    /// Messages of others behind `read`; at most [`UNREAD_MAX`].
    pub unread: u32,
    /// Those of them that mention the user.
    pub mentions: u32,
}

/// `f_hidden` of a conversation that is listed.
const LISTED: i64 = -1;

/// Inboxes have the numbers from here on.
const INBOX_FIRST: ConvId = ConvId(3 << 60);

/// What [`place`] reads. A group of an adopted database may have no entry yet, and then it has no
/// row in `t_conversation`.
const COLUMNS: &str = "p.f_conv, p.f_since, COALESCE(v.f_head, 0), COALESCE(v.f_time, 0), \
     p.f_read, p.f_notify, p.f_pinned, p.f_hidden \
     FROM t_place p LEFT JOIN t_conversation v ON v.f_conv = p.f_conv";

pub(super) async fn apply<T: Tx>(tx: &mut T, change: &PlaceChange) -> Result<Outcome, T::Fault> {
    match change {
        PlaceChange::Open { user, conv, at } => open(tx, *user, *conv, *at).await,
        PlaceChange::Read { user, conv, seq } => {
            let Some(head) = head(tx, *user, *conv).await? else {
                return refused(Refusal::NoSuchConversation);
            };
            let seq = head.min(*seq);
            let sql = "UPDATE t_place SET f_read = ? \
                 WHERE f_user_id = ? AND f_conv = ? AND f_read < ?";
            let values = vec![seq.into(), (*user).into(), (*conv).into(), seq.into()];
            tx.execute(sql, values).await?;
            Ok(Outcome::done())
        }
        PlaceChange::Set {
            user,
            conv,
            notify,
            pinned,
            hidden,
        } => {
            let Some(head) = head(tx, *user, *conv).await? else {
                return refused(Refusal::NoSuchConversation);
            };
            let listed = |hidden: bool| if hidden { head.into() } else { LISTED.into() };
            let columns: [(&str, Option<Value>); 3] = [
                ("f_notify = ?", notify.map(|notify| notify.number().into())),
                ("f_pinned = ?", pinned.map(Value::from)),
                ("f_hidden = ?", hidden.map(listed)),
            ];
            set(tx, *user, *conv, columns).await
        }
    }
}

/// Makes or shows a conversation in the user's list.
async fn open<T: Tx>(
    tx: &mut T,
    user: UserId,
    conv: ConvId,
    at: Millis,
) -> Result<Outcome, T::Fault> {
    if head(tx, user, conv).await?.is_some() {
        return set(tx, user, conv, [("f_hidden = ?", Some(LISTED.into()))]).await;
    }
    let other = match conv.kind() {
        Some(ConvKind::Direct(a, b)) if a == user => b,
        Some(ConvKind::Direct(a, b)) if b == user => a,
        _ => return refused(Refusal::NoSuchConversation),
    };
    let there = tx.lock(&[user.0, other.0]).await?;
    if !there.contains(&user.0) || !there.contains(&other.0) || other.0 >= GROUP_ID_FIRST {
        return refused(Refusal::NoSuchUser);
    }
    tx.head(conv).await?;
    // The first entry finds a head of 0, becomes 1 and makes the places that are missing.
    let sql = format!(
        "{} INTO t_conversation (f_conv, f_head, f_time) VALUES (?, 0, ?)",
        T::INSERT_IGNORE
    );
    tx.execute(&sql, vec![conv.into(), at.into()]).await?;
    let sql = format!(
        "{} INTO t_place (f_user_id, f_conv, f_since) VALUES (?, ?, 0)",
        T::INSERT_IGNORE
    );
    tx.execute(&sql, vec![user.into(), conv.into()]).await?;
    Ok(Outcome::done())
}

/// The last number of a conversation of the user's; `None` if it is not his. Locks nothing: heads
/// only grow, and read marks must not wait for those who write.
async fn head<T: Tx>(tx: &mut T, user: UserId, conv: ConvId) -> Result<Option<Seq>, T::Fault> {
    let sql = "SELECT COALESCE(v.f_head, 0) FROM t_place p \
         LEFT JOIN t_conversation v ON v.f_conv = p.f_conv \
         WHERE p.f_user_id = ? AND p.f_conv = ?";
    let rows = tx.select(sql, vec![user.into(), conv.into()]).await?;
    Ok(rows.first().map(|row| row.seq(0)).transpose()?)
}

/// Sets those columns of a place that have a value.
async fn set<T: Tx, const N: usize>(
    tx: &mut T,
    user: UserId,
    conv: ConvId,
    columns: [(&str, Option<Value>); N],
) -> Result<Outcome, T::Fault> {
    let (columns, mut values): (Vec<&str>, Vec<Value>) = columns
        .into_iter()
        .filter_map(|(column, value)| Some((column, value?)))
        .unzip();
    if !columns.is_empty() {
        let sql = format!(
            "UPDATE t_place SET {} WHERE f_user_id = ? AND f_conv = ?",
            columns.join(", ")
        );
        values.extend([user.into(), conv.into()]);
        tx.execute(&sql, values).await?;
    }
    Ok(Outcome::done())
}

/// A user's direct and group conversations, newest activity first, behind `after` (the time and
/// number of the last one of the page before). Hidden ones only if asked for. Inboxes are no
/// conversations that one sees.
///
/// # Errors
/// When the database cannot be asked.
pub async fn list(
    store: &dyn Store,
    user: UserId,
    with_hidden: bool,
    after: Option<(Millis, ConvId)>,
    limit: u32,
) -> Result<Vec<Place>, StoreError> {
    let mut sql = format!("SELECT {COLUMNS} WHERE p.f_user_id = ? AND p.f_conv < ?");
    let mut values: Vec<Value> = vec![user.into(), INBOX_FIRST.into()];
    if !with_hidden {
        sql += " AND COALESCE(v.f_head, 0) > p.f_hidden";
    }
    if let Some((at, conv)) = after {
        sql += " AND (COALESCE(v.f_time, 0) < ? OR (COALESCE(v.f_time, 0) = ? AND p.f_conv < ?))";
        values.extend([at.into(), at.into(), conv.into()]);
    }
    sql += " ORDER BY COALESCE(v.f_time, 0) DESC, p.f_conv DESC LIMIT ?";
    values.push(limit.into());
    let rows = store.select(&sql, values).await?;
    let mut places: Vec<Place> = rows.iter().map(place).collect::<Result<_, _>>()?;
    unread::count(store, user, &mut places).await?;
    Ok(places)
}

/// One conversation (also the inbox) as the user sees it; `None` if it is not his.
///
/// # Errors
/// When the database cannot be asked.
pub async fn get(
    store: &dyn Store,
    user: UserId,
    conv: ConvId,
) -> Result<Option<Place>, StoreError> {
    let sql = format!("SELECT {COLUMNS} WHERE p.f_user_id = ? AND p.f_conv = ?");
    let rows = store.select(&sql, vec![user.into(), conv.into()]).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let mut places = [place(row)?];
    unread::count(store, user, &mut places).await?;
    let [place] = places;
    Ok(Some(place))
}

fn place(row: &Row) -> Result<Place, StoreError> {
    let (since, head) = (row.seq(1)?, row.seq(2)?);
    Ok(Place {
        conv: row.conv(0)?,
        since,
        head,
        at: row.millis(3)?,
        read: row.seq(4)?.max(since),
        notify: Notify::from_number(row.int(5)?)?,
        pinned: row.flag(6)?,
        hidden: row.int(7)? >= row.int(2)?,
        unread: 0,
        mentions: 0,
    })
}

/// Behind which entry the user may read a conversation; `None` if it is not his.
///
/// # Errors
/// When the database cannot be asked.
pub async fn since(
    store: &dyn Store,
    user: UserId,
    conv: ConvId,
) -> Result<Option<Seq>, StoreError> {
    let sql = "SELECT f_since FROM t_place WHERE f_user_id = ? AND f_conv = ?";
    let rows = store.select(sql, vec![user.into(), conv.into()]).await?;
    rows.first().map(|row| row.seq(0)).transpose()
}

/// How many users besides `but` have read this far, and the first of them by number. Who came later
/// than this and may not read so far back has not read it.
///
/// # Errors
/// When the database cannot be asked.
pub async fn readers(
    store: &dyn Store,
    conv: ConvId,
    seq: Seq,
    but: UserId,
    limit: u32,
) -> Result<(u32, Vec<UserId>), StoreError> {
    let values: Vec<Value> = vec![conv.into(), seq.into(), but.into(), seq.into()];
    let sql = "SELECT COUNT(*) FROM t_place \
         WHERE f_conv = ? AND f_read >= ? AND f_user_id <> ? AND f_since < ?";
    let counted = store.select(sql, values.clone()).await?;
    let count = counted.first().map_or(Ok(0), |row| row.u32(0))?;
    let sql = "SELECT f_user_id FROM t_place \
         WHERE f_conv = ? AND f_read >= ? AND f_user_id <> ? AND f_since < ? \
         ORDER BY f_user_id LIMIT ?";
    let values = [values, vec![limit.into()]].concat();
    let rows = store.select(sql, values).await?;
    let users: Result<Vec<UserId>, StoreError> = rows.iter().map(|row| row.user(0)).collect();
    Ok((count, users?))
}
