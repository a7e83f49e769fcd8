//! Sign-ins of the API, and what ends them.

use super::setup::{NOW, ann_and_bob, commit, done, move_cursor, refused, say_freely};
use crate::api::Refusal;
use crate::id::{ConvId, DeviceId, Millis, NAMELESS_DEVICE_FIRST, SessionId, UserId};
use crate::store::session::{self, SESSIONS_MAX, SessionChange, SignIn};
use crate::store::{Change, Outcome, Store};

/// The first of some named devices.
const NAMED: u64 = 1_000;

fn sign_in(user: UserId, number: u64, device: u64) -> SignIn {
    let at = Millis(NOW.0 + i64::try_from(number).unwrap());
    SignIn {
        session: SessionId(number),
        user,
        device: DeviceId(device),
        kind: "cli".to_owned(),
        name: "box".to_owned(),
        created: at,
        seen: at,
        expires: Millis(NOW.0 + 1_000_000),
    }
}

fn open(sign_in: SignIn, password_hash: &str) -> Change {
    Change::Session(SessionChange::Open {
        sign_in,
        password_hash: password_hash.to_owned(),
    })
}

fn new_password(user: UserId, old: &str, new: &str, but: Option<u64>) -> Change {
    Change::Session(SessionChange::NewPassword {
        user,
        old_hash: old.to_owned(),
        new_hash: new.to_owned(),
        but: but.map(SessionId),
    })
}

async fn open_ones(store: &dyn Store, user: UserId) -> Vec<u64> {
    let sessions = session::of_user(store, user).await.unwrap();
    sessions.iter().map(|one| one.session.0).collect()
}

pub async fn a_sign_in_needs_the_password_it_was_checked_with(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let first = open(sign_in(ann, 500, NAMED), "hash of ann");
    done(store, first.clone()).await;
    // It may be repeated.
    done(store, first).await;
    done(store, open(sign_in(bob, 600, NAMED), "hash of bob")).await;
    done(store, open(sign_in(ann, 501, NAMED + 1), "hash of ann")).await;
    let change = new_password(ann, "hash of ann", "new", Some(501));
    done(store, change.clone()).await;
    done(store, change).await;
    assert_eq!(open_ones(store, ann).await, [501]);
    assert_eq!(open_ones(store, bob).await, [600]);
    let account = store.account(ann).await.unwrap().unwrap();
    assert_eq!(account.password_hash, "new");
    let changed = Refusal::PasswordChanged;
    let late = open(sign_in(ann, 502, NAMED + 2), "hash of ann");
    refused(store, late, changed).await;
    let late = new_password(ann, "hash of ann", "other", None);
    refused(store, late, changed).await;
    done(store, open(sign_in(ann, 503, NAMED + 2), "new")).await;
    done(store, new_password(ann, "new", "newer", None)).await;
    assert!(open_ones(store, ann).await.is_empty());
    let nobody = open(sign_in(UserId(99), 1, NAMED), "");
    refused(store, nobody, Refusal::NoSuchUser).await;
}

pub async fn a_nameless_device_is_forgotten_with_its_session(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let conv = ConvId::direct(ann, bob);
    done(store, say_freely(ann, conv, "1")).await;
    let nameless = NAMELESS_DEVICE_FIRST + 7;
    for (session, device) in [(500, NAMED), (501, nameless), (502, nameless + 1)] {
        done(store, open(sign_in(bob, session, device), "hash of bob")).await;
        done(store, move_cursor(bob, DeviceId(device), conv, 1)).await;
    }
    let end = |session| {
        Change::Session(SessionChange::End {
            user: bob,
            session: SessionId(session),
        })
    };
    for session in [500, 501] {
        done(store, end(session)).await;
        refused(store, end(session), Refusal::NoSuchSession).await;
    }
    let devices = async |table: &str| -> Vec<u64> {
        let sql = format!("SELECT f_device FROM {table} WHERE f_user_id = ? ORDER BY f_device");
        let rows = store.select(&sql, vec![bob.into()]).await.unwrap();
        rows.iter().map(|row| row.device(0).unwrap().0).collect()
    };
    for table in ["t_device", "t_cursor"] {
        assert_eq!(devices(table).await, [NAMED, nameless + 1], "{table}");
    }
    done(store, new_password(bob, "hash of bob", "new", None)).await;
    for table in ["t_device", "t_cursor"] {
        assert_eq!(devices(table).await, [NAMED], "{table}");
    }
}

pub async fn of_too_many_sessions_the_least_used_ends(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let many = u64::from(SESSIONS_MAX);
    done(store, open(sign_in(bob, 1, NAMED), "hash of bob")).await;
    for number in 0..many {
        let change = open(sign_in(ann, 1_000 + number, NAMED + number), "hash of ann");
        assert_eq!(commit(store, change).await, Outcome::done());
    }
    // The oldest one is in use.
    let (session, at) = (SessionId(1_000), Millis(NOW.0 + 900_000));
    done(store, Change::Session(SessionChange::Seen { session, at })).await;
    let one_more = sign_in(ann, 5_000, NAMED + many);
    done(store, open(one_more, "hash of ann")).await;
    let left = open_ones(store, ann).await;
    assert_eq!(u32::try_from(left.len()), Ok(SESSIONS_MAX));
    assert!(left.contains(&1_000) && left.contains(&5_000));
    assert!(!left.contains(&1_001));
    assert_eq!(open_ones(store, bob).await, [1]);
}
