//! A GIF without its comments: the frames, their times and their palettes, and how often it repeats.

use gif::{DecodeOptions, DecodingError, Encoder, EncodingError, Repeat};

use crate::picture::halt::Watched;
use crate::picture::{Fault, Halt};

/// Copies the frames without decoding them. Of a GIF that breaks off, those that are whole are left.
pub(super) fn cleaned(bytes: &[u8], halt: &Halt) -> Result<Vec<u8>, Fault> {
    let broken = |error: DecodingError| halt.explain(Fault::broken(error));
    let unwritten = |error: EncodingError| halt.explain(Fault::broken(error));
    let mut options = DecodeOptions::new();
    options.skip_frame_decoding(true);
    let mut decoder = options
        .read_info(Watched::new(bytes, halt))
        .map_err(broken)?;
    let palette = decoder.global_palette().unwrap_or_default().to_vec();
    let (width, height) = (decoder.width(), decoder.height());
    let mut encoder = Encoder::new(Vec::new(), width, height, &palette).map_err(unwritten)?;
    let mut frames = 0_u32;
    loop {
        halt.check()?;
        let repeat = decoder.repeat();
        let frame = match decoder.read_next_frame() {
            Ok(Some(frame)) => frame,
            Ok(None) => break,
            Err(_) if frames > 0 => break,
            Err(error) => return Err(broken(error)),
        };
        if frames == 0 && repeat != Repeat::Finite(0) {
            encoder.set_repeat(repeat).map_err(unwritten)?;
        }
        encoder
            .write_lzw_pre_encoded_frame(frame)
            .map_err(unwritten)?;
        frames += 1;
    }
    if frames == 0 {
        return Err(Fault::Truncated);
    }
    encoder.into_inner().map_err(unwritten)
}
