//! Messages in the words of the other protocol: the clients' chat JSON as segments, and back.
//!
//! Both directions are pure. What stands behind a name (a picture's content, a nickname) is looked
//! up by the caller between two steps: [`names`] or [`needs`] says what is wanted, then
//! [`to_segments`] or [`to_flamingo`] translates with what was found. Nothing a person wrote is
//! lost without a trace: what the other side has no words for becomes a text in brackets.

mod fit;
mod from_flamingo;
mod to_flamingo;

#[cfg(test)]
mod tests;

use crate::api::{KnownSegment, Mentioned, Segment};

pub use fit::DATA_BYTES_MAX;
pub use from_flamingo::{Found, Wanted, names, to_segments};
pub use to_flamingo::{Names, Needs, edited, needs, notice, to_flamingo};

/// Stands for a picture whose content is not there (yet).
pub const PICTURE: &str = "[picture]";
/// Stands for a face that has no number.
pub const FACE: &str = "[face]";
/// Stands for a request to see the other's screen.
pub const REMOTE_DESKTOP: &str = "[remote desktop]";
/// Stands for a part that a later version of a client may know.
pub const NEWER: &str = "[a message of a newer program]";
/// Stands for a message in which nothing is that people could read.
pub const UNREADABLE: &str = "[a message that cannot be shown]";

/// The longest [`excerpt`], in characters: enough to recognize a message by.
const EXCERPT_CHARS_MAX: usize = 40;

/// A message in one short line, to quote it: its first words, then `…` if there are more.
pub fn excerpt(segments: &[Segment]) -> String {
    let mut line = String::new();
    for segment in segments {
        match segment {
            Segment::Known(KnownSegment::Text { text }) => line.push_str(text),
            Segment::Known(KnownSegment::Face { .. }) => line.push_str(FACE),
            Segment::Known(KnownSegment::Image { .. }) => line.push_str(PICTURE),
            Segment::Known(KnownSegment::File { name, .. }) => line.push_str(&file_text(name)),
            Segment::Known(KnownSegment::Nudge {}) => line.push_str("[nudge]"),
            Segment::Known(KnownSegment::Mention { user_id }) => {
                line.push_str(&mention_text(*user_id, None));
            }
            Segment::Known(KnownSegment::Custom { .. }) | Segment::Unknown(_) => {
                line.push_str(NEWER);
            }
        }
        // Four bytes a character at most: what follows cannot be seen any more.
        if line.len() > 8 * EXCERPT_CHARS_MAX {
            break;
        }
    }
    one_line(&line)
}

/// The beginning of a text as one line: whitespace of any kind becomes a single space.
fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(EXCERPT_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

fn file_text(name: &str) -> String {
    format!("[file: {name}]")
}

/// `@somebody `, by his nickname if that is known and by his number otherwise.
fn mention_text(who: Mentioned, nickname: Option<&str>) -> String {
    match (who, nickname) {
        (Mentioned::All, _) => "@all ".to_owned(),
        (Mentioned::User(_), Some(nickname)) => format!("@{nickname} "),
        (Mentioned::User(user), None) => format!("@{user} "),
    }
}

/// The last part of a path, whatever system wrote it. Phones send where a picture lies on them,
/// which is nobody's business, and a name with a path in it must not choose where it is saved.
fn base_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// Whether this is a name that the transfer servers give: an MD5 in hexadecimal.
fn is_md5(name: &str) -> bool {
    name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}
