//! The store in one file, on the embedded SQLite.
//!
//! One thread writes (`writer`), a few connections read (`reader`); a lock file keeps a second
//! server away. Each change is a function of the file named after what it changes.

mod accounts;
mod blobs;
mod change;
mod connection;
mod cursors;
mod engine;
mod fault;
mod friends;
mod generation;
mod groups;
mod guard;
mod import;
#[cfg(feature = "contract")]
mod inline;
mod log;
mod number;
mod place;
mod reader;
mod relations;
mod shared;
mod teams;
mod wal;
mod words;
mod writer;

#[cfg(all(test, feature = "contract"))]
mod explained_tests;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;

use self::engine::{Engine, Threads};
use self::generation::Counter;
pub(super) use self::import::SqliteSink;
use self::reader::Readers;
use self::writer::Writer;
use super::{
    Behind, BlobClass, Change, NamedBlob, OpenOptions, Outcome, Row, Store, StoreError, Value,
    people,
};
use crate::api::{Account, ContactList, Entry, Profile};
use crate::id::{ConvId, DeviceId, GroupId, Millis, Peer, Seq, UserId};

/// A database that this process alone has open, in a file if nothing else is said.
#[derive(Debug)]
pub struct SqliteStore<E = Threads> {
    engine: E,
}

impl SqliteStore {
    /// Opens or makes the file, and the folders around it.
    pub async fn open(path: &Path, options: &OpenOptions) -> Result<Self, StoreError> {
        let (path, options) = (path.to_owned(), options.clone());
        let opening = tokio::task::spawn_blocking(move || {
            let path = place::prepare(&path)?;
            let lock = Arc::new(place::lock(&path)?);
            wal::check(&path)?;
            let mut conn = connection::open_writer(&path, &options)?;
            connection::settle(&conn)?;
            connection::fill_looks(&mut conn)?;
            let counter = Counter::beside(&path);
            counter.start(&mut conn)?;
            let engine = Threads {
                writer: Writer::start(conn, Some(counter), Arc::clone(&lock))?,
                readers: Readers::new(path, lock),
            };
            Ok(Self { engine })
        });
        opening
            .await
            .unwrap_or_else(|error| Err(StoreError::Broken(error.to_string())))
    }
}

#[async_trait]
impl<E: Engine> Store for SqliteStore<E> {
    async fn commit(&self, batch: &[Change]) -> Result<Vec<Outcome>, StoreError> {
        self.engine.commit(batch).await
    }

    async fn pull(&self, conv: ConvId, after: Seq, limit: u32) -> Result<Vec<Entry>, StoreError> {
        self.engine
            .read(move |conn| log::pull(conn, conv, after, limit))
            .await
    }

    async fn behind(&self, user: UserId, device: DeviceId) -> Result<Vec<Behind>, StoreError> {
        self.engine
            .read(move |conn| cursors::behind(conn, user, device))
            .await
    }

    async fn cursor(
        &self,
        user: UserId,
        device: DeviceId,
        conv: ConvId,
    ) -> Result<Option<Seq>, StoreError> {
        self.engine
            .read(move |conn| cursors::cursor(conn, user, device, conv))
            .await
    }

    async fn account_named(&self, username: &str) -> Result<Option<Account>, StoreError> {
        let username = username.to_owned();
        self.engine
            .read(move |conn| accounts::account_named(conn, &username))
            .await
    }

    async fn account(&self, user: UserId) -> Result<Option<Account>, StoreError> {
        self.engine
            .read(move |conn| accounts::account(conn, user))
            .await
    }

    async fn profile_named(&self, username: &str) -> Result<Option<Profile>, StoreError> {
        let username = username.to_owned();
        self.engine
            .read(move |conn| accounts::profile_named(conn, &username))
            .await
    }

    async fn profiles(&self, peers: &[Peer]) -> Result<Vec<Profile>, StoreError> {
        let peers = peers.to_vec();
        self.engine
            .read(move |conn| accounts::profiles(conn, &peers))
            .await
    }

    async fn contacts(&self, user: UserId) -> Result<ContactList, StoreError> {
        self.engine
            .read(move |conn| teams::contacts(conn, user))
            .await
    }

    async fn peers(&self, user: UserId) -> Result<Vec<Peer>, StoreError> {
        self.engine
            .read(move |conn| relations::peers(conn, user))
            .await
    }

    async fn members(&self, group: GroupId) -> Result<Vec<UserId>, StoreError> {
        self.engine
            .read(move |conn| relations::members(conn, group))
            .await
    }

    async fn blob_named(
        &self,
        class: BlobClass,
        name: &str,
    ) -> Result<Option<NamedBlob>, StoreError> {
        let name = name.to_owned();
        self.engine
            .read(move |conn| blobs::blob_named(conn, class, &name))
            .await
    }

    async fn last_login_from(&self, address: IpAddr) -> Result<Option<Millis>, StoreError> {
        self.engine
            .read(move |conn| blobs::last_login_from(conn, address))
            .await
    }

    async fn uploaded(&self, address: IpAddr, day: i64) -> Result<u64, StoreError> {
        self.engine
            .read(move |conn| blobs::uploaded(conn, address, day))
            .await
    }

    async fn select(&self, sql: &str, values: Vec<Value>) -> Result<Vec<Row>, StoreError> {
        let sql = sql.to_owned();
        self.engine
            .read(move |conn| shared::select(conn, &sql, &values))
            .await
    }

    /// A pattern that is not known when the statement is prepared finds no index; a range does.
    fn begins_with(&self, column: &str, text: &str) -> (String, Vec<Value>) {
        let (like, pattern) = people::like(column, text);
        let ordered = format!("{column} COLLATE NOCASE");
        let mut values = vec![text.into(), format!("{text}{}", char::MAX).into()];
        values.extend(pattern);
        (
            format!("{ordered} >= ? AND {ordered} < ? AND {like}"),
            values,
        )
    }

    fn different_words(&self, convs: &[ConvId], start: &str, limit: u32) -> (String, Vec<Value>) {
        words::different(convs, start, limit)
    }

    async fn size_bytes(&self) -> Result<u64, StoreError> {
        let sql = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()";
        let rows = self.select(sql, Vec::new()).await?;
        rows.first().map_or(Ok(0), |row| row.unsigned(0))
    }

    async fn look_at_files(&self) -> Result<Vec<String>, StoreError> {
        self.engine.read(connection::look_at_file).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.engine
            .read(|conn| Ok(conn.query_row("SELECT 1", [], |_| Ok(()))?))
            .await
    }

    async fn close(&self) {
        self.engine.close().await;
    }
}
