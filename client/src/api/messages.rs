//! Messages: writing, reading, changing, searching, and what became of a send.

use std::time::Duration;

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::Api;
use super::call::{piece, query};
use super::conversations::as_parameter;
use crate::error::{Error, Result};
use crate::model::{ConversationId, Message, Page, Segment, Seq, Timestamp, decimal, time};

/// A message that is to be written.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Draft {
    /// The sender's own name for it, 1 to 64 visible ASCII characters: the same one is stored once.
    pub client_id: String,
    pub segments: Vec<Segment>,
    /// The message of the same conversation that this one answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Seq>,
}

impl Draft {
    /// A message with a new client id.
    pub fn new(segments: Vec<Segment>) -> Self {
        Self {
            client_id: Uuid::now_v7().to_string(),
            segments,
            reply_to: None,
        }
    }

    /// A message of one text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(vec![Segment::text(text)])
    }

    #[must_use]
    pub fn answering(self, seq: Seq) -> Self {
        Self {
            reply_to: Some(seq),
            ..self
        }
    }
}

/// A message that is stored, durably.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    #[serde(with = "decimal")]
    pub conversation: ConversationId,
    pub seq: Seq,
    #[serde(with = "time")]
    pub time: Timestamp,
    #[serde(default)]
    pub client_id: String,
}

/// What became of a send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    Stored(Stored),
    /// Nothing was stored, and nothing will be unless it is sent again.
    NotStored,
}

/// The longest wait between two tries.
const BACKOFF_MAX: Duration = Duration::from_secs(10);

impl Api {
    /// Writes a message, once. If the answer is lost, send the same draft again, or ask
    /// [`Api::fate`].
    ///
    /// # Errors
    /// `not_friends`, `not_a_member`, `blocked`, `muted`, `message_too_large`, `no_such_file`,
    /// `client_id_conflict`, `storage_unavailable`; the network's.
    pub async fn send(&self, conversation: ConversationId, draft: &Draft) -> Result<Stored> {
        self.post(&format!("/conversations/{conversation}/messages"), draft)
            .await
    }

    /// Writes a message and repeats it under its client id for as long as `patience`, where that may
    /// help. For many messages, and for what must survive this program, use
    /// [`Client::send`](crate::Client::send).
    ///
    /// # Errors
    /// As [`Api::send`]. After `Unreachable` it may have been stored: ask [`Api::fate`].
    pub async fn send_patiently(
        &self,
        conversation: ConversationId,
        draft: &Draft,
        patience: Duration,
    ) -> Result<Stored> {
        let deadline = Instant::now() + patience;
        let mut backoff = Duration::from_millis(200);
        loop {
            let error = match self.send(conversation, draft).await {
                Ok(stored) => return Ok(stored),
                Err(error) => error,
            };
            let Some(told) = error.retry_after() else {
                return Err(error);
            };
            let wait = told.max(backoff);
            if Instant::now() + wait > deadline {
                return Err(error);
            }
            sleep(wait).await;
            backoff = (backoff * 2).min(BACKOFF_MAX);
        }
    }

    /// What became of a send whose answer was lost. `NotStored` is final.
    ///
    /// # Errors
    /// `unauthenticated`; the network's.
    pub async fn fate(&self, client_id: &str) -> Result<Fate> {
        match self.get(&format!("/sends/{}", piece(client_id))).await {
            Ok(stored) => Ok(Fate::Stored(stored)),
            Err(error) if error.code() == Some("not_stored") => Ok(Fate::NotStored),
            Err(error) => Err(error),
        }
    }

    /// The messages behind `after`, ascending. A piece may be shorter than `limit` although more
    /// follows: go on while `next` is given, with it as `after`.
    ///
    /// # Errors
    /// `no_such_conversation`, `not_a_member`; the network's.
    pub async fn messages_after(
        &self,
        conversation: ConversationId,
        after: Seq,
        limit: u32,
    ) -> Result<Page<Message>> {
        self.history(conversation, ("after", Some(after)), limit)
            .await
    }

