//! The last line: the connection, and what the keys do.

use client::Ended;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{behind, put, put_right, theme};
use crate::chat::clean;
use crate::chat::geometry::SIDE_BY_SIDE_MIN;
use crate::chat::state::{Link, Pane, State};
use crate::chat::text::put as put_values;
use crate::chat::update::is_failed;

pub(super) fn draw(state: &State, area: Rect, buffer: &mut Buffer) {
    let theme = theme(state);
    let width = usize::from(area.width);
    let (mark, text, of_link) = link(state);
    let text = format!("{mark} {text}");
    if let Some(told) = &state.told {
        let style = if told.bad {
            theme.bad()
        } else {
            theme.accent()
        };
        // Where both find no room, what was told counts more.
        let room = if area.width < SIDE_BY_SIDE_MIN {
            area
        } else {
            let end = put(buffer, area, &text, of_link);
            behind(area, end - area.x + 2)
        };
        put(
            buffer,
            room,
            &clean::fit(&told.text, usize::from(room.width)),
            style,
        );
        return;
    }
    let end = put(buffer, area, &clean::fit(&text, width), of_link);
    let room = behind(area, end - area.x + 2);
    let keys = clean::fit(keys(state), usize::from(room.width));
    put_right(buffer, room, &keys, theme.dim());
}

fn link(state: &State) -> (&'static str, String, Style) {
    let (theme, texts) = (theme(state), state.texts);
    match &state.link {
        Link::Connecting => ("○", texts.connecting.to_owned(), theme.away()),
        Link::Online => ("●", texts.connected.to_owned(), theme.good()),
        Link::Offline { next_try } => {
            let left = next_try.duration_since(state.now).as_millis().max(0);
            let seconds = (left + 999) / 1000;
            let text = put_values(texts.offline, &[&seconds.to_string()]);
            ("○", text, theme.bad())
        }
        Link::Ended(Ended::Replaced) => ("○", texts.replaced.to_owned(), theme.bad()),
        Link::Ended(Ended::Store(reason)) => {
            let text = put_values(texts.store_failed, &[&clean::line(reason)]);
            ("○", text, theme.bad())
        }
        Link::Ended(Ended::Closed | Ended::SignedOut) => {
            let text = put_values(texts.signed_out, &[&state.setting.sign_in]);
            ("○", text, theme.bad())
        }
        Link::Locked => ("○", texts.locked.to_owned(), theme.bad()),
    }
}

fn keys(state: &State) -> &'static str {
    let texts = state.texts;
    let selected = state
        .open_chat()
        .is_some_and(|chat| chat.selected.is_some());
    match state.pane {
        _ if state.link.is_over() => "",
        Pane::List => texts.keys_list,
        Pane::Chat if selected && is_failed(state) => texts.keys_failed,
        Pane::Chat if selected => texts.keys_message,
        Pane::Chat => texts.keys_input,
    }
}
