//! Who does something: a user on one of his devices, whatever protocol he speaks.

use std::net::IpAddr;
use std::sync::Arc;

use common::id::{ClientId, DeviceId, UserId};

/// Somebody who proved who he is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    pub user: UserId,
    pub username: Arc<str>,
    pub device: DeviceId,
    pub address: IpAddr,
}

/// What a client calls its request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// The number of a request of the existing clients, see [`common::api::Origin`].
    pub tag: i32,
    /// The client's own name for what it writes; the server makes one for clients that have none.
    pub client_id: Option<ClientId>,
}

impl From<i32> for Mark {
    fn from(tag: i32) -> Self {
        Self {
            tag,
            client_id: None,
        }
    }
}

impl From<Option<ClientId>> for Mark {
    fn from(client_id: Option<ClientId>) -> Self {
        Self { tag: 0, client_id }
    }
}

impl From<ClientId> for Mark {
    fn from(client_id: ClientId) -> Self {
        Self {
            tag: 0,
            client_id: Some(client_id),
        }
    }
}
