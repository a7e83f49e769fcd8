//! What is being written, and the files on their way.

use client::model::Seq;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{behind, cells, history, put, put_right, row, theme};
use crate::chat::bubble::{self, Context};
use crate::chat::clean;
use crate::chat::geometry::ChatArea;
use crate::chat::state::{Chat, Mode, Pane, State, Transfer};
use crate::chat::text::{bytes, put as put_values};

/// Draws it, and says where the cursor is.
pub(super) fn draw(state: &State, area: &ChatArea, buffer: &mut Buffer) -> Option<(u16, u16)> {
    for (at, transfer) in state.transfers.iter().rev().enumerate() {
        moving(state, transfer, row(area.transfers, at), buffer);
    }
    let chat = state.open_chat()?;
    edge(state, chat, area.edge, buffer);
    let (rows, at, column) = chat.draft.rows(usize::from(area.input.width));
    let shown = usize::from(area.input.height);
    let first = (at + 1).saturating_sub(shown);
    for (place, text) in rows.iter().skip(first).take(shown).enumerate() {
        put(buffer, row(area.input, place), text, Style::new());
    }
    if state.link.is_over() {
        return None;
    }
    if chat.draft.is_empty() {
        put(
            buffer,
            row(area.input, 0),
            state.texts.write_here,
            theme(state).dim(),
        );
    }
    let writes = state.pane == Pane::Chat && chat.selected.is_none();
    let x = area.input.x + u16::try_from(column).unwrap_or(0);
    let y = area.input.y + u16::try_from(at - first).unwrap_or(0);
    writes.then_some((x, y))
}

/// The line between history and input says what Enter will do.
fn edge(state: &State, chat: &Chat, area: Rect, buffer: &mut Buffer) {
    let theme = theme(state);
    let area = history::below(state, chat, area, buffer);
    put(
        buffer,
        area,
        &"─".repeat(usize::from(area.width)),
        theme.dim(),
    );
    let text = match &chat.mode {
        Mode::New => return,
        Mode::Reply(seq) => put_values(state.texts.replying, &[&said(state, chat, *seq)]),
        Mode::Edit(_) => state.texts.editing.to_owned(),
    };
    let text = clean::fit(&text, usize::from(area.width).saturating_sub(12)).into_owned();
    put(
        buffer,
        behind(area, 2),
        &format!(" {text} (Esc) "),
        theme.accent(),
    );
}

fn said(state: &State, chat: &Chat, seq: Seq) -> String {
    let Some(message) = chat.history.get(seq) else {
        return String::new();
    };
    let name = if message.sender == state.me() {
        state.texts.you.to_owned()
    } else {
        state.people.name_or_number(message.sender)
    };
    let context = Context::new(state, chat);
    format!("{name}: {}", bubble::preview(&context, message))
}

/// `↑ report.pdf 45% of 3.0 MB  800 KB/s  3 s left   ^X cancels`
fn moving(state: &State, transfer: &Transfer, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let theme = theme(state);
    let arrow = if transfer.upload { "↑" } else { "↓" };
    let end = put_right(buffer, area, state.texts.cancel_hint, theme.dim());
    let width = end.saturating_sub(area.x + 1);
    let room = Rect { width, ..area };
    let figures = figures(state, transfer);
    let name_cells = usize::from(width.saturating_sub(cells(&figures) + 3)).max(6);
    let name = clean::fit(&transfer.name, name_cells).into_owned();
    put(
        buffer,
        room,
        &format!("{arrow} {name} {figures}"),
        theme.file(),
    );
}

fn figures(state: &State, transfer: &Transfer) -> String {
    let (done, total) = (transfer.done, transfer.total);
    let spent = state.now.duration_since(transfer.started).as_millis();
    let spent = u64::try_from(spent).unwrap_or(0).max(1);
    let rate = done.saturating_mul(1000) / spent;
    let percent = done.saturating_mul(100).checked_div(total).unwrap_or(0);
    let moved = [percent.to_string(), bytes(total), bytes(rate)];
    let moved = moved.each_ref().map(String::as_str);
    let mut text = put_values(state.texts.transfer, &moved);
    if let Some(left) = total.saturating_sub(done).checked_div(rate) {
        let left = put_values(state.texts.transfer_left, &[&left.to_string()]);
        text.push_str("  ");
        text.push_str(&left);
    }
    text
}
