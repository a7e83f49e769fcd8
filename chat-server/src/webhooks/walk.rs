//! The task of one hook: walks the logs of its account as a session does, and posts each entry
//! until it is taken or given up.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use common::api::Entry;
use common::id::{ConvId, HookId, Millis, Seq, UserId};
use common::store::outgoing_hook::{
    DEAD_LETTERS_MAX, DeadLetter, Found, OutgoingHook, OutgoingHookChange,
};
use common::store::{Change, Outcome, StoreError};
use common::telemetry::metrics;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::backoff::pause;
use super::line::{Line, Retrying, Turn};
use super::post::{Delivery, Verdict, permit, post};
use super::target::{Target, TargetError};
use crate::actor::Actor;
use crate::app::App;
use crate::arrival::{Arrival, arrive};
use crate::hub::{ClientKind, Entrant, Manner, ONLINE, Seat, Session};
use crate::log::TailEntry;
use crate::protocol::web::Showing;
use crate::walker::Walker;

/// How long to wait before asking a store again that did not answer.
const STORE_RETRY: Duration = Duration::from_secs(1);
/// The longest text that is kept of why something was not taken, in characters.
const REASON_CHARS_MAX: usize = 500;
/// Why something was given up that was never posted.
const NOT_SHOWN: &str = "the server cannot read this entry; its log says why";

/// Why a hook's task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// It was told to, or it paused itself.
    Stopped,
    /// It cannot go on at the moment.
    Failed,
}

/// What comes after an entry.
enum Then {
    Next,
    End,
    /// What became of it could not be saved: it has to come again.
    Fail,
}

/// An entry as the hook's target gets it.
enum Shown {
    Event(Bytes),
    /// The account did it itself, may not read it, or it is no event.
    NotForIt,
    /// The store has no answer for it.
    Cannot,
}

/// Posts what the hook's account may read, from the hook's cursors on, until `stop`.
pub(super) async fn run(app: Arc<App>, found: Found, stop: CancellationToken) -> Ended {
    let number = found.hook.hook;
    let line = app.webhooks.line(number);
    let ended = match Box::pin(Walk::begin(&app, found, Arc::clone(&line), stop)).await {
        Ok(walk) => Box::pin(walk.go()).await,
        Err(error) => {
            tracing::warn!(hook = %number, %error, "a webhook cannot begin; trying again");
            Ended::Failed
        }
    };
    line.set_retrying(None);
    ended
}

#[derive(Debug, thiserror::Error)]
enum BeginError {
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("{0}")]
    Target(#[from] TargetError),
    #[error("its account is gone")]
    NoAccount,
}

struct Walk {
    app: Arc<App>,
    hook: OutgoingHook,
    /// Among whose posts the hook's count.
    answerable: UserId,
    target: Target,
    line: Arc<Line>,
    stop: CancellationToken,
    session: Arc<Session>,
    /// Takes the session out of the hub, whatever ends this.
    _seat: Seat,
    walker: Walker,
    showing: Showing,
}

impl Walk {
    async fn begin(
        app: &Arc<App>,
        found: Found,
        line: Arc<Line>,
        stop: CancellationToken,
    ) -> Result<Self, BeginError> {
        let Found {
            hook, answerable, ..
        } = found;
        let target = Target::parse(&hook.url)?;
        let account = app.store.account(hook.user).await?;
        let account = account.ok_or(BeginError::NoAccount)?;
        let actor = Actor {
            user: hook.user,
            username: account.profile.username.into(),
            device: hook.device,
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        };
        let entrant = Entrant {
            actor: actor.clone(),
            kind: ClientKind::Pc,
            manner: Manner::Webhook,
            sign_in: None,
            status: ONLINE,
            tag: 0,
        };
        let Arrival {
            session,
            seat,
            mut walker,
        } = arrive(app, entrant).await?;
        if let Some(only) = hook.conv {
            let others: Vec<_> = walker.behind().filter(|(conv, _)| *conv != only).collect();
            for (conv, _) in others {
                walker.leave_out(conv);
            }
        }
        Ok(Self {
            app: Arc::clone(app),
            showing: Showing::new(app, &actor),
            hook,
            answerable,
            target,
            line,
            stop,
            session,
            _seat: seat,
            walker,
        })
    }

