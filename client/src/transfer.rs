//! Files and pictures: to and from the file server and the image server.

use std::path::Path;

use common::wire::transfer::NET_BROADBAND;
use sha2::{Digest, Sha256};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncWrite};

use crate::api::Api;
use crate::error::{Error, Result};
use crate::flamingo::transfer::{self, Transfer};
use crate::flamingo::{self, Imitate};
use crate::model::{BlobId, KnownSegment, Segment};
use crate::net;
use crate::server::Server;

pub use crate::flamingo::transfer::Downloaded;

/// How much of a file is read at a time for its hash.
const HASH_BYTES: usize = 256 * 1024;

/// A file that is on the server now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uploaded {
    /// The SHA-256 of the content: what segments name.
    pub file: BlobId,
    /// The MD5 of the content, in hexadecimal: what a download asks for.
    pub name: String,
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
        let local = |error: std::io::Error| Error::File {
            path: path.display().to_string(),
            cause: error.to_string(),
        };
        let file = sha256(path).await.map_err(local)?;
        let (mut content, name, bytes) = transfer::open(path).await.map_err(local)?;
        let server = self.server().transfers(shelf == Shelf::Pictures);
        let stream = net::connect(&server).await?;
        let uploaded = Transfer::over(stream, Imitate::Pc)
            .upload(&name, bytes, &mut content, progress)
            .await
            .map_err(|error| translate(error, &server))?;
        Ok(Uploaded {
            file,
            name,
            bytes: uploaded.bytes,
            was_there: uploaded.was_there,
        })
    }

    /// Downloads the file that is called `name`, usually the MD5 of its content. The server begins
    /// each download at the beginning. `progress` hears how many bytes of how many have come.
    ///
    /// # Errors
    /// `Transfer` if there is no such file, `File` if it cannot be written; the network's.
    pub async fn download(
        &self,
        name: &str,
        shelf: Shelf,
        to: &mut (impl AsyncWrite + Unpin + Send),
        progress: impl FnMut(u64, u64),
    ) -> Result<Downloaded> {
        let server = self.server().transfers(shelf == Shelf::Pictures);
        let stream = net::connect(&server).await?;
        Transfer::over(stream, Imitate::Pc)
            .download(name, NET_BROADBAND, to, progress)
            .await
            .map_err(|error| translate(error, &server))
    }
}

/// What the network did, what this machine's files did, and what the server says are different
/// things to whoever decides what to do next.
fn translate(error: flamingo::Error, server: &Server) -> Error {
    use flamingo::Error as Flamingo;
    let file = |cause: std::io::Error| Error::File {
        path: "the file".to_owned(),
        cause: cause.to_string(),
    };
    match error {
        Flamingo::Connect { .. }
        | Flamingo::Connection(_)
        | Flamingo::Closed
        | Flamingo::NoReply { .. }
        | Flamingo::Stalled { .. } => Error::Unreachable {
            server: server.to_string(),
            cause: error.to_string(),
        },
        Flamingo::File { path, cause } => Error::File {
            path: path.display().to_string(),
            cause: cause.to_string(),
        },
        Flamingo::Sink(cause) | Flamingo::Source(cause) => file(cause),
        other => Error::Transfer(other.to_string()),
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

async fn sha256(path: &Path) -> std::io::Result<BlobId> {
    let mut file = File::open(path).await?;
    let mut hash = Sha256::new();
    let mut piece = vec![0; HASH_BYTES];
    loop {
        let read = file.read(&mut piece).await?;
        if read == 0 {
            return Ok(BlobId(hash.finalize().into()));
        }
        hash.update(&piece[..read]);
    }
}
