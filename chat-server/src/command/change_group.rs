//! Makes, joins, leaves and lists groups.

use common::api::{Profile, Refusal};
use common::id::{GroupId, Peer};
use common::store::Change;

use super::create_group_with_members::made;
use super::{Failure, check_name, done};
use crate::actor::{Actor, Mark};
use crate::app::App;

/// The longest group name, in bytes: the Windows client's buffers hold 63.
pub const GROUP_NAME_BYTES_MAX: usize = 63;

/// # Errors
/// `Invalid` name, `TooMany`; the store's.
pub async fn create_group(
    app: &App,
    actor: &Actor,
    name: String,
    mark: Mark,
) -> Result<GroupId, Failure> {
    check_name("the group's name", &name, GROUP_NAME_BYTES_MAX)?;
    let limit = app.config.friends_max;
    let change = Change::CreateGroup {
        origin: app.origin(actor, mark),
        name,
        limit,
    };
    let (group, _is_repeat) = made(&app.log.commit(change).await?)?;
    Ok(group)
}

/// # Errors
/// `NoSuchGroup`, `AlreadyMember`, `TooMany`; the store's.
pub async fn join_group(
    app: &App,
    actor: &Actor,
    group: GroupId,
    mark: Mark,
) -> Result<(), Failure> {
    let change = Change::JoinGroup {
        origin: app.origin(actor, mark),
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
    actor: &Actor,
    group: GroupId,
    mark: Mark,
) -> Result<(), Failure> {
    let change = Change::LeaveGroup {
        origin: app.origin(actor, mark),
        group,
    };
    done(&app.log.commit(change).await?).map(drop)
}

/// The members of a group, for one of them.
///
/// # Errors
/// `NotAMember`; the store's.
pub async fn members(app: &App, actor: &Actor, group: GroupId) -> Result<Vec<Profile>, Failure> {
    let members = app.store.members(group).await?;
    if !members.contains(&actor.user) {
        return Err(Refusal::NotAMember.into());
    }
    let members: Vec<Peer> = members.into_iter().map(Peer::User).collect();
    Ok(app.store.profiles(&members).await?)
}
