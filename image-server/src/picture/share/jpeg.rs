//! A JPEG without what its segments tell.

use image::metadata::Orientation;

use crate::picture::Fault;
use crate::picture::jpeg::segments;

/// Markers of the segments in which programs keep what they like, and of comments.
const APP0: u8 = 0xe0;
const APP1: u8 = 0xe1;
const APP2: u8 = 0xe2;
const APP14: u8 = 0xee;
const APP15: u8 = 0xef;
const COM: u8 = 0xfe;

/// Where a JFIF segment says how large its own small picture is, and its length without one.
const JFIF_BYTES: usize = 14;

pub(super) fn orientation(bytes: &[u8]) -> Option<Orientation> {
    let (segments, _) = segments(bytes);
    segments
        .iter()
        .filter(|segment| segment.marker == APP1)
        .find_map(|segment| super::stated(segment.content.strip_prefix(b"Exif\0\0")?))
}

pub(super) fn cleaned(bytes: &[u8]) -> Result<Vec<u8>, Fault> {
    let (segments, _) = segments(bytes);
    if segments.is_empty() {
        return Err(Fault::Truncated);
    }
    let mut cleaned = vec![0xff, 0xd8];
    for segment in segments {
        let content = segment.content;
        match segment.marker {
            APP0 if content.starts_with(b"JFIF\0") && content.len() >= JFIF_BYTES => {
                // Its small picture would show what somebody has cut away.
                cleaned.extend([0xff, APP0, 0, 16]);
                cleaned.extend_from_slice(&content[..JFIF_BYTES - 2]);
                cleaned.extend([0, 0]);
            }
            APP2 if content.starts_with(b"ICC_PROFILE\0") => {
                cleaned.extend_from_slice(segment.whole);
            }
            // Tells how the colors are coded.
            APP14 if content.starts_with(b"Adobe") => cleaned.extend_from_slice(segment.whole),
            APP0..=APP15 | COM => {}
            _ => cleaned.extend_from_slice(segment.whole),
        }
    }
    cleaned.extend([0xff, 0xd9]);
    Ok(cleaned)
}
