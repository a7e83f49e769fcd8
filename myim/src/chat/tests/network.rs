//! What the network tells.

use client::live::{EntryContent, Passing};
use client::model::{
    ContactRequest, ConversationId, Direction, Message, Notice, Presence, Seq, SessionId, Status,
    UserId,
};
use client::{Connection, Sent};
use ratatui::crossterm::event::KeyCode;

use super::made::*;
use super::screens::open_bobs;
use super::*;
use crate::chat::message::{Progress, Wanted};
use crate::chat::text::Lang;

fn ready() -> State {
    let mut state = connected(Lang::En, (80, 24));
    open_bobs(&mut state);
    state
}

fn entry(state: &mut State, message: Message) -> Vec<Effect> {
    let (conversation, seq) = (message.conversation, message.seq);
    let content = EntryContent::Message(message);
    news(
        state,
        News::Entry {
            conversation,
            seq,
            content,
        },
    )
}

fn reads(effects: &[Effect]) -> Vec<(ConversationId, Seq)> {
    let reads = effects.iter().filter_map(|effect| match effect {
        Effect::Read(id, seq) => Some((*id, *seq)),
        _ => None,
    });
    reads.collect()
}

#[test]
fn what_is_seen_is_read_and_what_is_not_is_not() {
    let mut state = ready();
    let effects = entry(&mut state, message(BOBS, 7, BOB, "seen"));
    assert_eq!(reads(&effects), [(BOBS, Seq(7))]);
    update(&mut state, Input::Focus(false));
    let effects = entry(&mut state, message(BOBS, 8, BOB, "elsewhere"));
    assert_eq!(reads(&effects), []);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Bell)));
    assert_eq!(state.open_chat().unwrap().summary.unread, 1);
    let effects = update(&mut state, Input::Focus(true));
    assert_eq!(reads(&effects), [(BOBS, Seq(8))]);
    ctrl(&mut state, 'k');
    let effects = entry(&mut state, message(BOBS, 9, BOB, "behind a popup"));
    assert_eq!(reads(&effects), []);
    assert_eq!(reads(&press(&mut state, KeyCode::Esc)), [(BOBS, Seq(9))]);
}

#[test]
fn a_bell_rings_for_others_that_are_not_muted() {
    let mut state = ready();
    let bells = |effects: Vec<Effect>| {
        effects
            .iter()
            .filter(|one| matches!(one, Effect::Bell))
            .count()
    };
    assert_eq!(
        bells(entry(&mut state, message(ZHANGS, 6, ZHANG, "ring"))),
        1
    );
    assert_eq!(
        bells(entry(&mut state, message(TEAM, 4, ZHANG, "muted"))),
        0
    );
    assert_eq!(
        bells(entry(&mut state, message(ZHANGS, 7, ME, "another device"))),
        0
    );
    // What the list has counted is not new.
    assert_eq!(
        bells(entry(&mut state, message(ZHANGS, 7, ZHANG, "again"))),
        0
    );
}

#[test]
fn the_order_follows_the_activity() {
    let mut state = ready();
    assert_eq!(state.order, [TEAM, BOBS, ZHANGS]);
    entry(&mut state, message(ZHANGS, 20, ZHANG, "new"));
    assert_eq!(state.order, [TEAM, ZHANGS, BOBS]);
    assert_eq!(state.chats[&ZHANGS].summary.unread, 3);
}

#[test]
fn waiting_sent_read() {
    let mut state = ready();
    write(&mut state, "mark me");
    press(&mut state, KeyCode::Enter);
    let marked = |state: &State| {
        let screen = screen(state);
        let line = screen
            .lines()
            .find(|line| line.contains("mark me"))
            .unwrap();
        line.rsplit(' ').next().unwrap().to_owned()
    };
    assert_eq!(marked(&state), "…");
    let sent = Sent {
        client_id: "run-1".to_owned(),
        conversation: BOBS,
        seq: Seq(7),
        time: at(30),
    };
    news(&mut state, News::Sent(sent));
    assert_eq!(marked(&state), "✓");
    let read = Passing::Read {
        conversation: BOBS,
        user: BOB,
        seq: Seq(7),
    };
    news(&mut state, News::Passing(read));
    assert_eq!(marked(&state), "✓✓");
    assert_eq!(screen(&state).matches("mark me").count(), 1);
}

#[test]
fn who_answers_has_read() {
    let mut state = ready();
    entry(&mut state, message(BOBS, 7, ME, "have you read it"));
    let is_read = |state: &State| {
        let screen = screen(state);
        let mut lines = screen.lines();
        let line = lines.find(|line| line.contains("have you read it"));
        line.unwrap().contains("✓✓")
    };
    assert!(!is_read(&state));
    entry(&mut state, message(BOBS, 8, BOB, "yes"));
    assert!(is_read(&state));
}

