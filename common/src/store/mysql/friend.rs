//! Friendships: asking, answering, ending.

use std::collections::BTreeSet;

use mysql_async::Conn;

use super::account::lock;
use super::append::repeated;
use super::connections::{row, write};
use super::fault::Fault;
use super::log::{Heads, saved, second, send_key, write_entries};
use super::relation::{self, Pair};
use crate::api::{Body, Entry, Notice, Origin, Refusal};
use crate::id::{ConvId, Peer, UserId};
use crate::store::Outcome;

/// Notices that one change causes: where, by whom, what.
pub(super) type Notices = Vec<(ConvId, Origin, Notice)>;

/// Appends notices and answers with their entries.
pub(super) async fn append(conn: &mut Conn, notices: Notices) -> Result<Vec<Entry>, Fault> {
    let convs: BTreeSet<ConvId> = notices.iter().map(|(conv, ..)| *conv).collect();
    let mut heads = Heads::lock(conn, &convs).await?;
    heads.create(conn, &convs).await?;
    let number = |(conv, origin, notice): (ConvId, Origin, Notice)| {
        heads.number(conv, &origin, &Body::Notice(notice))
    };
    let entries: Vec<Entry> = notices.into_iter().map(number).collect();
    write_entries(conn, &entries).await?;
    Ok(entries)
}

/// The answer to a change that was applied before, recognised by its first notice; a refusal if
/// one of the client ids of its notices stands for something else.
pub(super) async fn applied(
    conn: &mut Conn,
    conv: ConvId,
    origin: &Origin,
    notice: &Notice,
) -> Result<Option<Outcome>, Fault> {
    let (first, other) = (send_key(origin), send_key(&second(origin)));
    let found = saved(conn, &[first.clone(), other.clone()]).await?;
    if let Some(entry) = found.get(&first) {
        let same = entry.conv == conv && entry.body == Body::Notice(notice.clone());
        return Ok(Some(repeated(entry, same)));
    }
    let taken = found.contains_key(&other);
    Ok(taken.then_some(Outcome::Refused(Refusal::ClientIdConflict)))
}

/// Done, with these notices.
pub(super) async fn done(conn: &mut Conn, notices: Notices) -> Result<Outcome, Fault> {
    Ok(Outcome::Done {
        id: None,
        entries: append(conn, notices).await?,
    })
}

pub(super) async fn request(
    conn: &mut Conn,
    origin: &Origin,
    (username, note): (&str, &str),
    to: UserId,
    limit: u32,
) -> Result<Outcome, Fault> {
    let from = origin.user;
    let notice = Notice::FriendRequested {
        username: username.to_owned(),
        note: note.to_owned(),
    };
    let present = lock(conn, [from.0, to.0]).await?;
    if let Some(outcome) = applied(conn, ConvId::inbox(to), origin, &notice).await? {
        return Ok(outcome);
    }
    if from == to {
        return Ok(Outcome::Refused(Refusal::Oneself));
    }
    if !present.contains(&to.0) || to.0 >= crate::id::GROUP_ID_FIRST {
        return Ok(Outcome::Refused(Refusal::NoSuchUser));
    }
    if blocked(conn, to, from).await? {
        return Ok(Outcome::Refused(Refusal::Blocked));
    }
    if relation::exists(conn, Pair::of(from.0, to.0)).await? {
        return Ok(Outcome::Refused(Refusal::AlreadyFriends));
    }
    if !requested(conn, from, to).await? {
        let open: Option<(u64,)> = row(
            conn,
            "SELECT COUNT(*) FROM t_friend_request WHERE f_from = ?",
            (from.0,),
        )
        .await?;
        if open.is_some_and(|(open,)| open >= u64::from(limit)) {
            return Ok(Outcome::Refused(Refusal::TooMany));
        }
    }
    write(
        conn,
        "INSERT INTO t_friend_request (f_from, f_to, f_time, f_note) VALUES (?, ?, ?, ?) \
         ON DUPLICATE KEY UPDATE f_time = VALUES(f_time), f_note = VALUES(f_note)",
        (from.0, to.0, origin.at.0, note),
    )
    .await?;
    done(conn, vec![(ConvId::inbox(to), origin.clone(), notice)]).await
}

