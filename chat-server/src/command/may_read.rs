//! Who may look into a conversation: the one place that decides it.

use common::api::Refusal;
use common::id::{ConvId, ConvKind, UserId};
use common::store::place::{self, Place};

use super::Failure;
use crate::app::App;

/// The user's own view of a direct or group conversation.
///
/// # Errors
/// What [`refusal`] says if it is not his; the store's.
pub(super) async fn may_read(app: &App, user: UserId, conv: ConvId) -> Result<Place, Failure> {
    check(user, conv)?;
    let place = place::get(&*app.store, user, conv).await?;
    place.ok_or_else(|| refusal(conv).into())
}

/// Refuses what by its number alone is nothing that the user can read or write: somebody else's
/// direct conversation, and every inbox (inboxes are shown as events, not as conversations).
pub(super) fn check(user: UserId, conv: ConvId) -> Result<(), Failure> {
    let is_inbox = matches!(conv.kind(), Some(ConvKind::Inbox(_)));
    if is_inbox || !conv.may_concern(user) {
        return Err(refusal(conv).into());
    }
    Ok(())
}

/// What is said of a conversation that is not the user's. It is the same whether the conversation
/// exists or not.
pub fn refusal(conv: ConvId) -> Refusal {
    match conv.kind() {
        Some(ConvKind::Group(_)) => Refusal::NotAMember,
        Some(ConvKind::Direct(..) | ConvKind::Inbox(_)) | None => Refusal::NoSuchConversation,
    }
}

#[cfg(test)]
mod tests {
    use common::id::GroupId;

    use super::*;

    #[test]
    fn a_stranger_learns_nothing_from_a_number() {
        let (ann, bob, eve) = (UserId(1), UserId(2), UserId(3));
        assert!(check(ann, ConvId::direct(ann, bob)).is_ok());
        assert!(check(eve, ConvId::direct(ann, bob)).is_err());
        assert!(check(ann, ConvId::inbox(ann)).is_err());
        assert!(check(ann, ConvId(5)).is_err());
        let group = ConvId::group(GroupId(300_000_000));
        assert!(check(eve, group).is_ok(), "the database knows");
        assert_eq!(refusal(group), Refusal::NotAMember);
    }
}
