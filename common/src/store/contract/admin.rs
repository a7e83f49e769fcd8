//! What administrators decide about accounts and groups, and what they see of them.

use super::setup::{
    MANY, NOW, ann_and_bob, commit, done, group, join, message, new_account, notices, refused, say,
    texts, user,
};
use crate::api::{Notice, Refusal};
use crate::id::{ClientId, ConvId, DeviceId, GROUP_ID_FIRST, GroupId, Millis, SessionId, UserId};
use crate::store::admin::{self, AccountState, AdminChange, Only, Sought};
use crate::store::group::{self, GroupChange};
use crate::store::session::{self, SessionChange, SignIn};
use crate::store::stats;
use crate::store::{Append, Change, Guard, Outcome, Store};

pub(super) fn grant(user: UserId) -> Change {
    set_role(user, true, UserId(0))
}

fn set_role(user: UserId, is_admin: bool, by: UserId) -> Change {
    Change::Admin(AdminChange::SetRole { user, is_admin, by })
}

fn disable(user: UserId, at: i64) -> Change {
    let at = Millis(at);
    Change::Admin(AdminChange::Disable { user, at })
}

fn enable(user: UserId) -> Change {
    Change::Admin(AdminChange::Enable { user })
}

fn open(user: UserId, session: u64, password_hash: &str) -> Change {
    Change::Session(SessionChange::Open {
        sign_in: SignIn {
            session: SessionId(session),
            user,
            device: DeviceId(1_000 + session),
            kind: "cli".to_owned(),
            name: String::new(),
            created: NOW,
            seen: NOW,
            expires: Millis(NOW.0 + 1_000_000),
        },
        password_hash: password_hash.to_owned(),
    })
}

async fn state(store: &dyn Store, user: UserId) -> AccountState {
    admin::state(store, user).await.unwrap()
}

async fn sessions(store: &dyn Store, user: UserId) -> usize {
    session::of_user(store, user).await.unwrap().len()
}

pub async fn a_locked_account_keeps_everything(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let inbox = ConvId::direct(ann, bob);
    done(store, open(ann, 500, "hash of ann")).await;
    done(store, open(bob, 501, "hash of bob")).await;
    assert_eq!(state(store, ann).await, AccountState::default());
    done(store, disable(ann, 7)).await;
    // Locking again keeps the first time.
    done(store, disable(ann, 8)).await;
    assert_eq!(state(store, ann).await.disabled, Some(Millis(7)));
    assert_eq!(sessions(store, ann).await, 0);
    assert_eq!(sessions(store, bob).await, 1);
    let late = open(ann, 502, "hash of ann");
    refused(store, late.clone(), Refusal::AccountDisabled).await;
    // The account is only locked: one may write to it.
    let written = Append {
        conv: inbox,
        origin: super::setup::origin(bob, "hello"),
        body: message("hello"),
        guard: Guard::Exists,
        files: Vec::new(),
    };
    done(store, Change::Append(written)).await;
    done(store, enable(ann)).await;
    assert_eq!(state(store, ann).await, AccountState::default());
    done(store, late).await;
    assert_eq!(texts(store, inbox).await, ["hello"]);
    for change in [disable(UserId(99), 7), enable(UserId(99))] {
        refused(store, change, Refusal::NoSuchUser).await;
    }
    let choir = group(store, ann, "choir").await;
    refused(store, disable(UserId(choir.0), 7), Refusal::NoSuchUser).await;
}

pub async fn the_last_administrator_stays_one(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    done(store, grant(ann)).await;
    assert!(state(store, ann).await.is_admin);
    refused(store, set_role(ann, false, ann), Refusal::LastAdmin).await;
    // A locked one cannot make another.
    done(store, grant(bob)).await;
    done(store, disable(bob, 7)).await;
    refused(store, set_role(ann, false, ann), Refusal::LastAdmin).await;
    done(store, enable(bob)).await;
    assert!(state(store, bob).await.is_admin);
    done(store, set_role(ann, false, ann)).await;
    done(store, set_role(ann, false, ann)).await;
    // The operator needs nobody.
    done(store, set_role(bob, false, UserId(0))).await;
    assert!(!state(store, ann).await.is_admin && !state(store, bob).await.is_admin);
    refused(store, grant(UserId(99)), Refusal::NoSuchUser).await;
}

