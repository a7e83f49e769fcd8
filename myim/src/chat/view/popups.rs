//! Popups, in the middle of the screen.

use client::model::{Message, User};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{behind, put, put_right, row, theme};
use crate::chat::bubble::{self, Context};
use crate::chat::clean;
use crate::chat::editor::Editor;
use crate::chat::people::display_name;
use crate::chat::popup::{EMOJIS, Popup, switcher_hits};
use crate::chat::state::State;
use crate::chat::text::put as put_values;

const WIDTH_MAX: u16 = 72;

/// What a popup consists of, from top to bottom.
struct Content<'a> {
    title: String,
    field: Option<&'a Editor>,
    lines: Vec<String>,
    /// The line that must be seen.
    seen: Option<usize>,
    /// It is chosen, and looks so.
    is_choice: bool,
    hint: &'static str,
}

/// Draws it over the rest, and says where the cursor is.
pub(super) fn draw(state: &State, screen: Rect, buffer: &mut Buffer) -> Option<(u16, u16)> {
    let content = content(state, state.popup.as_ref()?);
    let width = WIDTH_MAX.min(screen.width.saturating_sub(2));
    let wanted = content.lines.len() + usize::from(content.field.is_some()) + 3;
    let wanted = u16::try_from(wanted).unwrap_or(u16::MAX);
    let height = wanted.clamp(4, screen.height.saturating_sub(2).max(4));
    let area = Rect {
        x: (screen.width - width) / 2,
        y: (screen.height - height) / 3,
        width,
        height,
    };
    frame(state, &content, area, buffer);
    let inner = Rect {
        x: area.x + 2,
        y: area.y + 1,
        width: width - 4,
        height: height - 3,
    };
    let mut cursor = None;
    let mut below = inner;
    if let Some(field) = content.field {
        cursor = Some(draw_field(field, row(inner, 0), buffer));
        below.y += 1;
        below.height = below.height.saturating_sub(1);
    }
    draw_lines(state, &content, below, buffer);
    let hint = Rect {
        y: area.bottom() - 2,
        height: 1,
        ..inner
    };
    let text = clean::fit(content.hint, usize::from(hint.width));
    put(buffer, hint, &text, theme(state).dim());
    cursor
}

fn frame(state: &State, content: &Content<'_>, area: Rect, buffer: &mut Buffer) {
    let width = usize::from(area.width);
    let style = theme(state).bold();
    let title = clean::fit(&content.title, width.saturating_sub(6));
    let line = "─".repeat(width.saturating_sub(5 + clean::width(&title)));
    buffer.set_style(area, Style::reset());
    for y in 0..area.height {
        let text = match y {
            0 => format!("┌─ {title} {line}┐"),
            y if y + 1 == area.height => format!("└{}┘", "─".repeat(width - 2)),
            _ => format!("│{}│", " ".repeat(width - 2)),
        };
        put(buffer, row(area, y.into()), &text, style);
    }
}

fn draw_field(field: &Editor, area: Rect, buffer: &mut Buffer) -> (u16, u16) {
    put(buffer, area, "> ", Style::new());
    let room = behind(area, 2);
    // Of a text that does not fit, the part with the cursor is shown.
    let (rows, at, column) = field.rows(usize::from(room.width));
    put(buffer, room, rows[at], Style::new());
    (room.x + u16::try_from(column).unwrap_or(0), room.y)
}

fn draw_lines(state: &State, content: &Content<'_>, area: Rect, buffer: &mut Buffer) {
    let fits = usize::from(area.height);
    let count = content.lines.len();
    let first = content
        .seen
        .map_or(0, |seen| (seen + 1).saturating_sub(fits));
    let first = first.min(count.saturating_sub(fits));
    for (at, text) in content.lines.iter().enumerate().skip(first).take(fits) {
        let line = row(area, at - first);
        put(
            buffer,
            line,
            &clean::fit(text, usize::from(line.width)),
            Style::new(),
        );
        if content.is_choice && content.seen == Some(at) {
            buffer.set_style(line, theme(state).selected());
        }
    }
    if count > first + fits {
        put_right(
            buffer,
            row(area, fits.saturating_sub(1)),
            " ↓",
            theme(state).bold(),
        );
    }
}

fn plain<'a>(
    title: &str,
    field: Option<&'a Editor>,
    lines: Vec<String>,
    hint: &'static str,
) -> Content<'a> {
    Content {
        title: title.to_owned(),
        field,
        lines,
        seen: None,
        is_choice: false,
        hint,
    }
}

impl Content<'_> {
    /// One of the lines is chosen.
    fn with_choice(self, chosen: usize) -> Self {
        Self {
            seen: (!self.lines.is_empty()).then_some(chosen),
            is_choice: true,
            ..self
        }
    }
}

