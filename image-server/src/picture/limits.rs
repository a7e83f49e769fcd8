//! What may be spent on one picture.

use serde::{Deserialize, Serialize};

use super::Fault;
use super::fault::Unit;

/// The largest side, in pixels. Below it no product of a width, a height and a pixel's bytes
/// overflows 64 bits, and a picture one pixel high cannot make a resizer's table of this length.
const SIDE_PIXELS_MAX: u64 = 32_768;

/// Most bytes of a pixel while a picture is decoded: a progressive JPEG keeps three coefficients of
/// two bytes beside the three bytes that come out; a PNG has up to four channels of two bytes.
const DECODED_BYTES_EACH: u64 = 9;

/// The most that is there at a time: a PNG of four channels of two bytes is turned, which makes
/// another of it, and encoded, which makes a third; and a quarter more.
const ADDRESS_BYTES_EACH: u64 = 32;

/// A file, what is left of it when it was cleaned, and twice that while it grows.
const FILES_AT_ONCE: u64 = 4;

/// Tables of decoders, the heap's holes, the stack.
const ADDRESS_BYTES_MORE: u64 = 256 << 20;

/// All frames of an animation together have at most so many times the pixels that a still picture
/// may have: 512 million with the default of 64.
const ANIMATION_TIMES: u64 = 8;

/// The limits of one picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// The file.
    pub bytes_max: u64,
    /// Width times height.
    pub pixels_max: u64,
    /// Of an animation.
    pub frames_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes_max: 64 << 20,
            pixels_max: 64_000_000,
            frames_max: 1000,
        }
    }
}

impl Limits {
    pub(crate) fn check_bytes(&self, bytes: u64) -> Result<(), Fault> {
        within(Unit::Bytes, bytes, self.bytes_max)
    }

    pub(crate) fn check_size(&self, width: u32, height: u32) -> Result<(), Fault> {
        let (width, height) = (u64::from(width), u64::from(height));
        if width == 0 || height == 0 {
            return Err(Fault::Broken("it has no pixels".to_owned()));
        }
        within(Unit::SidePixels, width.max(height), SIDE_PIXELS_MAX)?;
        within(Unit::Pixels, width * height, self.pixels_max)
    }

    /// Whether an animation may go on to its frame `number`, counted from 1.
    pub(super) fn check_frame(&self, number: u32, width: u32, height: u32) -> Result<(), Fault> {
        within(Unit::Frames, u64::from(number), u64::from(self.frames_max))?;
        let pixels = u64::from(width) * u64::from(height) * u64::from(number);
        let max = self.pixels_max.saturating_mul(ANIMATION_TIMES);
        within(Unit::AllPixels, pixels, max)
    }

    /// As the decoders of the library take them.
    pub(super) fn of_decoders(&self) -> image::Limits {
        let mut limits = image::Limits::no_limits();
        let side = u32::try_from(SIDE_PIXELS_MAX).ok();
        (limits.max_image_width, limits.max_image_height) = (side, side);
        limits.max_alloc = Some(self.memory_bytes_max());
        limits
    }

    /// What decoding one picture may hold at a time.
    pub fn memory_bytes_max(&self) -> u64 {
        self.pixels_max.saturating_mul(DECODED_BYTES_EACH)
    }

    /// What a process may take of addresses for one picture: what no picture needs within the limits,
    /// and what decoders that went wrong do not get beyond.
    pub(crate) fn address_bytes_max(&self) -> u64 {
        let pixels = self.pixels_max.saturating_mul(ADDRESS_BYTES_EACH);
        let files = self.bytes_max.saturating_mul(FILES_AT_ONCE);
        pixels
            .saturating_add(files)
            .saturating_add(ADDRESS_BYTES_MORE)
    }

    /// What can be made of one picture: no encoder makes more of a pixel than it takes in memory.
    pub(crate) fn made_bytes_max(&self) -> u64 {
        self.memory_bytes_max().saturating_add(self.bytes_max)
    }

    pub(super) fn side_max() -> usize {
        usize::try_from(SIDE_PIXELS_MAX).unwrap_or(usize::MAX)
    }
}

fn within(unit: Unit, is: u64, max: u64) -> Result<(), Fault> {
    if is <= max {
        return Ok(());
    }
    Err(Fault::TooLarge { unit, is, max })
}
