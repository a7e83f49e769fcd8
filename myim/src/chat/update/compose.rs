//! Writing a message.

use client::Target;
use client::live::Outgoing;
use client::model::Segment;
use jiff::SignedDuration;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{keys, opening, select, with_history};
use crate::chat::geometry::{geometry, is_side_by_side};
use crate::chat::history::Pending;
use crate::chat::message::Effect;
use crate::chat::state::{Mode, Pane, State};

/// That the user types is told again after this time.
const TYPING_EVERY: SignedDuration = SignedDuration::from_secs(3);

pub(super) fn press(state: &mut State, key: KeyEvent, effects: &mut Vec<Effect>) {
    let newline = KeyModifiers::ALT | KeyModifiers::SHIFT;
    match key.code {
        KeyCode::Enter if key.modifiers.intersects(newline) => paste(state, "\n", effects),
        KeyCode::Char('j') if keys::ctrl(key) => paste(state, "\n", effects),
        KeyCode::Enter => send(state, effects),
        KeyCode::Esc => step_back(state),
        KeyCode::Up => up(state),
        KeyCode::Down => {
            let width = width(state);
            if let Some(chat) = state.open_chat_mut() {
                chat.draft.move_row(width, true);
            }
        }
        KeyCode::End if is_empty(state) => opening::to_newest(state),
        _ => {
            if let Some(one) = keys::typed(key) {
                paste(state, one.encode_utf8(&mut [0; 4]), effects);
            } else if let (Some(edit), Some(chat)) = (keys::edit(key), state.open_chat_mut()) {
                chat.draft.apply(edit);
            }
        }
    }
}

pub(super) fn paste(state: &mut State, text: &str, effects: &mut Vec<Effect>) {
    let now = state.now;
    let Some(chat) = state.open_chat_mut() else {
        return;
    };
    chat.selected = None;
    chat.draft.insert(text);
    let told = chat
        .typing_told
        .is_some_and(|told| now.duration_since(told) < TYPING_EVERY);
    let edits = matches!(chat.mode, Mode::Edit(_));
    if !told && !edits {
        chat.typing_told = Some(now);
        effects.push(Effect::Typing(chat.summary.id));
    }
}

fn is_empty(state: &State) -> bool {
    state.open_chat().is_none_or(|chat| chat.draft.is_empty())
}

fn width(state: &State) -> usize {
    let area = geometry(state).and_then(|geometry| geometry.chat);
    area.map_or(1, |area| usize::from(area.input.width))
}

/// Up goes through the text; in an empty one it chooses a message.
fn up(state: &mut State) {
    if is_empty(state) {
        select::begin(state);
        return;
    }
    let width = width(state);
    if let Some(chat) = state.open_chat_mut() {
        chat.draft.move_row(width, false);
    }
}

/// Out of a reply or an edit; otherwise to the newest message; otherwise to the list.
fn step_back(state: &mut State) {
    let narrow = !is_side_by_side(state);
    let Some(chat) = state.open_chat_mut() else {
        return;
    };
    if chat.mode != Mode::New {
        if matches!(chat.mode, Mode::Edit(_)) {
            chat.draft.take();
        }
        chat.mode = Mode::New;
    } else if chat.history.anchor.is_some() || !chat.history.is_live() {
        opening::to_newest(state);
    } else if narrow {
        state.pane = Pane::List;
    }
}

fn send(state: &mut State, effects: &mut Vec<Effect>) {
    let Some(chat) = state.open_chat_mut() else {
        return;
    };
    if chat.draft.text().trim().is_empty() {
        return;
    }
    let id = chat.summary.id;
    let text = chat.draft.take();
    let segments = vec![Segment::text(text.trim_end())];
    chat.typing_told = None;
    match std::mem::take(&mut chat.mode) {
        Mode::Edit(seq) => effects.push(Effect::Edit(id, seq, segments)),
        Mode::New => post(state, (id, None), segments, effects),
        Mode::Reply(seq) => post(state, (id, Some(seq)), segments, effects),
    }
}

/// Gives a message to the outbox and shows it as waiting.
pub(super) fn post(
    state: &mut State,
    (id, reply_to): (client::model::ConversationId, Option<client::model::Seq>),
    segments: Vec<Segment>,
    effects: &mut Vec<Effect>,
) {
    let client_id = state.next_client_id();
    let time = state.now;
    if state.open == Some(id) {
        opening::to_newest(state);
    }
    let Some(chat) = state.chats.get_mut(&id) else {
        return;
    };
    chat.new_after = None;
    chat.history.wait_for(Pending {
        client_id: client_id.clone(),
        segments: segments.clone(),
        reply_to,
        time,
        failed: None,
    });
    effects.push(Effect::Send(Box::new(Outgoing {
        to: Target::Conversation(id),
        segments,
        reply_to,
        client_id: Some(client_id),
        expire_after: None,
    })));
    state.sort();
    with_history(state, |history, _, _| history.anchor = None);
}
