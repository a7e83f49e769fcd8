//! Which key does what, and where it goes.

use client::Ended;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::{compose, list, opening, popups, scroll, select};
use crate::chat::editor::Edit;
use crate::chat::geometry::geometry;
use crate::chat::message::Effect;
use crate::chat::popup::Popup;
use crate::chat::state::{Link, Pane, State};

pub(super) fn press(state: &mut State, key: KeyEvent, effects: &mut Vec<Effect>) {
    if key.kind == KeyEventKind::Release {
        return;
    }
    let quitting = std::mem::take(&mut state.quitting);
    state.told = None;
    if is_ctrl(key, 'c') {
        quit(state, quitting, effects);
    } else if always(state, key, effects) {
    } else if state.popup.is_some() {
        popups::press(state, key, effects);
    } else if ended(state, key, effects) || global(state, key, effects) {
    } else if state.pane == Pane::List || state.open.is_none() {
        list::press(state, key, effects);
    } else if state
        .open_chat()
        .is_some_and(|chat| chat.selected.is_some())
    {
        select::press(state, key, effects);
    } else {
        compose::press(state, key, effects);
    }
}

pub(super) fn paste(state: &mut State, text: &str, effects: &mut Vec<Effect>) {
    if state.popup.is_some() {
        popups::paste(state, text, effects);
    } else if state.pane == Pane::List || state.open.is_none() {
        list::write(state, text, effects);
    } else {
        compose::paste(state, text, effects);
    }
}

fn quit(state: &mut State, quitting: bool, effects: &mut Vec<Effect>) {
    let drafts = state.chats.values().any(|chat| !chat.draft.is_empty());
    if quitting || !drafts && state.transfers.is_empty() {
        effects.push(Effect::Quit);
    } else {
        state.quitting = true;
        state.tell(state.texts.drafts_would_go, true);
    }
}

/// What works wherever one is.
fn always(state: &mut State, key: KeyEvent, effects: &mut Vec<Effect>) -> bool {
    match key.code {
        KeyCode::F(1) => {
            state.popup = match state.popup {
                Some(Popup::Help { .. }) => None,
                _ => Some(Popup::Help { scroll: 0 }),
            };
        }
        KeyCode::Char('z') if ctrl(key) => effects.push(Effect::Suspend),
        KeyCode::Char('l') if ctrl(key) => effects.push(Effect::Redraw),
        KeyCode::Char('x') if ctrl(key) => {
            if let Some(transfer) = state.transfers.last() {
                effects.push(Effect::CancelTransfer(transfer.id));
            }
        }
        _ => return false,
    }
    true
}

/// After the connection ended for good, for example because another program took this device's
/// place.
fn ended(state: &State, key: KeyEvent, effects: &mut Vec<Effect>) -> bool {
    if !state.link.is_over() {
        return false;
    }
    match key.code {
        KeyCode::Char('r') if state.link == Link::Ended(Ended::Replaced) && !ctrl(key) => {
            effects.push(Effect::TakeOver)
        }
        KeyCode::Char('q') if !ctrl(key) => effects.push(Effect::Quit),
        // There is nothing to write into.
        _ => return typed(key).is_some(),
    }
    true
}

fn global(state: &mut State, key: KeyEvent, effects: &mut Vec<Effect>) -> bool {
    let alt = key.modifiers.contains(KeyModifiers::ALT);
    match key.code {
        KeyCode::Char('k') if ctrl(key) => popups::open_switcher(state),
        KeyCode::Char('n') if ctrl(key) => popups::open_new_chat(state),
        KeyCode::Char('r') if ctrl(key) => popups::open_requests(state, effects),
        KeyCode::Char('f') if ctrl(key) => popups::open_search(state),
        KeyCode::Char('o') if ctrl(key) => popups::open_send_file(state),
        KeyCode::Up if alt || ctrl(key) => opening::step(state, false, effects),
        KeyCode::Down if alt || ctrl(key) => opening::step(state, true, effects),
        KeyCode::Char('a') if alt => opening::to_unread(state, effects),
        KeyCode::Char('p') if alt => list::keep(state, true, effects),
        KeyCode::Char('m') if alt => list::keep(state, false, effects),
        KeyCode::PageUp => {
            if let Some(chat) = state.open_chat_mut() {
                chat.history.retry();
            }
            let page = page(state);
            scroll(state, page);
        }
        KeyCode::PageDown => {
            let page = page(state);
            scroll(state, -page);
        }
        KeyCode::Tab | KeyCode::BackTab => {
            state.pane = match state.pane {
                Pane::List if state.open.is_some() => Pane::Chat,
                _ => Pane::List,
            };
        }
        _ => return false,
    }
    true
}

/// A screen less two lines, so that the eye finds its place.
fn page(state: &State) -> isize {
    let area = geometry(state).and_then(|geometry| geometry.chat);
    let rows = area.map_or(1, |area| area.history.height.saturating_sub(2).max(1));
    isize::try_from(rows).unwrap_or(1)
}

pub(super) fn ctrl(key: KeyEvent) -> bool {
    key.modifiers.contains(KeyModifiers::CONTROL)
}

pub(super) fn is_ctrl(key: KeyEvent, letter: char) -> bool {
    ctrl(key) && key.code == KeyCode::Char(letter)
}

/// What a key types, if it types something.
pub(super) fn typed(key: KeyEvent) -> Option<char> {
    let command = KeyModifiers::CONTROL | KeyModifiers::ALT;
    match key.code {
        KeyCode::Char(one) if !key.modifiers.intersects(command) => Some(one),
        _ => None,
    }
}

/// What a key does to a text, if it edits.
pub(super) fn edit(key: KeyEvent) -> Option<Edit> {
    let alt = key.modifiers.contains(KeyModifiers::ALT);
    let word = alt || ctrl(key);
    let edit = match key.code {
        KeyCode::Left if word => Edit::WordLeft,
        KeyCode::Right if word => Edit::WordRight,
        KeyCode::Char('b') if alt => Edit::WordLeft,
        KeyCode::Char('f') if alt => Edit::WordRight,
        KeyCode::Left => Edit::Left,
        KeyCode::Right => Edit::Right,
        KeyCode::Home => Edit::LineStart,
        KeyCode::End => Edit::LineEnd,
        KeyCode::Char('a') if ctrl(key) => Edit::LineStart,
        KeyCode::Char('e') if ctrl(key) => Edit::LineEnd,
        KeyCode::Char('w') if ctrl(key) => Edit::DeleteWord,
        KeyCode::Char('u') if ctrl(key) => Edit::DeleteToStart,
        KeyCode::Char('h') if ctrl(key) => Edit::Backspace,
        KeyCode::Backspace if word => Edit::DeleteWord,
        KeyCode::Backspace => Edit::Backspace,
        KeyCode::Delete => Edit::Delete,
        _ => return None,
    };
    Some(edit)
}