fn content<'a>(state: &State, popup: &'a Popup) -> Content<'a> {
    let texts = state.texts;
    match popup {
        Popup::Help { scroll } => Content {
            seen: (*scroll > 0).then_some(scroll + HELP_AHEAD),
            ..plain(texts.help_title, None, help(state), texts.close_hint)
        },
        Popup::Note { user, note } => {
            let title = put_values(texts.note_for, &[&display_name(user)]);
            plain(&title, Some(note), Vec::new(), texts.note_hint)
        }
        Popup::SendFile { path, choices, .. } => plain(
            texts.send_file,
            Some(path),
            clean_all(choices),
            texts.file_hint,
        ),
        Popup::SaveFile { path, choices, .. } => plain(
            texts.save_file,
            Some(path),
            clean_all(choices),
            texts.save_hint,
        ),
        Popup::React { emoji, .. } => {
            let numbered = EMOJIS.iter().enumerate();
            let line: Vec<_> = numbered
                .map(|(at, emoji)| format!("{} {emoji}", at + 1))
                .collect();
            plain(
                texts.react,
                Some(emoji),
                vec![line.join("   ")],
                texts.react_hint,
            )
        }
        Popup::Recall { .. } => plain(texts.recall, None, Vec::new(), texts.recall_hint),
        Popup::Switcher { .. }
        | Popup::NewChat { .. }
        | Popup::Requests { .. }
        | Popup::Search { .. } => choice(state, popup),
    }
}

/// Those of which one line is chosen.
fn choice<'a>(state: &State, popup: &'a Popup) -> Content<'a> {
    let texts = state.texts;
    match popup {
        Popup::Switcher { query, chosen } => {
            let lines = switcher(state, query.text());
            plain(texts.switcher, Some(query), lines, texts.close_hint).with_choice(*chosen)
        }
        Popup::NewChat {
            query,
            found,
            chosen,
            ..
        } => {
            let lines = found.iter().map(user_line).collect();
            plain(texts.new_chat, Some(query), lines, texts.new_chat_hint).with_choice(*chosen)
        }
        Popup::Search {
            query,
            hits,
            chosen,
            ..
        } => {
            let lines: Vec<_> = hits
                .iter()
                .flatten()
                .map(|hit| hit_line(state, hit))
                .collect();
            if hits.is_some() && lines.is_empty() {
                let none = vec![texts.nothing_found.to_owned()];
                return plain(texts.search, Some(query), none, texts.search_hint);
            }
            plain(texts.search, Some(query), lines, texts.search_hint).with_choice(*chosen)
        }
        Popup::Requests { chosen } if state.incoming().next().is_some() => {
            plain(texts.requests, None, requests(state), texts.requests_hint).with_choice(*chosen)
        }
        _ => {
            let none = vec![texts.no_requests.to_owned()];
            plain(texts.requests, None, none, texts.close_hint)
        }
    }
}

/// The help moves with the first key, not only when a choice would leave the popup.
const HELP_AHEAD: usize = 12;

fn help(state: &State) -> Vec<String> {
    let keys = state.texts.help.iter().map(|(key, _)| clean::width(key));
    let widest = keys.max().unwrap_or(0);
    let line = |(key, does): &(&str, &str)| {
        let gap = " ".repeat(widest - clean::width(key) + 2);
        format!("{key}{gap}{does}")
    };
    state.texts.help.iter().map(line).collect()
}

fn switcher(state: &State, query: &str) -> Vec<String> {
    let line = |id| {
        let summary = &state.chats.get(&id)?.summary;
        let unread = match summary.unread {
            0 => String::new(),
            count => format!("  ({count})"),
        };
        Some(format!("{}{unread}", state.title(summary)))
    };
    switcher_hits(state, query)
        .into_iter()
        .filter_map(line)
        .collect()
}

fn user_line(user: &User) -> String {
    let username = clean::line(&user.username).into_owned();
    format!("{}  @{username}", display_name(user))
}

fn clean_all(lines: &[String]) -> Vec<String> {
    lines
        .iter()
        .map(|line| clean::line(line).into_owned())
        .collect()
}

fn requests(state: &State) -> Vec<String> {
    let line = |request: &client::model::ContactRequest| {
        let note = clean::line(&request.note).into_owned();
        let gap = if note.is_empty() { "" } else { ": " };
        format!("{}{gap}{note}", user_line(&request.user))
    };
    state.incoming().map(line).collect()
}

fn hit_line(state: &State, hit: &Message) -> String {
    let Some(chat) = state.chats.get(&hit.conversation) else {
        return clean::line(&hit.text()).into_owned();
    };
    let context = Context::new(state, chat);
    let date = state.setting.zone.to_datetime(hit.time).date();
    let title = state.title(&chat.summary);
    format!("{date}  {title}: {}", bubble::preview(&context, hit))
}
