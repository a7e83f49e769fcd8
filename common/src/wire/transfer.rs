//! The file frame and the four packages in it: pieces going up, pieces coming down.
//!
//! File contents are slices of what was received. Names are bytes: whether one is an MD5, or
//! harmless at all, is decided where files are kept.

use bytes::{Bytes, BytesMut};
use thiserror::Error;

use super::quirk;
use super::stream::{Malformed, PREFIX_BYTES, Reader, put_length, string_bytes};

/// The largest body a header may announce: 50 MiB.
pub const BODY_BYTES_MAX: usize = 50 * 1024 * 1024;

/// The size of the body, eight bytes.
pub const HEADER_BYTES: usize = 8;

/// What a PC sends at a time, and gets at a time with [`NET_BROADBAND`]: 512 KiB.
pub const CHUNK_BYTES: usize = 512 * 1024;

/// What Android sends at a time, and who says [`NET_CELLULAR`] gets at a time: 64 KiB.
pub const CHUNK_BYTES_CELLULAR: usize = 64 * 1024;

pub const NET_BROADBAND: i32 = 0;
pub const NET_CELLULAR: i32 = 1;

pub(super) const UPLOAD: i32 = 1;
pub(super) const UPLOAD_REPLY: i32 = 2;
pub(super) const DOWNLOAD: i32 = 3;
pub(super) const DOWNLOAD_REPLY: i32 = 4;

/// The member `code` of a [`TransferReply`].
pub mod code {
    /// More is to come, in whichever direction.
    pub const IN_PROGRESS: i32 = 1;
    pub const COMPLETE: i32 = 2;
    pub const MISSING: i32 = 3;
}

/// What a client says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransferRequest {
    Upload {
        seq: i32,
        name: Bytes,
        /// Where `data` begins in the file.
        offset: i64,
        /// The whole file's size.
        size: i64,
        data: Bytes,
    },
    Download {
        seq: i32,
        name: Bytes,
        net_type: i32,
    },
}

/// Which request a reply belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferKind {
    Upload,
    Download,
}

/// What a server says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferReply {
    pub kind: TransferKind,
    pub seq: i32,
    /// One of [`code`].
    pub code: i32,
    /// The name in the request, byte for byte.
    pub name: Bytes,
    pub offset: i64,
    pub size: i64,
    pub data: Bytes,
}

/// Why the bytes are no frame, or its body no transfer. The connection cannot be used further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TransferError {
    #[error("the header announces a body of {0} bytes")]
    Size(i64),
    #[error("a field is wrong: {0}")]
    Body(#[from] Malformed),
    #[error("command {0} does not exist")]
    Command(i32),
    #[error("the file's name is empty")]
    EmptyName,
}

impl TransferError {
    /// A short stable name for logs and counters.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Size(_) => "package_size",
            Self::Body(field) => field.reason(),
            Self::Command(_) => "command",
            Self::EmptyName => "empty_name",
        }
    }
}

/// Cuts frames from a byte stream.
#[derive(Clone, Copy, Debug)]
pub struct Decoder {
    body_max: usize,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new(BODY_BYTES_MAX)
    }
}

impl Decoder {
    /// With the largest body to accept, in bytes.
    pub fn new(body_max: usize) -> Self {
        Self { body_max }
    }

    /// The server's side: takes one request from the front of `buffer`; `None` if it is not all
    /// there. The buffer is never grown here.
    pub fn request(&self, buffer: &mut BytesMut) -> Result<Option<TransferRequest>, TransferError> {
        let Some(body) = self.body(buffer)? else {
            return Ok(None);
        };
        let mut fields = Reader::body(&body)?;
        let command = fields.i32()?;
        let seq = fields.i32()?;
        match command {
            UPLOAD => {
                let file = file_fields(&mut fields, &body)?;
                Ok(Some(TransferRequest::Upload {
                    seq,
                    name: file.name,
                    offset: file.offset,
                    size: file.size,
                    data: file.data,
                }))
            }
            DOWNLOAD => {
                let file = file_fields(&mut fields, &body)?;
                // Android writes an empty string before this: it reads as 0, a byte is left over.
                let net_type = fields.i32()?;
                Ok(Some(TransferRequest::Download {
                    seq,
                    name: file.name,
                    net_type,
                }))
            }
            other => Err(TransferError::Command(other)),
        }
    }

    /// The client's side: takes one reply from the front of `buffer`; `None` if it is not all
    /// there. The buffer is never grown here.
    pub fn reply(&self, buffer: &mut BytesMut) -> Result<Option<TransferReply>, TransferError> {
        let Some(body) = self.body(buffer)? else {
            return Ok(None);
        };
        let mut fields = Reader::body(&body)?;
        let kind = match fields.i32()? {
            UPLOAD_REPLY => TransferKind::Upload,
            DOWNLOAD_REPLY => TransferKind::Download,
            other => return Err(TransferError::Command(other)),
        };
        let seq = fields.i32()?;
        let code = fields.i32()?;
        let file = file_fields(&mut fields, &body)?;
        Ok(Some(TransferReply {
            kind,
            seq,
            code,
            name: file.name,
            offset: file.offset,
            size: file.size,
            data: file.data,
        }))
    }

