//! The line to the database breaks or falls silent: errors come in time, and the same store works
//! again afterwards.

use std::time::{Duration, Instant};

use common::id::{ConvId, Seq, UserId};
use common::store::{Outcome, Store, StoreError};

use crate::server::{Database, Line, Proxy, message, register};

/// What is promised.
const LIMIT: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_database_is_reported_and_found_again() {
    let database = Database::new();
    let proxy = Proxy::to(&database).await;
    let store = proxy.store(&database).await;
    let (ann, bob) = (register(&store, "ann").await, register(&store, "bob").await);

    proxy.set(Line::Cut);
    fails_in_time(&store, ann, bob).await;
    proxy.set(Line::Open);
    works(&store, ann, bob).await;

    // Short enough for nobody to notice: the connections broke, the server is there.
    proxy.set(Line::Cut);
    tokio::task::yield_now().await;
    proxy.set(Line::Open);
    works(&store, ann, bob).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hung_database_is_reported_and_found_again() {
    let database = Database::new();
    let proxy = Proxy::to(&database).await;
    let store = proxy.store(&database).await;
    let (ann, bob) = (register(&store, "ann").await, register(&store, "bob").await);

    proxy.set(Line::Hung);
    fails_in_time(&store, ann, bob).await;
    fails_in_time(&store, ann, bob).await;
    proxy.set(Line::Open);
    works(&store, ann, bob).await;
}

async fn fails_in_time(store: &dyn Store, ann: UserId, bob: UserId) {
    let begun = Instant::now();
    let batch = [message(ann, bob, "lost")];
    let (committed, pulled, pinged) = tokio::join!(
        store.commit(&batch),
        store.pull(ConvId::direct(ann, bob), Seq(0), 10),
        store.ping(),
    );
    assert!(
        matches!(committed, Err(StoreError::Unreachable(_))),
        "{committed:?}"
    );
    assert!(
        matches!(pulled, Err(StoreError::Unreachable(_))),
        "{pulled:?}"
    );
    assert!(
        matches!(pinged, Err(StoreError::Unreachable(_))),
        "{pinged:?}"
    );
    assert!(begun.elapsed() < LIMIT, "{:?}", begun.elapsed());
}

async fn works(store: &dyn Store, ann: UserId, bob: UserId) {
    store.ping().await.unwrap();
    let outcome = store
        .commit(&[message(ann, bob, "kept")])
        .await
        .unwrap()
        .remove(0);
    let seq = match outcome {
        Outcome::Done { entries, .. } => entries[0].seq,
        Outcome::AlreadyThere { seq, .. } => seq,
        Outcome::Refused(refusal) => panic!("{refusal}"),
    };
    assert_eq!(seq, Seq(1), "what was reported as not saved is not there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_without_an_answer_is_unknown_and_can_be_repeated() {
    let database = Database::new();
    let proxy = Proxy::to(&database).await;
    let store = proxy.store(&database).await;
    let (ann, bob) = (register(&store, "ann").await, register(&store, "bob").await);

    proxy.set(Line::HungAfterCommit);
    let begun = Instant::now();
    let committed = store.commit(&[message(ann, bob, "once")]).await;
    assert!(
        matches!(committed, Err(StoreError::OutcomeUnknown(_))),
        "{committed:?}"
    );
    assert!(begun.elapsed() < LIMIT, "{:?}", begun.elapsed());

    proxy.set(Line::Open);
    let repeated = store
        .commit(&[message(ann, bob, "once")])
        .await
        .unwrap()
        .remove(0);
    assert!(
        matches!(repeated, Outcome::AlreadyThere { seq: Seq(1), .. }),
        "the COMMIT had passed: {repeated:?}"
    );
}
