//! HTTP on connections that were accepted already: versions 1.1 and 2, within limits; and what every
//! server does around its routes, see `trace`, `asked`, `origin`, `entity_tags` and `problem`.
//!
//! Knows nothing of what is asked for; a server brings its router.

pub mod asked;
mod connection;
mod entity_tags;
mod head;
pub mod origin;
mod patient;
pub mod problem;
mod trace;

pub use connection::{Guest, Windows, serve};
pub use entity_tags::entity_tags;
pub use trace::{REQUEST_ID, TRACEPARENT, in_span, traced};
