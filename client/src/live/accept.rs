//! The driver's part that does what the application asks for.

use std::collections::HashMap;
use std::time::Duration;

use tokio::sync::oneshot;
use uuid::Uuid;

use super::command::Command;
use super::driver::{Driver, Phase};
use super::event::Confirm;
use super::frames;
use super::sending::{Failed, Outgoing, Sending, Sent};
use super::state::Ended;
use crate::error::{Error, Problem, Result};
use crate::model::{Segment, Timestamp};
use crate::store::{self, Change};

/// Commands that are looked after at a time, so that they share one change of the store.
const BURST_MAX: usize = 256;
/// Messages that are not stored yet, at most.
const UNSENT_MAX: usize = 10_000;
/// The longest name of a message.
const CLIENT_ID_BYTES_MAX: usize = 64;
/// A longer message would not be refused by the server but end the connection, again and again.
const MESSAGE_BYTES_MAX: usize = 512 * 1024;
/// The server reads no deeper than 32.
const DEPTH_MAX: usize = 64;

type Answer = oneshot::Sender<Result<Sending>>;
type Outcome = oneshot::Receiver<Result<Sent, Failed>>;

/// Messages that are accepted together.
#[derive(Default)]
struct Batch {
    accepted: Vec<store::Outgoing>,
    names: HashMap<String, usize>,
    answers: Vec<(Answer, Sending)>,
}

impl Driver {
    /// Does what is asked for, with what waits behind it.
    pub(super) async fn command(&mut self, first: Command) -> Result<(), Ended> {
        let mut commands = vec![first];
        while commands.len() < BURST_MAX
            && let Ok(command) = self.commands.try_recv()
        {
            commands.push(command);
        }
        let mut batch = Batch::default();
        for command in commands {
            if let Command::Send { outgoing, answer } = command {
                self.accept(&mut batch, outgoing, answer);
            } else {
                self.accepted(std::mem::take(&mut batch)).await;
                self.one(command).await;
            }
        }
        self.accepted(batch).await;
        Ok(())
    }

    async fn one(&mut self, command: Command) {
        // Whoever asked may be gone: then the answers reach nobody.
        match command {
            Command::Send { .. } => {}
            Command::Outbox { answer } => {
                let _ = answer.send(self.outbox.list());
            }
            Command::Retry { client_id, answer } => {
                let _ = answer.send(self.retry(&client_id).await);
            }
            Command::Discard { client_id, answer } => {
                let _ = answer.send(self.discard(&client_id).await);
            }
            Command::Confirm {
                conversation,
                seq,
                answer,
            } => {
                let confirm = Confirm {
                    conversation,
                    seq: self.places.confirmable(conversation, seq),
                    history: self.history,
                    done: answer,
                };
                self.confirmed(Some(confirm)).await;
            }
            Command::Typing { conversation } => {
                if let Phase::Online(session) = &mut self.phase {
                    session.tell(frames::typing(conversation));
                }
            }
            Command::Read { conversation, seq } => self.wishes.read(conversation, seq),
            Command::SetStatus { status } => self.wishes.set_status(status),
            Command::WatchPresence { users } => self.wishes.watch(users),
            Command::Open { conversation } => self.wishes.open(conversation),
            Command::CloseConversation { conversation } => self.wishes.close(conversation),
            Command::Wake => self.wake(),
            Command::Close { answer } => {
                self.confirmed(None).await;
                self.close(Some(answer));
            }
        }
    }

    /// Takes a message into the batch, or says why not.
    fn accept(&mut self, batch: &mut Batch, outgoing: Outgoing, answer: Answer) {
        match self.check(batch, outgoing) {
            Ok(outgoing) => {
                let (outcome, receiver) = oneshot::channel();
                let client_id = outgoing.client_id.clone();
                self.outcomes.insert(client_id.clone(), vec![outcome]);
                batch.names.insert(client_id.clone(), batch.accepted.len());
                batch.accepted.push(outgoing);
                batch.answers.push((answer, sending(client_id, receiver)));
            }
            Err(Refusal::No(error)) => {
                let _ = answer.send(Err(error));
            }
            Err(Refusal::Known(client_id)) => {
                let receiver = self.join(&client_id);
                let joined = sending(client_id.clone(), receiver);
                if batch.names.contains_key(&client_id) {
                    batch.answers.push((answer, joined));
                } else {
                    let _ = answer.send(Ok(joined));
                }
            }
        }
    }

    fn check(&self, batch: &Batch, outgoing: Outgoing) -> Result<store::Outgoing, Refusal> {
        if self.closing.is_some() {
            return Err(Refusal::No(Error::Closed));
        }
        let name = outgoing.client_id.clone();
        let client_id = name.unwrap_or_else(|| Uuid::now_v7().to_string());
        check_content(&client_id, &outgoing.segments).map_err(Refusal::No)?;
        let in_batch = batch.names.get(&client_id);
        let known = in_batch.and_then(|at| batch.accepted.get(*at));
        if let Some(known) = known.or_else(|| self.outbox.find(&client_id)) {
            let is_same = known.to == outgoing.to
                && known.segments == outgoing.segments
                && known.reply_to == outgoing.reply_to;
            return Err(if is_same {
                Refusal::Known(client_id)
            } else {
                let detail = "another message that is not sent yet has this client id";
                Refusal::No(refused("client_id_conflict", detail))
            });
        }
        // What the application was not told yet is counted too: it takes room as well.
        let waiting = self.outbox.unsent() + self.handover.waiting() + batch.accepted.len();
        if waiting >= UNSENT_MAX {
            return Err(Refusal::No(Error::OutboxFull));
        }
        let accepted_at = self.now();
        let lasts = outgoing.expire_after.unwrap_or(self.setting.expire_after);
        Ok(store::Outgoing {
            client_id,
            to: outgoing.to,
            segments: outgoing.segments,
            reply_to: outgoing.reply_to,
            accepted_at,
            expires_at: expiry(accepted_at, lasts),
            attempted: false,
            failed: None,
        })
    }

