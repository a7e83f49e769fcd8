//! The Flamingo protocol's bytes and what they mean: no sockets, no clocks, no runtime.
//!
//! Everything here takes bytes and returns values or the reverse, so that servers, the client and
//! tests share one reading of the protocol.

pub mod command;
pub mod json;
pub mod stream;

mod quirk;

pub mod chat;
pub mod transfer;
pub mod transfer_head;
pub mod translate;
