//! Pixels of 8-bit RGB or RGBA as the bytes of a file, without a word about where they come from.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{DynamicImage, ImageEncoder, Rgb, RgbImage};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use webp::{PixelLayout, WebPConfig};

use super::Fault;

/// Of renditions: what a trained eye tells from the original only beside it.
pub(super) const RENDITION_QUALITY: u8 = 82;

/// Of a whole picture that had to be turned: as near to lossless as the format goes with sense.
pub(super) const ORIGINAL_QUALITY: u8 = 94;

/// From 0, fast, to 6, small. 4 takes twice as long as 2 and saves a twelfth.
const WEBP_EFFORT: i32 = 2;

/// A JPEG. Transparent places become white.
pub(super) fn jpeg(
    picture: &DynamicImage,
    quality: u8,
    profile: Option<&[u8]>,
) -> Result<Vec<u8>, Fault> {
    let flattened;
    let pixels = match picture {
        DynamicImage::ImageRgb8(pixels) => pixels,
        other => {
            flattened = on_white(other);
            &flattened
        }
    };
    let side = |pixels: u32| u16::try_from(pixels).map_err(Fault::broken);
    let (width, height) = (side(pixels.width())?, side(pixels.height())?);
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, quality);
    if quality < ORIGINAL_QUALITY {
        encoder.set_sampling_factor(SamplingFactor::F_2_2);
    }
    if let Some(profile) = profile {
        encoder.add_icc_profile(profile).map_err(Fault::broken)?;
    }
    encoder
        .encode(pixels, width, height, ColorType::Rgb)
        .map_err(Fault::broken)?;
    Ok(bytes)
}

fn on_white(picture: &DynamicImage) -> RgbImage {
    let rgba = picture.to_rgba8();
    RgbImage::from_fn(rgba.width(), rgba.height(), |x, y| {
        let [red, green, blue, alpha] = rgba.get_pixel(x, y).0;
        let mix = |color: u8| {
            let mixed = u32::from(color) * u32::from(alpha) + 255 * (255 - u32::from(alpha));
            u8::try_from((mixed + 127) / 255).unwrap_or(u8::MAX)
        };
        Rgb([mix(red), mix(green), mix(blue)])
    })
}

/// A PNG, of any depth.
pub(super) fn png(picture: &DynamicImage, profile: Option<&[u8]>) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    let (speed, filter) = (CompressionType::Fast, FilterType::Adaptive);
    let mut encoder = PngEncoder::new_with_quality(&mut bytes, speed, filter);
    if let Some(profile) = profile {
        encoder
            .set_icc_profile(profile.to_vec())
            .map_err(Fault::broken)?;
    }
    picture.write_with_encoder(encoder)?;
    Ok(bytes)
}

/// A WebP.
pub(super) fn webp(picture: &DynamicImage, quality: u8) -> Result<Vec<u8>, Fault> {
    let layout = if picture.color().has_alpha() {
        PixelLayout::Rgba
    } else {
        PixelLayout::Rgb
    };
    let mut config = WebPConfig::new().map_err(|()| Fault::broken("no encoder for WebP"))?;
    config.quality = f32::from(quality);
    config.method = WEBP_EFFORT;
    let (width, height) = (picture.width(), picture.height());
    let encoder = webp::Encoder::new(picture.as_bytes(), layout, width, height);
    let made = encoder
        .encode_advanced(&config)
        .map_err(|error| Fault::broken(format!("{error:?}")))?;
    Ok(made.to_vec())
}
