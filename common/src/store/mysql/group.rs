//! Groups: founding, joining, leaving.

use std::collections::BTreeSet;

use mysql_async::Conn;

use super::account::{self, Numbers, lock, next_number};
use super::append::repeated;
use super::connections::write;
use super::fault::Fault;
use super::friend::{append, applied, done};
use super::log::{Heads, saved, second, send_key};
use super::relation::{self, Pair};
use crate::api::{Body, Notice, Origin, Profile, Refusal};
use crate::id::{ConvId, ConvKind, GroupId, Peer, Seq, UserId};
use crate::store::Outcome;

pub(super) async fn create(
    conn: &mut Conn,
    origin: &Origin,
    name: &str,
    limit: u32,
) -> Result<Outcome, Fault> {
    let user = origin.user;
    let notice = Notice::GroupCreated {
        name: name.to_owned(),
    };
    let present = lock(conn, [user.0; 2]).await?;
    // Applied before: then the group's number is in the conversation's.
    let found = saved(conn, &[send_key(origin)]).await?.into_values().next();
    if let Some(entry) = found {
        let is_group = matches!(entry.conv.kind(), Some(ConvKind::Group(_)));
        let same = is_group && entry.body == Body::Notice(notice);
        return Ok(repeated(&entry, same));
    }
    if present.is_empty() {
        return Ok(Outcome::Refused(Refusal::NoSuchUser));
    }
    if relation::count(conn, user.0).await? >= u64::from(limit) {
        return Ok(Outcome::Refused(Refusal::TooMany));
    }
    let Some(number) = next_number(conn, Numbers::Groups).await? else {
        return Ok(Outcome::Refused(Refusal::TooMany));
    };
    let peer = Peer::Group(GroupId(number));
    let profile = Profile::fresh(peer, number.to_string(), name);
    account::insert(conn, &profile, "", user.0, origin.at).await?;
    relation::insert(conn, Pair::of(user.0, number)).await?;
    let conv = ConvId::group(GroupId(number));
    begin_place(conn, user, conv, Seq(0)).await?;
    Ok(Outcome::Done {
        id: Some(number),
        entries: append(conn, vec![(conv, origin.clone(), notice)]).await?,
    })
}

pub(super) async fn join(
    conn: &mut Conn,
    origin: &Origin,
    group: GroupId,
    contacts_max: u32,
    members_max: u32,
) -> Result<Outcome, Fault> {
    let user = origin.user;
    let conv = ConvId::group(group);
    let present = lock(conn, [user.0, group.0]).await?;
    if let Some(outcome) = applied(conn, conv, origin, &Notice::MemberJoined).await? {
        return Ok(outcome);
    }
    if !present.contains(&group.0) || group.0 < crate::id::GROUP_ID_FIRST {
        return Ok(Outcome::Refused(Refusal::NoSuchGroup));
    }
    let pair = Pair::of(user.0, group.0);
    if relation::exists(conn, pair).await? {
        return Ok(Outcome::Refused(Refusal::AlreadyMember));
    }
    if relation::count(conn, user.0).await? >= u64::from(contacts_max)
        || relation::count(conn, group.0).await? >= u64::from(members_max)
    {
        return Ok(Outcome::Refused(Refusal::TooMany));
    }
    relation::insert(conn, pair).await?;
    let heads = Heads::lock(conn, &BTreeSet::from([conv])).await?;
    begin_place(conn, user, conv, heads.last(conv).seq).await?;
    let notices = vec![(conv, origin.clone(), Notice::MemberJoined)];
    done(conn, notices).await
}

/// The user sees the log behind `since`; what his devices knew of an earlier membership is void.
async fn begin_place(conn: &mut Conn, user: UserId, conv: ConvId, since: Seq) -> Result<(), Fault> {
    forget_cursors(conn, user, conv).await?;
    write(
        conn,
        "INSERT INTO t_place (f_user_id, f_conv, f_since) VALUES (?, ?, ?) \
         ON DUPLICATE KEY UPDATE f_since = VALUES(f_since)",
        (user.0, conv.0, since.0),
    )
    .await?;
    Ok(())
}

async fn forget_cursors(conn: &mut Conn, user: UserId, conv: ConvId) -> Result<(), Fault> {
    write(
        conn,
        "DELETE FROM t_cursor WHERE f_user_id = ? AND f_conv = ?",
        (user.0, conv.0),
    )
    .await?;
    Ok(())
}

pub(super) async fn leave(
    conn: &mut Conn,
    origin: &Origin,
    group: GroupId,
) -> Result<Outcome, Fault> {
    let user = origin.user;
    let conv = ConvId::group(group);
    lock(conn, [user.0, group.0]).await?;
    if let Some(outcome) = applied(conn, conv, origin, &Notice::MemberLeft).await? {
        return Ok(outcome);
    }
    if group.0 < crate::id::GROUP_ID_FIRST
        || !relation::delete(conn, Pair::of(user.0, group.0)).await?
    {
        return Ok(Outcome::Refused(Refusal::NotAMember));
    }
    forget_cursors(conn, user, conv).await?;
    write(
        conn,
        "DELETE FROM t_place WHERE f_user_id = ? AND f_conv = ?",
        (user.0, conv.0),
    )
    .await?;
    let own = Notice::ContactsChanged {
        peer: Peer::Group(group),
    };
    let notices = vec![
        (conv, origin.clone(), Notice::MemberLeft),
        (ConvId::inbox(user), second(origin), own),
    ];
    done(conn, notices).await
}
