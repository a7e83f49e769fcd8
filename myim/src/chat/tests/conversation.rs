//! Scrolling and jumping in a history.

use client::model::{Message, Seq};
use ratatui::crossterm::event::KeyCode;

use super::made::*;
use super::*;
use crate::chat::message::Wanted;
use crate::chat::text::Lang;

fn messages(range: std::ops::RangeInclusive<u64>) -> Vec<Message> {
    range
        .map(|seq| message(BOBS, seq, BOB, &format!("number {seq:04}")))
        .collect()
}

/// Bob's conversation with these messages, open.
fn with(range: std::ops::RangeInclusive<u64>, more: bool) -> State {
    let mut state = connected(Lang::En, (80, 24));
    let mut summary = with_bob();
    (summary.last_seq, summary.read_seq) = (Seq(*range.end()), Seq(*range.end()));
    news(&mut state, News::Conversation(Box::new(summary)));
    ctrl(&mut state, 'k');
    write(&mut state, "bob");
    press(&mut state, KeyCode::Enter);
    news(
        &mut state,
        loaded(BOBS, Wanted::Newest, page(messages(range), more)),
    );
    state
}

fn shown(state: &State) -> Vec<u64> {
    let screen = screen(state);
    let numbers = screen.lines().filter_map(|line| {
        let (_, number) = line.split_once("number ")?;
        number.get(..4)?.parse().ok()
    });
    numbers.collect()
}

#[test]
fn older_pages_come_without_moving_what_is_read() {
    let mut state = with(941..=1000, true);
    let before = shown(&state);
    assert_eq!(before.last(), Some(&1000));
    press(&mut state, KeyCode::PageUp);
    let effects = press(&mut state, KeyCode::PageUp);
    let after_scroll = shown(&state);
    assert!(after_scroll.last() < before.first(), "{after_scroll:?}");
    assert!(
        matches!(
            effects[..],
            [Effect::LoadPage(BOBS, Wanted::Before(Seq(941)))]
        ),
        "{effects:?}"
    );
    news(
        &mut state,
        loaded(
            BOBS,
            Wanted::Before(Seq(941)),
            page(messages(881..=940), true),
        ),
    );
    assert_eq!(shown(&state), after_scroll);
    let content = client::live::EntryContent::Message(messages(1001..=1001).remove(0));
    news(
        &mut state,
        News::Entry {
            conversation: BOBS,
            seq: Seq(1001),
            content,
        },
    );
    assert_eq!(
        shown(&state),
        after_scroll,
        "a new message does not move it either"
    );
    assert!(screen(&state).contains("↓ 1 new"));
    press(&mut state, KeyCode::End);
    assert_eq!(shown(&state).last(), Some(&1001));
}

#[test]
fn the_upper_end_is_an_end() {
    let mut state = with(1..=30, false);
    for _ in 0..10 {
        press(&mut state, KeyCode::PageUp);
    }
    assert_eq!(shown(&state).first(), Some(&1));
    press(&mut state, KeyCode::PageDown);
    assert_eq!(shown(&state).last(), Some(&30));
    assert!(state.open_chat().unwrap().history.anchor.is_none());
}

#[test]
fn a_resize_keeps_the_end_in_sight() {
    let mut state = with(1..=100, false);
    update(&mut state, Input::Resize(200, 60));
    assert_eq!(shown(&state).last(), Some(&100));
    press(&mut state, KeyCode::PageUp);
    let last = *shown(&state).last().unwrap();
    update(&mut state, Input::Resize(80, 24));
    assert_eq!(shown(&state).last(), Some(&last));
}

#[test]
fn the_choice_stays_in_sight() {
    let mut state = with(1..=100, false);
    for wanted in (40..=100).rev() {
        press(&mut state, KeyCode::Up);
        assert!(shown(&state).contains(&wanted), "{wanted}");
    }
    for wanted in 41..=100 {
        press(&mut state, KeyCode::Down);
        assert!(shown(&state).contains(&wanted), "{wanted}");
    }
}

#[test]
fn a_hit_is_shown_among_its_neighbors() {
    let mut state = with(941..=1000, true);
    ctrl(&mut state, 'f');
    write(&mut state, "number 0500");
    let effects = press(&mut state, KeyCode::Enter);
    let [Effect::Search(ticket, _)] = &effects[..] else {
        panic!("{effects:?}");
    };
    news(
        &mut state,
        News::Hits {
            ticket: *ticket,
            hits: messages(500..=500),
        },
    );
    let effects = press(&mut state, KeyCode::Enter);
    assert!(
        matches!(
            effects[..],
            [Effect::LoadPage(BOBS, Wanted::Around(Seq(500)))]
        ),
        "{effects:?}"
    );
    news(
        &mut state,
        loaded(
            BOBS,
            Wanted::Around(Seq(500)),
            page(messages(480..=540), true),
        ),
    );
    assert!(shown(&state).contains(&500));
    press(&mut state, KeyCode::End);
    let chat = state.open_chat().unwrap();
    assert!(
        chat.history.is_empty(),
        "back to the newest: {:?}",
        chat.history.newer
    );
}
