//! The doors to the network: a listener with limits, and the sockets it hands out.
//!
//! Knows no protocol. A socket owns no buffer: whoever reads brings one, and an idle connection
//! costs no more than its task.

mod descriptors;
mod limits;
mod listener;
mod occasionally;
mod socket;
mod unsent;

pub use descriptors::{free_descriptors, raise_descriptor_limit};
pub use limits::{ConnectionLimits, Permit};
pub use listener::{Connection, Listener, serve};
pub use socket::Socket;
