//! What a user may do, and what an action means: a verb a file, or a few of one kind.
//!
//! **Invariant:** a command returns its reply; it never sees a connection or a packet, and writes
//! only through the log.

pub mod admin;
mod answer_friend;
mod ask_once;
mod block;
mod bots;
mod change_contact;
mod change_group;
mod change_profile;
mod check_segments;
mod conversation;
mod create_group_with_members;
mod edit;
mod edit_contacts;
mod fate;
mod files;
mod find;
mod forward;
mod history;
mod incoming_hooks;
mod is_admin;
mod login;
mod mark_read;
mod may_read;
mod message_at;
mod outgoing_hooks;
mod react;
mod recall;
mod register;
mod relay_frame;
mod remove_friend;
mod request_friend;
mod rule_group;
mod search;
mod see_file;
mod see_group;
mod see_people;
mod see_requests;
mod send;
mod send_segments;
mod set_password;
mod set_profile;
mod set_status;
mod sign_in;
mod sign_up;
mod uncancelled;

use common::api::Refusal;
use common::auth::LOCKED_OUT;
use common::store::{Outcome, StoreError};
use icu_properties::CodePointSetData;
use icu_properties::props::DefaultIgnorableCodePoint;
use thiserror::Error;
use unicode_normalization::is_nfkc;

use crate::webhooks::target::TargetError;
use uncancelled::uncancelled;

pub use answer_friend::answer_friend;
pub use block::{block, blocks, unblock};
pub use bots::{
    MadeBot, NewBot, ShownToken, TokenTerms, add_bot_token, bot, bot_tokens, bots, change_bot,
    end_bot, end_bot_token, make_bot, rotate_bot_token,
};
pub use change_contact::{ContactEdit, change_contact, people_of};
pub use change_group::{GROUP_NAME_BYTES_MAX, create_group, join_group, leave_group, members};
pub use change_profile::{ProfileEdit, change_profile, own_profile};
pub use conversation::{
    CONVERSATIONS_MAX, Conversation, ConversationSettings, conversation, list_conversations,
    open_conversation, set_conversation, some_conversations,
};
pub use create_group_with_members::{CreatedGroup, add_member, create_group_with_members};
pub use edit::edit;
pub use edit_contacts::{contacts, edit_teams, move_contact, set_remark};
pub use fate::fate;
pub use find::find;
pub use forward::{Source, forward};
pub use history::{HISTORY_MAX, History, Part, history};
pub use incoming_hooks::{
    HookCaller, NewIncomingHook, OpenedHook, hook_caller, incoming_hooks, make_incoming_hook,
    remove_incoming_hook, rotate_incoming_hook, say_through_hook,
};
pub use is_admin::is_admin;
pub use login::{Credentials, check_enabled, login};
pub use mark_read::{Readers, mark_read, readers};
pub use may_read::refusal as not_yours;
pub use message_at::message_at;
pub(crate) use outgoing_hooks::{HookState, retry_dead_letters, test_outgoing_hook};
pub use outgoing_hooks::{
    NewOutgoingHook, OUTGOING_HOOKS_MAX, SeenOutgoingHook, clear_dead_letters,
    create_outgoing_hook, dead_letters, delete_outgoing_hook, outgoing_hooks, pause_outgoing_hook,
    rotate_hook_secret,
};
pub use react::{EMOJI_BYTES_MAX, Reacting, react};
pub use recall::recall;
pub use register::{NICKNAME_BYTES_MAX, Registration, register};
pub use relay_frame::relay_frame;
pub use remove_friend::remove_friend;
pub use request_friend::request_friend;
pub use rule_group::{
    ANNOUNCEMENT_BYTES_MAX, Joined, MemberEdit, answer_join, dissolve_group, join_or_ask,
    remove_member, set_group, set_member, transfer_group,
};
pub use search::{Answer, QUERY_BYTES_MAX, Question, SEARCH_MAX, search};
pub use see_file::{SeenFile, see_file};
pub use see_group::{SeenGroup, SeenMember, group, group_member, group_members, join_requests};
pub use see_people::{as_seen_by, find_people, person, persons};
pub use see_requests::{SeenRequest, answer_request, cancel_request, request, requests};
pub use send::{Letter, Sending, Sent, send};
pub use send_segments::{Draft, Prepared, prepare_segments, send_segments};
pub use set_password::{PasswordChange, replace_password, set_password};
pub use set_profile::set_profile;
pub use set_status::set_status;
pub use sign_in::{Device, SignedIn, SignedOn, authenticate, sessions, sign_in, sign_out};
pub use sign_up::{PASSWORD_LENGTH_MIN, sign_up};

