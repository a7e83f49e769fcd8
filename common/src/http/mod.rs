//! HTTP on connections that were accepted already: versions 1.1 and 2, within limits; and what every
//! server does around its routes, see `trace`, `asked`, `origin` and `problem`.
//!
//! Knows nothing of what is asked for; a server brings its router.

pub mod asked;
mod connection;
mod head;
pub mod origin;
pub mod problem;
mod trace;

pub use connection::{Guest, Windows, serve, serve_within};
pub use trace::{REQUEST_ID, TRACEPARENT, in_span, traced};
