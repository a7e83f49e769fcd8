//! Incoming webhooks: addresses through which whoever knows them writes into one conversation.
//!
//! What comes is a message of the webhook's author and passes what every message of his passes; he
//! may have left the group meanwhile. It does not move his read mark: he has not read anything.

use std::net::IpAddr;

use common::api::Refusal;
use common::auth::{fits_hook_secret, hash_hook_secret, hook_client_id, hook_secret};
use common::id::{ClientId, ConvId, DeviceId, HookId, Millis, UserId};
use common::store::Change;
use common::store::incoming_hook::{self, IncomingHook, IncomingHookChange, SecretHash};
use uuid::Uuid;

use super::bots::check_owner;
use super::may_read::check;
use super::send::{Writer, guard};
use super::send_segments::write_segments;
use super::sign_in::{no_random, random};
use super::{Draft, Failure, Sent, check_enabled, check_name, done};
use crate::actor::{Actor, Mark};
use crate::app::App;

/// The longest name of a webhook, in bytes.
const NAME_BYTES_MAX: usize = 63;
/// How often it is noted that a webhook is in use, in milliseconds.
const NOTED_EVERY_MS: i64 = 60_000;

/// A webhook that somebody wants to have.
#[derive(Clone, Debug)]
pub struct NewIncomingHook {
    pub conv: ConvId,
    pub name: String,
    /// The bot that writes what comes; the actor himself if not given.
    pub bot: Option<UserId>,
}

/// A webhook with its secret, which is shown once.
#[derive(Clone)]
pub struct OpenedHook {
    pub hook: IncomingHook,
    pub secret: String,
}

impl std::fmt::Debug for OpenedHook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenedHook")
            .field("hook", &self.hook)
            .finish_non_exhaustive()
    }
}

/// Somebody who knew the secret of a webhook.
#[derive(Clone, Debug)]
pub struct HookCaller {
    pub hook: IncomingHook,
    /// The author, on a device that is the webhook's own.
    pub actor: Actor,
}

/// Makes a webhook. Its author must be allowed to write there.
///
/// # Errors
/// `Invalid` name, `NoSuchBot`, `NoSuchConversation`, `NotAMember`, `NotFriends`, `NoSuchUser`,
/// `Blocked`, `Muted`, `TooMany`; the store's.
pub async fn make_incoming_hook(
    app: &App,
    actor: &Actor,
    new: NewIncomingHook,
) -> Result<OpenedHook, Failure> {
    check_name("the webhook's name", &new.name, NAME_BYTES_MAX)?;
    let author = new.bot.unwrap_or(actor.user);
    if author != actor.user {
        check_owner(app, actor, author).await?;
    }
    check(author, new.conv)?;
    let hook = IncomingHook {
        hook: HookId(random()?),
        author,
        creator: actor.user,
        conv: new.conv,
        name: new.name,
        created: app.clock.now(),
        used: Millis(0),
    };
    let (secret, kept) = secret()?;
    let change = IncomingHookChange::Create {
        hook: hook.clone(),
        secret: kept,
        guard: guard(app, author, new.conv),
    };
    done(&app.log.commit(Change::IncomingHook(change)).await?)?;
    Ok(OpenedHook { hook, secret })
}

/// The webhooks that the actor made, the oldest first.
///
/// # Errors
/// The store's.
pub async fn incoming_hooks(app: &App, actor: &Actor) -> Result<Vec<IncomingHook>, Failure> {
    Ok(incoming_hook::of_creator(&*app.store, actor.user).await?)
}

/// Gives a webhook another secret; the one before is worth nothing any more.
///
/// # Errors
/// `NoSuchWebhook`; the store's.
pub async fn rotate_incoming_hook(
    app: &App,
    actor: &Actor,
    hook: HookId,
) -> Result<OpenedHook, Failure> {
    let (secret, kept) = secret()?;
    let change = IncomingHookChange::Rotate {
        creator: actor.user,
        hook,
        secret: kept,
    };
    done(&app.log.commit(Change::IncomingHook(change)).await?)?;
    let found = incoming_hook::get(&*app.store, hook).await?;
    let (hook, _) = found.ok_or(Refusal::NoSuchWebhook)?;
    Ok(OpenedHook { hook, secret })
}

/// Takes a webhook away.
///
/// # Errors
/// `NoSuchWebhook`; the store's.
pub async fn remove_incoming_hook(app: &App, actor: &Actor, hook: HookId) -> Result<(), Failure> {
    let change = IncomingHookChange::Remove {
        creator: actor.user,
        hook,
    };
    done(&app.log.commit(Change::IncomingHook(change)).await?).map(drop)
}

fn secret() -> Result<(String, SecretHash), Failure> {
    let secret = hook_secret().map_err(|error| no_random(&error))?;
    let kept = SecretHash(hash_hook_secret(&secret));
    Ok((secret, kept))
}

/// Who writes through this webhook, if the secret is right. Wrong ones are counted like failed
/// sign-ins; a right one is let in all the same, because nobody comes near it by trying.
///
/// # Errors
/// `NoSuchWebhook`, also for a wrong secret; `TooManyAttempts`; `AccountDisabled` for that of the
/// author; the store's.
pub async fn hook_caller(
    app: &App,
    from: IpAddr,
    hook: HookId,
    secret: &str,
) -> Result<HookCaller, Failure> {
    let found = incoming_hook::get(&*app.store, hook).await?;
    // Compared for a webhook that is none too, so that both take as long.
    let kept = found.as_ref().map_or("", |(_, kept)| kept.0.as_str());
    let fits = fits_hook_secret(secret, kept);
    let Some((hook, _)) = found.filter(|_| fits) else {
        // No user name has a line break.
        let name = format!("hook\n{hook}");
        if let Some(wait) = app.failures.wait(&name, from) {
            return Err(Failure::TooManyAttempts { wait });
        }
        app.failures.note(&name, from);
        return Err(Refusal::NoSuchWebhook.into());
    };
    let author = app.store.account(hook.author).await?;
    let author = author.ok_or(Refusal::NoSuchWebhook)?;
    check_enabled(app, hook.author).await?;
    let actor = Actor {
        user: hook.author,
        username: author.profile.username.into(),
        // Random like the number of a device, and nobody's: all devices of the author are told.
        device: DeviceId(hook.hook.0),
        address: from,
    };
    Ok(HookCaller { hook, actor })
}

/// Writes a message through a webhook. `name` is the caller's own name for it: under the same one it
/// is saved once. Answers with the client id under which it stands, too.
///
/// # Errors
/// As [`super::send_segments`] and [`super::Sending::saved`].
pub async fn say_through_hook(
    app: &App,
    caller: &HookCaller,
    draft: Draft,
    name: Option<&str>,
) -> Result<(Sent, ClientId), Failure> {
    let hook = &caller.hook;
    let client_id = match name {
        Some(name) => hook_client_id(hook.hook, name),
        None => hook_client_id(hook.hook, &Uuid::now_v7().simple().to_string()),
    };
    let written = (Mark::from(client_id.clone()), Writer::Webhook);
    let sending = write_segments(app, &caller.actor, hook.conv, draft, written).await?;
    let sent = sending.saved().await?;
    let at = app.clock.now();
    if at.0 - hook.used.0 >= NOTED_EVERY_MS {
        let hook = hook.hook;
        let used = IncomingHookChange::Used { hook, at };
        // Nobody waits for it: if it is lost, the next message notes it.
        app.log.submit(Change::IncomingHook(used)).await?;
    }
    Ok((sent, client_id))
}