/// Why a command did nothing.
#[derive(Clone, Debug, Error)]
pub enum Failure {
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// Something in the request cannot be.
    #[error("{field} {problem}")]
    Invalid {
        field: &'static str,
        problem: &'static str,
    },
    #[error("{field} is too long: {most} {unit} at most")]
    TooLong {
        field: &'static str,
        most: usize,
        unit: &'static str,
    },
    /// The user name or the password is wrong.
    #[error("the password is wrong")]
    WrongPassword,
    /// Nobody is signed in with this token.
    #[error("the token is missing, forged, expired or signed out")]
    Unauthenticated,
    /// As before, for the owner of an account that was locked.
    #[error("{}", LOCKED_OUT)]
    LockedOut,
    #[error("too many attempts; try again in {} s", .wait.as_secs().max(1))]
    TooManyAttempts { wait: std::time::Duration },
    #[error("registration is closed on this server")]
    RegistrationClosed,
    /// Accounts are made only with an invite.
    #[error("on this server an account needs an invite")]
    InviteNeeded,
    #[error("bots cannot do this")]
    NotForBots,
    #[error("the message is too long")]
    MessageTooLarge,
    #[error("there is no such file on this server")]
    NoSuchFile,
    #[error("the file was deleted because of its age")]
    FileGone,
    /// Nothing is posted to this URL.
    #[error("{0}")]
    Target(#[from] TargetError),
    #[error("{0}")]
    Store(#[from] StoreError),
}

/// Names of fields that callers recognize in [`Failure::Invalid`] and [`Failure::TooLong`].
#[derive(Clone, Copy, Debug)]
pub struct Field;

impl Field {
    pub const USERNAME: &str = "the user name";
    pub const PASSWORD: &str = "the password";
}

/// A change that was saved, or the reason why not.
fn done(outcome: &Outcome) -> Result<Option<u32>, Failure> {
    match outcome {
        Outcome::Done { id, .. } => Ok(*id),
        Outcome::AlreadyThere { .. } => Ok(None),
        Outcome::Refused(refusal) => Err(Failure::Refused(*refusal)),
    }
}

/// Checks that a text has at most so many bytes, and no control characters.
fn check_text(field: &'static str, text: &str, bytes_max: usize) -> Result<(), Failure> {
    if text.len() > bytes_max {
        return Err(too_long(field, bytes_max));
    }
    if text.chars().any(char::is_control) {
        return Err(Failure::Invalid {
            field,
            problem: "has control characters",
        });
    }
    Ok(())
}

fn too_long(field: &'static str, bytes_max: usize) -> Failure {
    Failure::TooLong {
        field,
        most: bytes_max,
        unit: "bytes",
    }
}

/// Checks a name that people see: something of it is seen, and it is free of the marks that turn text
/// around.
fn check_name(field: &'static str, text: &str, bytes_max: usize) -> Result<(), Failure> {
    if text.chars().all(|c| c.is_whitespace() || is_unseen(c)) {
        return Err(Failure::Invalid {
            field,
            problem: "is empty",
        });
    }
    if text.chars().any(is_direction_mark) {
        return Err(Failure::Invalid {
            field,
            problem: "has invisible direction marks",
        });
    }
    check_text(field, text, bytes_max)
}

/// Signs that show nothing and, by Unicode, are no spaces.
fn is_unseen(c: char) -> bool {
    /// The Braille sign without a dot, which is none of those that may be ignored.
    const BLANK: char = '\u{2800}';
    c == BLANK || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

/// Checks a name by which somebody is found and known: besides, nothing that passes for another
/// name, and nothing that means something else where a name is written.
fn check_username(text: &str, bytes_max: usize) -> Result<(), Failure> {
    let field = Field::USERNAME;
    check_name(field, text, bytes_max)?;
    let problem = if text.trim() != text {
        "begins or ends with a space"
    } else if text.chars().any(is_unseen) {
        "has characters that nobody sees"
    } else if !is_nfkc(text) {
        "has characters that look like others: write it in their plain form"
    } else if text.starts_with(['@', '#']) {
        "begins with @ or #, which say before a name whose it is"
    } else {
        return Ok(());
    };
    Err(Failure::Invalid { field, problem })
}

/// Marks that change the direction of text: a name with one can pass for another name.
fn is_direction_mark(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod conversation_tests;
#[cfg(test)]
mod revoking_tests;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_bounded_and_visible() {
        assert!(check_name("name", "Ann 昵", 31).is_ok());
        assert!(check_name("name", "🙂'\"; DROP TABLE", 31).is_ok());
        for bad in [
            "",
            "  ",
            "\u{200b}",
            "\u{2800} ",
            "a\nb",
            "a\u{202e}b",
            "a\u{0}b",
            &"x".repeat(32),
        ] {
            assert!(check_name("name", bad, 31).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn user_names_do_not_pass_for_others() {
        for good in [
            "ann",
            "13800138000",
            "张三",
            "Ann Lee",
            "ann@example",
            "José",
            "🙂",
        ] {
            assert!(check_username(good, 31).is_ok(), "{good:?}");
        }
        for bad in [
            " ann",
            "ann\u{3000}",
            "a\u{200b}nn",
            "ann\u{fe0f}",
            "\u{3164}",
            "ann\u{2800}",
            "ｂｏｂ",
            "e\u{301}ve",
            "@ann",
            "#tea",
        ] {
            assert!(check_username(bad, 31).is_err(), "{bad:?}");
        }
    }
}
