//! Where things are on the screen.

use ratatui::layout::Rect;

use super::state::{Pane, State};

/// Smaller than this nothing useful can be shown.
const WIDTH_MIN: u16 = 26;
const HEIGHT_MIN: u16 = 8;
/// From this width on, list and conversation stand side by side.
pub(crate) const SIDE_BY_SIDE_MIN: u16 = 60;
const LIST_WIDTH_MIN: u16 = 24;
const LIST_WIDTH_MAX: u16 = 44;
/// From this height on, the list shows what was written last.
const PREVIEW_HEIGHT_MIN: u16 = 36;
/// Rows of what is being written, at most.
const INPUT_ROWS_MAX: u16 = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Geometry {
    pub(crate) list: Option<ListArea>,
    pub(crate) chat: Option<ChatArea>,
    pub(crate) status: Rect,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ListArea {
    pub(crate) title: Rect,
    pub(crate) items: Rect,
    /// Rows of a conversation.
    pub(crate) rows: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChatArea {
    pub(crate) title: Rect,
    pub(crate) history: Rect,
    /// The files on their way, a row each.
    pub(crate) transfers: Rect,
    /// Between the history and what is being written.
    pub(crate) edge: Rect,
    pub(crate) input: Rect,
}

impl ChatArea {
    pub(crate) fn history_size(&self) -> (usize, usize) {
        (
            usize::from(self.history.width),
            usize::from(self.history.height),
        )
    }
}

pub(crate) fn is_side_by_side(state: &State) -> bool {
    state.size.0 >= SIDE_BY_SIDE_MIN
}

/// `None` if the screen is too small.
pub(crate) fn geometry(state: &State) -> Option<Geometry> {
    let (width, height) = state.size;
    if width < WIDTH_MIN || height < HEIGHT_MIN {
        return None;
    }
    let main = Rect::new(0, 0, width, height - 1);
    let status = Rect::new(0, height - 1, width, 1);
    let (list, chat) = if is_side_by_side(state) {
        let list = (width / 4).clamp(LIST_WIDTH_MIN, LIST_WIDTH_MAX);
        let chat = Rect::new(list + 1, 0, width - list - 1, height - 1);
        (
            Some(Rect {
                width: list,
                ..main
            }),
            Some(chat),
        )
    } else if state.pane == Pane::List {
        (Some(main), None)
    } else {
        (None, Some(main))
    };
    Some(Geometry {
        list: list.map(list_area),
        chat: chat.map(|area| chat_area(state, area)),
        status,
    })
}

fn list_area(area: Rect) -> ListArea {
    ListArea {
        title: Rect { height: 1, ..area },
        items: Rect {
            y: 1,
            height: area.height - 1,
            ..area
        },
        rows: if area.height >= PREVIEW_HEIGHT_MIN {
            2
        } else {
            1
        },
    }
}

fn chat_area(state: &State, area: Rect) -> ChatArea {
    let wanted = state.open_chat().map_or(1, |chat| {
        let (rows, _, _) = chat.draft.rows(usize::from(area.width));
        u16::try_from(rows.len()).unwrap_or(u16::MAX)
    });
    let input = wanted.clamp(1, INPUT_ROWS_MAX.min(area.height / 4).max(1));
    let moving = u16::try_from(state.transfers.len()).unwrap_or(u16::MAX);
    let moving = moving.min(3).min(area.height.saturating_sub(input + 4));
    let history = area.height - 2 - input - moving;
    let row = |y: u16, height: u16| Rect { y, height, ..area };
    ChatArea {
        title: row(0, 1),
        history: row(1, history),
        transfers: row(1 + history, moving),
        edge: row(1 + history + moving, 1),
        input: row(2 + history + moving, input),
    }
}
