//! Groups: making, joining, leaving.

use super::setup::{
    LAPTOP, ann_and_bob, befriend, behind, commit, cursor, done, group, has_no_cursor, join, leave,
    move_cursor, new_group, notices, origin, peers, refused, register, say, user,
};
use crate::api::{Body, Entry, Notice, Origin, Refusal};
use crate::id::{ConvId, GROUP_ID_FIRST, GroupId, Peer, Seq};
use crate::store::{Change, Outcome, Store};

pub async fn a_group_begins_with_its_owner(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let outcome = commit(store, new_group(ann, "cars", "g")).await;
    let id = GroupId(GROUP_ID_FIRST);
    let entry = Entry {
        conv: ConvId::group(id),
        seq: Seq(1),
        origin: origin(ann, "g"),
        body: Body::Notice(Notice::GroupCreated {
            name: "cars".to_owned(),
        }),
    };
    let expected = Outcome::Done {
        id: Some(id.0),
        entries: vec![entry],
    };
    assert_eq!(outcome, expected);
    assert_eq!(store.members(id).await.unwrap(), [ann]);
    assert_eq!(peers(store, ann).await, [Peer::Group(id)]);
    assert!(peers(store, bob).await.is_empty());
    let contacts = store.contacts(ann).await.unwrap().contacts;
    assert_eq!(contacts[0].profile.nickname, "cars");
    assert_eq!(contacts[0].profile.id, Peer::Group(id));
    assert_eq!(
        behind(store, ann, LAPTOP).await,
        [(ConvId::group(id), 0, 1)]
    );
}

pub async fn group_ids_count_from_the_boundary(store: &dyn Store) {
    let ann = user(store, "ann").await;
    for (name, number) in [("a", 0), ("b", 1), ("a too", 2)] {
        let made = group(store, ann, name).await;
        assert_eq!(made, GroupId(GROUP_ID_FIRST + number));
    }
    // Groups take no user numbers.
    assert_eq!(user(store, "bob").await.0, 2);
}

pub async fn a_user_may_be_named_like_a_number(store: &dyn Store) {
    let name = GROUP_ID_FIRST.to_string();
    let squatter = user(store, &name).await;
    let made = group(store, squatter, "cars").await;
    let profile = store.profile_named(&name).await.unwrap().unwrap();
    assert_eq!(profile.id, Peer::User(squatter));
    let profile = store.profile_named(&made.to_string()).await.unwrap();
    assert_eq!(profile.unwrap().id, Peer::Group(made));
    let next = group(store, squatter, "more cars").await;
    assert!(next > made);
}

pub async fn a_member_sees_the_log_from_his_joining(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let cars = group(store, ann, "cars").await;
    let conv = ConvId::group(cars);
    done(store, say(ann, conv, "before")).await;
    let entries = done(store, join(bob, cars, "j")).await;
    let expected = Entry {
        conv,
        seq: Seq(3),
        origin: origin(bob, "j"),
        body: Body::Notice(Notice::MemberJoined),
    };
    assert_eq!(entries, [expected]);
    done(store, say(bob, conv, "after")).await;
    assert_eq!(cursor(store, bob, LAPTOP, conv).await, 2);
    assert_eq!(behind(store, bob, LAPTOP).await, [(conv, 2, 4)]);
    assert_eq!(behind(store, ann, LAPTOP).await, [(conv, 0, 4)]);
    assert_eq!(store.members(cars).await.unwrap(), [ann, bob]);
    assert_eq!(peers(store, bob).await, [Peer::Group(cars)]);
    // The order is that of joining, not of numbers.
    let dogs = group(store, bob, "dogs").await;
    done(store, join(ann, dogs, "j")).await;
    assert_eq!(store.members(dogs).await.unwrap(), [bob, ann]);
}

