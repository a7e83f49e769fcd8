//! Whom one does not want to hear from, and who must not write to a group.

use super::setup::{
    NOW, ann_and_bob, answer, append, befriend, commit, done, group, join, origin, refused,
    request, say, say_freely, texts, user,
};
use crate::api::{GroupSettings, Origin, Refusal, Role};
use crate::id::{ConvId, GroupId, Millis, UserId};
use crate::store::block::{self, BlockChange};
use crate::store::group::GroupChange;
use crate::store::people;
use crate::store::{Change, Guard, Outcome, Store};

fn block_at(user: UserId, blocked: UserId, at: i64) -> Change {
    Change::Block(BlockChange::Add {
        user,
        blocked,
        at: Millis(at),
    })
}

fn block(user: UserId, blocked: UserId) -> Change {
    block_at(user, blocked, NOW.0)
}

fn unblock(user: UserId, blocked: UserId) -> Change {
    Change::Block(BlockChange::Remove { user, blocked })
}

pub async fn blocks_are_listed_newest_first(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let cem = user(store, "cem").await;
    done(store, block_at(ann, bob, 5)).await;
    done(store, block_at(ann, cem, 7)).await;
    // Once more changes nothing, also not the time.
    done(store, block_at(ann, bob, 9)).await;
    let listed = block::of_user(store, ann).await.unwrap();
    assert_eq!(listed, [(cem, Millis(7)), (bob, Millis(5))]);
    assert!(block::is_blocked(store, ann, bob).await.unwrap());
    assert!(!block::is_blocked(store, bob, ann).await.unwrap());
    done(store, unblock(ann, cem)).await;
    done(store, unblock(ann, cem)).await;
    let listed = block::of_user(store, ann).await.unwrap();
    assert_eq!(listed, [(bob, Millis(5))]);
}

pub async fn how_two_stand_to_each_other(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let both = async || {
        let of = async |one, other| {
            let standing = people::standing(store, one, other).await.unwrap();
            (standing.is_contact, standing.is_blocked)
        };
        (of(ann, bob).await, of(bob, ann).await)
    };
    assert_eq!(both().await, ((false, false), (false, false)));
    befriend(store, ann, bob).await;
    assert_eq!(both().await, ((true, false), (true, false)));
    done(store, block(bob, ann)).await;
    assert_eq!(both().await, ((true, true), (true, false)));
}

pub async fn a_block_that_cannot_be_is_refused(store: &dyn Store) {
    let ann = user(store, "ann").await;
    let cars = group(store, ann, "cars").await;
    refused(store, block(ann, ann), Refusal::Oneself).await;
    refused(store, block(ann, UserId(99)), Refusal::NoSuchUser).await;
    refused(store, block(ann, UserId(cars.0)), Refusal::NoSuchUser).await;
    assert!(block::of_user(store, ann).await.unwrap().is_empty());
}

pub async fn who_is_blocked_cannot_write(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let conv = ConvId::direct(ann, bob);
    befriend(store, ann, bob).await;
    done(store, say(bob, conv, "before")).await;
    done(store, block(ann, bob)).await;
    refused(store, say(bob, conv, "a"), Refusal::Blocked).await;
    refused(store, say_freely(bob, conv, "b"), Refusal::Blocked).await;
    // The other way is free, and what was saved before is still saved.
    done(store, say(ann, conv, "c")).await;
    let again = commit(store, say(bob, conv, "before")).await;
    assert!(matches!(again, Outcome::AlreadyThere { .. }), "{again:?}");
    done(store, unblock(ann, bob)).await;
    done(store, say(bob, conv, "d")).await;
    assert_eq!(texts(store, conv).await, ["before", "c", "d"]);
}

pub async fn a_block_comes_before_friendship(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let conv = ConvId::direct(ann, bob);
    done(store, block(ann, bob)).await;
    refused(store, say(bob, conv, "a"), Refusal::Blocked).await;
    refused(store, say(ann, conv, "b"), Refusal::NotFriends).await;
    refused(store, request(bob, ann, "r"), Refusal::Blocked).await;
    done(store, request(ann, bob, "s")).await;
    done(store, answer(bob, ann, true, "t")).await;
    refused(store, say(bob, conv, "c"), Refusal::Blocked).await;
    let none = ConvId::direct(bob, UserId(99));
    refused(store, say_freely(bob, none, "d"), Refusal::NoSuchUser).await;
}

