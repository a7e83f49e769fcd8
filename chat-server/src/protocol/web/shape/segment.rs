//! How the published description of the API describes the parts of a message.
//!
//! Reading and writing them is [`common::api::Segment`]'s business: these types are never made.

use serde::Serialize;
use utoipa::ToSchema;

/// A part of a message. A type that this version does not know is kept as it is; a reader shows a
/// placeholder.
#[derive(Debug, Serialize, ToSchema)]
#[expect(dead_code, reason = "stands only in documents")]
#[serde(untagged)]
#[schema(as = Segment)]
pub(crate) enum SegmentSchema {
    Known(KnownSegmentSchema),
    Other(OtherSegmentSchema),
}

/// A part of a message of a known type.
#[derive(Debug, Serialize, ToSchema)]
#[expect(dead_code, reason = "stands only in documents")]
#[serde(tag = "type", rename_all = "snake_case")]
#[schema(as = KnownSegment)]
pub(crate) enum KnownSegmentSchema {
    Text {
        /// Without the character NUL.
        #[schema(pattern = "^[^\\x00]*$", examples("Hello"))]
        text: String,
    },
    /// One of the numbered faces.
    Face {
        #[schema(minimum = 0, maximum = 4_294_967_295_u64, examples(14))]
        id: u32,
    },
    Image {
        /// The SHA-256 of an uploaded picture.
        #[schema(pattern = "^[0-9a-f]{64}$")]
        file: String,
        /// In pixels; 0 for unknown.
        #[schema(minimum = 0, maximum = 65_535)]
        width: u32,
        /// In pixels; 0 for unknown.
        #[schema(minimum = 0, maximum = 65_535)]
        height: u32,
        /// In bytes. The server puts the right number in.
        #[schema(minimum = 0)]
        size: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// A tiny preview, base64.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(max_length = 128)]
        thumbhash: Option<String>,
    },
    File {
        /// The SHA-256 of an uploaded file.
        #[schema(pattern = "^[0-9a-f]{64}$")]
        file: String,
        /// What cannot be part of a file name is taken out.
        name: String,
        /// In bytes. The server puts the right number in.
        #[schema(minimum = 0)]
        size: u64,
        #[schema(max_length = 127, pattern = "^[!-~ ]*$", examples("application/pdf"))]
        mime: String,
    },
    /// Shakes the receiver's window.
    Nudge {},
    Mention {
        /// A user, or `all`.
        #[schema(pattern = "^([1-9][0-9]{0,8}|all)$", examples("7"))]
        user_id: String,
    },
    /// Anything that a program wants to tell another one.
    Custom { data: serde_json::Value },
}

/// A part of a message of a type that this version does not know.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OtherSegment)]
pub(crate) struct OtherSegmentSchema {
    #[serde(rename = "type")]
    #[schema(pattern = "^(?!(text|face|image|file|nudge|mention|custom)$)")]
    kind: String,
}
