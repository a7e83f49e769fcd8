//! Outgoing webhooks: where what one may read is posted to.

use std::sync::Arc;

use common::api::Refusal;
use common::auth::{nameless_device, random_number};
use common::id::{ConvId, HookId};
use common::store::outgoing_hook::{
    self, DeadLetter, Found, HookSecret, OutgoingHook, OutgoingHookChange,
};
use common::store::{Change, StoreError};

use super::{Failure, check_text, done, may_read, uncancelled};
use crate::actor::Actor;
use crate::app::App;
use crate::webhooks::{self, PostError, Retried, Retrying, Target};

/// How many webhooks a user may have: each is a task and a connection at a time.
pub const OUTGOING_HOOKS_MAX: u32 = 20;
/// The longest name of a webhook, in bytes: that of a device.
const NAME_BYTES_MAX: usize = 64;

/// What somebody wants to be posted where.
#[derive(Clone, Debug)]
pub struct NewOutgoingHook {
    pub url: String,
    /// What its owner calls it; empty for nothing.
    pub name: String,
    /// One conversation; `None` for all.
    pub conv: Option<ConvId>,
}

/// A webhook as its owner sees it.
#[derive(Clone, Debug)]
pub struct SeenOutgoingHook {
    pub hook: OutgoingHook,
    pub dead_letters: u32,
    pub(crate) state: HookState,
}

/// How a webhook is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HookState {
    Ok,
    Retrying(Retrying),
    Paused,
}

/// Makes a webhook of the actor's own account. It posts what is written from now on.
///
/// # Errors
/// `Target` for a URL that is not posted to, `Invalid` name, `NoSuchConversation`, `NotAMember`,
/// `TooMany`; the store's.
pub async fn create_outgoing_hook(
    app: &Arc<App>,
    actor: &Actor,
    new: NewOutgoingHook,
) -> Result<OutgoingHook, Failure> {
    check_text("the webhook's name", &new.name, NAME_BYTES_MAX)?;
    let target = Target::parse(&new.url)?;
    if let Some(conv) = new.conv {
        may_read::may_read(app, actor.user, conv).await?;
    }
    app.webhooks.check(&target).await?;
    let hook = OutgoingHook {
        hook: HookId(random_number().map_err(|error| no_random(&error))?),
        user: actor.user,
        creator: actor.user,
        device: nameless_device().map_err(|error| no_random(&error))?,
        conv: new.conv,
        name: new.name,
        url: new.url,
        secret: new_secret()?,
        created: app.clock.now(),
        paused: None,
    };
    let change = OutgoingHookChange::Create {
        hook: hook.clone(),
        of_creator_max: OUTGOING_HOOKS_MAX,
        total_max: app.config.webhooks.webhooks_max,
    };
    commit(app, hook.hook, change).await?;
    Ok(hook)
}

/// The actor's webhooks, oldest first.
///
/// # Errors
/// The store's.
pub async fn outgoing_hooks(app: &App, actor: &Actor) -> Result<Vec<SeenOutgoingHook>, Failure> {
    let found = outgoing_hook::of_creator(&*app.store, actor.user).await?;
    let seen = |found: Found| {
        let line = app.webhooks.known_line(found.hook.hook);
        let retrying = line.and_then(|line| line.retrying());
        let state = match (found.hook.paused, retrying) {
            (Some(_), _) => HookState::Paused,
            (None, Some(retrying)) => HookState::Retrying(retrying),
            (None, None) => HookState::Ok,
        };
        SeenOutgoingHook {
            hook: found.hook,
            dead_letters: found.dead_letters,
            state,
        }
    };
    Ok(found.into_iter().map(seen).collect())
}

