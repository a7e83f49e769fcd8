//! Prints what `myim tail` hears: the API's events as they are, or lines for people.

use std::collections::HashSet;
use std::io::{Write, stdout};

use client::live::{EntryContent, Passing};
use client::model::{ConversationId, Message, Seq, Status, UserId, decimal};
use client::{Api, Entry};
use serde::Serialize;
use serde_json::{Value, json};

use super::super::names::Names;
use super::super::show;
use crate::cli::output::{Color, Output};

pub(super) struct Printer {
    output: Output,
    api: Api,
    names: Names,
    /// Of which conversation the last line was.
    shown: Option<ConversationId>,
}

impl Printer {
    pub(super) fn new(output: Output, api: Api) -> Self {
        Self {
            output,
            api,
            names: Names::default(),
            shown: None,
        }
    }

    /// Prints an entry of a log. When this answers it has left the program.
    pub(super) async fn entry(&mut self, entry: &Entry) -> anyhow::Result<()> {
        let seq = entry.seq;
        match &entry.content {
            EntryContent::Message(message) => self.message(seq, message).await,
            EntryContent::MessageUpdated(message) => {
                self.written("message.updated", seq, message, "changed: ")
                    .await
            }
            EntryContent::Notice(notice) => {
                if self.output.json {
                    let mut event = serde_json::to_value(notice)?;
                    event["conversation"] = entry.conversation.to_string().into();
                    event["seq"] = seq.0.into();
                    return self.object(&event);
                }
                self.head(entry.conversation).await?;
                let (names, seq) = (&mut self.names, seq.to_string());
                let line = show::notice(self.output, &self.api, names, &seq, notice).await;
                self.line(&line)
            }
        }
    }

    /// Prints a message that stands at `seq`.
    pub(super) async fn message(&mut self, seq: Seq, message: &Message) -> anyhow::Result<()> {
        self.written("message", seq, message, "").await
    }

    async fn written(
        &mut self,
        event: &str,
        seq: Seq,
        message: &Message,
        mark: &str,
    ) -> anyhow::Result<()> {
        if self.output.json {
            return self.object(&Written {
                event,
                conversation: message.conversation,
                seq,
                message,
            });
        }
        self.head(message.conversation).await?;
        let line = show::message(self.output, &self.api, &mut self.names, message).await;
        self.line(&format!("{mark}{line}"))
    }

    /// What passes is printed only if it is wanted; that a large group moved, always. `true` if
    /// something was printed.
    pub(super) async fn passing(
        &mut self,
        passing: &Passing,
        only: &HashSet<ConversationId>,
        wanted: bool,
    ) -> anyhow::Result<bool> {
        let Some((conversation, event)) = shown(passing) else {
            return Ok(false);
        };
        let here = conversation.is_none_or(|id| only.is_empty() || only.contains(&id));
        let told = wanted || matches!(passing, Passing::Head { .. });
        if !here || !told {
            return Ok(false);
        }
        if self.output.json {
            self.object(&event)?;
        } else {
            let line = crate::cli::harmless::line(&self.sentence(passing).await);
            self.line(&self.output.paint(&line, Color::Dim))?;
        }
        Ok(true)
    }

    /// What passes, for people.
    async fn sentence(&mut self, passing: &Passing) -> String {
        let (api, names) = (&self.api, &mut self.names);
        match passing {
            Passing::Typing { conversation, user } => {
                let place = names.conversation(api, *conversation).await;
                match names.of(api, *user).await {
                    who if who == place => format!("{who} writes"),
                    who => format!("{who} writes in {place}"),
                }
            }
            Passing::Read {
                conversation,
                user,
                seq,
            }
            | Passing::Delivered {
                conversation,
                user,
                seq,
            } => {
                let has = match passing {
                    Passing::Read { .. } => "has read",
                    _ => "has received",
                };
                let place = names.conversation(api, *conversation).await;
                match names.of(api, *user).await {
                    who if who == place => format!("{who} {has} up to {seq}"),
                    who => format!("{who} {has} {place} up to {seq}"),
                }
            }
            Passing::Presence(presence) => {
                let status = match presence.status {
                    Status::Online => "on line",
                    Status::Away => "away",
                    Status::Offline | Status::Invisible => "off line",
                };
                format!("{} is {status}", names.of(api, presence.user_id).await)
            }
            Passing::Head {
                conversation,
                last_seq,
            } => {
                let place = names.conversation(api, *conversation).await;
                format!("{place} is at {last_seq}: myim history {conversation} shows it")
            }
            Passing::Conversation { conversation, .. } => {
                names.conversation(api, *conversation).await
            }
            Passing::Other { name, fields } => {
                let user = fields.get("user_id").and_then(Value::as_str);
                match user.and_then(UserId::from_decimal) {
                    Some(user) => format!("{name}: {}", names.of(api, user).await),
                    None => name.clone(),
                }
            }
        }
    }

    /// Says which conversation the next lines are of.
    async fn head(&mut self, conversation: ConversationId) -> anyhow::Result<()> {
        if self.shown != Some(conversation) {
            self.shown = Some(conversation);
            let name = self.names.conversation(&self.api, conversation).await;
            let head = format!("== {} ==", crate::cli::harmless::line(&name));
            self.output.line(&self.output.paint(&head, Color::Bold))?;
        }
        Ok(())
    }

    fn object(&self, event: &impl Serialize) -> anyhow::Result<()> {
        self.output.object(event)?;
        stdout().flush()?;
        Ok(())
    }

    fn line(&self, line: &str) -> anyhow::Result<()> {
        self.output.line(line)?;
        stdout().flush()?;
        Ok(())
    }
}

/// The API's event of a message, with its fields in the API's order.
#[derive(Serialize)]
struct Written<'a> {
    event: &'a str,
    #[serde(with = "decimal")]
    conversation: ConversationId,
    seq: Seq,
    message: &'a Message,
}

/// Where it passes, and as the API's event.
fn shown(passing: &Passing) -> Option<(Option<ConversationId>, Value)> {
    let (conversation, event) = match passing {
        Passing::Typing { conversation, user } => (
            Some(conversation),
            json!({"event": "typing", "conversation": conversation.to_string(), "user_id": user.to_string()}),
        ),
        Passing::Read {
            conversation,
            user,
            seq,
        } => (
            Some(conversation),
            progress("read", *conversation, *user, *seq),
        ),
        Passing::Delivered {
            conversation,
            user,
            seq,
        } => (
            Some(conversation),
            progress("delivered", *conversation, *user, *seq),
        ),
        Passing::Presence(presence) => {
            let mut event = serde_json::to_value(presence).ok()?;
            event["event"] = "presence".into();
            (None, event)
        }
        Passing::Head {
            conversation,
            last_seq,
        } => (
            Some(conversation),
            json!({"event": "head", "conversation": conversation.to_string(), "last_seq": last_seq}),
        ),
        // Summaries are not asked for, and what is unknown is nothing to show.
        Passing::Conversation { .. } => return None,
        Passing::Other { name, fields } => {
            let mut event = Value::Object(fields.clone());
            event["event"] = name.clone().into();
            (None, event)
        }
    };
    Some((conversation.copied(), event))
}

/// How far somebody has got.
fn progress(event: &str, conversation: ConversationId, user: UserId, seq: Seq) -> Value {
    json!({
        "event": event,
        "conversation": conversation.to_string(),
        "user_id": user.to_string(),
        "seq": seq,
    })
}
