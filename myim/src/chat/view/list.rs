//! The list of conversations.

use client::model::{ConversationId, Status};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::{behind, put, put_right, row, theme};
use crate::chat::bubble::{self, Context};
use crate::chat::geometry::{ListArea, is_side_by_side};
use crate::chat::state::{Chat, Pane, State};
use crate::chat::text::put as put_values;
use crate::chat::{clean, wrap};

pub(super) fn draw(state: &State, area: &ListArea, buffer: &mut Buffer) {
    let theme = theme(state);
    let waiting = state.incoming().count();
    if waiting > 0 {
        let text = put_values(state.texts.requests_waiting, &[&waiting.to_string()]);
        put(buffer, area.title, &text, theme.accent());
    } else {
        let focused = state.pane == Pane::List;
        let style = if focused { theme.bold() } else { theme.dim() };
        let end = put(buffer, area.title, state.texts.conversations, style);
        let room = behind(area.title, end - area.title.x + 1);
        let name = clean::fit(&state.setting.my_name, usize::from(room.width));
        put_right(buffer, room, &name, theme.dim());
    }
    if state.order.is_empty() {
        empty(state, area.items, buffer);
        return;
    }
    let fits = usize::from((area.items.height / area.rows).max(1));
    let current = shown(state).and_then(|id| state.order.iter().position(|one| *one == id));
    let first = (current.unwrap_or(0) + 1).saturating_sub(fits);
    for (at, id) in state.order.iter().skip(first).take(fits).enumerate() {
        if let Some(chat) = state.chats.get(id) {
            let top = at * usize::from(area.rows);
            let height = area.rows;
            let place = Rect {
                height,
                ..row(area.items, top)
            };
            one(state, chat, place, buffer);
        }
    }
}

/// Which conversation the list must show.
fn shown(state: &State) -> Option<ConversationId> {
    match state.pane {
        Pane::List => state.chosen.or(state.open),
        Pane::Chat => state.open,
    }
}

fn empty(state: &State, area: Rect, buffer: &mut Buffer) {
    if !state.loaded {
        put(buffer, area, state.texts.loading, theme(state).dim());
        return;
    }
    let width = usize::from(area.width);
    let texts = state.texts.nothing_yet.iter();
    for (at, line) in texts.flat_map(|text| wrap::lines(text, width)).enumerate() {
        put(buffer, row(area, at), line, Style::new());
    }
}

/// A conversation in one row, or in two with what was written last.
fn one(state: &State, chat: &Chat, area: Rect, buffer: &mut Buffer) {
    let theme = theme(state);
    let summary = &chat.summary;
    let line = Rect { height: 1, ..area };
    let is_open =
        state.open == Some(summary.id) && (is_side_by_side(state) || state.pane == Pane::Chat);
    put(
        buffer,
        line,
        if is_open { "▌" } else { " " },
        theme.accent(),
    );
    let (dot, dot_style) = dot(state, chat);
    put(buffer, behind(line, 1), dot, dot_style);
    let room = behind(line, 3);
    let badges = badges(chat);
    let rings = summary.unread > 0 && !summary.muted;
    let style = if rings { theme.accent() } else { theme.dim() };
    let end = put_right(buffer, room, &badges, style);
    let gap = u16::from(!badges.is_empty());
    let room = Rect {
        width: end.saturating_sub(room.x + gap),
        ..room
    };
    let title = state.title(summary);
    let title = clean::fit(&title, usize::from(room.width));
    let weight = if summary.unread > 0 {
        theme.bold()
    } else {
        Style::new()
    };
    put(buffer, room, &title, weight);
    if area.height > 1 {
        preview(state, chat, row(area, 1), buffer);
    }
    if state.pane == Pane::List && shown(state) == Some(summary.id) {
        buffer.set_style(area, Style::new().add_modifier(Modifier::REVERSED));
    }
}

/// What was written last, or what is being written.
fn preview(state: &State, chat: &Chat, line: Rect, buffer: &mut Buffer) {
    let room = behind(line, 3);
    let text = if !chat.draft.is_empty() && state.open != Some(chat.summary.id) {
        format!("✎ {}", clean::line(chat.draft.text()))
    } else if let Some(message) = &chat.summary.last_message {
        bubble::preview(&Context::new(state, chat), message)
    } else {
        String::new()
    };
    let text = clean::fit(&text, usize::from(room.width)).into_owned();
    put(buffer, room, &text, theme(state).dim());
}

fn dot(state: &State, chat: &Chat) -> (&'static str, Style) {
    let theme = theme(state);
    if chat.is_group() {
        return ("#", theme.dim());
    }
    let peer = chat.summary.peer.as_ref();
    match peer.map(|peer| state.people.presence(peer.id)) {
        Some(Status::Online) => ("●", theme.good()),
        Some(Status::Away) => ("◐", theme.away()),
        _ => ("○", theme.dim()),
    }
}

/// The marks at the end of a row.
fn badges(chat: &Chat) -> String {
    let summary = &chat.summary;
    let failed = chat
        .history
        .pending()
        .iter()
        .any(|one| one.failed.is_some());
    let unread = match summary.unread {
        0 => String::new(),
        count @ 1..=99 => count.to_string(),
        _ => "99+".to_owned(),
    };
    let marks = [
        (!chat.typing.is_empty(), "…"),
        (failed, "✗"),
        (summary.pinned, "⚑"),
        (summary.muted, "⊘"),
        (summary.mentions > 0, "@"),
        (!unread.is_empty(), unread.as_str()),
    ];
    let shown = marks.into_iter().filter(|(there, _)| *there);
    shown.map(|(_, mark)| mark).collect::<Vec<_>>().join(" ")
}

/// The title of the open conversation, with who is there.
pub(super) fn title(state: &State, chat: &Chat, area: Rect, buffer: &mut Buffer) {
    let theme = theme(state);
    let about = typing(state, chat).unwrap_or_else(|| presence(state, chat));
    let about = clean::fit(&about, usize::from(area.width / 2));
    let start = put_right(buffer, area, &about, theme.dim());
    let width = start.saturating_sub(area.x + 1);
    let room = Rect { width, ..area };
    let title = state.title(&chat.summary);
    let title = clean::fit(&title, usize::from(room.width));
    put(buffer, room, &title, theme.bold());
}

fn presence(state: &State, chat: &Chat) -> String {
    let texts = state.texts;
    match (&chat.summary.group, &chat.summary.peer) {
        (Some(group), _) => put_values(texts.members, &[&group.members.to_string()]),
        (None, Some(peer)) => {
            let text = match state.people.presence(peer.id) {
                Status::Online => texts.online,
                Status::Away => texts.away,
                Status::Offline | Status::Invisible => texts.not_online,
            };
            format!("{} {text}", dot(state, chat).0)
        }
        (None, None) => String::new(),
    }
}

/// Who types, in words.
fn typing(state: &State, chat: &Chat) -> Option<String> {
    match chat.typing.as_slice() {
        [] => None,
        [(user, _)] => {
            let name = state.people.name_or_number(*user);
            Some(put_values(state.texts.one_types, &[&name]))
        }
        _ => Some(state.texts.several_type.to_owned()),
    }
}
