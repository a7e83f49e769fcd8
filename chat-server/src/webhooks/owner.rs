//! Who runs the hooks: a task for each that is neither paused nor its account's end.
//!
//! What a hook is stands in the database. A ring names a hook and says nothing of it, so it may come
//! twice, and one that came while a task was ending is not lost.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use common::id::{HookId, UserId};
use common::store::StoreError;
use common::store::outgoing_hook::{self, Found, OutgoingHook};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::walk::{self, Ended};
use crate::app::App;

/// How long to wait before asking a database again, or starting a hook again that failed.
const RETRY: Duration = Duration::from_secs(5);

/// Runs all hooks until `shutdown`, and returns when none is under way any more.
pub async fn run(app: Arc<App>, shutdown: CancellationToken) {
    let mut owner = Owner {
        app,
        shutdown,
        running: HashMap::new(),
        hooks: HashMap::new(),
        tasks: JoinSet::new(),
        unsettled: BTreeSet::new(),
        users: BTreeSet::new(),
        later: BTreeSet::new(),
        retry_at: None,
        is_loaded: false,
    };
    owner.settle().await;
    while owner.wait().await {
        owner.settle().await;
    }
    while owner.tasks.join_next().await.is_some() {}
}

struct Owner {
    app: Arc<App>,
    shutdown: CancellationToken,
    running: HashMap<HookId, Running>,
    /// Whose task it is.
    hooks: HashMap<Id, HookId>,
    tasks: JoinSet<Ended>,
    /// Hooks that have to be looked at.
    unsettled: BTreeSet<HookId>,
    /// Accounts whose hooks have to be looked at.
    users: BTreeSet<UserId>,
    /// Hooks that failed, to be looked at when it is time.
    later: BTreeSet<HookId>,
    retry_at: Option<Instant>,
    /// The hooks of the database are known.
    is_loaded: bool,
}

struct Running {
    hook: OutgoingHook,
    stop: CancellationToken,
}

impl Owner {
    /// Waits for something to settle; `false` at the end.
    async fn wait(&mut self) -> bool {
        let app = Arc::clone(&self.app);
        let retry_at = self.retry_at.unwrap_or_else(Instant::now);
        tokio::select! {
            biased;
            () = self.shutdown.cancelled() => return false,
            () = app.webhooks.bell.notified() => {}
            Some(ended) = self.tasks.join_next_with_id() => self.ended(&ended),
            () = sleep_until(retry_at), if self.retry_at.is_some() => {
                self.retry_at = None;
                self.unsettled.append(&mut self.later);
            }
        }
        self.take_changed();
        true
    }

    fn take_changed(&mut self) {
        let changed = self.app.webhooks.take_changed();
        self.unsettled.extend(changed.hooks);
        // Those that run are known here, also if the database has them no more.
        let of_them = |running: &&Running| changed.users.contains(&running.hook.user);
        let running = self.running.values().filter(of_them);
        self.unsettled
            .extend(running.map(|running| running.hook.hook));
        self.users.extend(changed.users);
    }

    fn ended(&mut self, ended: &Result<(Id, Ended), JoinError>) {
        let id = match ended {
            Ok((id, _)) => *id,
            Err(error) => error.id(),
        };
        let Some(hook) = self.hooks.remove(&id) else {
            return;
        };
        self.running.remove(&hook);
        if let Err(error) = ended {
            tracing::error!(%hook, %error, "a webhook failed");
        }
        match ended {
            Ok((_, Ended::Stopped)) => self.unsettled.insert(hook),
            Ok((_, Ended::Failed)) | Err(_) => {
                self.retry_later();
                self.later.insert(hook)
            }
        };
    }

    fn retry_later(&mut self) {
        self.retry_at = Some(Instant::now() + RETRY);
    }

    /// Makes of every unsettled hook what the database says of it.
    async fn settle(&mut self) {
        if let Err(error) = self.settle_all().await {
            tracing::warn!(%error, "webhooks could not be read; trying again");
            self.retry_later();
        }
    }

    async fn settle_all(&mut self) -> Result<(), StoreError> {
        if !self.is_loaded {
            let all = outgoing_hook::all(&*self.app.store).await?;
            self.unsettled.extend(all);
            self.is_loaded = true;
        }
        while let Some(user) = self.users.first().copied() {
            let of_user = outgoing_hook::of_user(&*self.app.store, user).await?;
            self.unsettled.extend(of_user);
            self.users.remove(&user);
        }
        while let Some(hook) = self.unsettled.first().copied() {
            let found = outgoing_hook::get(&*self.app.store, hook).await?;
            let wanted = found.filter(|found| !found.is_disabled);
            // What is being deleted is looked at once more when that is done, or was not.
            let line = self.app.webhooks.known_line(hook);
            let is_closed = line.is_some_and(|line| line.is_closed());
            let wanted = wanted.filter(|found| found.hook.paused.is_none() && !is_closed);
            self.make(hook, wanted);
            self.unsettled.remove(&hook);
        }
        Ok(())
    }

    fn make(&mut self, hook: HookId, wanted: Option<Found>) {
        match (self.running.get(&hook), wanted) {
            (Some(running), Some(wanted)) if running.hook == wanted.hook => {}
            // Looked at once more when it has ended.
            (Some(running), _) => running.stop.cancel(),
            (None, Some(wanted)) => self.start(wanted),
            (None, None) => {}
        }
    }

    fn start(&mut self, found: Found) {
        let stop = self.shutdown.child_token();
        let hook = found.hook.clone();
        let walk = walk::run(Arc::clone(&self.app), found, stop.clone());
        let id = self.tasks.spawn(walk).id();
        self.hooks.insert(id, hook.hook);
        self.running.insert(hook.hook, Running { hook, stop });
    }
}
