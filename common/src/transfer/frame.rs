//! The file frame as a server streams it: a request's head is understood as soon as it has arrived,
//! and an answer's head is written before its content is read from the disk.
//!
//! Whole frames in memory are what a client needs; a server with a thousand uploads of 50 MiB
//! cannot afford them. Pure: bytes to values and back.

use bytes::{BufMut, BytesMut};
use thiserror::Error;

/// The largest body, set by the original server.
pub(super) const BODY_BYTES_MAX: u64 = 50 << 20;

/// The longest name that is taken notice of: the longest file name of the usual file systems.
const NAME_BYTES_MAX: u64 = 255;

/// Numbers travel as decimal text; the old servers read at most so much of it.
const NUMBER_BYTES_MAX: u64 = 128;

/// No head is longer: size, total, checksum, command, sequence number, the name, two numbers and
/// three lengths of at most five bytes make 552.
pub(super) const HEAD_BYTES_MAX: usize = 1024;

const SIZE_BYTES: u64 = 8;
/// The body's own length and checksum, which the old clients count differently or not at all.
const PREFIX_BYTES: u32 = 6;

const UPLOAD: i32 = 1;
const UPLOAD_ANSWER: i32 = 2;
const DOWNLOAD: i32 = 3;
const DOWNLOAD_ANSWER: i32 = 4;

/// Bytes that are no request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(super) enum FrameError {
    #[error("a body of {0} bytes; 1 to {BODY_BYTES_MAX} are possible")]
    BodySize(i64),
    #[error("a field reaches past the end of the body")]
    PastEnd,
    #[error("a length of more than five bytes")]
    Length,
    #[error("unknown command {0}")]
    Command(i32),
    #[error("a name of {0} bytes; 1 to {NAME_BYTES_MAX} are possible")]
    Name(u64),
    #[error("a number of {0} bytes; at most {NUMBER_BYTES_MAX} are possible")]
    Number(u64),
    #[error("the network type is missing")]
    NetType,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Upload,
    Download,
}

/// Everything of a request that comes before its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) command: Command,
    pub(super) seq: i32,
    /// As sent: the answer must repeat it byte for byte.
    pub(super) name: Vec<u8>,
    pub(super) offset: i64,
    pub(super) size: i64,
    pub(super) content_len: u64,
    /// Bytes of the body behind the content.
    pub(super) tail_len: u64,
}

/// Reads the head at the beginning of `bytes` and tells its length; `None` if more must arrive.
/// What can be judged is judged at once, not when the rest has come.
pub(super) fn read_head(bytes: &[u8]) -> Result<Option<(Head, usize)>, FrameError> {
    match (Reader {
        bytes,
        at: 0,
        end: SIZE_BYTES,
    })
    .head()
    {
        Ok(found) => Ok(Some(found)),
        Err(Stop::More) => Ok(None),
        Err(Stop::Bad(error)) => Err(error),
    }
}

enum Stop {
    More,
    Bad(FrameError),
}

impl From<FrameError> for Stop {
    fn from(error: FrameError) -> Self {
        Self::Bad(error)
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Where the body ends, counted like `at`; it may not have arrived.
    end: u64,
}

impl<'a> Reader<'a> {
    fn head(mut self) -> Result<(Head, usize), Stop> {
        let size = self.array::<8>()?;
        let body = i64::from_le_bytes(size);
        let wrong = FrameError::BodySize(body);
        let body = u64::try_from(body).map_err(|_| wrong)?;
        if !(1..=BODY_BYTES_MAX).contains(&body) {
            return Err(wrong.into());
        }
        self.end += body;
        let total = u32::from_be_bytes(self.array()?);
        if let Some(meant) = android_body(size, total) {
            self.end = SIZE_BYTES + meant;
        }
        let _checksum = self.array::<2>()?;
        let command = match i32::from_be_bytes(self.array()?) {
            UPLOAD => Command::Upload,
            DOWNLOAD => Command::Download,
            other => return Err(FrameError::Command(other).into()),
        };
        let seq = i32::from_be_bytes(self.array()?);
        let name = self.text(1, NAME_BYTES_MAX, FrameError::Name)?.to_vec();
        let offset = number(self.text(0, NUMBER_BYTES_MAX, FrameError::Number)?);
        let size = number(self.text(0, NUMBER_BYTES_MAX, FrameError::Number)?);
        let content_len = self.length()?;
        let left = self.left();
        let tail_len = left.checked_sub(content_len).ok_or(FrameError::PastEnd)?;
        if command == Command::Download && tail_len < 4 {
            return Err(FrameError::NetType.into());
        }
        let head = Head {
            command,
            seq,
            name,
            offset,
            size,
            content_len,
            tail_len,
        };
        Ok((head, self.at))
    }

