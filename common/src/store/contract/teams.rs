//! The lists in which users keep their contacts, and remarks.

use super::setup::answer;
use super::setup::{
    MANY, ann_and_bob, befriend, commit, done, group, join, refused, remove, request, user,
};
use crate::api::{DEFAULT_TEAM, Refusal, TeamEdit};
use crate::id::{Peer, UserId};
use crate::store::{Change, Outcome, Store};

fn edit(user: UserId, edit: TeamEdit) -> Change {
    Change::EditTeams {
        user,
        edit,
        limit: MANY,
    }
}

fn add(user: UserId, name: &str) -> Change {
    let name = name.to_owned();
    edit(user, TeamEdit::Add { name })
}

fn drop_team(user: UserId, name: &str) -> Change {
    let name = name.to_owned();
    edit(user, TeamEdit::Remove { name })
}

fn rename(user: UserId, from: &str, to: &str) -> Change {
    let (from, to) = (from.to_owned(), to.to_owned());
    edit(user, TeamEdit::Rename { from, to })
}

fn move_contact(user: UserId, peer: Peer, from: &str, to: &str) -> Change {
    Change::MoveContact {
        user,
        peer,
        from: from.to_owned(),
        to: to.to_owned(),
    }
}

fn remark(user: UserId, peer: Peer, remark: &str) -> Change {
    Change::SetRemark {
        user,
        peer,
        remark: remark.to_owned(),
    }
}

async fn teams(store: &dyn Store, user: UserId) -> Vec<String> {
    store.contacts(user).await.unwrap().teams
}

/// Contacts as (number, team, remark).
async fn contacts(store: &dyn Store, user: UserId) -> Vec<(u32, String, String)> {
    let list = store.contacts(user).await.unwrap();
    list.contacts
        .into_iter()
        .map(|contact| (contact.profile.id.number(), contact.team, contact.remark))
        .collect()
}

fn row(peer: Peer, team: &str, remark: &str) -> (u32, String, String) {
    (peer.number(), team.to_owned(), remark.to_owned())
}

pub async fn everybody_has_the_default_team(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    assert_eq!(teams(store, ann).await, [DEFAULT_TEAM]);
    befriend(store, ann, bob).await;
    let bob = Peer::User(bob);
    assert_eq!(contacts(store, ann).await, [row(bob, DEFAULT_TEAM, "")]);
}

pub async fn teams_are_added_renamed_and_removed(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    assert_eq!(commit(store, add(ann, "Work")).await, Outcome::done());
    done(store, add(ann, "同事 😀")).await;
    done(store, add(ann, "work")).await;
    assert_eq!(
        teams(store, ann).await,
        [DEFAULT_TEAM, "Work", "同事 😀", "work"]
    );
    done(store, rename(ann, "同事 😀", "it's")).await;
    done(store, drop_team(ann, "Work")).await;
    assert_eq!(teams(store, ann).await, [DEFAULT_TEAM, "it's", "work"]);
    assert_eq!(teams(store, bob).await, [DEFAULT_TEAM]);
}

pub async fn team_edits_are_refused_where_they_must(store: &dyn Store) {
    let ann = user(store, "ann").await;
    done(store, add(ann, "Work")).await;
    refused(store, add(ann, "Work"), Refusal::TeamExists).await;
    refused(store, add(ann, DEFAULT_TEAM), Refusal::TeamExists).await;
    refused(store, drop_team(ann, "Home"), Refusal::NoSuchTeam).await;
    refused(store, drop_team(ann, DEFAULT_TEAM), Refusal::DefaultTeam).await;
    refused(store, rename(ann, DEFAULT_TEAM, "A"), Refusal::DefaultTeam).await;
    refused(store, rename(ann, "Home", "A"), Refusal::NoSuchTeam).await;
    refused(
        store,
        rename(ann, "Work", DEFAULT_TEAM),
        Refusal::TeamExists,
    )
    .await;
    // The default list counts.
    let limited = |name: &str, limit| Change::EditTeams {
        user: ann,
        edit: TeamEdit::Add {
            name: name.to_owned(),
        },
        limit,
    };
    refused(store, limited("Third", 2), Refusal::TooMany).await;
    done(store, limited("Third", 3)).await;
    assert_eq!(teams(store, ann).await, [DEFAULT_TEAM, "Work", "Third"]);
}

pub async fn names_of_the_default_team(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    befriend(store, ann, bob).await;
    done(store, add(ann, "Work")).await;
    let bob = Peer::User(bob);
    for name in ["", "我的好友"] {
        refused(store, add(ann, name), Refusal::TeamExists).await;
        refused(store, drop_team(ann, name), Refusal::DefaultTeam).await;
        done(store, move_contact(ann, bob, name, "Work")).await;
        assert_eq!(contacts(store, ann).await, [row(bob, "Work", "")]);
        done(store, move_contact(ann, bob, "Work", name)).await;
        assert_eq!(contacts(store, ann).await, [row(bob, DEFAULT_TEAM, "")]);
    }
}

