//! What every store does, and what only one in a file does.

use super::*;
use crate::model::GroupId;

const CHAT: ConversationId = ConversationId(2_u64 << 60 | 268_435_456);

fn outgoing(client_id: &str) -> Outgoing {
    Outgoing {
        client_id: client_id.to_owned(),
        to: GroupId(268_435_456).into(),
        segments: vec![Segment::text("你好")],
        reply_to: Some(Seq(3)),
        accepted_at: Timestamp::from_millisecond(1_800_000_000_123).unwrap(),
        expires_at: Some(Timestamp::from_millisecond(1_800_000_900_123).unwrap()),
        attempted: false,
        failed: None,
    }
}

fn named(client_id: &str, change: impl FnOnce(String) -> Change) -> Change {
    change(client_id.to_owned())
}

fn names(memory: &Memory) -> Vec<&str> {
    let outbox = memory.outbox.iter();
    outbox.map(|outgoing| &*outgoing.client_id).collect()
}

/// The contract, for a fresh store.
async fn keeps_what_it_is_told(store: &dyn Store) {
    assert_eq!(store.load().await.unwrap(), Memory::default());
    let owner = Owner {
        server: "http://localhost:20000".to_owned(),
        user: UserId(7),
        username: Some("ann".to_owned()),
    };
    let first = [
        Change::SetOwner(owner.clone()),
        Change::SetEpoch("e1".to_owned()),
        Change::SetPlace(CHAT, Seq(5)),
        Change::SetPlace(CHAT, Seq(4)),
        Change::SetPlace(ConversationId(1_u64 << 60), Seq(9)),
    ];
    store.apply(&first).await.unwrap();
    let memory = store.load().await.unwrap();
    assert_eq!(memory.owner, Some(owner.clone()));
    assert_eq!(memory.epoch.as_deref(), Some("e1"));
    let mut places = memory.places;
    places.sort();
    assert_eq!(
        places,
        [(ConversationId(1_u64 << 60), Seq(9)), (CHAT, Seq(5))]
    );

    let accept = ["a", "b", "c"].map(|name| Change::Accept(outgoing(name)));
    store.apply(&accept).await.unwrap();
    let changes = [
        named("a", |client_id| Change::Attempted { client_id }),
        named("a", |client_id| Change::Fail {
            client_id,
            reason: "muted: no".to_owned(),
        }),
        named("b", |client_id| Change::Remove { client_id }),
        named("nobody", |client_id| Change::Attempted { client_id }),
    ];
    store.apply(&changes).await.unwrap();
    let memory = store.load().await.unwrap();
    let failed = Outgoing {
        attempted: true,
        failed: Some("muted: no".to_owned()),
        ..outgoing("a")
    };
    assert_eq!(memory.outbox, [failed, outgoing("c")]);

    let retry = named("a", |client_id| Change::Retry {
        client_id,
        expires_at: None,
    });
    store
        .apply(&[retry, Change::Accept(outgoing("d"))])
        .await
        .unwrap();
    let memory = store.load().await.unwrap();
    assert_eq!(names(&memory), ["c", "a", "d"]);
    assert_eq!(memory.outbox[1].failed, None);
    assert_eq!(memory.outbox[1].expires_at, None);
    assert!(memory.outbox[1].attempted);

    let other = [
        Change::SetEpoch("e2".to_owned()),
        Change::SetPlace(CHAT, Seq(1)),
    ];
    store.apply(&other).await.unwrap();
    let memory = store.load().await.unwrap();
    assert_eq!(memory.places, [(CHAT, Seq(1))]);
    assert_eq!(memory.epoch.as_deref(), Some("e2"));
    assert_eq!(names(&memory), ["c", "a", "d"]);
    assert_eq!(memory.owner, Some(owner));
}

#[tokio::test]
async fn a_memory_keeps_what_it_is_told() {
    keeps_what_it_is_told(&MemoryStore::default()).await;
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use std::path::PathBuf;

    use super::*;

    fn path() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("client.db");
        (folder, path)
    }

    #[tokio::test]
    async fn a_file_keeps_what_it_is_told_and_still_does_when_it_is_opened_again() {
        let (_folder, path) = path();
        let store = SqliteStore::open(&path).await.unwrap();
        keeps_what_it_is_told(&store).await;
        let before = store.load().await.unwrap();
        drop(store);
        let store = SqliteStore::open(&path).await.unwrap();
        assert_eq!(store.load().await.unwrap(), before);
    }

    #[tokio::test]
    async fn changes_are_applied_together_or_not_at_all() {
        let (_folder, path) = path();
        let store = SqliteStore::open(&path).await.unwrap();
        store.apply(&[Change::Accept(outgoing("a"))]).await.unwrap();
        let changes = [
            Change::SetPlace(CHAT, Seq(5)),
            Change::Accept(outgoing("a")),
        ];
        store.apply(&changes).await.unwrap_err();
        let memory = store.load().await.unwrap();
        assert_eq!(memory.places, []);
        assert_eq!(names(&memory), ["a"]);
    }

    #[tokio::test]
    async fn a_file_in_use_is_refused() {
        let (_folder, path) = path();
        let _store = SqliteStore::open(&path).await.unwrap();
        let error = SqliteStore::open(&path).await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains("another client uses it"), "{text}");
        assert!(text.contains("client.db"), "{text}");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn only_its_owner_can_read_it() {
        use std::os::unix::fs::PermissionsExt;

        let (folder, path) = path();
        let store = SqliteStore::open(&path).await.unwrap();
        store.apply(&[Change::Accept(outgoing("a"))]).await.unwrap();
        let mut count = 0;
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let mode = file.unwrap().metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            count += 1;
        }
        assert!(count >= 2, "the log stands beside it");
    }

    #[tokio::test]
    async fn what_is_no_store_is_left_alone() {
        let (folder, path) = path();
        std::fs::write(&path, "a letter to somebody, and more of it").unwrap();
        let error = SqliteStore::open(&path).await.unwrap_err();
        assert!(error.to_string().contains("no store"), "{error}");

        let other = folder.path().join("other.db");
        let database = rusqlite::Connection::open(&other).unwrap();
        database.execute_batch("CREATE TABLE mine (x)").unwrap();
        drop(database);
        let error = SqliteStore::open(&other).await.unwrap_err();
        assert!(error.to_string().contains("no store"), "{error}");

        let newer = folder.path().join("newer.db");
        let database = rusqlite::Connection::open(&newer).unwrap();
        database.execute_batch("PRAGMA user_version = 99").unwrap();
        drop(database);
        let error = SqliteStore::open(&newer).await.unwrap_err();
        assert!(error.to_string().contains("newer version"), "{error}");

        let nowhere = folder.path().join("nowhere").join("client.db");
        let error = SqliteStore::open(&nowhere).await.unwrap_err();
        assert!(error.to_string().contains("nowhere"), "{error}");
    }
}
