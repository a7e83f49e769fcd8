//! A very long history costs no more than a short one.

use client::model::Seq;
use ratatui::crossterm::event::KeyCode;

use super::made::*;
use super::*;
use crate::chat::history::MESSAGES_MAX;
use crate::chat::message::Wanted;
use crate::chat::text::Lang;

#[test]
fn a_frame_lays_out_what_is_visible_and_nothing_else() {
    let mut state = connected(Lang::En, (80, 24));
    let count = u64::try_from(MESSAGES_MAX).unwrap();
    let mut summary = with_bob();
    (summary.last_seq, summary.read_seq) = (Seq(count), Seq(count));
    news(&mut state, News::Conversation(Box::new(summary)));
    ctrl(&mut state, 'k');
    write(&mut state, "bob");
    press(&mut state, KeyCode::Enter);
    let all = (1..=count)
        .map(|seq| message(BOBS, seq, BOB, "a line"))
        .collect();
    news(&mut state, loaded(BOBS, Wanted::Newest, page(all, true)));
    let layouts = |state: &State| state.open_chat().unwrap().history.layouts.get();
    let rows = 24;

    let before = layouts(&state);
    assert!(
        before <= 2 * rows,
        "{before}: to know whether more is needed, and no further"
    );
    screen(&state);
    assert_eq!(layouts(&state), before, "a frame finds what was laid out");
    for _ in 0..10 {
        press(&mut state, KeyCode::PageUp);
        screen(&state);
    }
    assert!(layouts(&state) - before <= 10 * 2 * rows);

    let before = layouts(&state);
    let next = message(BOBS, count + 1, BOB, "one more");
    let content = client::live::EntryContent::Message(next);
    news(
        &mut state,
        News::Entry {
            conversation: BOBS,
            seq: Seq(count + 1),
            content,
        },
    );
    screen(&state);
    assert!(layouts(&state) - before <= 3 * rows);
    press(&mut state, KeyCode::End);
    assert!(state.open_chat().unwrap().history.len() <= MESSAGES_MAX + 1);
}
