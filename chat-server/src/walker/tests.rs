//! Tests of the walker, over a SQLite store.

use bytes::Bytes;
use common::api::{Body, Dialect, NewAccount, Origin};
use common::id::{ConvId, GroupId, Peer};
use common::store::group::GroupChange;
use common::store::{Append, Change, DatabaseUrl, Guard, OpenOptions, Outcome, open};

use super::*;

const ANN: UserId = UserId(1);
const BOB: UserId = UserId(2);
const CID: UserId = UserId(3);
const PC: DeviceId = DeviceId(1);

struct World {
    store: Arc<dyn Store>,
    tail: Arc<Tail>,
    sent: u32,
    _directory: tempfile::TempDir,
}

impl World {
    /// Ann, Bob and Cid, and Bob's PC.
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::Sqlite(directory.path().join("im.db"));
        let store = open(&url, &OpenOptions::default()).await.unwrap();
        let tail = Arc::new(Tail::default());
        let mut world = Self {
            store,
            tail,
            sent: 0,
            _directory: directory,
        };
        for username in ["ann", "bob", "cid"] {
            let account = NewAccount {
                username: username.to_owned(),
                nickname: username.to_owned(),
                password_hash: "x".to_owned(),
            };
            world
                .commit(Change::CreateAccount {
                    account,
                    at: Millis(1),
                })
                .await;
        }
        world
            .commit(Change::RegisterDevice {
                user: BOB,
                device: PC,
                at: Millis(1),
            })
            .await;
        world
    }

    async fn commit(&mut self, change: Change) -> Outcome {
        self.store.commit(&[change]).await.unwrap().remove(0)
    }

    /// Writes to Bob at this time; returns the conversation.
    async fn write(&mut self, from: UserId, text: &'static str, at: i64) -> ConvId {
        self.sent += 1;
        let client_id = ClientId::new(format!("{:08}", self.sent)).unwrap();
        let origin = Origin {
            user: from,
            device: PC,
            client_id,
            tag: 0,
            at: Millis(at),
        };
        let conv = ConvId::between(from, Peer::User(BOB));
        let content = Bytes::from_static(text.as_bytes());
        let body = Body::Message {
            dialect: Dialect::Flamingo,
            content,
        };
        let append = Append {
            conv,
            origin,
            body,
            guard: Guard::Exists,
            files: Vec::new(),
        };
        match self.commit(Change::Append(append)).await {
            Outcome::Done { entries, .. } => self.tail.push(entries),
            other => panic!("{other:?}"),
        }
        conv
    }

    async fn walker(&self) -> Walker {
        Walker::start(Arc::clone(&self.store), Arc::clone(&self.tail), BOB, PC)
            .await
            .unwrap()
    }
}

async fn walk(walker: &mut Walker) -> String {
    let mut texts = Vec::new();
    while let Some(held) = walker.next().await.unwrap() {
        if let Body::Message { content, .. } = &held.entry.body {
            texts.push(String::from_utf8(content.to_vec()).unwrap());
        }
    }
    texts.join(" ")
}

#[tokio::test]
async fn what_another_server_wrote_behind_the_tail_is_walked_too() {
    let mut world = World::new().await;
    world.write(ANN, "here", 10).await;
    let own = std::mem::take(&mut world.tail);
    world.write(ANN, "there", 20).await;
    world.tail = own;
    assert_eq!(walk(&mut world.walker().await).await, "here there");
}

#[tokio::test]
async fn what_was_missed_comes_in_the_order_of_writing_across_conversations() {
    let mut world = World::new().await;
    world.write(ANN, "a1", 10).await;
    world.write(CID, "c1", 10).await;
    world.write(ANN, "a2", 10).await;
    world.write(ANN, "a3", 20).await;
    world.write(CID, "c2", 30).await;
    world.write(ANN, "a4", 40).await;
    assert_eq!(walk(&mut world.walker().await).await, "a1 c1 a2 a3 c2 a4");
    world.tail = Arc::new(Tail::default());
    assert_eq!(walk(&mut world.walker().await).await, "a1 c1 a2 a3 c2 a4");
}

#[tokio::test]
async fn what_is_written_while_walking_is_neither_missed_nor_doubled() {
    let mut world = World::new().await;
    let conv = world.write(ANN, "a1", 10).await;
    let mut walker = world.walker().await;
    walker.next().await.unwrap().unwrap();
    world.write(ANN, "a2", 11).await;
    walker.changed(conv);
    walker.changed(conv);
    assert_eq!(walk(&mut walker).await, "a2");
    walker.changed(conv);
    assert_eq!(walk(&mut walker).await, "");
}

#[tokio::test]
async fn a_bell_that_rings_while_a_page_is_walked_is_not_lost() {
    let mut world = World::new().await;
    let conv = world.write(ANN, "a1", 10).await;
    world.write(ANN, "a2", 11).await;
    let mut walker = world.walker().await;
    walker.next().await.unwrap().unwrap();
    world.write(ANN, "a3", 12).await;
    walker.changed(conv);
    assert_eq!(walk(&mut walker).await, "a2 a3");
}

#[tokio::test]
async fn a_conversation_that_was_level_at_the_start_goes_on_from_its_cursor() {
    let mut world = World::new().await;
    let conv = world.write(ANN, "a1", 10).await;
    world
        .commit(Change::MoveCursor {
            user: BOB,
            device: PC,
            conv,
            seq: Seq(1),
        })
        .await;
    let mut walker = world.walker().await;
    assert_eq!(walk(&mut walker).await, "");
    world.write(ANN, "a2", 11).await;
    walker.changed(conv);
    assert_eq!(walk(&mut walker).await, "a2");
}

