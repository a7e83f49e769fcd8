//! The download on one connection: the server keeps the position, each request gets the next part.

use super::Transfers;
use super::name::FileName;
use super::refusal::Refusal;
use crate::blob::BlobFile;
use crate::wire::transfer::{CHUNK_BYTES, CHUNK_BYTES_CELLULAR, NET_CELLULAR};

/// The part of a file that one answer carries.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) file: BlobFile,
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
        file: BlobFile,
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
    ) -> Result<Option<Part>, Refusal> {
        let goes_on = matches!(self, Self::Running { name, .. } if *name == wanted);
        if !goes_on {
            match open(transfers, &wanted).await? {
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
async fn open(transfers: &Transfers, name: &FileName) -> Result<Option<BlobFile>, Refusal> {
    let file = match name {
        FileName::Plain(plain) => transfers.blobs.read_plain(plain).await?,
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
    Ok(file.filter(|file| !file.is_empty()))
}
