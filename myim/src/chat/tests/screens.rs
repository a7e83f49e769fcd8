//! Screens that somebody has looked at.

use client::model::{
    BlobId, ContactRequest, Direction, KnownSegment, Mentioned, Message, Reaction, Segment, Seq,
};
use client::{Connection, Ended, Failed};
use ratatui::crossterm::event::KeyCode;
use ratatui::style::Color;

use super::made::*;
use super::*;
use crate::chat::message::{Progress, Wanted};
use crate::chat::text::Lang;

const SIZES: [(u16, u16); 3] = [(80, 24), (200, 60), (40, 12)];

fn everywhere(name: &str, show: impl Fn(&mut State)) {
    for lang in [Lang::En, Lang::Zh] {
        for (width, height) in SIZES {
            let mut state = connected(lang, (width, height));
            show(&mut state);
            let lang = if lang == Lang::En { "en" } else { "zh" };
            check(&format!("{name}-{lang}-{width}x{height}"), &state);
        }
    }
}

/// One of everything that can stand in a history.
pub(super) fn history() -> Vec<Message> {
    let file = BlobId([7; 32]);
    let mut yesterday = message(BOBS, 1, BOB, "Hi Ann! Did you see the new terminal client?");
    yesterday.time = at(-24 * 60);
    let mut answer = message(
        BOBS,
        2,
        ME,
        "Yes, I am writing with it right now 🎉 and a long line wraps where words end, as it should.",
    );
    answer.reply_to = Some(Seq(1));
    answer.time = at(-24 * 60 + 3);
    let mut edited = message(
        BOBS,
        3,
        ME,
        "你好，这是一条很长的中文消息，用来检查换行的位置是不是正确，标点不应该出现在行首。",
    );
    edited.edited_at = Some(at(4));
    edited.reactions = vec![
        Reaction {
            emoji: "👍".to_owned(),
            count: 2,
            users: vec![BOB, ME],
        },
        Reaction {
            emoji: "❤️".to_owned(),
            count: 1,
            users: vec![BOB],
        },
    ];
    let mut with_file = message(BOBS, 4, BOB, "The report: ");
    with_file.segments.push(Segment::Known(KnownSegment::File {
        file,
        name: "report-2026.pdf".to_owned(),
        size: 1_234_567,
        mime: "application/pdf".to_owned(),
    }));
    with_file.segments.push(Segment::Known(KnownSegment::Image {
        file,
        width: 640,
        height: 480,
        size: 98_765,
        name: None,
        thumbhash: None,
    }));
    with_file
        .segments
        .push(Segment::Known(KnownSegment::Mention {
            user_id: Mentioned::User(ME),
        }));
    let mut recalled = message(BOBS, 5, BOB, "");
    recalled.segments.clear();
    recalled.recalled_at = Some(at(6));
    vec![
        yesterday,
        answer,
        edited,
        with_file,
        recalled,
        message(BOBS, 6, BOB, "Shall we?"),
    ]
}

/// Bob's conversation, which is open, and loaded.
pub(super) fn open_bobs(state: &mut State) {
    assert_eq!(state.open, Some(BOBS), "it has the newest activity");
    news(state, loaded(BOBS, Wanted::Newest, page(history(), false)));
}

#[test]
fn the_list() {
    everywhere("list", |state| {
        press(state, KeyCode::Tab);
    });
}

#[test]
fn a_conversation_with_everything() {
    everywhere("history", open_bobs);
}

#[test]
fn a_first_start_says_what_to_do() {
    everywhere("empty", |state| {
        *state = online(state.setting.lang, state.size);
        news(state, News::List(Vec::new()));
    });
}

#[test]
fn what_is_written_waits_and_fails() {
    everywhere("waiting", |state| {
        open_bobs(state);
        write(state, "This one waits.");
        press(state, KeyCode::Enter);
        write(state, "This one failed.");
        press(state, KeyCode::Enter);
        let client_id = "run-2".to_owned();
        let reason = "This user does not want to hear from you.".to_owned();
        let code = "blocked".to_owned();
        news(
            state,
            News::Failed(Failed {
                client_id,
                code,
                reason,
            }),
        );
        let reason = "refused".to_owned();
        let next_try = std::time::Duration::from_secs(12);
        news(
            state,
            News::Connection(Connection::Waiting { reason, next_try }),
        );
        write(state, "two lines: 你好");
        ctrl(state, 'j');
        write(state, "and an end");
    });
}

#[test]
fn the_help() {
    everywhere("help", |state| {
        press(state, KeyCode::F(1));
    });
}

#[test]
fn a_file_on_its_way_and_a_reply() {
    everywhere("upload", |state| {
        open_bobs(state);
        press(state, KeyCode::Up);
        press(state, KeyCode::Char('r'));
        ctrl(state, 'o');
        write(state, "/tmp/holiday.jpg");
        let effects = press(state, KeyCode::Enter);
        let [Effect::Upload { id, .. }] = effects[..] else {
            panic!("{effects:?}");
        };
        update(
            state,
            Input::Clock(at(30) + jiff::SignedDuration::from_secs(2)),
        );
        let progress = Progress::Moved(1_500_000, 6_000_000);
        news(state, News::Transfer { id, progress });
    });
}

