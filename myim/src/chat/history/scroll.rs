//! What of a history is on the screen, and moving it.

use ratatui::text::Line;

use super::{History, Key};
use crate::chat::bubble::Context;

/// The last item that is visible, and how many of its lines are below the edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Anchor {
    pub(crate) key: Key,
    pub(crate) cut: usize,
}

/// A line of an item.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) index: usize,
    pub(crate) line: Line<'static>,
}

impl History {
    /// The item at the lower edge, and how many of its lines are below.
    fn edge(&self) -> Option<(usize, usize)> {
        let last = self.len().checked_sub(1)?;
        let anchored = self.anchor.as_ref().and_then(|anchor| {
            let index = self.index(&anchor.key)?;
            Some((index, anchor.cut))
        });
        Some(anchored.unwrap_or((last, 0)))
    }

    fn set_edge(&mut self, index: usize, cut: usize) {
        let at_end = index + 1 >= self.len() && cut == 0;
        self.anchor = match self.key(index) {
            Some(key) if !at_end => Some(Anchor { key, cut }),
            _ => None,
        };
    }

    /// The rows on the screen, from top to bottom.
    pub(crate) fn visible(&self, context: &Context<'_>, width: usize, height: usize) -> Vec<Row> {
        let mut rows = Vec::with_capacity(height);
        let Some((mut index, mut cut)) = self.edge() else {
            return rows;
        };
        loop {
            let lines = self.lines(context, index, width);
            let shown = lines.len().saturating_sub(cut);
            for line in lines[..shown].iter().rev().take(height - rows.len()) {
                let line = line.clone();
                rows.push(Row { index, line });
            }
            cut = 0;
            if rows.len() >= height || index == 0 {
                rows.reverse();
                return rows;
            }
            index -= 1;
        }
    }

    /// Moves up, or down if negative. Stops where nothing is left.
    pub(crate) fn scroll(
        &mut self,
        context: &Context<'_>,
        (width, height): (usize, usize),
        up: isize,
    ) {
        let Some((index, cut)) = self.edge() else {
            return;
        };
        let (index, cut) = if up >= 0 {
            let moved = self.up(context, width, (index, cut), up.unsigned_abs());
            let shown = self.count_above(context, width, moved, height);
            self.down(context, width, moved, height - shown)
        } else {
            self.down(context, width, (index, cut), up.unsigned_abs())
        };
        self.set_edge(index, cut);
    }

    fn up(
        &self,
        context: &Context<'_>,
        width: usize,
        (mut index, mut cut): (usize, usize),
        by: usize,
    ) -> (usize, usize) {
        cut += by;
        loop {
            let height = self.lines(context, index, width).len();
            if cut < height {
                return (index, cut);
            }
            if index == 0 {
                return (0, height);
            }
            cut -= height;
            index -= 1;
        }
    }

    fn down(
        &self,
        context: &Context<'_>,
        width: usize,
        (mut index, mut cut): (usize, usize),
        mut by: usize,
    ) -> (usize, usize) {
        while by > cut && index + 1 < self.len() {
            by -= cut;
            index += 1;
            cut = self.lines(context, index, width).len();
        }
        (index, cut.saturating_sub(by))
    }

    /// How many lines stand above the edge, counted up to `enough`.
    fn count_above(
        &self,
        context: &Context<'_>,
        width: usize,
        (index, cut): (usize, usize),
        enough: usize,
    ) -> usize {
        let mut count = 0;
        for (distance, index) in (0..=index).rev().enumerate() {
            let lines = self.lines(context, index, width).len();
            count += if distance == 0 {
                lines.saturating_sub(cut)
            } else {
                lines
            };
            if count >= enough {
                return enough;
            }
        }
        count
    }

    /// Moves as little as it takes until the whole item can be seen.
    pub(crate) fn reveal(
        &mut self,
        context: &Context<'_>,
        (width, height): (usize, usize),
        index: usize,
    ) {
        let rows = self.visible(context, width, height);
        let seen = rows.iter().filter(|row| row.index == index).count();
        let lines = self.lines(context, index, width).len();
        if seen >= lines.min(height) {
            return;
        }
        let above = rows.first().is_none_or(|first| index <= first.index);
        if above {
            // The item's first line becomes the first one on the screen.
            let (index, cut) = self.down(context, width, (index, lines), height);
            self.set_edge(index, cut);
        } else {
            self.set_edge(index, 0);
        }
    }

    /// The first item of the window is near the upper edge: time to load what is before.
    pub(crate) fn is_near_start(
        &self,
        context: &Context<'_>,
        (width, height): (usize, usize),
    ) -> bool {
        let Some(edge) = self.edge() else {
            return true;
        };
        self.count_above(context, width, edge, height * 2) < height * 2
    }
}
