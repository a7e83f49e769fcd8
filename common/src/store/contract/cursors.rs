//! How far devices got.

use super::setup::{
    LAPTOP, NOW, PHONE, ann_and_bob, append, behind, cursor, done, group, has_no_cursor, join,
    move_cursor, origin, request, say_freely, user,
};
use crate::api::Origin;
use crate::id::{ConvId, Millis, Seq, UserId};
use crate::store::{Change, Guard, Store};

/// Three messages between Ann and Bob.
async fn three(store: &dyn Store) -> (UserId, UserId, ConvId) {
    let (ann, bob) = ann_and_bob(store).await;
    let conv = ConvId::direct(ann, bob);
    for text in ["1", "2", "3"] {
        done(store, say_freely(ann, conv, text)).await;
    }
    (ann, bob, conv)
}

pub async fn a_cursor_begins_at_the_place(store: &dyn Store) {
    let (ann, bob, conv) = three(store).await;
    let cem = user(store, "cem").await;
    assert_eq!(cursor(store, ann, LAPTOP, conv).await, 0);
    assert_eq!(cursor(store, bob, PHONE, conv).await, 0);
    assert!(has_no_cursor(store, cem, LAPTOP, conv).await);
    let cars = group(store, ann, "cars").await;
    done(store, join(bob, cars, "j")).await;
    assert_eq!(cursor(store, bob, PHONE, ConvId::group(cars)).await, 1);
}

pub async fn a_cursor_never_moves_back(store: &dyn Store) {
    let (ann, bob, conv) = three(store).await;
    for (to, at) in [(2, 2), (1, 2), (0, 2), (2, 2), (3, 3), (1, 3)] {
        done(store, move_cursor(bob, LAPTOP, conv, to)).await;
        assert_eq!(cursor(store, bob, LAPTOP, conv).await, at);
    }
    // Every device, and every user, has his own.
    assert_eq!(cursor(store, bob, PHONE, conv).await, 0);
    assert_eq!(cursor(store, ann, LAPTOP, conv).await, 0);
    // Nor before the place where a member came in.
    let cars = group(store, ann, "cars").await;
    let log = ConvId::group(cars);
    done(store, say_freely(ann, log, "4")).await;
    done(store, join(bob, cars, "j")).await;
    done(store, move_cursor(bob, LAPTOP, log, 1)).await;
    assert_eq!(cursor(store, bob, LAPTOP, log).await, 2);
    assert!(behind(store, bob, LAPTOP).await.contains(&(log, 2, 3)));
}

pub async fn a_cursor_never_passes_the_head(store: &dyn Store) {
    let (ann, bob, conv) = three(store).await;
    for beyond in [4, u64::MAX] {
        done(store, move_cursor(bob, LAPTOP, conv, beyond)).await;
        assert_eq!(cursor(store, bob, LAPTOP, conv).await, 3);
    }
    assert!(behind(store, bob, LAPTOP).await.is_empty());
    done(store, say_freely(ann, conv, "4")).await;
    assert_eq!(behind(store, bob, LAPTOP).await, [(conv, 3, 4)]);
}

pub async fn a_cursor_needs_a_place(store: &dyn Store) {
    let (ann, bob, conv) = three(store).await;
    let cem = user(store, "cem").await;
    let none = ConvId::direct(bob, cem);
    for (user, conv) in [
        (cem, conv),
        (bob, none),
        (UserId(99), conv),
        (ann, ConvId(3)),
    ] {
        done(store, move_cursor(user, LAPTOP, conv, 1)).await;
        assert!(has_no_cursor(store, user, LAPTOP, conv).await);
    }
    // Nothing of it comes up when the conversation begins.
    done(store, say_freely(bob, none, "x")).await;
    assert_eq!(behind(store, cem, LAPTOP).await, [(none, 0, 1)]);
}

pub async fn behind_lists_what_is_to_receive(store: &dyn Store) {
    let (ann, bob, conv) = three(store).await;
    let cem = user(store, "cem").await;
    let cars = group(store, ann, "cars").await;
    done(store, join(bob, cars, "j")).await;
    let log = ConvId::group(cars);
    assert_eq!(
        behind(store, bob, LAPTOP).await,
        [(conv, 0, 3), (log, 1, 2)]
    );
    assert_eq!(
        behind(store, ann, LAPTOP).await,
        [(conv, 0, 3), (log, 0, 2)]
    );
    assert!(behind(store, cem, LAPTOP).await.is_empty());
    done(store, move_cursor(bob, LAPTOP, conv, 1)).await;
    done(store, move_cursor(bob, LAPTOP, log, 2)).await;
    assert_eq!(behind(store, bob, LAPTOP).await, [(conv, 1, 3)]);
    assert_eq!(behind(store, bob, PHONE).await, [(conv, 0, 3), (log, 1, 2)]);
    done(store, move_cursor(bob, LAPTOP, conv, 3)).await;
    assert!(behind(store, bob, LAPTOP).await.is_empty());
}

pub async fn behind_tells_the_time_of_the_next_entry(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let conv = ConvId::direct(ann, bob);
    for (text, after) in [("1", 0), ("2", 10), ("3", 30)] {
        let origin = Origin {
            at: Millis(NOW.0 + after),
            ..origin(ann, text)
        };
        let change = append(origin, conv, text, Guard::Exists);
        done(store, Change::Append(change)).await;
    }
    for (seq, after) in [(0, 0), (1, 10), (2, 30)] {
        done(store, move_cursor(bob, LAPTOP, conv, seq)).await;
        let found = store.behind(bob, LAPTOP).await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].cursor, Seq(seq));
        assert_eq!(found[0].next_at, Millis(NOW.0 + after));
    }
}

pub async fn an_inbox_is_a_conversation(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    done(store, request(ann, bob, "r")).await;
    let inbox = ConvId::inbox(bob);
    assert_eq!(behind(store, bob, PHONE).await, [(inbox, 0, 1)]);
    // The asker has no place in it.
    assert!(behind(store, ann, PHONE).await.is_empty());
    done(store, move_cursor(bob, PHONE, inbox, 1)).await;
    assert!(behind(store, bob, PHONE).await.is_empty());
    assert_eq!(behind(store, bob, LAPTOP).await, [(inbox, 0, 1)]);
}
