//! Signs devices in and out of the API, and tells by a token who somebody is.

use std::net::IpAddr;
use std::sync::Arc;

use common::api::{Account, DeviceKind, Profile, Refusal};
use common::auth::{Claims, NotSignedIn, device_named, nameless_device, random_number};
use common::id::{Millis, SessionId, UserId};
use common::store::session::{self, SessionChange, SignIn};
use common::store::{Change, StoreError};

use super::{Credentials, Failure, check_name, check_text, done, login, uncancelled};
use crate::actor::Actor;
use crate::app::App;

/// The longest name of a device, in bytes: the column holds so many characters.
pub(super) const DEVICE_NAME_BYTES_MAX: usize = 64;
/// The longest id that a client gives its device, in bytes: a UUID and some more.
const DEVICE_ID_BYTES_MAX: usize = 128;
const DAY_MS: i64 = 86_400_000;

/// What a client says of the device that it runs on.
#[derive(Clone, Debug)]
pub struct Device {
    pub kind: DeviceKind,
    /// What the owner calls it; empty for nothing.
    pub name: String,
    /// What the client calls it, always the same on the same device; a device without is new each
    /// time.
    pub id: Option<String>,
}

/// A device that was signed in.
#[derive(Clone, Debug)]
pub struct SignedOn {
    pub token: String,
    pub session: SessionId,
    pub expires: Millis,
    pub profile: Profile,
}

/// Somebody who showed a good token.
#[derive(Clone, Debug)]
pub struct SignedIn {
    pub actor: Actor,
    pub session: SessionId,
    pub kind: DeviceKind,
    pub is_bot: bool,
    /// The token is worth nothing from this moment on.
    pub expires: Millis,
}

/// Signs a device in. What it was signed in as before ends.
///
/// # Errors
/// `WrongPassword` (also for a user that is none, after the same time), `AccountDisabled`,
/// `TooManyAttempts`, `Invalid` device; the store's.
pub async fn sign_in(
    app: &Arc<App>,
    from: IpAddr,
    who: &Credentials,
    device: Device,
) -> Result<SignedOn, Failure> {
    check_text("the device's name", &device.name, DEVICE_NAME_BYTES_MAX)?;
    if let Some(id) = &device.id {
        check_name("the device's id", id, DEVICE_ID_BYTES_MAX)?;
    }
    let account = checked(app, from, who).await?;
    note_address(app, from).await?;
    match open(app, account, device.clone()).await {
        // Somebody changed it since it was checked, maybe only to the same one in another form.
        Err(Failure::Refused(Refusal::PasswordChanged)) => {
            let account = checked(app, from, who).await?;
            open(app, account, device).await
        }
        other => other,
    }
}

async fn checked(app: &App, from: IpAddr, who: &Credentials) -> Result<Account, Failure> {
    match login(app, from, who).await {
        Err(Failure::Refused(Refusal::NoSuchUser)) => Err(Failure::WrongPassword),
        other => other,
    }
}

/// The transfer servers let an address in from which somebody was signed in lately. Nobody waits for
/// the note.
async fn note_address(app: &App, address: IpAddr) -> Result<(), Failure> {
    let at = app.clock.now();
    app.log.submit(Change::NoteLogin { address, at }).await?;
    Ok(())
}

async fn open(app: &Arc<App>, account: Account, device: Device) -> Result<SignedOn, Failure> {
    let user = account.id;
    let number = match &device.id {
        Some(id) => device_named(user, id),
        None => nameless_device().map_err(|error| no_random(&error))?,
    };
    let session = SessionId(random()?);
    let now = app.clock.now();
    let expires = Millis(now.0 + i64::from(app.config.api.session_days) * DAY_MS);
    let sign_in = SignIn {
        session,
        user,
        device: number,
        kind: device.kind.as_str().to_owned(),
        name: device.name,
        created: now,
        seen: now,
        expires,
    };
    let change = SessionChange::Open {
        sign_in,
        password_hash: account.password_hash,
    };
    uncancelled(app, |app| async move {
        done(&app.log.commit(Change::Session(change)).await?)?;
        end_replaced(&app, user).await
    })
    .await?;
    let claims = Claims {
        session,
        user,
        device: number,
        expires,
    };
    Ok(SignedOn {
        token: token(app, &claims).await?,
        session,
        expires,
        profile: account.profile,
    })
}

