//! What every change of a group begins with, and what makes and ends a membership.

use std::collections::BTreeSet;

use crate::api::{DEFAULT_TEAM, Entry, Origin, Refusal, Role};
use crate::id::{ConvId, GROUP_ID_FIRST, GroupId, Seq, UserId};
use crate::store::Outcome;
use crate::store::shared::Tx;
use crate::store::shared::tx::applied_as;

/// A group that is locked: until the commit nobody else changes its members or rules, because
/// everybody who does locks the group first.
pub(super) struct Scene {
    group: GroupId,
    /// Nobody's number where the owner of an adopted group is gone.
    owner: u32,
    /// Who causes the change; `None` if he is no member.
    pub(super) actor: Option<Role>,
    there: BTreeSet<u32>,
    /// The last place of the group's log.
    head: Seq,
}

/// How many contacts a user and members a group may have.
#[derive(Clone, Copy)]
pub(super) struct Room {
    contacts_max: u32,
    members_max: u32,
}

impl Room {
    pub(super) fn new(contacts_max: u32, members_max: u32) -> Self {
        Self {
            contacts_max,
            members_max,
        }
    }
}

/// Locks the group, who acts and whom it concerns. An outcome instead, if the change was applied
/// before (`same` tells its first entry) or there is no such group.
pub(super) async fn begin<T: Tx>(
    tx: &mut T,
    origin: &Origin,
    group: GroupId,
    concerns: Option<UserId>,
    same: impl FnOnce(&Entry) -> bool,
) -> Result<Result<Scene, Outcome>, T::Fault> {
    let user = concerns.unwrap_or(origin.user);
    let there = tx.lock(&[origin.user.0, user.0, group.0]).await?;
    if let Some(outcome) = applied_as(tx, origin, same).await? {
        return Ok(Err(outcome));
    }
    if group.0 < GROUP_ID_FIRST || !there.contains(&group.0) {
        return Ok(Err(Outcome::Refused(Refusal::NoSuchGroup)));
    }
    // Before anything is written: who appends a message holds the log and asks for the membership.
    let head = tx.head(ConvId::group(group)).await?;
    let mut scene = Scene {
        group,
        owner: owner(tx, group).await?,
        actor: None,
        there,
        head,
    };
    scene.actor = scene.role(tx, origin.user).await?;
    Ok(Ok(scene))
}

/// Nobody's number where the owner of an adopted group is gone.
pub(super) async fn owner<T: Tx>(tx: &mut T, group: GroupId) -> Result<u32, T::Fault> {
    let sql = "SELECT COALESCE(f_owner_id, 0) FROM t_user WHERE f_user_id = ?";
    let rows = tx.select(sql, vec![group.into()]).await?;
    let owner = rows.first().map(|row| row.u32(0)).transpose()?;
    Ok(owner.unwrap_or(0))
}

/// The role of a member; `None` if the user is none. Locks nothing.
pub(in crate::store::shared) async fn role<T: Tx>(
    tx: &mut T,
    group: GroupId,
    user: UserId,
) -> Result<Option<Role>, T::Fault> {
    let owner = owner(tx, group).await?;
    role_beside(tx, group, owner, user).await
}

async fn role_beside<T: Tx>(
    tx: &mut T,
    group: GroupId,
    owner: u32,
    user: UserId,
) -> Result<Option<Role>, T::Fault> {
    let sql = "SELECT f_role FROM t_user_relationship WHERE f_user_id1 = ? AND f_user_id2 = ?";
    let rows = tx.select(sql, vec![user.into(), group.into()]).await?;
    let stored = rows.first().map(|row| row.int(0)).transpose()?;
    Ok(stored.map(|stored| role_of(user.0 == owner, stored)))
}

/// Role of a member from whether the group is his and `f_role`.
pub(super) fn role_of(owns: bool, stored: i64) -> Role {
    match stored {
        _ if owns => Role::Owner,
        ADMIN => Role::Admin,
        _ => Role::Member,
    }
}

/// `f_role` of an admin; owner and members have 0.
pub(super) const ADMIN: i64 = 1;

impl Scene {
    pub(super) fn conv(&self) -> ConvId {
        ConvId::group(self.group)
    }

    /// Whether the user is there; a group is none.
    pub(super) fn has_user(&self, user: UserId) -> bool {
        user.0 < GROUP_ID_FIRST && self.there.contains(&user.0)
    }

    pub(super) fn belongs_to(&self, user: UserId) -> bool {
        self.owner == user.0
    }

    /// The member's role; `None` if the user is none.
    pub(super) async fn role<T: Tx>(
        &self,
        tx: &mut T,
        user: UserId,
    ) -> Result<Option<Role>, T::Fault> {
        role_beside(tx, self.group, self.owner, user).await
    }

