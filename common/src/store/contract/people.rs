//! Finding people, the requests between them, when they were last here.

use std::collections::BTreeSet;

use super::setup::{
    MANY, NOW, ann_and_bob, answer, befriend, done, group, join, new_account, origin, refused,
    request, user,
};
use crate::api::{Origin, Profile, Refusal};
use crate::id::{Millis, Peer, UserId};
use crate::store::people::{self, FriendRequest, PeopleChange};
use crate::store::session::SessionChange;
use crate::store::{Change, Store};

/// Makes a user with this nickname.
async fn called(store: &dyn Store, username: &str, nickname: &str) -> UserId {
    let id = user(store, username).await;
    let profile = Profile::fresh(Peer::User(id), username, nickname);
    done(store, Change::SetProfile { profile, at: NOW }).await;
    id
}

async fn find(store: &dyn Store, text: &str) -> Vec<UserId> {
    found(people::find(store, text, None, MANY).await.unwrap())
}

fn found(profiles: Vec<Profile>) -> Vec<UserId> {
    profiles
        .into_iter()
        .map(|profile| match profile.id {
            Peer::User(user) => user,
            Peer::Group(group) => panic!("{group}"),
        })
        .collect()
}

pub async fn people_are_found_by_how_their_names_begin(store: &dyn Store) {
    let ann = called(store, "ann", "Xiao Ming").await;
    let anna = called(store, "Anna", "小明").await;
    let bob = called(store, "bob", "annoyed").await;
    let ivan = called(store, "ivan", "Иван").await;
    for (text, who) in [
        ("ann", vec![ann, anna, bob]),
        ("ANN", vec![ann, anna, bob]),
        (" anna ", vec![anna]),
        ("xiao m", vec![ann]),
        ("小", vec![anna]),
        ("小明", vec![anna]),
        ("明", vec![]),
        ("ив", vec![ivan]),
        ("ИВ", vec![ivan]),
        ("nn", vec![]),
        ("", vec![]),
        (" ", vec![]),
    ] {
        assert_eq!(find(store, text).await, who, "{text:?}");
    }
    let profiles = people::find(store, "bob", None, MANY).await.unwrap();
    assert_eq!(profiles[0].nickname, "annoyed");
}

pub async fn people_are_found_by_their_number(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let digits = called(store, "1st", "digits").await;
    assert_eq!(find(store, "1").await, [ann, digits]);
    assert_eq!(find(store, "2").await, [bob]);
    for text in ["02", "2.0", "-2", "268435456", "99999999999999999999"] {
        assert!(find(store, text).await.is_empty(), "{text}");
    }
}

pub async fn no_group_is_found_among_people(store: &dyn Store) {
    let ann = user(store, "ann").await;
    let cars = group(store, ann, "cars").await;
    assert!(find(store, "cars").await.is_empty());
    assert!(find(store, &cars.to_string()).await.is_empty());
}

pub async fn no_sign_of_a_name_is_a_wildcard(store: &dyn Store) {
    let odd = called(store, "50%_!'\\", "%").await;
    let plain = called(store, "50 percent", "_").await;
    assert_eq!(find(store, "50").await, [odd, plain]);
    assert_eq!(find(store, "50%").await, [odd]);
    assert_eq!(find(store, "50%_!'\\").await, [odd]);
    assert_eq!(find(store, "%").await, [odd]);
    assert_eq!(find(store, "_").await, [plain]);
    for text in ["5%", "50_", "!", "\\", "'"] {
        assert!(find(store, text).await.is_empty(), "{text}");
    }
}

pub async fn found_people_come_in_pages(store: &dyn Store) {
    let accounts: Vec<Change> = (0..7).map(|n| new_account(&format!("ann{n}"))).collect();
    store.commit(&accounts).await.unwrap();
    let mut after = None;
    let mut all = Vec::new();
    for expected in [3, 3, 1, 0] {
        let page = found(people::find(store, "ann", after, 3).await.unwrap());
        assert_eq!(page.len(), expected);
        all.extend(page.iter().copied());
        after = all.last().copied();
    }
    assert_eq!(all, (1..=7).map(UserId).collect::<Vec<_>>());
}