    async fn go(mut self) -> Ended {
        loop {
            if self.stop.is_cancelled() {
                return Ended::Stopped;
            }
            if self.collect(None) == Heard::End {
                return Ended::Failed;
            }
            match self.walker.next().await {
                Ok(Some(held)) => match Box::pin(self.deliver(&held)).await {
                    Then::Next => {}
                    Then::End => return Ended::Stopped,
                    Then::Fail => return Ended::Failed,
                },
                Ok(None) => {
                    tokio::select! {
                        () = self.stop.cancelled() => {}
                        () = self.session.bell() => {}
                    }
                }
                Err(error) => {
                    tracing::warn!(hook = %self.hook.hook, %error, "entries could not be read");
                    self.rest().await;
                }
            }
        }
    }

    /// Takes what waits in the mailbox. Tells whether `about` is still the account's.
    fn collect(&mut self, about: Option<ConvId>) -> Heard {
        let mailbox = self.session.collect();
        for conv in &mailbox.lost {
            self.walker.lost(*conv);
            self.showing.forget(*conv);
        }
        for conv in &mailbox.changed {
            if self.hook.conv.is_none_or(|only| only == *conv) {
                self.walker.changed(*conv);
            }
        }
        match about {
            _ if mailbox.end.is_some() => Heard::End,
            Some(about) if mailbox.lost.contains(&about) => Heard::Lost,
            _ => Heard::Nothing,
        }
    }

