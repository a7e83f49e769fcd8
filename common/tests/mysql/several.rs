//! Several servers commit to one database: the logs stay whole, and nothing is there twice.

use std::collections::HashSet;
use std::sync::Arc;

use common::api::Entry;
use common::id::{ConvId, Seq, UserId};
use common::store::mysql::MySqlStore;
use common::store::{Change, Outcome, Store};

use crate::server::{Database, message, register};

const ROUNDS: u32 = 30;

#[tokio::test(flavor = "multi_thread")]
async fn logs_of_several_committers_are_contiguous() {
    let database = Database::new();
    let first = Arc::new(database.store().await);
    let mut users = Vec::new();
    for n in 0..6 {
        users.push(register(first.as_ref(), &format!("user{n}")).await);
    }
    let stores = [Arc::clone(&first), Arc::new(database.store().await)];
    let mut tasks = Vec::new();
    for committer in 0..4 {
        let store = Arc::clone(&stores[committer % 2]);
        tasks.push(tokio::spawn(commit_rounds(store, users.clone(), committer)));
    }
    let mut written = 0;
    for task in tasks {
        written += task.await.unwrap();
    }

    let mut read = 0;
    for (i, a) in users.iter().enumerate() {
        for b in &users[i + 1..] {
            let log = whole_log(first.as_ref(), ConvId::direct(*a, *b)).await;
            for (entry, seq) in log.iter().zip(1..) {
                assert_eq!(entry.seq, Seq(seq));
            }
            let names: HashSet<_> = log
                .iter()
                .map(|entry| (entry.origin.user, entry.origin.client_id.clone()))
                .collect();
            assert_eq!(names.len(), log.len());
            read += log.len();
        }
    }
    assert_eq!(read, written);
}

/// Everybody writes to everybody, each committer in another order; all committers repeat some
/// names, so that they meet.
async fn commit_rounds(store: Arc<MySqlStore>, users: Vec<UserId>, committer: usize) -> usize {
    let mut written = 0;
    for round in 0..ROUNDS {
        let mut batch: Vec<Change> = Vec::new();
        for a in &users {
            for b in users.iter().filter(|b| *b != a) {
                batch.push(message(*a, *b, format!("{b}:{committer}:{round}")));
                batch.push(message(*a, *b, format!("{b}:shared:{round}")));
            }
        }
        let len = batch.len();
        batch.rotate_left(committer * 13 % len);
        for outcome in store.commit(&batch).await.unwrap() {
            match outcome {
                Outcome::Done { entries, .. } => written += entries.len(),
                Outcome::AlreadyThere { .. } => {}
                Outcome::Refused(refusal) => panic!("{refusal}"),
            }
        }
    }
    written
}

async fn whole_log(store: &dyn Store, conv: ConvId) -> Vec<Entry> {
    let mut log: Vec<Entry> = Vec::new();
    loop {
        let after = log.last().map_or(Seq(0), |entry| entry.seq);
        let more = store.pull(conv, after, 100).await.unwrap();
        if more.is_empty() {
            return log;
        }
        log.extend(more);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_name_is_given_to_one_of_several() {
    let database = Database::new();
    let stores = [database.store().await, database.store().await];
    for round in 0..10 {
        let name = format!("user{round}");
        let (a, b) = tokio::join!(try_name(&stores[0], &name), try_name(&stores[1], &name));
        assert_ne!(a, b, "one of them has the name");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_look_is_given_to_one_of_several() {
    let database = Database::new();
    let stores = [database.store().await, database.store().await];
    for round in 0..10 {
        let [one, other] = [format!("Ian{round}"), format!("lan{round}")];
        let (a, b) = tokio::join!(try_name(&stores[0], &one), try_name(&stores[1], &other));
        assert_ne!(a, b, "one of them looks so");
    }
}

async fn try_name(store: &dyn Store, name: &str) -> bool {
    use common::api::{NewAccount, Refusal};
    use common::id::Millis;
    let account = NewAccount {
        username: name.to_owned(),
        nickname: name.to_owned(),
        password_hash: "hash".to_owned(),
    };
    let at = Millis(0);
    let change = Change::CreateAccount { account, at };
    match crate::server::one(store, change).await {
        Outcome::Done { .. } => true,
        Outcome::Refused(Refusal::UsernameTaken) => false,
        other => panic!("{other:?}"),
    }
}