fn request_at(from: UserId, to: UserId, note: &str, at: i64) -> Change {
    Change::RequestFriend {
        origin: Origin {
            at: Millis(at),
            ..origin(from, &format!("ask {to} {at}"))
        },
        username: format!("user {from}"),
        to,
        note: note.to_owned(),
        limit: MANY,
    }
}

pub async fn open_requests_are_listed_both_ways(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let cem = user(store, "cem").await;
    assert!(people::requests(store, ann).await.unwrap().is_empty());
    done(store, request_at(ann, bob, "it's me", 5)).await;
    done(store, request_at(cem, ann, "", 7)).await;
    done(store, request_at(cem, bob, "", 8)).await;
    let one = |from, to, note: &str, at| FriendRequest {
        from,
        to,
        note: note.to_owned(),
        at: Millis(at),
    };
    let listed = people::requests(store, ann).await.unwrap();
    assert_eq!(listed, [one(cem, ann, "", 7), one(ann, bob, "it's me", 5)]);
    // Asking again has the newer time and words.
    done(store, request_at(ann, bob, "Ann", 9)).await;
    done(store, answer(ann, cem, false, "no")).await;
    let listed = people::requests(store, ann).await.unwrap();
    assert_eq!(listed, [one(ann, bob, "Ann", 9)]);
}

pub async fn a_request_is_taken_back(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let cancel = |from, to| Change::People(PeopleChange::CancelRequest { from, to });
    refused(store, cancel(ann, bob), Refusal::NotRequested).await;
    done(store, request(ann, bob, "r")).await;
    refused(store, cancel(bob, ann), Refusal::NotRequested).await;
    done(store, cancel(ann, bob)).await;
    assert!(people::requests(store, bob).await.unwrap().is_empty());
    refused(store, cancel(ann, bob), Refusal::NotRequested).await;
    let late = answer(bob, ann, true, "yes");
    refused(store, late, Refusal::NotRequested).await;
}

pub async fn it_is_known_when_people_were_last_here(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let cem = user(store, "cem").await;
    let seen = |user, at| {
        let at = Millis(NOW.0 + at);
        Change::Session(SessionChange::LastSeen { user, at })
    };
    done(store, seen(ann, 5)).await;
    done(store, seen(ann, 3)).await;
    done(store, seen(cem, 1)).await;
    let mut last = people::last_seen(store, &[cem, bob, ann, UserId(99)])
        .await
        .unwrap();
    last.sort_unstable();
    assert_eq!(last, [(ann, Millis(NOW.0 + 5)), (cem, Millis(NOW.0 + 1))]);
    assert!(people::last_seen(store, &[]).await.unwrap().is_empty());
}

pub async fn who_is_in_a_common_group_is_known(store: &dyn Store) {
    let ann = user(store, "ann").await;
    let (bob, cem, eve) = (
        user(store, "bob").await,
        user(store, "cem").await,
        user(store, "eve").await,
    );
    befriend(store, ann, eve).await;
    let cars = group(store, ann, "cars").await;
    let boats = group(store, cem, "boats").await;
    done(store, join(bob, cars, "b")).await;
    done(store, join(eve, boats, "e")).await;
    let asked = [bob, cem, eve, UserId(99)];
    let of = async |user| people::in_common_groups(store, user, &asked).await.unwrap();
    assert_eq!(of(ann).await, BTreeSet::from([bob]));
    assert_eq!(of(cem).await, BTreeSet::from([cem, eve]));
    let nobody = people::in_common_groups(store, ann, &[]).await.unwrap();
    assert!(nobody.is_empty());
}