pub async fn a_foreign_password_is_replaced(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    done(store, open(ann, 500, "hash of ann")).await;
    let reset = |user| {
        Change::Admin(AdminChange::ResetPassword {
            user,
            password_hash: "new".to_owned(),
        })
    };
    done(store, reset(ann)).await;
    let account = store.account(ann).await.unwrap().unwrap();
    assert_eq!(account.password_hash, "new");
    assert_eq!(sessions(store, ann).await, 0);
    let account = store.account(bob).await.unwrap().unwrap();
    assert_eq!(account.password_hash, "hash of bob");
    refused(store, reset(UserId(99)), Refusal::NoSuchUser).await;
}

async fn names(store: &dyn Store, sought: Sought) -> Vec<String> {
    let found = admin::list(store, &sought).await.unwrap();
    found.into_iter().map(|account| account.username).collect()
}

pub async fn accounts_are_listed(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let ming = user(store, "小明100%").await;
    group(store, ann, "ann's choir").await;
    done(store, grant(bob)).await;
    done(store, disable(ming, 7)).await;
    let all = Sought::default;
    assert_eq!(names(store, all()).await, ["ann", "bob", "小明100%"]);
    let only = |only| Sought { only, ..all() };
    assert_eq!(names(store, only(Only::Admins)).await, ["bob"]);
    assert_eq!(names(store, only(Only::Disabled)).await, ["小明100%"]);
    let text = |text: &str| Sought {
        text: text.to_owned(),
        ..all()
    };
    assert_eq!(names(store, text("NN")).await, ["ann"]);
    assert_eq!(names(store, text("明1")).await, ["小明100%"]);
    assert_eq!(names(store, text("0%")).await, ["小明100%"]);
    assert_eq!(names(store, text("_")).await, [""; 0]);
    assert_eq!(names(store, text(&bob.to_string())).await, ["bob"]);
    let exactly = |name: &str| Sought {
        username: Some(name.to_owned()),
        ..all()
    };
    assert_eq!(names(store, exactly("ann")).await, ["ann"]);
    assert_eq!(names(store, exactly("an")).await, [""; 0]);
    let page = Sought {
        after: ann,
        limit: 1,
        ..all()
    };
    assert_eq!(names(store, page).await, ["bob"]);
    let at = Millis(5);
    let seen = SessionChange::LastSeen { user: bob, at };
    done(store, Change::Session(seen)).await;
    let found = admin::get(store, bob).await.unwrap().unwrap();
    assert_eq!((found.id, found.last_seen), (bob, Some(Millis(5))));
    assert!(found.state.is_admin && !found.is_bot);
    let last_seen = async || admin::get(store, ann).await.unwrap().unwrap().last_seen;
    assert_eq!(last_seen().await, None);
    done(store, open(ann, 500, "hash of ann")).await;
    assert_eq!(last_seen().await, Some(NOW));
    let at = Millis(NOW.0 + 60_000);
    let session = SessionId(500);
    done(store, Change::Session(SessionChange::Seen { session, at })).await;
    assert_eq!(last_seen().await, Some(at));
    done(store, disable(ann, 8)).await;
    assert_eq!(last_seen().await, Some(NOW), "the device is still known");
    for nobody in [UserId(0), UserId(99), UserId(GROUP_ID_FIRST)] {
        assert_eq!(admin::get(store, nobody).await.unwrap(), None);
    }
}

