//! A user's own view of his conversations: what is listed, what is unread.

use super::setup::{
    MANY, NOW, ann_and_bob, append, commit, done, group, join, move_cursor, new_account, origin,
    refused, register, request, say, say_freely, user,
};
use crate::api::{Origin, Refusal};
use crate::id::{ConvId, DeviceId, Millis, Seq, UserId};
use crate::store::delivery;
use crate::store::place::{self, Notify, Place, PlaceChange, UNREAD_MAX};
use crate::store::search::SearchChange;
use crate::store::{Change, Guard, Outcome, Store};

fn open_at(user: UserId, conv: ConvId, at: i64) -> Change {
    let at = Millis(at);
    Change::Place(PlaceChange::Open { user, conv, at })
}

fn open(user: UserId, conv: ConvId) -> Change {
    open_at(user, conv, NOW.0)
}

fn read(user: UserId, conv: ConvId, seq: u64) -> Change {
    let seq = Seq(seq);
    Change::Place(PlaceChange::Read { user, conv, seq })
}

fn set(user: UserId, conv: ConvId, notify: Option<Notify>, pinned: Option<bool>) -> Change {
    Change::Place(PlaceChange::Set {
        user,
        conv,
        notify,
        pinned,
        hidden: None,
    })
}

fn hide(user: UserId, conv: ConvId, hidden: bool) -> Change {
    Change::Place(PlaceChange::Set {
        user,
        conv,
        notify: None,
        pinned: None,
        hidden: Some(hidden),
    })
}

/// A message that was taken at this time.
fn say_at(from: UserId, conv: ConvId, text: &str, at: i64) -> Change {
    let origin = Origin {
        at: Millis(at),
        ..origin(from, text)
    };
    Change::Append(append(origin, conv, text, Guard::Exists))
}

async fn get(store: &dyn Store, user: UserId, conv: ConvId) -> Place {
    place::get(store, user, conv).await.unwrap().unwrap()
}

/// The conversations that are listed, with the number of unread messages.
async fn listed(store: &dyn Store, user: UserId) -> Vec<(ConvId, u32)> {
    let places = place::list(store, user, false, None, MANY).await.unwrap();
    let one = |place: &Place| (place.conv, place.unread);
    places.iter().map(one).collect()
}

async fn unread(store: &dyn Store, user: UserId, conv: ConvId) -> u32 {
    get(store, user, conv).await.unread
}

pub async fn opening_makes_a_direct_conversation(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let conv = ConvId::direct(ann, bob);
    assert!(place::get(store, ann, conv).await.unwrap().is_none());
    done(store, open(ann, conv)).await;
    let made = Place {
        conv,
        since: Seq(0),
        head: Seq(0),
        at: NOW,
        read: Seq(0),
        notify: Notify::All,
        pinned: false,
        hidden: false,
        unread: 0,
        mentions: 0,
    };
    assert_eq!(get(store, ann, conv).await, made);
    assert_eq!(listed(store, ann).await, [(conv, 0)]);
    // Only for who opened it.
    assert!(listed(store, bob).await.is_empty());
    done(store, open(ann, conv)).await;
    // The first entry comes as if nobody had opened it.
    let first = done(store, say_freely(bob, conv, "hi")).await;
    assert_eq!(first[0].seq, Seq(1));
    assert_eq!(listed(store, ann).await, [(conv, 1)]);
    assert_eq!(listed(store, bob).await, [(conv, 0)]);
    // So does one of who opened it, and opening what has entries changes nothing.
    let own = ConvId::direct(bob, bob);
    done(store, open(bob, own)).await;
    let first = done(store, say_freely(bob, own, "note")).await;
    assert_eq!(first[0].seq, Seq(1));
    done(store, open_at(bob, own, NOW.0 + 9)).await;
    assert_eq!(get(store, bob, own).await.at, NOW);
}

pub async fn opening_is_refused_where_it_must(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let cem = user(store, "cem").await;
    let cars = ConvId::group(group(store, bob, "cars").await);
    let nobody = ConvId::direct(ann, UserId(99));
    refused(store, open(ann, nobody), Refusal::NoSuchUser).await;
    for conv in [
        ConvId::direct(bob, cem),
        ConvId::inbox(bob),
        ConvId::inbox(ann),
        cars,
        ConvId(5),
    ] {
        refused(store, open(ann, conv), Refusal::NoSuchConversation).await;
        refused(store, read(ann, conv, 1), Refusal::NoSuchConversation).await;
        refused(store, hide(ann, conv, true), Refusal::NoSuchConversation).await;
    }
    assert!(listed(store, ann).await.is_empty());
    done(store, open(bob, cars)).await;
}