    /// The last messages before `before`, ascending; the newest without it. Go on backward with
    /// `next` as `before`.
    ///
    /// # Errors
    /// `no_such_conversation`, `not_a_member`; the network's.
    pub async fn messages_before(
        &self,
        conversation: ConversationId,
        before: Option<Seq>,
        limit: u32,
    ) -> Result<Page<Message>> {
        self.history(conversation, ("before", before), limit).await
    }

    async fn history(
        &self,
        conversation: ConversationId,
        (way, from): (&str, Option<Seq>),
        limit: u32,
    ) -> Result<Page<Message>> {
        let from = from.map(|seq| seq.to_string());
        let query = query(&[(way, from), ("limit", Some(limit.to_string()))]);
        self.get(&format!("/conversations/{conversation}/messages{query}"))
            .await
    }

    /// One message, as it is now.
    ///
    /// # Errors
    /// `no_such_message`, `no_such_conversation`, `not_a_member`; the network's.
    pub async fn message(&self, conversation: ConversationId, seq: Seq) -> Result<Message> {
        self.get(&format!("/conversations/{conversation}/messages/{seq}"))
            .await
    }

    /// Edits an own message.
    ///
    /// # Errors
    /// `not_the_author`, `too_late`, `already_recalled`; the network's.
    pub async fn edit(
        &self,
        conversation: ConversationId,
        seq: Seq,
        segments: &[Segment],
    ) -> Result<Message> {
        let path = format!("/conversations/{conversation}/messages/{seq}");
        self.patch(&path, &json!({"segments": segments})).await
    }

    /// Takes a message back.
    ///
    /// # Errors
    /// `not_allowed`, `not_the_author`, `too_late`, `already_recalled`; the network's.
    pub async fn recall(&self, conversation: ConversationId, seq: Seq) -> Result<()> {
        let path = format!("/conversations/{conversation}/messages/{seq}/recall");
        self.tell(Method::POST, &path, Some(&json!({}))).await
    }

    /// Adds a reaction, or takes it back.
    ///
    /// # Errors
    /// `no_such_message`, `limit_reached`; the network's.
    pub async fn react(
        &self,
        conversation: ConversationId,
        seq: Seq,
        emoji: &str,
        there: bool,
    ) -> Result<()> {
        let method = if there { Method::PUT } else { Method::DELETE };
        let emoji = piece(emoji);
        let path = format!("/conversations/{conversation}/messages/{seq}/reactions/{emoji}");
        self.tell(method, &path, None::<&()>).await
    }

    /// Messages that hold every word of `words`, the newest first; the last word may be unfinished.
    ///
    /// # Errors
    /// `invalid_parameter`, `rate_limited`; the network's.
    pub async fn search(
        &self,
        words: &str,
        conversation: Option<ConversationId>,
        limit: u32,
        cursor: Option<&Value>,
    ) -> Result<Page<Message>> {
        let query = query(&[
            ("q", Some(words.to_owned())),
            ("conversation", conversation.map(|id| id.to_string())),
            ("limit", Some(limit.to_string())),
            ("cursor", cursor.map(as_parameter)),
        ]);
        self.get(&format!("/search{query}")).await
    }
}

/// Where a history goes on: the server writes it as a text, as in all lists.
///
/// # Errors
/// `Protocol` if the server gives something else than a number.
pub fn seq_of(next: &Value) -> Result<Seq> {
    let number = match next {
        Value::String(text) => text.parse().ok(),
        other => other.as_u64(),
    };
    number.map(Seq).ok_or_else(|| Error::Protocol {
        server: "the server".to_owned(),
        detail: format!("{next} is no place in a history"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_goes_on_at_a_number_however_it_is_written() {
        assert_eq!(seq_of(&json!("17")).unwrap(), Seq(17));
        assert_eq!(seq_of(&json!(17)).unwrap(), Seq(17));
        assert!(seq_of(&json!("x")).is_err());
    }
}
