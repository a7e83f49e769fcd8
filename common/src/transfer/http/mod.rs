//! Files over HTTP, on the ports of the transfer servers: plain uploads, resumable ones, downloads.
//!
//! In reading order: `router` says what there is, `access` who asks; `plain` and `tus` are two ways
//! to upload, over `receive`, which takes a body in, and `finish`, which makes a stored file of it;
//! `content` and `download` hand files out.

pub(super) mod access;
mod admit;
mod content;
pub mod download;
mod file_name;
pub(super) mod finish;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
mod layers;
mod plain;
pub mod problem;
mod receive;
pub(super) mod remembered;
mod router;
pub(super) mod tus;

pub use access::Caller;
pub use content::Readable;
pub(super) use router::router;
