//! Keys in the list of conversations.

use client::model::{ConversationEdit, Notify};
use ratatui::crossterm::event::{KeyCode, KeyEvent};

use super::opening::{self, neighbor};
use super::{compose, keys};
use crate::chat::message::Effect;
use crate::chat::popup::Popup;
use crate::chat::state::{Pane, State};

pub(super) fn press(state: &mut State, key: KeyEvent, effects: &mut Vec<Effect>) {
    let chosen = state.chosen.or(state.open);
    match key.code {
        KeyCode::Up => state.chosen = neighbor(state, chosen, false),
        KeyCode::Down => state.chosen = neighbor(state, chosen, true),
        KeyCode::Home => state.chosen = state.order.first().copied(),
        KeyCode::End => state.chosen = state.order.last().copied(),
        KeyCode::Enter | KeyCode::Right => {
            if let Some(id) = chosen {
                opening::open(state, id, effects);
            }
        }
        KeyCode::Esc if state.open.is_some() => state.pane = Pane::Chat,
        KeyCode::Char('?') => state.popup = Some(Popup::Help { scroll: 0 }),
        _ => {
            if let Some(one) = keys::typed(key) {
                write(state, one.encode_utf8(&mut [0; 4]), effects);
            }
        }
    }
}

/// Whoever begins to write means the chosen conversation.
pub(super) fn write(state: &mut State, text: &str, effects: &mut Vec<Effect>) {
    match state.chosen.or(state.open) {
        Some(id) => {
            opening::open(state, id, effects);
            compose::paste(state, text, effects);
        }
        None => state.tell(state.texts.nowhere_to_write, true),
    }
}

/// Pins or mutes the conversation that is chosen in the list, or the one that is open; or takes
/// that back.
pub(super) fn keep(state: &mut State, pin: bool, effects: &mut Vec<Effect>) {
    let meant = match state.pane {
        Pane::List => state.chosen.or(state.open),
        Pane::Chat => state.open,
    };
    let Some(chat) = meant.and_then(|id| state.chats.get_mut(&id)) else {
        return;
    };
    let summary = &mut chat.summary;
    let mut edit = ConversationEdit::default();
    if pin {
        summary.pinned = !summary.pinned;
        edit.pinned = Some(summary.pinned);
    } else {
        summary.muted = !summary.muted;
        let notify = if summary.muted {
            Notify::Nothing
        } else {
            Notify::All
        };
        edit.notify = Some(notify);
    }
    effects.push(Effect::Keep(summary.id, edit));
    state.sort();
}
