//! The first or only picture of a file, as pixels.

use image::codecs::bmp::BmpDecoder;
use image::codecs::gif::GifDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder};

use super::halt::Watched;
use super::{Fault, Format, Halt, Limits, jpeg, webp};

/// A decoded picture, as it lies in the file.
#[derive(Debug)]
pub(super) struct Still {
    pub(super) pixels: DynamicImage,
    /// How it has to be turned to be looked at.
    pub(super) orientation: Orientation,
    /// Its ICC profile.
    pub(super) profile: Option<Vec<u8>>,
}

/// Decodes the first picture of a file.
pub(super) fn still(
    bytes: &[u8],
    format: Format,
    limits: &Limits,
    halt: &Halt,
) -> Result<Still, Fault> {
    halt.check()?;
    limits.check_bytes(u64::try_from(bytes.len()).unwrap_or(u64::MAX))?;
    let reader = Watched::new(bytes, halt);
    let decoders = limits.of_decoders();
    let explained = |error| halt.explain(error);
    match format {
        Format::Jpeg => jpeg::still(bytes, limits, halt),
        Format::Png => {
            let decoder = PngDecoder::with_limits(reader, decoders).map_err(explained)?;
            read(decoder, limits, halt)
        }
        Format::Gif => read(GifDecoder::new(reader).map_err(explained)?, limits, halt),
        Format::WebP => {
            webp::check_sizes(bytes)?;
            read(WebPDecoder::new(reader).map_err(explained)?, limits, halt)
        }
        Format::Bmp => read(BmpDecoder::new(reader).map_err(explained)?, limits, halt),
    }
}

fn read(mut decoder: impl ImageDecoder, limits: &Limits, halt: &Halt) -> Result<Still, Fault> {
    let (width, height) = decoder.dimensions();
    limits.check_size(width, height)?;
    let mut decoders = limits.of_decoders();
    decoders.reserve(decoder.total_bytes())?;
    decoder
        .set_limits(decoders)
        .map_err(|error| halt.explain(error))?;
    // Without its profile or its orientation a picture is still one.
    let profile = decoder.icc_profile().ok().flatten();
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let pixels = DynamicImage::from_decoder(decoder).map_err(|error| halt.explain(error))?;
    Ok(Still {
        pixels,
        orientation,
        profile,
    })
}