#[test]
fn a_stored_message_that_comes_with_a_page_is_no_longer_waiting() {
    let mut state = ready();
    write(&mut state, "only once");
    press(&mut state, KeyCode::Enter);
    let mut stored = message(BOBS, 7, ME, "only once");
    stored.client_id = "run-1".to_owned();
    news(
        &mut state,
        loaded(BOBS, Wanted::Newest, page(vec![stored], true)),
    );
    assert_eq!(screen(&state).matches("only once").count(), 1);
}

#[test]
fn typing_is_shown_for_a_while() {
    let mut state = ready();
    let typing = Passing::Typing {
        conversation: BOBS,
        user: BOB,
    };
    news(&mut state, News::Passing(typing));
    assert!(screen(&state).contains("Bob is typing"));
    let until = state.next_change().unwrap();
    update(&mut state, Input::Clock(until));
    assert!(!screen(&state).contains("Bob is typing"));
    assert_eq!(
        state.next_change(),
        None,
        "an idle screen waits for nothing"
    );
}

#[test]
fn presence_is_shown_and_forgotten_without_a_connection() {
    let mut state = ready();
    assert!(screen(&state).contains("● online"));
    let away = Presence {
        user_id: BOB,
        status: Status::Away,
        client: None,
        last_seen: None,
    };
    news(&mut state, News::Passing(Passing::Presence(away)));
    assert!(screen(&state).contains("◐ away"));
    let reason = "refused".to_owned();
    let next_try = std::time::Duration::from_secs(9);
    news(
        &mut state,
        News::Connection(Connection::Waiting { reason, next_try }),
    );
    assert!(screen(&state).contains("○ offline"), "{}", screen(&state));
    assert!(screen(&state).contains("offline, next try in 9 s"));
    let now = state.now + jiff::SignedDuration::from_secs(4);
    update(&mut state, Input::Clock(now));
    assert!(screen(&state).contains("next try in 5 s"));
}

#[test]
fn a_contact_request_is_told_if_it_is_open() {
    let asks = |id: u64| ContactRequest {
        id,
        direction: Direction::Incoming,
        user: user(UserId(8), "zoe", "Zoë"),
        note: String::new(),
        time: at(1),
    };
    let came = |state: &mut State, id: u64| {
        let fields = serde_json::json!({
            "request_id": id.to_string(), "user_id": "8", "username": "zoe", "note": "",
        });
        let notice = Notice {
            name: "contact.requested".to_owned(),
            time: at(1),
            sender: UserId(8),
            fields: fields.as_object().unwrap().clone(),
        };
        let entry = News::Entry {
            conversation: ConversationId::inbox(ME),
            seq: Seq(1),
            content: EntryContent::Notice(notice),
        };
        news(state, entry)
    };
    let mut state = ready();
    let effects = came(&mut state, 4);
    assert!(matches!(effects[..], [Effect::LoadRequests]), "{effects:?}");
    let effects = news(&mut state, News::Requests(Vec::new()));
    assert!(effects.is_empty(), "it was answered: {effects:?}");
    assert!(!screen(&state).contains("wants to be your contact"));
    came(&mut state, 5);
    let effects = news(&mut state, News::Requests(vec![asks(5)]));
    assert!(matches!(effects[..], [Effect::Bell]), "{effects:?}");
    assert!(screen(&state).contains("Zoë wants to be your contact"));
    let effects = news(&mut state, News::Requests(vec![asks(5)]));
    assert!(effects.is_empty(), "told once: {effects:?}");
}

#[test]
fn a_gap_after_a_reconnect_is_filled() {
    let mut state = ready();
    let online = Connection::Online {
        user: ME,
        session: SessionId(10),
    };
    let effects = news(&mut state, News::Connection(online));
    assert!(matches!(
        effects[..],
        [
            Effect::LoadList,
            Effect::LoadContacts,
            Effect::LoadRequests,
            Effect::Open(BOBS)
        ]
    ));
    let mut summary = with_bob();
    summary.last_seq = Seq(90);
    summary.unread = 84;
    let skipped = Passing::Conversation {
        conversation: BOBS,
        summary: Box::new(summary),
        skipped: (Seq(6), Seq(70)),
    };
    let effects = news(&mut state, News::Passing(skipped));
    assert!(
        matches!(effects[..], [Effect::LoadPage(BOBS, Wanted::After(Seq(6)))]),
        "{effects:?}"
    );
    let missed = (7..=90).map(|seq| message(BOBS, seq, BOB, "m")).collect();
    let effects = news(
        &mut state,
        loaded(BOBS, Wanted::After(Seq(6)), page(missed, false)),
    );
    assert_eq!(reads(&effects), [(BOBS, Seq(90))]);
    assert_eq!(state.open_chat().unwrap().history.len(), 90);
}

