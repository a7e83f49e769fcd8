//! Codes that let somebody make an account.

use super::setup::{NOW, done, new_account, refused};
use crate::api::Refusal;
use crate::id::{Millis, UserId};
use crate::store::invite::{self, INVITES_MAX, Invite, InviteChange};
use crate::store::{Change, Outcome, Store};

fn invite(code: &str, uses_max: Option<u32>, expires: Option<i64>) -> Invite {
    Invite {
        code: code.to_owned(),
        creator: UserId(0),
        created: NOW,
        expires: expires.map(Millis),
        uses_max,
        uses: 0,
        note: "for 小明".to_owned(),
    }
}

fn make(invite: &Invite) -> Change {
    Change::Invite(InviteChange::Make(invite.clone()))
}

fn invited(username: &str, code: &str, at: i64) -> Change {
    Change::Invited {
        change: Box::new(new_account(username)),
        code: code.to_owned(),
        at: Millis(at),
    }
}

pub async fn an_invite_is_used_with_the_account(store: &dyn Store) {
    let once = invite("once", Some(1), None);
    let often = invite("often", None, Some(NOW.0 + 10));
    for one in [&once, &often] {
        done(store, make(one)).await;
    }
    let (at, bad) = (NOW.0, Refusal::InviteInvalid);
    done(store, invited("ann", "often", at)).await;
    // Whose name is taken keeps the invite.
    refused(store, invited("ann", "once", at), Refusal::UsernameTaken).await;
    done(store, invited("bob", "once", at)).await;
    refused(store, invited("cid", "once", at), bad).await;
    for code in ["", "ONCE", "once ", "一次", "x' OR '1'='1"] {
        refused(store, invited("cid", code, at), bad).await;
    }
    assert!(store.account_named("cid").await.unwrap().is_none());
    done(store, invited("cid", "often", at + 9)).await;
    refused(store, invited("dan", "often", at + 10), bad).await;
    let found = invite::get(store, "often").await.unwrap();
    assert_eq!(found, Some(Invite { uses: 2, ..often }));
    let uses = invite::get(store, "once").await.unwrap().unwrap().uses;
    assert_eq!(uses, 1);
}

pub async fn an_invite_is_taken_back(store: &dyn Store) {
    let (one, other) = (invite("one", None, None), invite("other", Some(3), None));
    for one in [&one, &other] {
        done(store, make(one)).await;
    }
    assert_eq!(invite::list(store).await.unwrap(), [one, other]);
    let revoke = |code: &str| {
        let code = code.to_owned();
        Change::Invite(InviteChange::Revoke { code })
    };
    done(store, revoke("one")).await;
    for none in ["one", "", "一次"] {
        refused(store, revoke(none), Refusal::NoSuchInvite).await;
    }
    let late = invited("ann", "one", NOW.0);
    refused(store, late, Refusal::InviteInvalid).await;
    assert_eq!(invite::list(store).await.unwrap().len(), 1);
}

pub async fn invites_are_limited(store: &dyn Store) {
    let all: Vec<Change> = (0..INVITES_MAX)
        .map(|number| make(&invite(&format!("code {number}"), None, None)))
        .collect();
    // As many as a database does in its time.
    for some in all.chunks(50) {
        let outcomes = store.commit(some).await.unwrap();
        assert!(outcomes.iter().all(|outcome| *outcome == Outcome::done()));
    }
    let one_more = make(&invite("one more", None, None));
    refused(store, one_more, Refusal::TooMany).await;
}

pub async fn two_with_one_invite_make_one_account(store: &dyn Store) {
    done(store, make(&invite("once", Some(1), None))).await;
    let (one, other) = (
        [invited("ann", "once", NOW.0)],
        [invited("bob", "once", NOW.0)],
    );
    let (one, other) = tokio::join!(store.commit(&one), store.commit(&other));
    let mut refusals = 0;
    for outcome in [one.unwrap(), other.unwrap()].concat() {
        refusals += usize::from(outcome == Outcome::Refused(Refusal::InviteInvalid));
    }
    assert_eq!(refusals, 1);
}
