//! What clients see of entries, with a database behind it.

use common::api::{Dialect, GroupSettings, NewAccount, Origin, Segment, SegmentedContent};
use common::api::{KnownSegment, Mentioned};
use common::id::{ClientId, ConvId, DeviceId, GroupId, Seq, UserId};
use common::store::message::MessageChange;
use common::store::{Append, Change, DatabaseUrl, Guard, OpenOptions, Outcome, open};
use common::wire::chat::Decoder;
use serde_json::{Value, json};

use super::*;
use crate::actor::Actor;
use crate::hub::{Entrant, Hub, Manner};

const ANN: UserId = UserId(1);
const BOB: UserId = UserId(2);
/// A device of the API.
const BROWSER: DeviceId = DeviceId(300);
const GROUP: GroupId = GroupId(300_000_000);
const SINCE: Millis = Millis(5_000);

struct World {
    store: Arc<dyn Store>,
    hub: Hub,
    written: u32,
    _directory: tempfile::TempDir,
}

impl World {
    /// Ann and Bob.
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::Sqlite(directory.path().join("im.db"));
        let store = open(&url, &OpenOptions::default()).await.unwrap();
        for username in ["ann", "bob"] {
            let account = NewAccount {
                username: username.to_owned(),
                nickname: format!("{username}'s nick"),
                password_hash: "x".to_owned(),
            };
            let at = Millis(1);
            let created = Change::CreateAccount { account, at };
            store.commit(&[created]).await.unwrap();
        }
        Self {
            store,
            hub: Hub::default(),
            written: 0,
            _directory: directory,
        }
    }

    fn session(&self, user: UserId, kind: ClientKind) -> Arc<Session> {
        let actor = Actor {
            user,
            username: "name".into(),
            device: kind.device(),
            address: std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
        };
        let entrant = Entrant {
            actor,
            kind,
            manner: Manner::Flamingo,
            sign_in: None,
            status: 1,
            tag: 0,
        };
        self.hub.enter(entrant).0
    }

    fn origin(&mut self, user: UserId, device: DeviceId) -> Origin {
        self.written += 1;
        Origin {
            user,
            device,
            client_id: ClientId::new(self.written.to_string()).unwrap(),
            tag: 9,
            at: SINCE,
        }
    }

    /// Ann writes to Bob in her browser.
    async fn write(&mut self, dialect: Dialect, content: Vec<u8>) -> Arc<TailEntry> {
        self.append(ConvId::direct(ANN, BOB), dialect, content)
            .await
    }

    async fn append(&mut self, conv: ConvId, dialect: Dialect, content: Vec<u8>) -> Arc<TailEntry> {
        let content = content.into();
        let append = Append {
            conv,
            origin: self.origin(ANN, BROWSER),
            body: Body::Message { dialect, content },
            guard: Guard::Exists,
            files: Vec::new(),
        };
        let outcome = self.store.commit(&[Change::Append(append)]).await;
        match outcome.unwrap().remove(0) {
            Outcome::Done { mut entries, .. } => TailEntry::fresh(entries.remove(0)),
            other => panic!("{other:?}"),
        }
    }

    async fn write_segments(&mut self, content: &SegmentedContent) -> Arc<TailEntry> {
        let json = serde_json::to_vec(content).unwrap();
        self.write(Dialect::Segments, json).await
    }

    /// As [`World::write_segments`], into another conversation.
    async fn write_to(&mut self, conv: ConvId, content: &SegmentedContent) -> Arc<TailEntry> {
        let json = serde_json::to_vec(content).unwrap();
        self.append(conv, Dialect::Segments, json).await
    }

    /// A notice that Ann caused.
    fn notice(&mut self, conv: ConvId, notice: Notice) -> Arc<TailEntry> {
        TailEntry::fresh(Entry {
            conv,
            seq: Seq(1),
            origin: self.origin(ANN, BROWSER),
            body: Body::Notice(notice),
        })
    }

    async fn show(&self, held: &TailEntry, session: &Session, since: Millis) -> Shown {
        let viewer = Viewer {
            store: &*self.store,
            session,
            since,
            seq: 77,
        };
        viewer.show(held).await.unwrap()
    }

    /// What Bob's PC sees, as command and JSON.
    async fn bob_sees(&self, held: &TailEntry) -> Vec<(i32, Value)> {
        let session = self.session(BOB, ClientKind::Pc);
        match self.show(held, &session, SINCE).await {
            Shown::Shared(packets) => packets.iter().map(|packet| decoded(packet)).collect(),
            Shown::Own(packet) => vec![read(&packet)],
            Shown::Nothing => Vec::new(),
        }
    }

    /// The text of the one message that Bob's PC sees.
    async fn text(&self, held: &TailEntry) -> String {
        let seen = self.bob_sees(held).await;
        assert_eq!(seen.len(), 1, "{seen:?}");
        let content = &seen[0].1["content"];
        content[0]["msgText"].as_str().unwrap().to_owned()
    }
}

