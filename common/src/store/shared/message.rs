//! What happens to a message after it was written, and looking at messages again.

mod edit;
mod react;
mod read;
mod recall;
mod target;

use super::Tx;
use crate::api::{Origin, Segment};
use crate::id::{ConvId, Millis, Seq, UserId};
use crate::store::{Guard, Outcome};

pub use read::{at, before, changes, places, recalled, sent, states};

/// How many of those who reacted with one emoji are named; the count counts all.
pub const REACTION_USERS_MAX: u32 = 20;

/// A write about a message. Each is an entry of its conversation too, so that every device hears
/// of it in its place. Refused, all of them: `NotAMember` / `NoSuchConversation` if the user may not
/// read the conversation, `NoSuchMessage` if there is none at this place that he may read,
/// `AlreadyRecalled`, `ClientIdConflict`.
#[derive(Clone, Debug)]
pub enum MessageChange {
    /// Takes a message back: its content is shown to nobody any more. Appends `MessageRecalled`.
    /// Owner and admins of a group may take back what members of lower role wrote, at any time.
    /// Refused: `NotTheAuthor`, `TooLate` for what was written before `not_before`.
    Recall {
        origin: Origin,
        conv: ConvId,
        seq: Seq,
        not_before: Millis,
    },
    /// Gives a message other segments. Appends `MessageEdited`. Refused: `NotTheAuthor`, `TooLate`;
    /// as an append is: `NotFriends`, `Blocked`, `Muted`, `NoSuchFile`.
    Edit {
        origin: Origin,
        conv: ConvId,
        seq: Seq,
        segments: Vec<Segment>,
        not_before: Millis,
        guard: Guard,
    },
    /// Adds or takes back a reaction. Appends `ReactionChanged`; nothing if it is so already.
    /// Refused: `TooMany` different ones on one message; as an append is.
    React {
        origin: Origin,
        conv: ConvId,
        seq: Seq,
        emoji: String,
        added: bool,
        limit: u32,
        guard: Guard,
    },
}

/// What became of a message since it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct MessageState {
    pub seq: Seq,
    pub recalled_at: Option<Millis>,
    pub edited_at: Option<Millis>,
    /// The segments after the last edit.
    pub segments: Option<Vec<Segment>>,
    /// Each emoji with who reacted with it, both in the order in which they came.
    pub reactions: Vec<Reaction>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reaction {
    pub emoji: String,
    /// The first [`REACTION_USERS_MAX`] of them.
    pub users: Vec<UserId>,
    /// How many users reacted with it.
    pub count: u64,
}

pub(super) async fn apply<T: Tx>(tx: &mut T, change: &MessageChange) -> Result<Outcome, T::Fault> {
    match change {
        MessageChange::Recall {
            origin,
            conv,
            seq,
            not_before,
        } => recall::recall(tx, origin, (*conv, *seq), *not_before).await,
        MessageChange::Edit {
            origin,
            conv,
            seq,
            segments,
            not_before,
            guard,
        } => {
            let edit = edit::Edit {
                place: (*conv, *seq),
                segments,
                not_before: *not_before,
                guard: *guard,
            };
            edit::edit(tx, origin, &edit).await
        }
        MessageChange::React {
            origin,
            conv,
            seq,
            emoji,
            added,
            limit,
            guard,
        } => {
            let reaction = react::React {
                place: (*conv, *seq),
                emoji,
                added: *added,
                limit: *limit,
                guard: *guard,
            };
            react::react(tx, origin, &reaction).await
        }
    }
}
