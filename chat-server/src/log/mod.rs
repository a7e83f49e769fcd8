//! Gives facts an order: the one queue to the database, and the newest entries in memory.

mod committer;
mod concern;
mod doubts;
mod repeated;
mod tail;
mod unheard;
mod unindexed;
mod untold;

pub use committer::{Committer, Log, Pending, QUEUE_LENGTH_MAX};
pub use tail::{Tail, TailEntry};
pub use unindexed::{Marked, Unindexed};
