//! What an input does to the state, and what it asks of the runtime.
//!
//! **Invariant:** no I/O, no clock, no chance: the same state and input give the same result.

mod compose;
mod entries;
mod keys;
mod list;
mod news;
mod opening;
mod popups;
mod select;
mod transfers;

use client::model::{Seq, Timestamp};

pub(crate) use select::is_failed;

use super::bubble::Context;
use super::geometry::{geometry, is_side_by_side};
use super::history::History;
use super::message::{Effect, Input};
use super::state::{Pane, State};

/// The one entrance.
pub(crate) fn update(state: &mut State, input: Input) -> Vec<Effect> {
    let mut effects = Vec::new();
    match input {
        Input::Key(key) => keys::press(state, key, &mut effects),
        Input::Paste(text) => keys::paste(state, &text, &mut effects),
        Input::Resize(width, height) => resize(state, (width, height)),
        Input::Focus(focused) => state.focused = focused,
        Input::Clock(now) => tick(state, now),
        Input::News(news) => news::hear(state, *news, &mut effects),
    }
    settle(state, &mut effects);
    effects
}

fn resize(state: &mut State, size: (u16, u16)) {
    state.size = size;
    scroll(state, 0);
}

fn tick(state: &mut State, now: Timestamp) {
    state.now = now;
    for chat in state.chats.values_mut() {
        chat.typing.retain(|(_, until)| *until > now);
    }
}

/// Does something with the open history where its place and size on the screen matter.
fn with_history<T>(
    state: &mut State,
    change: impl FnOnce(&mut History, &Context<'_>, (usize, usize)) -> T,
) -> Option<T> {
    let size = geometry(state)?.chat?.history_size();
    let open = state.open?;
    let chat = state.chats.get_mut(&open)?;
    let context = Context::of(&state.setting, state.now, &state.people, chat);
    Some(change(&mut chat.history, &context, size))
}

/// Moves the open history up, or down if negative.
fn scroll(state: &mut State, up: isize) {
    with_history(state, |history, context, size| {
        history.scroll(context, size, up)
    });
}

/// The conversation is in front of somebody's eyes.
fn is_watched(state: &State) -> bool {
    let shown = is_side_by_side(state) || state.pane == Pane::Chat;
    state.focused && shown && state.popup.is_none() && geometry(state).is_some()
}

/// What follows from the new state, whatever made it.
fn settle(state: &mut State, effects: &mut Vec<Effect>) {
    opening::begin(state, effects);
    let Some(open) = state.open else {
        return;
    };
    let near_start = with_history(state, |history, context, size| {
        history.is_near_start(context, size)
    });
    let Some(chat) = state.chats.get_mut(&open) else {
        return;
    };
    let history = &mut chat.history;
    let mut wanted = history.wants();
    if near_start == Some(true) {
        wanted = wanted.or_else(|| history.wants_older());
    }
    if history.anchor.is_none() {
        wanted = wanted.or_else(|| history.wants_newer());
    }
    effects.extend(wanted.map(|wanted| Effect::LoadPage(open, wanted)));
    read(state, effects);
}

/// Marks the open conversation as read if its newest message is on a screen that somebody looks at.
fn read(state: &mut State, effects: &mut Vec<Effect>) {
    let watched = is_watched(state);
    let Some(chat) = state.open_chat_mut() else {
        return;
    };
    let at_end = chat.history.is_live() && chat.history.anchor.is_none();
    let newest = chat
        .history
        .last_seq()
        .unwrap_or(Seq(0))
        .max(chat.summary.last_seq);
    if watched && at_end && newest > chat.summary.read_seq {
        chat.summary.read_seq = newest;
        chat.summary.unread = 0;
        chat.summary.mentions = 0;
        effects.push(Effect::Read(chat.summary.id, newest));
    }
}
