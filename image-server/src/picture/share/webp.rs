//! A WebP without what was put beside its pixels.

use bytes::Bytes;
use image::metadata::Orientation;
use img_parts::ImageICC;
use img_parts::riff::{RiffChunk, RiffContent};
use img_parts::webp::{
    CHUNK_ALPH, CHUNK_ANIM, CHUNK_ANMF, CHUNK_EXIF, CHUNK_ICCP, CHUNK_VP8, CHUNK_VP8L, CHUNK_VP8X,
    WebP,
};

use crate::picture::Fault;

/// What is needed to show it; all else is left out.
const SHOWN: [[u8; 4]; 7] = [
    CHUNK_VP8X, CHUNK_ICCP, CHUNK_ANIM, CHUNK_ANMF, CHUNK_ALPH, CHUNK_VP8, CHUNK_VP8L,
];

fn open(bytes: &[u8]) -> Result<WebP, Fault> {
    WebP::from_bytes(Bytes::copy_from_slice(bytes)).map_err(Fault::broken)
}

pub(super) fn orientation(bytes: &[u8]) -> Option<Orientation> {
    let webp = open(bytes).ok()?;
    // Nothing turns an animation.
    if webp.has_chunk(CHUNK_ANIM) {
        return None;
    }
    super::stated(webp.chunk_by_id(CHUNK_EXIF)?.content().data()?)
}

/// Flags of the header: there is EXIF, there is XMP.
const TOLD: u8 = 0x08 | 0x04;

pub(super) fn cleaned(bytes: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut webp = open(bytes)?;
    webp.chunks_mut()
        .retain(|chunk| SHOWN.contains(&chunk.id()));
    let header = webp
        .chunks_mut()
        .iter_mut()
        .find(|chunk| chunk.id() == CHUNK_VP8X);
    if let Some(RiffContent::Data(data)) = header.map(RiffChunk::content_mut) {
        let mut flags = data.to_vec();
        if let Some(first) = flags.first_mut() {
            *first &= !TOLD;
        }
        *data = flags.into();
    }
    Ok(webp.encoder().bytes().to_vec())
}

/// With a color profile put into it.
pub(super) fn profiled(bytes: Vec<u8>, profile: Option<&[u8]>) -> Result<Vec<u8>, Fault> {
    let Some(profile) = profile else {
        return Ok(bytes);
    };
    let mut webp = WebP::from_bytes(Bytes::from(bytes)).map_err(Fault::broken)?;
    webp.set_icc_profile(Some(Bytes::copy_from_slice(profile)));
    Ok(webp.encoder().bytes().to_vec())
}
