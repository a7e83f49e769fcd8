//! Appending and reading.

use bytes::Bytes;
use futures_util::future::join_all;

use super::setup::{
    LAPTOP, NOW, ann_and_bob, answer, append, befriend, behind, commit, contiguous, done, entries,
    group, join, message, move_cursor, new_account, origin, refused, request, say, say_freely,
    texts, user,
};
use crate::api::{Body, Dialect, Entry, Origin, Refusal};
use crate::id::{ConvId, DeviceId, GroupId, Millis, Seq, UserId};
use crate::store::{Append, Change, Guard, Outcome, Store};

pub async fn numbers_are_contiguous_from_one(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    befriend(store, ann, bob).await;
    let cars = ConvId::group(group(store, ann, "cars").await);
    let direct = ConvId::direct(ann, bob);
    let batch: Vec<Change> = (1..=40)
        .map(|n| {
            let conv = if n % 4 == 0 { cars } else { direct };
            say(ann, conv, &format!("{n}"))
        })
        .collect();
    for part in batch.chunks(7) {
        let outcomes = store.commit(part).await.unwrap();
        assert_eq!(outcomes.len(), part.len());
        for outcome in outcomes {
            assert_eq!(entries(outcome).len(), 1);
        }
    }
    assert_eq!(contiguous(store, direct).await, 30);
    // One more: the notice that the group was made.
    assert_eq!(contiguous(store, cars).await, 11);
    assert_eq!(texts(store, direct).await[..4], ["1", "2", "3", "5"]);
}

pub async fn entries_come_back_as_they_were(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let cars = ConvId::group(group(store, ann, "cars").await);
    let origins = [
        (0, 0, "😀".to_owned()),
        (u64::MAX, i32::MIN, "'\"\\%".to_owned()),
        (1 << 63, i32::MAX, "x".repeat(64)),
    ];
    for ((device, tag, client_id), seq) in origins.into_iter().zip(2..) {
        let origin = Origin {
            device: DeviceId(device),
            tag,
            ..origin(ann, &client_id)
        };
        let change = append(origin.clone(), cars, "text", Guard::Contact);
        let expected = Entry {
            conv: cars,
            seq: Seq(seq),
            origin,
            body: message("text"),
        };
        let told = done(store, Change::Append(change)).await;
        assert_eq!(told, std::slice::from_ref(&expected));
        let pulled = store.pull(cars, Seq(seq - 1), 1).await.unwrap();
        assert_eq!(pulled, [expected]);
    }
    assert!(behind(store, bob, LAPTOP).await.is_empty());
}

pub async fn any_bytes_are_a_message(store: &dyn Store) {
    let ann = user(store, "ann").await;
    let cars = ConvId::group(group(store, ann, "cars").await);
    let contents = [
        Bytes::new(),
        Bytes::from_static(b"\0'\";\\\xff\xfe\x80"),
        Bytes::from_static("汽车 😀".as_bytes()),
        Bytes::from((0..=255).cycle().take(300_000).collect::<Vec<u8>>()),
    ];
    for (content, number) in contents.into_iter().zip(0..) {
        let change = Append {
            body: Body::Message {
                dialect: Dialect::Flamingo,
                content,
            },
            ..append(origin(ann, &format!("c{number}")), cars, "", Guard::Contact)
        };
        let told = done(store, Change::Append(change.clone())).await;
        assert!(told[0].body == change.body, "message {number}");
        let pulled = store.pull(cars, Seq(number + 1), 1).await.unwrap();
        assert!(pulled == told, "message {number}");
    }
}

