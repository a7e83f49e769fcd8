//! The vocabulary that all protocols and all stores share.
//!
//! Plain values: no protocol's field names, no SQL, no I/O.

mod account;
mod entry;
mod refusal;

pub use account::{
    Account, Avatar, Contact, ContactList, DEFAULT_TEAM, NewAccount, Profile, TeamEdit,
};
pub use entry::{Body, Dialect, Entry, Notice, Origin};
pub use refusal::Refusal;
