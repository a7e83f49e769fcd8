//! Accounts and profiles.

use super::setup::{MANY, NOW, ann_and_bob, commit, done, group, new_account, refused, user};
use crate::api::{Avatar, Profile, Refusal, TeamEdit};
use crate::id::{GroupId, Peer, UserId};
use crate::store::{Change, Outcome, Store, name_look};

/// Names that would be something else than text if anybody forgot to treat them as text.
const AWKWARD: [&str; 10] = [
    "o'brien",
    "\"quoted\"",
    "back\\slash",
    "'; DROP TABLE t_user; --",
    "100%_?:1",
    "汽车",
    "😀👩‍👩‍👧",
    " spaces ",
    "tab\tand\nline",
    "NULL",
];

pub async fn ids_count_from_one(store: &dyn Store) {
    assert_eq!(user(store, "ann").await, UserId(1));
    refused(store, new_account("ann"), Refusal::UsernameTaken).await;
    let outcome = commit(store, new_account("bob")).await;
    let expected = Outcome::Done {
        id: Some(2),
        entries: Vec::new(),
    };
    assert_eq!(outcome, expected);
}

pub async fn a_user_name_is_exact_and_unique(store: &dyn Store) {
    let ann = user(store, "ann").await;
    let upper = user(store, "BOB").await;
    let accent = user(store, "änn").await;
    let space = user(store, "eve ").await;
    for (name, id) in [
        ("ann", ann),
        ("BOB", upper),
        ("änn", accent),
        ("eve ", space),
    ] {
        let account = store.account_named(name).await.unwrap().unwrap();
        assert_eq!((account.id, account.profile.username.as_str()), (id, name));
        refused(store, new_account(name), Refusal::UsernameTaken).await;
    }
    for nobody in ["ANN", "Ann", "аnn", "ann ", "bob", "eve"] {
        assert!(store.account_named(nobody).await.unwrap().is_none());
        assert!(store.profile_named(nobody).await.unwrap().is_none());
    }
    // A group's name is a name too.
    let group = group(store, ann, "cars").await;
    let name = group.to_string();
    refused(store, new_account(&name), Refusal::UsernameTaken).await;
    assert!(store.account_named(&name).await.unwrap().is_none());
    let profile = store.profile_named(&name).await.unwrap().unwrap();
    assert_eq!(profile.id, Peer::Group(group));
}

pub async fn a_name_that_looks_like_anothers_is_taken(store: &dyn Store) {
    let ann = user(store, "ann").await;
    user(store, "Ian").await;
    user(store, "13800138000").await;
    user(store, "王末").await;
    // Those with other signs are Cyrillic.
    for name in [
        "Ann",
        "ANN",
        "аnn",
        "Аnn",
        "ann ",
        "ian",
        "lan",
        "1an",
        "l38OOl38OOO",
        "王未",
    ] {
        refused(store, new_account(name), Refusal::UsernameTaken).await;
        assert!(name_look::is_known(store, name).await.unwrap(), "{name}");
    }
    for name in ["anna", "13800138001", "王五"] {
        assert!(!name_look::is_known(store, name).await.unwrap(), "{name}");
        user(store, name).await;
    }
    // What was refused has taken no name.
    let batch = [new_account("Cem"), new_account("cem"), new_account("dan")];
    let outcomes = store.commit(&batch).await.unwrap();
    assert_eq!(outcomes[1], Outcome::Refused(Refusal::UsernameTaken));
    assert!(matches!(outcomes[2], Outcome::Done { .. }));
    // A group is called like its number, exactly.
    let cars = group(store, ann, "cars").await;
    user(store, &cars.to_string().replace('6', "б")).await;
    let profile = store.profile_named(&cars.to_string()).await.unwrap();
    assert_eq!(profile.unwrap().id, Peer::Group(cars));
}

pub async fn a_password_replaces_the_hash(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let change = Change::SetPassword {
        user: ann,
        password_hash: "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA".to_owned(),
    };
    assert_eq!(commit(store, change.clone()).await, Outcome::done());
    // The same hash again is no refusal, though no row changes.
    assert_eq!(commit(store, change).await, Outcome::done());
    let account = store.account(ann).await.unwrap().unwrap();
    assert!(account.password_hash.ends_with("$c2FsdA$aGFzaA"));
    assert_eq!(account.password_plain, "");
    let other = store.account(bob).await.unwrap().unwrap();
    assert_eq!(other.password_hash, "hash of bob");
}

