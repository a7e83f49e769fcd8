//! Connections to a server: TCP, and TLS where the address says so.

mod connect;

pub(crate) use connect::{Stream, connect};
