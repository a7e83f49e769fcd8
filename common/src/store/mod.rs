//! The door to the database: every write is a [`Change`] through [`Store::commit`], reads go
//! through a few windows.
//!
//! Knows no protocol and no socket. SQL stands only in the files of this folder.

mod bulk;
mod change;
mod import;
mod late;
mod open;
mod schema;
mod shared;
mod stored;
mod voice;

#[cfg(feature = "contract")]
pub mod contract;
pub mod mysql;
pub mod sqlite;

use std::net::IpAddr;

use async_trait::async_trait;
use thiserror::Error;

use crate::api::{Account, ContactList, Entry, Profile};
use crate::id::{BlobId, ConvId, DeviceId, GroupId, Millis, Peer, Seq, UserId};

pub use shared::{
    Row, Value, admin, audit, blob, block, bot, delivery, file, group, incoming_hook, indexed,
    invite, message, meta, name_look, outgoing_hook, people, place, read_mark, search, session,
    stats, upgrade, verify,
};

pub use crate::api::BlobClass;
pub use change::{Append, Change, Guard, Outcome};
pub use import::{ImportError, Imported, import_flamingo};
pub use late::LateStore;
pub use open::{DatabaseUrl, DatabaseUrlError, OpenOptions, open};

/// A database that keeps accounts, contacts, groups, the log of every conversation, each device's
/// place in it, and the index of stored files.
///
/// Promises of every implementation, tested by `contract`:
/// - a batch is applied in order, atomically and durably, before `commit` answers; a refused
///   change does not spoil its neighbours;
/// - sequence numbers of a conversation are contiguous from 1, whichever process commits;
/// - the same (sender, client id) is one entry;
/// - conditions ([`Guard`], "is a friend", "is free") are checked inside the transaction.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Applies the batch; `outcomes[i]` belongs to `batch[i]`.
    async fn commit(&self, batch: &[Change]) -> Result<Vec<Outcome>, StoreError>;

    /// The entries of `conv` behind `after`, ascending, at most `limit`.
    async fn pull(&self, conv: ConvId, after: Seq, limit: u32) -> Result<Vec<Entry>, StoreError>;

    /// The conversations in which this device has something to receive.
    async fn behind(&self, user: UserId, device: DeviceId) -> Result<Vec<Behind>, StoreError>;

    /// How far this device got in this conversation; where it never was, how far back the user
    /// may look. `None` if the conversation is not the user's (any more).
    async fn cursor(
        &self,
        user: UserId,
        device: DeviceId,
        conv: ConvId,
    ) -> Result<Option<Seq>, StoreError>;

    /// The account with exactly this user name. Groups are no accounts.
    async fn account_named(&self, username: &str) -> Result<Option<Account>, StoreError>;

    async fn account(&self, user: UserId) -> Result<Option<Account>, StoreError>;

    /// The user or group with exactly this user name (a group's is its id in decimal).
    async fn profile_named(&self, username: &str) -> Result<Option<Profile>, StoreError>;

    /// The profiles of those of `peers` that exist, in the order asked.
    async fn profiles(&self, peers: &[Peer]) -> Result<Vec<Profile>, StoreError>;

    /// The user's contact list with the profiles of friends and groups.
    async fn contacts(&self, user: UserId) -> Result<ContactList, StoreError>;

    /// The ids alone of the user's friends and groups, ascending.
    async fn peers(&self, user: UserId) -> Result<Vec<Peer>, StoreError>;

    /// The members of a group in the order in which they joined; empty if there is no such group.
    async fn members(&self, group: GroupId) -> Result<Vec<UserId>, StoreError>;

    /// The stored file behind a name of the old transfer protocol.
    async fn blob_named(
        &self,
        class: BlobClass,
        name: &str,
    ) -> Result<Option<NamedBlob>, StoreError>;

    /// When an account last logged in from this address.
    async fn last_login_from(&self, address: IpAddr) -> Result<Option<Millis>, StoreError>;

    /// Bytes that were uploaded from this address on this day (days since 1970).
    async fn uploaded(&self, address: IpAddr, day: i64) -> Result<u64, StoreError>;

    /// Runs one reading statement. Only for the topics of `store/shared/`, which own the SQL.
    async fn select(&self, sql: &str, values: Vec<Value>) -> Result<Vec<Row>, StoreError>;

    /// For those statements: a condition that a column begins so, whatever the case of ASCII letters,
    /// and the values of its places.
    fn begins_with(&self, column: &str, text: &str) -> (String, Vec<Value>) {
        people::like(column, text)
    }

    /// For those statements: one that answers with the different words of the index that begin so, each
    /// with its conversation, of these conversations; and the values of its places.
    fn different_words(&self, convs: &[ConvId], start: &str, limit: u32) -> (String, Vec<Value>) {
        search::different_words(convs, start, limit)
    }

    /// How many bytes the database takes where it is kept, about.
    async fn size_bytes(&self) -> Result<u64, StoreError>;

    /// What the database finds wrong with its own files, in sentences. Nothing from one that looks
    /// after them itself.
    async fn look_at_files(&self) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }

    /// Returns when the database answered a trivial question.
    async fn ping(&self) -> Result<(), StoreError>;

    /// Lets go of connections and files; later calls fail with [`StoreError::Unreachable`].
    async fn close(&self);
}

/// A conversation in which a device has something to receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Behind {
    pub conv: ConvId,
    /// The device holds everything up to here.
    pub cursor: Seq,
    pub head: Seq,
    /// The time of the first entry behind the cursor: sorts catch-up across conversations.
    pub next_at: Millis,
}

/// What a name of the old transfer protocol stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamedBlob {
    pub blob: BlobId,
    /// Length in bytes.
    pub size: u64,
    /// The content's MD5 is the name. An unverified name may be given other content later.
    pub verified: bool,
}

/// A database that could not do what it was asked.
#[derive(Clone, Debug, Error)]
pub enum StoreError {
    /// Nothing was changed; trying again later may work.
    #[error("the database cannot be reached: {0}")]
    Unreachable(String),
    /// The connection broke during the commit: the batch is wholly there or wholly not. Appends
    /// can be repeated, they are recognised by their client id.
    #[error("the database did not say whether it saved the change: {0}")]
    OutcomeUnknown(String),
    /// A sync failed. Nobody knows what of the batch is on the disk, and because the system takes
    /// for written what it could not write, no later commit would prove anything: this store
    /// saves nothing more. Only a new start reads what is there.
    #[error("the disk failed to keep what was written, and nobody knows what of it is there: {0}")]
    SyncFailed(String),
    /// Another program writes to this database and does not share it.
    #[error("{0} is in use by another server; stop that one first or give this one its own")]
    InUse(String),
    /// The tables were made by a newer myim.
    #[error(
        "the database has schema version {found}, this program knows up to {known}; \
         use the newer program"
    )]
    Newer { found: u32, known: u32 },
    /// The database may lose acknowledged messages in a power cut.
    #[error(
        "the database setting {setting} is {found}, which may lose acknowledged messages; \
         set it to {needed}, or accept the risk with --accept-weak-durability"
    )]
    WeakDurability {
        setting: &'static str,
        found: String,
        needed: &'static str,
    },
    /// The database holds, or was asked for, something that cannot be.
    #[error("the database answered something unexpected: {0}")]
    Broken(String),
}

impl StoreError {
    /// Whether the same call may succeed later without anybody's help.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::OutcomeUnknown(_))
    }

    /// Whether what was asked for may have been saved all the same.
    pub fn is_outcome_unknown(&self) -> bool {
        matches!(self, Self::OutcomeUnknown(_) | Self::SyncFailed(_))
    }
}
