//! Making, joining and leaving groups.

use rusqlite::Connection;

use super::accounts::IdKind;
use super::fault::{Applied, Stop};
use super::{accounts, cursors, log, relations};
use crate::api::{Body, Notice, Origin, Refusal};
use crate::id::{ConvId, ConvKind, GroupId, Peer, Seq};
use crate::store::Outcome;

/// Makes a group whose only member is its owner.
pub(super) fn create(conn: &Connection, origin: &Origin, name: &str, limit: u32) -> Applied {
    let owner = origin.user;
    let notice = Notice::GroupCreated {
        name: name.to_owned(),
    };
    // Only the number is not known to the one who asks again.
    if let Some(entry) = log::find(conn, owner, &origin.client_id)? {
        let same = matches!(entry.conv.kind(), Some(ConvKind::Group(_)))
            && entry.body == Body::Notice(notice);
        return Err(if same {
            log::already_there(&entry)
        } else {
            Refusal::ClientIdConflict.into()
        });
    }
    if relations::count(conn, owner)? >= i64::from(limit) {
        return Err(Refusal::TooMany.into());
    }
    let id = free_id(conn)?;
    accounts::burn_id(conn, IdKind::Group, id)?;
    accounts::insert(conn, id, &id.to_string(), name, origin.at)?;
    accounts::set_owner(conn, id, owner)?;
    let group = GroupId(id);
    let conv = ConvId::group(group);
    relations::make(conn, owner, Peer::Group(group))?;
    cursors::make_place(conn, owner, conv, Seq(0))?;
    Ok(Outcome::Done {
        id: Some(id),
        entries: vec![log::write_notice(conn, conv, origin, notice)?],
    })
}

/// The first number from the next on that no user has taken for a name.
fn free_id(conn: &Connection) -> Result<u32, Stop> {
    let mut id = accounts::next_id(conn, IdKind::Group)?;
    while accounts::is_taken(conn, &id.to_string())? {
        id = match Peer::from_number(id + 1) {
            Some(_) => id + 1,
            None => return Err(Refusal::TooMany.into()),
        };
    }
    Ok(id)
}

/// Joins; the place begins before the own entry.
pub(super) fn join(
    conn: &Connection,
    origin: &Origin,
    group: GroupId,
    contacts_max: u32,
    members_max: u32,
) -> Applied {
    let (user, conv) = (origin.user, ConvId::group(group));
    log::check_new(conn, origin, conv, &Body::Notice(Notice::MemberJoined))?;
    if !accounts::exists(conn, Peer::Group(group))? {
        return Err(Refusal::NoSuchGroup.into());
    }
    if relations::exists(conn, user, Peer::Group(group))? {
        return Err(Refusal::AlreadyMember.into());
    }
    if relations::count(conn, user)? >= i64::from(contacts_max)
        || relations::count_members(conn, group)? >= i64::from(members_max)
    {
        return Err(Refusal::TooMany.into());
    }
    relations::make(conn, user, Peer::Group(group))?;
    cursors::make_place(conn, user, conv, cursors::head(conn, conv)?)?;
    log::done(vec![log::write_notice(
        conn,
        conv,
        origin,
        Notice::MemberJoined,
    )?])
}

/// Leaves; where the user was in the log is forgotten.
pub(super) fn leave(conn: &Connection, origin: &Origin, group: GroupId) -> Applied {
    let (user, conv) = (origin.user, ConvId::group(group));
    log::check_new_pair(conn, origin, conv, &Body::Notice(Notice::MemberLeft))?;
    if !relations::exists(conn, user, Peer::Group(group))? {
        return Err(Refusal::NotAMember.into());
    }
    relations::end(conn, user, Peer::Group(group))?;
    cursors::forget_place(conn, user, conv)?;
    let changed = Notice::ContactsChanged {
        peer: Peer::Group(group),
    };
    log::done(vec![
        log::write_notice(conn, conv, origin, Notice::MemberLeft)?,
        log::write_second_notice(conn, ConvId::inbox(user), origin, changed)?,
    ])
}
