//! What members, admins and owners do with a group that exists.

use common::api::{GroupSettings, JoinPolicy, Refusal, Role};
use common::id::{GroupId, Millis, Peer, UserId};
use common::store::Change;
use common::store::group::{self, GroupChange};

use super::ask_once::has_asked_group;
use super::change_group::GROUP_NAME_BYTES_MAX;
use super::files::chosen_avatar;
use super::register::NICKNAME_BYTES_MAX;
use super::{Failure, check_name, check_text, done, join_group, leave_group};
use crate::actor::{Actor, Mark};
use crate::app::App;

/// The longest announcement, in bytes: a page of text.
pub const ANNOUNCEMENT_BYTES_MAX: usize = 8 * 1024;
/// The longest note to a request, in bytes.
pub(super) const NOTE_BYTES_MAX: usize = 255;
/// Open requests of one group: more than a person can answer.
const JOIN_REQUESTS_MAX: u32 = 1_000;

/// Changes name, picture, announcement or rules.
///
/// # Errors
/// `Invalid` for a field that cannot be, `NoSuchGroup`, `NotAMember`, `NotAllowed`; the store's.
pub async fn set_group(
    app: &App,
    actor: &Actor,
    group: GroupId,
    mut settings: GroupSettings,
    mark: Mark,
) -> Result<(), Failure> {
    if let Some(name) = &settings.name {
        check_name("the group's name", name, GROUP_NAME_BYTES_MAX)?;
    }
    if let Some(avatar) = &mut settings.avatar {
        let shown = app.store.profiles(&[Peer::Group(group)]).await?.pop();
        // One that was set before it had to be a picture may be said again.
        if shown.is_none_or(|shown| shown.avatar.custom != *avatar) {
            *avatar = chosen_avatar(app, actor.user, avatar).await?;
        }
    }
    // An announcement may have lines.
    let announcement = settings.announcement.as_deref().unwrap_or_default();
    if announcement.len() > ANNOUNCEMENT_BYTES_MAX || announcement.contains('\0') {
        return Err(Failure::Invalid {
            field: "the announcement",
            problem: "is longer than 8 KiB, or has a zero character",
        });
    }
    let change = GroupChange::Set {
        origin: app.origin(actor, mark),
        group,
        settings,
    };
    apply(app, change).await
}

/// What changes about a member; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct MemberEdit {
    /// `Owner` hands the group over.
    pub role: Option<Role>,
    /// 0 lets the member write again.
    pub muted_until: Option<Millis>,
    /// Empty for the own nickname.
    pub nickname: Option<String>,
}

/// Changes role, silence or nickname of a member.
///
/// # Errors
/// `Invalid` nickname, `NoSuchGroup`, `NotAMember`, `NotAllowed`, `NoSuchUser` if he is no member,
/// `Oneself` for handing the group over to oneself; the store's.
pub async fn set_member(
    app: &App,
    actor: &Actor,
    group: GroupId,
    user: UserId,
    edit: MemberEdit,
) -> Result<(), Failure> {
    if let Some(nickname) = edit.nickname.as_deref().filter(|name| !name.is_empty()) {
        check_name("the nickname", nickname, NICKNAME_BYTES_MAX)?;
    }
    let MemberEdit {
        role,
        muted_until,
        nickname,
    } = edit;
    if muted_until.is_some() || nickname.is_some() || role.is_some_and(|role| role < Role::Owner) {
        let change = GroupChange::SetMember {
            origin: app.origin(actor, Mark::default()),
            group,
            user,
            role: role.filter(|role| *role < Role::Owner),
            muted_until,
            nickname,
        };
        apply(app, change).await?;
    }
    match role {
        Some(Role::Owner) => transfer_group(app, actor, group, user, Mark::default()).await,
        Some(Role::Member | Role::Admin) | None => Ok(()),
    }
}

