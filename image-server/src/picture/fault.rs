//! Why bytes are no picture that is kept or shown.

use std::fmt;

use image::ImageError;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::OtherFormat;

/// Why a picture was turned down.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum Fault {
    #[error("The file is empty.")]
    Empty,
    #[error("This is {0}; pictures are JPEG, PNG, GIF, WebP or BMP.")]
    Unsupported(OtherFormat),
    #[error("The picture is broken: {0}.")]
    Broken(String),
    #[error("The picture ends too early; it was not sent completely.")]
    Truncated,
    #[error("The picture has {is} {unit}; at most {max} are allowed.")]
    TooLarge { unit: Unit, is: u64, max: u64 },
    #[error("The picture takes too long to decode.")]
    Slow,
}

/// What there may be too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    Bytes,
    SidePixels,
    Pixels,
    Frames,
    AllPixels,
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bytes => "bytes",
            Self::SidePixels => "pixels on one side",
            Self::Pixels => "pixels",
            Self::Frames => "frames",
            Self::AllPixels => "pixels in all frames",
        })
    }
}

impl Fault {
    /// The HTTP status that says so.
    pub fn status(&self) -> u16 {
        match self {
            Self::Unsupported(_) => 415,
            Self::Empty
            | Self::Broken(_)
            | Self::Truncated
            | Self::TooLarge { .. }
            | Self::Slow => 422,
        }
    }

    /// The word that programs decide by.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "picture_empty",
            Self::Unsupported(_) => "picture_unsupported",
            Self::Broken(_) => "picture_broken",
            Self::Truncated => "picture_truncated",
            Self::TooLarge { .. } => "picture_too_large",
            Self::Slow => "picture_too_slow",
        }
    }

    /// A picture that got a decoder to fail as none should.
    pub(crate) fn unreadable() -> Self {
        Self::Broken("the server cannot read it".to_owned())
    }

    /// One that goes beyond what all within the limits need.
    pub(crate) fn too_much_memory() -> Self {
        Self::Broken("it needs more memory than is allowed".to_owned())
    }

    /// What a library says is wrong with a file.
    pub(crate) fn broken(error: impl fmt::Display) -> Self {
        let said = error.to_string();
        // Libraries end their sentences or not, and quote what the file says.
        let said = said
            .trim_end_matches('.')
            .chars()
            .filter(|c| !c.is_control());
        Self::Broken(said.take(BROKEN_CHARACTERS_MAX).collect())
    }
}

/// How much of a library's words is passed on.
const BROKEN_CHARACTERS_MAX: usize = 200;

impl From<ImageError> for Fault {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                Self::Truncated
            }
            ImageError::Limits(_) => Self::too_much_memory(),
            other => Self::broken(other),
        }
    }
}
