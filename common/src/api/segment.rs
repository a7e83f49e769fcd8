//! What a message of the HTTP and WebSocket API consists of.
//!
//! A segment of a type that this program does not know is kept as it is: a newer client may have
//! written it, and a reader shows a placeholder.

use std::collections::BTreeSet;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::BlobClass;
use crate::id::{BlobId, Seq, UserId};

/// The most segments of one message.
pub const SEGMENTS_MAX: usize = 100;
/// The longest file name, in bytes: what file systems hold.
pub const FILE_NAME_BYTES_MAX: usize = 255;

/// A part of a message.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Segment {
    Known(KnownSegment),
    /// A type of a later version, with everything that was in it.
    Unknown(Map<String, Value>),
}

/// The parts of a message that this version knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum KnownSegment {
    Text {
        text: String,
    },
    /// One of the numbered faces of the existing clients.
    Face {
        id: u32,
    },
    Image {
        #[serde(with = "hex")]
        file: BlobId,
        /// In pixels; 0 where the author's program did not know.
        width: u32,
        height: u32,
        /// In bytes.
        size: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        thumbhash: Option<String>,
    },
    File {
        #[serde(with = "hex")]
        file: BlobId,
        name: String,
        /// In bytes.
        size: u64,
        mime: String,
    },
    /// Shakes the receiver's window.
    Nudge {},
    Mention {
        user_id: Mentioned,
    },
    Custom {
        data: Value,
    },
}

/// Who is mentioned. On the wire a user's number as a decimal string, or `"all"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mentioned {
    User(UserId),
    All,
}

/// What is stored of a message whose dialect is [`super::Dialect::Segments`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SegmentedContent {
    pub segments: Vec<Segment>,
    /// The message of the same conversation that this one answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Seq>,
    /// Where a forwarded message came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forwarded_from: Option<ForwardedFrom>,
}

/// Who had written a message that was forwarded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForwardedFrom {
    pub user: UserId,
    /// The nickname at that time.
    pub nickname: String,
}

impl SegmentedContent {
    pub fn new(segments: Vec<Segment>) -> Self {
        Self {
            segments,
            reply_to: None,
            forwarded_from: None,
        }
    }
}

impl Segment {
    /// The picture or file that this part shows.
    pub fn file(&self) -> Option<(BlobClass, BlobId)> {
        match self {
            Self::Known(KnownSegment::Image { file, .. }) => Some((BlobClass::Image, *file)),
            Self::Known(KnownSegment::File { file, .. }) => Some((BlobClass::File, *file)),
            Self::Known(_) | Self::Unknown(_) => None,
        }
    }
}

/// The pictures and files of a message, each once.
pub fn files_of(segments: &[Segment]) -> Vec<BlobId> {
    let files: BTreeSet<BlobId> = segments
        .iter()
        .filter_map(|segment| Some(segment.file()?.1))
        .collect();
    files.into_iter().collect()
}

const TYPES: [&str; 7] = [
    "text", "face", "image", "file", "nudge", "mention", "custom",
];

impl<'de> Deserialize<'de> for Segment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let object = Map::<String, Value>::deserialize(deserializer)?;
        let kind = match object.get("type") {
            Some(Value::String(kind)) => kind,
            _ => return Err(D::Error::custom("a segment has no `type`")),
        };
        if TYPES.contains(&kind.as_str()) {
            let known = serde_json::from_value(Value::Object(object)).map_err(D::Error::custom)?;
            Ok(Self::Known(known))
        } else {
            Ok(Self::Unknown(object))
        }
    }
}

impl Segment {
    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Known(KnownSegment::Text { text: text.into() })
    }
}

impl From<KnownSegment> for Segment {
    fn from(known: KnownSegment) -> Self {
        Self::Known(known)
    }
}

impl Serialize for Mentioned {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::User(user) => serializer.collect_str(user),
            Self::All => serializer.serialize_str("all"),
        }
    }
}

impl<'de> Deserialize<'de> for Mentioned {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.as_str() {
            "all" => Ok(Self::All),
            number => UserId::from_decimal(number)
                .map(Self::User)
                .ok_or_else(|| D::Error::custom("`user_id` is a user's number or \"all\"")),
        }
    }
}

mod hex {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::id::BlobId;

    pub(super) fn serialize<S: Serializer>(
        blob: &BlobId,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(blob)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<BlobId, D::Error> {
        let text = String::deserialize(from)?;
        BlobId::from_hex(&text)
            .ok_or_else(|| D::Error::custom("`file` is 64 lower-case hexadecimal digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Segment, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn known_segments_are_checked_and_unknown_ones_kept() {
        let text = read(r#"{"type":"text","text":"hi","later":1}"#).unwrap();
        let known = KnownSegment::Text {
            text: "hi".to_owned(),
        };
        assert_eq!(text, Segment::Known(known));
        assert!(read(r#"{"type":"text","text":1}"#).is_err());
        assert!(read(r#"{"text":"hi"}"#).is_err());
        let later = r#"{"type":"poll","options":["a","b"]}"#;
        let kept = read(later).unwrap();
        let shown: Value = serde_json::to_value(&kept).unwrap();
        assert_eq!(shown, serde_json::from_str::<Value>(later).unwrap());
    }

    #[test]
    fn somebody_or_everybody_is_mentioned() {
        for (json, mentioned) in [
            ("\"7\"", Some(Mentioned::User(UserId(7)))),
            ("\"all\"", Some(Mentioned::All)),
            ("\"07\"", None),
            ("\"-7\"", None),
            ("7", None),
        ] {
            assert_eq!(serde_json::from_str(json).ok(), mentioned, "{json}");
        }
        let nudge = serde_json::to_string(&KnownSegment::Nudge {}).unwrap();
        assert_eq!(nudge, r#"{"type":"nudge"}"#);
    }
}