/// Whether `by` blocked `whom`.
async fn blocked(conn: &mut Conn, by: UserId, whom: UserId) -> Result<bool, Fault> {
    let sql = "SELECT f_time FROM t_block WHERE f_user_id = ? AND f_blocked_id = ?";
    let found: Option<(i64,)> = row(conn, sql, (by.0, whom.0)).await?;
    Ok(found.is_some())
}

async fn requested(conn: &mut Conn, from: UserId, to: UserId) -> Result<bool, Fault> {
    let found: Option<(u32,)> = row(
        conn,
        "SELECT f_from FROM t_friend_request WHERE f_from = ? AND f_to = ? FOR UPDATE",
        (from.0, to.0),
    )
    .await?;
    Ok(found.is_some())
}

/// One user's answer to another's request.
pub(super) struct Answer<'a> {
    pub(super) origin: &'a Origin,
    pub(super) username: &'a str,
    /// Who asked.
    pub(super) to: UserId,
    pub(super) accepted: bool,
}

pub(super) async fn answer(
    conn: &mut Conn,
    answer: &Answer<'_>,
    limit: u32,
) -> Result<Outcome, Fault> {
    let (user, to) = (answer.origin.user, answer.to);
    let notice = Notice::FriendAnswered {
        username: answer.username.to_owned(),
        accepted: answer.accepted,
    };
    lock(conn, [user.0, to.0]).await?;
    if let Some(outcome) = applied(conn, ConvId::inbox(to), answer.origin, &notice).await? {
        return Ok(outcome);
    }
    if !requested(conn, to, user).await? {
        return Ok(Outcome::Refused(Refusal::NotRequested));
    }
    let pair = Pair::of(user.0, to.0);
    if relation::exists(conn, pair).await? {
        return Ok(Outcome::Refused(Refusal::AlreadyFriends));
    }
    let mut notices = vec![(ConvId::inbox(to), answer.origin.clone(), notice)];
    if answer.accepted {
        for one in [user, to] {
            if relation::count(conn, one.0).await? >= u64::from(limit) {
                return Ok(Outcome::Refused(Refusal::TooMany));
            }
        }
        relation::insert(conn, pair).await?;
        // Both may have asked: one yes answers both.
        close_request(conn, user, to).await?;
        let own = Notice::ContactsChanged {
            peer: Peer::User(to),
        };
        notices.push((ConvId::inbox(user), second(answer.origin), own));
    }
    close_request(conn, to, user).await?;
    done(conn, notices).await
}

async fn close_request(conn: &mut Conn, from: UserId, to: UserId) -> Result<(), Fault> {
    write(
        conn,
        "DELETE FROM t_friend_request WHERE f_from = ? AND f_to = ?",
        (from.0, to.0),
    )
    .await?;
    Ok(())
}

pub(super) async fn remove(
    conn: &mut Conn,
    origin: &Origin,
    username: &str,
    friend: UserId,
) -> Result<Outcome, Fault> {
    let user = origin.user;
    let username = username.to_owned();
    let notice = Notice::FriendRemoved { username };
    lock(conn, [user.0, friend.0]).await?;
    if let Some(outcome) = applied(conn, ConvId::inbox(friend), origin, &notice).await? {
        return Ok(outcome);
    }
    if !relation::delete(conn, Pair::of(user.0, friend.0)).await? {
        return Ok(Outcome::Refused(Refusal::NotFriends));
    }
    close_request(conn, user, friend).await?;
    close_request(conn, friend, user).await?;
    let own = Notice::ContactsChanged {
        peer: Peer::User(friend),
    };
    let notices = vec![
        (ConvId::inbox(friend), origin.clone(), notice),
        (ConvId::inbox(user), second(origin), own),
    ];
    done(conn, notices).await
}
