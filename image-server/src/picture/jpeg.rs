//! JPEG: pixels out of it, and the structure of its file.

use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, RgbImage};
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;

use super::decode::Still;
use super::halt::Watched;
use super::{Fault, Halt, Limits, OtherFormat};

/// How often a progressive picture may come back to refine itself. Real ones do about ten times;
/// each costs as much as decoding a picture that does not.
const SCANS_MAX: usize = 64;

impl From<DecodeErrors> for Fault {
    fn from(error: DecodeErrors) -> Self {
        match error {
            DecodeErrors::Unsupported(_) => Self::Unsupported(OtherFormat::RareJpeg),
            DecodeErrors::ExhaustedData => Self::Truncated,
            // Printed for developers, several lines long.
            DecodeErrors::IoErrors(_) => Self::Truncated,
            other => Self::broken(format!("{other:?}")),
        }
    }
}

/// Decodes a JPEG. What is missing at its end is gray: see [`ends`].
pub(super) fn still(bytes: &[u8], limits: &Limits, halt: &Halt) -> Result<Still, Fault> {
    let options = DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(Limits::side_max())
        .set_max_height(Limits::side_max())
        .jpeg_set_max_scans(SCANS_MAX);
    let mut decoder = JpegDecoder::new_with_options(Watched::new(bytes, halt), options);
    let explained = |error: DecodeErrors| halt.explain(error);
    decoder.decode_headers().map_err(explained)?;
    let info = decoder.info().ok_or(Fault::Truncated)?;
    let (width, height) = (u32::from(info.width), u32::from(info.height));
    limits.check_size(width, height)?;
    let stored = decoder.input_colorspace().unwrap_or(ColorSpace::YCbCr);
    let gray = stored == ColorSpace::Luma;
    let wanted = if gray {
        ColorSpace::Luma
    } else {
        ColorSpace::RGB
    };
    decoder.set_options(options.jpeg_set_out_colorspace(wanted));
    let orientation = decoder
        .exif()
        .and_then(|exif| Orientation::from_exif_chunk(exif))
        .unwrap_or(Orientation::NoTransforms);
    // A profile of inks says nothing about the red, green and blue that come out.
    let inks = matches!(stored, ColorSpace::CMYK | ColorSpace::YCCK);
    let profile = decoder.icc_profile().filter(|_| !inks);
    let pixels = decoder.decode().map_err(explained)?;
    let pixels = if gray {
        GrayImage::from_raw(width, height, pixels).map(DynamicImage::ImageLuma8)
    } else {
        RgbImage::from_raw(width, height, pixels).map(DynamicImage::ImageRgb8)
    };
    Ok(Still {
        pixels: pixels.ok_or(Fault::Truncated)?,
        orientation,
        profile,
    })
}

/// A piece of a JPEG file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment<'a> {
    /// The byte behind 0xFF that says what it is.
    pub(super) marker: u8,
    /// What the marker is followed by, without the two bytes of its length.
    pub(super) content: &'a [u8],
    /// All of it, for copying: the marker, the length, the content and, of a scan, the coded pixels
    /// up to the next marker.
    pub(super) whole: &'a [u8],
}

/// Start and end of the picture, and the beginning of a scan.
const SOI: u8 = 0xd8;
const EOI: u8 = 0xd9;
const SOS: u8 = 0xda;

/// The pieces of the first picture in a file, and whether it ends as it should. Phones put more
/// behind the end: second pictures, films, maps of depth.
pub(super) fn segments(bytes: &[u8]) -> (Vec<Segment<'_>>, bool) {
    let mut segments = Vec::new();
    let mut rest = bytes.strip_prefix(&[0xff, SOI]).unwrap_or_default();
    loop {
        // Anything may stand before a marker, most of all more of 0xFF.
        let Some(at) = rest
            .windows(2)
            .position(|two| two[0] == 0xff && is_marker(two[1]))
        else {
            return (segments, false);
        };
        rest = &rest[at..];
        let marker = rest[1];
        if marker == EOI {
            return (segments, true);
        }
        if matches!(marker, SOI | 0x01 | 0xd0..=0xd7) {
            rest = &rest[2..];
            continue;
        }
        let Some(length) = rest
            .get(2..4)
            .map(|two| u16::from_be_bytes([two[0], two[1]]))
        else {
            return (segments, false);
        };
        let mut end = 2 + usize::from(length);
        let Some(content) = rest.get(4..end) else {
            return (segments, false);
        };
        if marker == SOS {
            end += coded(&rest[end..]);
        }
        segments.push(Segment {
            marker,
            content,
            whole: &rest[..end],
        });
        rest = &rest[end..];
    }
}

/// What can stand behind 0xFF and means something.
fn is_marker(byte: u8) -> bool {
    !matches!(byte, 0x00 | 0xff)
}

/// How many bytes of coded pixels there are until the next marker that is not part of them.
fn coded(bytes: &[u8]) -> usize {
    bytes
        .windows(2)
        .position(|two| two[0] == 0xff && is_marker(two[1]) && !(0xd0..=0xd7).contains(&two[1]))
        .unwrap_or(bytes.len())
}

/// Whether a JPEG has its end. Decoders forgive if not; but then somebody stopped sending it.
pub(super) fn ends(bytes: &[u8]) -> bool {
    segments(bytes).1
}
