//! The book of what administrators did.

use super::admin::grant;
use super::setup::{NOW, commit, done, new_account, refused, user};
use crate::api::Refusal;
use crate::id::{Millis, UserId};
use crate::store::admin::AdminChange;
use crate::store::audit::{self, Line, OPERATOR, Record};
use crate::store::meta::MetaChange;
use crate::store::{Change, Outcome, Store};

fn audited(change: Change, actor: UserId, action: &'static str, target: &str) -> Change {
    Change::Audited {
        change: Box::new(change),
        record: Record {
            at: NOW,
            actor,
            by: format!("user {actor}"),
            action,
            target: target.to_owned(),
            detail: "x".to_owned(),
        },
    }
}

/// What is in the book, the newest first.
async fn lines(store: &dyn Store) -> Vec<(String, String, String)> {
    let lines = audit::list(store, None, 100).await.unwrap().into_iter();
    lines
        .map(|line| (line.action, line.target, line.detail))
        .collect()
}

fn line(action: &str, target: &str, detail: &str) -> (String, String, String) {
    (action.to_owned(), target.to_owned(), detail.to_owned())
}

pub async fn what_is_done_is_written_down(store: &dyn Store) {
    let make = audited(new_account("ann"), OPERATOR, "user.create", "user:");
    let outcome = commit(store, make).await;
    let Outcome::Done { id: Some(id), .. } = outcome else {
        panic!("{outcome:?}");
    };
    assert!(store.account(UserId(id)).await.unwrap().is_some());
    let barrier = Change::Meta(MetaChange::Barrier);
    done(store, audited(barrier, OPERATOR, "log.verify", "")).await;
    let wanted = [
        line("log.verify", "", "x"),
        line("user.create", &format!("user:{id}"), "x"),
    ];
    assert_eq!(lines(store).await, wanted);
    let newest = audit::list(store, None, 1).await.unwrap();
    let [newest] = &newest[..] else {
        panic!("{newest:?}");
    };
    let first = audit::list(store, Some(newest.id), 100).await.unwrap();
    let [
        Line {
            at, actor, by, id, ..
        },
    ] = &first[..]
    else {
        panic!("{first:?}");
    };
    assert_eq!((*at, *actor, by.as_str()), (NOW, OPERATOR, "user 0"));
    assert!(*id < newest.id);
    assert!(audit::list(store, Some(*id), 100).await.unwrap().is_empty());
}

pub async fn what_is_refused_is_written_down_too(store: &dyn Store) {
    done(store, new_account("ann")).await;
    let again = audited(new_account("ann"), OPERATOR, "user.create", "user:");
    refused(store, again, Refusal::UsernameTaken).await;
    let detail = format!("x; refused: {}", Refusal::UsernameTaken);
    assert_eq!(lines(store).await, [line("user.create", "user:", &detail)]);
}

pub async fn only_administrators_act(store: &dyn Store) {
    let (ann, bob) = (user(store, "ann").await, user(store, "bob").await);
    let make = |by| audited(new_account("cid"), by, "user.create", "user:");
    refused(store, make(ann), Refusal::NotAnAdmin).await;
    assert!(lines(store).await.is_empty(), "strangers fill no book");
    assert!(store.account_named("cid").await.unwrap().is_none());
    done(store, grant(ann)).await;
    let at = Millis(7);
    let lock = Change::Admin(AdminChange::Disable { user: bob, at });
    done(store, audited(lock, ann, "user.disable", "user:2")).await;
    done(store, grant(bob)).await;
    // A locked administrator is none.
    refused(store, make(bob), Refusal::NotAnAdmin).await;
    done(store, make(ann)).await;
    assert_eq!(lines(store).await.len(), 2);
}
