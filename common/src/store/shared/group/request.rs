//! Asking to become a member where an admin has to agree, and the answer.

use super::members::told;
use super::rules;
use super::scene::{ADMIN, Room, begin, close_request};
use crate::api::{Body, Entry, JoinPolicy, Notice, Origin, Refusal, Role};
use crate::id::{ConvId, ConvKind, GroupId, UserId};
use crate::store::Outcome;
use crate::store::shared::Tx;
use crate::store::shared::tx::{done_with, refused};

pub(super) async fn ask<T: Tx>(
    tx: &mut T,
    origin: &Origin,
    group: GroupId,
    note: &str,
    requests_max: u32,
) -> Result<Outcome, T::Fault> {
    let user = origin.user;
    let notice = Notice::JoinRequested {
        group,
        note: note.to_owned(),
    };
    let body = Body::Notice(notice.clone());
    // Whose inbox came first then may have lost his role since.
    let same =
        |entry: &Entry| matches!(entry.conv.kind(), Some(ConvKind::Inbox(_))) && entry.body == body;
    let scene = match begin(tx, origin, group, None, same).await? {
        Ok(scene) => scene,
        Err(outcome) => return Ok(outcome),
    };
    if !scene.has_user(user) {
        return refused(Refusal::NoSuchUser);
    }
    if scene.actor.is_some() {
        return refused(Refusal::AlreadyMember);
    }
    if rules::of(tx, group).await?.join == JoinPolicy::Closed {
        return refused(Refusal::JoinClosed);
    }
    let sql = "SELECT COUNT(*) FROM t_join_request WHERE f_group_id = ? AND f_user_id <> ?";
    let rows = tx.select(sql, vec![group.into(), user.into()]).await?;
    let open = rows.first().map(|row| row.unsigned(0)).transpose()?;
    if open.unwrap_or(0) >= requests_max.into() {
        return refused(Refusal::TooMany);
    }
    let asked = deciders(tx, group).await?;
    let sql = "REPLACE INTO t_join_request (f_group_id, f_user_id, f_note, f_time) \
         VALUES (?, ?, ?, ?)";
    let values = vec![group.into(), user.into(), note.into(), origin.at.into()];
    tx.execute(sql, values).await?;
    let notices = asked
        .into_iter()
        .map(|decider| (ConvId::inbox(decider), notice.clone()))
        .collect();
    done_with(tx, origin, notices).await
}

/// Owner and admins of a group, ascending.
pub(super) const DECIDERS: &str = "SELECT r.f_user_id1 FROM t_user_relationship r \
     JOIN t_user g ON g.f_user_id = r.f_user_id2 \
     WHERE r.f_user_id2 = ? AND (r.f_role = ? OR r.f_user_id1 = g.f_owner_id) \
     ORDER BY r.f_user_id1";

async fn deciders<T: Tx>(tx: &mut T, group: GroupId) -> Result<Vec<UserId>, T::Fault> {
    let rows = tx
        .select(DECIDERS, vec![group.into(), ADMIN.into()])
        .await?;
    let deciders: Result<_, _> = rows.iter().map(|row| row.user(0)).collect();
    Ok(deciders?)
}

/// What an admin says to a request.
pub(super) struct Answer {
    /// Who asked.
    pub(super) user: UserId,
    pub(super) accepted: bool,
    pub(super) room: Room,
}

pub(super) async fn answer<T: Tx>(
    tx: &mut T,
    origin: &Origin,
    group: GroupId,
    answer: &Answer,
) -> Result<Outcome, T::Fault> {
    let Answer {
        user,
        accepted,
        room,
    } = *answer;
    let inbox = ConvId::inbox(user);
    let notice = Notice::JoinAnswered { group, accepted };
    let body = Body::Notice(notice.clone());
    let same = |entry: &Entry| entry.conv == inbox && entry.body == body;
    let scene = match begin(tx, origin, group, Some(user), same).await? {
        Ok(scene) => scene,
        Err(outcome) => return Ok(outcome),
    };
    if let Some(refusal) = scene.lacks(Role::Admin) {
        return refused(refusal);
    }
    let sql = "SELECT 1 FROM t_join_request WHERE f_group_id = ? AND f_user_id = ?";
    let rows = tx.select(sql, vec![group.into(), user.into()]).await?;
    if rows.is_empty() {
        return refused(Refusal::NotRequested);
    }
    let mut notices = vec![(inbox, notice)];
    if accepted {
        // He asked: whether he blocked who answers does not matter.
        if let Some(refusal) = scene.no_place_for(tx, user, room).await? {
            return refused(refusal);
        }
        scene.admit(tx, user).await?;
        notices.extend([
            (scene.conv(), Notice::MemberAdded { user }),
            told(user, group),
        ]);
    } else {
        close_request(tx, group, user).await?;
    }
    done_with(tx, origin, notices).await
}
