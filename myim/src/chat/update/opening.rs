//! Going from one conversation to another.

use client::model::{ConversationId, Seq};

use crate::chat::history::{Edge, Key};
use crate::chat::message::{Effect, Wanted};
use crate::chat::state::{Chat, Pane, State};

/// Something is open as soon as there is something: what has the newest activity, so that whoever
/// starts the program can write. A popup stays.
pub(super) fn begin(state: &mut State, effects: &mut Vec<Effect>) {
    if state.open.is_some() || !state.loaded {
        return;
    }
    let active = |id: &&ConversationId| state.chats.get(*id).map(Chat::active_at);
    // The first one of those that are equally new stands higher.
    let newest = state.order.iter().rev().max_by_key(active).copied();
    if let Some(id) = newest {
        let popup = state.popup.take();
        open(state, id, effects);
        state.popup = popup;
    }
}

/// Shows a conversation.
pub(super) fn open(state: &mut State, id: ConversationId, effects: &mut Vec<Effect>) {
    state.popup = None;
    state.pane = Pane::Chat;
    state.chosen = Some(id);
    if state.open == Some(id) {
        return;
    }
    leave(state, effects);
    let Some(chat) = state.chats.get_mut(&id) else {
        return;
    };
    state.open = Some(id);
    chat.new_after = (chat.summary.unread > 0).then_some(chat.summary.read_seq);
    if let (Some(group), Edge::Unknown) = (&chat.summary.group, chat.history.newer) {
        effects.push(Effect::LoadMembers(group.id));
    }
    if !chat.history.is_live() && chat.history.newer != Edge::Unknown {
        chat.history.reset();
    }
    chat.history.anchor = None;
    effects.push(Effect::Open(id));
}

fn leave(state: &mut State, effects: &mut Vec<Effect>) {
    if let Some(chat) = state.open_chat_mut() {
        chat.selected = None;
        chat.new_after = None;
        effects.push(Effect::Close(chat.summary.id));
    }
}

/// Shows a message in its conversation.
pub(super) fn jump(state: &mut State, (id, seq): (ConversationId, Seq), effects: &mut Vec<Effect>) {
    if !state.chats.contains_key(&id) {
        return;
    }
    open(state, id, effects);
    let Some(chat) = state.chats.get_mut(&id) else {
        return;
    };
    chat.selected = Some(Key::Stored(seq));
    if chat.history.get(seq).is_none() {
        chat.history.reset();
        chat.history.newer = Edge::Loading;
        effects.push(Effect::LoadPage(id, Wanted::Around(seq)));
    }
    super::select::reveal(state);
}

/// Back to the newest message, also from a window in the past.
pub(super) fn to_newest(state: &mut State) {
    if let Some(chat) = state.open_chat_mut() {
        chat.selected = None;
        chat.history.anchor = None;
        if !chat.history.is_live() && chat.history.newer != Edge::Loading {
            chat.history.reset();
        }
    }
}

/// The next conversation of the list, or the one before.
pub(super) fn step(state: &mut State, down: bool, effects: &mut Vec<Effect>) {
    if let Some(next) = neighbor(state, state.open, down) {
        open(state, next, effects);
    }
}

/// The one below or above in the list; the first one if there is none to start from.
pub(super) fn neighbor(
    state: &State,
    from: Option<ConversationId>,
    down: bool,
) -> Option<ConversationId> {
    let place = from.and_then(|id| state.order.iter().position(|one| *one == id));
    let next = match place {
        None => 0,
        Some(place) if down => (place + 1).min(state.order.len().saturating_sub(1)),
        Some(place) => place.saturating_sub(1),
    };
    state.order.get(next).copied()
}

/// The first conversation with something new: one that rings, if there is one.
pub(super) fn to_unread(state: &mut State, effects: &mut Vec<Effect>) {
    let unread = |muted: bool| {
        let mut places = state.order.iter().copied();
        places.find(|id| {
            let summary = state.chats.get(id).map(|chat| &chat.summary);
            state.open != Some(*id)
                && summary.is_some_and(|one| one.unread > 0 && one.muted == muted)
        })
    };
    if let Some(id) = unread(false).or_else(|| unread(true)) {
        open(state, id, effects);
    }
}
