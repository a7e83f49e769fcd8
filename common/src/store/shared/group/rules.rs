//! A group's own: name, picture, announcement, rules; and its end.

use super::scene::{begin, owner};
use crate::api::{
    Body, Entry, GroupSettings, InvitePolicy, JoinPolicy, Notice, Origin, Refusal, Role,
};
use crate::id::{ClientId, ConvId, DeviceId, GROUP_ID_FIRST, GroupId, Millis, Peer, UserId};
use crate::store::bulk::lookups;
use crate::store::shared::file::{self, Reference};
use crate::store::shared::tx::{done_with, refused};
use crate::store::shared::value::marks;
use crate::store::shared::{Row, Tx, Value};
use crate::store::{Outcome, StoreError};

/// What stands in a group's row of `t_group`; one without a row has the defaults.
#[derive(Default)]
pub(super) struct Rules {
    pub(super) announcement: String,
    pub(super) join: JoinPolicy,
    pub(super) invite: InvitePolicy,
    pub(super) muted: bool,
}

/// The columns that [`Rules::from_row`] reads, of a row that may be missing.
pub(super) const RULES: &str = "COALESCE(f_announcement, ''), COALESCE(f_join, 0), \
     COALESCE(f_invite, 0), COALESCE(f_muted, 0)";

impl Rules {
    pub(super) fn from_row(row: &Row, first: usize) -> Result<Self, StoreError> {
        let unknown = |what, number| StoreError::Broken(format!("{what} of a group is {number}"));
        Ok(Self {
            announcement: row.text(first)?,
            join: match row.int(first + 1)? {
                0 => JoinPolicy::Open,
                1 => JoinPolicy::Approval,
                2 => JoinPolicy::Closed,
                number => return Err(unknown("f_join", number)),
            },
            invite: match row.int(first + 2)? {
                0 => InvitePolicy::Members,
                1 => InvitePolicy::Admins,
                number => return Err(unknown("f_invite", number)),
            },
            muted: row.flag(first + 3)?,
        })
    }

    fn with(self, settings: &GroupSettings) -> Self {
        let announcement = settings.announcement.clone();
        Self {
            announcement: announcement.unwrap_or(self.announcement),
            join: settings.join.unwrap_or(self.join),
            invite: settings.invite.unwrap_or(self.invite),
            muted: settings.muted.unwrap_or(self.muted),
        }
    }

    fn values(self, group: GroupId) -> Vec<Value> {
        let join: i64 = match self.join {
            JoinPolicy::Open => 0,
            JoinPolicy::Approval => 1,
            JoinPolicy::Closed => 2,
        };
        let invite: i64 = match self.invite {
            InvitePolicy::Members => 0,
            InvitePolicy::Admins => 1,
        };
        let announcement = self.announcement.into();
        let muted = self.muted.into();
        vec![
            group.into(),
            announcement,
            join.into(),
            invite.into(),
            muted,
        ]
    }
}

/// The rules of a group.
pub(super) async fn of<T: Tx>(tx: &mut T, group: GroupId) -> Result<Rules, T::Fault> {
    let sql = format!("SELECT {RULES} FROM t_group WHERE f_group_id = ?");
    let rows = tx.select(&sql, vec![group.into()]).await?;
    let rules = rows
        .first()
        .map(|row| Rules::from_row(row, 0))
        .transpose()?;
    Ok(rules.unwrap_or_default())
}

pub(super) async fn set<T: Tx>(
    tx: &mut T,
    origin: &Origin,
    group: GroupId,
    settings: &GroupSettings,
) -> Result<Outcome, T::Fault> {
    let conv = ConvId::group(group);
    let settings = settings.clone();
    let notice = Notice::GroupChanged { settings };
    let body = Body::Notice(notice.clone());
    let same = |entry: &Entry| entry.conv == conv && entry.body == body;
    let scene = match begin(tx, origin, group, None, same).await? {
        Ok(scene) => scene,
        Err(outcome) => return Ok(outcome),
    };
    if let Some(refusal) = scene.lacks(Role::Admin) {
        return refused(refusal);
    }
    let Notice::GroupChanged { settings } = &notice else {
        return Ok(Outcome::done());
    };
    write(tx, group, settings).await?;
    if let Some(avatar) = &settings.avatar {
        file::show_avatar(tx, Peer::Group(group), avatar, origin.at).await?;
    }
    done_with(tx, origin, vec![(conv, notice)]).await
}

async fn write<T: Tx>(
    tx: &mut T,
    group: GroupId,
    settings: &GroupSettings,
) -> Result<(), T::Fault> {
    let profile = [
        ("f_nickname", &settings.name),
        ("f_customface", &settings.avatar),
    ];
    for (column, text) in profile {
        if let Some(text) = text {
            let sql = format!(
                "UPDATE t_user SET {column} = ?, f_update_time = CURRENT_TIMESTAMP \
                 WHERE f_user_id = ?"
            );
            let values = vec![text.as_str().into(), group.into()];
            tx.execute(&sql, values).await?;
        }
    }
    let rules = of(tx, group).await?.with(settings);
    let sql = "REPLACE INTO t_group (f_group_id, f_announcement, f_join, f_invite, f_muted) \
         VALUES (?, ?, ?, ?, ?)";
    tx.execute(sql, rules.values(group)).await?;
    Ok(())
}

