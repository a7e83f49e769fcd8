//! The rows that connect two users, or a user and a group.

use mysql_async::Conn;

use super::connections::{row, write};
use super::fault::Fault;
use crate::api::DEFAULT_TEAM;

/// Two numbers, the smaller first: one row stands for both directions. A group's number is always
/// the larger.
#[derive(Clone, Copy)]
pub(super) struct Pair {
    pub(super) small: u32,
    pub(super) large: u32,
}

impl Pair {
    pub(super) fn of(a: u32, b: u32) -> Self {
        Self {
            small: a.min(b),
            large: a.max(b),
        }
    }
}

/// Whether the two are connected. Locks the row if so.
pub(super) async fn exists(conn: &mut Conn, pair: Pair) -> Result<bool, Fault> {
    let found: Option<(u64,)> = row(
        conn,
        "SELECT f_id FROM t_user_relationship WHERE f_user_id1 = ? AND f_user_id2 = ? FOR UPDATE",
        (pair.small, pair.large),
    )
    .await?;
    Ok(found.is_some())
}

pub(super) async fn insert(conn: &mut Conn, pair: Pair) -> Result<(), Fault> {
    write(
        conn,
        "INSERT INTO t_user_relationship (f_user_id1, f_user_id2, f_user1_teamname, \
         f_user1_markname, f_user2_teamname, f_user2_markname) VALUES (?, ?, ?, '', ?, '')",
        (pair.small, pair.large, DEFAULT_TEAM, DEFAULT_TEAM),
    )
    .await?;
    Ok(())
}

/// Answers whether there was a connection.
pub(super) async fn delete(conn: &mut Conn, pair: Pair) -> Result<bool, Fault> {
    let deleted = write(
        conn,
        "DELETE FROM t_user_relationship WHERE f_user_id1 = ? AND f_user_id2 = ?",
        (pair.small, pair.large),
    )
    .await?;
    Ok(deleted > 0)
}

/// How many contacts a user has, friends and groups; or how many members a group.
pub(super) async fn count(conn: &mut Conn, number: u32) -> Result<u64, Fault> {
    let counted: Option<(u64,)> = row(
        conn,
        "SELECT (SELECT COUNT(*) FROM t_user_relationship WHERE f_user_id1 = ?) \
         + (SELECT COUNT(*) FROM t_user_relationship WHERE f_user_id2 = ?)",
        (number, number),
    )
    .await?;
    Ok(counted.map_or(0, |(count,)| count))
}
