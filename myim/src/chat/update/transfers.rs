//! Files on their way.

use super::compose;
use crate::chat::clean;
use crate::chat::editor::Editor;
use crate::chat::message::{Effect, FileOf, Progress};
use crate::chat::popup::Popup;
use crate::chat::state::{Mode, State, Transfer};
use crate::chat::text::put;

/// Uploads a file for the open conversation.
pub(super) fn send(state: &mut State, typed: Editor, effects: &mut Vec<Effect>) {
    let path = typed.text().trim().to_owned();
    let Some(open) = state.open.filter(|_| !path.is_empty()) else {
        return;
    };
    let reply_to = state.open_chat_mut().and_then(|chat| match chat.mode {
        Mode::Reply(seq) => {
            chat.mode = Mode::New;
            Some(seq)
        }
        Mode::New | Mode::Edit(_) => None,
    });
    let name = path.rsplit('/').next().unwrap_or(&path);
    let asked = Popup::SendFile {
        path: typed,
        ticket: 0,
        choices: Vec::new(),
    };
    let id = begin(state, name, true, asked);
    if let Some(transfer) = state.transfers.last_mut() {
        transfer.conversation = Some(open);
        transfer.reply_to = reply_to;
    }
    effects.push(Effect::Upload { id, path });
}

/// Downloads a file of a message.
pub(super) fn save(state: &mut State, typed: Editor, file: FileOf, effects: &mut Vec<Effect>) {
    let path = typed.text().trim().to_owned();
    if path.is_empty() {
        return;
    }
    let asked = Popup::SaveFile {
        path: typed,
        ticket: 0,
        choices: Vec::new(),
        file: file.clone(),
    };
    let id = begin(state, &file.name, false, asked);
    effects.push(Effect::Download { id, file, path });
}

fn begin(state: &mut State, name: &str, upload: bool, asked: Popup) -> u64 {
    let id = state.next_number();
    state.transfers.push(Transfer {
        id,
        name: clean::line(name).into_owned(),
        upload,
        done: 0,
        total: 0,
        started: state.now,
        conversation: None,
        reply_to: None,
        asked,
    });
    id
}

/// Asks again what was asked for this file, so that its path can be mended; but not over what was
/// begun meanwhile.
fn ask_again(state: &mut State, transfer: Transfer) {
    let is_elsewhere = transfer.conversation.is_some() && transfer.conversation != state.open;
    if state.popup.is_some() || is_elsewhere {
        return;
    }
    state.popup = Some(transfer.asked);
    let chat = state.open_chat_mut().filter(|chat| chat.mode == Mode::New);
    if let (Some(seq), Some(chat)) = (transfer.reply_to, chat) {
        chat.mode = Mode::Reply(seq);
    }
}

pub(super) fn progress(state: &mut State, id: u64, progress: Progress, effects: &mut Vec<Effect>) {
    let Some(place) = state.transfers.iter().position(|one| one.id == id) else {
        return;
    };
    if let Progress::Moved(done, total) = progress {
        let transfer = &mut state.transfers[place];
        (transfer.done, transfer.total) = (done, total);
        return;
    }
    let transfer = state.transfers.remove(place);
    match progress {
        Progress::Uploaded(segment) => {
            if let Some(to) = transfer.conversation {
                compose::post(state, (to, transfer.reply_to), vec![segment], effects);
            }
        }
        Progress::Saved(path) => {
            let text = put(state.texts.saved, &[&path.display().to_string()]);
            state.tell(text, false);
        }
        Progress::Unusable(reason) => {
            // It begins with the name of the file.
            state.tell(reason, true);
            if transfer.done == 0 {
                ask_again(state, transfer);
            }
        }
        Progress::Failed(reason) => {
            let text = put(state.texts.transfer_failed, &[&transfer.name, &reason]);
            state.tell(text, true);
        }
        Progress::Cancelled => state.tell(state.texts.cancelled, false),
        Progress::Moved(..) => {}
    }
}
