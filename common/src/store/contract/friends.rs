//! Friend requests, answers, and the end of a friendship.

use super::setup::{
    ann_and_bob, answer, befriend, commit, contiguous, done, notices, origin, peers, refused,
    remove, request, user,
};
use crate::api::{Body, Entry, Notice, Refusal};
use crate::id::{ConvId, Peer, Seq, UserId};
use crate::store::{Change, Store};

fn requested(from: UserId) -> Notice {
    Notice::FriendRequested {
        username: format!("user {from}"),
        note: String::new(),
    }
}

fn answered(from: UserId, accepted: bool) -> Notice {
    Notice::FriendAnswered {
        username: format!("user {from}"),
        accepted,
    }
}

fn changed(peer: UserId) -> Notice {
    Notice::ContactsChanged {
        peer: Peer::User(peer),
    }
}

pub async fn a_request_is_told_to_the_asked(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let expected = |seq, client_id| Entry {
        conv: ConvId::inbox(bob),
        seq: Seq(seq),
        origin: origin(ann, client_id),
        body: Body::Notice(requested(ann)),
    };
    let first = done(store, request(ann, bob, "r1")).await;
    assert_eq!(first, [expected(1, "r1")]);
    // He may have missed it.
    let again = done(store, request(ann, bob, "r2")).await;
    assert_eq!(again, [expected(2, "r2")]);
    let inbox = store.pull(ConvId::inbox(bob), Seq(0), 9).await.unwrap();
    assert_eq!(inbox, [expected(1, "r1"), expected(2, "r2")]);
    assert_eq!(contiguous(store, ConvId::inbox(ann)).await, 0);
    assert!(peers(store, ann).await.is_empty());
}

pub async fn a_request_that_cannot_be_is_refused(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    refused(store, request(ann, ann, "r1"), Refusal::Oneself).await;
    refused(store, request(ann, UserId(99), "r2"), Refusal::NoSuchUser).await;
    befriend(store, ann, bob).await;
    refused(store, request(ann, bob, "r3"), Refusal::AlreadyFriends).await;
    refused(store, request(bob, ann, "r4"), Refusal::AlreadyFriends).await;
    assert_eq!(contiguous(store, ConvId::inbox(UserId(99))).await, 0);
}

pub async fn open_requests_are_limited(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let (cem, dan) = (user(store, "cem").await, user(store, "dan").await);
    let ask = |from, to, client_id| Change::RequestFriend {
        origin: origin(from, client_id),
        username: "name".to_owned(),
        to,
        note: String::new(),
        limit: 2,
    };
    done(store, ask(ann, bob, "r1")).await;
    done(store, ask(ann, cem, "r2")).await;
    refused(store, ask(ann, dan, "r3"), Refusal::TooMany).await;
    // One that is open already is none more.
    done(store, ask(ann, bob, "r4")).await;
    // It is the asker who has a limit.
    done(store, ask(dan, ann, "r5")).await;
    done(store, answer(bob, ann, false, "a1")).await;
    done(store, ask(ann, dan, "r6")).await;
    // A yes makes room as well as a no.
    done(store, answer(cem, ann, true, "a2")).await;
    let eva = user(store, "eva").await;
    done(store, ask(ann, eva, "r7")).await;
    refused(store, ask(ann, bob, "r8"), Refusal::TooMany).await;
}

pub async fn a_yes_makes_friends(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    done(store, request(ann, bob, "r")).await;
    let entries = done(store, answer(bob, ann, true, "a")).await;
    let expected = [
        Entry {
            conv: ConvId::inbox(ann),
            seq: Seq(1),
            origin: origin(bob, "a"),
            body: Body::Notice(answered(bob, true)),
        },
        Entry {
            conv: ConvId::inbox(bob),
            seq: Seq(2),
            origin: origin(bob, "a+"),
            body: Body::Notice(changed(ann)),
        },
    ];
    assert_eq!(entries, expected);
    assert_eq!(
        store.pull(ConvId::inbox(ann), Seq(0), 9).await.unwrap(),
        expected[..1]
    );
    assert_eq!(peers(store, ann).await, [Peer::User(bob)]);
    assert_eq!(peers(store, bob).await, [Peer::User(ann)]);
    let contacts = store.contacts(ann).await.unwrap().contacts;
    assert_eq!(contacts[0].profile.username, "bob");
    // The request is closed.
    done(store, remove(ann, bob, "x")).await;
    refused(store, answer(bob, ann, true, "b"), Refusal::NotRequested).await;
}

