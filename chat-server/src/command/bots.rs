//! Bots: accounts that are programs. Their owner makes them, gives them tokens, and ends them.
//!
//! Nobody signs in to a bot with a password. What a bot may do with its token is what any user may;
//! only bots of its own and a password it cannot have.

use std::sync::Arc;

use common::api::{DeviceKind, Profile, Refusal};
use common::auth::{Claims, lasting_device};
use common::id::{DeviceId, Millis, Peer, SessionId, UserId};
use common::store::bot::{self as stored, BotChange, NewToken};
use common::store::session::{self, SignIn};
use common::store::{Change, Outcome, outgoing_hook};

use super::register::NICKNAME_BYTES_MAX;
use super::sign_in::{DEVICE_NAME_BYTES_MAX, end_replaced, ended, no_random, random, token};
use super::{
    Failure, ProfileEdit, SignedIn, change_profile, check_name, check_username, done, persons,
    uncancelled,
};
use crate::actor::{Actor, Mark};
use crate::app::App;

/// What the first token is called.
const FIRST_TOKEN: &str = "default";
/// What a further token is called that got no name.
const UNNAMED_TOKEN: &str = "token";

/// A bot that somebody wants to have.
#[derive(Clone, Debug)]
pub struct NewBot {
    pub username: String,
    pub nickname: String,
}

/// A bot that was made, with its first token.
#[derive(Debug)]
pub struct MadeBot {
    pub profile: Profile,
    pub token: ShownToken,
    /// It had been made before, under the same client id.
    pub is_repeat: bool,
}

/// A token as it is shown once.
#[derive(Clone)]
pub struct ShownToken {
    /// Stays the same when the token is replaced.
    pub device: DeviceId,
    pub name: String,
    pub token: String,
}

impl std::fmt::Debug for ShownToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ShownToken")
            .field("device", &self.device)
            .finish_non_exhaustive()
    }
}

/// What the owner says of a token that is to be made.
#[derive(Clone, Debug, Default)]
pub struct TokenTerms {
    pub name: Option<String>,
    /// Never if not given.
    pub expires: Option<Millis>,
}

/// Makes a bot. The two are contacts from then on.
///
/// # Errors
/// `NotForBots`, `Invalid` names, `UsernameTaken`, `TooMany` bots or contacts, `ClientIdConflict`,
/// `NoSuchToken` for a repeat after the first token has ended; the store's.
pub async fn make_bot(
    app: &App,
    signed: &SignedIn,
    new: NewBot,
    mark: Mark,
) -> Result<MadeBot, Failure> {
    if signed.is_bot {
        return Err(Failure::NotForBots);
    }
    let username_bytes_max = usize::try_from(app.config.username_bytes_max).unwrap_or(usize::MAX);
    check_username(&new.username, username_bytes_max)?;
    check_name("the nickname", &new.nickname, NICKNAME_BYTES_MAX)?;
    let actor = &signed.actor;
    let change = BotChange::Create {
        origin: app.origin(actor, mark),
        username: new.username.clone(),
        nickname: new.nickname,
        token: fresh(app, FIRST_TOKEN.to_owned(), Millis::NEVER)?,
        bots_max: app.config.bots_max,
        contacts_max: app.config.friends_max,
    };
    let outcome = app.log.commit(Change::Bot(change)).await?;
    let is_repeat = matches!(outcome, Outcome::AlreadyThere { .. });
    done(&outcome)?;
    let account = app.store.account_named(&new.username).await?;
    let profile = account.ok_or(Refusal::NoSuchBot)?.profile;
    let Peer::User(bot) = profile.id else {
        return Err(Refusal::NoSuchBot.into());
    };
    let tokens = bot_tokens(app, actor, bot).await?;
    let first = tokens.iter().find(|one| one.name == FIRST_TOKEN);
    let token = shown(app, first.ok_or(Refusal::NoSuchToken)?).await?;
    Ok(MadeBot {
        profile,
        token,
        is_repeat,
    })
}

/// The actor's bots, in the order in which they were made.
///
/// # Errors
/// The store's.
pub async fn bots(app: &App, actor: &Actor) -> Result<Vec<Profile>, Failure> {
    let bots = stored::of_owner(&*app.store, actor.user).await?;
    persons(app, actor, &bots).await
}

/// One of the actor's bots.
///
/// # Errors
/// `NoSuchBot`; the store's.
pub async fn bot(app: &App, actor: &Actor, bot: UserId) -> Result<Profile, Failure> {
    check_owner(app, actor, bot).await?;
    let mut found = persons(app, actor, &[bot]).await?;
    found.pop().ok_or_else(|| Refusal::NoSuchBot.into())
}

/// Refuses what is no bot of the actor's.
pub(super) async fn check_owner(app: &App, actor: &Actor, bot: UserId) -> Result<(), Failure> {
    match stored::owner(&*app.store, bot).await? {
        Some(owner) if owner == actor.user => Ok(()),
        Some(_) | None => Err(Refusal::NoSuchBot.into()),
    }
}

