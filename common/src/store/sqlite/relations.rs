//! Who is whose contact: friendships and memberships, one row each.
//!
//! A row has two sides. The smaller id is side 1, so which columns belong to "my side" depends on
//! the other; [`Side`] is that question, answered once.

use rusqlite::{Connection, OptionalExtension};

use super::{number, teams};
use crate::api::DEFAULT_TEAM;
use crate::id::{GroupId, Peer, UserId};
use crate::store::StoreError;

/// A row seen from one of its two users.
#[derive(Clone, Copy, Debug)]
pub(super) struct Side {
    user1: u32,
    user2: u32,
    first: bool,
}

impl Side {
    pub(super) fn of(user: UserId, peer: Peer) -> Self {
        let (own, other) = (user.0, peer.number());
        Self {
            user1: own.min(other),
            user2: own.max(other),
            first: own <= other,
        }
    }
}

/// Whether the two are contacts. Nobody is his own.
pub(super) fn exists(conn: &Connection, user: UserId, peer: Peer) -> Result<bool, StoreError> {
    let Side { user1, user2, .. } = Side::of(user, peer);
    Ok(conn
        .prepare_cached(
            "SELECT 1 FROM t_user_relationship WHERE f_user_id1 = ?1 AND f_user_id2 = ?2",
        )?
        .exists((user1, user2))?)
}

/// Makes the two contacts; each keeps the other in the default list.
pub(super) fn make(conn: &Connection, user: UserId, peer: Peer) -> Result<(), StoreError> {
    let Side { user1, user2, .. } = Side::of(user, peer);
    conn.prepare_cached(
        "INSERT INTO t_user_relationship
             (f_user_id1, f_user_id2, f_user1_teamname, f_user2_teamname)
         VALUES (?1, ?2, ?3, ?3)",
    )?
    .execute((user1, user2, DEFAULT_TEAM))?;
    Ok(())
}

/// Ends it.
pub(super) fn end(conn: &Connection, user: UserId, peer: Peer) -> Result<(), StoreError> {
    let Side { user1, user2, .. } = Side::of(user, peer);
    conn.prepare_cached(
        "DELETE FROM t_user_relationship WHERE f_user_id1 = ?1 AND f_user_id2 = ?2",
    )?
    .execute((user1, user2))?;
    Ok(())
}

/// How many contacts a user has.
pub(super) fn count(conn: &Connection, user: UserId) -> Result<i64, StoreError> {
    Ok(conn
        .prepare_cached(
            "SELECT (SELECT count(*) FROM t_user_relationship WHERE f_user_id1 = ?1)
                  + (SELECT count(*) FROM t_user_relationship WHERE f_user_id2 = ?1)",
        )?
        .query_row([user.0], |row| row.get(0))?)
}

/// A group's members in the order in which they joined.
pub(super) fn members(conn: &Connection, group: GroupId) -> Result<Vec<UserId>, StoreError> {
    let numbers: Vec<i64> = conn
        .prepare_cached(
            "SELECT f_user_id1 FROM t_user_relationship WHERE f_user_id2 = ?1 ORDER BY f_id",
        )?
        .query_map([group.0], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    numbers.into_iter().map(number::to_user).collect()
}

/// A user's friends and groups, ascending.
pub(super) fn peers(conn: &Connection, user: UserId) -> Result<Vec<Peer>, StoreError> {
    let numbers: Vec<i64> = conn
        .prepare_cached(
            "SELECT f_user_id2 FROM t_user_relationship WHERE f_user_id1 = ?1
             UNION ALL
             SELECT f_user_id1 FROM t_user_relationship WHERE f_user_id2 = ?1
             ORDER BY 1",
        )?
        .query_map([user.0], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    numbers.into_iter().map(number::to_peer).collect()
}

/// Keeps the contact in another of the user's lists.
pub(super) fn set_team(conn: &Connection, side: Side, team: &str) -> Result<(), StoreError> {
    let sql = if side.first {
        "UPDATE t_user_relationship SET f_user1_teamname = ?3
         WHERE f_user_id1 = ?1 AND f_user_id2 = ?2"
    } else {
        "UPDATE t_user_relationship SET f_user2_teamname = ?3
         WHERE f_user_id1 = ?1 AND f_user_id2 = ?2"
    };
    conn.prepare_cached(sql)?
        .execute((side.user1, side.user2, team))?;
    Ok(())
}

/// Keeps all contacts of one of the user's lists in another.
pub(super) fn move_team(
    conn: &Connection,
    user: UserId,
    from: &str,
    to: &str,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE t_user_relationship SET f_user1_teamname = ?3
         WHERE f_user_id1 = ?1 AND f_user1_teamname = ?2",
    )?
    .execute((user.0, from, to))?;
    conn.prepare_cached(
        "UPDATE t_user_relationship SET f_user2_teamname = ?3
         WHERE f_user_id2 = ?1 AND f_user2_teamname = ?2",
    )?
    .execute((user.0, from, to))?;
    Ok(())
}

/// Sets the user's remark for the contact.
pub(super) fn set_remark(conn: &Connection, side: Side, remark: &str) -> Result<(), StoreError> {
    let sql = if side.first {
        "UPDATE t_user_relationship SET f_user1_markname = ?3
         WHERE f_user_id1 = ?1 AND f_user_id2 = ?2"
    } else {
        "UPDATE t_user_relationship SET f_user2_markname = ?3
         WHERE f_user_id1 = ?1 AND f_user_id2 = ?2"
    };
    conn.prepare_cached(sql)?
        .execute((side.user1, side.user2, remark))?;
    Ok(())
}

/// The names of a user's lists; `None` if there is no such user.
pub(super) fn teams(conn: &Connection, user: UserId) -> Result<Option<Vec<String>>, StoreError> {
    let stored: Option<Option<String>> = conn
        .prepare_cached("SELECT f_teaminfo FROM t_user WHERE f_user_id = ?1")?
        .query_row([user.0], |row| row.get(0))
        .optional()?;
    Ok(stored.map(|json| teams::read(json.as_deref())))
}