fn decoded(packet: &[u8]) -> (i32, Value) {
    let packet = Decoder::default()
        .decode(&mut packet.into())
        .unwrap()
        .unwrap();
    assert_eq!(packet.seq, 9);
    assert_eq!(&packet.trailing[..], [0, 0, 0, 1, 0, 0, 0, 2]);
    read(&packet)
}

fn read(packet: &Packet) -> (i32, Value) {
    (
        packet.command,
        serde_json::from_slice(&packet.data).unwrap(),
    )
}

fn text(text: &str) -> Segment {
    let text = text.to_owned();
    KnownSegment::Text { text }.into()
}

#[tokio::test]
async fn segments_become_a_message_of_the_clients_once_for_all() {
    let mut world = World::new().await;
    let mention = KnownSegment::Mention {
        user_id: Mentioned::User(BOB),
    };
    let content = SegmentedContent::new(vec![mention.into(), text("hi 🙂\r\n")]);
    let held = world.write_segments(&content).await;
    let message = json!({"clientType": 1, "msgType": 1, "time": 5,
                         "content": [{"msgText": "@bob's nick hi 🙂\r\n"}]});
    assert_eq!(world.bob_sees(&held).await, [(command::CHAT, message)]);

    let phone = world.session(BOB, ClientKind::Android);
    let pc = world.session(BOB, ClientKind::Pc);
    let (first, second) = (
        world.show(&held, &phone, SINCE).await,
        world.show(&held, &pc, SINCE).await,
    );
    let (Shown::Shared(first), Shown::Shared(second)) = (first, second) else {
        panic!()
    };
    assert!(Arc::ptr_eq(&first, &second));

    let own_phone = world.session(ANN, ClientKind::Android);
    let own_pc = world.session(ANN, ClientKind::Pc);
    let shown = world.show(&held, &own_phone, SINCE).await;
    assert!(matches!(shown, Shown::Nothing));
    let shown = world.show(&held, &own_pc, SINCE).await;
    assert!(matches!(shown, Shown::Shared(_)));
}

#[tokio::test]
async fn answers_quote_and_changes_are_told_in_words() {
    let mut world = World::new().await;
    let old = br#"{"msgType":1,"content":[{"msgText":"where\r\nare you?"},{"faceID":1}]}"#;
    let asked = world.write(Dialect::Flamingo, old.to_vec()).await;
    let (conv, seq) = (asked.entry.conv, asked.entry.seq);
    let mut content = SegmentedContent::new(vec![text("here")]);
    content.reply_to = Some(seq);
    let answer = world.write_segments(&content).await;
    assert_eq!(world.text(&answer).await, "> where are you?[face]\nhere");
    assert!(answer.packets.get().is_none(), "it may be taken back yet");
    content.reply_to = Some(Seq(99));
    let answer = world.write_segments(&content).await;
    assert_eq!(
        world.text(&answer).await,
        "here",
        "there is no such message"
    );

    for (notice, expected) in [
        (
            Notice::MessageEdited {
                seq,
                segments: vec![text("new")],
            },
            "[edited] new",
        ),
        (Notice::MessageRecalled { seq }, "[recalled a message]"),
        (reaction(seq, true), "[👍 to \"where are you?[face]\"]"),
        (reaction(Seq(99), true), "[👍]"),
    ] {
        let held = world.notice(conv, notice);
        assert_eq!(world.text(&held).await, expected);
    }
    let held = world.notice(conv, reaction(seq, false));
    assert_eq!(world.bob_sees(&held).await, []);
    let held = world.write(Dialect::Segments, b"{".to_vec()).await;
    assert_eq!(world.text(&held).await, "[a message that cannot be shown]");
}

fn reaction(seq: Seq, added: bool) -> Notice {
    let emoji = "👍".to_owned();
    Notice::ReactionChanged { seq, emoji, added }
}

#[tokio::test]
async fn in_groups_nobodys_words_are_quoted() {
    let mut world = World::new().await;
    let made = Change::CreateGroup {
        origin: world.origin(ANN, BROWSER),
        name: "ours".to_owned(),
        limit: 10,
    };
    let made = world.store.commit(&[made]).await.unwrap();
    let Outcome::Done { id: Some(id), .. } = made[0] else {
        panic!("{made:?}")
    };
    let conv = ConvId::group(GroupId(id));
    let secret = SegmentedContent::new(vec![text("before your time")]);
    let seq = world.write_to(conv, &secret).await.entry.seq;
    let mut answer = SegmentedContent::new(vec![text("yes")]);
    answer.reply_to = Some(seq);
    let reacted = world.notice(conv, reaction(seq, true));
    let answer = world.write_to(conv, &answer).await;
    for (held, expected) in [
        (answer, "> ann's nick\nyes"),
        (reacted, "[👍 to a message of ann's nick]"),
    ] {
        let shown = translate::messages(&*world.store, &held.entry).await;
        let shown = shown.unwrap();
        let json: Value = serde_json::from_slice(&shown.messages[0]).unwrap();
        assert_eq!(json["content"][0]["msgText"], expected);
        assert!(!shown.quotes);
    }
}

