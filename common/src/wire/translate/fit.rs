//! The clients' message format as it is written, and how a message is kept short enough for them.

use serde::Serialize;

use crate::id::Millis;

/// The longest message JSON, in bytes. Android takes bodies of 65534 bytes, 28 of which are the
/// body's own; this is what the server takes from its clients too.
pub const DATA_BYTES_MAX: usize = 64_000;
/// What of [`DATA_BYTES_MAX`] is left for items: the rest is
/// `{"clientType":1,"content":[],"msgType":1,"time":-9223372036854775808}`.
const ITEMS_BYTES_MAX: usize = DATA_BYTES_MAX - 69;
/// Stands at the end of what was too long.
pub(super) const CUT: &str = "… [the message is longer; a newer program shows all of it]";

/// The number by which a message says that it comes from a PC, the only kind of client that sends
/// everything that can be in one.
const PC: i32 = 1;

#[derive(Serialize)]
struct Message<'a> {
    #[serde(rename = "clientType")]
    client_type: i32,
    content: &'a [Item],
    #[serde(rename = "msgType")]
    kind: i32,
    /// In seconds since 1970.
    time: i64,
}

/// A part of a message.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) enum Item {
    #[serde(rename = "msgText")]
    Text(String),
    #[serde(rename = "faceID")]
    Face(i32),
    #[serde(rename = "shake")]
    Nudge(i32),
    /// Name, name on the server, bytes, width, height.
    #[serde(rename = "pic")]
    Picture(String, String, u32, i32, i32),
    /// Name, name on the server, bytes, and 0 for "it is on the server".
    #[serde(rename = "file")]
    File(String, String, u32, i32),
}

impl Item {
    /// How many bytes this takes, with the comma before it.
    fn bytes(&self) -> usize {
        1 + serde_json::to_vec(self).map_or(ITEMS_BYTES_MAX, |json| json.len())
    }
}

/// Writes a message: compact, its members in the order of their names.
pub(super) fn write(kind: i32, items: &[Item], at: Millis) -> Vec<u8> {
    let message = Message {
        client_type: PC,
        content: items,
        kind,
        time: at.seconds(),
    };
    serde_json::to_vec(&message).unwrap_or_default()
}

/// Cuts off what does not fit into one message, and says so.
pub(super) fn fit(items: Vec<Item>) -> Vec<Item> {
    if items.iter().map(Item::bytes).sum::<usize>() <= ITEMS_BYTES_MAX {
        return items;
    }
    let mut left = ITEMS_BYTES_MAX - Item::Text(CUT.to_owned()).bytes();
    let mut kept = Vec::new();
    for item in items {
        let bytes = item.bytes();
        if bytes <= left {
            left -= bytes;
            kept.push(item);
            continue;
        }
        let beginning = match &item {
            Item::Text(text) => beginning(text, left),
            Item::Face(_) | Item::Nudge(_) | Item::Picture(..) | Item::File(..) => "",
        };
        kept.push(Item::Text(format!("{beginning}{CUT}")));
        break;
    }
    kept
}

/// As much of a text as takes so many bytes in JSON, which is more than it has where characters
/// are escaped. The rest of an item of text is paid for by the [`CUT`] that follows.
fn beginning(text: &str, bytes_max: usize) -> &str {
    let mut bytes = 0;
    for (place, character) in text.char_indices() {
        bytes += match character {
            '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
            '\0'..='\u{1f}' => 6,
            other => other.len_utf8(),
        };
        if bytes > bytes_max {
            return &text[..place];
        }
    }
    text
}
