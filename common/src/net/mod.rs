//! The doors to the network: a listener with limits, and the sockets it hands out.
//!
//! A listener accepts; a `Reception` looks at the first bytes, begins TLS and says which protocol
//! is spoken, but knows none. A socket owns no buffer: whoever reads brings one, and an idle connection
//! costs no more than its task.

mod descriptors;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
mod limits;
mod listener;
mod local;
mod log_throttle;
mod outward;
mod reception;
mod self_signed;
#[cfg(feature = "simulation")]
mod simulated;
mod sniff;
mod socket;
mod stall;
mod tls;
mod unsent;

pub use descriptors::{free_descriptors, raise_descriptor_limit};
pub use limits::{ConnectionLimits, Permit};
pub use listener::{Connection, Listener, serve};
pub use local::{LocalConnection, LocalError, LocalListener, connect_local, own_uid};
pub use outward::{Duplex, Outward, OutwardError, OutwardStream};
pub use reception::{Reception, Security};
pub use self_signed::{SelfSignedError, self_signed};
#[cfg(feature = "simulation")]
pub use simulated::Wire;
pub use sniff::{Language, Port};
pub use socket::Socket;
pub(crate) use stall::Stall;
pub use tls::{TlsError, TlsKeys};
