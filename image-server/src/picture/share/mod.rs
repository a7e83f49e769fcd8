//! What others get of an original: the same picture, without what its file tells about its author.
//!
//! EXIF with its places and devices, comments, XMP, IPTC, and whatever stands behind the picture's
//! end are left out; the color profile stays, because without it the colors would be wrong. The
//! coded pixels are copied as they are, except of a picture that has to be turned: that is decoded,
//! turned and encoded anew, so that it is upright for programs that know no EXIF.

mod gif;
mod jpeg;
mod png;
mod webp;

use image::DynamicImage;
use image::metadata::Orientation;

use super::decode::{self, Still};
use super::encode::{self, ORIGINAL_QUALITY};
use super::{Fault, Format, Halt, Limits};

/// What others get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shareable {
    /// There is nothing to be left out.
    AsItIs,
    Cleaned(Vec<u8>),
}

/// Leaves out what is nobody's business.
///
/// # Errors
/// A [`Fault`] if there is no picture that can be cleaned.
pub fn shareable(bytes: &[u8], limits: &Limits, halt: &Halt) -> Result<Shareable, Fault> {
    let format = Format::of(bytes)?;
    limits.check_bytes(u64::try_from(bytes.len()).unwrap_or(u64::MAX))?;
    let cleaned = match turned(bytes, format, limits, halt)? {
        Some(turned) => turned,
        None => match format {
            Format::Jpeg => jpeg::cleaned(bytes)?,
            Format::Png => png::cleaned(bytes)?,
            Format::Gif => gif::cleaned(bytes, halt)?,
            Format::WebP => webp::cleaned(bytes)?,
            // There is no place for anything but pixels in it.
            Format::Bmp => return Ok(Shareable::AsItIs),
        },
    };
    if cleaned == bytes {
        return Ok(Shareable::AsItIs);
    }
    Ok(Shareable::Cleaned(cleaned))
}

/// The picture upright, if it lies in the file some other way. Of one that moves, which no camera
/// makes, the frames are left as they are.
fn turned(
    bytes: &[u8],
    format: Format,
    limits: &Limits,
    halt: &Halt,
) -> Result<Option<Vec<u8>>, Fault> {
    let orientation = match format {
        Format::Jpeg => jpeg::orientation(bytes),
        Format::Png => png::orientation(bytes),
        Format::WebP => webp::orientation(bytes),
        Format::Gif | Format::Bmp => None,
    };
    if orientation.is_none_or(|orientation| orientation == Orientation::NoTransforms) {
        return Ok(None);
    }
    let Still {
        mut pixels,
        orientation,
        profile,
    } = decode::still(bytes, format, limits, halt)?;
    pixels.apply_orientation(orientation);
    halt.check()?;
    let profile = profile.as_deref();
    let made = match format {
        Format::Jpeg => encode::jpeg(&pixels, ORIGINAL_QUALITY, profile),
        Format::Png => encode::png(&pixels, profile),
        Format::WebP | Format::Gif | Format::Bmp => {
            let plain = if pixels.color().has_alpha() {
                DynamicImage::ImageRgba8(pixels.into_rgba8())
            } else {
                DynamicImage::ImageRgb8(pixels.into_rgb8())
            };
            encode::webp(&plain, ORIGINAL_QUALITY).and_then(|made| webp::profiled(made, profile))
        }
    };
    made.map(Some)
}

/// The orientation that a block of EXIF states, with or without the words that JPEG puts before it.
fn stated(exif: &[u8]) -> Option<Orientation> {
    Orientation::from_exif_chunk(exif.strip_prefix(b"Exif\0\0").unwrap_or(exif))
}
