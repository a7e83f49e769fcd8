//! Makes a group together with its first members.

use common::api::Refusal;
use common::id::{ConvKind, GroupId, Peer, UserId};
use common::store::group::GroupChange;
use common::store::{Change, Outcome};

use super::change_group::GROUP_NAME_BYTES_MAX;
use super::{Failure, check_name};
use crate::actor::{Actor, Mark};
use crate::app::App;

/// The most members that one call adds.
const FIRST_MEMBERS_MAX: usize = 500;

/// A group that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedGroup {
    pub group: GroupId,
    /// It had been made before, under the same client id.
    pub is_repeat: bool,
    /// Who could not be made a member, and why.
    pub not_added: Vec<(UserId, Refusal)>,
}

/// Makes the group, then adds the members one after the other: who cannot be added does not spoil
/// the group.
///
/// # Errors
/// `Invalid` name or too many members, `TooMany` groups of the actor, `ClientIdConflict`; the
/// store's.
pub async fn create_group_with_members(
    app: &App,
    actor: &Actor,
    name: String,
    members: Vec<UserId>,
    mark: Mark,
) -> Result<CreatedGroup, Failure> {
    check_name("the group's name", &name, GROUP_NAME_BYTES_MAX)?;
    if members.len() > FIRST_MEMBERS_MAX {
        return Err(Failure::Invalid {
            field: "the list of members",
            problem: "is longer than 500",
        });
    }
    let change = Change::CreateGroup {
        origin: app.origin(actor, mark),
        name,
        limit: app.config.friends_max,
    };
    let (group, is_repeat) = made(&app.log.commit(change).await?)?;
    Ok(CreatedGroup {
        group,
        is_repeat,
        not_added: add_all(app, actor, group, members).await?,
    })
}

/// The group that was made, and whether it had been made before.
pub(super) fn made(outcome: &Outcome) -> Result<(GroupId, bool), Failure> {
    match outcome {
        Outcome::Done { id, .. } => match id.and_then(Peer::from_number) {
            Some(Peer::Group(group)) => Ok((group, false)),
            Some(Peer::User(_)) | None => Err(Refusal::TooMany.into()),
        },
        Outcome::AlreadyThere { conv, .. } => match conv.kind() {
            Some(ConvKind::Group(group)) => Ok((group, true)),
            Some(ConvKind::Direct(..) | ConvKind::Inbox(_)) | None => {
                Err(Refusal::ClientIdConflict.into())
            }
        },
        Outcome::Refused(refusal) => Err((*refusal).into()),
    }
}

async fn add_all(
    app: &App,
    actor: &Actor,
    group: GroupId,
    members: Vec<UserId>,
) -> Result<Vec<(UserId, Refusal)>, Failure> {
    let known = known_to(app, actor).await?;
    let mut not_added = Vec::new();
    let mut pending = Vec::new();
    for user in members {
        if user == actor.user {
            continue;
        }
        if !known.contains(user) {
            not_added.push((user, Refusal::NotFriends));
            continue;
        }
        let change = add(app, actor, group, user, Mark::default());
        pending.push((user, app.log.submit(change).await?));
    }
    for (user, outcome) in pending {
        match outcome.outcome().await? {
            Outcome::Refused(Refusal::AlreadyMember)
            | Outcome::Done { .. }
            | Outcome::AlreadyThere { .. } => {}
            Outcome::Refused(refusal) => not_added.push((user, refusal)),
        }
    }
    Ok(not_added)
}

/// Makes somebody a member whom the actor may invite: a contact, or anybody where strangers may
/// write to each other.
///
/// # Errors
/// `NotFriends`, `NotAMember`, `NotAllowed`, `NoSuchUser`, `AlreadyMember`, `TooMany`, `Blocked`;
/// the store's.
pub async fn add_member(
    app: &App,
    actor: &Actor,
    group: GroupId,
    user: UserId,
    mark: Mark,
) -> Result<(), Failure> {
    if !known_to(app, actor).await?.contains(user) {
        return Err(Refusal::NotFriends.into());
    }
    let change = add(app, actor, group, user, mark);
    super::done(&app.log.commit(change).await?).map(drop)
}

fn add(app: &App, actor: &Actor, group: GroupId, user: UserId, mark: Mark) -> Change {
    Change::Group(GroupChange::Add {
        origin: app.origin(actor, mark),
        group,
        user,
        contacts_max: app.config.friends_max,
        members_max: app.config.group_members_max,
    })
}

/// Whom a user may bring into a group.
enum Known {
    Everybody,
    Contacts(Vec<Peer>),
}

impl Known {
    fn contains(&self, user: UserId) -> bool {
        match self {
            Self::Everybody => true,
            Self::Contacts(peers) => peers.contains(&Peer::User(user)),
        }
    }
}

async fn known_to(app: &App, actor: &Actor) -> Result<Known, Failure> {
    if app.strangers_may_write() {
        return Ok(Known::Everybody);
    }
    Ok(Known::Contacts(app.store.peers(actor.user).await?))
}