pub async fn sessions_of_all_are_listed(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    done(store, open(ann, 500, "hash of ann")).await;
    done(store, open(bob, 501, "hash of bob")).await;
    done(store, open(ann, 502, "hash of ann")).await;
    let list = async |after, limit| -> Vec<(u64, UserId)> {
        let found = session::list(store, SessionId(after), limit).await;
        let found = found.unwrap().into_iter();
        found.map(|one| (one.session.0, one.user)).collect()
    };
    assert_eq!(list(0, MANY).await, [(500, ann), (501, bob), (502, ann)]);
    assert_eq!(list(500, 1).await, [(501, bob)]);
    assert!(list(502, MANY).await.is_empty());
}

fn end(group: GroupId, client_id: &str) -> Change {
    Change::Group(GroupChange::DissolveForeign {
        group,
        client_id: ClientId::new(client_id).unwrap(),
        at: NOW,
    })
}

pub async fn a_foreign_group_is_dissolved(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let choir = group(store, bob, "choir").await;
    done(store, join(ann, choir, "j")).await;
    done(store, say(ann, ConvId::group(choir), "hello")).await;
    let entries = done(store, end(choir, "end")).await;
    assert_eq!(entries.len(), 2);
    // It looks as if the owner had done it.
    assert!(entries.iter().all(|entry| entry.origin.user == bob));
    let name = "choir".to_owned();
    let dissolved = Notice::GroupDissolved { group: choir, name };
    for user in [ann, bob] {
        let told = notices(store, ConvId::inbox(user)).await;
        assert_eq!(told.last(), Some(&(bob, dissolved.clone())));
        assert!(store.peers(user).await.unwrap().is_empty());
    }
    refused(store, end(choir, "again"), Refusal::NoSuchGroup).await;
    refused(store, end(GroupId(ann.0), "user"), Refusal::NoSuchGroup).await;
    // A group that everybody left.
    let empty = group(store, bob, "empty").await;
    done(store, super::setup::leave(bob, empty, "l")).await;
    assert_eq!(commit(store, end(empty, "e")).await, Outcome::done());
    refused(store, end(empty, "e2"), Refusal::NoSuchGroup).await;
}

pub async fn groups_are_listed(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let choir = group(store, ann, "Choir").await;
    let band = group(store, bob, "Band").await;
    done(store, join(ann, band, "j")).await;
    let list = async |text: &str, after: u32| -> Vec<(GroupId, Option<UserId>, u32, u64)> {
        let found = group::list(store, text, GroupId(after), MANY).await;
        let found = found.unwrap().into_iter();
        found
            .map(|one| (one.id, one.owner, one.members, one.head.0))
            .collect()
    };
    let (first, second) = ((choir, Some(ann), 1, 1), (band, Some(bob), 2, 2));
    assert_eq!(list("", 0).await, [first, second]);
    assert_eq!(list("", choir.0).await, [second]);
    assert_eq!(list("hoi", 0).await, [first]);
    assert_eq!(list(&band.to_string(), 0).await, [second]);
    assert!(list("ann", 0).await.is_empty(), "no user is among them");
}

pub async fn everything_is_counted(store: &dyn Store) {
    let none = stats::stored(store).await.unwrap();
    assert_eq!((none.users, none.groups, none.conversations), (0, 0, 0));
    let (ann, bob) = ann_and_bob(store).await;
    done(store, new_account("cid")).await;
    group(store, ann, "choir").await;
    done(
        store,
        super::setup::say_freely(ann, ConvId::direct(ann, bob), "1"),
    )
    .await;
    done(store, open(ann, 500, "hash of ann")).await;
    let some = stats::stored(store).await.unwrap();
    assert_eq!((some.users, some.bots, some.groups), (3, 0, 1));
    assert_eq!((some.conversations, some.entries, some.sessions), (2, 2, 1));
    assert_eq!((some.files, some.file_bytes), (0, 0));
    assert!(some.database_bytes > 0);
}
