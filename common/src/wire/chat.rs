//! The chat frame: a 25-byte header and a body that is a command, its number and its data.
//!
//! Decides what is a frame and what is not; knows nothing of what a command means.

use std::cell::RefCell;

use bytes::{Bytes, BytesMut};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use thiserror::Error;

use super::quirk;
use super::stream::{Malformed, PREFIX_BYTES, Reader, put_length, string_bytes};

/// The largest body a header may announce, on the wire and inflated: 10 MiB.
pub const BODY_BYTES_MAX: usize = 10 * 1024 * 1024;

/// Flag, two sizes of four bytes, sixteen reserved bytes.
pub const HEADER_BYTES: usize = 25;

const FLAG_ZLIB: u8 = 1;

/// Zlib makes what it cannot compress a little larger: 5 bytes for each stored block of 16 KiB and
/// 6 around. Far more than that on the wire cannot come from honest compression.
const ZLIB_GROWTH_BYTES_MAX: usize = 4096;

/// One command, request, reply or push.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packet {
    pub command: i32,
    pub seq: i32,
    pub data: Bytes,
    /// The fields behind `data`, as they stand in the body; read them with [`Reader::new`].
    pub trailing: Bytes,
}

impl Packet {
    /// A packet without fields behind its data.
    pub fn new(command: i32, seq: i32, data: impl Into<Bytes>) -> Self {
        Self {
            command,
            seq,
            data: data.into(),
            trailing: Bytes::new(),
        }
    }

    /// The same with `trailing`, made with [`super::stream::Writer::fields`].
    #[must_use]
    pub fn with_trailing(mut self, trailing: impl Into<Bytes>) -> Self {
        self.trailing = trailing.into();
        self
    }

    /// The data together with everything behind it. Android counts UTF-16 units where bytes are
    /// meant in its register and login requests, so that their true end is the end of the body.
    pub fn data_to_end(&self) -> Bytes {
        [&self.data[..], &self.trailing[..]].concat().into()
    }

    /// The length of the body that [`encode`] would write.
    pub fn body_bytes(&self) -> usize {
        (PREFIX_BYTES + 8)
            .saturating_add(string_bytes(self.data.len()))
            .saturating_add(self.trailing.len())
    }
}

/// Why the bytes are no frame. The connection cannot be read any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FrameError {
    #[error("the header announces a body of {0} bytes")]
    OriginSize(i32),
    #[error("the header announces a compressed body of {0} bytes")]
    CompressSize(i32),
    #[error("a body of {0} bytes is too much from somebody who has not logged in")]
    TooMuch(usize),
    #[error("the compressed body is no zlib stream")]
    Inflate,
    #[error("the compressed body inflates to more than it may")]
    InflatedTooLarge,
    #[error("the frame is whole but its body is not: {0}")]
    Body(#[from] BodyError),
}

impl FrameError {
    /// A short stable name for logs and counters.
    pub fn reason(self) -> &'static str {
        match self {
            Self::OriginSize(_) => "origin_size",
            Self::CompressSize(_) => "compress_size",
            Self::TooMuch(_) => "too_much_before_login",
            Self::Inflate => "inflate",
            Self::InflatedTooLarge => "inflated_too_large",
            Self::Body(body) => body.reason(),
        }
    }
}

/// Which of the fields that every body has is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BodyError {
    #[error("it is shorter than its prefix")]
    Prefix,
    #[error("it has no command")]
    Command,
    #[error("it has no sequence number")]
    Seq,
    #[error("its data is wrong: {0}")]
    Data(Malformed),
}

impl BodyError {
    /// A short stable name for logs and counters.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Prefix => "body_prefix",
            Self::Command => "body_command",
            Self::Seq => "body_seq",
            Self::Data(_) => "body_data",
        }
    }
}

/// How large frames may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// What a header may announce, in bytes.
    pub body_max: usize,
    /// What a body may really come to, in bytes, sent plain or inflated.
    pub inflated_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_max: BODY_BYTES_MAX,
            inflated_max: BODY_BYTES_MAX,
        }
    }
}

/// Cuts frames from a byte stream.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    limits: Limits,
}

/// What the header says: how many bytes follow, and how many they may inflate to.
#[derive(Clone, Copy)]
enum Header {
    Plain { wire: usize },
    Zlib { wire: usize, origin: usize },
}

impl Decoder {
    pub fn new(limits: Limits) -> Self {
        Self { limits }
    }

    /// Strangers get less than those who have logged in.
    pub fn set_inflated_max(&mut self, bytes: usize) {
        self.limits.inflated_max = bytes;
    }

