//! The contract on SQLite, and what only a database in a file can do wrong.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use rusqlite::Connection;
use tempfile::TempDir;

use super::SqliteStore;
use crate::api::{Body, Dialect, NewAccount, Origin, Refusal};
use crate::id::{ClientId, ConvId, DeviceId, Millis, Seq, UserId};
use crate::store::{Append, Change, Guard, OpenOptions, Outcome, Store, StoreError};

#[cfg(feature = "contract")]
mod contract {
    use super::{Arc, Store, TempDir, open};

    async fn fresh() -> (Arc<dyn Store>, TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder.path().join("im.db")).await.unwrap();
        (Arc::new(store), folder)
    }

    crate::store_contract!(super::fresh);

    mod in_memory {
        use super::super::SqliteStore;
        use super::{Arc, Store};

        async fn fresh() -> (Arc<dyn Store>, ()) {
            (Arc::new(SqliteStore::in_memory().unwrap()), ())
        }

        crate::store_contract!(super::fresh);
    }

    #[tokio::test]
    async fn damage_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("im.db");
        let store: Arc<dyn Store> = Arc::new(open(&path).await.unwrap());
        // A table that keeps no number and no name from standing twice.
        let unlock = [
            "CREATE TABLE copy AS SELECT * FROM t_chatmsg",
            "DROP TABLE t_chatmsg",
            "ALTER TABLE copy RENAME TO t_chatmsg",
            "CREATE INDEX copy_place ON t_chatmsg (f_conv, f_seq)",
            "CREATE INDEX copy_name ON t_chatmsg (f_senderid, f_client_id)",
        ];
        let run = async |sql: &str| {
            let beside = super::Connection::open(&path).unwrap();
            beside.execute_batch(sql).unwrap();
        };
        crate::store::contract::damage::damage_is_found(&store, &unlock, run).await;
        store.close().await;
    }
}

async fn open(path: &Path) -> Result<SqliteStore, StoreError> {
    SqliteStore::open(path, &OpenOptions::default()).await
}

fn account(username: &str) -> Change {
    Change::CreateAccount {
        account: NewAccount {
            username: username.to_owned(),
            nickname: username.to_owned(),
            password_hash: "hash".to_owned(),
        },
        at: Millis(5),
    }
}

fn note(number: usize) -> Change {
    Change::Append(Append {
        conv: ConvId::direct(UserId(1), UserId(1)),
        origin: Origin {
            user: UserId(1),
            device: DeviceId(1),
            client_id: ClientId::new(format!("client id {number:026}")).unwrap(),
            tag: 0,
            at: Millis(1_700_000_000_000),
        },
        body: Body::Message {
            dialect: Dialect::Flamingo,
            content: vec![b'x'; 200].into(),
        },
        guard: Guard::Exists,
        files: Vec::new(),
    })
}

#[tokio::test]
async fn everything_is_there_after_opening_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/folders/im.db");
    let store = open(&path).await.unwrap();
    store.commit(&[account("ann"), note(1)]).await.unwrap();
    store.close().await;
    let store = open(&path).await.unwrap();
    let ann = store.account_named("ann").await.unwrap().unwrap();
    assert_eq!(ann.id, UserId(1));
    let again = store.commit(&[note(1), note(2), account("ann")]).await;
    let again = again.unwrap();
    assert!(matches!(
        again[0],
        Outcome::AlreadyThere { seq: Seq(1), .. }
    ));
    assert!(matches!(&again[1], Outcome::Done { entries, .. } if entries[0].seq == Seq(2)));
    assert_eq!(again[2], Outcome::Refused(Refusal::UsernameTaken));
}

/// Accounts as a version made them that let names look alike.
fn add_old(conn: &Connection, names: &[(u32, &str)]) {
    for (id, name) in names {
        let user = "INSERT INTO t_user (f_user_id, f_username, f_nickname) VALUES (?1, ?2, '')";
        conn.execute(user, (id, name)).unwrap();
        let named = "INSERT INTO t_username (f_username, f_user_id) VALUES (?1, ?2)";
        conn.execute(named, (name, id)).unwrap();
        let next = "UPDATE t_id SET f_next = ?1 + 1 WHERE f_kind = 'user'";
        conn.execute(next, [id]).unwrap();
    }
}

async fn is_taken(store: &SqliteStore, name: &str) -> bool {
    let outcome = store.commit(&[account(name)]).await.unwrap().remove(0);
    outcome == Outcome::Refused(Refusal::UsernameTaken)
}

