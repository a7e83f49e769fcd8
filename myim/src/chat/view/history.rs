//! The open conversation: its title and what was written.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{list, put, put_right, row, theme};
use crate::chat::bubble::Context;
use crate::chat::geometry::ChatArea;
use crate::chat::history::Edge;
use crate::chat::state::{Chat, State};
use crate::chat::wrap;

pub(super) fn draw(state: &State, area: &ChatArea, buffer: &mut Buffer) {
    let Some(chat) = state.open_chat() else {
        return;
    };
    list::title(state, chat, area.title, buffer);
    if chat.history.is_empty() {
        let text = match chat.history.newer {
            Edge::End => state.texts.no_messages,
            _ => state.texts.loading,
        };
        hint(state, text, area.history, buffer);
        return;
    }
    let (width, height) = area.history_size();
    let context = Context::new(state, chat);
    let rows = chat.history.visible(&context, width, height);
    // Few messages stand at the bottom, where the next ones come.
    let top = height - rows.len();
    if top > 0 {
        above(state, chat, row(area.history, top - 1), buffer);
    }
    let selected = chat
        .selected
        .as_ref()
        .and_then(|key| chat.history.index(key));
    for (at, shown) in rows.iter().enumerate() {
        let line = row(area.history, top + at);
        buffer.set_line(line.x, line.y, &shown.line, line.width);
        if selected == Some(shown.index) {
            buffer.set_style(line, theme(state).selected());
        }
    }
}

fn hint(state: &State, text: &str, area: Rect, buffer: &mut Buffer) {
    let lines = wrap::lines(text, usize::from(area.width));
    for (at, line) in lines.into_iter().enumerate() {
        put(buffer, row(area, at), line, theme(state).dim());
    }
}

/// What is before the first message that is loaded.
fn above(state: &State, chat: &Chat, line: Rect, buffer: &mut Buffer) {
    let text = match chat.history.older {
        Edge::Loading | Edge::More => state.texts.loading,
        Edge::End => state.texts.beginning,
        Edge::Unknown | Edge::Failed => return,
    };
    put(buffer, line, text, theme(state).dim());
}

/// There is more below what is seen: says so at the end of a line. Returns the line without it.
pub(super) fn below(state: &State, chat: &Chat, line: Rect, buffer: &mut Buffer) -> Rect {
    let history = &chat.history;
    if history.is_empty() || history.anchor.is_none() && history.newer != Edge::More {
        return line;
    }
    let text = match chat.summary.unread {
        0 => format!(" ↓ {} ", state.texts.below),
        unread => format!(" ↓ {unread} {} ", state.texts.new_messages),
    };
    let end = put_right(buffer, line, &text, theme(state).accent());
    Rect {
        width: end - line.x,
        ..line
    }
}
