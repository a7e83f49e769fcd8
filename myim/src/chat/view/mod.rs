//! Draws the state.
//!
//! **Invariant:** no I/O and no change: the same state gives the same screen.

mod compose;
mod history;
mod list;
mod popups;
mod status;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::clean;
use super::geometry::{geometry, is_side_by_side};
use super::state::State;
use super::theme::Theme;

/// The one entrance.
pub(crate) fn view(state: &State, frame: &mut Frame<'_>) {
    let area = frame.area();
    let Some(geometry) = geometry(state).filter(|_| (area.width, area.height) == state.size) else {
        let text = clean::fit(state.texts.too_small, usize::from(area.width)).into_owned();
        put(frame.buffer_mut(), area, &text, Style::new());
        return;
    };
    let mut cursor = None;
    let buffer = frame.buffer_mut();
    if let Some(list) = &geometry.list {
        list::draw(state, list, buffer);
    }
    if let (Some(list), true) = (&geometry.list, is_side_by_side(state)) {
        let x = list.title.right();
        for y in 0..geometry.status.y {
            put(buffer, Rect::new(x, y, 1, 1), "│", theme(state).dim());
        }
    }
    if let Some(chat) = &geometry.chat {
        history::draw(state, chat, buffer);
        cursor = compose::draw(state, chat, buffer);
    }
    status::draw(state, geometry.status, buffer);
    if state.popup.is_some() {
        cursor = popups::draw(state, area, buffer);
    }
    scrub(buffer);
    if let Some((x, y)) = cursor {
        frame.set_cursor_position((x.min(area.right().saturating_sub(1)), y));
    }
}

fn theme(state: &State) -> Theme {
    Theme {
        color: state.setting.color,
    }
}

/// Writes one line into the beginning of an area, as far as it fits. Returns the column behind it.
fn put(buffer: &mut Buffer, area: Rect, text: &str, style: Style) -> u16 {
    if area.is_empty() {
        return area.x;
    }
    let (x, _) = buffer.set_stringn(area.x, area.y, text, usize::from(area.width), style);
    x
}

/// Writes one line against the end of an area. Returns its first column.
fn put_right(buffer: &mut Buffer, area: Rect, text: &str, style: Style) -> u16 {
    let cells = cells(text).min(area.width);
    let x = area.right() - cells;
    let end = Rect {
        x,
        width: cells,
        ..area
    };
    put(buffer, end, text, style);
    x
}

fn cells(text: &str) -> u16 {
    u16::try_from(clean::width(text)).unwrap_or(u16::MAX)
}

/// Row number `row` of an area; empty behind its end.
fn row(area: Rect, row: usize) -> Rect {
    let row = u16::try_from(row).unwrap_or(u16::MAX);
    if row >= area.height {
        return Rect { height: 0, ..area };
    }
    Rect {
        y: area.y + row,
        height: 1,
        ..area
    }
}

/// The area without its first columns.
fn behind(area: Rect, columns: u16) -> Rect {
    let columns = columns.min(area.width);
    Rect {
        x: area.x + columns,
        width: area.width - columns,
        ..area
    }
}

/// The last look before the terminal: whatever was forgotten does no harm.
fn scrub(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if !clean::is_harmless(cell.symbol()) {
            cell.set_symbol("\u{fffd}");
        }
    }
}
