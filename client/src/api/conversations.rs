//! The list of conversations, and how the user wants each.

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Api;
use super::call::query;
use crate::error::Result;
use crate::model::{Conversation, ConversationEdit, ConversationId, GroupId, Page, Seq, UserId};

#[derive(Deserialize)]
struct OfConversation {
    conversation: Conversation,
}

impl Api {
    /// The conversation with a user, found or made.
    ///
    /// # Errors
    /// `no_such_user`, `not_friends`; the network's.
    pub async fn conversation_with(&self, user: UserId) -> Result<Conversation> {
        let body = json!({"user_id": user.to_string()});
        let opened: OfConversation = self.post("/conversations", &body).await?;
        Ok(opened.conversation)
    }

    /// A group's conversation.
    ///
    /// # Errors
    /// `not_a_member`; the network's.
    pub async fn conversation_of(&self, group: GroupId) -> Result<Conversation> {
        let body = json!({"group_id": group.to_string()});
        let opened: OfConversation = self.post("/conversations", &body).await?;
        Ok(opened.conversation)
    }

    /// A piece of the list, the newest activity first. `cursor` is `next` of the piece before.
    ///
    /// # Errors
    /// `bad_cursor`, `unauthenticated`; the network's.
    pub async fn conversations(
        &self,
        limit: u32,
        cursor: Option<&Value>,
    ) -> Result<Page<Conversation>> {
        let cursor = cursor.map(as_parameter);
        let query = query(&[("limit", Some(limit.to_string())), ("cursor", cursor)]);
        self.get(&format!("/conversations{query}")).await
    }

    /// One conversation.
    ///
    /// # Errors
    /// `no_such_conversation`, `not_a_member`; the network's.
    pub async fn conversation(&self, conversation: ConversationId) -> Result<Conversation> {
        self.get(&format!("/conversations/{conversation}")).await
    }

    /// Changes how the user wants a conversation.
    ///
    /// # Errors
    /// `no_such_conversation`, `not_a_member`; the network's.
    pub async fn edit_conversation(
        &self,
        conversation: ConversationId,
        edit: &ConversationEdit,
    ) -> Result<Conversation> {
        self.patch(&format!("/conversations/{conversation}"), edit)
            .await
    }

    /// The user has read up to here.
    ///
    /// # Errors
    /// `no_such_conversation`, `not_a_member`; the network's.
    pub async fn mark_read(&self, conversation: ConversationId, seq: Seq) -> Result<()> {
        let path = format!("/conversations/{conversation}/read");
        self.tell(Method::POST, &path, Some(&json!({"seq": seq})))
            .await
    }
}

/// A cursor is given back as it came; texts without their quotes.
pub(super) fn as_parameter(cursor: &Value) -> String {
    match cursor {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