    /// Why who acts may not do what takes at least this role.
    pub(super) fn lacks(&self, least: Role) -> Option<Refusal> {
        match self.actor {
            None => Some(Refusal::NotAMember),
            Some(role) if role < least => Some(Refusal::NotAllowed),
            Some(_) => None,
        }
    }

    /// Why the user cannot become a member.
    pub(super) async fn no_place_for<T: Tx>(
        &self,
        tx: &mut T,
        user: UserId,
        room: Room,
    ) -> Result<Option<Refusal>, T::Fault> {
        if !self.has_user(user) {
            return Ok(Some(Refusal::NoSuchUser));
        }
        if self.role(tx, user).await?.is_some() {
            return Ok(Some(Refusal::AlreadyMember));
        }
        let full = connected(tx, user.0).await? >= room.contacts_max.into()
            || connected(tx, self.group.0).await? >= room.members_max.into();
        Ok(full.then_some(Refusal::TooMany))
    }

    /// Makes the user a member, who sees the log from its next entry on.
    pub(super) async fn admit<T: Tx>(&self, tx: &mut T, user: UserId) -> Result<(), T::Fault> {
        let sql = "INSERT INTO t_user_relationship (f_user_id1, f_user_id2, f_user1_teamname, \
             f_user1_markname, f_user2_teamname, f_user2_markname) VALUES (?, ?, ?, '', ?, '')";
        let teams = (DEFAULT_TEAM.into(), DEFAULT_TEAM.into());
        let values = vec![user.into(), self.group.into(), teams.0, teams.1];
        tx.execute(sql, values).await?;
        // What his devices knew of an earlier membership is void.
        forget_place(tx, user, self.conv()).await?;
        let sql = "INSERT INTO t_place (f_user_id, f_conv, f_since) VALUES (?, ?, ?)";
        let values = vec![user.into(), self.conv().into(), self.head.into()];
        tx.execute(sql, values).await?;
        close_request(tx, self.group, user).await?;
        Ok(())
    }

    /// Ends a membership, and what was kept with it: role, silence, place, cursors.
    pub(super) async fn dismiss<T: Tx>(&self, tx: &mut T, user: UserId) -> Result<(), T::Fault> {
        let sql = "DELETE FROM t_user_relationship WHERE f_user_id1 = ? AND f_user_id2 = ?";
        tx.execute(sql, vec![user.into(), self.group.into()])
            .await?;
        forget_place(tx, user, self.conv()).await
    }

    /// Gives the group to a member, whom nobody can have silenced any more.
    pub(super) async fn give_to<T: Tx>(&self, tx: &mut T, user: UserId) -> Result<(), T::Fault> {
        let sql = "UPDATE t_user SET f_owner_id = ? WHERE f_user_id = ?";
        tx.execute(sql, vec![user.into(), self.group.into()])
            .await?;
        let sql = "UPDATE t_user_relationship SET f_role = 0, f_muted_until = 0 \
             WHERE f_user_id1 = ? AND f_user_id2 = ?";
        tx.execute(sql, vec![user.into(), self.group.into()])
            .await?;
        Ok(())
    }
}

/// Closes a request to become a member, if one is open.
pub(super) async fn close_request<T: Tx>(
    tx: &mut T,
    group: GroupId,
    user: UserId,
) -> Result<(), T::Fault> {
    let sql = "DELETE FROM t_join_request WHERE f_group_id = ? AND f_user_id = ?";
    tx.execute(sql, vec![group.into(), user.into()]).await?;
    Ok(())
}

async fn forget_place<T: Tx>(tx: &mut T, user: UserId, conv: ConvId) -> Result<(), T::Fault> {
    for sql in [
        "DELETE FROM t_place WHERE f_user_id = ? AND f_conv = ?",
        "DELETE FROM t_cursor WHERE f_user_id = ? AND f_conv = ?",
    ] {
        tx.execute(sql, vec![user.into(), conv.into()]).await?;
    }
    Ok(())
}

/// How many contacts a user has, friends and groups; or how many members a group.
pub(in crate::store::shared) async fn connected<T: Tx>(
    tx: &mut T,
    number: u32,
) -> Result<u64, T::Fault> {
    let sql = "SELECT (SELECT COUNT(*) FROM t_user_relationship WHERE f_user_id1 = ?) \
         + (SELECT COUNT(*) FROM t_user_relationship WHERE f_user_id2 = ?)";
    let rows = tx.select(sql, vec![number.into(), number.into()]).await?;
    let count = rows.first().map(|row| row.unsigned(0)).transpose()?;
    Ok(count.unwrap_or(0))
}
