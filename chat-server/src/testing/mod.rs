//! What the tests of this crate have in common.

mod server;
mod store;

pub(crate) use server::{TestServer, named};
pub(crate) use store::{FaultyStore, Script};
