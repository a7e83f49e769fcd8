//! Short ways to say what a test of groups needs.

use super::setup::{MANY, done, group, join, origin, user};
use crate::api::{GroupSettings, Role};
use crate::id::{ConvId, GroupId, Millis, UserId};
use crate::store::group::GroupChange;
use crate::store::{Change, Store};

/// A group with one of each.
pub(super) struct Crew {
    pub(super) group: GroupId,
    pub(super) conv: ConvId,
    pub(super) owner: UserId,
    pub(super) admin: UserId,
    pub(super) member: UserId,
    /// Of no group.
    pub(super) outsider: UserId,
}

/// Four entries are in the log then.
pub(super) async fn crew(store: &dyn Store) -> Crew {
    let owner = user(store, "owner").await;
    let admin = user(store, "admin").await;
    let member = user(store, "member").await;
    let outsider = user(store, "outsider").await;
    let group = group(store, owner, "crew").await;
    done(store, join(admin, group, "crew joins")).await;
    done(store, join(member, group, "crew joins")).await;
    done(
        store,
        set_role(owner, group, admin, Role::Admin, "crew role"),
    )
    .await;
    Crew {
        group,
        conv: ConvId::group(group),
        owner,
        admin,
        member,
        outsider,
    }
}

pub(super) fn add(by: UserId, group: GroupId, user: UserId, client_id: &str) -> Change {
    Change::Group(GroupChange::Add {
        origin: origin(by, client_id),
        group,
        user,
        contacts_max: MANY,
        members_max: MANY,
    })
}

pub(super) fn take_out(by: UserId, group: GroupId, user: UserId, client_id: &str) -> Change {
    Change::Group(GroupChange::Remove {
        origin: origin(by, client_id),
        group,
        user,
    })
}

fn set_member(by: UserId, group: GroupId, user: UserId, client_id: &str) -> GroupChange {
    GroupChange::SetMember {
        origin: origin(by, client_id),
        group,
        user,
        role: None,
        muted_until: None,
        nickname: None,
    }
}

pub(super) fn set_role(
    by: UserId,
    group: GroupId,
    user: UserId,
    new: Role,
    client_id: &str,
) -> Change {
    let mut change = set_member(by, group, user, client_id);
    if let GroupChange::SetMember { role, .. } = &mut change {
        *role = Some(new);
    }
    Change::Group(change)
}

pub(super) fn mute(
    by: UserId,
    group: GroupId,
    user: UserId,
    until: i64,
    client_id: &str,
) -> Change {
    let mut change = set_member(by, group, user, client_id);
    if let GroupChange::SetMember { muted_until, .. } = &mut change {
        *muted_until = Some(Millis(until));
    }
    Change::Group(change)
}

pub(super) fn name_member(
    by: UserId,
    group: GroupId,
    user: UserId,
    name: &str,
    client_id: &str,
) -> Change {
    let mut change = set_member(by, group, user, client_id);
    if let GroupChange::SetMember { nickname, .. } = &mut change {
        *nickname = Some(name.to_owned());
    }
    Change::Group(change)
}

pub(super) fn transfer(by: UserId, group: GroupId, to: UserId, client_id: &str) -> Change {
    Change::Group(GroupChange::Transfer {
        origin: origin(by, client_id),
        group,
        to,
    })
}

pub(super) fn set_rules(
    by: UserId,
    group: GroupId,
    settings: GroupSettings,
    client_id: &str,
) -> Change {
    Change::Group(GroupChange::Set {
        origin: origin(by, client_id),
        group,
        settings,
    })
}

pub(super) fn dissolve(by: UserId, group: GroupId, client_id: &str) -> Change {
    Change::Group(GroupChange::Dissolve {
        origin: origin(by, client_id),
        group,
    })
}

pub(super) fn ask_to_join(user: UserId, group: GroupId, client_id: &str) -> Change {
    Change::Group(GroupChange::RequestJoin {
        origin: origin(user, client_id),
        group,
        note: format!("note of {client_id}"),
        requests_max: MANY,
    })
}

pub(super) fn answer_join(
    by: UserId,
    group: GroupId,
    user: UserId,
    accepted: bool,
    client_id: &str,
) -> Change {
    Change::Group(GroupChange::AnswerJoin {
        origin: origin(by, client_id),
        group,
        user,
        accepted,
        contacts_max: MANY,
        members_max: MANY,
    })
}
