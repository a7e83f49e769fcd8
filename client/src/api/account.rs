//! Making an account, signing in and out, the own profile, the own devices.

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Api, SignedIn};
use crate::error::Result;
use crate::model::{
    DeviceKind, DeviceSession, Page, Registration, SessionId, Timestamp, User, decimal,
};

/// What a program says of the device that it runs on.
#[derive(Clone, Debug, Serialize)]
pub struct Device {
    pub kind: DeviceKind,
    /// What the owner reads in the list of devices.
    pub name: String,
    /// Always the same on the same device: so delivery goes on where it was. A device without is a
    /// new one at each sign-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

impl Device {
    /// A device that is new at each sign-in.
    pub fn new(kind: DeviceKind, name: impl Into<String>) -> Self {
        Self {
            kind,
            name: name.into(),
            id: None,
        }
    }

    /// The same, known again by `id` (1 to 128 bytes).
    #[must_use]
    pub fn known_as(self, id: impl Into<String>) -> Self {
        Self {
            id: Some(id.into()),
            ..self
        }
    }
}

#[derive(Deserialize)]
struct Opened {
    token: String,
    #[serde(default)]
    expires_at: Option<Timestamp>,
    #[serde(with = "decimal")]
    session_id: SessionId,
    user: User,
}

#[derive(Deserialize)]
pub(super) struct OfUser {
    pub(super) user: User,
}

impl Api {
    /// Makes an account.
    ///
    /// # Errors
    /// `username_taken`, `invalid_username`, `weak_password`, `registration_closed`,
    /// `invite_needed`, `invite_invalid`; the network's.
    pub async fn register(&self, wanted: &Registration) -> Result<User> {
        let made: OfUser = self.post("/users", wanted).await?;
        Ok(made.user)
    }

    /// Signs a device in.
    ///
    /// # Errors
    /// `bad_credentials`, `too_many_attempts`, `account_disabled`; the network's.
    pub async fn sign_in(
        &self,
        username: &str,
        password: &str,
        device: &Device,
    ) -> Result<SignedIn> {
        let body = json!({"username": username, "password": password, "device": device});
        let opened: Opened = self.post("/sessions", &body).await?;
        Ok(SignedIn {
            api: self.with_token(&opened.token),
            token: opened.token,
            session_id: opened.session_id,
            expires_at: opened.expires_at,
            user: opened.user,
        })
    }

    /// Signs this device out.
    ///
    /// # Errors
    /// `unauthenticated`; the network's.
    pub async fn sign_out(&self) -> Result<()> {
        self.tell(Method::DELETE, "/sessions/current", None::<&()>)
            .await
    }

    /// The devices that are signed in, the last used first.
    ///
    /// # Errors
    /// `unauthenticated`; the network's.
    pub async fn sessions(&self) -> Result<Vec<DeviceSession>> {
        let page: Page<DeviceSession> = self.get("/sessions").await?;
        Ok(page.items)
    }

    /// Signs one of the own devices out.
    ///
    /// # Errors
    /// `no_such_session`, `unauthenticated`; the network's.
    pub async fn end_session(&self, session: SessionId) -> Result<()> {
        self.tell(Method::DELETE, &format!("/sessions/{session}"), None::<&()>)
            .await
    }

    /// The own profile.
    ///
    /// # Errors
    /// `unauthenticated`; the network's.
    pub async fn me(&self) -> Result<User> {
        self.get("/me").await
    }

    /// A new password; all other devices are signed out.
    ///
    /// # Errors
    /// `wrong_password`, `weak_password`, `unauthenticated`; the network's.
    pub async fn set_password(&self, old: &str, new: &str) -> Result<()> {
        let body = json!({"old_password": old, "new_password": new});
        self.tell(Method::PUT, "/me/password", Some(&body)).await
    }
}
