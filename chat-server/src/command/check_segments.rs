//! What the parts of a message have to be, as far as no database is needed to know.

use std::collections::BTreeSet;

use common::api::{FILE_NAME_BYTES_MAX, KnownSegment, Mentioned, SEGMENTS_MAX, Segment};
use common::id::{BlobId, UserId};

use super::{Failure, is_direction_mark};
use crate::content::PIXELS_MAX;

/// A tiny preview has 25 bytes, 36 in base64; this leaves room for better ones.
const THUMBHASH_BYTES_MAX: usize = 128;
/// The longest name of a file type, in bytes.
const MIME_BYTES_MAX: usize = 127;
/// What a file is called whose name had nothing in it that may stand in a name.
const NAMELESS: &str = "file";

/// What of a message has to be looked up before it is taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Mentions {
    pub files: BTreeSet<BlobId>,
    pub users: BTreeSet<UserId>,
}

/// Checks the parts of a message, and takes out of file names what cannot stand in one.
pub(super) fn checked(segments: Vec<Segment>) -> Result<(Vec<Segment>, Mentions), Failure> {
    if segments.len() > SEGMENTS_MAX {
        return Err(invalid("are more than 100"));
    }
    if segments.iter().all(is_empty) {
        return Err(invalid("say nothing"));
    }
    let mut mentions = Mentions::default();
    let segments = segments
        .into_iter()
        .map(|segment| match segment {
            Segment::Known(known) => Ok(Segment::Known(known_checked(known, &mut mentions)?)),
            unknown @ Segment::Unknown(_) => Ok(unknown),
        })
        .collect::<Result<_, Failure>>()?;
    Ok((segments, mentions))
}

fn invalid(problem: &'static str) -> Failure {
    Failure::Invalid {
        field: "segments",
        problem,
    }
}

fn is_empty(segment: &Segment) -> bool {
    matches!(segment, Segment::Known(KnownSegment::Text { text }) if text.is_empty())
}

fn known_checked(known: KnownSegment, mentions: &mut Mentions) -> Result<KnownSegment, Failure> {
    Ok(match known {
        KnownSegment::Text { text } => {
            // MySQL and the old clients end a text there.
            if text.contains('\0') {
                return Err(invalid("have the character NUL"));
            }
            KnownSegment::Text { text }
        }
        KnownSegment::Image {
            file,
            width,
            height,
            size,
            name,
            thumbhash,
        } => {
            if width.max(height) > PIXELS_MAX {
                return Err(invalid("have a picture wider or higher than 65535 pixels"));
            }
            let preview = thumbhash.as_deref().unwrap_or_default();
            if preview.len() > THUMBHASH_BYTES_MAX || !is_visible(preview) {
                return Err(invalid("have a thumbhash that is none"));
            }
            mentions.files.insert(file);
            KnownSegment::Image {
                file,
                width,
                height,
                size,
                name: name.map(|name| file_name(&name)),
                thumbhash,
            }
        }
        KnownSegment::File {
            file,
            name,
            size,
            mime,
        } => {
            if mime.len() > MIME_BYTES_MAX || !is_visible(&mime) {
                return Err(invalid("have a file type that is none"));
            }
            mentions.files.insert(file);
            KnownSegment::File {
                file,
                name: file_name(&name),
                size,
                mime,
            }
        }
        KnownSegment::Mention { user_id } => {
            if let Mentioned::User(user) = user_id {
                mentions.users.insert(user);
            }
            KnownSegment::Mention { user_id }
        }
        KnownSegment::Face { .. } | KnownSegment::Nudge {} | KnownSegment::Custom { .. } => known,
    })
}

fn is_visible(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// A file's name as it may be shown and saved: no path, nothing invisible, not too long.
fn file_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let visible: String = last
        .chars()
        .filter(|c| !c.is_control() && !is_direction_mark(*c))
        .collect();
    let visible = shortened(visible.trim());
    if visible.is_empty() || visible.bytes().all(|byte| byte == b'.') {
        return NAMELESS.to_owned();
    }
    visible
}

