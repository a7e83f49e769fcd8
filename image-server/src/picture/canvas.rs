//! Pixels made smaller and turned upright.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::{U8x3, U8x4};
use fast_image_resize::{PixelTrait, ResizeOptions, Resizer};
use image::metadata::Orientation;
use image::{DynamicImage, RgbImage, RgbaImage};
use serde::{Deserialize, Serialize};

use super::Fault;

/// How large a rendition becomes. None is larger than its original.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Fit {
    /// All of it, no side longer than this.
    Inside(u32),
    /// A square from its middle, with sides of this length.
    Square(u32),
}

/// Which part of a picture becomes how large.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Plan {
    left: f64,
    top: f64,
    from: (f64, f64),
    to: (u32, u32),
}

impl Fit {
    /// A rotation by a quarter changes neither: both treat width and height alike.
    fn plan(self, width: u32, height: u32) -> Plan {
        match self {
            Self::Inside(side) => Plan {
                left: 0.0,
                top: 0.0,
                from: (f64::from(width), f64::from(height)),
                to: (scaled(width, height, side), scaled(height, width, side)),
            },
            Self::Square(side) => {
                let edge = width.min(height);
                let middle = |whole: u32| f64::from((whole - edge) / 2);
                Plan {
                    left: middle(width),
                    top: middle(height),
                    from: (f64::from(edge), f64::from(edge)),
                    to: (side.min(edge), side.min(edge)),
                }
            }
        }
    }
}

/// A length where the longer of two becomes at most `side`; rounded, and at least one pixel.
fn scaled(length: u32, other: u32, side: u32) -> u32 {
    let longer = u64::from(length.max(other));
    if longer <= u64::from(side) {
        return length;
    }
    let rounded = (u64::from(length) * u64::from(side) + longer / 2) / longer;
    u32::try_from(rounded.max(1)).unwrap_or(side)
}

/// Makes a picture smaller and turns it upright. What comes out has 8 bits a channel and is RGB, or
/// RGBA if it has transparency.
pub(super) fn fitted(
    pixels: DynamicImage,
    fit: Fit,
    orientation: Orientation,
) -> Result<DynamicImage, Fault> {
    let plain = plain(pixels);
    let plan = fit.plan(plain.width(), plain.height());
    let mut fitted = if plan.to == (plain.width(), plain.height()) {
        plain
    } else {
        resized(&plain, plan)?
    };
    fitted.apply_orientation(orientation);
    Ok(fitted)
}

/// As RGB or RGBA with 8 bits a channel.
fn plain(pixels: DynamicImage) -> DynamicImage {
    if pixels.color().has_alpha() {
        DynamicImage::ImageRgba8(pixels.into_rgba8())
    } else {
        DynamicImage::ImageRgb8(pixels.into_rgb8())
    }
}

fn resized(plain: &DynamicImage, plan: Plan) -> Result<DynamicImage, Fault> {
    let (width, height) = plan.to;
    if plain.color().has_alpha() {
        let mut made = RgbaImage::new(width, height);
        resize::<U8x4>(plain, plan, &mut made)?;
        Ok(DynamicImage::ImageRgba8(made))
    } else {
        let mut made = RgbImage::new(width, height);
        resize::<U8x3>(plain, plan, &mut made)?;
        Ok(DynamicImage::ImageRgb8(made))
    }
}

/// The kind of pixels is a type, so that code for a dozen others, each for three kinds of processors,
/// is no part of the program: that is some megabytes.
fn resize<P: PixelTrait>(plain: &DynamicImage, plan: Plan, into: &mut [u8]) -> Result<(), Fault> {
    let bytes = plain.as_bytes();
    let from = TypedImageRef::<P>::from_buffer(plain.width(), plain.height(), bytes)
        .map_err(Fault::broken)?;
    let (width, height) = plan.to;
    let mut to = TypedImage::<P>::from_buffer(width, height, into).map_err(Fault::broken)?;
    let options = ResizeOptions::new().crop(plan.left, plan.top, plan.from.0, plan.from.1);
    Resizer::new()
        .resize_typed(&from, &mut to, &options)
        .map_err(Fault::broken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(fit: Fit, width: u32, height: u32) -> (u32, u32) {
        fit.plan(width, height).to
    }

    #[test]
    fn nothing_becomes_larger() {
        assert_eq!(size(Fit::Inside(320), 100, 50), (100, 50));
        assert_eq!(size(Fit::Square(64), 30, 50), (30, 30));
    }

    #[test]
    fn the_longer_side_decides() {
        assert_eq!(size(Fit::Inside(1280), 4000, 3000), (1280, 960));
        assert_eq!(size(Fit::Inside(1280), 3000, 4000), (960, 1280));
        assert_eq!(size(Fit::Inside(320), 30_000, 1), (320, 1));
        let plan = Fit::Square(64).plan(4000, 3000);
        assert_eq!((plan.left, plan.top, plan.to), (500.0, 0.0, (64, 64)));
    }
}