/// Deletes a webhook with its places in conversations and its dead letters.
///
/// # Errors
/// `NoSuchWebhook` (also for somebody else's, here and below); the store's.
pub async fn delete_outgoing_hook(
    app: &Arc<App>,
    actor: &Actor,
    hook: HookId,
) -> Result<(), Failure> {
    own(app, actor, hook).await?;
    let creator = actor.user;
    let change = Change::OutgoingHook(OutgoingHookChange::Delete { creator, hook });
    uncancelled(app, |app| async move {
        // What is under way would move a cursor that is deleted.
        let _closed = app.webhooks.close(hook).await;
        done(&app.log.commit(change).await?).map(drop)
    })
    .await
}

/// Posts nothing any more, or what was written since.
///
/// # Errors
/// `NoSuchWebhook`; the store's.
pub async fn pause_outgoing_hook(
    app: &Arc<App>,
    actor: &Actor,
    hook: HookId,
    is_paused: bool,
) -> Result<(), Failure> {
    let change = OutgoingHookChange::SetPaused {
        creator: actor.user,
        hook,
        since: is_paused.then(|| app.clock.now()),
    };
    commit(app, hook, change).await?;
    Ok(())
}

/// Gives a webhook a new secret. What is posted from now on is signed with it.
///
/// # Errors
/// `NoSuchWebhook`; the store's.
pub async fn rotate_hook_secret(
    app: &Arc<App>,
    actor: &Actor,
    hook: HookId,
) -> Result<HookSecret, Failure> {
    let secret = new_secret()?;
    let change = OutgoingHookChange::SetSecret {
        creator: actor.user,
        hook,
        secret: secret.clone(),
    };
    commit(app, hook, change).await?;
    Ok(secret)
}

/// Posts something that means nothing; how the target answers.
///
/// # Errors
/// `NoSuchWebhook`; the store's.
pub(crate) async fn test_outgoing_hook(
    app: &Arc<App>,
    actor: &Actor,
    hook: HookId,
) -> Result<Result<u16, PostError>, Failure> {
    let found = own(app, actor, hook).await?;
    Ok(webhooks::ping(app, &found).await)
}

/// What a webhook's target never took, in the order in which it was given up.
///
/// # Errors
/// `NoSuchWebhook`; the store's.
pub async fn dead_letters(
    app: &Arc<App>,
    actor: &Actor,
    hook: HookId,
) -> Result<Vec<DeadLetter>, Failure> {
    own(app, actor, hook).await?;
    Ok(outgoing_hook::dead_letters(&*app.store, hook).await?)
}

/// Posts the dead letters once more.
///
/// # Errors
/// `NoSuchWebhook`; the store's.
pub(crate) async fn retry_dead_letters(
    app: &Arc<App>,
    actor: &Actor,
    hook: HookId,
) -> Result<Retried, Failure> {
    let found = own(app, actor, hook).await?;
    webhooks::retry(app, &found).await
}

/// Forgets the dead letters.
///
/// # Errors
/// `NoSuchWebhook`; the store's.
pub async fn clear_dead_letters(
    app: &Arc<App>,
    actor: &Actor,
    hook: HookId,
) -> Result<(), Failure> {
    let creator = actor.user;
    commit(app, hook, OutgoingHookChange::Clear { creator, hook }).await
}

async fn own(app: &Arc<App>, actor: &Actor, hook: HookId) -> Result<Found, Failure> {
    let found = outgoing_hook::get(&*app.store, hook).await?;
    let own = found.filter(|found| found.hook.creator == actor.user);
    own.ok_or_else(|| Refusal::NoSuchWebhook.into())
}

/// Saves a change and rings for the hook.
async fn commit(app: &Arc<App>, hook: HookId, change: OutgoingHookChange) -> Result<(), Failure> {
    uncancelled(app, |app| async move {
        let saved = app.log.commit(Change::OutgoingHook(change)).await;
        app.webhooks.changed(hook);
        done(&saved?).map(drop)
    })
    .await
}

fn new_secret() -> Result<HookSecret, StoreError> {
    webhooks::new_secret().map_err(|error| no_random(&error))
}

fn no_random(error: &impl std::fmt::Display) -> StoreError {
    StoreError::Broken(error.to_string())
}
