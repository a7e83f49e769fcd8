//! An original Flamingo database opens in place or is imported, with everything that is in it.

use std::sync::Mutex;

use common::api::{DEFAULT_TEAM, NewAccount, Refusal, TeamEdit};
use common::id::{ConvId, DeviceId, GROUP_ID_FIRST, GroupId, Millis, Peer, Seq, UserId};
use common::store::{
    Append, Change, DatabaseUrl, Guard, ImportError, Imported, OpenOptions, Outcome, Store,
    StoreError, import_flamingo, name_look, open,
};
use mysql_async::prelude::Queryable;

use crate::server::{Database, message, one, origin, register, text};

/// The tables as the original server makes them, and as its older `table.sql` does.
const BY_CODE: &str = include_str!("original_by_code.sql");
const BY_FILE: &str = include_str!("original_by_file.sql");

/// What an original server left in either.
const CONTENT: &str = include_str!("original_content.sql");

const ANN: UserId = UserId(1);
const BOB: UserId = UserId(2);
const CAT: UserId = UserId(9);
const GROUP: GroupId = GroupId(GROUP_ID_FIRST);

/// A database as an original server left it.
async fn original(tables: &str) -> Database {
    let database = Database::new();
    let mut conn = database.conn().await;
    conn.query_drop("SET sql_mode = '', time_zone = '+00:00'")
        .await
        .unwrap();
    for statement in tables.split(";\n").chain(CONTENT.split(";\n")) {
        if !statement.trim().is_empty() {
            conn.query_drop(statement).await.unwrap();
        }
    }
    database
}

#[tokio::test]
async fn a_database_made_by_the_original_server_opens_in_place() {
    opens_in_place(BY_CODE).await;
}

#[tokio::test]
async fn a_database_made_from_the_original_file_opens_in_place() {
    opens_in_place(BY_FILE).await;
}

async fn opens_in_place(tables: &str) {
    let database = original(tables).await;
    let store = database.store().await;
    holds_everything(&store).await;
    let mut conn = database.conn().await;
    let outside: Option<i64> = conn
        .query_first("SELECT COUNT(*) FROM t_chatmsg WHERE f_conv IS NULL")
        .await
        .unwrap();
    assert_eq!(outside, Some(2), "messages of nobody and to nobody");
    store.close().await;
    let again = database.store().await;
    life_goes_on(&again).await;
}

/// An original database in which people have names that look alike.
async fn with_names_that_look_alike() -> Database {
    let database = original(BY_CODE).await;
    let mut conn = database.conn().await;
    conn.query_drop("SET NAMES utf8mb4").await.unwrap();
    conn.query_drop(
        "INSERT INTO t_user (f_user_id, f_username, f_nickname, f_password, f_register_time) \
         VALUES (10, 'Ann', 'x', 'p', NOW()), (11, 'ANN ', 'x', 'p', NOW()), \
         (12, 'Cat', 'x', 'p', NOW())",
    )
    .await
    .unwrap();
    database
}

async fn old_names_stay_and_nobody_new_looks_so(store: &dyn Store) {
    for (name, id) in [("ann", 1), ("bob", 2), ("cat", 9), ("Ann", 10), ("Cat", 12)] {
        let found = store.account_named(name).await.unwrap().unwrap();
        assert_eq!(found.id, UserId(id), "{name}");
    }
    for name in ["aNN", "аnn", "Bob", "CAT", "ann", "Cat"] {
        let account = NewAccount {
            username: name.to_owned(),
            nickname: name.to_owned(),
            password_hash: "hash".to_owned(),
        };
        let at = Millis(0);
        let refused = one(store, Change::CreateAccount { account, at }).await;
        let taken = Outcome::Refused(Refusal::UsernameTaken);
        assert_eq!(refused, taken, "{name}");
    }
    register(store, "Dan").await;
}

#[tokio::test]
async fn old_names_that_look_alike_are_adopted() {
    let database = with_names_that_look_alike().await;
    old_names_stay_and_nobody_new_looks_so(&database.store().await).await;
    let mut conn = database.conn().await;
    // As a server left them that ended in the middle of noting the looks, or one of an earlier
    // version that knew of none.
    conn.query_drop("DELETE FROM t_meta WHERE f_key = 'name_looks'")
        .await
        .unwrap();
    conn.query_drop("DELETE FROM t_name_look WHERE f_user_id > 1")
        .await
        .unwrap();
    let store = database.store().await;
    for name in ["dAN", "B0B"] {
        assert!(name_look::is_known(&store, name).await.unwrap(), "{name}");
    }
    let of_old: Option<i64> = conn
        .query_first("SELECT f_user_id FROM t_name_look WHERE f_look = 'ann'")
        .await
        .unwrap();
    assert_eq!(of_old, Some(1), "the first who has it");
}

