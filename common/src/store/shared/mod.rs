//! What both databases do alike: changes and reads whose statements are written once.
//!
//! One file a topic: what can be changed about it, and what can be read. A statement here uses
//! only what SQLite, MySQL and MariaDB understand alike: `?` for values, no upsert but
//! `REPLACE INTO`, and the words that differ from [`Tx`]. The paths that every message takes
//! stand apart in `sqlite/` and `mysql/`, where each database gets what it is best at.

mod apply;
mod entry_row;
mod tx;
mod unread;
mod value;

pub mod admin;
pub mod audit;
pub mod blob;
pub mod block;
pub mod bot;
pub mod delivery;
pub mod file;
pub mod group;
pub mod incoming_hook;
pub mod indexed;
pub mod invite;
pub mod message;
pub mod meta;
pub mod name_look;
pub mod outgoing_hook;
pub mod people;
pub mod place;
pub mod read_mark;
pub mod search;
pub mod session;
pub mod stats;
pub mod upgrade;
pub mod verify;

pub(in crate::store) use apply::apply;
pub(in crate::store) use tx::Tx;
pub use value::{Row, Value};