/// Changes the profile of a bot; returns it as it is then.
///
/// # Errors
/// `NoSuchBot`, `Invalid` fields; the store's.
pub async fn change_bot(
    app: &Arc<App>,
    actor: &Actor,
    bot: UserId,
    edit: ProfileEdit,
) -> Result<Profile, Failure> {
    let known = self::bot(app, actor, bot).await?;
    let as_bot = Actor {
        user: bot,
        username: known.username.into(),
        ..actor.clone()
    };
    change_profile(app, &as_bot, actor.user, edit).await
}

/// Ends a bot: its tokens, connections and webhooks. What it wrote stays, and so does its name.
///
/// # Errors
/// `NoSuchBot`; the store's.
pub async fn end_bot(app: &Arc<App>, actor: &Actor, bot: UserId) -> Result<(), Failure> {
    let owner = actor.user;
    let change = Change::Bot(BotChange::End { owner, bot });
    check_owner(app, actor, bot).await?;
    uncancelled(app, |app| async move {
        let mut closed = Vec::new();
        for hook in outgoing_hook::of_user(&*app.store, bot).await? {
            closed.push(app.webhooks.close(hook).await);
        }
        done(&app.log.commit(change).await?)?;
        ended(&app, bot, |_| true);
        app.webhooks.account_changed(bot);
        Ok(())
    })
    .await
}

/// The tokens with which a bot may come, the oldest first.
///
/// # Errors
/// `NoSuchBot`; the store's.
pub async fn bot_tokens(app: &App, actor: &Actor, bot: UserId) -> Result<Vec<SignIn>, Failure> {
    check_owner(app, actor, bot).await?;
    let now = app.clock.now();
    let mut tokens = session::of_user(&*app.store, bot).await?;
    tokens.retain(|token| token.expires > now && token.kind == DeviceKind::Bot.as_str());
    tokens.sort_by_key(|token| (token.created, token.device));
    Ok(tokens)
}

/// Makes a further token.
///
/// # Errors
/// `NoSuchBot`, `Invalid` name or time, `TooMany` tokens; the store's.
pub async fn add_bot_token(
    app: &App,
    actor: &Actor,
    bot: UserId,
    terms: TokenTerms,
) -> Result<ShownToken, Failure> {
    let name = terms.name.unwrap_or_else(|| UNNAMED_TOKEN.to_owned());
    check_name("the token's name", &name, DEVICE_NAME_BYTES_MAX)?;
    let expires = terms.expires.unwrap_or(Millis::NEVER).min(Millis::NEVER);
    if expires <= app.clock.now() {
        return Err(Failure::Invalid {
            field: "expires_at",
            problem: "is over already",
        });
    }
    let token = fresh(app, name, expires)?;
    let device = token.device;
    let change = BotChange::AddToken {
        owner: actor.user,
        bot,
        token,
    };
    done(&app.log.commit(Change::Bot(change)).await?)?;
    show(app, actor, bot, device).await
}

/// Replaces a token: the one before is worth nothing at once, its device goes on where it was.
///
/// # Errors
/// `NoSuchBot`, `NoSuchToken`; the store's.
pub async fn rotate_bot_token(
    app: &Arc<App>,
    actor: &Actor,
    bot: UserId,
    device: DeviceId,
) -> Result<ShownToken, Failure> {
    let change = BotChange::RotateToken {
        owner: actor.user,
        bot,
        device,
        session: SessionId(random()?),
        at: app.clock.now(),
    };
    uncancelled(app, |app| async move {
        done(&app.log.commit(Change::Bot(change)).await?)?;
        end_replaced(&app, bot).await
    })
    .await?;
    show(app, actor, bot, device).await
}

/// Ends a token, and forgets how far its device got.
///
/// # Errors
/// `NoSuchBot`, `NoSuchToken`; the store's.
pub async fn end_bot_token(
    app: &Arc<App>,
    actor: &Actor,
    bot: UserId,
    device: DeviceId,
) -> Result<(), Failure> {
    let change = BotChange::EndToken {
        owner: actor.user,
        bot,
        device,
    };
    uncancelled(app, |app| async move {
        done(&app.log.commit(Change::Bot(change)).await?)?;
        end_replaced(&app, bot).await
    })
    .await
}

/// A token on a device that nobody else has.
fn fresh(app: &App, name: String, expires: Millis) -> Result<NewToken, Failure> {
    Ok(NewToken {
        session: SessionId(random()?),
        device: lasting_device().map_err(|error| no_random(&error))?,
        name,
        at: app.clock.now(),
        expires,
    })
}

/// The token of a device as it is now.
async fn show(
    app: &App,
    actor: &Actor,
    bot: UserId,
    device: DeviceId,
) -> Result<ShownToken, Failure> {
    let tokens = bot_tokens(app, actor, bot).await?;
    let found = tokens.iter().find(|token| token.device == device);
    shown(app, found.ok_or(Refusal::NoSuchToken)?).await
}

async fn shown(app: &App, sign_in: &SignIn) -> Result<ShownToken, Failure> {
    let claims = Claims {
        session: sign_in.session,
        user: sign_in.user,
        device: sign_in.device,
        expires: sign_in.expires,
    };
    Ok(ShownToken {
        device: sign_in.device,
        name: sign_in.name.clone(),
        token: token(app, &claims).await?,
    })
}