pub async fn pull_has_a_beginning_and_a_limit(store: &dyn Store) {
    let ann = user(store, "ann").await;
    let cars = ConvId::group(group(store, ann, "cars").await);
    let batch: Vec<Change> = (2..=10).map(|n| say(ann, cars, &n.to_string())).collect();
    store.commit(&batch).await.unwrap();
    let numbers = async |after, limit| -> Vec<u64> {
        let pulled = store.pull(cars, Seq(after), limit).await.unwrap();
        pulled.iter().map(|entry| entry.seq.0).collect()
    };
    assert_eq!(numbers(0, 3).await, [1, 2, 3]);
    assert_eq!(numbers(3, 3).await, [4, 5, 6]);
    assert_eq!(numbers(8, 100).await, [9, 10]);
    assert_eq!(numbers(0, u32::MAX).await.len(), 10);
    for (after, limit) in [(10, 5), (u64::MAX, 5), (0, 0)] {
        assert!(numbers(after, limit).await.is_empty(), "{after} {limit}");
    }
    let none = ConvId::direct(UserId(77), UserId(78));
    for conv in [none, ConvId(0), ConvId(u64::MAX)] {
        assert!(store.pull(conv, Seq(0), 9).await.unwrap().is_empty());
    }
}

pub async fn guards_of_direct_conversations(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let cem = user(store, "cem").await;
    let conv = ConvId::direct(ann, bob);
    refused(store, say(ann, conv, "a"), Refusal::NotFriends).await;
    done(store, say_freely(ann, conv, "b")).await;
    let none = ConvId::direct(ann, UserId(99));
    refused(store, say(ann, none, "c"), Refusal::NotFriends).await;
    refused(store, say_freely(ann, none, "d"), Refusal::NoSuchUser).await;
    befriend(store, ann, bob).await;
    done(store, say(ann, conv, "e")).await;
    done(store, say(bob, conv, "f")).await;
    // Nobody writes into a conversation of others.
    for change in [say(cem, conv, "g"), say_freely(cem, conv, "h")] {
        let outcome = commit(store, change).await;
        assert!(matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
    }
    assert_eq!(texts(store, conv).await, ["b", "e", "f"]);
    assert_eq!(contiguous(store, none).await, 0);
}

pub async fn guards_of_groups(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let cars = group(store, ann, "cars").await;
    let conv = ConvId::group(cars);
    refused(store, say(bob, conv, "a"), Refusal::NotAMember).await;
    refused(store, say_freely(bob, conv, "b"), Refusal::NotAMember).await;
    done(store, join(bob, cars, "j")).await;
    done(store, say(bob, conv, "c")).await;
    done(store, say_freely(bob, conv, "d")).await;
    let none = ConvId::group(GroupId(cars.0 + 1));
    refused(store, say(ann, none, "e"), Refusal::NotAMember).await;
    assert_eq!(texts(store, conv).await, ["c", "d"]);
}

pub async fn talking_to_oneself(store: &dyn Store) {
    let ann = user(store, "ann").await;
    let conv = ConvId::direct(ann, ann);
    refused(store, say(ann, conv, "a"), Refusal::NotFriends).await;
    done(store, say_freely(ann, conv, "b")).await;
    done(store, say_freely(ann, conv, "c")).await;
    assert_eq!(behind(store, ann, LAPTOP).await, [(conv, 0, 2)]);
}

pub async fn time_never_runs_backwards(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let say_at = |conv, text: &str, at| {
        let origin = Origin {
            at: Millis(at),
            ..origin(ann, text)
        };
        Change::Append(append(origin, conv, text, Guard::Exists))
    };
    let conv = ConvId::direct(ann, bob);
    let now = NOW.0;
    for (text, at, kept) in [
        ("a", now, now),
        ("b", now - 5000, now),
        ("c", now + 1, now + 1),
        ("d", 0, now + 1),
    ] {
        let told = done(store, say_at(conv, text, at)).await;
        assert_eq!(told[0].origin.at, Millis(kept), "{text}");
    }
    let pulled = store.pull(conv, Seq(0), 9).await.unwrap();
    let times: Vec<i64> = pulled.iter().map(|entry| entry.origin.at.0).collect();
    assert_eq!(times, [now, now, now + 1, now + 1]);
    // A conversation's time is its own.
    let other = done(store, say_at(ConvId::direct(ann, ann), "e", 5)).await;
    assert_eq!(other[0].origin.at, Millis(5));
}

pub async fn an_impossible_conversation_is_refused(store: &dyn Store) {
    let ann = user(store, "ann").await;
    for conv in [ConvId(0), ConvId(5), ConvId(u64::MAX)] {
        let outcome = commit(store, say_freely(ann, conv, "a")).await;
        assert!(matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
    }
}

pub async fn a_refusal_does_not_spoil_its_neighbours(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let cars = group(store, ann, "cars").await;
    let conv = ConvId::group(cars);
    let direct = ConvId::direct(ann, bob);
    let batch = [
        say(ann, conv, "1"),
        say(bob, conv, "no member"),
        new_account("ann"),
        say(ann, conv, "2"),
        say(ann, direct, "no friend"),
        answer(ann, bob, true, "not asked"),
        join(ann, cars, "again"),
        new_account("cem"),
        say(ann, conv, "3"),
    ];
    let outcomes = store.commit(&batch).await.unwrap();
    let refusals: Vec<Option<Refusal>> = outcomes
        .iter()
        .map(|outcome| match outcome {
            Outcome::Refused(refusal) => Some(*refusal),
            Outcome::Done { .. } => None,
            other @ Outcome::AlreadyThere { .. } => panic!("{other:?}"),
        })
        .collect();
    let expected = [
        None,
        Some(Refusal::NotAMember),
        Some(Refusal::UsernameTaken),
        None,
        Some(Refusal::NotFriends),
        Some(Refusal::NotRequested),
        Some(Refusal::AlreadyMember),
        None,
        None,
    ];
    assert_eq!(refusals, expected);
    assert_eq!(texts(store, conv).await, ["1", "2", "3"]);
    assert_eq!(contiguous(store, conv).await, 4);
    assert_eq!(contiguous(store, direct).await, 0);
    assert!(store.account_named("cem").await.unwrap().is_some());
    // What was refused has used up no client id.
    done(store, join(bob, cars, "j")).await;
    done(store, say(bob, conv, "no member")).await;
}

pub async fn changes_of_one_batch_see_each_other(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let conv = ConvId::direct(ann, bob);
    let batch = [
        say(ann, conv, "too early"),
        request(ann, bob, "r"),
        answer(bob, ann, true, "a"),
        say(ann, conv, "1"),
        say(bob, conv, "2"),
        move_cursor(bob, LAPTOP, conv, 1),
        new_account("cem"),
        new_account("cem"),
    ];
    let outcomes = store.commit(&batch).await.unwrap();
    assert_eq!(outcomes[0], Outcome::Refused(Refusal::NotFriends));
    assert_eq!(outcomes[7], Outcome::Refused(Refusal::UsernameTaken));
    assert_eq!(entries(outcomes[4].clone())[0].seq, Seq(2));
    assert_eq!(texts(store, conv).await, ["1", "2"]);
    assert!(behind(store, bob, LAPTOP).await.contains(&(conv, 1, 2)));
}

pub async fn an_empty_batch_does_nothing(store: &dyn Store) {
    assert_eq!(store.commit(&[]).await.unwrap(), []);
}

pub async fn concurrent_commits_are_contiguous(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let cars = group(store, ann, "cars").await;
    done(store, join(bob, cars, "j")).await;
    let (log, direct) = (ConvId::group(cars), ConvId::direct(ann, bob));
    let writers = (0..8).map(|writer| async move {
        let from = if writer % 2 == 0 { ann } else { bob };
        for round in 0..10 {
            let text = |n: u32| format!("{writer} {round} {n}");
            let batch = [
                say(from, log, &text(1)),
                say_freely(from, direct, &text(2)),
                say(from, log, &text(3)),
            ];
            for outcome in store.commit(&batch).await.unwrap() {
                assert_eq!(entries(outcome).len(), 1);
            }
        }
    });
    join_all(writers).await;
    assert_eq!(contiguous(store, log).await, 2 + 160);
    assert_eq!(contiguous(store, direct).await, 80);
    // Each writer's own order is kept.
    let said = texts(store, log).await;
    let own: Vec<&String> = said.iter().filter(|text| text.starts_with("3 ")).collect();
    assert_eq!(own.len(), 20);
    assert!(own.is_sorted());
}