/// The token that says this.
pub(super) async fn token(app: &App, claims: &Claims) -> Result<String, StoreError> {
    let keys = app.sessions.keys(&*app.store, &app.log).await?;
    let token = keys.sign(claims);
    token.ok_or_else(|| StoreError::Broken("there is no token key".to_owned()))
}

/// What a sign-in ended, on the same device or because there were too many, is over here too.
pub(super) async fn end_replaced(app: &App, user: UserId) -> Result<(), Failure> {
    // In this order: a session that opens meanwhile is not among those on line yet, or is stored.
    let on_line = app.hub.api_sessions(user);
    let stored = session::of_user(&*app.store, user).await?;
    let is_over = |session| !stored.iter().any(|stored| stored.session == session);
    app.sessions.forget(user, is_over);
    app.hub.end_api_sessions(user, |session| {
        on_line.contains(&session) && is_over(session)
    });
    Ok(())
}

pub(super) fn random() -> Result<u64, StoreError> {
    random_number().map_err(|error| no_random(&error))
}

pub(super) fn no_random(error: &impl std::fmt::Display) -> StoreError {
    StoreError::Broken(error.to_string())
}

/// Who shows this token, as long as his session goes on.
///
/// # Errors
/// `Unauthenticated`, `LockedOut`, `AccountDisabled`; the store's.
pub async fn authenticate(app: &App, from: IpAddr, token: &str) -> Result<SignedIn, Failure> {
    let now = app.clock.now();
    let sessions = &app.sessions;
    let found = sessions.authenticate(&*app.store, &app.log, token, now);
    let (known, claims) = found.await.map_err(|not| match not {
        NotSignedIn::Unauthenticated => Failure::Unauthenticated,
        NotSignedIn::LockedOut => Failure::LockedOut,
        NotSignedIn::Disabled => Refusal::AccountDisabled.into(),
        NotSignedIn::Store(error) => error.into(),
    })?;
    if app.sessions.is_to_be_noted(claims.session, now) {
        let seen = SessionChange::Seen {
            session: claims.session,
            at: now,
        };
        // Nobody waits for it: if it is lost, the next minute notes it.
        app.log.submit(Change::Session(seen)).await?;
        note_address(app, from).await?;
    }
    Ok(SignedIn {
        actor: Actor {
            user: known.user,
            username: known.username,
            device: known.device,
            address: from,
        },
        session: claims.session,
        kind: known.kind,
        is_bot: known.is_bot,
        expires: claims.expires,
    })
}

/// The devices that are signed in, last used first.
///
/// # Errors
/// The store's.
pub async fn sessions(app: &App, actor: &Actor) -> Result<Vec<SignIn>, Failure> {
    let now = app.clock.now();
    let mut sessions = session::of_user(&*app.store, actor.user).await?;
    sessions.retain(|session| session.expires > now);
    Ok(sessions)
}

/// Signs one of the actor's devices out. Its connection ends.
///
/// # Errors
/// `NoSuchSession` (also for somebody else's); the store's.
pub async fn sign_out(app: &Arc<App>, actor: &Actor, session: SessionId) -> Result<(), Failure> {
    let user = actor.user;
    let change = Change::Session(SessionChange::End { user, session });
    uncancelled(app, |app| async move {
        done(&app.log.commit(change).await?)?;
        ended(&app, user, |other| other == session);
        Ok(())
    })
    .await
}

/// Sessions that are over in the database are over here too, with their connections.
pub(super) fn ended(app: &App, user: UserId, ended: impl Fn(SessionId) -> bool) {
    app.sessions.forget(user, &ended);
    app.hub.end_api_sessions(user, ended);
}
