//! Which changes may be handed to the database again because it did not say whether it saved them.

use common::store::Change;
use common::store::block::BlockChange;
use common::store::bot::BotChange;
use common::store::group::GroupChange;
use common::store::incoming_hook::IncomingHookChange;
use common::store::outgoing_hook::OutgoingHookChange;
use common::store::session::SessionChange;

/// Whether a change may be handed in again: it is recognized by its client id, or changes nothing
/// the second time. Of the others the second one would be refused, or counted twice.
pub(super) fn is_repeatable(change: &Change) -> bool {
    match change {
        Change::Group(GroupChange::DissolveForeign { .. }) => false,
        Change::Append(_)
        | Change::Message(_)
        | Change::Group(_)
        | Change::CreateGroup { .. }
        | Change::JoinGroup { .. }
        | Change::LeaveGroup { .. }
        | Change::RequestFriend { .. }
        | Change::AnswerFriend { .. }
        | Change::RemoveFriend { .. }
        | Change::MoveCursor { .. }
        | Change::Place(_)
        | Change::Meta(_)
        | Change::Search(_)
        | Change::SetPassword { .. }
        | Change::SetProfile { .. }
        | Change::SetRemark { .. }
        | Change::RegisterDevice { .. }
        | Change::NoteLogin { .. }
        | Change::NameBlob { .. }
        | Change::File(_)
        | Change::Block(BlockChange::Add { .. } | BlockChange::Remove { .. }) => true,
        Change::Bot(change) => {
            !matches!(change, BotChange::End { .. } | BotChange::EndToken { .. })
        }
        Change::IncomingHook(change) => !matches!(change, IncomingHookChange::Remove { .. }),
        Change::Session(change) => !matches!(change, SessionChange::End { .. }),
        // Its line in the book would stand there twice, or an invite be used twice.
        Change::Audited { .. } | Change::Invited { .. } => false,
        Change::Admin(_) => true,
        Change::OutgoingHook(change) => !matches!(change, OutgoingHookChange::Delete { .. }),
        Change::CreateAccount { .. }
        | Change::Invite(_)
        | Change::Upgrade(_)
        | Change::EditTeams { .. }
        | Change::MoveContact { .. }
        | Change::CountUpload { .. }
        | Change::People(_) => false,
    }
}
