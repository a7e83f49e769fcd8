//! What one may see of a group.

use common::api::{GroupPolicy, Member, Profile, Refusal, Role};
use common::id::{GroupId, Peer, UserId};
use common::store::group::{self, JoinRequest};

use super::{Failure, as_seen_by, persons};
use crate::actor::Actor;
use crate::app::App;

/// A group as somebody sees it.
#[derive(Clone, Debug)]
pub struct SeenGroup {
    pub profile: Profile,
    pub policy: GroupPolicy,
    /// What the actor is in it; `None` for a stranger, who sees no announcement either.
    pub own: Option<Member>,
}

/// A group as the actor may see it. Everybody may see that it exists, how it is called and how
/// one becomes a member.
///
/// # Errors
/// `NoSuchGroup`; the store's.
pub async fn group(app: &App, actor: &Actor, group: GroupId) -> Result<SeenGroup, Failure> {
    let store = &*app.store;
    let policy = group::policy(store, group).await?;
    let mut policy = policy.ok_or(Refusal::NoSuchGroup)?;
    let own = group::member(store, group, actor.user).await?;
    if own.is_none() {
        policy.announcement.clear();
    }
    let mut profiles = store.profiles(&[Peer::Group(group)]).await?;
    let profile = profiles.pop().ok_or(Refusal::NoSuchGroup)?;
    Ok(SeenGroup {
        profile,
        policy,
        own,
    })
}

/// A member with his profile.
#[derive(Clone, Debug)]
pub struct SeenMember {
    pub member: Member,
    pub profile: Profile,
}

/// Members of a group, for one of them: ascending by number, behind `after`.
///
/// # Errors
/// `NoSuchGroup`, `NotAMember`; the store's.
pub async fn group_members(
    app: &App,
    actor: &Actor,
    group: GroupId,
    after: Option<UserId>,
    limit: u32,
) -> Result<Vec<SeenMember>, Failure> {
    own_role(app, actor, group).await?;
    let members = group::members(&*app.store, group, after, limit).await?;
    let users: Vec<_> = members.iter().map(|member| member.user).collect();
    let profiles = persons(app, actor, &users).await?;
    let seen = members.into_iter().filter_map(|member| {
        let id = Peer::User(member.user);
        let profile = profiles.iter().find(|profile| profile.id == id)?.clone();
        Some(SeenMember { member, profile })
    });
    Ok(seen.collect())
}

/// One member, for another one.
///
/// # Errors
/// `NoSuchGroup`, `NotAMember`, `NoSuchUser` if he is none; the store's.
pub async fn group_member(
    app: &App,
    actor: &Actor,
    group: GroupId,
    user: UserId,
) -> Result<SeenMember, Failure> {
    own_role(app, actor, group).await?;
    let member = group::member(&*app.store, group, user).await?;
    let member = member.ok_or(Refusal::NoSuchUser)?;
    let mut profiles = persons(app, actor, &[user]).await?;
    let profile = profiles.pop().ok_or(Refusal::NoSuchUser)?;
    Ok(SeenMember { member, profile })
}

/// Open requests to become a member, for owner and admins, the oldest first.
///
/// # Errors
/// `NoSuchGroup`, `NotAMember`, `NotAllowed`; the store's.
pub async fn join_requests(
    app: &App,
    actor: &Actor,
    group: GroupId,
) -> Result<Vec<(JoinRequest, Profile)>, Failure> {
    if own_role(app, actor, group).await? < Role::Admin {
        return Err(Refusal::NotAllowed.into());
    }
    let requests = group::join_requests(&*app.store, group).await?;
    let askers: Vec<_> = requests
        .iter()
        .map(|request| Peer::User(request.user))
        .collect();
    let profiles = app.store.profiles(&askers).await?;
    let seen = requests.into_iter().filter_map(|request| {
        let id = Peer::User(request.user);
        let profile = profiles.iter().find(|profile| profile.id == id)?.clone();
        Some((request, as_seen_by(actor.user, profile)))
    });
    Ok(seen.collect())
}

async fn own_role(app: &App, actor: &Actor, group: GroupId) -> Result<Role, Failure> {
    let store = &*app.store;
    match group::member(store, group, actor.user).await? {
        Some(own) => Ok(own.role),
        None if group::policy(store, group).await?.is_none() => Err(Refusal::NoSuchGroup.into()),
        None => Err(Refusal::NotAMember.into()),
    }
}
