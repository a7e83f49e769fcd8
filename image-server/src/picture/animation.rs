//! The frames of an animation, one after the other.

use image::codecs::gif::GifDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::{AnimationDecoder, Frame, Frames, ImageDecoder};

use super::halt::Watched;
use super::{Fault, Format, Halt, Limits, webp};

/// Shows every frame of a file to `see`, complete as it is displayed, and tells how many there were;
/// 0 of a picture that does not move. Each frame is checked against the limits.
pub(super) fn frames(
    bytes: &[u8],
    format: Format,
    limits: &Limits,
    halt: &Halt,
    mut see: impl FnMut(Frame) -> Result<(), Fault>,
) -> Result<u32, Fault> {
    let Some(frames) = open(bytes, format, limits, halt)? else {
        return Ok(0);
    };
    let mut number = 0;
    for frame in frames {
        halt.check()?;
        let frame = frame.map_err(|error| halt.explain(error))?;
        number += 1;
        let (width, height) = frame.buffer().dimensions();
        limits.check_frame(number, width, height)?;
        see(frame)?;
    }
    Ok(number)
}

/// The frames of a format that can move, of a file that does.
fn open<'a>(
    bytes: &'a [u8],
    format: Format,
    limits: &Limits,
    halt: &'a Halt,
) -> Result<Option<Frames<'a>>, Fault> {
    let reader = Watched::new(bytes, halt);
    let explained = |error| halt.explain(error);
    match format {
        Format::Jpeg | Format::Bmp => Ok(None),
        Format::Png => {
            let mut decoder =
                PngDecoder::with_limits(reader, limits.of_decoders()).map_err(explained)?;
            if !decoder.is_apng().map_err(explained)? {
                return Ok(None);
            }
            sized(&mut decoder, limits, halt)?;
            Ok(Some(decoder.apng().map_err(explained)?.into_frames()))
        }
        Format::Gif => {
            let mut decoder = GifDecoder::new(reader).map_err(explained)?;
            sized(&mut decoder, limits, halt)?;
            Ok(Some(decoder.into_frames()))
        }
        Format::WebP => {
            webp::check_sizes(bytes)?;
            let mut decoder = WebPDecoder::new(reader).map_err(explained)?;
            if !decoder.has_animation() {
                return Ok(None);
            }
            sized(&mut decoder, limits, halt)?;
            Ok(Some(decoder.into_frames()))
        }
    }
}

fn sized(decoder: &mut impl ImageDecoder, limits: &Limits, halt: &Halt) -> Result<(), Fault> {
    let (width, height) = decoder.dimensions();
    limits.check_size(width, height)?;
    decoder
        .set_limits(limits.of_decoders())
        .map_err(|error| halt.explain(error))
}
