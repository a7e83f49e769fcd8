//! Posts dead letters once more, when somebody asks for it.

use std::sync::Arc;
use std::time::Duration;

use common::api::{Entry, Refusal};
use common::id::{Seq, UserId};
use common::store::outgoing_hook::{
    self, DEAD_LETTERS_MAX, DeadLetter, Found, OutgoingHook, OutgoingHookChange,
};
use common::store::place;
use common::store::{Change, StoreError};
use tokio::time::{Instant, timeout_at};

use super::line::Line;
use super::post::{Delivery, Verdict, permit, post};
use super::target::Target;
use super::walk::{delivery_id, shortened};
use crate::actor::Actor;
use crate::app::App;
use crate::command::Failure;
use crate::protocol::web::Showing;

/// How long one call posts: less than a request may take.
const RETRY_FOR: Duration = Duration::from_secs(20);

/// What became of dead letters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Retried {
    pub(crate) delivered: u32,
    /// Tried, and not taken.
    pub(crate) failed: u32,
    /// There was no time for these: ask again.
    pub(crate) left: u32,
}

/// Posts the hook's dead letters once each, in their order. Those that are taken, and those that the
/// account may not read any more, are forgotten.
///
/// # Errors
/// `NoSuchWebhook` if it is deleted meanwhile; the store's.
pub(crate) async fn retry(app: &Arc<App>, found: &Found) -> Result<Retried, Failure> {
    let hook = &found.hook;
    let until = Instant::now() + RETRY_FOR;
    let target = Target::parse(&hook.url)?;
    let letters = outgoing_hook::dead_letters(&*app.store, hook.hook).await?;
    let account = app.store.account(hook.user).await?;
    let actor = Actor {
        user: hook.user,
        username: account
            .map(|account| account.profile.username)
            .unwrap_or_default()
            .into(),
        device: hook.device,
        address: std::net::Ipv4Addr::LOCALHOST.into(),
    };
    let mut again = Again {
        app,
        hook,
        answerable: found.answerable,
        line: app.webhooks.line(hook.hook),
        target,
        showing: Showing::new(app, &actor),
    };
    let mut retried = Retried::default();
    let mut letters = letters.into_iter();
    for letter in letters.by_ref() {
        // What is under way when the time is over is not counted: it comes again.
        let taken = timeout_at(until, Box::pin(again.post(letter))).await;
        match taken {
            Ok(Ok(Tried::Done)) => retried.delivered += 1,
            Ok(Ok(Tried::NotTaken)) => retried.failed += 1,
            Ok(Ok(Tried::Deleted)) => return Err(Refusal::NoSuchWebhook.into()),
            Ok(Err(error)) => return Err(error.into()),
            Err(_) => {
                retried.left += 1;
                break;
            }
        }
    }
    retried.left += u32::try_from(letters.len()).unwrap_or(u32::MAX);
    Ok(retried)
}

/// What became of one letter.
enum Tried {
    /// It is not a dead letter any more.
    Done,
    NotTaken,
    /// The webhook is not there any more.
    Deleted,
}

struct Again<'a> {
    app: &'a App,
    hook: &'a OutgoingHook,
    answerable: UserId,
    line: Arc<Line>,
    target: Target,
    showing: Showing,
}

impl Again<'_> {
    async fn post(&mut self, letter: DeadLetter) -> Result<Tried, StoreError> {
        let (hook, conv, seq) = (self.hook.hook, letter.conv, letter.seq);
        let Some(_turn) = self.line.turn().await else {
            return Ok(Tried::Deleted);
        };
        let entry = self.readable(&letter).await?;
        let body = match &entry {
            Some(entry) => self.showing.show_anew(entry).await?,
            None => None,
        };
        let verdict = match body {
            Some(body) => {
                let delivery = Delivery {
                    target: &self.target,
                    secret: &self.hook.secret,
                    id: &delivery_id(hook, conv, seq),
                    body,
                };
                let posting = async {
                    let permit = permit(self.app, self.answerable).await;
                    post(self.app, &delivery, permit).await
                };
                tokio::select! {
                    () = self.line.closed() => return Ok(Tried::Deleted),
                    verdict = posting => verdict,
                }
            }
            None => Verdict::Taken,
        };
        let reason = match verdict {
            Verdict::Taken => {
                let change = OutgoingHookChange::Unbury { hook, conv, seq };
                self.app.log.commit(Change::OutgoingHook(change)).await?;
                return Ok(Tried::Done);
            }
            Verdict::Gone => "the target answers 410".to_owned(),
            Verdict::Failed { reason, .. } => reason,
        };
        let change = OutgoingHookChange::Bury {
            hook,
            letter: DeadLetter {
                attempts: letter.attempts.saturating_add(1),
                reason: shortened(&reason),
                ..letter
            },
            letters_max: DEAD_LETTERS_MAX,
        };
        self.app.log.commit(Change::OutgoingHook(change)).await?;
        Ok(Tried::NotTaken)
    }

    /// The entry, if the account may still read it.
    async fn readable(&self, letter: &DeadLetter) -> Result<Option<Entry>, StoreError> {
        let (store, conv) = (&self.app.store, letter.conv);
        let since = place::since(&**store, self.hook.user, conv).await?;
        if since.is_none_or(|since| letter.seq <= since) {
            return Ok(None);
        }
        let before = Seq(letter.seq.0.saturating_sub(1));
        let found = store.pull(conv, before, 1).await?;
        Ok(found.into_iter().find(|entry| entry.seq == letter.seq))
    }
}

#[cfg(test)]
mod tests;