#[tokio::test]
async fn what_was_taken_back_is_known_and_not_quoted() {
    let mut world = World::new().await;
    let held = world
        .write_segments(&SegmentedContent::new(vec![text("a")]))
        .await;
    let (conv, seq) = (held.entry.conv, held.entry.seq);
    for _ in 0..100 {
        world.write(Dialect::Flamingo, b"{}".to_vec()).await;
    }
    let mut recalled = translate::Recalled::default();
    assert!(!recalled.has(&*world.store, conv, seq).await.unwrap());
    recalled.forget();
    let recall = MessageChange::Recall {
        origin: world.origin(ANN, BROWSER),
        conv,
        seq,
        not_before: Millis(0),
    };
    let changed = world.store.commit(&[Change::Message(recall)]).await;
    assert!(matches!(changed.unwrap()[0], Outcome::Done { .. }));
    for (seq, expected) in [(1, true), (2, false), (64, false), (65, false), (1, true)] {
        let known = recalled.has(&*world.store, conv, Seq(seq)).await.unwrap();
        assert_eq!(known, expected, "{seq}");
    }
    let mut answer = SegmentedContent::new(vec![text("b")]);
    answer.reply_to = Some(seq);
    let answer = world.write_segments(&answer).await;
    assert_eq!(world.text(&answer).await, "b");
}

#[tokio::test]
async fn what_nobody_can_read_is_said_to_be_there() {
    let mut world = World::new().await;
    let held = world.write(Dialect::Flamingo, b"{}".to_vec()).await;
    let bob = world.session(BOB, ClientKind::Pc);
    let Shown::Own(packet) = unreadable(&held.entry, &bob) else {
        panic!()
    };
    let words = read(&packet).1["content"][0]["msgText"].clone();
    assert_eq!(words, "[a message that cannot be shown]");
    let ann = world.session(ANN, ClientKind::Pc);
    let shown = unreadable(&held.entry, &ann);
    assert!(matches!(shown, Shown::Nothing));
}

#[tokio::test]
async fn what_happens_in_groups_makes_the_clients_reload() {
    let mut world = World::new().await;
    let (group, inbox) = (ConvId::group(GROUP), ConvId::inbox(BOB));
    let changed = || vec![(command::USER_STATUS, json!({"type": 3}))];
    let step = |kind: i32, accept: Option<i32>| {
        let mut step = json!({"userid": GROUP.0, "type": kind, "username": "300000000"});
        if let Some(accept) = accept {
            step["accept"] = accept.into();
        }
        vec![(command::OPERATE_FRIEND, step)]
    };
    let (name, note) = (String::new(), String::new());
    let peer = Peer::Group(GROUP);
    for (conv, notice, expected) in [
        (group, Notice::MemberAdded { user: ANN }, changed()),
        (group, Notice::MemberRemoved { user: ANN }, changed()),
        (group, Notice::MemberRemoved { user: BOB }, step(5, None)),
        (group, Notice::OwnerChanged { user: BOB }, changed()),
        (
            group,
            Notice::GroupChanged {
                settings: GroupSettings::default(),
            },
            changed(),
        ),
        (
            inbox,
            Notice::GroupDissolved { group: GROUP, name },
            step(5, None),
        ),
        (
            inbox,
            Notice::JoinRequested { group: GROUP, note },
            Vec::new(),
        ),
        (inbox, join_answered(true), step(3, Some(3))),
        (inbox, join_answered(false), step(3, Some(0))),
        // Bob is no member: Ann has taken him out.
        (inbox, Notice::ContactsChanged { peer }, step(5, None)),
    ] {
        let held = world.notice(conv, notice);
        let seen = world.bob_sees(&held).await;
        assert_eq!(seen, expected, "{:?}", held.entry.body);
    }
    let held = world.notice(inbox, Notice::ContactsChanged { peer });
    let session = world.session(BOB, ClientKind::Pc);
    let later = Millis(SINCE.0 + 1);
    let shown = world.show(&held, &session, later).await;
    assert!(matches!(shown, Shown::Nothing), "his list says so already");
}

fn join_answered(accepted: bool) -> Notice {
    let group = GROUP;
    Notice::JoinAnswered { group, accepted }
}