#[tokio::test]
async fn old_names_that_look_alike_are_imported() {
    let from = with_names_that_look_alike().await;
    let (into, folder) = (Database::new(), tempfile::tempdir().unwrap());
    let options = OpenOptions::default();
    for url in [
        into.url().parse().unwrap(),
        DatabaseUrl::Sqlite(folder.path().join("im.db")),
    ] {
        import_flamingo(&from.url(), &url, &options, &|_| ())
            .await
            .unwrap();
        let store = open(&url, &options).await.unwrap();
        old_names_stay_and_nobody_new_looks_so(store.as_ref()).await;
        store.close().await;
    }
}

#[tokio::test]
async fn a_server_that_is_there_knows_what_was_imported() {
    let (from, into) = (with_names_that_look_alike().await, Database::new());
    let store = into.store().await;
    let options = OpenOptions::default();
    import_flamingo(&from.url(), &into.url().parse().unwrap(), &options, &|_| ())
        .await
        .unwrap();
    let sql = "SELECT f_value FROM t_meta WHERE f_key = 'name_looks'";
    let noted: Option<String> = into.conn().await.query_first(sql).await.unwrap();
    let noted = noted.unwrap();
    assert!(
        noted.ends_with(" 13"),
        "the next start has nothing to do: {noted}"
    );
    old_names_stay_and_nobody_new_looks_so(&store).await;
}

#[tokio::test]
async fn an_original_database_is_imported_into_mysql() {
    for tables in [BY_CODE, BY_FILE] {
        let from = original(tables).await;
        let into = Database::new();
        is_imported(&from, &into.url().parse().unwrap()).await;
    }
}

#[tokio::test]
async fn an_original_database_is_imported_into_sqlite() {
    for tables in [BY_CODE, BY_FILE] {
        let from = original(tables).await;
        let folder = tempfile::tempdir().unwrap();
        is_imported(&from, &DatabaseUrl::Sqlite(folder.path().join("im.db"))).await;
    }
}

async fn is_imported(from: &Database, into: &DatabaseUrl) {
    let options = OpenOptions::default();
    let told = Mutex::new(Imported::default());
    let tell = |imported| *told.lock().unwrap() = imported;
    let imported = import_flamingo(&from.url(), into, &options, &tell)
        .await
        .unwrap();
    let expected = Imported {
        users: 4,
        groups: 1,
        relations: 4,
        messages: 6,
        skipped: 5,
    };
    assert_eq!(imported, expected);
    assert_eq!(*told.lock().unwrap(), expected);

    let again = import_flamingo(&from.url(), into, &options, &tell).await;
    let no_place = matches!(again, Err(ImportError::Into(StoreError::Broken(_))));
    assert!(no_place, "{again:?}");

    let store = open(into, &options).await.unwrap();
    holds_everything(store.as_ref()).await;
    life_goes_on(store.as_ref()).await;
    store.close().await;
}

#[tokio::test]
async fn what_is_no_original_database_is_not_imported() {
    let ours = Database::new();
    ours.store().await;
    let empty = Database::new();
    empty.conn().await;
    let into = Database::new();
    for from in [&ours, &empty] {
        let options = OpenOptions::default();
        let into = into.url().parse().unwrap();
        let refused = import_flamingo(&from.url(), &into, &options, &|_| ()).await;
        let no_original = matches!(refused, Err(ImportError::From(StoreError::Broken(_))));
        assert!(no_original, "{refused:?}");
    }
}

async fn holds_everything(store: &dyn Store) {
    accounts(store).await;
    contacts(store).await;
    old_messages(store).await;
}

async fn accounts(store: &dyn Store) {
    let ann = store.account_named("ann").await.unwrap().unwrap();
    assert_eq!(ann.id, ANN);
    assert_eq!(ann.password_plain, "secret");
    assert_eq!(ann.password_hash, "");
    assert_eq!(ann.profile.signature, "");
    assert_eq!(ann.profile.birthday, 19_900_101);
    // The name stands twice; the lowest number has it.
    assert_eq!(store.account_named("bob").await.unwrap().unwrap().id, BOB);
    let nickname = store.account(CAT).await.unwrap().unwrap().profile.nickname;
    assert_eq!(nickname, "猫");
    let group = store.profile_named("268435456").await.unwrap().unwrap();
    assert_eq!(group.id, Peer::Group(GROUP));
    assert_eq!(group.nickname, "team");

    let password_hash = "$argon2id$".to_owned();
    let user = ANN;
    one(
        store,
        Change::SetPassword {
            user,
            password_hash,
        },
    )
    .await;
    let ann = store.account(ANN).await.unwrap().unwrap();
    assert_eq!(ann.password_plain, "");
    assert_eq!(ann.password_hash, "$argon2id$");
}

