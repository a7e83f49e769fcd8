//! Animations made smaller: a WebP that moves.
//!
//! Each frame stands for itself and is encoded alone. Frames that build on one another would make
//! smaller files, but then all of them have to be in memory at a time.

use bytes::{BufMut, Bytes, BytesMut};
use image::metadata::Orientation;
use image::{DynamicImage, Frame};
use img_parts::riff::{RiffChunk, RiffContent};
use img_parts::webp::{
    CHUNK_ALPH, CHUNK_ANIM, CHUNK_ANMF, CHUNK_VP8, CHUNK_VP8L, CHUNK_VP8X, WebP,
};

use super::canvas::{self, Fit};
use super::encode::{self, RENDITION_QUALITY};
use super::{Fault, Format, Halt, Limits, animation};

/// All frames of a rendition together; what has more is shown still. At some 25 million pixels a
/// second it takes three seconds to encode.
const PIXELS_MAX: u64 = 80_000_000;

/// The longest a frame can be shown: three bytes of milliseconds.
const MILLISECONDS_MAX: u64 = (1 << 24) - 1;

/// Flags of the header: there are frames, there is transparency.
const MOVES: u8 = 0x02;
const TRANSPARENT: u8 = 0x10;

/// Flag of a frame: it replaces what was there, and is not laid over it.
const REPLACES: u8 = 0x02;

/// One frame of the rendition.
struct Shown {
    pixels: DynamicImage,
    milliseconds: u64,
}

/// Makes a smaller animation; `None` if there is nothing that moves, or too much of it.
pub(super) fn webp(
    bytes: &[u8],
    format: Format,
    fit: Fit,
    limits: &Limits,
    halt: &Halt,
) -> Result<Option<Vec<u8>>, Fault> {
    let mut film = Film::default();
    let mut waiting: Option<Shown> = None;
    let counted = animation::frames(bytes, format, limits, halt, |frame| {
        let next = shown(frame, fit)?;
        match &mut waiting {
            // Many animations hold a picture by repeating it.
            Some(before) if before.pixels == next.pixels => {
                before.milliseconds += next.milliseconds;
                Ok(())
            }
            _ => match waiting.replace(next) {
                Some(before) => film.add(&before),
                None => Ok(()),
            },
        }
    });
    match counted {
        Err(_) if film.pixels > PIXELS_MAX => return Ok(None),
        counted => counted?,
    };
    match waiting {
        Some(last) if !film.frames.is_empty() => film.add(&last)?,
        _ => return Ok(None),
    }
    Ok(Some(film.into_bytes()))
}

fn shown(frame: Frame, fit: Fit) -> Result<Shown, Fault> {
    let (numerator, denominator) = frame.delay().numer_denom_ms();
    let milliseconds = u64::from(numerator) / u64::from(denominator.max(1));
    let pixels = DynamicImage::ImageRgba8(frame.into_buffer());
    Ok(Shown {
        pixels: canvas::fitted(pixels, fit, Orientation::NoTransforms)?,
        milliseconds,
    })
}

/// The encoded frames.
#[derive(Default)]
struct Film {
    size: (u32, u32),
    frames: Vec<RiffChunk>,
    pixels: u64,
}

impl Film {
    fn add(&mut self, shown: &Shown) -> Result<(), Fault> {
        let (width, height) = (shown.pixels.width(), shown.pixels.height());
        self.pixels += u64::from(width) * u64::from(height);
        if self.pixels > PIXELS_MAX {
            return Err(Fault::Slow);
        }
        self.size = (width, height);
        let still = encode::webp(&shown.pixels, RENDITION_QUALITY)?;
        let still = WebP::from_bytes(Bytes::from(still)).map_err(Fault::broken)?;
        let mut content = BytesMut::new();
        // Where it stands, then how large it is, then how long it stays.
        for number in [0, 0, width - 1, height - 1] {
            put_u24(&mut content, number);
        }
        let milliseconds = shown.milliseconds.min(MILLISECONDS_MAX);
        put_u24(&mut content, u32::try_from(milliseconds).unwrap_or(0));
        content.put_u8(REPLACES);
        for chunk in still.chunks() {
            if matches!(chunk.id(), CHUNK_ALPH | CHUNK_VP8 | CHUNK_VP8L) {
                content.put(chunk.clone().encoder().bytes());
            }
        }
        let content = RiffContent::Data(content.freeze());
        self.frames.push(RiffChunk::new(CHUNK_ANMF, content));
        Ok(())
    }

    fn into_bytes(self) -> Vec<u8> {
        let (width, height) = self.size;
        let mut header = BytesMut::new();
        header.put_slice(&[MOVES | TRANSPARENT, 0, 0, 0]);
        put_u24(&mut header, width - 1);
        put_u24(&mut header, height - 1);
        // A background that nobody sees, and 0: again and again.
        let forever = Bytes::from_static(&[0; 6]);
        let mut subchunks = vec![
            RiffChunk::new(CHUNK_VP8X, RiffContent::Data(header.freeze())),
            RiffChunk::new(CHUNK_ANIM, RiffContent::Data(forever)),
        ];
        subchunks.extend(self.frames);
        let kind = Some(*b"WEBP");
        let riff = RiffChunk::new(*b"RIFF", RiffContent::List { kind, subchunks });
        riff.encoder().bytes().to_vec()
    }
}

fn put_u24(into: &mut BytesMut, number: u32) {
    into.put_uint_le(u64::from(number), 3);
}