pub async fn a_read_mark_moves_forward_to_the_head(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let conv = ConvId::direct(ann, bob);
    for text in ["1", "2", "3"] {
        done(store, say_freely(ann, conv, text)).await;
    }
    for (seq, mark, left) in [(2, 2, 1), (1, 2, 1), (2, 2, 1), (u64::MAX, 3, 0), (0, 3, 0)] {
        done(store, read(bob, conv, seq)).await;
        let place = get(store, bob, conv).await;
        assert_eq!((place.read, place.unread), (Seq(mark), left), "{seq}");
    }
    done(store, say_freely(ann, conv, "4")).await;
    assert_eq!(unread(store, bob, conv).await, 1);
    // The marks of the two are apart.
    assert_eq!(get(store, ann, conv).await.read, Seq(0));
}

pub async fn the_furthest_device_tells_what_was_delivered(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let conv = ConvId::direct(ann, bob);
    for text in ["1", "2", "3"] {
        done(store, say_freely(ann, conv, text)).await;
    }
    let wanted = [(bob, conv), (ann, conv)];
    assert_eq!(delivery::of(store, &wanted).await.unwrap(), []);
    for (device, seq) in [(301, 2), (302, 1)] {
        done(store, register(bob, DeviceId(device))).await;
        done(store, move_cursor(bob, DeviceId(device), conv, seq)).await;
    }
    let furthest = delivery::of(store, &wanted).await.unwrap();
    assert_eq!(furthest, [(bob, conv, Seq(2))]);
}

pub async fn only_messages_of_others_are_unread(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let cem = user(store, "cem").await;
    let cars = group(store, ann, "cars").await;
    let conv = ConvId::group(cars);
    done(store, say(ann, conv, "before")).await;
    done(store, join(bob, cars, "j")).await;
    done(store, say(ann, conv, "a")).await;
    done(store, say(bob, conv, "b")).await;
    done(store, join(cem, cars, "k")).await;
    done(store, say(ann, conv, "c")).await;
    // Neither what one wrote, nor notices, nor what was before one came.
    let place = get(store, bob, conv).await;
    assert_eq!((place.since, place.read), (Seq(2), Seq(2)));
    assert_eq!(place.unread, 2);
    assert_eq!(unread(store, ann, conv).await, 1);
    assert_eq!(unread(store, cem, conv).await, 1);
}