pub async fn a_no_closes_the_request(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    done(store, request(ann, bob, "r")).await;
    let entries = done(store, answer(bob, ann, false, "a")).await;
    assert_eq!(entries.len(), 1);
    assert_eq!(
        notices(store, ConvId::inbox(ann)).await,
        [(bob, answered(bob, false))]
    );
    assert!(peers(store, ann).await.is_empty());
    refused(store, answer(bob, ann, true, "b"), Refusal::NotRequested).await;
}

pub async fn an_answer_needs_a_request(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    refused(store, answer(bob, ann, true, "a"), Refusal::NotRequested).await;
    done(store, request(ann, bob, "r")).await;
    // Who asked cannot say yes himself.
    refused(store, answer(ann, bob, true, "b"), Refusal::NotRequested).await;
    refused(store, answer(ann, ann, true, "c"), Refusal::NotRequested).await;
    let nobody = UserId(99);
    refused(store, answer(ann, nobody, true, "d"), Refusal::NotRequested).await;
    done(store, answer(bob, ann, true, "e")).await;
}

pub async fn friends_of_either_are_limited(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let (cem, dan) = (user(store, "cem").await, user(store, "dan").await);
    befriend(store, ann, bob).await;
    let yes = |from, to, limit, client_id| Change::AnswerFriend {
        origin: origin(from, client_id),
        username: "name".to_owned(),
        to,
        accepted: true,
        limit,
    };
    done(store, request(ann, cem, "r1")).await;
    done(store, request(dan, ann, "r2")).await;
    refused(store, yes(cem, ann, 1, "a1"), Refusal::TooMany).await;
    refused(store, yes(ann, dan, 1, "a2"), Refusal::TooMany).await;
    // The request stays open.
    done(store, yes(cem, ann, 2, "a3")).await;
    done(store, answer(ann, dan, false, "a4")).await;
}

pub async fn requests_that_cross_make_one_friendship(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    done(store, request(ann, bob, "r1")).await;
    done(store, request(bob, ann, "r2")).await;
    done(store, answer(bob, ann, true, "a1")).await;
    let outcome = commit(store, answer(ann, bob, true, "a2")).await;
    assert!(
        [Refusal::AlreadyFriends, Refusal::NotRequested]
            .map(crate::store::Outcome::Refused)
            .contains(&outcome),
        "{outcome:?}"
    );
    assert_eq!(store.contacts(ann).await.unwrap().contacts.len(), 1);
    assert_eq!(store.contacts(bob).await.unwrap().contacts.len(), 1);
}

pub async fn a_friendship_ends_for_both(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    refused(store, remove(ann, bob, "x0"), Refusal::NotFriends).await;
    refused(store, remove(ann, ann, "x1"), Refusal::NotFriends).await;
    befriend(store, ann, bob).await;
    let entries = done(store, remove(bob, ann, "x2")).await;
    let removed = Notice::FriendRemoved {
        username: format!("user {bob}"),
    };
    let told: Vec<_> = entries
        .into_iter()
        .map(|entry| (entry.conv, entry.origin.client_id, entry.body))
        .collect();
    assert_eq!(
        told,
        [
            (
                ConvId::inbox(ann),
                origin(bob, "x2").client_id,
                Body::Notice(removed)
            ),
            (
                ConvId::inbox(bob),
                origin(bob, "x2+").client_id,
                Body::Notice(changed(ann))
            ),
        ]
    );
    assert!(peers(store, ann).await.is_empty());
    assert!(peers(store, bob).await.is_empty());
    refused(store, remove(ann, bob, "x3"), Refusal::NotFriends).await;
    // They can become friends again.
    done(store, request(ann, bob, "r")).await;
    done(store, answer(bob, ann, true, "a")).await;
    assert_eq!(peers(store, ann).await, [Peer::User(bob)]);
}

pub async fn a_client_id_of_full_length_can_cause_two_notices(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let long = "x".repeat(crate::id::CLIENT_ID_BYTES_MAX);
    done(store, request(ann, bob, &long)).await;
    let entries = done(store, answer(bob, ann, true, &long)).await;
    assert_eq!(entries.len(), 2);
    assert_ne!(entries[0].origin.client_id, entries[1].origin.client_id);
    let inbox = store.pull(ConvId::inbox(bob), Seq(1), 9).await.unwrap();
    assert_eq!(inbox, entries[1..]);
}
