//! The same (sender, client id) is one entry.

use futures_util::future::join_all;

use super::setup::{NOW, PHONE, append};
use super::setup::{
    ann_and_bob, answer, befriend, commit, contiguous, done, entries, group, join, leave,
    new_group, origin, peers, refused, remove, request, say, say_as, texts,
};
use crate::api::{Notice, Origin, Refusal};
use crate::id::{ConvId, Millis, Peer, Seq};
use crate::store::{Change, Guard, Outcome, Store};

fn there(conv: ConvId, seq: u64) -> Outcome {
    Outcome::AlreadyThere {
        conv,
        seq: Seq(seq),
        at: NOW,
    }
}

pub async fn the_same_send_is_one_entry(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    befriend(store, ann, bob).await;
    let conv = ConvId::direct(ann, bob);
    for text in ["1", "2", "3"] {
        done(store, say(ann, conv, text)).await;
    }
    assert_eq!(commit(store, say(ann, conv, "2")).await, there(conv, 2));
    // From another device, at another time, it is still the same.
    let later = Origin {
        device: PHONE,
        tag: 99,
        at: Millis(NOW.0 + 60_000),
        ..origin(ann, "2")
    };
    let change = Change::Append(append(later, conv, "2", Guard::Contact));
    assert_eq!(commit(store, change).await, there(conv, 2));
    assert_eq!(texts(store, conv).await, ["1", "2", "3"]);
}

pub async fn the_same_send_twice_in_one_batch(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    befriend(store, ann, bob).await;
    let conv = ConvId::direct(ann, bob);
    let batch = [
        say(ann, conv, "1"),
        say(ann, conv, "1"),
        say(ann, conv, "2"),
        say_as(ann, conv, "2", "other"),
        say(ann, conv, "1"),
    ];
    let outcomes = store.commit(&batch).await.unwrap();
    assert_eq!(entries(outcomes[0].clone())[0].seq, Seq(1));
    assert_eq!(outcomes[1], there(conv, 1));
    assert_eq!(entries(outcomes[2].clone())[0].seq, Seq(2));
    assert_eq!(outcomes[3], Outcome::Refused(Refusal::ClientIdConflict));
    assert_eq!(outcomes[4], there(conv, 1));
    assert_eq!(contiguous(store, conv).await, 2);
}

pub async fn a_client_id_belongs_to_its_sender(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    befriend(store, ann, bob).await;
    let conv = ConvId::direct(ann, bob);
    done(store, say(ann, conv, "same")).await;
    done(store, say(bob, conv, "same")).await;
    // Client ids are compared byte by byte.
    for other in ["Same", "same ", "sáme"] {
        done(store, say(ann, conv, other)).await;
    }
    assert_eq!(contiguous(store, conv).await, 5);
}

pub async fn another_meaning_is_a_conflict(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    befriend(store, ann, bob).await;
    let cars = group(store, ann, "cars").await;
    let conv = ConvId::direct(ann, bob);
    done(store, say(ann, conv, "1")).await;
    let conflict = Refusal::ClientIdConflict;
    refused(store, say_as(ann, conv, "1", "2"), conflict).await;
    refused(store, say(ann, ConvId::group(cars), "1"), conflict).await;
    refused(store, new_group(ann, "dogs", "1"), conflict).await;
    refused(store, new_group(ann, "dogs", "group cars"), conflict).await;
    refused(store, leave(ann, cars, "1"), conflict).await;
    refused(store, remove(ann, bob, "1"), conflict).await;
    // The second notice needs a free client id too.
    done(store, say(ann, conv, "x+")).await;
    refused(store, remove(ann, bob, "x"), conflict).await;
    assert_eq!(
        peers(store, ann).await,
        [Peer::User(bob), Peer::Group(cars)]
    );
    assert_eq!(contiguous(store, conv).await, 2);
    assert_eq!(contiguous(store, ConvId::group(cars)).await, 1);
    done(store, remove(ann, bob, "y")).await;
}

pub async fn a_repeated_send_needs_no_guard(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    befriend(store, ann, bob).await;
    let conv = ConvId::direct(ann, bob);
    done(store, say(ann, conv, "1")).await;
    done(store, remove(bob, ann, "x")).await;
    // It was saved; the sender just did not hear of it.
    assert_eq!(commit(store, say(ann, conv, "1")).await, there(conv, 1));
    refused(store, say(ann, conv, "2"), Refusal::NotFriends).await;
}

pub async fn a_repeated_change_is_applied_once(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let inbox = ConvId::inbox;
    let ask = request(ann, bob, "r");
    done(store, ask.clone()).await;
    assert_eq!(commit(store, ask).await, there(inbox(bob), 1));
    let yes = answer(bob, ann, true, "a");
    done(store, yes.clone()).await;
    assert_eq!(commit(store, yes).await, there(inbox(ann), 1));
    let create = new_group(ann, "cars", "g");
    let Outcome::Done {
        id: Some(id),
        entries,
    } = commit(store, create.clone()).await
    else {
        panic!("no group")
    };
    let (cars, conv) = (crate::id::GroupId(id), entries[0].conv);
    assert_eq!(commit(store, create).await, there(conv, 1));
    let come = join(bob, cars, "j");
    done(store, come.clone()).await;
    assert_eq!(commit(store, come).await, there(conv, 2));
    let go = leave(bob, cars, "l");
    done(store, go.clone()).await;
    assert_eq!(commit(store, go).await, there(conv, 3));
    let end = remove(ann, bob, "x");
    done(store, end.clone()).await;
    assert_eq!(commit(store, end).await, there(inbox(bob), 4));
    let told = super::setup::notices(store, inbox(bob)).await;
    assert_eq!(told.len(), 4);
    assert!(matches!(told[3].1, Notice::FriendRemoved { .. }));
    assert_eq!(store.members(cars).await.unwrap(), [ann]);
}

pub async fn concurrent_repeats_are_one_entry(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    befriend(store, ann, bob).await;
    let conv = ConvId::direct(ann, bob);
    let sends = (0..20).map(|number| async move {
        let text = (number % 4).to_string();
        commit(store, say(ann, conv, &text)).await
    });
    let outcomes = join_all(sends).await;
    let saved = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Outcome::Done { .. }));
    assert_eq!(saved.count(), 4);
    assert_eq!(contiguous(store, conv).await, 4);
}
