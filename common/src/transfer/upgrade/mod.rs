//! Upgrade packages of clients, as the file server hands them out: a manifest over HTTP, and the
//! plain files that existing Windows clients ask for, made from the same publication.

mod manifest;
mod old;

pub use manifest::routes;
pub(super) use old::open;
