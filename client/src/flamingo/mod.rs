//! Speaks the Flamingo protocol as the existing PC and Android clients do.
//!
//! [`Client`] is a conversation with a chat server, [`transfer`] moves files, [`RawConnection`]
//! says and hears exact bytes.

mod error;
mod options;

mod event;
mod reply;

mod connection;
mod raw;

mod account;
mod client;
mod friends;
mod groups;
mod message;

pub mod transfer;

pub use account::Profile;
pub use client::Client;
pub use error::{Error, Result};
pub use event::Event;
pub use message::{FileNote, Picture};
pub use options::{Imitate, Options};
pub use raw::RawConnection;
pub use reply::{Found, GroupMembers, LoginReply, Member, NewGroup, Team};

#[cfg(test)]
mod tests;
