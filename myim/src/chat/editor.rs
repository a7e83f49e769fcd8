//! Editing a text: the input line, and the fields of popups.
//!
//! **Invariant:** the cursor stands on a boundary between two graphemes, what a reader takes for
//! one character.

use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};

use super::{clean, wrap};

/// The longest text that can be typed, in bytes: a message has at most 64,000 as JSON.
const TEXT_BYTES_MAX: usize = 48 * 1024;

/// A text that is being written, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Editor {
    text: String,
    /// In bytes.
    cursor: usize,
}

/// What keys do to a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edit {
    Left,
    Right,
    WordLeft,
    WordRight,
    LineStart,
    LineEnd,
    Backspace,
    Delete,
    DeleteWord,
    DeleteToStart,
}

impl Editor {
    pub(crate) fn new(text: &str) -> Self {
        let mut editor = Self::default();
        editor.insert(text);
        editor
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    #[cfg(test)]
    fn cursor(&self) -> usize {
        self.cursor
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The text; nothing is left.
    pub(crate) fn take(&mut self) -> String {
        self.cursor = 0;
        std::mem::take(&mut self.text)
    }

    /// Types or pastes, without what a terminal would act on. What is too much is left out.
    pub(crate) fn insert(&mut self, text: &str) {
        let text = clean::text(text);
        let room = TEXT_BYTES_MAX.saturating_sub(self.text.len());
        let mut end = text.len().min(room);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        self.text.insert_str(self.cursor, &text[..end]);
        self.cursor += end;
        self.snap();
    }

    pub(crate) fn apply(&mut self, edit: Edit) {
        match edit {
            Edit::Left => self.cursor = self.before(self.cursor),
            Edit::Right => self.cursor = self.after(self.cursor),
            Edit::WordLeft => self.cursor = self.word_before(),
            Edit::WordRight => self.cursor = self.word_after(),
            Edit::LineStart => self.cursor = self.line_start(),
            Edit::LineEnd => {
                let rest = &self.text[self.cursor..];
                self.cursor += rest.find('\n').unwrap_or(rest.len());
            }
            Edit::Backspace => self.delete(self.before(self.cursor)),
            Edit::Delete => {
                let to = self.after(self.cursor);
                let from = std::mem::replace(&mut self.cursor, to);
                self.delete(from);
            }
            Edit::DeleteWord => self.delete(self.word_before()),
            Edit::DeleteToStart => {
                let start = self.line_start();
                // At the start of a line it takes the line feed before it.
                self.delete(if start == self.cursor {
                    self.before(start)
                } else {
                    start
                });
            }
        }
        self.snap();
    }

    /// The rows on a screen of this width, and the row and column of the cursor.
    pub(crate) fn rows(&self, width: usize) -> (Vec<&str>, usize, usize) {
        // One column is for the cursor behind a full row.
        let rows = wrap::rows(&self.text, width.saturating_sub(1));
        let row = rows
            .iter()
            .rposition(|row| row.start <= self.cursor)
            .unwrap_or(0);
        let column = clean::width(&self.text[rows[row].start..self.cursor]);
        let texts = rows.into_iter().map(|row| &self.text[row]).collect();
        (texts, row, column.min(width.saturating_sub(1)))
    }

    /// Moves the cursor a row up or down; `false` if there is none.
    pub(crate) fn move_row(&mut self, width: usize, down: bool) -> bool {
        let rows = wrap::rows(&self.text, width.saturating_sub(1));
        let row = rows
            .iter()
            .rposition(|row| row.start <= self.cursor)
            .unwrap_or(0);
        let column = clean::width(&self.text[rows[row].start..self.cursor]);
        let target = if down {
            row.checked_add(1)
        } else {
            row.checked_sub(1)
        };
        let Some(range) = target.and_then(|target| rows.get(target)) else {
            return false;
        };
        let mut used = 0;
        let mut at = range.start;
        for grapheme in self.text[range.clone()].graphemes(true) {
            used += clean::width(grapheme);
            if used > column {
                break;
            }
            at += grapheme.len();
        }
        // The end of a row that goes on is the beginning of the next one.
        let next = rows.get(target.unwrap_or(0) + 1);
        if at == range.end && next.is_some_and(|next| next.start == at) {
            at = self.before(at).max(range.start);
        }
        self.cursor = at;
        self.snap();
        true
    }

    fn delete(&mut self, from: usize) {
        self.text.replace_range(from..self.cursor, "");
        self.cursor = from;
    }

    fn line_start(&self) -> usize {
        self.text[..self.cursor].rfind('\n').map_or(0, |at| at + 1)
    }

    fn before(&self, at: usize) -> usize {
        let mut cursor = GraphemeCursor::new(at, self.text.len(), true);
        cursor
            .prev_boundary(&self.text, 0)
            .ok()
            .flatten()
            .unwrap_or(0)
    }

    fn after(&self, at: usize) -> usize {
        let mut cursor = GraphemeCursor::new(at, self.text.len(), true);
        let next = cursor.next_boundary(&self.text, 0).ok().flatten();
        next.unwrap_or(self.text.len())
    }

    fn word_before(&self) -> usize {
        let mut words = self.text[..self.cursor].split_word_bound_indices().rev();
        words
            .find(|(_, word)| !word.trim().is_empty())
            .map_or(0, |(at, _)| at)
    }

    fn word_after(&self) -> usize {
        let rest = &self.text[self.cursor..];
        let mut words = rest.split_word_bound_indices();
        let word = words.find(|(_, word)| !word.trim().is_empty());
        word.map_or(self.text.len(), |(at, word)| self.cursor + at + word.len())
    }

    /// What was typed may have joined with what stands beside it.
    fn snap(&mut self) {
        let mut cursor = GraphemeCursor::new(self.cursor, self.text.len(), true);
        if !cursor.is_boundary(&self.text, 0).unwrap_or(true) {
            self.cursor = self.after(self.cursor);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_letter_of_several_characters_goes_at_once() {
        let mut editor = Editor::new("a👩‍👩‍👧é");
        editor.apply(Edit::Backspace);
        editor.apply(Edit::Backspace);
        assert_eq!(editor.text(), "a");
        editor.insert("你");
        assert_eq!(editor.rows(20), (vec!["a你"], 0, 3));
    }

    #[test]
    fn words_and_lines() {
        let mut editor = Editor::new("one two\nthree four");
        editor.apply(Edit::DeleteWord);
        assert_eq!(editor.text(), "one two\nthree ");
        editor.apply(Edit::LineStart);
        editor.apply(Edit::WordLeft);
        assert_eq!(editor.cursor(), 4);
        editor.apply(Edit::WordRight);
        assert_eq!(editor.cursor(), 7);
        assert!(editor.move_row(20, true));
        assert_eq!(editor.cursor(), 14);
        assert!(!editor.move_row(20, true));
        editor.apply(Edit::DeleteToStart);
        assert_eq!(editor.text(), "one two\n");
    }

    #[test]
    fn a_paste_brings_no_escape_sequences() {
        assert_eq!(Editor::new("\u{1b}[2Jx\r\ny").text(), "␛[2Jx\ny");
    }

    #[derive(Clone, Debug)]
    enum Step {
        Insert(String),
        Apply(Edit),
        Row(usize, bool),
    }

    fn step() -> impl Strategy<Value = Step> {
        let edits = vec![
            Edit::Left,
            Edit::Right,
            Edit::WordLeft,
            Edit::WordRight,
            Edit::LineStart,
            Edit::LineEnd,
            Edit::Backspace,
            Edit::Delete,
            Edit::DeleteWord,
            Edit::DeleteToStart,
        ];
        let odd = "[a 你\u{301}\u{200d}👩👧🇩🇪\u{fe0f}\n\u{1b}\u{202e}한가]{0,6}";
        prop_oneof![
            odd.prop_map(Step::Insert),
            any::<String>().prop_map(Step::Insert),
            proptest::sample::select(edits).prop_map(Step::Apply),
            (1usize..30, any::<bool>()).prop_map(|(width, down)| Step::Row(width, down)),
        ]
    }

    proptest! {
        #[test]
        fn the_cursor_stays_between_two_graphemes(steps in proptest::collection::vec(step(), 0..40)) {
            let mut editor = Editor::default();
            for step in steps {
                match step {
                    Step::Insert(text) => editor.insert(&text),
                    Step::Apply(edit) => editor.apply(edit),
                    Step::Row(width, down) => {
                        editor.move_row(width, down);
                    }
                }
                let cursor = editor.cursor();
                let mut bounds = editor.text().grapheme_indices(true).map(|(at, _)| at);
                prop_assert!(cursor == editor.text().len() || bounds.any(|at| at == cursor));
                for width in [1, 2, 7, 40] {
                    let (rows, row, column) = editor.rows(width);
                    prop_assert!(row < rows.len() && column < width.max(1));
                }
            }
        }
    }
}
