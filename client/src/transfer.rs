//! Files and pictures: to and from the file server and the image server.

use std::path::Path;

use crate::api::Api;
use crate::error::{Error, Result};
use crate::flamingo::{self, Imitate};
use crate::model::{BlobId, KnownSegment, Segment};
use sha2::{Digest, Sha256};
use tokio::fs::File;
use tokio::io::AsyncReadExt;

/// How much of a file is read at a time for its hash.
const HASH_BYTES: usize = 256 * 1024;

/// A file that is on the server now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uploaded {
    /// The SHA-256 of the content: what segments name.
    pub file: BlobId,
    pub bytes: u64,
    /// The server had it already.
    pub was_there: bool,
}

/// Where a file is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shelf {
    Files,
    Pictures,
}

impl Api {
    /// Uploads a file. `progress` hears how many bytes of how many the server has.
    ///
    /// # Errors
    /// `File` if it cannot be read, `Transfer` if the server does not take it.
    pub async fn upload(
        &self,
        path: &Path,
        shelf: Shelf,
        progress: impl FnMut(u64, u64),
    ) -> Result<Uploaded> {
        let file = sha256(path).await?;
        let address = self.server().transfer_address(shelf == Shelf::Pictures);
        let uploaded = flamingo::transfer::upload(&address, path, Imitate::Pc, progress)
            .await
            .map_err(|error| Error::Transfer(error.to_string()))?;
        Ok(Uploaded {
            file,
            bytes: uploaded.bytes,
            was_there: uploaded.was_there,
        })
    }
}

impl Uploaded {
    /// The part of a message that shows it as a file.
    pub fn as_file(&self, name: &str, mime: &str) -> Segment {
        KnownSegment::File {
            file: self.file,
            name: name.to_owned(),
            size: self.bytes,
            mime: mime.to_owned(),
        }
        .into()
    }

    /// The part of a message that shows it as a picture; its size in pixels is not known.
    pub fn as_picture(&self, name: Option<&str>) -> Segment {
        KnownSegment::Image {
            file: self.file,
            width: 0,
            height: 0,
            size: self.bytes,
            name: name.map(str::to_owned),
            thumbhash: None,
        }
        .into()
    }
}

async fn sha256(path: &Path) -> Result<BlobId> {
    let failed = |error: std::io::Error| Error::File {
        path: path.display().to_string(),
        cause: error.to_string(),
    };
    let mut file = File::open(path).await.map_err(failed)?;
    let mut hash = Sha256::new();
    let mut piece = vec![0; HASH_BYTES];
    loop {
        let read = file.read(&mut piece).await.map_err(failed)?;
        if read == 0 {
            return Ok(BlobId(hash.finalize().into()));
        }
        hash.update(&piece[..read]);
    }
}
