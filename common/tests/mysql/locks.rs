//! Somebody else holds rows that a batch needs: a deadlock of which the batch is the victim, and a
//! wait that takes too long. What was done so far is undone, and the batch is stored once or not at
//! all.
//!
//! Nothing here waits for a time: who holds what is asked of the database, by trying to lock it.

use std::future::Future;
use std::pin::pin;
use std::time::{Duration, Instant};

use common::api::NewAccount;
use common::id::{ConvId, Millis, Seq, UserId};
use common::store::mysql::MySqlStore;
use common::store::{Change, Outcome, Store, StoreError};
use futures_util::future::{Either, select};
use mysql_async::Conn;
use mysql_async::prelude::Queryable;

use crate::server::{Database, message, register};

/// What is promised of every call.
const LIMIT: Duration = Duration::from_secs(5);

/// More changes than a batch of these tests makes: of two that wait for each other InnoDB undoes the
/// one that has done less.
const WEIGHT: u32 = 500;

/// Two conversations, and a batch that writes into the lower one, then makes an account, then writes
/// into the higher one.
struct World {
    database: Database,
    store: MySqlStore,
    lower: ConvId,
    higher: ConvId,
    batch: Vec<Change>,
}

impl World {
    async fn new() -> Self {
        let database = Database::new();
        let store = database.store().await;
        let mut users = Vec::new();
        for name in ["ann", "bob", "cid"] {
            users.push(register(&store, name).await);
        }
        let [ann, bob, cid] = users[..] else {
            panic!("three users");
        };
        let convs = [ConvId::direct(ann, bob), ConvId::direct(ann, cid)];
        assert!(convs[0].0 < convs[1].0);
        // Rows can be locked that are there.
        let first = [message(ann, bob, "b1"), message(ann, cid, "c1")];
        store.commit(&first).await.unwrap();
        Self {
            database,
            store,
            lower: convs[0],
            higher: convs[1],
            batch: batch(ann, bob, cid),
        }
    }

    /// Everything of the batch is there, once.
    async fn is_stored_once(&self) {
        for conv in [self.lower, self.higher] {
            let log = self.store.pull(conv, Seq(0), 10).await.unwrap();
            let numbers: Vec<u64> = log.iter().map(|entry| entry.seq.0).collect();
            assert_eq!(numbers, [1, 2]);
        }
        let dan = self.store.account_named("dan").await.unwrap();
        assert!(dan.is_some());
    }
}

fn batch(ann: UserId, bob: UserId, cid: UserId) -> Vec<Change> {
    let account = NewAccount {
        username: "dan".to_owned(),
        nickname: "dan".to_owned(),
        password_hash: "hash".to_owned(),
    };
    let at = Millis(1_700_000_000_000);
    vec![
        message(ann, bob, "b2"),
        Change::CreateAccount { account, at },
        message(ann, cid, "c2"),
    ]
}

fn all_done(outcomes: &[Outcome]) -> bool {
    let is_done = |outcome: &Outcome| matches!(outcome, Outcome::Done { .. });
    outcomes.iter().all(is_done)
}

/// Locks a conversation for this transaction of somebody else, waiting as long as it takes.
async fn lock(conn: &mut Conn, conv: ConvId) {
    let sql = "SELECT f_head FROM t_conversation WHERE f_conv = ? FOR UPDATE";
    let found: Option<u64> = conn.exec_first(sql, (conv.0,)).await.unwrap();
    assert!(found.is_some());
}

/// Comes back when somebody holds the conversation.
async fn is_locked(conn: &mut Conn, conv: ConvId) {
    let sql = "SELECT f_head FROM t_conversation WHERE f_conv = ? FOR UPDATE NOWAIT";
    loop {
        let tried: Result<Option<u64>, _> = conn.exec_first(sql, (conv.0,)).await;
        if tried.is_err() {
            return;
        }
    }
}

/// Goes on with the first until the second is done; the first must not be done before that.
async fn while_under_way<T, U>(
    first: &mut (impl Future<Output = T> + Unpin),
    second: impl Future<Output = U>,
) -> U
where
    T: std::fmt::Debug,
{
    match select(first, pin!(second)).await {
        Either::Right((done, _)) => done,
        Either::Left((early, _)) => panic!("it does not wait for anybody: {early:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_victim_of_a_deadlock_is_stored_once() {
    let world = World::new().await;
    let mut other = world.database.conn().await;
    let mut looks = world.database.conn().await;
    other
        .query_drop("CREATE TABLE t_weight (n INT) ENGINE = InnoDB")
        .await
        .unwrap();
    other.query_drop("START TRANSACTION").await.unwrap();
    let rows: Vec<String> = (0..WEIGHT).map(|n| format!("({n})")).collect();
    let heavy = format!("INSERT INTO t_weight VALUES {}", rows.join(","));
    other.query_drop(heavy).await.unwrap();
    lock(&mut other, world.higher).await;

    let mut committing = pin!(world.store.commit(&world.batch));
    while_under_way(&mut committing, is_locked(&mut looks, world.lower)).await;
    // The batch holds the lower one and waits for the higher one, or is about to. That this succeeds,
    // although nobody gave anything back, says that the batch was undone.
    while_under_way(&mut committing, lock(&mut other, world.lower)).await;
    other.query_drop("COMMIT").await.unwrap();

    let outcomes = committing.await.unwrap();
    assert!(all_done(&outcomes), "{outcomes:?}");
    world.is_stored_once().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_that_was_too_long_is_begun_anew_and_stored_once() {
    let world = World::new().await;
    let mut other = world.database.conn().await;
    let mut next = world.database.conn().await;
    other.query_drop("START TRANSACTION").await.unwrap();
    lock(&mut other, world.higher).await;

    let mut committing = pin!(world.store.commit(&world.batch));
    while_under_way(&mut committing, is_locked(&mut next, world.lower)).await;
    next.query_drop("START TRANSACTION").await.unwrap();
    // The batch gives the lower one back when the database has ended its wait for the higher one.
    while_under_way(&mut committing, lock(&mut next, world.lower)).await;
    next.query_drop("COMMIT").await.unwrap();
    other.query_drop("COMMIT").await.unwrap();

    let outcomes = committing.await.unwrap();
    assert!(all_done(&outcomes), "{outcomes:?}");
    world.is_stored_once().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_without_end_is_told_in_time_and_nothing_is_stored() {
    let world = World::new().await;
    let mut other = world.database.conn().await;
    other.query_drop("START TRANSACTION").await.unwrap();
    lock(&mut other, world.higher).await;

    let begun = Instant::now();
    let refused = world.store.commit(&world.batch).await;
    assert!(begun.elapsed() < LIMIT, "{:?}", begun.elapsed());
    let Err(StoreError::Unreachable(why)) = &refused else {
        panic!("nobody knows better: {refused:?}");
    };
    assert!(why.contains("ock wait timeout"), "{why}");
    let log = world.store.pull(world.lower, Seq(0), 10).await.unwrap();
    assert_eq!(log.len(), 1, "a part of it is there");
    assert!(world.store.account_named("dan").await.unwrap().is_none());

    // Who was told that it was not saved sends it again.
    other.query_drop("COMMIT").await.unwrap();
    let outcomes = world.store.commit(&world.batch).await.unwrap();
    assert!(all_done(&outcomes), "{outcomes:?}");
    world.is_stored_once().await;
}