#[test]
fn a_large_group_that_moved_has_as_much_unread_as_was_written() {
    let mut state = connected(Lang::En, (80, 24));
    let read = Seq(2);
    state.chats.get_mut(&TEAM).unwrap().summary.read_seq = read;
    let last = Seq(state.chats[&TEAM].summary.last_seq.0 + 30);
    let moved = Passing::Head {
        conversation: TEAM,
        last_seq: last,
    };
    news(&mut state, News::Passing(moved.clone()));
    let summary = &state.chats[&TEAM].summary;
    assert_eq!(u64::from(summary.unread), last.0 - read.0);
    // Told again, it is no more.
    news(&mut state, News::Passing(moved));
    let summary = &state.chats[&TEAM].summary;
    assert_eq!(u64::from(summary.unread), last.0 - read.0);
}

#[test]
fn a_page_that_fails_is_asked_for_again_with_the_next_connection_and_not_before() {
    let mut state = connected(Lang::En, (80, 24));
    alt(&mut state, KeyCode::Up);
    let failed = News::Page {
        conversation: TEAM,
        wanted: Wanted::Newest,
        page: Err("away".to_owned()),
    };
    let effects = news(&mut state, failed);
    assert!(
        !effects
            .iter()
            .any(|one| matches!(one, Effect::LoadPage(..))),
        "{effects:?}"
    );
    let online = Connection::Online {
        user: ME,
        session: SessionId(10),
    };
    let effects = news(&mut state, News::Connection(online));
    assert!(
        effects
            .iter()
            .any(|one| matches!(one, Effect::LoadPage(TEAM, Wanted::Newest)))
    );
}

#[test]
fn an_edit_that_came_meanwhile_is_newer_than_the_page() {
    let mut state = ready();
    let mut edited = message(BOBS, 6, BOB, "Shall we go?");
    edited.edited_at = Some(at(9));
    let content = EntryContent::MessageUpdated(edited);
    news(
        &mut state,
        News::Entry {
            conversation: BOBS,
            seq: Seq(7),
            content,
        },
    );
    let stale = page(vec![message(BOBS, 6, BOB, "Shall we?")], true);
    news(&mut state, loaded(BOBS, Wanted::Newest, stale));
    assert!(screen(&state).contains("Shall we go? (edited)"));
}

#[test]
fn a_path_that_cannot_be_sent_is_there_to_be_mended() {
    let refused = |state: &mut State, effects: &[Effect]| {
        let [Effect::Upload { id, .. }] = effects[..] else {
            panic!("{effects:?}");
        };
        let progress = Progress::Unusable("/tmp/f.txt: No such file".to_owned());
        news(state, News::Transfer { id, progress });
    };
    let mut state = ready();
    press(&mut state, KeyCode::Up);
    press(&mut state, KeyCode::Char('r'));
    ctrl(&mut state, 'o');
    write(&mut state, "/tmp/f.txt");
    let effects = press(&mut state, KeyCode::Enter);
    refused(&mut state, &effects);
    let seen = screen(&state);
    assert!(seen.contains("> /tmp/f.txt"), "{seen}");
    assert!(seen.contains("/tmp/f.txt: No such file"), "{seen}");
    // It still answers the message, and goes to the end of the path.
    write(&mut state, "2");
    let effects = press(&mut state, KeyCode::Enter);
    let [Effect::Upload { path, id }] = &effects[..] else {
        panic!("{effects:?}");
    };
    assert_eq!(path, "/tmp/f.txt2");
    let progress = Progress::Uploaded(client::model::Segment::text("the file"));
    let sent = news(&mut state, News::Transfer { id: *id, progress });
    let [Effect::Send(outgoing), ..] = &sent[..] else {
        panic!("{sent:?}");
    };
    assert_eq!(outgoing.reply_to, Some(Seq(6)));
    // Whoever does something else meanwhile is not interrupted.
    ctrl(&mut state, 'o');
    write(&mut state, "/tmp/f.txt");
    let effects = press(&mut state, KeyCode::Enter);
    ctrl(&mut state, 'k');
    refused(&mut state, &effects);
    let seen = screen(&state);
    assert!(
        seen.contains("Go to") && !seen.contains("> /tmp/f.txt"),
        "{seen}"
    );
}

#[test]
fn a_transfer_that_failed_is_named_once() {
    let (gone, away) = ("/tmp/f.txt: No such file", "the server is away");
    for (progress, told) in [
        (Progress::Unusable(gone.to_owned()), gone),
        (
            Progress::Failed(away.to_owned()),
            "f.txt: the server is away",
        ),
    ] {
        let mut state = ready();
        ctrl(&mut state, 'o');
        write(&mut state, "/tmp/f.txt");
        let effects = press(&mut state, KeyCode::Enter);
        let [Effect::Upload { id, .. }] = effects[..] else {
            panic!("{effects:?}");
        };
        news(&mut state, News::Transfer { id, progress });
        assert!(
            screen(&state).contains(&format!("connected  {told}")),
            "{}",
            screen(&state)
        );
    }
}