#[test]
fn popups() {
    everywhere("switcher", |state| {
        ctrl(state, 'k');
        write(state, "e");
    });
    everywhere("new-chat", |state| {
        ctrl(state, 'n');
        write(state, "z");
        let Some(crate::chat::popup::Popup::NewChat { ticket, .. }) = state.popup else {
            panic!("no popup");
        };
        let users = vec![zhang(), user(client::model::UserId(8), "zoe", "Zoë")];
        news(state, News::Users { ticket, users });
        press(state, KeyCode::Down);
    });
    everywhere("requests", |state| {
        let request = ContactRequest {
            id: 4,
            direction: Direction::Incoming,
            user: user(client::model::UserId(8), "zoe", "Zoë"),
            note: "We met at the fair".to_owned(),
            time: at(1),
        };
        news(state, News::Requests(vec![request]));
        ctrl(state, 'r');
    });
    everywhere("react", |state| {
        open_bobs(state);
        press(state, KeyCode::Up);
        press(state, KeyCode::Char('+'));
    });
}

#[test]
fn another_program_took_over() {
    everywhere("replaced", |state| {
        open_bobs(state);
        news(state, News::Connection(Connection::Ended(Ended::Replaced)));
    });
}

#[test]
fn a_sign_in_that_is_over_says_what_to_do_and_keeps_what_was_written_in_sight() {
    everywhere("signed-out", |state| {
        open_bobs(state);
        write(state, "half a sent");
        news(state, News::Connection(Connection::Ended(Ended::SignedOut)));
        write(state, "ence");
    });
}

#[test]
fn a_lock_is_told_as_one() {
    let mut state = connected(Lang::En, (80, 24));
    open_bobs(&mut state);
    let signed_out = Connection::Ended(Ended::SignedOut);
    news(&mut state, News::Connection(signed_out));
    news(&mut state, News::Locked);
    let shown = screen(&state);
    assert!(
        shown.contains("An administrator locked this account"),
        "{shown}"
    );
    assert!(!shown.contains("myim login"), "{shown}");
    let effects = press(&mut state, KeyCode::Char('q'));
    assert!(matches!(&effects[..], [Effect::Quit]), "{effects:?}");
}

#[test]
fn a_tiny_terminal_says_so() {
    for size in [(20, 5), (1, 1), (26, 7), (25, 30)] {
        let mut state = connected(Lang::En, size);
        open_bobs(&mut state);
        let shown = screen(&state);
        assert!(
            "The window is too small.".starts_with(shown.trim().trim_end_matches('…')),
            "{shown}"
        );
    }
}

#[test]
fn every_size_can_be_drawn() {
    for width in (1..100).step_by(7) {
        for height in 1..30 {
            let mut state = connected(Lang::Zh, (80, 24));
            open_bobs(&mut state);
            write(&mut state, "some 文字 that\u{301} wraps");
            update(&mut state, Input::Resize(width, height));
            screen(&state);
            press(&mut state, KeyCode::F(1));
            screen(&state);
        }
    }
}

#[test]
fn nothing_is_said_by_color_alone() {
    let mut colored = connected(Lang::En, (80, 24));
    open_bobs(&mut colored);
    let mut plain = connected(Lang::En, (80, 24));
    plain.setting.color = false;
    open_bobs(&mut plain);
    let (with, _) = draw(&colored);
    let (without, _) = draw(&plain);
    assert_eq!(text_of(&with), text_of(&without));
    let colors = |buffer: &Buffer| {
        let mut cells = buffer.content().iter();
        cells.any(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset)
    };
    assert!(colors(&with) && !colors(&without));
}

#[test]
fn nobody_writes_to_the_terminal_but_us() {
    let evil = "\u{1b}]0;pwned\u{7}\u{1b}[2J\u{9b}31m\u{202e}abc\u{2066}\u{200f}\r\u{8}";
    let mut state = connected(Lang::En, (80, 24));
    let mut summary = with_bob();
    summary.peer = Some(user(BOB, evil, evil));
    summary.last_seq = Seq(7);
    news(&mut state, News::Conversation(Box::new(summary)));
    open_bobs(&mut state);
    let mut bad = message(BOBS, 8, BOB, evil);
    bad.segments.push(Segment::Known(KnownSegment::File {
        file: BlobId([1; 32]),
        name: evil.to_owned(),
        size: 1,
        mime: evil.to_owned(),
    }));
    bad.reactions = vec![Reaction {
        emoji: evil.to_owned(),
        count: 1,
        users: vec![],
    }];
    let entry = News::Entry {
        conversation: BOBS,
        seq: Seq(8),
        content: client::live::EntryContent::Message(bad),
    };
    news(&mut state, entry);
    update(&mut state, Input::Paste(evil.to_owned()));
    news(&mut state, News::Refused(evil.to_owned()));
    let (buffer, _) = draw(&state);
    assert!(text_of(&buffer).contains("abc"));
    for cell in buffer.content() {
        assert!(
            crate::chat::clean::is_harmless(cell.symbol()),
            "{:?}",
            cell.symbol()
        );
    }
}