    fn body(&self, buffer: &mut BytesMut) -> Result<Option<Bytes>, TransferError> {
        let Some(size) = body_size(buffer, self.body_max)? else {
            return Ok(None);
        };
        if buffer.len() < HEADER_BYTES + size {
            return Ok(None);
        }
        let frame = buffer.split_to(HEADER_BYTES + size).freeze();
        Ok(Some(frame.slice(HEADER_BYTES..)))
    }
}

/// The size of the body at the front of `buffer`; `None` if that cannot be told yet.
pub(super) fn body_size(buffer: &[u8], body_max: usize) -> Result<Option<usize>, TransferError> {
    let Some(header) = buffer.first_chunk::<HEADER_BYTES>() else {
        return Ok(None);
    };
    let announced = i64::from_le_bytes(*header);
    let wrong = TransferError::Size(announced);
    let fits = |size: &usize| (1..=body_max).contains(size);
    let claimed = usize::try_from(announced).ok().filter(fits).ok_or(wrong)?;
    let [s0, s1, s2, s3, ..] = *header;
    let size = match buffer[HEADER_BYTES..].first_chunk::<4>() {
        Some(total) => quirk::meant(claimed, [s0, s1, s2, s3], *total, quirk::file_size),
        // Too short to hold a total, so there is nothing to wait for.
        None if claimed < 4 => claimed,
        None => return Ok(None),
    };
    if !fits(&size) {
        return Err(wrong);
    }
    Ok(Some(size))
}

struct FileFields {
    name: Bytes,
    offset: i64,
    size: i64,
    data: Bytes,
}

fn file_fields(fields: &mut Reader<'_>, body: &Bytes) -> Result<FileFields, TransferError> {
    let name = fields.bytes()?;
    if name.is_empty() {
        return Err(TransferError::EmptyName);
    }
    let offset = fields.int64()?;
    let size = fields.int64()?;
    let data = fields.bytes()?;
    Ok(FileFields {
        name: body.slice_ref(name),
        offset,
        size,
        data: body.slice_ref(data),
    })
}

/// Whose habits a request is written with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    #[default]
    Pc,
    /// The total leaves out the prefix, the header is miscalculated, a download has a field more.
    Android,
}

/// A body above the limit of every reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a body of {bytes} bytes is too large to send (the limit is 50 MiB)")]
pub struct TooLarge {
    pub bytes: usize,
}

impl TransferRequest {
    /// Appends a frame to `out`, copying the file's bytes once. On an error `out` is as it was.
    pub fn encode(&self, style: Style, out: &mut Vec<u8>) -> Result<(), TooLarge> {
        match self {
            Self::Upload {
                seq,
                name,
                offset,
                size,
                data,
            } => put_frame(
                style,
                &[UPLOAD, *seq],
                (name, *offset, *size, data),
                &[],
                out,
            ),
            Self::Download {
                seq,
                name,
                net_type,
            } => {
                let mut tail = Vec::with_capacity(5);
                if style == Style::Android {
                    put_length(&mut tail, 0);
                }
                tail.extend_from_slice(&net_type.to_be_bytes());
                put_frame(style, &[DOWNLOAD, *seq], (name, 0, 0, &[]), &tail, out)
            }
        }
    }
}

impl TransferReply {
    /// Appends a frame to `out`, copying the file's bytes once. On an error `out` is as it was.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), TooLarge> {
        let command = match self.kind {
            TransferKind::Upload => UPLOAD_REPLY,
            TransferKind::Download => DOWNLOAD_REPLY,
        };
        let numbers = [command, self.seq, self.code];
        let file = (&self.name[..], self.offset, self.size, &self.data[..]);
        put_frame(Style::Pc, &numbers, file, &[], out)
    }
}

fn put_frame(
    style: Style,
    numbers: &[i32],
    (name, offset, size, data): (&[u8], i64, i64, &[u8]),
    tail: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), TooLarge> {
    let (offset, size) = (offset.to_string(), size.to_string());
    let strings = [name, offset.as_bytes(), size.as_bytes(), data];
    let bytes = strings
        .iter()
        .map(|string| string_bytes(string.len()))
        .fold(
            PREFIX_BYTES + 4 * numbers.len() + tail.len(),
            usize::saturating_add,
        );
    let body = u32::try_from(bytes)
        .ok()
        .filter(|_| bytes <= BODY_BYTES_MAX)
        .ok_or(TooLarge { bytes })?;
    let prefix = u32::try_from(PREFIX_BYTES).expect("six");
    let (header, total) = match style {
        Style::Pc => (body.to_le_bytes(), body),
        Style::Android => (quirk::file_size(body), body - prefix),
    };
    out.reserve(HEADER_BYTES + bytes);
    out.extend_from_slice(&header);
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&total.to_be_bytes());
    out.extend_from_slice(&[0, 0]);
    for number in numbers {
        out.extend_from_slice(&number.to_be_bytes());
    }
    for string in strings {
        put_length(out, string.len());
        out.extend_from_slice(string);
    }
    out.extend_from_slice(tail);
    Ok(())
}

#[cfg(test)]
#[path = "transfer_tests.rs"]
mod tests;
