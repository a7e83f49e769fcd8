//! Copies an original Flamingo database into an empty one of ours, keeping all numbers.
//!
//! The source is only read. The target gets everything in one transaction: an import that stops
//! in the middle leaves it empty.

use std::collections::{BTreeMap, HashMap, HashSet};

use async_trait::async_trait;
use bytes::Bytes;
use thiserror::Error;

use super::mysql::{MySqlSink, Original, OriginalMessage, OriginalRelation};
use super::sqlite::SqliteSink;
use super::{DatabaseUrl, OpenOptions, StoreError};
use crate::api::{Body, Dialect, Entry, Origin, Profile};
use crate::id::{
    ClientId, ConvId, ConvKind, DeviceId, GROUP_ID_FIRST, GroupId, Millis, Peer, Seq, UserId,
};

/// What was copied so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    pub users: u64,
    pub groups: u64,
    /// Friendships and memberships.
    pub relations: u64,
    pub messages: u64,
    /// Rows that mean nothing: duplicates, numbers that are nobody's.
    pub skipped: u64,
}

/// A user or group of the original, with what its profile does not say.
#[derive(Clone, Debug)]
pub(super) struct ImportedUser {
    pub profile: Profile,
    pub password: String,
    /// The original's JSON.
    pub teams: Option<String>,
    /// When the account was made, in seconds since 1970.
    pub registered: i64,
    /// Of a group.
    pub owner: u32,
}

/// A friendship or membership; the first number is the smaller.
#[derive(Clone, Debug)]
pub(super) struct ImportedRelation {
    pub numbers: (u32, u32),
    pub teams: (String, String),
    pub remarks: (String, String),
}

/// Rows to write. Their order does not matter: nobody reads before the end.
#[derive(Clone, Debug, Default)]
pub(super) struct ImportBatch {
    pub users: Vec<ImportedUser>,
    pub names: Vec<(String, u32)>,
    pub relations: Vec<ImportedRelation>,
    pub entries: Vec<Entry>,
    pub heads: Vec<(ConvId, Seq, Millis)>,
    pub places: Vec<(UserId, ConvId, Seq)>,
    /// The next user's and the next group's number.
    pub next: Option<(u32, u32)>,
}

impl ImportBatch {
    /// The names without those of groups, which are numbers.
    pub(super) fn names_of_users(&self) -> Vec<(UserId, String)> {
        let of_user = |(name, number): &(String, u32)| match Peer::from_number(*number)? {
            Peer::User(user) => Some((user, name.clone())),
            Peer::Group(_) => None,
        };
        self.names.iter().filter_map(of_user).collect()
    }
}

/// A database that is being filled.
#[async_trait]
pub(super) trait Sink: Send {
    /// Writes rows inside the one transaction.
    async fn put(&mut self, batch: ImportBatch) -> Result<(), StoreError>;

    /// Makes it all durable.
    async fn finish(self: Box<Self>) -> Result<(), StoreError>;
}

/// Which of the two databases it was.
#[derive(Clone, Debug, Error)]
pub enum ImportError {
    #[error("the database to import from: {0}")]
    From(StoreError),
    #[error("the database to import into: {0}")]
    Into(StoreError),
}

/// Copies users, contacts, groups and messages. Plain-text passwords come along; the first login
/// replaces them. `progress` is told now and then what was copied.
pub async fn import_flamingo(
    from_url: &str,
    into: &DatabaseUrl,
    options: &OpenOptions,
    progress: &(dyn Fn(Imported) + Send + Sync),
) -> Result<Imported, ImportError> {
    use ImportError::{From, Into};

    let mut from = Original::open(from_url).await.map_err(From)?;
    let mut sink = open_sink(into, options).await.map_err(Into)?;
    let mut import = Import::default();
    while let Some(users) = from.users().await.map_err(From)? {
        sink.put(import.users(users)).await.map_err(Into)?;
        progress(import.done);
    }
    while let Some(relations) = from.relations().await.map_err(From)? {
        sink.put(import.relations(relations)).await.map_err(Into)?;
        progress(import.done);
    }
    while let Some(messages) = from.messages().await.map_err(From)? {
        sink.put(import.messages(messages)).await.map_err(Into)?;
        progress(import.done);
    }
    sink.put(import.last()).await.map_err(Into)?;
    sink.finish().await.map_err(Into)?;
    Ok(import.done)
}

async fn open_sink(into: &DatabaseUrl, options: &OpenOptions) -> Result<Box<dyn Sink>, StoreError> {
    Ok(match into {
        DatabaseUrl::MySql(url) => Box::new(MySqlSink::open(url, options).await?),
        DatabaseUrl::Sqlite(path) => Box::new(SqliteSink::open(path, options).await?),
    })
}

/// What must be remembered from one batch to the next.
#[derive(Default)]
struct Import {
    done: Imported,
    peers: HashSet<u32>,
    /// Who has a name: the lowest number.
    names: HashMap<String, u32>,
    pairs: HashSet<(u32, u32)>,
    members: Vec<(UserId, GroupId)>,
    heads: BTreeMap<ConvId, (Seq, Millis)>,
    /// The largest numbers that anything mentions.
    user_max: u32,
    group_max: u32,
}