/// Takes characters out of the middle: a long name keeps its ending, by which systems know what
/// kind of file it is.
fn shortened(name: &str) -> String {
    /// The longest ending that is kept, in bytes.
    const ENDING_BYTES_MAX: usize = 16;
    if name.len() <= FILE_NAME_BYTES_MAX {
        return name.to_owned();
    }
    let ending = name
        .rfind('.')
        .map(|dot| &name[dot..])
        .filter(|ending| ending.len() <= ENDING_BYTES_MAX)
        .unwrap_or_default();
    let mut end = FILE_NAME_BYTES_MAX - ending.len();
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{ending}", &name[..end])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(segments: serde_json::Value) -> Result<Vec<Segment>, Failure> {
        checked(serde_json::from_value(segments).unwrap()).map(|(segments, _)| segments)
    }

    fn picture(width: u32) -> serde_json::Value {
        json!([{"type": "image", "file": "00".repeat(32), "width": width, "height": 1, "size": 0}])
    }

    #[test]
    fn a_message_says_something() {
        assert!(read(json!([])).is_err());
        assert!(read(json!([{"type": "text", "text": ""}])).is_err());
        assert!(read(json!([{"type": "nudge"}])).is_ok());
        assert!(read(json!([{"type": "text", "text": ""}, {"type": "face", "id": 1}])).is_ok());
        assert!(read(json!([{"type": "poll", "later": [1]}])).is_ok());
        let many: Vec<_> = (0..=SEGMENTS_MAX)
            .map(|_| json!({"type": "nudge"}))
            .collect();
        assert!(read(json!(many[1..])).is_ok());
        assert!(read(json!(many)).is_err());
    }

    #[test]
    fn what_no_reader_could_show_is_refused() {
        assert!(read(json!([{"type": "text", "text": "a\u{0}b"}])).is_err());
        assert!(read(picture(65_535)).is_ok());
        assert!(read(picture(65_536)).is_err());
    }

    #[test]
    fn a_file_name_is_a_name() {
        for (given, kept) in [
            ("a.txt", "a.txt"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\ann\\报告.doc", "报告.doc"),
            ("a\"b\r\nX:", "a\"bX:"),
            ("exe\u{202e}gpj.", "exegpj."),
            ("..", NAMELESS),
            ("a/", NAMELESS),
            ("\u{0}\u{7}", NAMELESS),
        ] {
            assert_eq!(file_name(given), kept, "{given:?}");
        }
        let long = file_name(&format!("{}.jpeg", "长".repeat(200)));
        assert!(
            long.len() <= FILE_NAME_BYTES_MAX && long.ends_with("长.jpeg"),
            "{long}"
        );
    }

    #[test]
    fn files_and_people_are_looked_up_once() {
        let segments = json!([
            {"type": "mention", "user_id": "7"},
            {"type": "mention", "user_id": "7"},
            {"type": "mention", "user_id": "all"},
            {"type": "file", "file": "ab".repeat(32), "name": "x", "size": 1, "mime": "a/b"},
        ]);
        let (_, mentions) = checked(serde_json::from_value(segments).unwrap()).unwrap();
        assert_eq!(mentions.users, [UserId(7)].into());
        assert_eq!(mentions.files.len(), 1);
    }

    proptest! {
        #[test]
        fn a_checked_name_stays_as_it_is(name: String) {
            let once = file_name(&name);
            prop_assert!(!once.is_empty() && once.len() <= FILE_NAME_BYTES_MAX);
            prop_assert!(!once.contains(['/', '\\']) && !once.chars().any(char::is_control));
            prop_assert_eq!(file_name(&once), once);
        }

        #[test]
        fn checking_twice_is_checking_once(texts in proptest::collection::vec(".{0,40}", 1..8), width: u32) {
            let mut segments: Vec<_> =
                texts.iter().map(|text| json!({"type": "text", "text": text})).collect();
            segments.push(json!({
                "type": "image", "file": "0f".repeat(32), "width": width, "height": 0,
                "size": 1, "name": texts[0],
            }));
            if let Ok(once) = read(json!(segments)) {
                prop_assert!(width <= PIXELS_MAX);
                prop_assert_eq!(read(json!(once)).unwrap(), once);
            }
        }
    }
}
