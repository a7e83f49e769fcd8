//! A store that passes everything on to another one, and waits or fails where a test says so.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use common::api::{Account, ContactList, Entry, Profile};
use common::id::{ConvId, DeviceId, GroupId, Millis, Peer, Seq, UserId};
use common::store::{Behind, BlobClass, Change, NamedBlob, Outcome, Row, Store, StoreError, Value};
use tokio::sync::{MutexGuard, Notify};

/// Decides what becomes of each call.
#[async_trait]
pub(crate) trait Script: Send + Sync {
    async fn before_read(&self) -> Result<(), StoreError>;

    /// Commits the batch, or does not.
    async fn commit(&self, store: &dyn Store, batch: &[Change])
    -> Result<Vec<Outcome>, StoreError>;
}

/// See the module's description.
pub(crate) struct FaultyStore {
    store: Arc<dyn Store>,
    script: Option<Box<dyn Script>>,
    is_next_lost: AtomicBool,
    reads: AtomicUsize,
    turn: tokio::sync::Mutex<()>,
    waiting: Notify,
    fault: Mutex<Option<(&'static str, StoreError)>>,
    commit_fault: Mutex<Option<StoreError>>,
    fault_after_lost: Mutex<Option<StoreError>>,
}

impl FaultyStore {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            script: None,
            is_next_lost: AtomicBool::new(false),
            reads: AtomicUsize::new(0),
            turn: tokio::sync::Mutex::default(),
            waiting: Notify::new(),
            fault: Mutex::default(),
            commit_fault: Mutex::default(),
            fault_after_lost: Mutex::default(),
        }
    }

    /// Every call goes as this says.
    pub(crate) fn scripted(store: Arc<dyn Store>, script: Box<dyn Script>) -> Self {
        Self {
            script: Some(script),
            ..Self::new(store)
        }
    }

    async fn before_read(&self) -> Result<(), StoreError> {
        match &self.script {
            Some(script) => script.before_read().await,
            None => Ok(()),
        }
    }

    /// The next commit is saved, and nobody hears of it.
    pub(crate) fn lose_next_answer(&self) {
        self.is_next_lost.store(true, Ordering::Relaxed);
    }

    /// The next commit is saved, nobody hears of it, and from then on nothing is saved.
    pub(crate) fn lose_next_answer_and_fail(&self, error: StoreError) {
        *lock(&self.fault_after_lost) = Some(error);
        self.lose_next_answer();
    }

    /// Nothing is saved as long as the answer is held.
    pub(crate) async fn hold_commits(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// Returns when there is something to be saved while commits are held.
    pub(crate) async fn is_asked_to_commit(&self) {
        self.waiting.notified().await;
    }

    /// How often it was asked for peers, and with statements.
    pub(crate) fn reads(&self) -> usize {
        self.reads.load(Ordering::Relaxed)
    }

    /// From now on reads with this in their statement fail.
    pub(crate) fn fail_reads(&self, part: &'static str, error: StoreError) {
        *lock(&self.fault) = Some((part, error));
    }

    /// From now on reads succeed again.
    pub(crate) fn mend_reads(&self) {
        *lock(&self.fault) = None;
    }

    /// From now on nothing is saved.
    pub(crate) fn fail_commits(&self, error: StoreError) {
        *lock(&self.commit_fault) = Some(error);
    }

    /// From now on changes are saved again.
    pub(crate) fn mend_commits(&self) {
        *lock(&self.commit_fault) = None;
    }

    fn fault_of(&self, sql: &str) -> Option<StoreError> {
        let fault = lock(&self.fault);
        let (_, error) = fault.as_ref().filter(|(part, _)| sql.contains(part))?;
        Some(error.clone())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Store for FaultyStore {
    async fn commit(&self, batch: &[Change]) -> Result<Vec<Outcome>, StoreError> {
        let _turn = if let Ok(turn) = self.turn.try_lock() {
            turn
        } else {
            self.waiting.notify_one();
            self.turn.lock().await
        };
        let fault = lock(&self.commit_fault).clone();
        if let Some(error) = fault {
            return Err(error);
        }
        if let Some(script) = &self.script {
            return script.commit(&*self.store, batch).await;
        }
        let outcomes = self.store.commit(batch).await?;
        if self.is_next_lost.swap(false, Ordering::Relaxed) {
            let fault = lock(&self.fault_after_lost).take();
            *lock(&self.commit_fault) = fault;
            return Err(StoreError::OutcomeUnknown("lost".to_owned()));
        }
        Ok(outcomes)
    }

    async fn pull(&self, conv: ConvId, after: Seq, limit: u32) -> Result<Vec<Entry>, StoreError> {
        self.before_read().await?;
        self.store.pull(conv, after, limit).await
    }

    async fn behind(&self, user: UserId, device: DeviceId) -> Result<Vec<Behind>, StoreError> {
        self.before_read().await?;
        self.store.behind(user, device).await
    }

    async fn cursor(
        &self,
        user: UserId,
        device: DeviceId,
        conv: ConvId,
    ) -> Result<Option<Seq>, StoreError> {
        self.before_read().await?;
        self.store.cursor(user, device, conv).await
    }

    async fn account_named(&self, username: &str) -> Result<Option<Account>, StoreError> {
        self.before_read().await?;
        self.store.account_named(username).await
    }

    async fn account(&self, user: UserId) -> Result<Option<Account>, StoreError> {
        self.before_read().await?;
        self.store.account(user).await
    }

    async fn profile_named(&self, username: &str) -> Result<Option<Profile>, StoreError> {
        self.before_read().await?;
        self.store.profile_named(username).await
    }

    async fn profiles(&self, peers: &[Peer]) -> Result<Vec<Profile>, StoreError> {
        self.before_read().await?;
        self.store.profiles(peers).await
    }

    async fn contacts(&self, user: UserId) -> Result<ContactList, StoreError> {
        self.before_read().await?;
        self.store.contacts(user).await
    }

    async fn peers(&self, user: UserId) -> Result<Vec<Peer>, StoreError> {
        self.before_read().await?;
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.store.peers(user).await
    }

    async fn members(&self, group: GroupId) -> Result<Vec<UserId>, StoreError> {
        self.before_read().await?;
        self.store.members(group).await
    }

    async fn blob_named(
        &self,
        class: BlobClass,
        name: &str,
    ) -> Result<Option<NamedBlob>, StoreError> {
        self.before_read().await?;
        self.store.blob_named(class, name).await
    }

    async fn last_login_from(&self, address: IpAddr) -> Result<Option<Millis>, StoreError> {
        self.before_read().await?;
        self.store.last_login_from(address).await
    }

    async fn uploaded(&self, address: IpAddr, day: i64) -> Result<u64, StoreError> {
        self.before_read().await?;
        self.store.uploaded(address, day).await
    }

    fn begins_with(&self, column: &str, text: &str) -> (String, Vec<Value>) {
        self.store.begins_with(column, text)
    }

    fn different_words(&self, convs: &[ConvId], start: &str, limit: u32) -> (String, Vec<Value>) {
        self.store.different_words(convs, start, limit)
    }

    async fn select(&self, sql: &str, values: Vec<Value>) -> Result<Vec<Row>, StoreError> {
        self.before_read().await?;
        self.reads.fetch_add(1, Ordering::Relaxed);
        if let Some(error) = self.fault_of(sql) {
            return Err(error);
        }
        self.store.select(sql, values).await
    }

    async fn size_bytes(&self) -> Result<u64, StoreError> {
        self.before_read().await?;
        self.store.size_bytes().await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.before_read().await?;
        self.store.ping().await
    }

    async fn close(&self) {
        self.store.close().await;
    }
}
