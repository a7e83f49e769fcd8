//! A store whose database may not be there yet: servers start at once, and answer with an error
//! until it is.

use std::future::Future;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;

use super::{
    Behind, BlobClass, Change, NamedBlob, Outcome, Row, Store, StoreError, Value, people, search,
};
use crate::api::{Account, ContactList, Entry, Profile};
use crate::id::{ConvId, DeviceId, GroupId, Millis, Peer, Seq, UserId};

/// The pauses between attempts to open the database.
const PAUSE_FIRST: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// Passes everything on to the real store, once there is one.
#[derive(Default)]
pub struct LateStore {
    store: OnceLock<Arc<dyn Store>>,
    /// Why there is none yet.
    why: Mutex<String>,
    /// Why it saves nothing more, see [`StoreError::SyncFailed`].
    lost: watch::Sender<Option<StoreError>>,
}

impl std::fmt::Debug for LateStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LateStore")
            .field("open", &self.store.get().is_some())
            .finish_non_exhaustive()
    }
}

impl LateStore {
    /// Opens the store with `attempt`. If the database cannot be reached, tries again until it can
    /// be, calling `waiting` before each pause. An error is one that waiting does not heal.
    pub async fn open<Attempt, Opening>(
        &self,
        database: &str,
        mut attempt: Attempt,
        waiting: impl Fn() + Send,
    ) -> Result<(), StoreError>
    where
        Attempt: FnMut() -> Opening + Send,
        Opening: Future<Output = Result<Arc<dyn Store>, StoreError>> + Send,
    {
        let mut pause = PAUSE_FIRST;
        loop {
            match attempt().await {
                Ok(store) => {
                    tracing::info!(database, "database open");
                    // Only this function sets it, and it returns after it did.
                    let _ = self.store.set(store);
                    return Ok(());
                }
                Err(error) if error.is_passing() => {
                    let pause = jittered(pause);
                    tracing::warn!(database, %error, ?pause, "no database yet, trying again");
                    *self.why.lock().unwrap_or_else(PoisonError::into_inner) = error.to_string();
                    waiting();
                    tokio::time::sleep(pause).await;
                }
                Err(error) => return Err(error),
            }
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// Returns when the store saves nothing more, and says why.
    pub async fn lost(&self) -> StoreError {
        let mut lost = self.lost.subscribe();
        loop {
            if let Some(error) = lost.borrow_and_update().clone() {
                return error;
            }
            if lost.changed().await.is_err() {
                // The sender is ours.
                std::future::pending::<()>().await;
            }
        }
    }

    fn get(&self) -> Result<&dyn Store, StoreError> {
        self.store.get().map(AsRef::as_ref).ok_or_else(|| {
            let why = self.why.lock().unwrap_or_else(PoisonError::into_inner);
            StoreError::Unreachable(format!("not open yet; {why}"))
        })
    }
}

/// Between three quarters of the pause and all of it, so that servers that lost the same database
/// do not come back in step.
fn jittered(pause: Duration) -> Duration {
    let random = getrandom::u32().unwrap_or(u32::MAX);
    pause.mul_f64(0.75 + 0.25 * f64::from(random) / f64::from(u32::MAX))
}

#[async_trait]
impl Store for LateStore {
    async fn commit(&self, batch: &[Change]) -> Result<Vec<Outcome>, StoreError> {
        let done = self.get()?.commit(batch).await;
        if let Err(error @ StoreError::SyncFailed(_)) = &done {
            self.lost.send_replace(Some(error.clone()));
        }
        done
    }

    async fn pull(&self, conv: ConvId, after: Seq, limit: u32) -> Result<Vec<Entry>, StoreError> {
        self.get()?.pull(conv, after, limit).await
    }

    async fn behind(&self, user: UserId, device: DeviceId) -> Result<Vec<Behind>, StoreError> {
        self.get()?.behind(user, device).await
    }

    async fn cursor(
        &self,
        user: UserId,
        device: DeviceId,
        conv: ConvId,
    ) -> Result<Option<Seq>, StoreError> {
        self.get()?.cursor(user, device, conv).await
    }

    async fn account_named(&self, username: &str) -> Result<Option<Account>, StoreError> {
        self.get()?.account_named(username).await
    }

    async fn account(&self, user: UserId) -> Result<Option<Account>, StoreError> {
        self.get()?.account(user).await
    }

    async fn profile_named(&self, username: &str) -> Result<Option<Profile>, StoreError> {
        self.get()?.profile_named(username).await
    }

    async fn profiles(&self, peers: &[Peer]) -> Result<Vec<Profile>, StoreError> {
        self.get()?.profiles(peers).await
    }

    async fn contacts(&self, user: UserId) -> Result<ContactList, StoreError> {
        self.get()?.contacts(user).await
    }

    async fn peers(&self, user: UserId) -> Result<Vec<Peer>, StoreError> {
        self.get()?.peers(user).await
    }

    async fn members(&self, group: GroupId) -> Result<Vec<UserId>, StoreError> {
        self.get()?.members(group).await
    }

    async fn blob_named(
        &self,
        class: BlobClass,
        name: &str,
    ) -> Result<Option<NamedBlob>, StoreError> {
        self.get()?.blob_named(class, name).await
    }

    async fn last_login_from(&self, address: IpAddr) -> Result<Option<Millis>, StoreError> {
        self.get()?.last_login_from(address).await
    }

    async fn uploaded(&self, address: IpAddr, day: i64) -> Result<u64, StoreError> {
        self.get()?.uploaded(address, day).await
    }

    async fn select(&self, sql: &str, values: Vec<Value>) -> Result<Vec<Row>, StoreError> {
        self.get()?.select(sql, values).await
    }

    fn begins_with(&self, column: &str, text: &str) -> (String, Vec<Value>) {
        match self.store.get() {
            Some(store) => store.begins_with(column, text),
            // Whatever is asked for with it fails.
            None => people::like(column, text),
        }
    }

    fn different_words(&self, convs: &[ConvId], start: &str, limit: u32) -> (String, Vec<Value>) {
        match self.store.get() {
            Some(store) => store.different_words(convs, start, limit),
            // Whatever is asked for with it fails.
            None => search::different_words(convs, start, limit),
        }
    }

    async fn size_bytes(&self) -> Result<u64, StoreError> {
        self.get()?.size_bytes().await
    }

    async fn look_at_files(&self) -> Result<Vec<String>, StoreError> {
        self.get()?.look_at_files().await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.get()?.ping().await
    }

    async fn close(&self) {
        if let Some(store) = self.store.get() {
            store.close().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_answers_with_an_error_until_the_database_is_there() {
        let late = Arc::new(LateStore::default());
        let mut attempts = 0;
        let pauses = AtomicUsize::new(0);
        late.open(
            "test",
            || {
                attempts += 1;
                let attempt = attempts;
                async move {
                    if attempt < 4 {
                        return Err(StoreError::Unreachable("nobody listens".to_owned()));
                    }
                    // A store that is itself not open stands for any.
                    Ok::<Arc<dyn Store>, _>(Arc::new(LateStore::default()))
                }
            },
            || {
                let _ = pauses.fetch_add(1, Ordering::Relaxed);
            },
        )
        .await
        .unwrap();
        assert_eq!((attempts, pauses.into_inner()), (4, 3));
        late.close().await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_lasting_error_ends_the_attempts() {
        let late = LateStore::default();
        let before = late.ping().await.unwrap_err();
        assert!(matches!(before, StoreError::Unreachable(_)));
        let newer = StoreError::Newer { found: 9, known: 1 };
        let ended = late
            .open("test", || std::future::ready(Err(newer.clone())), || ())
            .await;
        assert!(matches!(ended, Err(StoreError::Newer { .. })));
    }

    #[test]
    fn pauses_are_shortened_by_at_most_a_quarter() {
        for _ in 0..100 {
            let pause = jittered(PAUSE_MAX);
            assert!((PAUSE_MAX * 3 / 4..=PAUSE_MAX).contains(&pause));
        }
    }
}
