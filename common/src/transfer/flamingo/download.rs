//! The download on one connection: the server keeps the position, each request gets the next part.

use std::io;
use std::net::IpAddr;

use bytes::{Bytes, BytesMut};

use super::refusal::Refusal;
use crate::blob::BlobFile;
use crate::store::BlobClass;
use crate::transfer::Transfers;
use crate::transfer::name::FileName;
use crate::transfer::upgrade;
use crate::wire::transfer::{CHUNK_BYTES, CHUNK_BYTES_CELLULAR, NET_CELLULAR};

/// What can be handed out.
#[derive(Clone, Debug)]
pub(in crate::transfer) enum Content {
    File(BlobFile),
    /// A short text that was made for this client.
    Text(Bytes),
}

impl Content {
    /// Length in bytes.
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::File(file) => file.len(),
            Self::Text(text) => u64::try_from(text.len()).unwrap_or(u64::MAX),
        }
    }

    /// Appends `count` bytes from `offset` to `into`; fewer bytes there are an error.
    pub(super) async fn read(
        &self,
        offset: u64,
        count: usize,
        mut into: BytesMut,
    ) -> io::Result<BytesMut> {
        match self {
            Self::File(file) => file.read(offset, count, into).await,
            Self::Text(text) => {
                let from = usize::try_from(offset).unwrap_or(usize::MAX);
                let piece = from
                    .checked_add(count)
                    .and_then(|to| text.get(from..to))
                    .ok_or(io::ErrorKind::UnexpectedEof)?;
                into.extend_from_slice(piece);
                Ok(into)
            }
        }
    }
}

/// The part of a file that one answer carries.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) file: Content,
    pub(super) offset: u64,
    pub(super) len: u64,
}

impl Part {
    /// Whether the file ends with this part.
    pub(super) fn is_last(&self) -> bool {
        self.offset + self.len == self.file.len()
    }
}

#[derive(Debug, Default)]
pub(super) enum Download {
    #[default]
    Idle,
    Running {
        name: FileName,
        file: Content,
        next: u64,
    },
}

impl Download {
    /// The next part of the file of this name; `None` if there is none, which leaves a running
    /// download of another file as it is. A name other than the last one begins that file, and
    /// after the last part a file begins again.
    pub(super) async fn next(
        &mut self,
        transfers: &Transfers,
        wanted: FileName,
        net_type: i32,
        peer: IpAddr,
    ) -> Result<Option<Part>, Refusal> {
        let goes_on = matches!(self, Self::Running { name, .. } if *name == wanted);
        if !goes_on {
            match open(transfers, &wanted, peer).await? {
                Some(file) => {
                    *self = Self::Running {
                        name: wanted,
                        file,
                        next: 0,
                    }
                }
                None => return Ok(None),
            }
        }
        let Self::Running { file, next, .. } = self else {
            return Ok(None);
        };
        let most = match net_type {
            NET_CELLULAR => CHUNK_BYTES_CELLULAR,
            _ => CHUNK_BYTES,
        };
        let most = u64::try_from(most).unwrap_or(u64::MAX);
        let part = Part {
            file: file.clone(),
            offset: *next,
            len: most.min(file.len() - *next),
        };
        *next += part.len;
        if part.is_last() {
            *self = Self::Idle;
        }
        Ok(Some(part))
    }
}

/// An empty file counts as missing: the old clients wait for content that does not come.
async fn open(
    transfers: &Transfers,
    name: &FileName,
    peer: IpAddr,
) -> Result<Option<Content>, Refusal> {
    let file = match name {
        FileName::Plain(plain) => {
            let by_hand = transfers.blobs.read_plain(plain).await?;
            if by_hand.is_none() && transfers.policy.class == BlobClass::File {
                return upgrade::open(transfers, plain, peer).await;
            }
            by_hand
        }
        FileName::Md5(md5) => {
            let class = transfers.policy.class;
            let Some(named) = transfers.store.blob_named(class, md5.as_str()).await? else {
                return Ok(None);
            };
            let file = transfers.blobs.read(named.blob).await?;
            let whole = file.filter(|file| file.len() == named.size);
            if whole.is_none() {
                tracing::error!(blob = %named.blob, "a stored file is missing or damaged");
            }
            whole
        }
    };
    Ok(file.filter(|file| !file.is_empty()).map(Content::File))
}
