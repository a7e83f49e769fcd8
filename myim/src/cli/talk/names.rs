//! What people and conversations are called, asked once for each.

use std::collections::HashMap;

use client::Api;
use client::model::{ConversationId, User, UserId};
use common::id::ConvKind;

use super::conversations;

/// Where stands what belongs to no conversation.
const INBOX: &str = "contacts and groups";

/// Remembers names for the time of one command.
#[derive(Debug, Default)]
pub(super) struct Names {
    users: HashMap<UserId, String>,
    conversations: HashMap<ConversationId, String>,
}

impl Names {
    pub(super) fn know(&mut self, user: &User) {
        self.users.insert(user.id, user.username.clone());
    }

    /// The user name, or the number if it cannot be found out.
    pub(super) async fn of(&mut self, api: &Api, user: UserId) -> String {
        if let Some(name) = self.users.get(&user) {
            return name.clone();
        }
        match api.user(user).await {
            Ok(found) => {
                self.know(&found);
                found.username
            }
            // The message is worth more than its author's name.
            Err(_) => user.to_string(),
        }
    }

    /// A conversation as commands take it, `#GROUP` or the user name; the number if it cannot be
    /// found out.
    pub(super) async fn conversation(&mut self, api: &Api, id: ConversationId) -> String {
        if matches!(id.kind(), Some(ConvKind::Inbox(_))) {
            return INBOX.to_owned();
        }
        if let Some(name) = self.conversations.get(&id) {
            return name.clone();
        }
        match api.conversation(id).await {
            Ok(found) => {
                let name = conversations::name(&found);
                self.conversations.insert(id, name.clone());
                name
            }
            // What is said there is worth more than the name.
            Err(_) => id.to_string(),
        }
    }
}
