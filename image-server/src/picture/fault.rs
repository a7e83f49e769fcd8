//! Why bytes are no picture that is kept or shown.

use image::ImageError;
use thiserror::Error;

/// Why a picture was turned down.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    #[error("The file is empty.")]
    Empty,
    #[error("This is {0}; pictures are JPEG, PNG, GIF, WebP or BMP.")]
    Unsupported(&'static str),
    #[error("The picture is broken: {0}.")]
    Broken(String),
    #[error("The picture ends too early; it was not sent completely.")]
    Truncated,
    #[error("The picture has {is} {unit}; at most {max} are allowed.")]
    TooLarge {
        unit: &'static str,
        is: u64,
        max: u64,
    },
    #[error("The picture takes too long to decode.")]
    Slow,
    /// Nobody waits for it any more.
    #[error("Nobody waits for the picture any more.")]
    GivenUp,
}

impl Fault {
    /// The HTTP status that says so.
    pub fn status(&self) -> u16 {
        match self {
            Self::Unsupported(_) => 415,
            Self::GivenUp => 503,
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
            Self::GivenUp => "busy",
        }
    }

    /// What a library says is wrong with a file.
    pub(super) fn broken(error: impl std::fmt::Display) -> Self {
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
            ImageError::Limits(_) => Self::Broken("it needs more memory than is allowed".into()),
            other => Self::broken(other),
        }
    }
}