    fn left(&self) -> u64 {
        self.end
            .saturating_sub(u64::try_from(self.at).unwrap_or(u64::MAX))
    }

    fn take(&mut self, count: u64) -> Result<&'a [u8], Stop> {
        if count > self.left() {
            return Err(FrameError::PastEnd.into());
        }
        let count = usize::try_from(count).map_err(|_| FrameError::PastEnd)?;
        let found = self.bytes.get(self.at..self.at + count).ok_or(Stop::More)?;
        self.at += count;
        Ok(found)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Stop> {
        let found = self.take(u64::try_from(N).unwrap_or(u64::MAX))?;
        found.try_into().map_err(|_| Stop::More)
    }

    /// Seven bits a byte, the lowest first; the highest bit says that another byte follows.
    fn length(&mut self) -> Result<u64, Stop> {
        let mut length = 0_u64;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.array::<1>()?;
            length |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(length);
            }
        }
        Err(FrameError::Length.into())
    }

    fn text(&mut self, min: u64, max: u64, wrong: fn(u64) -> FrameError) -> Result<&'a [u8], Stop> {
        let length = self.length()?;
        if length > self.left() {
            return Err(FrameError::PastEnd.into());
        }
        if !(min..=max).contains(&length) {
            return Err(wrong(length).into());
        }
        self.take(length)
    }
}

/// A number as C reads it: blanks, a sign, digits, and whatever follows does not count.
fn number(text: &[u8]) -> i64 {
    let text = text.trim_ascii_start();
    let (negative, digits) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    };
    let digits = digits.iter().take_while(|digit| digit.is_ascii_digit());
    digits.fold(0_i64, |number, digit| {
        let digit = i64::from(digit - b'0');
        let number = number.saturating_mul(10);
        if negative {
            number.saturating_sub(digit)
        } else {
            number.saturating_add(digit)
        }
    })
}

/// The body size that the Android client meant, if its size bytes show its arithmetic mistake. Its
/// `total`, unlike everybody else's, leaves out the prefix, and is always right.
fn android_body(size: [u8; 8], total: u32) -> Option<u64> {
    let meant = total.checked_add(PREFIX_BYTES)?;
    let claimed = u64::from_le_bytes(size);
    let honest = claimed == u64::from(total) || claimed == u64::from(meant);
    let misled = !honest && android_size(meant) == size && u64::from(meant) <= BODY_BYTES_MAX;
    misled.then_some(u64::from(meant))
}

/// How the Android client writes a size: little endian, but adding up its bytes as signed numbers.
fn android_size(size: u32) -> [u8; 8] {
    let sum = size.to_le_bytes().iter().fold(0_i64, |sum, byte| {
        (sum << 8) + i64::from(i8::from_le_bytes([*byte]))
    });
    let low = sum.to_be_bytes();
    [low[4], low[5], low[6], low[7], 0, 0, 0, 0]
}

/// How far a transfer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    Partial,
    Complete,
    Missing,
}

impl Progress {
    fn code(self) -> i32 {
        match self {
            Self::Partial => 1,
            Self::Complete => 2,
            Self::Missing => 3,
        }
    }
}

/// The answer to the request with this head, up to where its content begins.
pub(super) fn write_head(
    request: &Head,
    progress: Progress,
    offset: u64,
    size: u64,
    content_len: u64,
) -> BytesMut {
    let command = match request.command {
        Command::Upload => UPLOAD_ANSWER,
        Command::Download => DOWNLOAD_ANSWER,
    };
    let mut fields = BytesMut::with_capacity(64 + request.name.len());
    fields.put_i32(command);
    fields.put_i32(request.seq);
    fields.put_i32(progress.code());
    for text in [
        request.name.as_slice(),
        offset.to_string().as_bytes(),
        size.to_string().as_bytes(),
    ] {
        put_length(&mut fields, u64::try_from(text.len()).unwrap_or(0));
        fields.extend_from_slice(text);
    }
    put_length(&mut fields, content_len);
    let body =
        u64::from(PREFIX_BYTES) + u64::try_from(fields.len()).unwrap_or(u64::MAX) + content_len;
    let mut head = BytesMut::with_capacity(fields.len() + 14);
    head.put_u64_le(body);
    // An answer carries at most 512 KiB, so its length always fits.
    head.put_u32(u32::try_from(body).unwrap_or(u32::MAX));
    head.put_u16(0);
    head.extend_from_slice(&fields);
    head
}

fn put_length(into: &mut BytesMut, mut length: u64) {
    loop {
        let [low, ..] = (length & 0x7f).to_le_bytes();
        length >>= 7;
        if length == 0 {
            into.put_u8(low);
            return;
        }
        into.put_u8(low | 0x80);
    }
}

#[cfg(test)]
#[path = "frame_tests.rs"]
mod tests;