pub async fn a_block_is_between_two(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let cem = user(store, "cem").await;
    let cars = group(store, ann, "cars").await;
    done(store, join(bob, cars, "j")).await;
    done(store, block(ann, bob)).await;
    // In one batch, so that one look-up answers for all.
    let batch = [
        say_freely(bob, ConvId::direct(ann, bob), "a"),
        say_freely(bob, ConvId::direct(bob, cem), "b"),
        say_freely(cem, ConvId::direct(ann, cem), "c"),
        say_freely(bob, ConvId::direct(bob, bob), "d"),
        say(bob, ConvId::group(cars), "e"),
    ];
    let outcomes = store.commit(&batch).await.unwrap();
    assert_eq!(outcomes[0], Outcome::Refused(Refusal::Blocked));
    for outcome in &outcomes[1..] {
        assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
    }
}

pub async fn a_user_is_no_group(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    befriend(store, ann, bob).await;
    let odd = ConvId::group(GroupId(bob.0));
    refused(store, say(ann, odd, "a"), Refusal::NotAMember).await;
}

/// What an admin says about a member.
fn set_member(
    admin: UserId,
    group: GroupId,
    user: UserId,
    role: Option<Role>,
    muted_until: Option<i64>,
) -> Change {
    Change::Group(GroupChange::SetMember {
        origin: origin(admin, &format!("set {user} {role:?} {muted_until:?}")),
        group,
        user,
        role,
        muted_until: muted_until.map(Millis),
        nickname: None,
    })
}

/// A message that was taken at this time.
fn say_at(from: UserId, group: GroupId, text: &str, at: i64) -> Change {
    let origin = Origin {
        at: Millis(at),
        ..origin(from, text)
    };
    Change::Append(append(origin, ConvId::group(group), text, Guard::Contact))
}

pub async fn a_member_is_silenced_for_a_time(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let cars = group(store, ann, "cars").await;
    done(store, join(bob, cars, "j")).await;
    let later = NOW.0 + 1000;
    done(store, set_member(ann, cars, bob, None, Some(later))).await;
    refused(store, say_at(bob, cars, "a", later - 1), Refusal::Muted).await;
    done(store, say_at(ann, cars, "b", later - 1)).await;
    done(store, say_at(bob, cars, "c", later)).await;
    done(store, set_member(ann, cars, bob, None, Some(later * 2))).await;
    refused(store, say_at(bob, cars, "d", later), Refusal::Muted).await;
    done(store, set_member(ann, cars, bob, None, Some(0))).await;
    done(store, say_at(bob, cars, "e", later)).await;
    let conv = ConvId::group(cars);
    assert_eq!(texts(store, conv).await, ["b", "c", "e"]);
}

pub async fn in_a_silenced_group_owner_and_admins_write(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let cem = user(store, "cem").await;
    let cars = group(store, ann, "cars").await;
    let conv = ConvId::group(cars);
    done(store, join(bob, cars, "j")).await;
    done(store, join(cem, cars, "k")).await;
    done(store, set_member(ann, cars, bob, Some(Role::Admin), None)).await;
    let rule = |muted: bool| {
        Change::Group(GroupChange::Set {
            origin: origin(ann, &format!("muted {muted}")),
            group: cars,
            settings: GroupSettings {
                muted: Some(muted),
                ..GroupSettings::default()
            },
        })
    };
    done(store, rule(true)).await;
    let batch = [
        say(ann, conv, "a"),
        say(bob, conv, "b"),
        say(cem, conv, "c"),
    ];
    let outcomes = store.commit(&batch).await.unwrap();
    assert!(matches!(outcomes[0], Outcome::Done { .. }));
    assert!(matches!(outcomes[1], Outcome::Done { .. }));
    assert_eq!(outcomes[2], Outcome::Refused(Refusal::Muted));
    done(store, rule(false)).await;
    done(store, say(cem, conv, "d")).await;
}
