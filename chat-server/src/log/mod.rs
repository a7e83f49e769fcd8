//! Gives facts an order: the one queue to the database, and the newest entries in memory.

mod committer;
mod tail;

pub use committer::{Committer, Log, Pending, QUEUE_LENGTH_MAX};
pub use tail::{Tail, TailEntry};
