//! People, conversations and messages for tests.

use client::Connection;
use client::model::{
    Conversation, ConversationId, ConversationKind, GroupId, Message, Notify, Page, PeerGroup,
    Presence, Segment, Seq, SessionId, Status, Timestamp, User, UserId,
};
use jiff::tz::TimeZone;

use super::news;
use crate::chat::message::{News, Wanted};
use crate::chat::state::{Setting, State};
use crate::chat::text::Lang;

pub(super) const ME: UserId = UserId(1);
pub(super) const BOB: UserId = UserId(2);
pub(super) const ZHANG: UserId = UserId(3);
pub(super) const BOBS: ConversationId = ConversationId(11);
pub(super) const ZHANGS: ConversationId = ConversationId(12);
pub(super) const TEAM: ConversationId = ConversationId(13);

/// The clock of the tests: 14:00 and so many minutes.
pub(super) fn at(minute: i64) -> Timestamp {
    let start: Timestamp = "2026-03-10T14:00:00Z".parse().unwrap();
    start + jiff::SignedDuration::from_mins(minute)
}

pub(super) fn user(id: UserId, username: &str, nickname: &str) -> User {
    User {
        id,
        username: username.to_owned(),
        nickname: nickname.to_owned(),
        avatar: String::new(),
        signature: None,
        birthday: None,
        phone: None,
        mail: None,
        address: None,
        bot: false,
    }
}

pub(super) fn bob() -> User {
    user(BOB, "bob", "Bob")
}

pub(super) fn zhang() -> User {
    user(ZHANG, "zhang", "张三")
}

pub(super) fn message(
    conversation: ConversationId,
    seq: u64,
    sender: UserId,
    text: &str,
) -> Message {
    Message {
        conversation,
        seq: Seq(seq),
        sender,
        time: at(i64::try_from(seq).unwrap()),
        client_id: format!("c{seq}"),
        segments: vec![Segment::text(text)],
        reply_to: None,
        forwarded_from: None,
        edited_at: None,
        recalled_at: None,
        reactions: Vec::new(),
        notice: None,
    }
}

pub(super) fn conversation(id: ConversationId, last_seq: u64) -> Conversation {
    Conversation {
        id,
        kind: ConversationKind::Direct,
        peer: None,
        group: None,
        last_seq: Seq(last_seq),
        active_at: at(i64::try_from(last_seq).unwrap()),
        last_message: None,
        read_seq: Seq(last_seq),
        peer_read_seq: None,
        unread: 0,
        mentions: 0,
        muted: false,
        notify: Notify::All,
        pinned: false,
        hidden: false,
    }
}

pub(super) fn with_bob() -> Conversation {
    Conversation {
        peer: Some(bob()),
        peer_read_seq: Some(Seq(4)),
        last_message: Some(message(BOBS, 6, BOB, "Shall we?")),
        ..conversation(BOBS, 6)
    }
}

pub(super) fn with_zhang() -> Conversation {
    Conversation {
        peer: Some(zhang()),
        peer_read_seq: Some(Seq(0)),
        last_message: Some(message(
            ZHANGS,
            5,
            ZHANG,
            "今天下午三点开会，别忘了带资料。",
        )),
        read_seq: Seq(3),
        unread: 2,
        ..conversation(ZHANGS, 5)
    }
}

pub(super) fn team() -> Conversation {
    Conversation {
        kind: ConversationKind::Group,
        group: Some(PeerGroup {
            id: GroupId(268_435_456),
            name: "Release team".to_owned(),
            avatar: None,
            members: 12,
        }),
        last_message: Some(message(TEAM, 3, ZHANG, "The build is green.")),
        unread: 120,
        mentions: 1,
        read_seq: Seq(0),
        muted: true,
        pinned: true,
        ..conversation(TEAM, 3)
    }
}

pub(super) fn new(lang: Lang, size: (u16, u16)) -> State {
    let setting = Setting {
        me: ME,
        my_name: "ann".to_owned(),
        lang,
        zone: TimeZone::UTC,
        now: at(30),
        color: true,
        bell: true,
        run: "run".to_owned(),
        sign_in: "myim login http://localhost:20000 ann".to_owned(),
    };
    State::new(setting, size)
}

/// Connected; nothing is known yet.
pub(super) fn online(lang: Lang, size: (u16, u16)) -> State {
    let mut state = new(lang, size);
    let online = Connection::Online {
        user: ME,
        session: SessionId(9),
    };
    news(&mut state, News::Connection(online));
    state
}

/// Connected, with three conversations; the newest, Bob's, is open.
pub(super) fn connected(lang: Lang, size: (u16, u16)) -> State {
    let mut state = online(lang, size);
    news(
        &mut state,
        News::List(vec![with_bob(), with_zhang(), team()]),
    );
    let presence = Presence {
        user_id: BOB,
        status: Status::Online,
        client: None,
        last_seen: None,
    };
    news(&mut state, News::Presence(vec![presence]));
    state
}

pub(super) fn page(items: Vec<Message>, more: bool) -> Page<Message> {
    let next = more.then(|| items[0].seq.0.into());
    Page { items, next }
}

pub(super) fn loaded(conversation: ConversationId, wanted: Wanted, page: Page<Message>) -> News {
    News::Page {
        conversation,
        wanted,
        page: Ok(page),
    }
}