async fn contacts(store: &dyn Store) {
    let list = store.contacts(ANN).await.unwrap();
    assert_eq!(list.teams, [DEFAULT_TEAM, "Work"]);
    let names: Vec<(&str, &str, &str)> = list
        .contacts
        .iter()
        .map(|one| {
            (
                one.profile.username.as_str(),
                one.team.as_str(),
                one.remark.as_str(),
            )
        })
        .collect();
    assert_eq!(
        names,
        [
            ("bob", "Work", "Bobby"),
            ("268435456", DEFAULT_TEAM, ""),
            ("cat", DEFAULT_TEAM, ""),
        ]
    );
    let list = store.contacts(CAT).await.unwrap();
    assert_eq!(list.teams, [DEFAULT_TEAM]);
    // Somebody else became a member of a group that does not exist: he is none of it.
    assert_eq!(store.peers(CAT).await.unwrap(), [Peer::User(ANN)]);
    assert_eq!(store.members(GROUP).await.unwrap(), [ANN, BOB]);
}

async fn old_messages(store: &dyn Store) {
    let direct = ConvId::direct(ANN, BOB);
    let log = store.pull(direct, Seq(0), 10).await.unwrap();
    let said: Vec<(u64, UserId, i64)> = log
        .iter()
        .map(|entry| (entry.seq.0, entry.origin.user, entry.origin.at.seconds()))
        .collect();
    // The clock of the original went back once; a log's time does not.
    let (t, later) = (1_500_000_000, 1_500_000_100);
    assert_eq!(said, [(1, ANN, t), (2, BOB, later), (3, ANN, later)]);
    assert_eq!(log[1].body, text("{\"content\":\"hi\"}"));
    let group = store.pull(ConvId::group(GROUP), Seq(0), 10).await.unwrap();
    assert_eq!(group.len(), 1);

    for user in [ANN, BOB, CAT] {
        let behind = store.behind(user, DeviceId(1)).await.unwrap();
        assert_eq!(behind, [], "old history counts as delivered");
    }
    assert_eq!(
        store.cursor(ANN, DeviceId(1), direct).await.unwrap(),
        Some(Seq(3))
    );
}

async fn life_goes_on(store: &dyn Store) {
    let Outcome::Done { entries, .. } = one(store, message(ANN, BOB, "new 1")).await else {
        panic!("not saved");
    };
    assert_eq!(entries[0].seq, Seq(4));
    let behind = store.behind(BOB, DeviceId(2)).await.unwrap();
    assert_eq!((behind.len(), behind[0].cursor), (1, Seq(3)));

    let emoji = Change::Append(Append {
        conv: ConvId::group(GROUP),
        origin: origin(BOB, "emoji 🎉"),
        body: text("🎉"),
        guard: Guard::Contact,
        files: Vec::new(),
    });
    assert!(matches!(one(store, emoji).await, Outcome::Done { .. }));
    let log = store.pull(ConvId::group(GROUP), Seq(1), 10).await.unwrap();
    assert_eq!(log[0].body, text("🎉"));

    let mut profile = store.account(CAT).await.unwrap().unwrap().profile;
    profile.nickname = "🐈".to_owned();
    profile.signature = "I am a cat. ".repeat(20);
    let changed = profile.clone();
    one(
        store,
        Change::SetProfile {
            profile,
            at: Millis(0),
        },
    )
    .await;
    assert_eq!(store.account(CAT).await.unwrap().unwrap().profile, changed);

    let edit = TeamEdit::Rename {
        from: "Work".to_owned(),
        to: "工作".to_owned(),
    };
    let edit = Change::EditTeams {
        user: ANN,
        edit,
        limit: 10,
    };
    assert_eq!(one(store, edit).await, Outcome::done());
    assert_eq!(store.contacts(ANN).await.unwrap().contacts[0].team, "工作");

    // 12 is the largest number that anything mentions: a message of somebody who is gone.
    assert_eq!(register(store, "dan").await, UserId(13));
    let found = Change::CreateGroup {
        origin: origin(ANN, "group"),
        name: "new".to_owned(),
        limit: 10,
    };
    let Outcome::Done { id, .. } = one(store, found).await else {
        panic!("no group");
    };
    assert_eq!(id, Some(GROUP_ID_FIRST + 8));
}
