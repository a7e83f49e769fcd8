//! Connections to a server: TCP, and TLS where the address says so.

mod connect;
#[cfg(test)]
pub(crate) mod memory;

pub(crate) use connect::{Stream, connect};
