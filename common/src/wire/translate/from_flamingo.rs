//! Reads the clients' chat JSON as segments.

use serde_json::Value;

use super::{FACE, NEWER, PICTURE, REMOTE_DESKTOP, UNREADABLE, base_name, file_text, is_md5};
use crate::api::{BlobClass, FILE_NAME_BYTES_MAX, KnownSegment, SEGMENTS_MAX, Segment};
use crate::id::BlobId;
use crate::wire::json;

/// What a file is of which nothing is known but its name.
const ANY_FILE: &str = "application/octet-stream";

/// A name in a message, to be looked up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Wanted {
    pub class: BlobClass,
    /// 32 lower-case hexadecimal digits.
    pub name: String,
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    pub blob: BlobId,
    /// Length in bytes.
    pub size: u64,
}

/// What has to be looked up to translate a message: each name once, at most [`SEGMENTS_MAX`].
/// Pictures and files beyond that are shown as a text.
pub fn names(content: &[u8]) -> Vec<Wanted> {
    let mut names = Vec::new();
    for item in items(content) {
        if let Item::Picture { wanted, .. } | Item::File { wanted, .. } = item
            && let Some(wanted) = wanted
            && names.len() < SEGMENTS_MAX
            && !names.contains(&wanted)
        {
            names.push(wanted);
        }
    }
    names
}

/// A message as segments, at least one. Fonts are left out; a picture or file that is not found is
/// a text that says so. The Windows client first announces a picture and says in a message of its
/// own when it is there: the announcement is a text for ever, so that a message never changes.
pub fn to_segments(content: &[u8], found: &dyn Fn(&Wanted) -> Option<Found>) -> Vec<Segment> {
    let mut segments: Vec<Segment> = items(content)
        .into_iter()
        .map(|item| item.segment(found).into())
        .collect();
    if segments.is_empty() {
        segments.push(text(UNREADABLE).into());
    }
    segments
}

fn text(text: &str) -> KnownSegment {
    KnownSegment::Text {
        text: text.to_owned(),
    }
}

/// A part of a message as its author's client sent it.
enum Item {
    Text(String),
    Face(u32),
    Nudge,
    Picture {
        name: Option<String>,
        wanted: Option<Wanted>,
        width: u32,
        height: u32,
    },
    File {
        name: String,
        wanted: Option<Wanted>,
    },
    /// Something that is no segment, in words.
    Words(&'static str),
}

/// The parts of a message; none if it is not readable or has none.
fn items(content: &[u8]) -> Vec<Item> {
    match json::object(content)
        .as_mut()
        .and_then(|object| object.remove("content"))
    {
        Some(Value::Array(items)) => items.iter().map(Item::read).collect(),
        Some(_) | None => Vec::new(),
    }
}

impl Item {
    /// Reads an item. If it has several members, the first of these counts, as for the clients.
    fn read(item: &Value) -> Self {
        let member = |name| item.get(name).filter(|value| !value.is_null());
        if let Some(value) = member("msgText") {
            Self::Text(string(value))
        } else if let Some(value) = member("faceID") {
            unsigned(Some(value)).map_or(Self::Words(FACE), Self::Face)
        } else if member("shake").is_some() {
            Self::Nudge
        } else if let Some(value) = member("pic") {
            Self::picture(value)
        } else if let Some(value) = member("file") {
            Self::file(value)
        } else if member("remotedesktop").is_some() {
            Self::Words(REMOTE_DESKTOP)
        } else {
            Self::Words(NEWER)
        }
    }

    fn picture(parts: &Value) -> Self {
        let name = parts.get(0).and_then(Value::as_str).map(file_name);
        Self::Picture {
            name: name.filter(|name| !name.is_empty()),
            wanted: wanted(BlobClass::Image, parts.get(1)),
            width: unsigned(parts.get(3)).unwrap_or(0),
            height: unsigned(parts.get(4)).unwrap_or(0),
        }
    }

    fn file(parts: &Value) -> Self {
        let name = parts.get(0).and_then(Value::as_str).map(file_name);
        // Anything but 0 says that the file was never uploaded.
        let is_uploaded = matches!(unsigned(parts.get(3)), Some(0) | None);
        Self::File {
            name: name
                .filter(|name| !name.is_empty())
                .unwrap_or_else(|| "file".to_owned()),
            wanted: wanted(BlobClass::File, parts.get(1)).filter(|_| is_uploaded),
        }
    }

    fn segment(self, found: &dyn Fn(&Wanted) -> Option<Found>) -> KnownSegment {
        match self {
            Self::Text(text) => KnownSegment::Text { text },
            Self::Face(id) => KnownSegment::Face { id },
            Self::Nudge => KnownSegment::Nudge {},
            Self::Words(words) => text(words),
            Self::Picture {
                name,
                wanted,
                width,
                height,
            } => match wanted.as_ref().and_then(found) {
                Some(Found { blob, size }) => KnownSegment::Image {
                    file: blob,
                    width,
                    height,
                    size,
                    name,
                    thumbhash: None,
                },
                None => text(PICTURE),
            },
            Self::File { name, wanted } => match wanted.as_ref().and_then(found) {
                Some(Found { blob, size }) => KnownSegment::File {
                    file: blob,
                    name,
                    size,
                    mime: ANY_FILE.to_owned(),
                },
                None => text(&file_text(&name)),
            },
        }
    }
}

/// A text; clients that are careless with types get the words for what they sent.
fn string(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// A number that is not negative. Android's model of a message holds numbers as texts.
fn unsigned(value: Option<&Value>) -> Option<u32> {
    match value? {
        Value::String(text) => text.parse().ok(),
        number => u32::try_from(json::integer(number)?).ok(),
    }
}

fn wanted(class: BlobClass, name: Option<&Value>) -> Option<Wanted> {
    let name = name?
        .as_str()
        .filter(|name| is_md5(name))?
        .to_ascii_lowercase();
    Some(Wanted { class, name })
}

fn file_name(path: &str) -> String {
    let name = base_name(path);
    name[..name.floor_char_boundary(FILE_NAME_BYTES_MAX)].to_owned()
}
