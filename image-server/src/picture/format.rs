//! What format bytes are in, by their beginning and never by a name.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Fault;

/// A format that is kept and shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Format {
    Jpeg,
    Png,
    Gif,
    WebP,
    Bmp,
}

impl Format {
    /// The format of a file.
    ///
    /// # Errors
    /// [`Fault::Empty`], or [`Fault::Unsupported`] with what it is instead.
    pub fn of(bytes: &[u8]) -> Result<Self, Fault> {
        match bytes {
            [] => Err(Fault::Empty),
            [0xff, 0xd8, 0xff, ..] => Ok(Self::Jpeg),
            [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Ok(Self::Png),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Ok(Self::Gif),
            [
                b'R',
                b'I',
                b'F',
                b'F',
                _,
                _,
                _,
                _,
                b'W',
                b'E',
                b'B',
                b'P',
                ..,
            ] => Ok(Self::WebP),
            [b'B', b'M', ..] => Ok(Self::Bmp),
            other => Err(Fault::Unsupported(kind(other))),
        }
    }

    /// Its media type.
    pub fn mime(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Gif => "image/gif",
            Self::WebP => "image/webp",
            Self::Bmp => "image/bmp",
        }
    }
}

/// A format that is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OtherFormat {
    Avif,
    Heic,
    Tiff,
    JpegXl,
    Svg,
    RareJpeg,
    Unknown,
}

/// What people call it.
impl fmt::Display for OtherFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Avif => "AVIF",
            Self::Heic => "HEIC or a video",
            Self::Tiff => "TIFF",
            Self::JpegXl => "JPEG XL",
            Self::Svg => "SVG, which may contain programs",
            Self::RareJpeg => "a rare kind of JPEG",
            Self::Unknown => "no picture that is known here",
        })
    }
}

/// How far into a text is looked for what says that it is SVG.
const SVG_WITHIN_BYTES: usize = 1024;

/// What bytes are that are in no format of ours.
fn kind(bytes: &[u8]) -> OtherFormat {
    match bytes {
        [
            _,
            _,
            _,
            _,
            b'f',
            b't',
            b'y',
            b'p',
            b'a',
            b'v',
            b'i',
            b'f' | b's',
            ..,
        ] => OtherFormat::Avif,
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => OtherFormat::Heic,
        [b'I', b'I', 0x2a, 0, ..] | [b'M', b'M', 0, 0x2a, ..] => OtherFormat::Tiff,
        [0xff, 0x0a, ..] => OtherFormat::JpegXl,
        _ => {
            let begin = &bytes[..bytes.len().min(SVG_WITHIN_BYTES)];
            let text = String::from_utf8_lossy(begin).to_ascii_lowercase();
            if text.contains("<svg") {
                OtherFormat::Svg
            } else {
                OtherFormat::Unknown
            }
        }
    }
}
