//! Single calls over HTTP, one file a subject.
//!
//! An [`Api`] is cheap to clone and holds its connections open for the next call.

mod account;
mod bots;
mod call;
mod contacts;
mod conversations;
mod files;
mod groups;
mod messages;

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::{SessionId, User};
use crate::server::Server;
use call::Caller;

pub use account::Device;
pub use bots::{Bot, BotToken, IncomingWebhook, OutgoingWebhook};
pub use files::StoredFile;
pub use messages::{Draft, Fate, Stored, seq_of};

/// A server, and who calls it.
#[derive(Clone)]
pub struct Api {
    pub(crate) caller: Arc<Caller>,
    pub(crate) token: Option<Arc<str>>,
}

/// A device that was signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Calls with the new token.
    pub api: Api,
    pub token: String,
    pub session_id: SessionId,
    pub expires_at: Option<Timestamp>,
    pub user: User,
}

impl Api {
    /// Calls without a token: to make an account, and to sign in.
    pub fn new(server: Server) -> Self {
        Self {
            caller: Arc::new(Caller::new(server)),
            token: None,
        }
    }

    /// The same with a token, of a bot or of an earlier sign-in.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            caller: Arc::clone(&self.caller),
            token: Some(token.into()),
        }
    }

    pub fn server(&self) -> &Server {
        self.caller.server()
    }
}

impl fmt::Debug for Api {
    /// Leaves the token out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api")
            .field("server", self.server())
            .field("signed_in", &self.token.is_some())
            .finish()
    }
}
