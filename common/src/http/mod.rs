//! HTTP on connections that were accepted already: versions 1.1 and 2, within limits.
//!
//! Knows nothing of what is asked for; a server brings its router.

mod connection;

pub use connection::{Guest, serve};
