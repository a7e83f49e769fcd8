//! Bots, their tokens, and webhooks.

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Api;
use crate::error::Result;
use crate::model::{ConversationId, Page, SessionId, Timestamp, User, UserId, decimal, time};

/// A bot that was made, with its first token, which is not shown again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Bot {
    pub bot: User,
    pub token: String,
    #[serde(with = "decimal")]
    pub token_id: SessionId,
}

/// A token of a bot.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BotToken {
    #[serde(with = "decimal")]
    pub id: SessionId,
    pub name: String,
    /// Only where it was just made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    #[serde(
        default,
        with = "time::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub created_at: Option<Timestamp>,
    #[serde(
        default,
        with = "time::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub seen_at: Option<Timestamp>,
    #[serde(
        default,
        with = "time::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub expires_at: Option<Timestamp>,
}

/// An address at which anybody who knows it may write into a conversation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct IncomingWebhook {
    #[serde(with = "decimal")]
    pub id: u64,
    pub name: String,
    #[serde(with = "decimal")]
    pub conversation: ConversationId,
    /// The path behind the server's address; only where it was just made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Who writes what comes.
    #[serde(with = "decimal")]
    pub author: UserId,
    /// Only in the list.
    #[serde(
        default,
        with = "time::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub created_at: Option<Timestamp>,
    /// When something last came, to the minute. Only in the list.
    #[serde(
        default,
        with = "time::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub used_at: Option<Timestamp>,
}

/// An address to which the server posts what happens.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OutgoingWebhook {
    #[serde(with = "decimal")]
    pub id: u64,
    pub name: String,
    pub url: String,
    #[serde(default, with = "decimal::option")]
    pub conversation: Option<ConversationId>,
    /// Signs what is posted; only where it was just made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    #[serde(with = "time")]
    pub created_at: Timestamp,
    /// `ok`, `retrying` or `paused`; only in the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// What the target did not take yet; only in the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retrying: Option<WebhookRetrying>,
    /// How many events were given up; only in the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_letters: Option<u32>,
}

/// An event that the target of a webhook did not take yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WebhookRetrying {
    pub attempts: u32,
    pub last_error: String,
    #[serde(with = "time")]
    pub next_attempt_at: Timestamp,
}

impl Api {
    /// Makes a bot of the own account, with a token that does not expire.
    ///
    /// # Errors
    /// `username_taken`, `invalid_username`, `limit_reached`; the network's.
    pub async fn create_bot(&self, username: &str, nickname: &str) -> Result<Bot> {
        let body = json!({"username": username, "nickname": nickname});
        self.post("/bots", &body).await
    }

    /// The own bots.
    ///
    /// # Errors
    /// `unauthenticated`; the network's.
    pub async fn bots(&self) -> Result<Vec<User>> {
        let page: Page<User> = self.get("/bots").await?;
        Ok(page.items)
    }

    /// Ends a bot for good. Its messages stay.
    ///
    /// # Errors
    /// `no_such_bot`; the network's.
    pub async fn delete_bot(&self, bot: UserId) -> Result<()> {
        self.tell(Method::DELETE, &format!("/bots/{bot}"), None::<&()>)
            .await
    }

    /// # Errors
    /// `no_such_bot`; the network's.
    pub async fn bot_tokens(&self, bot: UserId) -> Result<Vec<BotToken>> {
        let page: Page<BotToken> = self.get(&format!("/bots/{bot}/tokens")).await?;
        Ok(page.items)
    }

    /// Makes a further token; the bot has a device for each.
    ///
    /// # Errors
    /// `no_such_bot`, `limit_reached`; the network's.
    pub async fn create_bot_token(&self, bot: UserId, name: &str) -> Result<BotToken> {
        self.post(&format!("/bots/{bot}/tokens"), &json!({"name": name}))
            .await
    }

    /// A new token in the place of an old one, which is worth nothing from now on.
    ///
    /// # Errors
    /// `no_such_bot`, `no_such_session`; the network's.
    pub async fn rotate_bot_token(&self, bot: UserId, token: SessionId) -> Result<BotToken> {
        self.post(&format!("/bots/{bot}/tokens/{token}/rotate"), &json!({}))
            .await
    }

    /// # Errors
    /// `no_such_bot`, `no_such_session`; the network's.
    pub async fn revoke_bot_token(&self, bot: UserId, token: SessionId) -> Result<()> {
        self.tell(
            Method::DELETE,
            &format!("/bots/{bot}/tokens/{token}"),
            None::<&()>,
        )
        .await
    }

    /// Makes an address for writing into a conversation, as oneself or as an own bot.
    ///
    /// # Errors
    /// `not_a_member`, `not_friends`, `no_such_bot`, `limit_reached`; the network's.
    pub async fn create_incoming_webhook(
        &self,
        conversation: ConversationId,
        name: &str,
        bot: Option<UserId>,
    ) -> Result<IncomingWebhook> {
        let bot = bot.map(|bot| bot.to_string());
        let body = json!({"name": name, "bot_id": bot});
        self.post(&format!("/conversations/{conversation}/webhooks"), &body)
            .await
    }

    /// The own incoming webhooks, the oldest first, without their addresses.
    ///
    /// # Errors
    /// `unauthenticated`; the network's.
    pub async fn incoming_webhooks(&self) -> Result<Vec<IncomingWebhook>> {
        let page: Page<IncomingWebhook> = self.get("/webhooks/incoming").await?;
        Ok(page.items)
    }

    /// Nothing comes through it any more.
    ///
    /// # Errors
    /// `no_such_webhook`; the network's.
    pub async fn delete_incoming_webhook(&self, webhook: u64) -> Result<()> {
        let path = format!("/webhooks/incoming/{webhook}");
        self.tell(Method::DELETE, &path, None::<&()>).await
    }

    /// Has what happens, in one conversation or in all of the account, posted to an address.
    ///
    /// # Errors
    /// `webhook_target_refused`, `limit_reached`; the network's.
    pub async fn create_outgoing_webhook(
        &self,
        url: &str,
        name: &str,
        conversation: Option<ConversationId>,
    ) -> Result<OutgoingWebhook> {
        let conversation = conversation.map(|id| id.to_string());
        let body = json!({"url": url, "name": name, "conversation": conversation});
        self.post("/webhooks/outgoing", &body).await
    }
    /// The own outgoing webhooks, the oldest first, without their secrets, and how they are doing.
    ///
    /// # Errors
    /// `unauthenticated`; the network's.
    pub async fn outgoing_webhooks(&self) -> Result<Vec<OutgoingWebhook>> {
        let page: Page<OutgoingWebhook> = self.get("/webhooks/outgoing").await?;
        Ok(page.items)
    }

    /// Nothing is posted any more, and its dead letters are forgotten.
    ///
    /// # Errors
    /// `no_such_webhook`; the network's.
    pub async fn delete_outgoing_webhook(&self, webhook: u64) -> Result<()> {
        let path = format!("/webhooks/outgoing/{webhook}");
        self.tell(Method::DELETE, &path, None::<&()>).await
    }
}
