//! Upgrade packages of clients: their versions, what their publisher signs, and who is offered
//! which.
//!
//! Knows no database and no connection. In reading order: `version` is a number that can be
//! compared, `claim` is what is signed, `key` signs and checks, `rollout` chooses.

mod claim;
mod key;
mod rollout;
mod version;

pub use claim::{Claim, ClaimFault, NOTES_BYTES_MAX, OLD_CHANNEL, OLD_PLATFORM, is_label};
pub use key::{KeyFault, PublisherKey, is_signed};
pub use rollout::{Chosen, Offer, choose, newest_for};
pub use version::{Version, VersionFault};