#[tokio::test]
async fn old_names_that_look_alike_stay_and_nobody_new_looks_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("im.db");
    open(&path).await.unwrap().close().await;
    let conn = Connection::open(&path).unwrap();
    add_old(&conn, &[(1, "ann"), (2, "Ann"), (3, "аnn"), (4, "")]);
    // More than are looked at in one step.
    let many: Vec<_> = (10..2_500).map(|id| (id, format!("user{id}"))).collect();
    let many: Vec<_> = many.iter().map(|(id, name)| (*id, &**name)).collect();
    conn.execute_batch("BEGIN").unwrap();
    add_old(&conn, &many);
    conn.execute_batch("COMMIT").unwrap();

    let store = open(&path).await.unwrap();
    for (id, name) in [(1, "ann"), (2, "Ann"), (3, "аnn"), (2_499, "user2499")] {
        let found = store.account_named(name).await.unwrap().unwrap();
        assert_eq!(found.id, UserId(id), "{name}");
    }
    for name in ["ANN", "User2499", "user1O"] {
        assert!(is_taken(&store, name).await, "{name}");
    }
    assert!(!is_taken(&store, "anna").await);
    store.close().await;

    // A server of an earlier version made two accounts beside this one's, and knew of no looks.
    add_old(&conn, &[(2_501, "cem"), (2_502, "Cem")]);
    let store = open(&path).await.unwrap();
    assert!(is_taken(&store, "CEM").await);
    assert!(!is_taken(&store, "dan").await);
    store.close().await;

    // Other rules: everybody is looked at once more.
    let older = "UPDATE t_meta SET f_value = '0/1.0.0 9999' WHERE f_key = 'name_looks'";
    conn.execute(older, []).unwrap();
    conn.execute("DELETE FROM t_name_look", []).unwrap();
    let store = open(&path).await.unwrap();
    assert!(is_taken(&store, "USER10").await && is_taken(&store, "DAN").await);
    store.close().await;
    let noted = |conn: &Connection| -> String {
        let sql = "SELECT f_value FROM t_meta WHERE f_key = 'name_looks'";
        conn.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let before = noted(&conn);
    assert!(before.ends_with(" 2504"), "{before}");
    // With nothing to do, nothing is written.
    open(&path).await.unwrap().close().await;
    assert_eq!(noted(&conn), before);
}

#[tokio::test]
async fn a_second_server_is_refused_until_the_first_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("im.db");
    let first = open(&path).await.unwrap();
    let detour = folder.path().join(".").join("im.db");
    let link = folder.path().join("link.db");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    for name in [&path, &detour, &link] {
        let second = open(name).await;
        assert!(matches!(second, Err(StoreError::InUse(_))), "{name:?}");
    }
    first.ping().await.unwrap();
    first.close().await;
    open(&path).await.unwrap();
}

#[tokio::test]
async fn a_newer_schema_and_a_changed_one_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("im.db");
    open(&path).await.unwrap().close().await;
    let conn = Connection::open(&path).unwrap();
    conn.execute("INSERT INTO t_schema_version VALUES (99, 'x', 0)", [])
        .unwrap();
    let newer = open(&path).await;
    assert!(matches!(newer, Err(StoreError::Newer { found: 99, .. })));
    conn.execute("DELETE FROM t_schema_version WHERE n = 99", [])
        .unwrap();
    open(&path).await.unwrap().close().await;
    conn.execute("UPDATE t_schema_version SET sha256 = 'x'", [])
        .unwrap();
    let changed = open(&path).await;
    assert!(matches!(changed, Err(StoreError::Broken(_))), "{changed:?}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("letter.txt");
    let letter = "Dear Bob, ".repeat(500);
    std::fs::write(&path, &letter).unwrap();
    let opened = open(&path).await;
    assert!(matches!(opened, Err(StoreError::Broken(_))), "{opened:?}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), letter);
    let opened = open(folder.path()).await;
    assert!(opened.is_err());
}

#[tokio::test]
async fn a_full_disk_is_told_and_leaves_no_half() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("im.db");
    let options = OpenOptions::default();
    let conn = super::connection::open_writer(&path, &options).unwrap();
    let pages: i64 = conn
        .pragma_query_value(None, "page_count", |row| row.get(0))
        .unwrap();
    // SQLite answers a file at its greatest length just as a full disk.
    conn.pragma_update_and_check(None, "max_page_count", pages + 4, |_| Ok(()))
        .unwrap();
    let lock = Arc::new(super::place::lock(&path).unwrap());
    let engine = super::Threads {
        writer: super::Writer::start(conn, None, Arc::clone(&lock)).unwrap(),
        readers: super::Readers::new(path, lock),
    };
    let store = SqliteStore { engine };
    store.commit(&[account("ann")]).await.unwrap();
    let many: Vec<Change> = (0..1000).map(note).collect();
    let full = store.commit(&many).await;
    let Err(StoreError::Unreachable(why)) = full else {
        panic!("{full:?}")
    };
    assert!(why.contains("the disk is full"), "{why}");
    let conv = ConvId::direct(UserId(1), UserId(1));
    assert!(store.pull(conv, Seq(0), 9).await.unwrap().is_empty());
    // What still fits is saved.
    let outcomes = store.commit(&[note(0)]).await.unwrap();
    assert!(matches!(outcomes[0], Outcome::Done { .. }));
}

#[tokio::test]
async fn catching_up_uses_indexes_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("im.db");
    let conn = super::connection::open_writer(&path, &OpenOptions::default()).unwrap();
    let mut statement = conn
        .prepare(&format!("EXPLAIN QUERY PLAN {}", super::cursors::BEHIND))
        .unwrap();
    let plan: Vec<String> = statement
        .query_map((1, 1), |row| row.get("detail"))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(plan.len(), 4, "{plan:?}");
    assert!(
        plan.iter().all(|step| step.starts_with("SEARCH")),
        "{plan:?}"
    );
}

/// Not a judgement (the machine may be busy), but a number to look at: run with `--no-capture`.
#[tokio::test]
async fn appends_by_the_batch() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("im.db")).await.unwrap();
    store.commit(&[account("ann")]).await.unwrap();
    let batches: Vec<Vec<Change>> = (0..80)
        .map(|batch| (batch * 256..(batch + 1) * 256).map(note).collect())
        .collect();
    let started = Instant::now();
    for batch in &batches {
        store.commit(batch).await.unwrap();
    }
    let took = started.elapsed();
    let rows = 80 * 256;
    println!("{rows} rows in {took:?}");
    let conv = ConvId::direct(UserId(1), UserId(1));
    let last = store.pull(conv, Seq(rows - 1), 9).await.unwrap();
    assert_eq!(last[0].seq, Seq(rows));
}
