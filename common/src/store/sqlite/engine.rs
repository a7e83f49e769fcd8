//! Where the statements run.

use rusqlite::Connection;

use super::reader::Readers;
use super::writer::Writer;
use crate::store::{Change, Outcome, StoreError};

/// Runs batches and reads on connections, each in one transaction.
pub trait Engine: Send + Sync + 'static {
    fn commit(
        &self,
        batch: &[Change],
    ) -> impl Future<Output = Result<Vec<Outcome>, StoreError>> + Send;

    fn read<T, F>(&self, read: F) -> impl Future<Output = Result<T, StoreError>> + Send
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static;

    fn close(&self) -> impl Future<Output = ()> + Send;
}

/// One thread that writes and a few that read, so that nothing waits for the disk that need not.
#[derive(Debug)]
pub struct Threads {
    pub(super) writer: Writer,
    pub(super) readers: Readers,
}

impl Engine for Threads {
    async fn commit(&self, batch: &[Change]) -> Result<Vec<Outcome>, StoreError> {
        self.writer.commit(batch.to_vec()).await
    }

    async fn read<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        self.readers.run(read).await
    }

    async fn close(&self) {
        self.readers.close();
        self.writer.close().await;
    }
}
