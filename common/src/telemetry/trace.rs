//! One id that follows a message through the log lines: send, commit, fan-out, acknowledgement.
//!
//! It is computed from the sender and his client id, so it needs no room in the database, and
//! whoever has the entry has the id, also after a restart and on another server. Lines are of
//! level debug and target [`TARGET`]; nothing is computed while nobody listens.

use std::fmt;

use sha2::{Digest, Sha256};
use tracing::Level;

use crate::api::Origin;

/// The target of all lines that carry a trace id.
pub const TARGET: &str = "myim::trace";

/// 32 hexadecimal digits, as W3C trace ids are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceId([u8; 16]);

impl TraceId {
    /// The id of what was written with this origin.
    pub fn of(origin: &Origin) -> Self {
        let mut hash = Sha256::new();
        hash.update(origin.user.0.to_be_bytes());
        hash.update(origin.client_id.as_str().as_bytes());
        let mut id = [0; 16];
        id.copy_from_slice(&hash.finalize()[..16]);
        Self(id)
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Whether anybody listens.
pub fn is_on() -> bool {
    tracing::enabled!(target: TARGET, Level::DEBUG)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{ClientId, DeviceId, Millis, UserId};

    #[test]
    fn the_id_is_that_of_sender_and_client_id() {
        let origin = |user, client_id: &str, at| Origin {
            user: UserId(user),
            device: DeviceId(1),
            client_id: ClientId::new(client_id).unwrap(),
            tag: 0,
            at: Millis(at),
        };
        let id = TraceId::of(&origin(7, "a", 1));
        assert_eq!(id, TraceId::of(&origin(7, "a", 2)));
        assert_ne!(id, TraceId::of(&origin(8, "a", 1)));
        assert_ne!(id, TraceId::of(&origin(7, "b", 1)));
        assert_eq!(id.to_string().len(), 32);
    }
}