    /// Lets a database alone for a moment.
    async fn rest(&self) {
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = sleep(STORE_RETRY) => {}
        }
    }

    /// Posts an entry until it is taken or given up.
    async fn deliver(&mut self, held: &Arc<TailEntry>) -> Then {
        let entry = &held.entry;
        let mut attempts = 0;
        loop {
            let shown = self.shown(held, attempts).await;
            // While it waits for its turn it may be told to stop, and before that it posts nothing.
            let turn = tokio::select! {
                biased;
                () = self.stop.cancelled() => return Then::End,
                turn = self.line.turn() => turn,
            };
            let Some(turn) = turn else {
                return Then::End;
            };
            let body = match shown {
                Shown::Event(body) => body,
                Shown::NotForIt => return self.pass(entry).await,
                Shown::Cannot => return self.bury(entry, attempts, NOT_SHOWN).await,
            };
            let Some(verdict) = self.post(entry, body).await else {
                return Then::End;
            };
            attempts += 1;
            let (reason, asked) = match verdict {
                Verdict::Taken => {
                    self.taken(held, turn).await;
                    return Then::Next;
                }
                Verdict::Gone => {
                    self.pause_oneself().await;
                    return Then::End;
                }
                Verdict::Failed { reason, asked } => (reason, asked),
            };
            if attempts >= self.app.webhooks.attempts_max {
                return self.bury(entry, attempts, &reason).await;
            }
            drop(turn);
            let pause = pause(self.app.webhooks.first_pause, attempts, asked);
            self.note(attempts, &reason, pause);
            match self.wait(entry.conv, pause).await {
                Heard::Nothing => {}
                // It is not for the account any more.
                Heard::Lost => return Then::Next,
                Heard::End => return Then::End,
            }
        }
    }

    /// The event. A later attempt posts what a message says by then: what was taken back meanwhile
    /// goes nowhere.
    async fn shown(&mut self, held: &Arc<TailEntry>, attempts: u32) -> Shown {
        loop {
            let shown = match attempts {
                0 => self.showing.show(held, &self.walker).await,
                _ => self.showing.show_anew(&held.entry).await,
            };
            match shown {
                Ok(Some(body)) => return Shown::Event(body),
                Ok(None) => return Shown::NotForIt,
                Err(error) if error.is_passing() && !self.stop.is_cancelled() => {
                    self.rest().await;
                }
                Err(error) => {
                    let (conv, seq) = (held.entry.conv, held.entry.seq);
                    tracing::error!(%conv, %seq, %error, "an entry cannot be shown");
                    metrics::db_error(&error);
                    return Shown::Cannot;
                }
            }
        }
    }

    /// `None` if the hook was deleted, or told to stop before it was its turn.
    async fn post(&self, entry: &Entry, body: Bytes) -> Option<Verdict> {
        let delivery = Delivery {
            target: &self.target,
            secret: &self.hook.secret,
            id: &delivery_id(self.hook.hook, entry.conv, entry.seq),
            body,
        };
        let permit = tokio::select! {
            biased;
            () = self.stop.cancelled() => return None,
            () = self.line.closed() => return None,
            permit = permit(&self.app, self.answerable) => permit,
        };
        tokio::select! {
            () = self.line.closed() => None,
            verdict = post(&self.app, &delivery, permit) => Some(verdict),
        }
    }

    async fn taken(&self, held: &TailEntry, turn: Turn) {
        self.line.set_retrying(None);
        metrics::DELIVERED_WEBHOOK.increment(1);
        if let Some(committed) = held.committed {
            metrics::WEBHOOK_LAG_SECONDS.record(committed.elapsed().as_secs_f64());
        }
        // Before the next one goes: after a crash one comes again at the most.
        self.save(move_of(&self.hook, &held.entry)).await;
        drop(turn);
    }

    /// Nothing is posted of this entry.
    async fn pass(&self, entry: &Entry) -> Then {
        // If it is not saved it comes again, and is passed again.
        self.save(move_of(&self.hook, entry)).await;
        Then::Next
    }

    /// The entry becomes a dead letter. What was not saved must not be passed by the next one.
    async fn bury(&self, entry: &Entry, attempts: u32, reason: &str) -> Then {
        let (hook, conv, seq) = (self.hook.hook, entry.conv, entry.seq);
        self.line.set_retrying(None);
        tracing::warn!(%hook, %conv, %seq, attempts, reason, "a webhook's target did not take this");
        let letter = DeadLetter {
            conv,
            seq,
            time: self.app.clock.now(),
            attempts,
            reason: shortened(reason),
        };
        let change = OutgoingHookChange::Bury {
            hook,
            letter,
            letters_max: DEAD_LETTERS_MAX,
        };
        let Some(outcome) = self.save(Change::OutgoingHook(change)).await else {
            return Then::Fail;
        };
        if let Outcome::Done { id: dropped, .. } = outcome {
            metrics::WEBHOOK_LETTERS_KEPT.increment(1);
            metrics::WEBHOOK_LETTERS_DROPPED.increment(dropped.unwrap_or(0).into());
        }
        Then::Next
    }

    /// The target said that it wants nothing any more.
    async fn pause_oneself(&self) {
        let hook = self.hook.hook;
        tracing::info!(%hook, "a webhook is paused, because its target answered 410 Gone");
        let change = OutgoingHookChange::SetPaused {
            creator: self.hook.creator,
            hook,
            since: Some(self.app.clock.now()),
        };
        self.save(Change::OutgoingHook(change)).await;
    }

    fn note(&self, attempts: u32, reason: &str, pause: Duration) {
        let pause_ms = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
        let hook = self.hook.hook;
        tracing::debug!(%hook, attempts, reason, pause_ms, "a webhook's target did not take this yet");
        self.line.set_retrying(Some(Retrying {
            attempts,
            last_error: shortened(reason),
            next_at: Millis(self.app.clock.now().0.saturating_add(pause_ms)),
        }));
    }

    /// Waits before the next attempt, and hears meanwhile if there is to be none.
    async fn wait(&mut self, conv: ConvId, pause: Duration) -> Heard {
        let until = Instant::now() + pause;
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return Heard::End,
                () = self.line.closed() => return Heard::End,
                () = sleep_until(until) => return self.collect(Some(conv)),
                () = self.session.bell() => match self.collect(Some(conv)) {
                    Heard::Nothing => {}
                    heard => return heard,
                }
            }
        }
    }

    /// Saves a change, also if the database is away for a while: nothing else is posted before.
    async fn save(&self, change: Change) -> Option<Outcome> {
        loop {
            match self.app.log.commit(change.clone()).await {
                Ok(outcome) => return Some(outcome),
                Err(error) if error.is_passing() && !self.stop.is_cancelled() => {
                    self.rest().await;
                }
                Err(error) => {
                    let hook = self.hook.hook;
                    tracing::warn!(%hook, %error, "how far a webhook got was not saved");
                    return None;
                }
            }
        }
    }
}

/// What a task hears while it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    Nothing,
    /// The conversation is not the account's any more.
    Lost,
    End,
}

fn move_of(hook: &OutgoingHook, entry: &Entry) -> Change {
    Change::MoveCursor {
        user: hook.user,
        device: hook.device,
        conv: entry.conv,
        seq: entry.seq,
    }
}

/// The same for the same entry, whenever it is posted.
pub(super) fn delivery_id(hook: HookId, conv: ConvId, seq: Seq) -> String {
    format!("{hook}-{conv}-{seq}")
}

pub(super) fn shortened(reason: &str) -> String {
    reason.chars().take(REASON_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests;