impl Import {
    fn users(&mut self, users: Vec<Option<ImportedUser>>) -> ImportBatch {
        let mut batch = ImportBatch::default();
        for user in users {
            let Some(user) = user.filter(|user| self.peers.insert(user.profile.id.number())) else {
                self.done.skipped += 1;
                continue;
            };
            match user.profile.id {
                Peer::User(_) => self.done.users += 1,
                Peer::Group(_) => self.done.groups += 1,
            }
            self.mention(user.profile.id);
            let number = user.profile.id.number();
            if !user.profile.username.is_empty() {
                self.names
                    .entry(user.profile.username.clone())
                    .and_modify(|known| *known = number.min(*known))
                    .or_insert(number);
            }
            batch.users.push(user);
        }
        batch
    }

    fn relations(&mut self, relations: Vec<OriginalRelation>) -> ImportBatch {
        let mut batch = ImportBatch::default();
        for relation in relations {
            match self.relation(relation) {
                Some(relation) => {
                    self.done.relations += 1;
                    batch.relations.push(relation);
                }
                None => self.done.skipped += 1,
            }
        }
        batch
    }

    /// `None` for a duplicate and for what connects nobody: one could join a group that did not
    /// exist.
    fn relation(&mut self, row: OriginalRelation) -> Option<ImportedRelation> {
        let one = u32::try_from(row.numbers.0).ok()?;
        let other = u32::try_from(row.numbers.1).ok()?;
        if one >= other || !self.peers.contains(&one) || !self.peers.contains(&other) {
            return None;
        }
        let Some(Peer::User(user)) = Peer::from_number(one) else {
            return None;
        };
        if !self.pairs.insert((one, other)) {
            return None;
        }
        if let Some(Peer::Group(group)) = Peer::from_number(other) {
            self.members.push((user, group));
        }
        Some(ImportedRelation {
            numbers: (one, other),
            teams: row.teams,
            remarks: row.remarks,
        })
    }

    fn messages(&mut self, messages: Vec<OriginalMessage>) -> ImportBatch {
        let mut batch = ImportBatch::default();
        for message in messages {
            match self.entry(message) {
                Some(entry) => {
                    self.done.messages += 1;
                    batch.entries.push(entry);
                }
                None => self.done.skipped += 1,
            }
        }
        batch
    }

    fn entry(&mut self, message: OriginalMessage) -> Option<Entry> {
        let peer = |number| u32::try_from(number).ok().and_then(Peer::from_number);
        let sender = peer(message.sender);
        let target = peer(message.target);
        // Also if the message is skipped: nobody new may inherit a number that was in use.
        for one in [sender, target].into_iter().flatten() {
            self.mention(one);
        }
        let (Some(Peer::User(user)), Some(target)) = (sender, target) else {
            return None;
        };
        let client_id = ClientId::new(format!("old:{}", message.row))?;
        let conv = ConvId::between(user, target);
        let head = self.heads.entry(conv).or_default();
        *head = (head.0.next(), head.1.max(message.at));
        Some(Entry {
            conv,
            seq: head.0,
            origin: Origin {
                user,
                device: DeviceId(0),
                client_id,
                tag: 0,
                at: head.1,
            },
            body: Body::Message {
                dialect: Dialect::Flamingo,
                content: Bytes::from(message.content),
            },
        })
    }

    fn mention(&mut self, peer: Peer) {
        match peer {
            Peer::User(user) => self.user_max = self.user_max.max(user.0),
            Peer::Group(group) => self.group_max = self.group_max.max(group.0),
        }
    }

    /// What is known only after everything was read. Old history counts as delivered: everybody's
    /// place begins at its end.
    fn last(&mut self) -> ImportBatch {
        let mut places: HashMap<(UserId, ConvId), Seq> = HashMap::new();
        for (conv, (head, _)) in &self.heads {
            if let Some(ConvKind::Direct(a, b)) = conv.kind() {
                places.insert((a, *conv), *head);
                places.insert((b, *conv), *head);
            }
        }
        for (user, group) in &self.members {
            let conv = ConvId::group(*group);
            let head = self.heads.get(&conv).map_or(Seq(0), |(head, _)| *head);
            places.insert((*user, conv), head);
        }
        ImportBatch {
            names: self.names.drain().collect(),
            heads: self
                .heads
                .iter()
                .map(|(conv, (head, at))| (*conv, *head, *at))
                .collect(),
            places: places
                .into_iter()
                .map(|((user, conv), since)| (user, conv, since))
                .collect(),
            next: Some((
                self.user_max + 1,
                self.group_max.max(GROUP_ID_FIRST - 1) + 1,
            )),
            ..ImportBatch::default()
        }
    }
}

/// A target must be empty: nothing is ever mixed.
pub(super) fn not_empty() -> StoreError {
    StoreError::Broken(
        "the database to import into holds users or messages already; \
         name one that does not exist yet"
            .to_owned(),
    )
}
