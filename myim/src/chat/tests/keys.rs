//! What keys do.

use client::Target;
use client::model::{Conversation, ConversationId, Segment, Seq};
use ratatui::crossterm::event::KeyCode;

use super::made::*;
use super::screens::open_bobs;
use super::*;
use crate::chat::popup::Popup;
use crate::chat::state::{Mode, Pane};
use crate::chat::text::Lang;

fn ready() -> State {
    let mut state = connected(Lang::En, (80, 24));
    open_bobs(&mut state);
    state
}

#[test]
fn enter_sends_and_shows_the_message_as_waiting() {
    let mut state = ready();
    let typing = write(&mut state, "hello");
    assert!(
        matches!(typing[..], [Effect::Typing(BOBS)]),
        "told once: {typing:?}"
    );
    alt(&mut state, KeyCode::Enter);
    write(&mut state, "there");
    let effects = press(&mut state, KeyCode::Enter);
    let Effect::Send(outgoing) = &effects[0] else {
        panic!("{effects:?}");
    };
    assert_eq!(outgoing.to, Target::Conversation(BOBS));
    assert_eq!(outgoing.segments, [Segment::text("hello\nthere")]);
    assert_eq!(outgoing.client_id.as_deref(), Some("run-1"));
    assert!(screen(&state).contains("14:30 hello"));
    assert!(
        press(&mut state, KeyCode::Enter).is_empty(),
        "nothing is not sent"
    );
}

#[test]
fn the_cursor_is_where_the_next_letter_goes() {
    let mut state = ready();
    let (_, start) = draw(&state);
    let (x, y) = start.unwrap();
    write(&mut state, "a你👩");
    let (_, cursor) = draw(&state);
    assert_eq!(cursor, Some((x + 5, y)));
    press(&mut state, KeyCode::Left);
    press(&mut state, KeyCode::Left);
    assert_eq!(draw(&state).1, Some((x + 1, y)));
}

#[test]
fn drafts_stay_with_their_conversations() {
    let mut state = ready();
    write(&mut state, "for bob");
    alt(&mut state, KeyCode::Up);
    assert_ne!(state.open, Some(BOBS));
    assert_eq!(state.open_chat().unwrap().draft.text(), "");
    alt(&mut state, KeyCode::Down);
    assert_eq!(state.open_chat().unwrap().draft.text(), "for bob");
}

#[test]
fn drafts_outlive_every_size_of_the_window() {
    let mut state = ready();
    write(&mut state, "for bob 你好");
    alt(&mut state, KeyCode::Up);
    write(&mut state, "for the others");
    // The first two are too small to show anything.
    for (width, height) in [(1, 1), (10, 3), (40, 10), (200, 60), (80, 24)] {
        update(&mut state, Input::Resize(width, height));
        draw(&state);
    }
    assert!(screen(&state).contains("for the others"));
    alt(&mut state, KeyCode::Down);
    assert_eq!(state.open_chat().unwrap().draft.text(), "for bob 你好");
    write(&mut state, "!");
    assert!(screen(&state).contains("for bob 你好!"));
}

#[test]
fn a_message_is_chosen_and_answered_edited_taken_back() {
    let mut state = ready();
    press(&mut state, KeyCode::Up);
    press(&mut state, KeyCode::Char('r'));
    assert_eq!(state.open_chat().unwrap().mode, Mode::Reply(Seq(6)));
    write(&mut state, "yes");
    let effects = press(&mut state, KeyCode::Enter);
    let Effect::Send(outgoing) = &effects[0] else {
        panic!("{effects:?}");
    };
    assert_eq!(outgoing.reply_to, Some(Seq(6)));
    for _ in 0..5 {
        press(&mut state, KeyCode::Up);
    }
    press(&mut state, KeyCode::Char('e'));
    assert_eq!(state.open_chat().unwrap().mode, Mode::Edit(Seq(3)));
    write(&mut state, "!");
    let effects = press(&mut state, KeyCode::Enter);
    assert!(
        matches!(effects[..], [Effect::Edit(BOBS, Seq(3), _)]),
        "{effects:?}"
    );
    for _ in 0..5 {
        press(&mut state, KeyCode::Up);
    }
    press(&mut state, KeyCode::Char('d'));
    assert_eq!(state.popup, Some(Popup::Recall { seq: Seq(3) }));
    let effects = press(&mut state, KeyCode::Enter);
    assert!(
        matches!(effects[..], [Effect::Recall(BOBS, Seq(3)), ..]),
        "{effects:?}"
    );
}

#[test]
fn a_reaction_is_added_and_taken_back() {
    let mut state = ready();
    let react = |state: &mut State| {
        press(state, KeyCode::Up);
        for _ in 0..3 {
            press(state, KeyCode::Up);
        }
        press(state, KeyCode::Char('+'));
        press(state, KeyCode::Char('1'))
    };
    let effects = react(&mut state);
    let Effect::React {
        seq, emoji, there, ..
    } = &effects[0]
    else {
        panic!("{effects:?}");
    };
    // The first one, message 3, has one's own already.
    assert_eq!((*seq, emoji.as_str(), *there), (Seq(3), "👍", false));
}

#[test]
fn the_switcher_goes_to_a_conversation_by_name() {
    let mut state = ready();
    ctrl(&mut state, 'k');
    write(&mut state, "rel");
    press(&mut state, KeyCode::Enter);
    assert_eq!(state.open, Some(TEAM));
    assert_eq!(state.popup, None);
}

