//! Joining and leaving by oneself.

use super::rules;
use super::scene::{Room, Scene, begin};
use crate::api::{Body, JoinPolicy, Notice, Origin, Refusal};
use crate::id::{ConvId, GroupId, Peer, UserId};
use crate::store::Outcome;
use crate::store::shared::Tx;
use crate::store::shared::tx::{done_with, refused};

/// Joins a group that is open to everybody.
pub(in crate::store::shared) async fn join<T: Tx>(
    tx: &mut T,
    origin: &Origin,
    group: GroupId,
    contacts_max: u32,
    members_max: u32,
) -> Result<Outcome, T::Fault> {
    let (user, conv) = (origin.user, ConvId::group(group));
    let notice = Notice::MemberJoined;
    let body = Body::Notice(notice.clone());
    let same = |entry: &crate::api::Entry| entry.conv == conv && entry.body == body;
    let scene = match begin(tx, origin, group, None, same).await? {
        Ok(scene) => scene,
        Err(outcome) => return Ok(outcome),
    };
    let room = Room::new(contacts_max, members_max);
    if let Some(refusal) = scene.no_place_for(tx, user, room).await? {
        return refused(refusal);
    }
    match rules::of(tx, group).await?.join {
        JoinPolicy::Open => {}
        JoinPolicy::Approval => return refused(Refusal::ApprovalNeeded),
        JoinPolicy::Closed => return refused(Refusal::JoinClosed),
    }
    scene.admit(tx, user).await?;
    done_with(tx, origin, vec![(conv, notice)]).await
}

/// Leaves a group. One that the owner leaves passes to who has been an admin, else a member, for
/// the longest time; the last one leaves it empty.
pub(in crate::store::shared) async fn leave<T: Tx>(
    tx: &mut T,
    origin: &Origin,
    group: GroupId,
) -> Result<Outcome, T::Fault> {
    let (user, conv) = (origin.user, ConvId::group(group));
    let body = Body::Notice(Notice::MemberLeft);
    let same = |entry: &crate::api::Entry| entry.conv == conv && entry.body == body;
    let scene = match begin(tx, origin, group, None, same).await? {
        Ok(scene) => scene,
        Err(Outcome::Refused(Refusal::NoSuchGroup)) => return refused(Refusal::NotAMember),
        Err(outcome) => return Ok(outcome),
    };
    if scene.actor.is_none() {
        return refused(Refusal::NotAMember);
    }
    let heir = heir(tx, &scene, group, user).await?;
    scene.dismiss(tx, user).await?;
    let mut notices = vec![(conv, Notice::MemberLeft)];
    if let Some(heir) = heir {
        scene.give_to(tx, heir).await?;
        notices.push((conv, Notice::OwnerChanged { user: heir }));
    }
    let peer = Peer::Group(group);
    notices.push((ConvId::inbox(user), Notice::ContactsChanged { peer }));
    done_with(tx, origin, notices).await
}

/// To whom the group passes when this user leaves; `None` if it is not his, or nobody is left.
async fn heir<T: Tx>(
    tx: &mut T,
    scene: &Scene,
    group: GroupId,
    user: UserId,
) -> Result<Option<UserId>, T::Fault> {
    if !scene.belongs_to(user) {
        return Ok(None);
    }
    let sql = "SELECT f_user_id1 FROM t_user_relationship \
         WHERE f_user_id2 = ? AND f_user_id1 <> ? ORDER BY f_role DESC, f_id LIMIT 1";
    let rows = tx.select(sql, vec![group.into(), user.into()]).await?;
    Ok(rows.first().map(|row| row.user(0)).transpose()?)
}
