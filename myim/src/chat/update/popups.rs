//! Keys in popups.

use ratatui::crossterm::event::{KeyCode, KeyEvent};

use super::{keys, opening, transfers};
use crate::chat::editor::Editor;
use crate::chat::message::{Effect, FileOf};
use crate::chat::popup::{EMOJIS, Popup, switcher_hits};
use crate::chat::state::State;

pub(super) fn open_switcher(state: &mut State) {
    let query = Editor::default();
    state.popup = Some(Popup::Switcher { query, chosen: 0 });
}

pub(super) fn open_new_chat(state: &mut State) {
    let query = Editor::default();
    let found = Vec::new();
    state.popup = Some(Popup::NewChat {
        query,
        ticket: 0,
        found,
        chosen: 0,
    });
}

pub(super) fn open_requests(state: &mut State, effects: &mut Vec<Effect>) {
    state.popup = Some(Popup::Requests { chosen: 0 });
    effects.push(Effect::LoadRequests);
}

pub(super) fn open_search(state: &mut State) {
    let query = Editor::default();
    state.popup = Some(Popup::Search {
        query,
        ticket: 0,
        hits: None,
        chosen: 0,
    });
}

pub(super) fn open_send_file(state: &mut State) {
    if state.open.is_some() {
        let path = Editor::default();
        state.popup = Some(Popup::SendFile {
            path,
            ticket: 0,
            choices: Vec::new(),
        });
    }
}

/// Proposes the name in the current directory; slashes of other people go.
pub(super) fn open_save_file(state: &mut State, mut file: FileOf) {
    let name = crate::chat::clean::line(&file.name).replace(['/', '\\'], "_");
    name.trim_start_matches('.').clone_into(&mut file.name);
    state.popup = Some(Popup::SaveFile {
        path: Editor::new(&file.name),
        ticket: 0,
        choices: Vec::new(),
        file,
    });
}

pub(super) fn press(state: &mut State, key: KeyEvent, effects: &mut Vec<Effect>) {
    let Some(popup) = &mut state.popup else {
        return;
    };
    match key.code {
        KeyCode::Esc => state.popup = None,
        KeyCode::Up => choose(state, -1),
        KeyCode::Down => choose(state, 1),
        KeyCode::PageUp => choose(state, -10),
        KeyCode::PageDown => choose(state, 10),
        KeyCode::Enter => enter(state, effects),
        KeyCode::Tab => complete(state, effects),
        _ => {
            let has_field = popup.editor().is_some();
            match (keys::typed(key), keys::edit(key)) {
                (Some(letter), _) if has_field => {
                    if !react_by_number(state, letter, effects) {
                        paste(state, letter.encode_utf8(&mut [0; 4]), effects);
                    }
                }
                (Some(letter), _) => command(state, letter, effects),
                (None, Some(edit)) => {
                    if let Some(editor) = state.popup.as_mut().and_then(Popup::editor) {
                        editor.apply(edit);
                        edited(state, effects);
                    }
                }
                (None, None) => {}
            }
        }
    }
}

pub(super) fn paste(state: &mut State, text: &str, effects: &mut Vec<Effect>) {
    let editor = state.popup.as_mut().and_then(Popup::editor);
    if let Some(editor) = editor {
        // Fields of popups have one line.
        editor.insert(&crate::chat::clean::line(text));
        edited(state, effects);
    }
}

/// Moves the choice; the view and [`enter`] keep it within what there is.
fn choose(state: &mut State, by: isize) {
    let count = match &state.popup {
        Some(Popup::Help { .. }) => state.texts.help.len(),
        Some(Popup::Switcher { query, .. }) => switcher_hits(state, query.text()).len(),
        Some(Popup::NewChat { found, .. }) => found.len(),
        Some(Popup::Requests { .. }) => state.incoming().count(),
        Some(Popup::Search { hits, .. }) => hits.as_ref().map_or(0, Vec::len),
        _ => return,
    };
    match &mut state.popup {
        Some(Popup::Help { scroll: chosen })
        | Some(
            Popup::Switcher { chosen, .. }
            | Popup::NewChat { chosen, .. }
            | Popup::Requests { chosen }
            | Popup::Search { chosen, .. },
        ) => {
            *chosen = chosen
                .saturating_add_signed(by)
                .min(count.saturating_sub(1))
        }
        _ => {}
    }
}

/// The text of a popup is another one now.
fn edited(state: &mut State, effects: &mut Vec<Effect>) {
    let number = state.next_number();
    match &mut state.popup {
        Some(Popup::Switcher { chosen, .. }) => *chosen = 0,
        Some(Popup::NewChat {
            query,
            ticket,
            chosen,
            found,
        }) => {
            (*ticket, *chosen) = (number, 0);
            let wanted = query.text().trim();
            if wanted.is_empty() {
                found.clear();
            } else {
                effects.push(Effect::FindUsers(number, wanted.to_owned()));
            }
        }
        Some(Popup::Search { hits, chosen, .. }) => (*hits, *chosen) = (None, 0),
        Some(Popup::SendFile { choices, .. } | Popup::SaveFile { choices, .. }) => choices.clear(),
        _ => {}
    }
}