pub async fn contacts_move_between_teams(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    befriend(store, ann, bob).await;
    let cars = group(store, bob, "cars").await;
    done(store, join(ann, cars, "j")).await;
    let (to_ann, to_bob, cars) = (Peer::User(ann), Peer::User(bob), Peer::Group(cars));
    for owner in [ann, bob] {
        done(store, add(owner, "Work")).await;
        let none = move_contact(owner, cars, DEFAULT_TEAM, "Home");
        refused(store, none, Refusal::NoSuchTeam).await;
        let none = move_contact(owner, cars, "Home", "Work");
        refused(store, none, Refusal::NoSuchTeam).await;
    }
    // Both sides of a friendship have lists of their own.
    done(store, move_contact(ann, to_bob, DEFAULT_TEAM, "Work")).await;
    done(store, move_contact(bob, cars, DEFAULT_TEAM, "Work")).await;
    assert_eq!(
        contacts(store, ann).await,
        [row(to_bob, "Work", ""), row(cars, DEFAULT_TEAM, "")]
    );
    assert_eq!(
        contacts(store, bob).await,
        [row(to_ann, DEFAULT_TEAM, ""), row(cars, "Work", "")]
    );
    done(store, rename(bob, "Work", "Job")).await;
    done(store, move_contact(bob, to_ann, DEFAULT_TEAM, "Job")).await;
    assert_eq!(
        contacts(store, bob).await,
        [row(to_ann, "Job", ""), row(cars, "Job", "")]
    );
    assert_eq!(contacts(store, ann).await[0], row(to_bob, "Work", ""));
    let stranger = Peer::User(user(store, "cem").await);
    let change = move_contact(ann, stranger, DEFAULT_TEAM, "Work");
    refused(store, change, Refusal::NotFriends).await;
}

pub async fn a_removed_team_leaves_its_contacts_to_the_default(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    befriend(store, ann, bob).await;
    for owner in [ann, bob] {
        done(store, add(owner, "Work")).await;
        let other = Peer::User(if owner == ann { bob } else { ann });
        done(store, move_contact(owner, other, DEFAULT_TEAM, "Work")).await;
    }
    done(store, drop_team(bob, "Work")).await;
    assert_eq!(contacts(store, bob).await[0].1, DEFAULT_TEAM);
    assert_eq!(contacts(store, ann).await[0].1, "Work");
    // Not remembered: a new list of the old name is empty.
    done(store, add(bob, "Work")).await;
    assert_eq!(contacts(store, bob).await[0].1, DEFAULT_TEAM);
}

pub async fn remarks_are_ones_own(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let (to_ann, to_bob) = (Peer::User(ann), Peer::User(bob));
    refused(store, remark(ann, to_bob, "boss"), Refusal::NotFriends).await;
    refused(store, remark(ann, to_ann, "me"), Refusal::NotFriends).await;
    befriend(store, ann, bob).await;
    let cars = Peer::Group(group(store, ann, "cars").await);
    refused(store, remark(bob, cars, "x"), Refusal::NotFriends).await;
    for _ in 0..2 {
        done(store, remark(ann, to_bob, "the 'boss' 😀")).await;
    }
    done(store, remark(bob, to_ann, "annie")).await;
    done(store, remark(ann, cars, "noisy")).await;
    assert_eq!(
        contacts(store, ann).await,
        [
            row(to_bob, DEFAULT_TEAM, "the 'boss' 😀"),
            row(cars, DEFAULT_TEAM, "noisy")
        ]
    );
    assert_eq!(
        contacts(store, bob).await,
        [row(to_ann, DEFAULT_TEAM, "annie")]
    );
    done(store, remark(ann, to_bob, "")).await;
    assert_eq!(contacts(store, ann).await[0].2, "");
}

pub async fn contacts_come_in_the_order_they_were_made(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let cem = user(store, "cem").await;
    befriend(store, bob, cem).await;
    let cars = group(store, bob, "cars").await;
    befriend(store, ann, bob).await;
    let ids = |rows: Vec<(u32, String, String)>| -> Vec<u32> {
        rows.into_iter().map(|(id, ..)| id).collect()
    };
    let made = ids(contacts(store, bob).await);
    assert_eq!(made, [cem.0, cars.0, ann.0]);
    assert_eq!(
        store.peers(bob).await.unwrap(),
        [Peer::User(ann), Peer::User(cem), Peer::Group(cars)]
    );
    done(store, remove(bob, cem, "x")).await;
    done(store, request(bob, cem, "r")).await;
    done(store, answer(cem, bob, true, "a")).await;
    let made = ids(contacts(store, bob).await);
    assert_eq!(made, [cars.0, ann.0, cem.0]);
}
