//! The transfer protocol of the existing clients, on one connection.
//!
//! In reading order: `session` talks to one client, `upload` and `download` are the two things it
//! can want, `inbox` gets its bytes, `refusal` is why a connection is closed.

pub(super) mod download;
pub(super) mod inbox;
pub(super) mod refusal;
pub(super) mod session;
mod upload;