    /// Takes exactly one frame from the front of `buffer`; `None` if it is not all there. Sizes are
    /// checked as soon as the header is there. The buffer is never grown here: what a header
    /// announces costs nothing until it arrives.
    pub fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Packet>, FrameError> {
        let Some(bytes) = buffer.first_chunk::<HEADER_BYTES>() else {
            return Ok(None);
        };
        let header = self.header(bytes)?;
        let header = match header {
            Header::Plain { wire } => match self.recover(wire, bytes, buffer)? {
                Some(wire) => Header::Plain { wire },
                None => return Ok(None),
            },
            Header::Zlib { .. } => header,
        };
        let (Header::Plain { wire } | Header::Zlib { wire, .. }) = header;
        // A header may announce more than what is kept for a stranger; it ends when so much has
        // really come.
        let kept = self
            .limits
            .inflated_max
            .saturating_add(ZLIB_GROWTH_BYTES_MAX);
        if wire.min(buffer.len() - HEADER_BYTES) > kept {
            return Err(FrameError::TooMuch(wire));
        }
        if buffer.len() < HEADER_BYTES + wire {
            return Ok(None);
        }
        let frame = buffer.split_to(HEADER_BYTES + wire).freeze();
        let body = frame.slice(HEADER_BYTES..);
        let body = match header {
            Header::Plain { .. } => body,
            Header::Zlib { origin, .. } => inflate(&body, origin.min(self.limits.inflated_max))?,
        };
        Ok(Some(packet(&body)?))
    }

    fn header(&self, bytes: &[u8; HEADER_BYTES]) -> Result<Header, FrameError> {
        let [flag, o0, o1, o2, o3, c0, c1, c2, c3, ..] = *bytes;
        let origin_size = i32::from_le_bytes([o0, o1, o2, o3]);
        let origin =
            within(origin_size, self.limits.body_max).ok_or(FrameError::OriginSize(origin_size))?;
        if flag != FLAG_ZLIB {
            return Ok(Header::Plain { wire: origin });
        }
        let compress_size = i32::from_le_bytes([c0, c1, c2, c3]);
        let wire = within(compress_size, self.limits.body_max)
            .ok_or(FrameError::CompressSize(compress_size))?;
        Ok(Header::Zlib { wire, origin })
    }

    /// The true size of a plain body, whose header may be one of Android's mistakes; `None` while
    /// the bytes that tell have not arrived.
    fn recover(
        &self,
        claimed: usize,
        header: &[u8; HEADER_BYTES],
        buffer: &[u8],
    ) -> Result<Option<usize>, FrameError> {
        let [_, o0, o1, o2, o3, ..] = *header;
        let too_large = FrameError::OriginSize(i32::from_le_bytes([o0, o1, o2, o3]));
        let size = match buffer[HEADER_BYTES..].first_chunk::<4>() {
            Some(total) => quirk::meant(claimed, [o0, o1, o2, o3], *total, quirk::chat_size),
            // Too short to hold a total, so there is nothing to wait for.
            None if claimed < 4 => claimed,
            None => return Ok(None),
        };
        if size > self.limits.body_max {
            return Err(too_large);
        }
        Ok(Some(size))
    }
}

fn within(size: i32, max: usize) -> Option<usize> {
    usize::try_from(size)
        .ok()
        .filter(|size| (1..=max).contains(size))
}

fn packet(body: &Bytes) -> Result<Packet, BodyError> {
    let mut fields = Reader::body(body).map_err(|_| BodyError::Prefix)?;
    let command = fields.i32().map_err(|_| BodyError::Command)?;
    let seq = fields.i32().map_err(|_| BodyError::Seq)?;
    let data = fields.bytes().map_err(BodyError::Data)?;
    Ok(Packet {
        command,
        seq,
        data: body.slice_ref(data),
        trailing: body.slice_ref(fields.rest()),
    })
}

// Making a compressor allocates and clears some 300 KiB; one is kept for each thread.
thread_local! {
    static INFLATER: RefCell<Decompress> = RefCell::new(Decompress::new(true));
    static DEFLATER: RefCell<Compress> = RefCell::new(Compress::new(Compression::default(), true));
}

/// Inflates one zlib stream to at most `max` bytes. What follows the stream is ignored, as zlib's
/// own `uncompress` does. The output grows with what really comes out.
fn inflate(input: &[u8], max: usize) -> Result<Bytes, FrameError> {
    // One byte more than allowed: when it gets filled, there is too much.
    let room = max.saturating_add(1);
    let mut output = Vec::with_capacity(input.len().saturating_mul(2).clamp(64, room.max(64)));
    INFLATER.with_borrow_mut(|inflater| {
        inflater.reset(true);
        let mut left = input;
        loop {
            if output.len() > max {
                return Err(FrameError::InflatedTooLarge);
            }
            if output.len() == output.capacity() {
                let more = output.len().min(room - output.len());
                output.reserve_exact(more);
            }
            let before = (inflater.total_in(), output.len());
            let status = inflater
                .decompress_vec(left, &mut output, FlushDecompress::None)
                .map_err(|_| FrameError::Inflate)?;
            let taken = usize::try_from(inflater.total_in() - before.0).unwrap_or(left.len());
            left = left.get(taken..).unwrap_or_default();
            match status {
                Status::StreamEnd if output.len() > max => {
                    return Err(FrameError::InflatedTooLarge);
                }
                Status::StreamEnd => return Ok(()),
                Status::Ok | Status::BufError => {
                    let stuck = taken == 0 && output.len() == before.1;
                    if stuck && output.len() < output.capacity() {
                        return Err(FrameError::Inflate);
                    }
                }
            }
        }
    })?;
    Ok(output.into())
}

