//! What at least two myim programs need: the vocabulary, the wire formats, and, for servers, the
//! doors to the database, the file cache and the network.
//!
//! Modules in reading order. Everything below `wire` needs the feature `server`.
//!
//! **Invariant:** SQL stands only under `store/`.
//! **Invariant:** `wire/` does no I/O and knows no tokio.
//! **Invariant:** sockets are opened only under `net/`; the wall clock is read only in `clock.rs`;
//! the environment only in `config.rs`.

pub mod api;
pub mod clock;
pub mod id;
pub mod wire;

#[cfg(feature = "server")]
pub mod admin;
#[cfg(feature = "server")]
pub mod auth;
#[cfg(feature = "server")]
pub mod blob;
#[cfg(feature = "server")]
pub mod config;
#[cfg(all(feature = "server", any(test, feature = "fuzz")))]
pub mod fuzz;
#[cfg(feature = "server")]
pub mod http;
#[cfg(feature = "server")]
pub mod names;
#[cfg(feature = "server")]
pub mod net;
#[cfg(feature = "server")]
pub mod pool;
#[cfg(feature = "server")]
pub mod process;
#[cfg(feature = "server")]
pub mod store;
#[cfg(feature = "server")]
pub mod telemetry;
#[cfg(feature = "server")]
pub mod transfer;
#[cfg(feature = "server")]
pub mod upgrade;
#[cfg(feature = "server")]
pub mod words;