    /// One more waits for a message that was accepted before.
    fn join(&mut self, client_id: &str) -> Outcome {
        let (outcome, receiver) = oneshot::channel();
        let failed = self.outbox.find(client_id).and_then(|it| it.failed.clone());
        if let Some(reason) = failed {
            // The receiver is in our hands.
            let _ = outcome.send(Err(Failed::from_kept(client_id, &reason)));
            return receiver;
        }
        let waiting = self.outcomes.entry(client_id.to_owned()).or_default();
        waiting.retain(|waiting| !waiting.is_closed());
        waiting.push(outcome);
        receiver
    }

    /// Brings a batch into the store, then says that it is accepted.
    async fn accepted(&mut self, batch: Batch) {
        let Batch {
            accepted, answers, ..
        } = batch;
        if accepted.is_empty() {
            return;
        }
        let changes = accepted.iter().cloned().map(Change::Accept);
        let changes: Vec<Change> = changes.collect();
        match self.store.apply(&changes).await {
            Ok(()) => {
                for outgoing in accepted {
                    self.outbox.accept(outgoing);
                }
                for (answer, sending) in answers {
                    let _ = answer.send(Ok(sending));
                }
            }
            Err(error) => {
                for outgoing in accepted {
                    self.outcomes.remove(&outgoing.client_id);
                }
                for (answer, _) in answers {
                    let _ = answer.send(Err(error.clone().into()));
                }
            }
        }
    }

    async fn retry(&mut self, client_id: &str) -> Result<()> {
        if !self.has_failed(client_id) {
            return Ok(());
        }
        let expires_at = expiry(self.now(), self.setting.expire_after);
        let change = Change::Retry {
            client_id: client_id.to_owned(),
            expires_at,
        };
        self.store.apply(&[change]).await?;
        self.outbox.retry(client_id, expires_at);
        Ok(())
    }

    async fn discard(&mut self, client_id: &str) -> Result<()> {
        if !self.has_failed(client_id) {
            return Ok(());
        }
        let change = Change::Remove {
            client_id: client_id.to_owned(),
        };
        self.store.apply(&[change]).await?;
        self.outbox.remove(client_id);
        Ok(())
    }

    fn has_failed(&self, client_id: &str) -> bool {
        let found = self.outbox.find(client_id);
        found.is_some_and(|outgoing| outgoing.failed.is_some())
    }
}

/// Why a message is not accepted as a new one.
enum Refusal {
    No(Error),
    /// It was accepted before.
    Known(String),
}

fn sending(client_id: String, outcome: Outcome) -> Sending {
    Sending { client_id, outcome }
}

fn expiry(from: Timestamp, lasts: Duration) -> Option<Timestamp> {
    // Longer than the calendar is for ever.
    from.checked_add(lasts).ok()
}

fn refused(code: &str, detail: &str) -> Error {
    Error::Refused(Problem::new(code, detail))
}

fn check_content(client_id: &str, segments: &[Segment]) -> Result<()> {
    let is_name = (1..=CLIENT_ID_BYTES_MAX).contains(&client_id.len())
        && client_id.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_name {
        let detail = "a client id has 1 to 64 visible ASCII characters";
        return Err(refused("invalid_body", detail));
    }
    let text = serde_json::to_string(segments).unwrap_or_default();
    if text.len() > MESSAGE_BYTES_MAX {
        let detail = "the message is longer than any server allows";
        return Err(refused("message_too_large", detail));
    }
    if depth(&text) > DEPTH_MAX {
        let detail = "the message is nested deeper than any server allows";
        return Err(refused("invalid_json", detail));
    }
    Ok(())
}

/// How deep a JSON text is nested.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut is_text, mut is_escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            b'[' | b'{' if !is_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !is_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_would_end_a_connection_is_not_accepted() {
        let text = |text: &str| vec![Segment::text(text)];
        assert!(check_content("a-1", &text("[[[[{\\\"[")).is_ok());
        for wrong in ["", "a b", "é", &"x".repeat(65)] {
            let error = check_content(wrong, &text("x")).unwrap_err();
            assert_eq!(error.code(), Some("invalid_body"), "{wrong}");
        }
        let error = check_content("a", &text(&"x".repeat(MESSAGE_BYTES_MAX))).unwrap_err();
        assert_eq!(error.code(), Some("message_too_large"));
        let deep = (0..100).fold(Value::Null, |inner, _| json!([inner]));
        let segment = serde_json::from_value(json!({"type": "custom", "data": deep})).unwrap();
        let error = check_content("a", &[segment]).unwrap_err();
        assert_eq!(error.code(), Some("invalid_json"));
    }

    #[test]
    fn brackets_in_texts_are_no_depth() {
        assert_eq!(depth(r#"[{"a":"[[\"[["}]"#), 2);
    }
}
