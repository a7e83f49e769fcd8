//! Gives facts an order: the one queue to the database, and the newest entries in memory.

mod committer;
mod dirty;
mod doubts;
mod repeated;
mod tail;

pub use committer::{Committer, Log, Pending, QUEUE_LENGTH_MAX};
pub use dirty::{Dirty, Marked};
pub use tail::{Tail, TailEntry};