pub async fn newest_activity_comes_first(store: &dyn Store) {
    let ann = user(store, "ann").await;
    let mut convs = Vec::new();
    for name in ["b", "c", "d", "e", "f"] {
        convs.push(ConvId::direct(ann, user(store, name).await));
    }
    for (conv, at) in convs.iter().zip([30, 10, 50, 30, 20]) {
        done(store, say_at(ann, *conv, &conv.to_string(), at)).await;
    }
    let order = [2, 3, 0, 4, 1].map(|nth: usize| convs[nth]);
    let of = |places: &[Place]| places.iter().map(|place| place.conv).collect::<Vec<_>>();
    let all = place::list(store, ann, false, None, MANY).await.unwrap();
    assert_eq!(of(&all), order);
    let mut paged = Vec::new();
    let mut after = None;
    loop {
        let page = place::list(store, ann, false, after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some((last.at, last.conv));
        paged.extend(of(&page));
    }
    assert_eq!(paged, order);
    assert!(
        place::list(store, ann, false, None, 0)
            .await
            .unwrap()
            .is_empty()
    );
}

pub async fn hidden_lasts_until_the_next_entry(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let conv = ConvId::direct(ann, bob);
    done(store, say_freely(ann, conv, "1")).await;
    done(store, hide(bob, conv, true)).await;
    assert!(listed(store, bob).await.is_empty());
    assert_eq!(listed(store, ann).await.len(), 1);
    assert!(get(store, bob, conv).await.hidden);
    let all = place::list(store, bob, true, None, MANY).await.unwrap();
    assert!(all.len() == 1 && all[0].hidden);
    done(store, say_freely(ann, conv, "2")).await;
    assert_eq!(listed(store, bob).await, [(conv, 2)]);
    assert!(!get(store, bob, conv).await.hidden);
    for shown in [hide(bob, conv, false), open(bob, conv)] {
        done(store, hide(bob, conv, true)).await;
        assert!(listed(store, bob).await.is_empty());
        done(store, shown).await;
        assert_eq!(listed(store, bob).await, [(conv, 2)]);
    }
    // Also before the first entry.
    let own = ConvId::direct(bob, bob);
    done(store, open(bob, own)).await;
    done(store, hide(bob, own, true)).await;
    assert_eq!(listed(store, bob).await, [(conv, 2)]);
    done(store, open(bob, own)).await;
    assert_eq!(listed(store, bob).await.len(), 2);
}

pub async fn settings_stay_until_they_are_changed(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let conv = ConvId::direct(ann, bob);
    done(store, open(ann, conv)).await;
    for (notify, pinned, now) in [
        (Some(Notify::Mentions), None, (Notify::Mentions, false)),
        (None, Some(true), (Notify::Mentions, true)),
        (None, None, (Notify::Mentions, true)),
        (Some(Notify::Nothing), Some(true), (Notify::Nothing, true)),
        (Some(Notify::All), Some(false), (Notify::All, false)),
    ] {
        let outcome = commit(store, set(ann, conv, notify, pinned)).await;
        assert_eq!(outcome, Outcome::done());
        let place = get(store, ann, conv).await;
        assert_eq!((place.notify, place.pinned), now);
    }
}

pub async fn an_inbox_is_not_listed(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let inbox = ConvId::inbox(bob);
    done(store, request(ann, bob, "r")).await;
    assert!(listed(store, bob).await.is_empty());
    let place = get(store, bob, inbox).await;
    assert_eq!((place.head, place.unread), (Seq(1), 0));
    assert!(place::get(store, ann, inbox).await.unwrap().is_none());
    done(store, read(bob, inbox, 1)).await;
    assert_eq!(get(store, bob, inbox).await.read, Seq(1));
}

pub async fn mentions_are_counted(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let cars = group(store, ann, "cars").await;
    let conv = ConvId::group(cars);
    done(store, join(bob, cars, "j")).await;
    for text in ["3", "4", "5"] {
        done(store, say(ann, conv, text)).await;
    }
    done(store, say(bob, conv, "6")).await;
    let index = Change::Search(SearchChange {
        conv,
        upto: Seq(6),
        words: Vec::new(),
        mentions: vec![
            (Seq(3), Some(bob)),
            (Seq(4), Some(ann)),
            (Seq(5), None),
            (Seq(5), Some(bob)),
            (Seq(6), None),
        ],
    });
    done(store, index.clone()).await;
    done(store, index).await;
    let counted = async |user| {
        let place = get(store, user, conv).await;
        (place.unread, place.mentions)
    };
    // One message that says it twice is one; what one says oneself is none.
    assert_eq!(counted(bob).await, (3, 2));
    assert_eq!(counted(ann).await, (1, 1));
    done(store, read(bob, conv, 3)).await;
    assert_eq!(counted(bob).await, (2, 1));
}

pub async fn readers_are_counted(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let cem = user(store, "cem").await;
    let cars = group(store, ann, "cars").await;
    let conv = ConvId::group(cars);
    done(store, join(bob, cars, "j")).await;
    done(store, join(cem, cars, "k")).await;
    done(store, say(ann, conv, "hello")).await;
    let readers = async |seq, limit| {
        let found = place::readers(store, conv, Seq(seq), ann, limit).await;
        found.unwrap()
    };
    assert_eq!(readers(4, 9).await, (0, vec![]));
    for (user, seq) in [(ann, 4), (cem, 4), (bob, 3)] {
        done(store, read(user, conv, seq)).await;
    }
    assert_eq!(readers(4, 9).await, (1, vec![cem]));
    assert_eq!(readers(3, 9).await, (2, vec![bob, cem]));
    assert_eq!(readers(3, 1).await, (2, vec![bob]));
    let dan = user(store, "dan").await;
    done(store, join(dan, cars, "l")).await;
    done(store, read(dan, conv, 5)).await;
    assert_eq!(readers(5, 9).await, (1, vec![dan]));
    assert_eq!(readers(4, 9).await, (1, vec![cem]), "he came later");
}

/// 300 conversations with 50,000 unread messages: one has very many, the others 150 or so.
pub async fn many_unread_messages_are_counted(store: &dyn Store) {
    const CONVS: usize = 300;
    const SAID: usize = 50_000;
    const LOUD: usize = 5_000;
    let ann = user(store, "ann").await;
    let accounts: Vec<Change> = (0..CONVS).map(|n| new_account(&n.to_string())).collect();
    let made = store.commit(&accounts).await.unwrap();
    let others: Vec<UserId> = made
        .iter()
        .filter_map(|outcome| match outcome {
            Outcome::Done { id, .. } => id.map(UserId),
            _ => None,
        })
        .collect();
    assert_eq!(others.len(), CONVS);
    let speaker = |n: usize| if n < LOUD { 0 } else { 1 + n % (CONVS - 1) };
    let says = |n: usize| {
        let other = others[speaker(n)];
        say_freely(other, ConvId::direct(ann, other), &format!("{n}"))
    };
    let mut said = vec![0_u32; CONVS];
    (0..SAID).for_each(|n| said[speaker(n)] += 1);
    for first in (0..SAID).step_by(2_000) {
        let batch: Vec<Change> = (first..SAID.min(first + 2_000)).map(says).collect();
        store.commit(&batch).await.unwrap();
    }
    let places = place::list(store, ann, false, None, MANY).await.unwrap();
    assert_eq!(places.len(), CONVS);
    for (other, said) in others.iter().zip(said) {
        let conv = ConvId::direct(ann, *other);
        let place = places.iter().find(|place| place.conv == conv).unwrap();
        assert_eq!(place.unread, said.min(UNREAD_MAX), "{other}");
    }
}
