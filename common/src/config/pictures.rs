//! The settings that only the image server has: what is taken as a picture, and in which sizes
//! pictures are shown.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use clap::Args;
use serde::{Serialize, Serializer};

use super::transfer::TransferConfig;
use super::values::{ByteSize, from_one};

/// What a picture may cost, and what is made of it.
#[derive(Args, Clone, Debug, PartialEq, Eq, Serialize)]
#[command(next_help_heading = "Pictures")]
pub struct PicturesConfig {
    /// Largest picture in bytes
    #[arg(long, value_name = "BYTES", default_value_t = ByteSize(64 << 20))]
    pub picture_bytes_max: ByteSize,

    /// Most pixels of a picture, width times height; decoding takes up to nine bytes for each
    #[arg(long, value_name = "N", default_value_t = 64_000_000, value_parser = from_one::<u64>)]
    pub picture_pixels_max: u64,

    /// Most frames of a picture that moves
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = from_one::<u32>)]
    pub picture_frames_max: u32,

    /// The sizes in which pictures are shown: NAME=SIDE for the longer side in pixels,
    /// NAME=SIDExSIDE for a square from the middle
    #[arg(long, value_name = "LIST", default_value_t = Renditions::default())]
    pub renditions: Renditions,

    /// Bytes that smaller pictures may take on the disk; the longest unused go first
    #[arg(long, value_name = "BYTES", default_value_t = ByteSize(1 << 30))]
    pub rendition_cache_bytes: ByteSize,

    /// How many pictures are decoded at a time
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = from_one::<u16>)]
    pub render_workers: u16,

    /// Give a picture up that takes longer, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = from_one::<u64>)]
    pub render_timeout_s: u64,

    /// Do not start on a system that cannot confine the processes that decode pictures (seccomp)
    #[arg(
        long, value_name = "BOOL", default_value_t = false, action = clap::ArgAction::Set,
        num_args = 0..=1, require_equals = true, default_missing_value = "true"
    )]
    pub require_picture_sandbox: bool,

    /// Show pictures that move as such in all sizes but squares, not as their first frame
    #[arg(
        long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set,
        num_args = 0..=1, require_equals = true, default_missing_value = "true"
    )]
    pub moving_renditions: bool,
}

impl Default for PicturesConfig {
    fn default() -> Self {
        super::layers::defaults()
    }
}

/// Everything the image server can be told.
#[derive(Args, Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ImageConfig {
    #[command(flatten)]
    #[serde(flatten)]
    pub transfer: TransferConfig,

    #[command(flatten)]
    #[serde(flatten)]
    pub pictures: PicturesConfig,
}

/// The named sizes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renditions(pub Vec<Rendition>);

/// A size with a name, which is the last part of its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendition {
    pub name: String,
    pub cut: Cut,
}

/// What is shown of a picture, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// All of it, no side longer than this.
    Inside(u32),
    /// A square from its middle.
    Square(u32),
}

/// The longest side of a rendition: what WebP can still say, less a bit.
const SIDE_PIXELS_MAX: u32 = 8192;

/// More names than these nobody needs, and each costs space for every picture.
const RENDITIONS_MAX: usize = 16;

/// A name is a word, so that it needs no escaping anywhere.
const NAME_CHARACTERS_MAX: usize = 32;

impl Default for Renditions {
    fn default() -> Self {
        let rendition = |name: &str, cut| Rendition {
            name: name.to_owned(),
            cut,
        };
        Self(vec![
            rendition("thumb", Cut::Inside(320)),
            rendition("preview", Cut::Inside(1280)),
            rendition("avatar64", Cut::Square(64)),
            rendition("avatar128", Cut::Square(128)),
            rendition("avatar256", Cut::Square(256)),
        ])
    }
}

impl FromStr for Renditions {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let list: Result<Vec<Rendition>, String> = text
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .map(Rendition::from_str)
            .collect();
        let list = list?;
        if list.len() > RENDITIONS_MAX {
            return Err(format!("more than {RENDITIONS_MAX} sizes"));
        }
        let mut names = HashSet::new();
        match list.iter().find(|item| !names.insert(&item.name)) {
            Some(twice) => Err(format!("{} is there twice", twice.name)),
            None => Ok(Self(list)),
        }
    }
}

impl FromStr for Rendition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("{text:?} is not like thumb=320 or avatar64=64x64");
        let (name, size) = text.split_once('=').ok_or_else(wrong)?;
        let is_name = !name.is_empty()
            && name.len() <= NAME_CHARACTERS_MAX
            && name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let side = |text: &str| {
            let side: Option<u32> = text.parse().ok();
            side.filter(|side| (1..=SIDE_PIXELS_MAX).contains(side))
        };
        let cut = match size.split_once('x') {
            Some((width, height)) if width == height => side(width).map(Cut::Square),
            Some(_) => None,
            None => side(size).map(Cut::Inside),
        };
        match cut {
            Some(cut) if is_name => Ok(Self {
                name: name.to_owned(),
                cut,
            }),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Renditions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, Rendition { name, cut }) in self.0.iter().enumerate() {
            let comma = if number == 0 { "" } else { "," };
            match cut {
                Cut::Inside(side) => write!(f, "{comma}{name}={side}")?,
                Cut::Square(side) => write!(f, "{comma}{name}={side}x{side}")?,
            }
        }
        Ok(())
    }
}

impl Serialize for Renditions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_written_as_they_are_read() {
        let text = "thumb=320,preview=1280,avatar64=64x64,avatar128=128x128,avatar256=256x256";
        let default = Renditions::default();
        assert_eq!(default.to_string(), text);
        assert_eq!(text.parse(), Ok(default));
        assert_eq!("".parse(), Ok(Renditions(Vec::new())));
    }

    #[test]
    fn other_words_are_refused() {
        for bad in [
            "thumb", "=1", "a=0", "a=8193", "a=1x2", "A=1", "a/b=1", "a=1,a=2", "a=x", "a=1x",
        ] {
            assert!(Renditions::from_str(bad).is_err(), "{bad}");
        }
    }
}
