//! The own account.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::SessionId;
use super::decimal;
use super::time;

/// What a new account is made of.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Registration {
    pub username: String,
    pub password: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    /// The code of an invitation, where the server asks for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invite: Option<String>,
}

/// A device that is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceSession {
    #[serde(with = "decimal")]
    pub session_id: SessionId,
    /// Whether it is the one that asks.
    pub current: bool,
    pub kind: String,
    pub name: String,
    #[serde(with = "time")]
    pub created_at: Timestamp,
    #[serde(with = "time")]
    pub seen_at: Timestamp,
    #[serde(default, with = "time::option")]
    pub expires_at: Option<Timestamp>,
}
