//! What a server remembers of the API's sign-ins, so that most requests need no database: the keys
//! that sign tokens, and the sessions that were used lately.
//!
//! Another server may end a session too. So what is remembered counts for a few seconds only;
//! what this server ends is forgotten at once.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use lru::LruCache;
use thiserror::Error;
use tokio::time::Instant;

use super::{Claims, TokenFault, TokenKeys};
use crate::api::DeviceKind;
use crate::id::{DeviceId, Millis, SessionId, UserId};
use crate::store::meta::{self, MetaChange, TOKEN_KEYS};
use crate::store::{Change, Outcome, Store, StoreError, admin, session};

/// How many sessions are remembered; one is about 200 bytes.
const REMEMBERED_MAX: NonZeroUsize = NonZeroUsize::new(100_000).expect("is not zero");
/// How long a session is believed to go on without asking the database.
const BELIEVED_FOR: Duration = Duration::from_secs(5);
/// How long the key ring is believed to be complete.
const KEYS_BELIEVED_FOR: Duration = Duration::from_secs(5);
/// How often it is noted that a session is in use, in milliseconds.
const NOTED_EVERY_MS: i64 = 60_000;

/// Whoever may write: what leads to a server's committer, or the store where there is none.
#[async_trait]
pub trait Commit: Send + Sync {
    /// Hands a change in and waits until it is durable.
    async fn commit_one(&self, change: Change) -> Result<Outcome, StoreError>;
}

#[async_trait]
impl<S: Store + ?Sized> Commit for S {
    async fn commit_one(&self, change: Change) -> Result<Outcome, StoreError> {
        let outcome = self.commit(&[change]).await?.into_iter().next();
        outcome.ok_or_else(|| StoreError::Broken("a change has no outcome".to_owned()))
    }
}

/// What is told to who shows the token of a session that ended with the lock of its account. Nobody
/// else learns that it is locked.
pub const LOCKED_OUT: &str = "An administrator locked this account, and signed it out everywhere.";

/// Why nobody is signed in with a token.
#[derive(Debug, Error)]
pub enum NotSignedIn {
    #[error("the token is missing, forged, expired or signed out")]
    Unauthenticated,
    /// The token is genuine, its session is over, and its account is locked.
    #[error("{}", LOCKED_OUT)]
    LockedOut,
    #[error("this account is locked; ask an administrator of the server")]
    Disabled,
    #[error("{0}")]
    Store(#[from] StoreError),
}

/// A sign-in as this server remembers it.
#[derive(Clone, Debug)]
pub struct Remembered {
    pub user: UserId,
    pub username: Arc<str>,
    pub device: DeviceId,
    pub kind: DeviceKind,
    pub is_bot: bool,
    pub expires: Millis,
    /// When the database last noted that the session was used.
    pub seen: Millis,
}

/// The keys, and the sessions that were used lately.
#[derive(Debug)]
pub struct Sessions {
    keys: Mutex<Option<(Arc<TokenKeys>, Instant)>>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    known: LruCache<SessionId, (Remembered, Instant)>,
    /// Counts what was forgotten, so that a session that was read before its end is not put back.
    forgotten: u64,
}

impl Default for Sessions {
    fn default() -> Self {
        Self {
            keys: Mutex::default(),
            state: Mutex::new(State {
                known: LruCache::new(REMEMBERED_MAX),
                forgotten: 0,
            }),
        }
    }
}

impl Sessions {
    /// The key ring. Made by whichever server comes first.
    ///
    /// # Errors
    /// When the database cannot be asked, or holds no ring.
    pub async fn keys(
        &self,
        store: &dyn Store,
        writer: &(impl Commit + ?Sized),
    ) -> Result<Arc<TokenKeys>, StoreError> {
        if let Some((keys, _)) = &*lock(&self.keys) {
            return Ok(Arc::clone(keys));
        }
        let stored = match meta::get(store, TOKEN_KEYS).await? {
            Some(stored) => Some(stored),
            None => {
                let made = TokenKeys::generate()
                    .ok()
                    .and_then(|keys| keys.to_json().ok());
                let value = made.ok_or_else(|| {
                    StoreError::Broken("the system gives no random numbers".to_owned())
                })?;
                let key = TOKEN_KEYS;
                writer
                    .commit_one(Change::Meta(MetaChange::Init { key, value }))
                    .await?;
                meta::get(store, TOKEN_KEYS).await?
            }
        };
        let keys = stored.as_deref().and_then(TokenKeys::from_json);
        let keys =
            keys.ok_or_else(|| StoreError::Broken("the token keys are unreadable".to_owned()))?;
        let keys = Arc::new(keys);
        *lock(&self.keys) = Some((Arc::clone(&keys), Instant::now()));
        Ok(keys)
    }

    /// Who shows this token, and what it says, as long as his session goes on.
    ///
    /// # Errors
    /// [`NotSignedIn`].
    pub async fn authenticate(
        &self,
        store: &dyn Store,
        writer: &(impl Commit + ?Sized),
        token: &str,
        now: Millis,
    ) -> Result<(Remembered, Claims), NotSignedIn> {
        let claims = self.verify(store, writer, token).await?;
        if claims.expires <= now {
            return Err(NotSignedIn::Unauthenticated);
        }
        let known = match self.remembered(claims.session) {
            Some(known) => known,
            None => self.look_up(store, &claims).await?,
        };
        if (known.user, known.device) != (claims.user, claims.device) || known.expires <= now {
            return Err(NotSignedIn::Unauthenticated);
        }
        Ok((known, claims))
    }

