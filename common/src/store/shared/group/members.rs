//! What members do with members: adding, taking out, naming, silencing, handing the group over.

use super::rules;
use super::scene::{ADMIN, Room, begin};
use crate::api::{Body, Entry, InvitePolicy, Notice, Origin, Refusal, Role};
use crate::id::{ConvId, GroupId, Millis, Peer, UserId};
use crate::store::Outcome;
use crate::store::shared::tx::{done_with, refused};
use crate::store::shared::{Tx, Value};

/// Recognizes the entry of a change that was applied before.
fn is_this(group: GroupId, notice: &Notice) -> impl FnOnce(&Entry) -> bool + use<> {
    let (conv, body) = (ConvId::group(group), Body::Notice(notice.clone()));
    move |entry| entry.conv == conv && entry.body == body
}

/// What a user hears whose membership was changed by somebody else.
pub(super) fn told(user: UserId, group: GroupId) -> (ConvId, Notice) {
    let peer = Peer::Group(group);
    (ConvId::inbox(user), Notice::ContactsChanged { peer })
}

pub(super) async fn add<T: Tx>(
    tx: &mut T,
    origin: &Origin,
    group: GroupId,
    user: UserId,
    room: Room,
) -> Result<Outcome, T::Fault> {
    let notice = Notice::MemberAdded { user };
    let same = is_this(group, &notice);
    let scene = match begin(tx, origin, group, Some(user), same).await? {
        Ok(scene) => scene,
        Err(outcome) => return Ok(outcome),
    };
    let least = match rules::of(tx, group).await?.invite {
        InvitePolicy::Members => Role::Member,
        InvitePolicy::Admins => Role::Admin,
    };
    if let Some(refusal) = scene.lacks(least) {
        return refused(refusal);
    }
    if let Some(refusal) = scene.no_place_for(tx, user, room).await? {
        return refused(refusal);
    }
    let sql = "SELECT 1 FROM t_block WHERE f_user_id = ? AND f_blocked_id = ?";
    let blocked = tx
        .select(sql, vec![user.into(), origin.user.into()])
        .await?;
    if !blocked.is_empty() {
        return refused(Refusal::Blocked);
    }
    scene.admit(tx, user).await?;
    done_with(tx, origin, vec![(scene.conv(), notice), told(user, group)]).await
}

pub(super) async fn remove<T: Tx>(
    tx: &mut T,
    origin: &Origin,
    group: GroupId,
    user: UserId,
) -> Result<Outcome, T::Fault> {
    let notice = Notice::MemberRemoved { user };
    let same = is_this(group, &notice);
    let scene = match begin(tx, origin, group, Some(user), same).await? {
        Ok(scene) => scene,
        Err(outcome) => return Ok(outcome),
    };
    if let Some(refusal) = scene.lacks(Role::Admin) {
        return refused(refusal);
    }
    let role = scene.role(tx, user).await?;
    if role.is_none() {
        return refused(Refusal::NoSuchUser);
    }
    if role >= scene.actor {
        return refused(Refusal::NotAllowed);
    }
    scene.dismiss(tx, user).await?;
    done_with(tx, origin, vec![(scene.conv(), notice), told(user, group)]).await
}

/// What is to change about a member; what is `None` stays.
pub(super) struct Changed<'a> {
    pub(super) user: UserId,
    pub(super) role: Option<Role>,
    pub(super) muted_until: Option<Millis>,
    pub(super) nickname: Option<&'a str>,
}

impl Changed<'_> {
    fn notice(&self) -> Notice {
        Notice::MemberChanged {
            user: self.user,
            role: self.role,
            muted_until: self.muted_until,
            nickname: self.nickname.map(str::to_owned),
        }
    }

    /// Whether somebody of the role `actor` may do all of it to a member of the role `role`.
    fn is_allowed(&self, actor: Role, role: Role, oneself: bool) -> bool {
        let reaches = actor >= Role::Admin && actor > role;
        // Another owner is made by handing the group over.
        let role_is = self
            .role
            .is_none_or(|new| actor == Role::Owner && !oneself && new != Role::Owner);
        let silence_is = self.muted_until.is_none() || reaches;
        let name_is = self.nickname.is_none() || reaches || oneself;
        role_is && silence_is && name_is
    }
}

pub(super) async fn set<T: Tx>(
    tx: &mut T,
    origin: &Origin,
    group: GroupId,
    changed: &Changed<'_>,
) -> Result<Outcome, T::Fault> {
    let (user, notice) = (changed.user, changed.notice());
    let same = is_this(group, &notice);
    let scene = match begin(tx, origin, group, Some(user), same).await? {
        Ok(scene) => scene,
        Err(outcome) => return Ok(outcome),
    };
    let Some(actor) = scene.actor else {
        return refused(Refusal::NotAMember);
    };
    let Some(role) = scene.role(tx, user).await? else {
        return refused(Refusal::NoSuchUser);
    };
    if !changed.is_allowed(actor, role, user == origin.user) {
        return refused(Refusal::NotAllowed);
    }
    let mut columns: Vec<(&str, Value)> = Vec::new();
    if let Some(role) = changed.role {
        columns.push(("f_role = ?", stored(role).into()));
    }
    if let Some(until) = changed.muted_until {
        columns.push(("f_muted_until = ?", until.into()));
    }
    if let Some(nickname) = changed.nickname {
        columns.push(("f_user2_markname = ?", nickname.into()));
    }
    if columns.is_empty() {
        return Ok(Outcome::done());
    }
    let (names, mut values): (Vec<&str>, Vec<Value>) = columns.into_iter().unzip();
    let sql = format!(
        "UPDATE t_user_relationship SET {} WHERE f_user_id1 = ? AND f_user_id2 = ?",
        names.join(", ")
    );
    values.extend([user.into(), group.into()]);
    tx.execute(&sql, values).await?;
    done_with(tx, origin, vec![(scene.conv(), notice)]).await
}

fn stored(role: Role) -> i64 {
    match role {
        Role::Admin => ADMIN,
        Role::Member | Role::Owner => 0,
    }
}

pub(super) async fn transfer<T: Tx>(
    tx: &mut T,
    origin: &Origin,
    group: GroupId,
    to: UserId,
) -> Result<Outcome, T::Fault> {
    let notice = Notice::OwnerChanged { user: to };
    let same = is_this(group, &notice);
    let scene = match begin(tx, origin, group, Some(to), same).await? {
        Ok(scene) => scene,
        Err(outcome) => return Ok(outcome),
    };
    if let Some(refusal) = scene.lacks(Role::Owner) {
        return refused(refusal);
    }
    if to == origin.user {
        return refused(Refusal::Oneself);
    }
    if scene.role(tx, to).await?.is_none() {
        return refused(Refusal::NoSuchUser);
    }
    scene.give_to(tx, to).await?;
    let sql = "UPDATE t_user_relationship SET f_role = ? WHERE f_user_id1 = ? AND f_user_id2 = ?";
    let values = vec![ADMIN.into(), origin.user.into(), group.into()];
    tx.execute(sql, values).await?;
    done_with(tx, origin, vec![(scene.conv(), notice)]).await
}
