//! The driver's part that sends: messages, acknowledgments, and what is said beside them.

use std::collections::hash_map::Entry;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::driver::{Driver, Phase, Settled};
use super::event::Event;
use super::frames;
use super::outbox::Expired;
use super::sending::{Failed, Sent};
use super::session::Request;
use super::state::Ended;
use super::wishes::Wish;
use crate::api::{Api, Fate};
use crate::error::Problem;
use crate::store::{Change, StoreError};

/// Conversations that are acknowledged at a time, at most.
const ACKS_MAX: usize = 256;
/// Questions after the fate of messages at a time, at most.
const ASKED_MAX: usize = 4;
/// The longest wait between two questions after the same one.
const ASK_AGAIN_MAX: Duration = Duration::from_secs(60);

impl Driver {
    /// Sends what may go, after the store knows that it goes; tells what is over, after the store
    /// knows that.
    pub(super) async fn dispatch(&mut self) -> Result<(), Ended> {
        let is_sending = matches!(self.phase, Phase::Online(_)) && self.closing.is_none();
        for expired in self.outbox.expire(self.now(), is_sending) {
            match expired {
                Expired::Never(client_id) => self.expired(client_id),
                Expired::Perhaps(client_id) => self.to_ask.push(client_id),
            }
        }
        self.ask_fates();
        let started = if is_sending {
            self.outbox.start(Instant::now())
        } else {
            Vec::new()
        };
        let mut changes: Vec<Change> = self.settled.iter().map(Settled::change).collect();
        let forgotten = self.outbox.forget_failed().into_iter();
        changes.extend(forgotten.map(|client_id| Change::Remove { client_id }));
        let first = started.iter().filter(|started| started.is_first);
        changes.extend(first.map(|started| Change::Attempted {
            client_id: started.client_id.clone(),
        }));
        if !changes.is_empty() {
            self.store.apply(&changes).await.map_err(ended)?;
        }
        for settled in std::mem::take(&mut self.settled) {
            self.tell(settled);
        }
        if let Phase::Online(session) = &mut self.phase {
            for started in started {
                if let Some(outgoing) = self.outbox.find(&started.client_id) {
                    let request = Request::Send(started.client_id);
                    session.ask(request, |id| frames::send(id, outgoing));
                }
            }
        }
        self.say_wishes();
        self.acknowledge();
        Ok(())
    }

    fn expired(&mut self, client_id: String) {
        self.failed(Failed {
            client_id,
            code: "expired".to_owned(),
            reason: "it could not be sent in its time".to_owned(),
        });
    }

    pub(super) fn sent(&mut self, sent: Sent) {
        if self.outbox.remove(&sent.client_id) {
            self.settled.push(Settled::Sent(sent));
        }
    }

    pub(super) fn failed(&mut self, failed: Failed) {
        if self.outbox.fail(&failed.client_id, &failed.kept()) {
            self.settled.push(Settled::Failed(failed));
        }
    }

    /// The server did not take a message.
    pub(super) fn refused(&mut self, client_id: String, problem: &Problem) {
        match problem.retry_after() {
            Some(wait) => {
                tracing::debug!(client_id, code = problem.code, ?wait, "sent again later");
                self.outbox.delay(&client_id, Instant::now() + wait);
            }
            None => self.failed(Failed {
                client_id,
                code: problem.code.clone(),
                reason: problem.detail.clone(),
            }),
        }
    }

    /// Tells whoever accepted it; if nobody waits, everybody.
    fn tell(&mut self, settled: Settled) {
        let outcome = match &settled {
            Settled::Sent(sent) => Ok(sent.clone()),
            Settled::Failed(failed) => Err(failed.clone()),
        };
        let mut is_told = false;
        if let Entry::Occupied(waiting) = self.outcomes.entry(settled.client_id().to_owned()) {
            for waiting in waiting.remove() {
                is_told |= waiting.send(outcome.clone()).is_ok();
            }
        }
        if !is_told {
            self.handover.notice(match settled {
                Settled::Sent(sent) => Event::Sent(sent),
                Settled::Failed(failed) => Event::Failed(failed),
            });
        }
    }

    fn ask_fates(&mut self) {
        while self.asked.len() < ASKED_MAX
            && let Some(client_id) = self.to_ask.pop()
        {
            self.asked
                .push(Box::pin(ask_fate(self.api.clone(), client_id)));
        }
    }

    pub(super) fn told_fate(&mut self, client_id: String, fate: Fate) {
        match fate {
            Fate::Stored(stored) => self.sent(Sent {
                client_id,
                conversation: stored.conversation,
                seq: stored.seq,
                time: stored.time,
            }),
            Fate::NotStored => self.expired(client_id),
        }
    }

    fn say_wishes(&mut self) {
        let Phase::Online(session) = &mut self.phase else {
            return;
        };
        for wish in self.wishes.take(Instant::now()) {
            let request = Request::Wish(wish);
            session.ask(request, |id| match wish {
                Wish::Read(conversation, seq) => frames::read_mark(id, conversation, seq),
                Wish::Open(conversation) => frames::open(id, conversation),
                Wish::Close(conversation) => frames::close(id, conversation),
                Wish::Status(status) => frames::set_status(id, status),
                Wish::Watch => frames::watch(id, self.wishes.watched()),
            });
        }
    }

    /// Tells the server what the application confirmed. Whoever closes the client waits for the
    /// answer.
    fn acknowledge(&mut self) {
        let Phase::Online(session) = &mut self.phase else {
            return;
        };
        if self.closing.is_some() {
            for (conversation, seq) in self.places.take_acks(usize::MAX) {
                session.ask(Request::Ack, |id| frames::ack(Some(id), conversation, seq));
            }
        } else if self.places.has_acks() && session.may_ack_at() <= Instant::now() {
            for (conversation, seq) in self.places.take_acks(ACKS_MAX) {
                session.tell(frames::ack(None, conversation, seq));
            }
            session.acked();
        }
    }
}

/// Asks until there is an answer.
async fn ask_fate(api: Api, client_id: String) -> (String, Fate) {
    let mut wait = Duration::from_secs(1);
    loop {
        let error = match api.fate(&client_id).await {
            Ok(fate) => return (client_id, fate),
            Err(error) => error,
        };
        tracing::debug!(%error, "what became of a message cannot be known yet");
        sleep(
            error
                .retry_after()
                .unwrap_or(wait)
                .clamp(wait, ASK_AGAIN_MAX),
        )
        .await;
        wait = (wait * 2).min(ASK_AGAIN_MAX);
    }
}

/// The client cannot go on without its memory.
#[expect(clippy::needless_pass_by_value, reason = "it is given to map_err")]
pub(super) fn ended(error: StoreError) -> Ended {
    Ended::Store(error.to_string())
}

impl Settled {
    fn client_id(&self) -> &str {
        match self {
            Self::Sent(sent) => &sent.client_id,
            Self::Failed(failed) => &failed.client_id,
        }
    }

    fn change(&self) -> Change {
        let client_id = self.client_id().to_owned();
        match self {
            Self::Sent(_) => Change::Remove { client_id },
            Self::Failed(failed) => Change::Fail {
                client_id,
                reason: failed.kept(),
            },
        }
    }
}