    async fn verify(
        &self,
        store: &dyn Store,
        writer: &(impl Commit + ?Sized),
        token: &str,
    ) -> Result<Claims, NotSignedIn> {
        let keys = self.keys(store, writer).await?;
        match keys.verify(token) {
            Ok(claims) => Ok(claims),
            Err(TokenFault::UnknownKey) if self.doubt_keys() => {
                let keys = self.keys(store, writer).await?;
                keys.verify(token).map_err(|_| NotSignedIn::Unauthenticated)
            }
            Err(TokenFault::Forged | TokenFault::UnknownKey) => Err(NotSignedIn::Unauthenticated),
        }
    }

    async fn look_up(&self, store: &dyn Store, claims: &Claims) -> Result<Remembered, NotSignedIn> {
        let version = self.version();
        let session = claims.session;
        let Some(stored) = session::get(store, session).await? else {
            return Err(match admin::is_disabled(store, claims.user).await? {
                true => NotSignedIn::LockedOut,
                false => NotSignedIn::Unauthenticated,
            });
        };
        if admin::is_disabled(store, stored.user).await? {
            return Err(NotSignedIn::Disabled);
        }
        let account = store.account(stored.user).await?;
        let profile = account.ok_or(NotSignedIn::Unauthenticated)?.profile;
        let known = Remembered {
            user: stored.user,
            username: profile.username.into(),
            device: stored.device,
            kind: DeviceKind::named(&stored.kind).unwrap_or(DeviceKind::Desktop),
            is_bot: profile.is_bot,
            expires: stored.expires,
            seen: stored.seen,
        };
        self.remember(session, known.clone(), version);
        Ok(known)
    }

    /// Lets the ring be read again if it was read a while ago: another server may have added a
    /// key. `false` if it is fresh.
    pub fn doubt_keys(&self) -> bool {
        let mut keys = lock(&self.keys);
        let is_old = |(_, read): &(_, Instant)| read.elapsed() >= KEYS_BELIEVED_FOR;
        let doubted = keys.as_ref().is_none_or(is_old);
        if doubted {
            *keys = None;
        }
        doubted
    }

    /// A session that was looked up a moment ago.
    pub fn remembered(&self, session: SessionId) -> Option<Remembered> {
        let mut state = lock(&self.state);
        let (known, read) = state.known.get(&session)?;
        (read.elapsed() < BELIEVED_FOR).then(|| known.clone())
    }

    /// What to hand to [`Sessions::remember`]; to be read before asking the database.
    pub fn version(&self) -> u64 {
        lock(&self.state).forgotten
    }

    /// Remembers a session that the database knew, unless one was ended since `version`.
    pub fn remember(&self, session: SessionId, known: Remembered, version: u64) {
        let mut state = lock(&self.state);
        if state.forgotten == version {
            state.known.put(session, (known, Instant::now()));
        }
    }

    /// Forgets those of a user's sessions that ended.
    pub fn forget(&self, user: UserId, ended: impl Fn(SessionId) -> bool) {
        let mut state = lock(&self.state);
        state.forgotten += 1;
        let gone: Vec<_> = state
            .known
            .iter()
            .filter(|(session, (known, _))| known.user == user && ended(**session))
            .map(|(session, _)| *session)
            .collect();
        for session in gone {
            state.known.pop(&session);
        }
    }

    /// Whether it is time to note that the session is in use; once for each time.
    pub fn is_to_be_noted(&self, session: SessionId, now: Millis) -> bool {
        let mut state = lock(&self.state);
        match state.known.get_mut(&session) {
            Some((known, _)) if now.0 - known.seen.0 >= NOTED_EVERY_MS => {
                known.seen = now;
                true
            }
            Some(_) | None => false,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: UserId = UserId(1);
    const SESSION: SessionId = SessionId(1000);

    fn session() -> Remembered {
        Remembered {
            user: ANN,
            username: "ann".into(),
            device: DeviceId(300),
            kind: DeviceKind::Cli,
            is_bot: false,
            expires: Millis(i64::MAX),
            seen: Millis(0),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_is_believed_for_a_few_seconds() {
        let sessions = Sessions::default();
        sessions.remember(SESSION, session(), sessions.version());
        assert!(sessions.remembered(SESSION).is_some());
        tokio::time::advance(BELIEVED_FOR).await;
        assert!(sessions.remembered(SESSION).is_none());
    }

    #[test]
    fn an_ended_session_is_forgotten_and_not_put_back() {
        let sessions = Sessions::default();
        sessions.remember(SESSION, session(), sessions.version());
        let version = sessions.version();
        sessions.forget(ANN, |session| session == SESSION);
        assert!(sessions.remembered(SESSION).is_none());
        sessions.remember(SESSION, session(), version);
        assert!(
            sessions.remembered(SESSION).is_none(),
            "it was read before it ended"
        );
    }

    #[test]
    fn use_is_noted_once_a_minute() {
        let sessions = Sessions::default();
        sessions.remember(SESSION, session(), sessions.version());
        assert!(!sessions.is_to_be_noted(SESSION, Millis(59_999)));
        assert!(sessions.is_to_be_noted(SESSION, Millis(60_000)));
        assert!(!sessions.is_to_be_noted(SESSION, Millis(60_001)));
    }
}
