//! Choosing a message, and what can be done with it.

use client::model::{KnownSegment, Message, Segment};
use ratatui::crossterm::event::{KeyCode, KeyEvent};

use super::{compose, keys, opening, popups, with_history};
use crate::chat::editor::Editor;
use crate::chat::history::Item;
use crate::chat::message::{Effect, FileOf};
use crate::chat::popup::Popup;
use crate::chat::state::{Mode, State, editable};

/// Chooses the newest message on the screen.
pub(super) fn begin(state: &mut State) {
    let lowest = with_history(state, |history, context, (width, height)| {
        let rows = history.visible(context, width, height);
        rows.last().and_then(|row| history.key(row.index))
    });
    if let (Some(lowest), Some(chat)) = (lowest.flatten(), state.open_chat_mut()) {
        chat.selected = Some(lowest);
    }
}

pub(super) fn press(state: &mut State, key: KeyEvent, effects: &mut Vec<Effect>) {
    match key.code {
        KeyCode::Up => step(state, false),
        KeyCode::Down => step(state, true),
        KeyCode::Esc | KeyCode::Enter => end(state),
        KeyCode::End => opening::to_newest(state),
        _ => {
            let Some(letter) = keys::typed(key) else {
                return;
            };
            if is_command(state, letter) {
                act(state, letter, effects);
            } else {
                // Whoever writes on means the conversation.
                compose::paste(state, letter.encode_utf8(&mut [0; 4]), effects);
            }
        }
    }
}

fn end(state: &mut State) {
    if let Some(chat) = state.open_chat_mut() {
        chat.selected = None;
    }
}

fn step(state: &mut State, down: bool) {
    let Some(chat) = state.open_chat_mut() else {
        return;
    };
    let place = chat
        .selected
        .as_ref()
        .and_then(|key| chat.history.index(key));
    let last = chat.history.len().saturating_sub(1);
    chat.selected = match place {
        Some(place) if down && place >= last => None,
        Some(place) if down => chat.history.key(place + 1),
        Some(place) => chat.history.key(place.saturating_sub(1)),
        None => chat.history.key(last),
    };
    reveal(state);
}

/// Scrolls to what is chosen.
pub(super) fn reveal(state: &mut State) {
    let Some(selected) = state.open_chat().and_then(|chat| chat.selected.clone()) else {
        return;
    };
    with_history(state, |history, context, size| {
        if let Some(index) = history.index(&selected) {
            history.reveal(context, size, index);
        }
    });
}

/// What can be done with the chosen message.
enum Chosen {
    Stored(Box<Message>),
    /// What waits is only waited for; what failed can be sent again.
    Failed(String),
    Waiting,
}

fn chosen(state: &State) -> Option<Chosen> {
    let chat = state.open_chat()?;
    let index = chat.history.index(chat.selected.as_ref()?)?;
    Some(match chat.history.item(index)? {
        Item::Stored(message) => Chosen::Stored(Box::new(message.clone())),
        Item::Pending(pending) if pending.failed.is_some() => {
            Chosen::Failed(pending.client_id.clone())
        }
        Item::Pending(_) => Chosen::Waiting,
    })
}

/// Whether the chosen message was not sent: then other keys are shown.
pub(crate) fn is_failed(state: &State) -> bool {
    matches!(chosen(state), Some(Chosen::Failed(_)))
}

/// Whether this letter does something with the chosen message.
fn is_command(state: &State, letter: char) -> bool {
    let commands = match chosen(state) {
        Some(Chosen::Stored(_)) => "red+s?",
        Some(Chosen::Failed(_)) => "RrD",
        Some(Chosen::Waiting) | None => "",
    };
    commands.contains(letter)
}

fn act(state: &mut State, letter: char, effects: &mut Vec<Effect>) {
    match chosen(state) {
        Some(Chosen::Stored(message)) => act_on(state, letter, &message),
        Some(Chosen::Failed(client_id)) => mend(state, letter, client_id, effects),
        Some(Chosen::Waiting) | None => {}
    }
}

fn act_on(state: &mut State, letter: char, message: &Message) {
    let own = message.sender == state.me();
    let there = message.notice.is_none() && message.recalled_at.is_none();
    match letter {
        'r' if there => compose_as(state, Mode::Reply(message.seq), None),
        'e' if there && own => {
            if let Some(text) = editable(&message.segments) {
                compose_as(state, Mode::Edit(message.seq), Some(&text));
            }
        }
        'd' if there => state.popup = Some(Popup::Recall { seq: message.seq }),
        '+' if there => {
            let emoji = Editor::default();
            state.popup = Some(Popup::React {
                seq: message.seq,
                emoji,
            });
        }
        's' if there => match file_of(message) {
            Some(file) => popups::open_save_file(state, file),
            None => state.tell(state.texts.nothing_to_save, false),
        },
        'e' if there => state.tell(state.texts.only_own, true),
        '?' => state.popup = Some(Popup::Help { scroll: 0 }),
        _ => {}
    }
}

fn compose_as(state: &mut State, mode: Mode, text: Option<&str>) {
    if let Some(chat) = state.open_chat_mut() {
        chat.mode = mode;
        chat.selected = None;
        if let Some(text) = text {
            chat.draft = Editor::new(text);
        }
    }
}

fn mend(state: &mut State, letter: char, client_id: String, effects: &mut Vec<Effect>) {
    let Some(chat) = state.open_chat_mut() else {
        return;
    };
    match letter {
        'R' | 'r' => {
            chat.history.set_failed(&client_id, None);
            effects.push(Effect::Retry(client_id));
        }
        'D' => {
            chat.history.take_pending(&client_id);
            effects.push(Effect::Discard(client_id));
        }
        _ => return,
    }
    chat.selected = None;
}

/// The first file or picture of a message.
fn file_of(message: &Message) -> Option<FileOf> {
    message.segments.iter().find_map(|segment| match segment {
        Segment::Known(KnownSegment::File { file, name, .. }) => Some(FileOf {
            content: *file,
            is_picture: false,
            name: name.clone(),
        }),
        Segment::Known(KnownSegment::Image { file, name, .. }) => Some(FileOf {
            content: *file,
            is_picture: true,
            name: name.clone().unwrap_or_else(|| "picture".to_owned()),
        }),
        _ => None,
    })
}