pub(super) async fn dissolve<T: Tx>(
    tx: &mut T,
    origin: &Origin,
    group: GroupId,
) -> Result<Outcome, T::Fault> {
    let own = ConvId::inbox(origin.user);
    // The name went with the group: the number alone tells that it was this one.
    let same = |entry: &Entry| {
        let body = &entry.body;
        let ended =
            matches!(body, Body::Notice(Notice::GroupDissolved { group: it, .. }) if *it == group);
        entry.conv == own && ended
    };
    let scene = match begin(tx, origin, group, None, same).await? {
        Ok(scene) => scene,
        Err(outcome) => return Ok(outcome),
    };
    if let Some(refusal) = scene.lacks(Role::Owner) {
        return refused(refusal);
    }
    let members = members(tx, group).await?;
    end(tx, origin, group, members).await
}

/// An administrator ends a group that need not be his.
pub(super) async fn dissolve_foreign<T: Tx>(
    tx: &mut T,
    group: GroupId,
    client_id: &ClientId,
    at: Millis,
) -> Result<Outcome, T::Fault> {
    let there = tx.lock(&[group.0]).await?.contains(&group.0);
    if group.0 < GROUP_ID_FIRST || !there {
        return refused(Refusal::NoSuchGroup);
    }
    tx.head(ConvId::group(group)).await?;
    let members = members(tx, group).await?;
    let owner = UserId(owner(tx, group).await?);
    let speaker = if members.contains(&owner) {
        Some(&owner)
    } else {
        members.first()
    };
    let Some(speaker) = speaker else {
        erase(tx, group, &members, at).await?;
        return Ok(Outcome::done());
    };
    let origin = Origin {
        user: *speaker,
        // No device of his did it, so all are told.
        device: DeviceId(0),
        client_id: client_id.clone(),
        tag: 0,
        at,
    };
    end(tx, &origin, group, members).await
}

/// The members of a group, ascending.
async fn members<T: Tx>(tx: &mut T, group: GroupId) -> Result<Vec<UserId>, T::Fault> {
    let sql = "SELECT f_user_id1 FROM t_user_relationship WHERE f_user_id2 = ? ORDER BY f_user_id1";
    let rows = tx.select(sql, vec![group.into()]).await?;
    let members: Result<_, StoreError> = rows.iter().map(|row| row.user(0)).collect();
    Ok(members?)
}

/// Takes a group away and tells its members.
async fn end<T: Tx>(
    tx: &mut T,
    origin: &Origin,
    group: GroupId,
    members: Vec<UserId>,
) -> Result<Outcome, T::Fault> {
    let name = name(tx, group).await?;
    erase(tx, group, &members, origin.at).await?;
    // The first one has the change's own client id.
    let others = members.into_iter().filter(|user| *user != origin.user);
    let notices = std::iter::once(origin.user)
        .chain(others)
        .map(|user| {
            let name = name.clone();
            (ConvId::inbox(user), Notice::GroupDissolved { group, name })
        })
        .collect();
    done_with(tx, origin, notices).await
}

async fn name<T: Tx>(tx: &mut T, group: GroupId) -> Result<String, T::Fault> {
    let sql = "SELECT f_nickname FROM t_user WHERE f_user_id = ?";
    let rows = tx.select(sql, vec![group.into()]).await?;
    let name = rows.first().map(|row| row.text(0)).transpose()?;
    Ok(name.unwrap_or_default())
}

/// Takes away everything but the log. The group's number is not given out again; without its row
/// in `t_user` there is no such group for anybody who asks.
async fn erase<T: Tx>(
    tx: &mut T,
    group: GroupId,
    members: &[UserId],
    at: Millis,
) -> Result<(), T::Fault> {
    let conv = ConvId::group(group);
    file::unrefer_all(tx, conv, at).await?;
    file::unrefer(tx, Reference::GroupAvatar(group), at).await?;
    // Cursors are found by their users only.
    for users in lookups(members) {
        let sql = format!(
            "DELETE FROM t_cursor WHERE f_conv = ? AND f_user_id IN {}",
            marks(users.len())
        );
        let users = users.into_iter().map(Value::from);
        let values = std::iter::once(conv.into()).chain(users).collect();
        tx.execute(&sql, values).await?;
    }
    tx.execute("DELETE FROM t_place WHERE f_conv = ?", vec![conv.into()])
        .await?;
    for sql in [
        "DELETE FROM t_user_relationship WHERE f_user_id2 = ?",
        "DELETE FROM t_join_request WHERE f_group_id = ?",
        "DELETE FROM t_group WHERE f_group_id = ?",
        "DELETE FROM t_user WHERE f_user_id = ?",
    ] {
        tx.execute(sql, vec![group.into()]).await?;
    }
    let sql = "DELETE FROM t_username WHERE f_username = ? AND f_user_id = ?";
    let values = vec![group.to_string().into(), group.into()];
    tx.execute(sql, values).await?;
    Ok(())
}
