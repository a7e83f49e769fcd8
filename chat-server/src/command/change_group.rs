//! Makes, joins, leaves and lists groups.

use common::api::{Profile, Refusal};
use common::id::{GroupId, Peer};
use common::store::Change;

use super::{Failure, check_name, done};
use crate::app::App;
use crate::hub::Session;

/// The longest group name, in bytes: the Windows client's buffers hold 63.
const GROUP_NAME_BYTES_MAX: usize = 63;

/// # Errors
/// `Invalid` name, `TooMany`; the store's.
pub async fn create_group(
    app: &App,
    session: &Session,
    name: String,
    tag: i32,
) -> Result<GroupId, Failure> {
    check_name("the group's name", &name, GROUP_NAME_BYTES_MAX)?;
    let limit = app.config.friends_max;
    let change = Change::CreateGroup {
        origin: app.origin(session, tag),
        name,
        limit,
    };
    match done(&app.log.commit(change).await?)?.and_then(Peer::from_number) {
        Some(Peer::Group(group)) => Ok(group),
        Some(Peer::User(_)) | None => Err(Refusal::TooMany.into()),
    }
}

/// # Errors
/// `NoSuchGroup`, `AlreadyMember`, `TooMany`; the store's.
pub async fn join_group(
    app: &App,
    session: &Session,
    group: GroupId,
    tag: i32,
) -> Result<(), Failure> {
    let change = Change::JoinGroup {
        origin: app.origin(session, tag),
        group,
        contacts_max: app.config.friends_max,
        members_max: app.config.group_members_max,
    };
    done(&app.log.commit(change).await?).map(drop)
}

/// # Errors
/// `NotAMember`; the store's.
pub async fn leave_group(
    app: &App,
    session: &Session,
    group: GroupId,
    tag: i32,
) -> Result<(), Failure> {
    let change = Change::LeaveGroup {
        origin: app.origin(session, tag),
        group,
    };
    done(&app.log.commit(change).await?).map(drop)
}

/// The members of a group, for one of them.
///
/// # Errors
/// `NotAMember`; the store's.
pub async fn members(
    app: &App,
    session: &Session,
    group: GroupId,
) -> Result<Vec<Profile>, Failure> {
    let members = app.store.members(group).await?;
    if !members.contains(&session.user) {
        return Err(Refusal::NotAMember.into());
    }
    let members: Vec<Peer> = members.into_iter().map(Peer::User).collect();
    Ok(app.store.profiles(&members).await?)
}