pub async fn a_profile_is_replaced_but_for_its_name(store: &dyn Store) {
    let ann = user(store, "ann").await;
    let fresh = Profile::fresh(Peer::User(ann), "ann", "ann's nick");
    let account = store.account(ann).await.unwrap().unwrap();
    assert_eq!(account.profile, fresh);
    let mut profile = Profile {
        avatar: Avatar {
            builtin: 17,
            custom: "d41d8cd98f00b204e9800998ecf8427e".to_owned(),
        },
        gender: 1,
        birthday: 20_001_231,
        signature: "🌞 it's me".to_owned(),
        address: "上海".to_owned(),
        phone: "+86 1390000".to_owned(),
        mail: "ann@example.org".to_owned(),
        nickname: "Annie".to_owned(),
        username: "somebody".to_owned(),
        ..fresh
    };
    for _ in 0..2 {
        let change = Change::SetProfile {
            profile: profile.clone(),
            at: NOW,
        };
        assert_eq!(commit(store, change).await, Outcome::done());
    }
    profile.username = "ann".to_owned();
    let named = store.profile_named("ann").await.unwrap();
    assert_eq!(named.as_ref(), Some(&profile));
    let account = store.account_named("ann").await.unwrap().unwrap();
    assert_eq!(account.profile, profile);
    assert_eq!(account.password_hash, "hash of ann");
    assert!(store.profile_named("somebody").await.unwrap().is_none());
}

pub async fn profiles_come_in_the_order_asked(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let cars = group(store, ann, "cars").await;
    let asked = [
        Peer::Group(cars),
        Peer::User(bob),
        Peer::User(UserId(99)),
        Peer::User(ann),
    ];
    let profiles = store.profiles(&asked).await.unwrap();
    let ids: Vec<Peer> = profiles.iter().map(|profile| profile.id).collect();
    assert_eq!(ids, [asked[0], asked[1], asked[3]]);
    assert_eq!(profiles[0].nickname, "cars");
    assert_eq!(profiles[0].username, cars.to_string());
    assert!(store.profiles(&[]).await.unwrap().is_empty());
}

pub async fn unknown_accounts_are_refused_or_absent(store: &dyn Store) {
    let nobody = UserId(7);
    for change in [
        Change::SetPassword {
            user: nobody,
            password_hash: "hash".to_owned(),
        },
        Change::SetProfile {
            profile: Profile::fresh(Peer::User(nobody), "a", "b"),
            at: NOW,
        },
    ] {
        refused(store, change, Refusal::NoSuchUser).await;
    }
    assert!(store.account(nobody).await.unwrap().is_none());
    assert!(store.account_named("a").await.unwrap().is_none());
    assert!(store.profile_named("a").await.unwrap().is_none());
    assert!(store.peers(nobody).await.unwrap().is_empty());
    assert!(store.contacts(nobody).await.unwrap().contacts.is_empty());
    let no_group = GroupId(crate::id::GROUP_ID_FIRST);
    assert!(store.members(no_group).await.unwrap().is_empty());
}

pub async fn any_text_is_only_text(store: &dyn Store) {
    for name in AWKWARD {
        let id = user(store, name).await;
        let account = store.account_named(name).await.unwrap().unwrap();
        assert_eq!(account.id, id);
        assert_eq!(account.profile.username, name);
        assert_eq!(account.profile.nickname, format!("{name}'s nick"));
        let edit = TeamEdit::Add {
            name: name.to_owned(),
        };
        let change = Change::EditTeams {
            user: id,
            edit,
            limit: MANY,
        };
        done(store, change).await;
        let teams = store.contacts(id).await.unwrap().teams;
        assert_eq!(teams.last().map(String::as_str), Some(name));
        let cars = group(store, id, name).await;
        let profiles = store.profiles(&[Peer::Group(cars)]).await.unwrap();
        assert_eq!(profiles[0].nickname, name);
    }
    // Nothing happened to the others.
    let first = store.account_named(AWKWARD[0]).await.unwrap().unwrap();
    assert_eq!(first.profile.username, AWKWARD[0]);
}
