//! Outgoing webhooks: what an account may read is posted to a URL.
//!
//! A webhook is one more device of its account. The durable queue is the log, and how far the
//! target got is the device's cursor: no message is copied anywhere to wait. `owner` runs a task
//! for each hook, `walk` is that task: it drives a walker as a session does, shows each entry as the
//! event that a WebSocket would get, and moves the cursor when the target took it. `post` is one
//! delivery to a [`target`], `signature` signs it, `backoff` says when to try again, `letters` are
//! those that were given up.
//!
//! A target that is slow or gone holds up nobody: it has a task and a cursor of its own, and
//! [`permits`] keep one person's targets from taking all the room.

mod address;
mod backoff;
mod letters;
mod line;
mod owner;
mod permits;
mod post;
mod signature;
pub mod target;
mod walk;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use common::config::{Networks, WebhookConfig};
use common::id::{HookId, UserId};
use common::net::{Outward, OutwardError};
use tokio::sync::Notify;
use tokio::time::timeout;

use permits::Permits;

pub(crate) use letters::{Retried, retry};
pub(crate) use line::{Line, Retrying};
pub use owner::run;
pub(crate) use post::{PostError, ping};
pub(crate) use signature::new_secret;
pub(crate) use target::{Target, TargetError};

/// What everybody can reach of the webhooks.
#[derive(Debug)]
pub struct Webhooks {
    outward: Outward,
    allowed: Networks,
    /// In which time a target has to answer.
    within: Duration,
    attempts_max: u32,
    first_pause: Duration,
    permits: Permits,
    /// Of the hooks that do something, or did it a moment ago.
    lines: Mutex<HashMap<HookId, Weak<Line>>>,
    changed: Mutex<Changed>,
    bell: Notify,
}

/// What the owner has to look at. It reads from the database what it is now.
#[derive(Debug, Default)]
struct Changed {
    hooks: BTreeSet<HookId>,
    /// All hooks of these accounts and of their bots.
    users: BTreeSet<UserId>,
}

impl Webhooks {
    /// # Errors
    /// If the certificates of the setting cannot be used.
    pub fn new(config: &WebhookConfig) -> Result<Self, OutwardError> {
        Ok(Self {
            outward: Outward::new(config.webhook_ca.as_deref())?,
            allowed: config.webhook_allowed_networks.clone(),
            within: Duration::from_millis(config.webhook_timeout_ms.into()),
            attempts_max: config.webhook_attempts_max,
            first_pause: Duration::from_millis(config.webhook_retry_first_ms.into()),
            permits: Permits::default(),
            lines: Mutex::default(),
            changed: Mutex::default(),
            bell: Notify::new(),
        })
    }

    /// The hook was made, changed or deleted. Says nothing of what it is now, and may come twice.
    pub fn changed(&self, hook: HookId) {
        lock(&self.changed).hooks.insert(hook);
        self.bell.notify_one();
    }

    /// Something changed about an account that may end, or begin, what its hooks and those of its
    /// bots do.
    pub fn account_changed(&self, user: UserId) {
        lock(&self.changed).users.insert(user);
        self.bell.notify_one();
    }

    /// Where the hook's deliveries take turns. It is one line as long as anybody has it.
    pub(crate) fn line(&self, hook: HookId) -> Arc<Line> {
        let mut lines = lock(&self.lines);
        if let Some(line) = lines.get(&hook).and_then(Weak::upgrade) {
            return line;
        }
        lines.retain(|_, line| line.strong_count() > 0);
        let line = Arc::<Line>::default();
        lines.insert(hook, Arc::downgrade(&line));
        line
    }

    /// As [`Webhooks::line`]; `None` if the hook does nothing.
    pub(crate) fn known_line(&self, hook: HookId) -> Option<Arc<Line>> {
        lock(&self.lines).get(&hook).and_then(Weak::upgrade)
    }

    /// Ends what the hook is doing, whatever it is: nothing of it is under way when this returns,
    /// nor begins as long as the answer is held.
    pub(crate) async fn close(&self, hook: HookId) -> Closed<'_> {
        let closed = Closed {
            webhooks: self,
            hook,
            line: self.line(hook),
        };
        closed.line.close().await;
        closed
    }

    /// Whether this may be posted to, as its name is known now.
    pub(crate) async fn check(&self, target: &Target) -> Result<(), TargetError> {
        let checked = target::checked(target, &self.allowed, &self.outward);
        match timeout(self.within, checked).await {
            Ok(found) => found.map(drop),
            Err(_) => Err(TargetError::SlowName {
                name: target.name(),
            }),
        }
    }

    fn take_changed(&self) -> Changed {
        std::mem::take(&mut lock(&self.changed))
    }
}

/// Keeps a hook from doing anything; dropped, it is looked at anew.
#[derive(Debug)]
pub(crate) struct Closed<'a> {
    webhooks: &'a Webhooks,
    hook: HookId,
    line: Arc<Line>,
}

impl Drop for Closed<'_> {
    fn drop(&mut self) {
        lock(&self.webhooks.lines).remove(&self.hook);
        self.webhooks.changed(self.hook);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