/// Hands the group over; the owner is an admin from then on.
///
/// # Errors
/// `NoSuchGroup`, `NotAMember`, `NotAllowed`, `NoSuchUser` if the heir is no member, `Oneself`; the
/// store's.
pub async fn transfer_group(
    app: &App,
    actor: &Actor,
    group: GroupId,
    to: UserId,
    mark: Mark,
) -> Result<(), Failure> {
    let origin = app.origin(actor, mark);
    apply(app, GroupChange::Transfer { origin, group, to }).await
}

/// Takes a member out, or oneself. An owner cannot leave: unlike the existing clients, those of
/// the API can hand a group over.
///
/// # Errors
/// `OwnerMustStay`, `NoSuchGroup`, `NotAMember`, `NotAllowed`, `NoSuchUser` if he is no member; the
/// store's.
pub async fn remove_member(
    app: &App,
    actor: &Actor,
    group: GroupId,
    user: UserId,
    mark: Mark,
) -> Result<(), Failure> {
    if user != actor.user {
        let origin = app.origin(actor, mark);
        let change = GroupChange::Remove {
            origin,
            group,
            user,
        };
        return apply(app, change).await;
    }
    let policy = group::policy(&*app.store, group).await?;
    if policy.ok_or(Refusal::NoSuchGroup)?.owner == Some(user) {
        return Err(Refusal::OwnerMustStay.into());
    }
    leave_group(app, actor, group, mark).await
}

/// Ends a group.
///
/// # Errors
/// `NoSuchGroup`, `NotAMember`, `NotAllowed` for all but the owner; the store's.
pub async fn dissolve_group(
    app: &App,
    actor: &Actor,
    group: GroupId,
    mark: Mark,
) -> Result<(), Failure> {
    let origin = app.origin(actor, mark);
    apply(app, GroupChange::Dissolve { origin, group }).await
}

/// What became of the wish to be a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joined {
    Now,
    /// He was one already.
    Before,
    /// An admin has to agree.
    Asked,
}

/// Joins a group that is open to everybody; asks where an admin has to agree.
///
/// # Errors
/// `Invalid` note, `NoSuchGroup`, `JoinClosed`, `TooMany`; `ApprovalNeeded` if the rule changed at
/// this moment; the store's.
pub async fn join_or_ask(
    app: &App,
    actor: &Actor,
    group: GroupId,
    note: String,
    mark: Mark,
) -> Result<Joined, Failure> {
    check_text("the note", &note, NOTE_BYTES_MAX)?;
    let policy = group::policy(&*app.store, group).await?;
    let joined = match policy.ok_or(Refusal::NoSuchGroup)?.join {
        JoinPolicy::Approval => {
            if has_asked_group(app, actor, group, &note).await? {
                return Ok(Joined::Asked);
            }
            let change = GroupChange::RequestJoin {
                origin: app.origin(actor, mark),
                group,
                note,
                requests_max: JOIN_REQUESTS_MAX,
            };
            apply(app, change).await.map(|()| Joined::Asked)
        }
        JoinPolicy::Open | JoinPolicy::Closed => {
            let joined = join_group(app, actor, group, mark).await;
            joined.map(|()| Joined::Now)
        }
    };
    match joined {
        Err(Failure::Refused(Refusal::AlreadyMember)) => Ok(Joined::Before),
        other => other,
    }
}

/// An admin says yes or no to a request to become a member.
///
/// # Errors
/// `NoSuchGroup`, `NotAMember`, `NotAllowed`, `NotRequested`, `AlreadyMember`, `TooMany`; the
/// store's.
pub async fn answer_join(
    app: &App,
    actor: &Actor,
    group: GroupId,
    user: UserId,
    accepted: bool,
) -> Result<(), Failure> {
    let change = GroupChange::AnswerJoin {
        origin: app.origin(actor, Mark::default()),
        group,
        user,
        accepted,
        contacts_max: app.config.friends_max,
        members_max: app.config.group_members_max,
    };
    apply(app, change).await
}

async fn apply(app: &App, change: GroupChange) -> Result<(), Failure> {
    done(&app.log.commit(Change::Group(change)).await?).map(drop)
}
