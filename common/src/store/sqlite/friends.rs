//! How users become friends and cease to be.

use rusqlite::Connection;

use super::fault::Applied;
use super::{accounts, guard, log, relations};
use crate::api::{Body, Notice, Origin, Refusal};
use crate::id::{ConvId, Peer, UserId};
use crate::store::StoreError;

/// Asks to become friends.
pub(super) fn request(
    conn: &Connection,
    origin: &Origin,
    (username, note): (&str, &str),
    to: UserId,
    limit: u32,
) -> Applied {
    let asker = origin.user;
    let notice = Notice::FriendRequested {
        username: username.to_owned(),
        note: note.to_owned(),
    };
    let inbox = ConvId::inbox(to);
    log::check_new(conn, origin, inbox, &Body::Notice(notice.clone()))?;
    if asker == to {
        return Err(Refusal::Oneself.into());
    }
    if !accounts::exists(conn, Peer::User(to))? {
        return Err(Refusal::NoSuchUser.into());
    }
    if guard::is_blocked(conn, to, asker)? {
        return Err(Refusal::Blocked.into());
    }
    if relations::exists(conn, asker, Peer::User(to))? {
        return Err(Refusal::AlreadyFriends.into());
    }
    if !is_open(conn, asker, to)? && count_open(conn, asker)? >= i64::from(limit) {
        return Err(Refusal::TooMany.into());
    }
    conn.prepare_cached(
        "INSERT OR REPLACE INTO t_friend_request (f_from, f_to, f_time, f_note)
         VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute((asker.0, to.0, origin.at.0, note))?;
    log::done(vec![log::write_notice(conn, inbox, origin, notice)?])
}

/// Answers an open request with user name and yes or no.
pub(super) fn answer(
    conn: &Connection,
    origin: &Origin,
    (username, accepted): (&str, bool),
    to: UserId,
    limit: u32,
) -> Applied {
    let notice = Notice::FriendAnswered {
        username: username.to_owned(),
        accepted,
    };
    let inbox = ConvId::inbox(to);
    let body = Body::Notice(notice.clone());
    if !accepted {
        log::check_new(conn, origin, inbox, &body)?;
    } else {
        log::check_new_pair(conn, origin, inbox, &body)?;
    }
    if !is_open(conn, to, origin.user)? {
        return Err(Refusal::NotRequested.into());
    }
    if relations::exists(conn, origin.user, Peer::User(to))? {
        return Err(Refusal::AlreadyFriends.into());
    }
    if !accepted {
        close(conn, to, origin.user)?;
        return log::done(vec![log::write_notice(conn, inbox, origin, notice)?]);
    }
    for user in [origin.user, to] {
        if relations::count(conn, user)? >= i64::from(limit) {
            return Err(Refusal::TooMany.into());
        }
    }
    close(conn, to, origin.user)?;
    // The two may have asked each other: then that request is answered as well.
    close(conn, origin.user, to)?;
    relations::make(conn, origin.user, Peer::User(to))?;
    let changed = Notice::ContactsChanged {
        peer: Peer::User(to),
    };
    log::done(vec![
        log::write_notice(conn, inbox, origin, notice)?,
        log::write_second_notice(conn, ConvId::inbox(origin.user), origin, changed)?,
    ])
}

/// Ends a friendship.
pub(super) fn remove(
    conn: &Connection,
    origin: &Origin,
    username: &str,
    friend: UserId,
) -> Applied {
    let notice = Notice::FriendRemoved {
        username: username.to_owned(),
    };
    let inbox = ConvId::inbox(friend);
    log::check_new_pair(conn, origin, inbox, &Body::Notice(notice.clone()))?;
    if !relations::exists(conn, origin.user, Peer::User(friend))? {
        return Err(Refusal::NotFriends.into());
    }
    relations::end(conn, origin.user, Peer::User(friend))?;
    close(conn, origin.user, friend)?;
    close(conn, friend, origin.user)?;
    let changed = Notice::ContactsChanged {
        peer: Peer::User(friend),
    };
    log::done(vec![
        log::write_notice(conn, inbox, origin, notice)?,
        log::write_second_notice(conn, ConvId::inbox(origin.user), origin, changed)?,
    ])
}

fn is_open(conn: &Connection, from: UserId, to: UserId) -> Result<bool, StoreError> {
    Ok(conn
        .prepare_cached("SELECT 1 FROM t_friend_request WHERE f_from = ?1 AND f_to = ?2")?
        .exists((from.0, to.0))?)
}

fn count_open(conn: &Connection, from: UserId) -> Result<i64, StoreError> {
    Ok(conn
        .prepare_cached("SELECT count(*) FROM t_friend_request WHERE f_from = ?1")?
        .query_row([from.0], |row| row.get(0))?)
}

fn close(conn: &Connection, from: UserId, to: UserId) -> Result<(), StoreError> {
    conn.prepare_cached("DELETE FROM t_friend_request WHERE f_from = ?1 AND f_to = ?2")?
        .execute((from.0, to.0))?;
    Ok(())
}
