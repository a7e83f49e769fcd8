//! The file frame as a server streams it: a request's head is understood as soon as it has arrived,
//! and a reply's head is written before its content is read from the disk.
//!
//! Whole frames in memory, as [`super::transfer`] has them, are what a client needs; a server with
//! a thousand uploads of 50 MiB cannot afford them.

use thiserror::Error;

use super::stream::{Malformed, PREFIX_BYTES, Reader, put_length, read_length};
use super::transfer::{
    BODY_BYTES_MAX, DOWNLOAD, DOWNLOAD_REPLY, HEADER_BYTES, TransferError, TransferKind, UPLOAD,
    UPLOAD_REPLY, body_size,
};

/// No head of an honest client is longer: size, total, checksum, command and sequence number make
/// 22, two numbers 260, the content's length 5, and 700 are left for a name.
pub const HEAD_BYTES_MAX: usize = 1024;

/// Why the bytes are no head. The connection cannot be used further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HeadError {
    #[error(transparent)]
    Frame(#[from] TransferError),
    #[error("the fields before the content are longer than {HEAD_BYTES_MAX} bytes")]
    TooLong,
}

impl From<Malformed> for HeadError {
    fn from(field: Malformed) -> Self {
        Self::Frame(field.into())
    }
}

/// Everything of a request that comes before its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub kind: TransferKind,
    pub seq: i32,
    /// As sent: the reply must repeat it byte for byte.
    pub name: Vec<u8>,
    pub offset: i64,
    pub size: i64,
    pub content_len: u64,
    /// Bytes of the body behind the content: in a download they begin with the network type.
    pub tail_len: u64,
}

/// Reads the head at the beginning of `bytes` and tells its length; `None` if more must arrive.
pub fn read_head(bytes: &[u8]) -> Result<Option<(Head, usize)>, HeadError> {
    let Some(size) = body_size(bytes, BODY_BYTES_MAX)? else {
        return Ok(None);
    };
    let arrived = bytes.get(HEADER_BYTES..).unwrap_or_default();
    let body = arrived.get(..size).unwrap_or(arrived);
    let ends_early = |error: &HeadError| {
        matches!(
            error,
            HeadError::Frame(TransferError::Body(
                Malformed::Truncated | Malformed::StringPastEnd
            ))
        )
    };
    match fields(body, size) {
        // A field that ends early does so because the rest is still to come.
        Err(error) if ends_early(&error) && body.len() < size => {
            match bytes.len() < HEAD_BYTES_MAX {
                true => Ok(None),
                false => Err(HeadError::TooLong),
            }
        }
        Err(error) => Err(error),
        Ok((head, len)) => Ok(Some((head, HEADER_BYTES + len))),
    }
}

/// The head in what has arrived of a body of `size` bytes, and where in the body it ends.
fn fields(body: &[u8], size: usize) -> Result<(Head, usize), HeadError> {
    let mut fields = Reader::body(body)?;
    let kind = match fields.i32()? {
        UPLOAD => TransferKind::Upload,
        DOWNLOAD => TransferKind::Download,
        other => return Err(TransferError::Command(other).into()),
    };
    let seq = fields.i32()?;
    let name = fields.bytes()?.to_vec();
    if name.is_empty() {
        return Err(TransferError::EmptyName.into());
    }
    let offset = fields.int64()?;
    let file_size = fields.int64()?;
    let (content, behind) = read_length(fields.rest())?;
    let len = body.len() - behind.len();
    // Whatever arrives, this cannot become right: it is judged by the size, not by what is there.
    let tail = (size - len).checked_sub(content);
    let tail = tail.ok_or(HeadError::Frame(TransferError::Body(
        Malformed::LengthPrefix,
    )))?;
    if kind == TransferKind::Download && tail < size_of::<i32>() {
        return Err(TransferError::Body(Malformed::LengthPrefix).into());
    }
    let head = Head {
        kind,
        seq,
        name,
        offset,
        size: file_size,
        content_len: u64::try_from(content).unwrap_or(u64::MAX),
        tail_len: u64::try_from(tail).unwrap_or(u64::MAX),
    };
    Ok((head, len))
}

impl Head {
    /// The reply to this request up to where its content of `content_len` bytes begins; `code` is
    /// one of [`super::transfer::code`].
    pub fn reply(&self, code: i32, offset: u64, size: u64, content_len: usize) -> Vec<u8> {
        let command = match self.kind {
            TransferKind::Upload => UPLOAD_REPLY,
            TransferKind::Download => DOWNLOAD_REPLY,
        };
        let mut out = vec![0; HEADER_BYTES + PREFIX_BYTES];
        for number in [command, self.seq, code] {
            out.extend_from_slice(&number.to_be_bytes());
        }
        let (offset, size) = (offset.to_string(), size.to_string());
        for string in [&self.name[..], offset.as_bytes(), size.as_bytes()] {
            put_length(&mut out, string.len());
            out.extend_from_slice(string);
        }
        put_length(&mut out, content_len);
        let body = out.len() - HEADER_BYTES + content_len;
        let body = u32::try_from(body).expect("a reply carries at most 512 KiB");
        out[..4].copy_from_slice(&body.to_le_bytes());
        out[HEADER_BYTES..][..4].copy_from_slice(&body.to_be_bytes());
        out
    }
}

#[cfg(test)]
#[path = "transfer_head_tests.rs"]
mod tests;
