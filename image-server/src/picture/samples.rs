//! Pictures for tests, made and not stored.

use bytes::Bytes;
use image::codecs::bmp::BmpEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, Rgb, RgbImage, Rgba, RgbaImage};
use img_parts::png::{Png, PngChunk};
use img_parts::riff::{RiffChunk, RiffContent};
use img_parts::webp::WebP;
use img_parts::{ImageEXIF, ImageICC};
use jpeg_encoder::{ColorType, Encoder};

use super::encode;

/// What must not be found in what others get.
pub(super) const SECRET: &[u8] = b"Secret Street 17";

/// Red, green, blue and yellow quarters: every way of turning it looks different.
pub(super) fn quarters(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        Rgb(match (x < width / 2, y < height / 2) {
            (true, true) => [220, 30, 30],
            (false, true) => [30, 200, 30],
            (true, false) => [30, 30, 220],
            (false, false) => [220, 220, 30],
        })
    })
}

/// A block of EXIF with an orientation, and a name of an artist that is nobody's business.
pub(super) fn exif(orientation: Orientation) -> Vec<u8> {
    let mut exif = b"II*\0\x08\0\0\0\x02\0".to_vec();
    exif.extend([0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation.to_exif(), 0, 0, 0]);
    let length = u8::try_from(SECRET.len()).unwrap();
    exif.extend([0x3b, 0x01, 2, 0, length, 0, 0, 0, 38, 0, 0, 0]);
    exif.extend([0; 4]);
    exif.extend_from_slice(SECRET);
    exif
}

/// As a camera held this way would store it: whoever turns it as the orientation says sees `upright`.
pub(super) fn lying(upright: &RgbImage, orientation: Orientation) -> RgbImage {
    let back = match orientation {
        Orientation::Rotate90 => Orientation::Rotate270,
        Orientation::Rotate270 => Orientation::Rotate90,
        other => other,
    };
    let mut picture = DynamicImage::ImageRgb8(upright.clone());
    picture.apply_orientation(back);
    picture.into_rgb8()
}

pub(super) fn jpeg(picture: &RgbImage) -> Vec<u8> {
    encode::jpeg(&picture.clone().into(), 90, None).unwrap()
}

pub(super) fn jpeg_with(picture: &RgbImage, orientation: Orientation) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, 90);
    encoder.add_exif_metadata(&exif(orientation)).unwrap();
    let xmp = [b"http://ns.adobe.com/xap/1.0/\0", SECRET].concat();
    encoder.add_app_segment(1, xmp).unwrap();
    encoder.add_app_segment(13, SECRET.to_vec()).unwrap();
    let side = |length| u16::try_from(length).unwrap();
    let (width, height) = (side(picture.width()), side(picture.height()));
    encoder
        .encode(picture, width, height, ColorType::Rgb)
        .unwrap();
    // A comment in front, and a second picture behind the end.
    let mut comment = vec![0xff, 0xfe, 0, u8::try_from(SECRET.len()).unwrap() + 2];
    comment.extend_from_slice(SECRET);
    bytes.splice(2..2, comment);
    bytes.extend_from_slice(b"\xff\xd8\xff\xe1");
    bytes.extend_from_slice(SECRET);
    bytes
}

pub(super) fn cmyk(width: u16, height: u16) -> Vec<u8> {
    let mut bytes = Vec::new();
    let pixels = [0, 255, 255, 0].repeat(usize::from(width) * usize::from(height));
    let encoder = Encoder::new(&mut bytes, 90);
    encoder
        .encode(&pixels, width, height, ColorType::Cmyk)
        .unwrap();
    bytes
}

pub(super) fn png(picture: impl Into<DynamicImage>) -> Vec<u8> {
    encode::png(&picture.into(), None).unwrap()
}

pub(super) fn png_with(picture: &RgbImage, orientation: Orientation) -> Vec<u8> {
    let mut png = Png::from_bytes(Bytes::from(png(picture.clone()))).unwrap();
    let text = [b"Comment\0", SECRET].concat();
    png.chunks_mut()
        .insert(1, PngChunk::new(*b"tEXt", text.into()));
    png.set_exif(Some(exif(orientation).into()));
    let mut bytes = png.encoder().bytes().to_vec();
    bytes.extend_from_slice(SECRET);
    bytes
}

pub(super) fn webp(picture: impl Into<DynamicImage>) -> Vec<u8> {
    encode::webp(&picture.into(), 90).unwrap()
}

pub(super) fn webp_with(picture: &RgbImage, orientation: Orientation) -> Vec<u8> {
    let mut webp = WebP::from_bytes(Bytes::from(webp(picture.clone()))).unwrap();
    webp.set_exif(Some(exif(orientation).into()));
    let xmp = RiffContent::Data(Bytes::from_static(SECRET));
    webp.chunks_mut().push(RiffChunk::new(*b"XMP ", xmp));
    let header = webp.chunks_mut().first_mut().unwrap();
    let RiffContent::Data(data) = header.content_mut() else {
        panic!("the header has no parts")
    };
    let mut flags = data.to_vec();
    flags[0] |= 0x04;
    *data = flags.into();
    webp.encoder().bytes().to_vec()
}

pub(super) fn bmp(picture: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    let picture = DynamicImage::from(picture.clone());
    picture
        .write_with_encoder(BmpEncoder::new(&mut bytes))
        .unwrap();
    bytes
}

/// An animation that repeats forever, with a comment and with a page behind its end.
pub(super) fn gif(width: u16, height: u16, frames: u8) -> Vec<u8> {
    let palette = [200, 0, 0, 0, 200, 0, 0, 0, 200, 200, 200, 200];
    let mut encoder = gif::Encoder::new(Vec::new(), width, height, &palette).unwrap();
    encoder.set_repeat(gif::Repeat::Infinite).unwrap();
    encoder
        .write_raw_extension(gif::AnyExtension(0xfe), &[SECRET])
        .unwrap();
    for number in 0..frames {
        let pixels = vec![number % 4; usize::from(width) * usize::from(height)];
        let mut frame = gif::Frame::from_indexed_pixels(width, height, pixels, None);
        frame.delay = 7;
        encoder.write_frame(&frame).unwrap();
    }
    let mut bytes = encoder.into_inner().unwrap();
    bytes.extend_from_slice(b"<html><script>alert(1)</script>");
    bytes
}

/// Half of it is transparent.
pub(super) fn glass(width: u32, height: u32) -> RgbaImage {
    RgbaImage::from_fn(width, height, |x, _| {
        Rgba([200, 40, 40, if x < width / 2 { 0 } else { 255 }])
    })
}

/// A red that lies beyond what sRGB has, said to be in Display P3.
pub(super) fn p3_red() -> Vec<u8> {
    let picture = RgbImage::from_pixel(32, 32, Rgb([200, 60, 60]));
    let profile = moxcms::ColorProfile::new_display_p3().encode().unwrap();
    let mut png = Png::from_bytes(Bytes::from(png(picture))).unwrap();
    png.set_icc_profile(Some(profile.into()));
    png.encoder().bytes().to_vec()
}