/// Letters where no text is written.
fn command(state: &mut State, letter: char, effects: &mut Vec<Effect>) {
    let Some(Popup::Requests { chosen }) = &state.popup else {
        if letter == 'q' || letter == '?' {
            state.popup = None;
        }
        return;
    };
    let accept = match letter {
        'a' | 'y' => true,
        'd' | 'n' => false,
        _ => return,
    };
    let Some(id) = state.incoming().nth(*chosen).map(|request| request.id) else {
        return;
    };
    state.requests.retain(|request| request.id != id);
    effects.push(Effect::AnswerContact(id, accept));
    choose(state, 0);
}

fn react_by_number(state: &mut State, letter: char, effects: &mut Vec<Effect>) -> bool {
    let Some(Popup::React { emoji, .. }) = &state.popup else {
        return false;
    };
    let number = letter.to_digit(10);
    let place = number.and_then(|number| usize::try_from(number).ok()?.checked_sub(1));
    let Some(chosen) = place
        .and_then(|place| EMOJIS.get(place))
        .filter(|_| emoji.is_empty())
    else {
        return false;
    };
    react(state, chosen, effects);
    true
}

/// Adds a reaction, or takes it back if it is one's own.
fn react(state: &mut State, emoji: &str, effects: &mut Vec<Effect>) {
    let Some(Popup::React { seq, .. }) = state.popup.take() else {
        return;
    };
    let me = state.me();
    let Some(chat) = state.open_chat_mut() else {
        return;
    };
    let mut reactions = chat
        .history
        .get(seq)
        .into_iter()
        .flat_map(|message| &message.reactions);
    let there = !reactions.any(|one| one.emoji == emoji && one.users.contains(&me));
    chat.selected = None;
    effects.push(Effect::React {
        conversation: chat.summary.id,
        seq,
        emoji: emoji.to_owned(),
        there,
    });
}

fn enter(state: &mut State, effects: &mut Vec<Effect>) {
    match state.popup.take() {
        Some(Popup::Switcher { query, chosen }) => {
            if let Some(id) = switcher_hits(state, query.text()).get(chosen) {
                opening::open(state, *id, effects);
            }
        }
        Some(Popup::NewChat {
            query,
            ticket,
            found,
            chosen,
        }) => match found.get(chosen) {
            Some(user) => effects.push(Effect::OpenWith(user.clone())),
            None => {
                if !query.is_empty() {
                    state.tell(state.texts.nothing_found, true);
                }
                state.popup = Some(Popup::NewChat {
                    query,
                    ticket,
                    found,
                    chosen,
                })
            }
        },
        Some(Popup::Note { user, note }) => {
            effects.push(Effect::RequestContact(user, note.text().trim().to_owned()));
        }
        Some(Popup::Search {
            query, hits: None, ..
        }) => search(state, query, effects),
        Some(Popup::Search {
            hits: Some(hits),
            chosen,
            ..
        }) => {
            if let Some(hit) = hits.get(chosen) {
                opening::jump(state, (hit.conversation, hit.seq), effects);
            }
        }
        Some(Popup::SendFile { path, .. }) => transfers::send(state, path, effects),
        Some(Popup::SaveFile { path, file, .. }) => transfers::save(state, path, file, effects),
        Some(Popup::React { seq, emoji }) if !emoji.text().trim().is_empty() => {
            let text = emoji.text().trim().to_owned();
            state.popup = Some(Popup::React { seq, emoji });
            react(state, &text, effects);
        }
        Some(Popup::Recall { seq }) => {
            if let Some(chat) = state.open_chat_mut() {
                chat.selected = None;
                effects.push(Effect::Recall(chat.summary.id, seq));
            }
        }
        Some(popup @ Popup::Requests { .. }) => state.popup = Some(popup),
        Some(Popup::Help { .. } | Popup::React { .. }) | None => {}
    }
}

fn search(state: &mut State, query: Editor, effects: &mut Vec<Effect>) {
    let ticket = state.next_number();
    let words = query.text().trim().to_owned();
    if !words.is_empty() {
        effects.push(Effect::Search(ticket, words));
    }
    state.popup = Some(Popup::Search {
        query,
        ticket,
        hits: None,
        chosen: 0,
    });
}

/// Asks for the names that begin so.
fn complete(state: &mut State, effects: &mut Vec<Effect>) {
    let number = state.next_number();
    if let Some(Popup::SendFile { path, ticket, .. } | Popup::SaveFile { path, ticket, .. }) =
        &mut state.popup
    {
        *ticket = number;
        effects.push(Effect::Complete(number, path.text().to_owned()));
    }
}
