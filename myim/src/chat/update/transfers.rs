//! Files on their way.

use super::compose;
use crate::chat::clean;
use crate::chat::message::{Effect, FileOf, Progress};
use crate::chat::state::{Mode, State, Transfer};
use crate::chat::text::put;

/// Uploads a file for the open conversation.
pub(super) fn send(state: &mut State, path: &str, effects: &mut Vec<Effect>) {
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
    let name = path.rsplit('/').next().unwrap_or(path);
    let id = begin(state, name, true);
    if let Some(transfer) = state.transfers.last_mut() {
        transfer.conversation = Some(open);
        transfer.reply_to = reply_to;
    }
    effects.push(Effect::Upload {
        id,
        path: path.to_owned(),
    });
}

/// Downloads a file of a message.
pub(super) fn save(state: &mut State, path: &str, file: FileOf, effects: &mut Vec<Effect>) {
    if path.is_empty() {
        return;
    }
    let id = begin(state, &file.name, false);
    effects.push(Effect::Download {
        id,
        file,
        path: path.to_owned(),
    });
}

fn begin(state: &mut State, name: &str, upload: bool) -> u64 {
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
    });
    id
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
        Progress::Failed(reason) => {
            // What is wrong with a file of this machine begins with its name.
            let text = match reason.contains(&transfer.name) {
                true => reason,
                false => put(state.texts.transfer_failed, &[&transfer.name, &reason]),
            };
            state.tell(text, true);
        }
        Progress::Cancelled => state.tell(state.texts.cancelled, false),
        Progress::Moved(..) => {}
    }
}
