//! Whether somebody may write into a conversation.

use rusqlite::{Connection, OptionalExtension};

use super::{accounts, relations};
use crate::api::Refusal;
use crate::id::{ConvId, ConvKind, GROUP_ID_FIRST, GroupId, Millis, Peer, UserId};
use crate::store::voice::Voice;
use crate::store::{Guard, StoreError};

/// What stands against an entry of this sender; nothing if he may write it.
pub(super) fn check(
    conn: &Connection,
    sender: UserId,
    conv: ConvId,
    guard: Guard,
    at: Millis,
) -> Result<Option<Refusal>, StoreError> {
    match (conv.kind(), guard) {
        (Some(ConvKind::Group(group)), _) => member(conn, sender, group, at),
        (Some(ConvKind::Direct(a, b)), _) => {
            let other = if sender == a { b } else { a };
            if sender != a && sender != b {
                return Ok(Some(stranger(guard)));
            }
            other_user(conn, sender, other, guard)
        }
        (Some(ConvKind::Inbox(owner)), Guard::Contact) if sender != owner => {
            other_user(conn, sender, owner, guard)
        }
        (Some(ConvKind::Inbox(owner)), _) => {
            let there = accounts::exists(conn, Peer::User(owner))?;
            Ok((!there).then_some(Refusal::NoSuchUser))
        }
        (None, _) => Ok(Some(Refusal::NoSuchUser)),
    }
}

/// What a guard that does not hold says.
fn stranger(guard: Guard) -> Refusal {
    match guard {
        Guard::Contact => Refusal::NotFriends,
        Guard::Exists => Refusal::NoSuchUser,
    }
}

fn other_user(
    conn: &Connection,
    sender: UserId,
    other: UserId,
    guard: Guard,
) -> Result<Option<Refusal>, StoreError> {
    if guard == Guard::Exists && !accounts::exists(conn, Peer::User(other))? {
        return Ok(Some(Refusal::NoSuchUser));
    }
    if is_blocked(conn, other, sender)? {
        return Ok(Some(Refusal::Blocked));
    }
    let holds = guard == Guard::Exists || relations::exists(conn, sender, Peer::User(other))?;
    Ok((!holds).then(|| stranger(guard)))
}

/// Whether `by` blocked `whom`.
pub(super) fn is_blocked(conn: &Connection, by: UserId, whom: UserId) -> Result<bool, StoreError> {
    Ok(conn
        .prepare_cached("SELECT 1 FROM t_block WHERE f_user_id = ?1 AND f_blocked_id = ?2")?
        .exists((by.0, whom.0))?)
}

fn member(
    conn: &Connection,
    sender: UserId,
    group: GroupId,
    at: Millis,
) -> Result<Option<Refusal>, StoreError> {
    // A smaller number is a user: his friends are not members of anything.
    if group.0 < GROUP_ID_FIRST {
        return Ok(Some(Refusal::NotAMember));
    }
    let voice = conn
        .prepare_cached(
            "SELECT r.f_muted_until, r.f_role, coalesce(u.f_owner_id, 0), coalesce(g.f_muted, 0)
             FROM t_user_relationship r
             LEFT JOIN t_user u ON u.f_user_id = r.f_user_id2
             LEFT JOIN t_group g ON g.f_group_id = r.f_user_id2
             WHERE r.f_user_id1 = ?1 AND r.f_user_id2 = ?2",
        )?
        .query_row((sender.0, group.0), |row| {
            Ok(Voice {
                muted_until: Millis(row.get(0)?),
                is_admin: row.get(1)?,
                owner: row.get(2)?,
                group_muted: row.get(3)?,
            })
        })
        .optional()?;
    Ok(voice.map_or(Some(Refusal::NotAMember), |voice| voice.refusal(sender, at)))
}
