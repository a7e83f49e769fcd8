//! Making groups.

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
