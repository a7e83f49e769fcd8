//! Colors brought to sRGB, which every screen can be told and every program assumes.

use image::DynamicImage;
use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

/// Converts a picture of 8-bit RGB or RGBA from the color space of its profile. A profile that is
/// broken, or of something else than such pixels, is passed over, as browsers do.
pub(super) fn to_srgb(picture: DynamicImage, profile: Option<&[u8]>) -> DynamicImage {
    let Some(profile) = profile.and_then(|bytes| ColorProfile::new_from_slice(bytes).ok()) else {
        return picture;
    };
    match (picture, profile.color_space) {
        (DynamicImage::ImageRgb8(mut pixels), DataColorSpace::Rgb) => {
            convert(&mut pixels, &profile, Layout::Rgb);
            DynamicImage::ImageRgb8(pixels)
        }
        (DynamicImage::ImageRgba8(mut pixels), DataColorSpace::Rgb) => {
            convert(&mut pixels, &profile, Layout::Rgba);
            DynamicImage::ImageRgba8(pixels)
        }
        (picture, _) => picture,
    }
}

/// Does nothing if there is no way from the profile to sRGB.
fn convert(pixels: &mut [u8], profile: &ColorProfile, layout: Layout) {
    let srgb = ColorProfile::new_srgb();
    let options = TransformOptions::default();
    let Ok(transform) = profile.create_transform_8bit(layout, &srgb, layout, options) else {
        return;
    };
    let mut converted = vec![0; pixels.len()];
    if transform.transform(pixels, &mut converted).is_ok() {
        pixels.copy_from_slice(&converted);
    }
}