pub async fn joining_is_refused_where_it_must(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let cem = user(store, "cem").await;
    let cars = group(store, ann, "cars").await;
    let none = GroupId(cars.0 + 1);
    refused(store, join(bob, none, "j1"), Refusal::NoSuchGroup).await;
    refused(store, join(ann, cars, "j2"), Refusal::AlreadyMember).await;
    let limited = |user, contacts_max, members_max, client_id| Change::JoinGroup {
        origin: origin(user, client_id),
        group: cars,
        contacts_max,
        members_max,
    };
    refused(store, limited(bob, 9, 1, "j3"), Refusal::TooMany).await;
    done(store, limited(bob, 1, 2, "j4")).await;
    befriend(store, bob, cem).await;
    refused(store, limited(cem, 1, 9, "j5"), Refusal::TooMany).await;
    assert_eq!(store.members(cars).await.unwrap(), [ann, bob]);
    assert!(store.members(none).await.unwrap().is_empty());
    assert!(peers(store, bob).await.contains(&Peer::Group(cars)));
}

pub async fn who_leaves_is_forgotten(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let cars = group(store, ann, "cars").await;
    let conv = ConvId::group(cars);
    done(store, join(bob, cars, "j")).await;
    done(store, register(bob, LAPTOP)).await;
    done(store, move_cursor(bob, LAPTOP, conv, 2)).await;
    let entries = done(store, leave(bob, cars, "l")).await;
    let second = entries[1].origin.client_id.clone();
    let expected = [
        Entry {
            conv,
            seq: Seq(3),
            origin: origin(bob, "l"),
            body: Body::Notice(Notice::MemberLeft),
        },
        Entry {
            conv: ConvId::inbox(bob),
            seq: Seq(1),
            origin: Origin {
                client_id: second,
                ..origin(bob, "l")
            },
            body: Body::Notice(Notice::ContactsChanged {
                peer: Peer::Group(cars),
            }),
        },
    ];
    assert_eq!(entries, expected);
    assert_eq!(store.members(cars).await.unwrap(), [ann]);
    assert!(peers(store, bob).await.is_empty());
    assert!(has_no_cursor(store, bob, LAPTOP, conv).await);
    assert_eq!(
        behind(store, bob, LAPTOP).await,
        [(ConvId::inbox(bob), 0, 1)]
    );
    refused(store, say(bob, conv, "hello?"), Refusal::NotAMember).await;
    // The place is gone: a late acknowledgement changes nothing.
    done(store, move_cursor(bob, LAPTOP, conv, 3)).await;
    assert!(has_no_cursor(store, bob, LAPTOP, conv).await);
}

pub async fn who_comes_back_starts_anew(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let cars = group(store, ann, "cars").await;
    let conv = ConvId::group(cars);
    done(store, join(bob, cars, "j1")).await;
    done(store, move_cursor(bob, LAPTOP, conv, 2)).await;
    done(store, leave(bob, cars, "l1")).await;
    done(store, say(ann, conv, "without bob")).await;
    done(store, join(bob, cars, "j2")).await;
    assert_eq!(cursor(store, bob, LAPTOP, conv).await, 4);
    let joined = notices(store, conv).await;
    assert_eq!(joined.last(), Some(&(bob, Notice::MemberJoined)));
    assert_eq!(store.members(cars).await.unwrap(), [ann, bob]);
    // The owner may go, the group stays; it may even be empty.
    done(store, leave(ann, cars, "l2")).await;
    done(store, leave(bob, cars, "l3")).await;
    assert!(store.members(cars).await.unwrap().is_empty());
    done(store, join(ann, cars, "j3")).await;
    assert_eq!(store.members(cars).await.unwrap(), [ann]);
}

pub async fn leaving_needs_a_membership(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let cars = group(store, ann, "cars").await;
    refused(store, leave(bob, cars, "l1"), Refusal::NotAMember).await;
    let none = GroupId(cars.0 + 1);
    refused(store, leave(ann, none, "l2"), Refusal::NotAMember).await;
    done(store, leave(ann, cars, "l3")).await;
    refused(store, leave(ann, cars, "l4"), Refusal::NotAMember).await;
}

pub async fn groups_count_as_contacts(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    befriend(store, ann, bob).await;
    let limited = |limit, client_id| Change::CreateGroup {
        origin: origin(ann, client_id),
        name: "cars".to_owned(),
        limit,
    };
    refused(store, limited(1, "g1"), Refusal::TooMany).await;
    assert!(matches!(
        commit(store, limited(2, "g2")).await,
        Outcome::Done { id: Some(_), .. }
    ));
    refused(store, limited(2, "g3"), Refusal::TooMany).await;
}