#[tokio::test]
async fn a_page_is_not_the_end() {
    let mut world = World::new().await;
    for _ in 0..2 * PAGE_LENGTH + 1 {
        world.write(ANN, "x", 10).await;
    }
    world.tail = Arc::new(Tail::default());
    let walked = walk(&mut world.walker().await).await;
    assert_eq!(walked.split(' ').count(), 2 * PAGE_LENGTH + 1);
}

#[tokio::test]
async fn own_entries_are_passed_only_when_nothing_before_them_is_missing() {
    let mut world = World::new().await;
    let conv = world.write(ANN, "a1", 10).await;
    let mut walker = world.walker().await;
    walker.wrote(conv, Seq(2));
    assert!(
        walker.take_written().is_empty(),
        "the first entry was not handed over yet"
    );
    assert_eq!(walk(&mut walker).await, "a1");
    walker.wrote(conv, Seq(2));
    assert_eq!(walker.take_written(), BTreeMap::from([(conv, Seq(2))]));
}

#[tokio::test]
async fn a_conversation_that_is_not_the_users_shows_nothing() {
    let mut world = World::new().await;
    let foreign = ConvId::direct(ANN, CID);
    let mut walker = world.walker().await;
    walker.changed(foreign);
    assert_eq!(walk(&mut walker).await, "");
    let conv = world.write(ANN, "a1", 10).await;
    walker.changed(conv);
    walker.lost(conv);
    assert_eq!(walk(&mut walker).await, "");
}

#[tokio::test]
async fn only_the_newest_page_is_walked_and_the_rest_is_named() {
    let mut world = World::new().await;
    for _ in 0..30 {
        world.write(ANN, "a", 10).await;
    }
    let long = ConvId::direct(ANN, BOB);
    world.write(CID, "c", 11).await;
    let mut walker = world.walker().await;
    let skipped = walker.skip_to_recent(20);
    let expected = Skipped {
        conv: long,
        after: Seq(0),
        until: Seq(10),
    };
    assert_eq!(skipped, [expected]);
    assert_eq!(walk(&mut walker).await.split(' ').count(), 21);
    world.write(ANN, "new", 12).await;
    walker.changed(long);
    assert_eq!(walk(&mut walker).await, "new");
}

#[tokio::test]
async fn a_conversation_that_was_left_out_is_walked_when_it_is_opened() {
    let mut world = World::new().await;
    for text in ["a1", "a2", "a3"] {
        world.write(ANN, text, 10).await;
    }
    let conv = ConvId::direct(ANN, BOB);
    let mut walker = world.walker().await;
    assert_eq!(walker.behind().collect::<Vec<_>>(), [(conv, Seq(3))]);
    walker.leave_out(conv);
    assert_eq!(walk(&mut walker).await, "");
    let skipped = walker.open(conv, Seq(3), 2).await.unwrap().unwrap();
    assert_eq!((skipped.after, skipped.until), (Seq(0), Seq(1)));
    assert_eq!(walk(&mut walker).await, "a2 a3");
    let foreign = ConvId::direct(ANN, CID);
    assert_eq!(walker.open(foreign, Seq(3), 2).await.unwrap(), None);
    assert_eq!(walk(&mut walker).await, "");
}

#[tokio::test]
async fn what_a_device_has_already_is_passed() {
    let mut world = World::new().await;
    world.write(ANN, "a1", 10).await;
    world.write(CID, "c1", 11).await;
    world.write(ANN, "a2", 12).await;
    let mut walker = world.walker().await;
    walker.pass(ConvId::direct(ANN, BOB), Seq(1));
    assert_eq!(walk(&mut walker).await, "c1 a2");
}

#[tokio::test]
async fn nothing_is_walked_behind_the_end_of_a_membership() {
    let mut world = World::new().await;
    let by = |user, client_id: &str| Origin {
        user,
        device: PC,
        client_id: ClientId::new(client_id).unwrap(),
        tag: 0,
        at: Millis(1),
    };
    let founding = Change::CreateGroup {
        origin: by(ANN, "found"),
        name: "crew".to_owned(),
        limit: 9,
    };
    let Outcome::Done { id: Some(id), .. } = world.commit(founding).await else {
        panic!("no group");
    };
    let group = GroupId(id);
    let joining = |client_id| Change::JoinGroup {
        origin: by(BOB, client_id),
        group,
        contacts_max: 9,
        members_max: 9,
    };
    let saying = |client_id| {
        Change::Append(Append {
            conv: ConvId::group(group),
            origin: by(ANN, client_id),
            body: Body::Message {
                dialect: Dialect::Flamingo,
                content: Bytes::from(client_id.to_owned()),
            },
            guard: Guard::Contact,
            files: Vec::new(),
        })
    };
    world.commit(joining("in")).await;
    world.commit(saying("one")).await;
    let mut walker = world.walker().await;
    assert_eq!(walk(&mut walker).await, "one");
    // Nobody tells the walker: the answer of the database was lost.
    let origin = by(ANN, "out");
    let removing = GroupChange::Remove {
        origin,
        group,
        user: BOB,
    };
    world.commit(Change::Group(removing)).await;
    world.commit(saying("two")).await;
    walker.changed(ConvId::group(group));
    assert_eq!(walk(&mut walker).await, "");
    world.commit(joining("again")).await;
    world.commit(saying("three")).await;
    walker.changed(ConvId::group(group));
    assert_eq!(walk(&mut walker).await, "three");
}
