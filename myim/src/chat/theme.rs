//! Styles. Nothing is said by color alone: each style differs by weight, inversion or a mark too.

use client::model::UserId;
use ratatui::style::{Color, Modifier, Style};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Theme {
    pub(crate) color: bool,
}

/// Colors that can be read on dark and on light ground.
const NAMES: [Color; 6] = [
    Color::Green,
    Color::Yellow,
    Color::Blue,
    Color::Magenta,
    Color::Cyan,
    Color::Red,
];

impl Theme {
    fn with(self, color: Color, modifier: Modifier) -> Style {
        let style = Style::new().add_modifier(modifier);
        if self.color { style.fg(color) } else { style }
    }

    pub(crate) fn dim(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    pub(crate) fn bold(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    pub(crate) fn bad(self) -> Style {
        self.with(Color::Red, Modifier::BOLD)
    }

    pub(crate) fn good(self) -> Style {
        self.with(Color::Green, Modifier::empty())
    }

    pub(crate) fn accent(self) -> Style {
        self.with(Color::Cyan, Modifier::BOLD)
    }

    pub(crate) fn away(self) -> Style {
        self.with(Color::Yellow, Modifier::empty())
    }

    pub(crate) fn file(self) -> Style {
        self.with(Color::Cyan, Modifier::empty())
    }

    pub(crate) fn selected(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    pub(crate) fn name(self, user: UserId, own: bool) -> Style {
        if own {
            return self.bold();
        }
        let color = usize::try_from(user.0).map_or(0, |number| number % NAMES.len());
        self.with(NAMES[color], Modifier::BOLD)
    }
}
