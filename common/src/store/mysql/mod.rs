//! The store on MySQL 8 or MariaDB: the log in a database that several servers share.
//!
//! Every conversation's head row serialises its appends, so any number of processes may commit.
//! Modules in reading order.

mod connections;
mod fault;
mod open;

mod adopt;
mod migrate;

mod account;
mod append;
mod blob;
mod commit;
mod device;
mod friend;
mod group;
mod guard;
mod log;
mod relation;
mod team;

mod import;
mod original;
mod read;
mod row;
mod shared;

use std::fmt;
use std::net::IpAddr;

use async_trait::async_trait;

use self::connections::Connections;
pub(super) use self::import::MySqlSink;
pub(super) use self::original::{Original, OriginalMessage, OriginalRelation};
use super::{
    Behind, BlobClass, Change, NamedBlob, OpenOptions, Outcome, Row, Store, StoreError, Value,
};
use crate::api::{Account, ContactList, Entry, Profile};
use crate::id::{ConvId, DeviceId, GroupId, Millis, Peer, Seq, UserId};

/// A database on a MySQL or MariaDB server.
pub struct MySqlStore {
    connections: Connections,
}

impl fmt::Debug for MySqlStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MySqlStore").finish_non_exhaustive()
    }
}

impl MySqlStore {
    /// Opens `mysql://user:password@host:port/name`; makes the database and its tables if they are
    /// missing, and takes over an original Flamingo database.
    pub async fn open(url: &str, options: &OpenOptions) -> Result<Self, StoreError> {
        Ok(Self {
            connections: open::open(url, options).await?,
        })
    }
}

#[async_trait]
impl Store for MySqlStore {
    async fn commit(&self, batch: &[Change]) -> Result<Vec<Outcome>, StoreError> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        commit::commit(&self.connections, batch).await
    }

    async fn pull(&self, conv: ConvId, after: Seq, limit: u32) -> Result<Vec<Entry>, StoreError> {
        read::pull(&self.connections, conv, after, limit).await
    }

    async fn behind(&self, user: UserId, device: DeviceId) -> Result<Vec<Behind>, StoreError> {
        read::behind(&self.connections, user, device).await
    }

    async fn cursor(
        &self,
        user: UserId,
        device: DeviceId,
        conv: ConvId,
    ) -> Result<Option<Seq>, StoreError> {
        read::cursor(&self.connections, user, device, conv).await
    }

    async fn account_named(&self, username: &str) -> Result<Option<Account>, StoreError> {
        read::account_named(&self.connections, username).await
    }

    async fn account(&self, user: UserId) -> Result<Option<Account>, StoreError> {
        read::account(&self.connections, user).await
    }

    async fn profile_named(&self, username: &str) -> Result<Option<Profile>, StoreError> {
        read::profile_named(&self.connections, username).await
    }

    async fn profiles(&self, peers: &[Peer]) -> Result<Vec<Profile>, StoreError> {
        read::profiles(&self.connections, peers).await
    }

    async fn contacts(&self, user: UserId) -> Result<ContactList, StoreError> {
        read::contacts(&self.connections, user).await
    }

    async fn peers(&self, user: UserId) -> Result<Vec<Peer>, StoreError> {
        read::peers(&self.connections, user).await
    }

    async fn members(&self, group: GroupId) -> Result<Vec<UserId>, StoreError> {
        read::members(&self.connections, group).await
    }

    async fn blob_named(
        &self,
        class: BlobClass,
        name: &str,
    ) -> Result<Option<NamedBlob>, StoreError> {
        read::blob_named(&self.connections, class, name).await
    }

    async fn last_login_from(&self, address: IpAddr) -> Result<Option<Millis>, StoreError> {
        read::last_login_from(&self.connections, address).await
    }

    async fn uploaded(&self, address: IpAddr, day: i64) -> Result<u64, StoreError> {
        read::uploaded(&self.connections, address, day).await
    }

    async fn select(&self, sql: &str, values: Vec<Value>) -> Result<Vec<Row>, StoreError> {
        shared::select(&self.connections, sql, values).await
    }

    async fn size_bytes(&self) -> Result<u64, StoreError> {
        let sql = "SELECT COALESCE(SUM(data_length + index_length), 0) \
             FROM information_schema.tables WHERE table_schema = DATABASE()";
        let rows = self.select(sql, Vec::new()).await?;
        rows.first().map_or(Ok(0), |row| row.unsigned(0))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        let _one: Vec<(u8,)> = self.connections.rows("SELECT 1", ()).await?;
        Ok(())
    }

    async fn close(&self) {
        self.connections.close();
    }
}