#[test]
fn somebody_who_is_no_contact_is_asked() {
    let mut state = ready();
    ctrl(&mut state, 'n');
    let effects = write(&mut state, "zo");
    let Some(Effect::FindUsers(ticket, text)) = effects.last() else {
        panic!("{effects:?}");
    };
    assert_eq!(text, "zo");
    press(&mut state, KeyCode::Enter);
    assert!(screen(&state).contains("Nothing was found"), "nobody yet");
    let zoe = user(client::model::UserId(8), "zoe", "Zoë");
    let stale = News::Users {
        ticket: ticket - 1,
        users: vec![bob()],
    };
    news(&mut state, stale);
    news(
        &mut state,
        News::Users {
            ticket: *ticket,
            users: vec![zoe.clone()],
        },
    );
    let effects = press(&mut state, KeyCode::Enter);
    assert!(
        matches!(&effects[0], Effect::OpenWith(user) if *user == zoe),
        "{effects:?}"
    );
    let zoes = Conversation {
        peer: Some(zoe.clone()),
        ..conversation(ConversationId(14), 0)
    };
    news(&mut state, News::OpenedStrange(zoe.clone(), Box::new(zoes)));
    assert_eq!(state.open, Some(ConversationId(14)));
    write(&mut state, "It is Ann");
    let effects = press(&mut state, KeyCode::Enter);
    assert!(
        matches!(&effects[0], Effect::RequestContact(user, note) if *user == zoe && note == "It is Ann"),
        "{effects:?}"
    );
}

#[test]
fn a_conversation_is_pinned_and_muted_in_the_list_and_from_itself() {
    let mut state = ready();
    let effects = alt(&mut state, KeyCode::Char('p'));
    assert!(matches!(effects[0], Effect::Keep(BOBS, edit) if edit.pinned == Some(true)));
    let effects = alt(&mut state, KeyCode::Char('m'));
    assert!(matches!(effects[0], Effect::Keep(BOBS, edit) if edit.pinned.is_none()));
    assert!(screen(&state).contains("⚑ ⊘"));
    press(&mut state, KeyCode::Tab);
    press(&mut state, KeyCode::End);
    assert_eq!((state.pane, state.chosen), (Pane::List, Some(ZHANGS)));
    let effects = alt(&mut state, KeyCode::Char('p'));
    assert!(matches!(effects[0], Effect::Keep(ZHANGS, edit) if edit.pinned == Some(true)));
    assert_eq!(state.open, Some(BOBS));
}

#[test]
fn the_newest_conversation_is_open_at_the_start_and_can_be_written_in() {
    let mut state = online(Lang::En, (80, 24));
    ctrl(&mut state, 'k');
    news(
        &mut state,
        News::List(vec![with_zhang(), team(), with_bob()]),
    );
    assert_eq!(state.open, Some(BOBS), "not the pinned one");
    assert!(state.popup.is_some(), "nobody's keys are taken away");
    press(&mut state, KeyCode::Esc);
    assert!(draw(&state).1.is_some(), "the cursor is in it");
    write(&mut state, "hello");
    assert_eq!(state.open_chat().unwrap().draft.text(), "hello");
    // A later list leaves it open.
    let mut newer = with_zhang();
    newer.last_seq = Seq(99);
    newer.active_at = at(99);
    news(&mut state, News::List(vec![newer]));
    assert_eq!(state.open, Some(BOBS));
}

#[test]
fn the_first_conversation_opens_when_there_is_one() {
    let mut state = online(Lang::En, (80, 24));
    news(&mut state, News::List(Vec::new()));
    assert_eq!(state.open, None);
    news(&mut state, News::Conversation(Box::new(with_bob())));
    assert_eq!(state.open, Some(BOBS));
}

#[test]
fn nothing_that_is_typed_is_lost_silently() {
    // In the list it begins a message to whom is chosen there, whatever the letter.
    for text in ["morning", "pst", "hello"] {
        let mut state = ready();
        press(&mut state, KeyCode::Tab);
        press(&mut state, KeyCode::End);
        write(&mut state, text);
        assert_eq!(state.open, Some(ZHANGS));
        assert_eq!(state.open_chat().unwrap().draft.text(), text);
        update(&mut state, Input::Paste(" there".to_owned()));
        assert!(screen(&state).contains(&format!("{text} there")));
    }
    // With a message chosen it ends the choice, unless the letter does something with it.
    let mut state = ready();
    press(&mut state, KeyCode::Up);
    write(&mut state, "hello");
    assert_eq!(state.open_chat().unwrap().draft.text(), "hello");
    // Where there is nobody, that is said.
    let mut state = online(Lang::En, (80, 24));
    news(&mut state, News::List(Vec::new()));
    write(&mut state, "h");
    assert!(screen(&state).contains("nobody to write to yet: Ctrl-N"));
}

#[test]
fn leaving_with_a_draft_asks_once() {
    let mut state = ready();
    assert!(matches!(ctrl(&mut state, 'c')[..], [Effect::Quit]));
    write(&mut state, "half a sent");
    assert!(ctrl(&mut state, 'c').is_empty());
    assert!(screen(&state).contains("Ctrl-C again quits"));
    assert!(matches!(ctrl(&mut state, 'c')[..], [Effect::Quit]));
    ctrl(&mut state, 'c');
    write(&mut state, "x");
    assert!(
        ctrl(&mut state, 'c').is_empty(),
        "another key takes it back"
    );
}

#[test]
fn one_pane_at_a_time_where_it_is_narrow() {
    let mut state = connected(Lang::En, (40, 12));
    open_bobs(&mut state);
    assert!(!screen(&state).contains("Release team") && screen(&state).contains("Shall we?"));
    press(&mut state, KeyCode::Esc);
    assert!(screen(&state).contains("Release team") && screen(&state).contains("Bob"));
}
