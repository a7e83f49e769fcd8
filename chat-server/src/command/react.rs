//! Adds or takes back a reaction to a message.

use common::id::{ConvId, Seq};
use common::store::Change;
use common::store::message::MessageChange;

use super::conversation::as_not_yours;
use super::may_read::check;
use super::send::guard;
use super::{Failure, done, is_direction_mark};
use crate::actor::{Actor, Mark};
use crate::app::App;

/// The longest emoji, in bytes: a family of four has 25.
pub const EMOJI_BYTES_MAX: usize = 32;
/// How many different ones may be on one message.
const EMOJIS_MAX: u32 = 20;

/// A reaction to the message at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reacting {
    pub seq: Seq,
    pub emoji: String,
    /// `false` takes it back.
    pub added: bool,
}

/// Doing what is so already changes nothing.
///
/// # Errors
/// `Invalid` emoji, `NotAMember`, `NoSuchConversation`, `NoSuchMessage`, `AlreadyRecalled`,
/// `TooMany` different ones, and what a message is refused for; the store's.
pub async fn react(
    app: &App,
    actor: &Actor,
    conv: ConvId,
    reacting: Reacting,
    mark: Mark,
) -> Result<(), Failure> {
    check(actor.user, conv)?;
    check_emoji(&reacting.emoji)?;
    let change = MessageChange::React {
        origin: app.origin(actor, mark),
        conv,
        seq: reacting.seq,
        emoji: reacting.emoji,
        added: reacting.added,
        limit: EMOJIS_MAX,
        guard: guard(app, actor.user, conv),
    };
    let reacted = done(&app.log.commit(Change::Message(change)).await?);
    reacted.map_err(|failure| as_not_yours(failure, conv))?;
    Ok(())
}

fn check_emoji(emoji: &str) -> Result<(), Failure> {
    let is_long = !(1..=EMOJI_BYTES_MAX).contains(&emoji.len());
    let is_invisible = |c: char| c.is_control() || c.is_whitespace() || is_direction_mark(c);
    if is_long || emoji.chars().any(is_invisible) {
        return Err(Failure::Invalid {
            field: "emoji",
            problem: "is not 1 to 32 bytes of visible text",
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emoji_is_short_and_visible() {
        for good in ["👍", "👨‍👩‍👧‍👦", "+1", "好"] {
            assert!(check_emoji(good).is_ok(), "{good}");
        }
        for bad in ["", " ", "a b", "\u{0}", "\u{202e}x", &"👍".repeat(9)] {
            assert!(check_emoji(bad).is_err(), "{bad:?}");
        }
    }
}
