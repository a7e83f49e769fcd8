//! Connections to a server: TCP, and TLS where the address says so.

mod connect;
pub(crate) mod dial;
mod http;
#[cfg(test)]
pub(crate) mod memory;

pub(crate) use connect::{Stream, connect};
pub(crate) use http::{Connector, http_client, innermost};
