//! Moves files between sockets and the file cache: the transfer protocol of the existing clients,
//! and who may use it.
//!
//! Knows nothing of pictures or chats; the file server and the image server differ in one value,
//! the class of names they serve.
//!
//! In reading order: `serve` accepts, `session` talks to one client, `upload` and `download` are
//! the two things a client can want, `inbox` gets its bytes.
//!
//! **Invariant:** what a client calls a file never becomes a path, except for plain names that are
//! read, never written, from the file cache itself.
//! **Invariant:** an upload is answered "complete" only when content and name survive a power cut.

mod adopt;
mod budget;
mod download;
pub mod http;
mod inbox;
pub mod inspect;
mod known;
mod name;
mod policy;
mod quota;
mod refusal;
mod serve;
mod session;
mod upload;

use std::sync::Arc;

use crate::blob::Blobs;
use crate::clock::Clock;
use crate::store::Store;
use budget::Budget;
use known::Known;
use quota::Quota;

pub use adopt::{AdoptError, Adopted, Fate, import_files};
pub use policy::Policy;
pub use serve::{ServeError, run, serve};

/// A transfer server: everything its connections share.
pub struct Transfers {
    policy: Policy,
    store: Arc<dyn Store>,
    blobs: Blobs,
    clock: Arc<dyn Clock>,
    quota: Quota,
    known: Known,
    budget: Budget,
}

impl Transfers {
    pub fn new(policy: Policy, store: Arc<dyn Store>, blobs: Blobs, clock: Arc<dyn Clock>) -> Self {
        Self {
            quota: Quota::new(policy.upload_day_bytes_max),
            known: Known::new(),
            budget: Budget::new(policy.buffered_bytes_max),
            policy,
            store,
            blobs,
            clock,
        }
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
