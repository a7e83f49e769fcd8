//! What the server knows of a stored file, and where it can be fetched.

use serde::Deserialize;

use super::Api;
use super::call::query;
use crate::error::Result;
use crate::model::BlobId;
use crate::transfer::Shelf;

/// A stored file, and an address for a while.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct StoredFile {
    pub size: u64,
    /// What the server found in the bytes.
    pub mime: String,
    /// Of pictures only.
    #[serde(default)]
    pub width: Option<u32>,
    #[serde(default)]
    pub height: Option<u32>,
    #[serde(default)]
    pub thumbhash: Option<String>,
    /// Whoever has this address may fetch the file, for an hour if the operator chose no other time.
    pub url: String,
}

impl Api {
    /// What is known of a file. Without a shelf a picture is fetched from the image server, and
    /// everything else from the file server.
    ///
    /// # Errors
    /// `no_such_file` for what is not there, and for what one may not read; `file_gone`.
    pub async fn stored_file(&self, file: BlobId, shelf: Option<Shelf>) -> Result<StoredFile> {
        let class = shelf.map(|shelf| match shelf {
            Shelf::Files => "file".to_owned(),
            Shelf::Pictures => "image".to_owned(),
        });
        let query = query(&[("class", class)]);
        self.get(&format!("/files/{file}{query}")).await
    }
}
