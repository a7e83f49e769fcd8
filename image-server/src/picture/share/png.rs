//! A PNG without its texts.

use bytes::Bytes;
use image::metadata::Orientation;
use img_parts::png::Png;

use crate::picture::Fault;

/// What is needed to show it; all else is left out.
const SHOWN: [[u8; 4]; 18] = [
    *b"IHDR", *b"PLTE", *b"IDAT", *b"IEND", *b"tRNS", *b"bKGD", *b"sBIT", *b"pHYs", *b"gAMA",
    *b"cHRM", *b"sRGB", *b"iCCP", *b"cICP", *b"mDCV", *b"cLLI", *b"acTL", *b"fcTL", *b"fdAT",
];

fn open(bytes: &[u8]) -> Result<Png, Fault> {
    Png::from_bytes(Bytes::copy_from_slice(bytes)).map_err(Fault::broken)
}

pub(super) fn orientation(bytes: &[u8]) -> Option<Orientation> {
    let png = open(bytes).ok()?;
    super::stated(png.chunk_by_type(*b"eXIf")?.contents())
}

pub(super) fn cleaned(bytes: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut png = open(bytes)?;
    png.chunks_mut()
        .retain(|chunk| SHOWN.contains(&chunk.kind()));
    Ok(png.encoder().bytes().to_vec())
}
