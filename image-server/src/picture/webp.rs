//! Sizes within a WebP file, looked at before it is decoded.
//!
//! The decoder takes memory for a lossy picture by what that picture says, and compares this with
//! the size of the file only when it is done. Knows nothing of pixels.

use super::Fault;

/// Where the first chunk stands.
const FIRST: usize = 12;

/// What a chunk has in front of its content: its kind and its length.
const HEADER_BYTES: usize = 8;

/// What a frame has in front of its chunks: where it stands, and for how long.
const FRAME_BYTES: usize = 16;

/// A frame has its transparency and its colors.
const CHUNKS_OF_A_FRAME: usize = 2;

struct Chunk<'a> {
    kind: [u8; 4],
    /// Where its content begins.
    content: usize,
    /// As it says; it may end sooner.
    length: usize,
    bytes: &'a [u8],
}

impl<'a> Chunk<'a> {
    fn at(bytes: &'a [u8], at: usize) -> Option<Self> {
        let header = bytes.get(at..at.checked_add(HEADER_BYTES)?)?;
        let (kind, length) = header.split_first_chunk()?;
        let length = u32::from_le_bytes(*length.first_chunk()?);
        Some(Self {
            kind: *kind,
            content: at + HEADER_BYTES,
            length: usize::try_from(length).ok()?,
            bytes,
        })
    }

    fn content(&self) -> &'a [u8] {
        self.bytes.get(self.content..).unwrap_or_default()
    }

    /// The one behind it. A length that is odd is made even.
    fn next(&self) -> Option<Self> {
        let length = self.length.checked_next_multiple_of(2)?;
        Self::at(self.bytes, self.content.checked_add(length)?)
    }
}

/// What the file says that it is, as width and height.
struct Canvas(u32, u32);

impl Canvas {
    /// Fails if this is a lossy picture that is larger.
    fn holds(&self, chunk: &Chunk<'_>) -> Result<(), Fault> {
        let Some(&[_, _, _, _, _, _, w0, w1, h0, h1]) = chunk.content().first_chunk() else {
            return Ok(());
        };
        // The two bits above say how it is to be shown.
        let side = |low, high| u32::from(u16::from_le_bytes([low, high]) & 0x3fff);
        let (width, height) = (side(w0, w1), side(h0, h1));
        if chunk.kind == *b"VP8 " && (width > self.0 || height > self.1) {
            let larger = "a picture in it is larger than the file says".to_owned();
            return Err(Fault::Broken(larger));
        }
        Ok(())
    }

    fn holds_frame(&self, frame: &Chunk<'_>) -> Result<(), Fault> {
        let mut next = Chunk::at(frame.bytes, frame.content + FRAME_BYTES);
        for _ in 0..CHUNKS_OF_A_FRAME {
            let Some(chunk) = next else {
                return Ok(());
            };
            self.holds(&chunk)?;
            next = chunk.next();
        }
        Ok(())
    }
}

/// # Errors
/// [`Fault::Broken`], if a picture within the file is larger than the file says that it is.
pub(super) fn check_sizes(bytes: &[u8]) -> Result<(), Fault> {
    let Some(header) = Chunk::at(bytes, FIRST).filter(|first| first.kind == *b"VP8X") else {
        // A picture alone, which is the size of the file.
        return Ok(());
    };
    let Some(&[_, _, _, _, w0, w1, w2, h0, h1, h2]) = header.content().first_chunk() else {
        return Ok(());
    };
    let side = |low, middle, high| 1 + u32::from_le_bytes([low, middle, high, 0]);
    let canvas = Canvas(side(w0, w1, w2), side(h0, h1, h2));
    let (mut next, mut first_frame) = (header.next(), None);
    while let Some(chunk) = next {
        if chunk.kind == *b"ANMF" {
            canvas.holds_frame(&chunk)?;
            first_frame = first_frame.or(Some(chunk.content - HEADER_BYTES));
        }
        canvas.holds(&chunk)?;
        next = chunk.next();
    }
    // From frame to frame the decoder goes by their lengths as they are.
    let mut next = first_frame;
    while let Some(frame) = next.and_then(|at| Chunk::at(bytes, at)) {
        if frame.kind != *b"ANMF" {
            break;
        }
        canvas.holds_frame(&frame)?;
        next = frame.content.checked_add(frame.length);
    }
    Ok(())
}
