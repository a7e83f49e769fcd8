//! What a picture turns out to be when all of it is decoded.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::metadata::Orientation;
use image::{DynamicImage, GenericImageView};
use serde::{Deserialize, Serialize};

use super::canvas::{self, Fit};
use super::{Fault, Format, Halt, Limits, animation, color, decode, jpeg};

/// What a picture is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    pub format: Format,
    /// In pixels, upright.
    pub width: u32,
    pub height: u32,
    /// In base64: what a client paints until the picture is there.
    pub thumbhash: String,
    /// 0 if it does not move.
    pub frames: u32,
}

/// A thumbhash is made of at most so many pixels a side.
const HASHED_PIXELS: u32 = 100;

/// Decodes all of a picture, every frame too.
///
/// # Errors
/// A [`Fault`] if it is none, is broken or goes beyond the limits.
pub fn look(bytes: &[u8], limits: &Limits, halt: &Halt) -> Result<Look, Fault> {
    let format = Format::of(bytes)?;
    let still = decode::still(bytes, format, limits, halt)?;
    if format == Format::Jpeg && !jpeg::ends(bytes) {
        return Err(Fault::Truncated);
    }
    let (width, height) = upright(&still.pixels, still.orientation);
    let small = canvas::fitted(still.pixels, Fit::Inside(HASHED_PIXELS), still.orientation)?;
    let small = color::to_srgb(small, still.profile.as_deref());
    let frames = animation::frames(bytes, format, limits, halt, |_| Ok(()))?;
    Ok(Look {
        format,
        width,
        height,
        thumbhash: thumbhash(&small),
        frames,
    })
}

fn upright(pixels: &DynamicImage, orientation: Orientation) -> (u32, u32) {
    let (width, height) = pixels.dimensions();
    match orientation {
        Orientation::Rotate90
        | Orientation::Rotate270
        | Orientation::Rotate90FlipH
        | Orientation::Rotate270FlipH => (height, width),
        Orientation::NoTransforms
        | Orientation::Rotate180
        | Orientation::FlipHorizontal
        | Orientation::FlipVertical => (width, height),
    }
}

fn thumbhash(small: &DynamicImage) -> String {
    let rgba = small.to_rgba8();
    let side = |pixels: u32| usize::try_from(pixels).unwrap_or(0);
    let (width, height) = (side(rgba.width()), side(rgba.height()));
    STANDARD.encode(thumbhash::rgba_to_thumb_hash(width, height, &rgba))
}
