//! A memory in an SQLite file.

use std::path::Path;

use async_trait::async_trait;

use super::{Change, Memory, Store, StoreError};

/// Keeps the memory in a file, for one client at a time.
#[derive(Debug)]
pub struct SqliteStore {}

impl SqliteStore {
    /// Opens or makes the file, readable by its owner only.
    ///
    /// # Errors
    /// If that cannot be done, or the file is in use.
    pub async fn open(_path: &Path) -> Result<Self, StoreError> {
        unimplemented!()
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn load(&self) -> Result<Memory, StoreError> {
        unimplemented!()
    }

    async fn apply(&self, _changes: &[Change]) -> Result<(), StoreError> {
        unimplemented!()
    }
}