/// How to put a packet into a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Compressed, as the existing server and PC client send everything.
    Zlib,
    /// As it is, with both sizes set, as Android needs to read it.
    Plain,
    /// Plain if the body is shorter than this many bytes, else compressed.
    PlainBelow(usize),
    /// As the Android client sends: one size, one total too small, and a miscalculated header.
    Android,
}

/// A body that no client would accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a body of {bytes} bytes is too large to send (the limit is below 10 MiB)")]
pub struct TooLarge {
    pub bytes: usize,
}

/// Appends a frame to `out`. On an error `out` is as it was.
pub fn encode(packet: &Packet, encoding: Encoding, out: &mut Vec<u8>) -> Result<(), TooLarge> {
    let bytes = packet.body_bytes();
    let size = u32::try_from(bytes)
        .ok()
        .filter(|_| bytes < BODY_BYTES_MAX)
        .ok_or(TooLarge { bytes })?;
    let mut head = Vec::with_capacity(PREFIX_BYTES + 13);
    let prefix = u32::try_from(PREFIX_BYTES).expect("six");
    let total = match encoding {
        Encoding::Android => size - prefix,
        Encoding::Zlib | Encoding::Plain | Encoding::PlainBelow(_) => size,
    };
    head.extend_from_slice(&total.to_be_bytes());
    head.extend_from_slice(&[0, 0]);
    head.extend_from_slice(&packet.command.to_be_bytes());
    head.extend_from_slice(&packet.seq.to_be_bytes());
    put_length(&mut head, packet.data.len());
    let body: [&[u8]; 3] = [&head, &packet.data, &packet.trailing];

    let compressed = match encoding {
        Encoding::Zlib => true,
        Encoding::PlainBelow(limit) => bytes >= limit,
        Encoding::Plain | Encoding::Android => false,
    };
    if compressed && put_compressed(body, size, out) {
        return Ok(());
    }
    let (origin, compress) = match encoding {
        Encoding::Android => (quirk::chat_size(size), [0; 4]),
        Encoding::Zlib | Encoding::Plain | Encoding::PlainBelow(_) => {
            (size.to_le_bytes(), size.to_le_bytes())
        }
    };
    out.reserve(HEADER_BYTES + bytes);
    put_header(out, 0, origin, compress);
    for part in body {
        out.extend_from_slice(part);
    }
    Ok(())
}

fn put_header(out: &mut Vec<u8>, flag: u8, origin: [u8; 4], compress: [u8; 4]) {
    out.push(flag);
    out.extend_from_slice(&origin);
    out.extend_from_slice(&compress);
    out.extend_from_slice(&[0; 16]);
}

/// Appends a compressed frame. `false`, and nothing appended, if compression made so much more of
/// it that it passes the limit; plain, which every program reads too, it does not.
fn put_compressed(body: [&[u8]; 3], size: u32, out: &mut Vec<u8>) -> bool {
    let start = out.len();
    put_header(out, FLAG_ZLIB, size.to_le_bytes(), [0; 4]);
    DEFLATER.with_borrow_mut(|deflater| {
        deflater.reset();
        let [head, data, trailing] = body;
        deflate(deflater, head, FlushCompress::None, out);
        deflate(deflater, data, FlushCompress::None, out);
        deflate(deflater, trailing, FlushCompress::Finish, out);
    });
    let wire = out.len() - start - HEADER_BYTES;
    match u32::try_from(wire) {
        Ok(wire_size) if wire < BODY_BYTES_MAX => {
            out[start + 5..start + 9].copy_from_slice(&wire_size.to_le_bytes());
            true
        }
        Ok(_) | Err(_) => {
            out.truncate(start);
            false
        }
    }
}

fn deflate(deflater: &mut Compress, mut input: &[u8], flush: FlushCompress, out: &mut Vec<u8>) {
    let finish = matches!(flush, FlushCompress::Finish);
    while finish || !input.is_empty() {
        out.reserve((input.len() / 4).max(256));
        let before = deflater.total_in();
        let status = deflater
            .compress_vec(input, out, flush)
            .expect("compressing fails only when used after its end");
        let taken = usize::try_from(deflater.total_in() - before).unwrap_or(input.len());
        input = input.get(taken..).unwrap_or_default();
        if matches!(status, Status::StreamEnd) {
            return;
        }
    }
}

#[cfg(test)]
#[path = "chat_tests.rs"]
mod tests;
