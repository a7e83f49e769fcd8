//! The user interface without a terminal: inputs go in, effects and screens come out.

mod conversation;
mod keys;
mod made;
mod many;
mod network;
mod screens;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::message::{Effect, Input, News};
use super::state::State;
use super::update::update;
use super::view::view;

/// A screen as text, without the spaces at the ends of its lines.
fn text_of(buffer: &Buffer) -> String {
    let mut text = String::new();
    let width = usize::from(buffer.area.width);
    for row in buffer.content().chunks(width) {
        let mut line = String::new();
        let mut hidden = 0;
        for cell in row {
            if hidden > 0 {
                hidden -= 1;
                continue;
            }
            line.push_str(cell.symbol());
            hidden = super::clean::width(cell.symbol()).saturating_sub(1);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// What is on the screen, and where the cursor is.
fn draw(state: &State) -> (Buffer, Option<(u16, u16)>) {
    let (width, height) = state.size;
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.hide_cursor().unwrap();
    terminal.draw(|frame| view(state, frame)).unwrap();
    let backend = terminal.backend();
    let position = backend.cursor_position();
    let visible = backend.cursor_visible();
    (
        backend.buffer().clone(),
        visible.then_some((position.x, position.y)),
    )
}

fn screen(state: &State) -> String {
    text_of(&draw(state).0)
}

/// Compares a screen with the one that was looked at. `MYIM_UPDATE_SCREENS=1` writes it anew.
fn check(name: &str, state: &State) {
    let shown = screen(state);
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/chat/snapshots");
    let path = folder.join(format!("{name}.txt"));
    if std::env::var_os("MYIM_UPDATE_SCREENS").is_some() {
        std::fs::write(&path, &shown).unwrap();
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        known == shown,
        "{name}\n--- known\n{known}\n--- shown\n{shown}"
    );
}

fn news(state: &mut State, news: News) -> Vec<Effect> {
    update(state, Input::News(Box::new(news)))
}

fn press(state: &mut State, code: KeyCode) -> Vec<Effect> {
    update(state, Input::Key(KeyEvent::new(code, KeyModifiers::NONE)))
}

fn ctrl(state: &mut State, letter: char) -> Vec<Effect> {
    let key = KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL);
    update(state, Input::Key(key))
}

fn alt(state: &mut State, code: KeyCode) -> Vec<Effect> {
    update(state, Input::Key(KeyEvent::new(code, KeyModifiers::ALT)))
}

fn write(state: &mut State, text: &str) -> Vec<Effect> {
    let typed = text
        .chars()
        .flat_map(|one| press(state, KeyCode::Char(one)));
    typed.collect()
}
