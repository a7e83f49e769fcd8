//! Moves files between sockets and the file cache, by the transfer protocol of the existing clients
//! and over HTTP, and decides who may.
//!
//! Knows nothing of pictures or chats; the file server and the image server differ in the class of
//! names they serve and in who looks into uploads, see `inspect`.
//!
//! In reading order: `serve` accepts; `http` is HTTP, and `flamingo` the protocol of the existing
//! clients. `promised_bytes`, `disk_watch`, `quota` and `budget` are the limits, `known_addresses`
//! says who may use the old protocol, `naming` gives files the names old clients need, `collector`
//! lets files go that nobody needs.
//!
//! **Invariant:** what a client calls a file never becomes a path, except for plain names that are
//! read, never written, from the file cache itself.
//! **Invariant:** an upload is answered "complete" only when content and name survive a power cut.

mod adopt;
mod budget;
mod collector;
mod disk_watch;
mod flamingo;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
pub mod http;
pub mod inspect;
mod known_addresses;
mod name;
mod naming;
mod policy;
mod promised_bytes;
mod quota;
mod serve;
mod upgrade;
mod uploads_active;

use std::sync::{Arc, Mutex};

use crate::auth::Sessions;
use crate::blob::{BlobError, Blobs, Partials};
use crate::clock::Clock;
use crate::store::Store;
use budget::Budget;
use http::remembered::Abouts;
use http::tus::Turns;
use inspect::Inspect;
use known_addresses::KnownAddresses;
use naming::{Naming, Unnamed, naming};
use quota::Quota;

pub use adopt::{AdoptError, Adopted, Fate, import_files};
pub use collector::{CollectError, Retention, collect};
pub use inspect::Service;
pub use policy::Policy;
pub use promised_bytes::Promises;
pub use serve::{ServeError, run, serve};
pub use upgrade::routes as upgrade_routes;

/// A transfer server: everything its connections share.
pub struct Transfers {
    policy: Policy,
    store: Arc<dyn Store>,
    blobs: Blobs,
    clock: Arc<dyn Clock>,
    quota: Quota,
    known: KnownAddresses,
    budget: Budget,
    inspector: Arc<dyn Inspect>,
    sessions: Sessions,
    abouts: Abouts,
    partials: Partials,
    turns: Turns,
    promises: Promises,
    naming: Naming,
    /// Taken by the one who gives names.
    unnamed: Mutex<Option<Unnamed>>,
}

impl Transfers {
    /// Blocks for a few disk accesses: meant for the start of a program.
    ///
    /// # Errors
    /// When the folder of the uploads cannot be made.
    pub fn new(
        policy: Policy,
        store: Arc<dyn Store>,
        blobs: Blobs,
        clock: Arc<dyn Clock>,
        inspector: Arc<dyn Inspect>,
    ) -> Result<Self, BlobError> {
        let (naming, unnamed) = naming();
        Ok(Self {
            quota: Quota::new(policy.upload_day_bytes_max),
            known: KnownAddresses::new(),
            budget: Budget::new(policy.buffered_bytes_max),
            partials: Partials::open(&blobs)?,
            policy,
            store,
            blobs,
            clock,
            inspector,
            sessions: Sessions::default(),
            abouts: Abouts::default(),
            turns: Turns::default(),
            promises: Promises::default(),
            naming,
            unnamed: Mutex::new(Some(unnamed)),
        })
    }
}

impl Transfers {
    /// Counts together with another server of the same file cache what was promised to it.
    #[must_use]
    pub fn sharing(self, promises: Promises) -> Self {
        Self { promises, ..self }
    }
}

impl std::fmt::Debug for Transfers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transfers")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
