//! Breaks a text into rows of a width.

use std::ops::Range;

use unicode_linebreak::{BreakOpportunity, linebreaks};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::clean;

/// The rows of a text as ranges of bytes, at least one. Line feeds are in no row; spaces where a
/// row ends may stand outside its width. Expects a text that was [cleaned](clean::text).
pub(crate) fn rows(text: &str, width: usize) -> Vec<Range<usize>> {
    let width = width.max(2);
    let mut rows = Vec::new();
    let mut start = 0;
    for line in text.split('\n') {
        wrap_line(line, start, width, &mut rows);
        start += line.len() + 1;
    }
    rows
}

/// The same rows as texts, without the spaces at their ends.
pub(crate) fn lines(text: &str, width: usize) -> Vec<&str> {
    let rows = rows(text, width).into_iter();
    rows.map(|row| text[row].trim_end_matches(' ')).collect()
}

fn wrap_line(line: &str, offset: usize, width: usize, rows: &mut Vec<Range<usize>>) {
    let (mut row, mut used, mut from) = (0, 0, 0);
    for (to, _) in linebreaks(line)
        .filter(|(to, kind)| *kind == BreakOpportunity::Allowed || *to == line.len())
    {
        let piece = &line[from..to];
        let solid = clean::width(piece.trim_end_matches(' '));
        if used > 0 && used + solid > width {
            rows.push(offset + row..offset + from);
            (row, used) = (from, 0);
        }
        if solid > width {
            used = split_long(line, from..to, offset, width, &mut row, rows);
        } else {
            used += clean::width(piece);
        }
        from = to;
    }
    rows.push(offset + row..offset + line.len());
}

/// A word that is longer than a row is broken anywhere. The width that its last row uses.
fn split_long(
    line: &str,
    piece: Range<usize>,
    offset: usize,
    width: usize,
    row: &mut usize,
    rows: &mut Vec<Range<usize>>,
) -> usize {
    let mut used = 0;
    for (at, grapheme) in line[piece.clone()].grapheme_indices(true) {
        let cells = grapheme.width();
        if used + cells > width && used > 0 && grapheme != " " {
            rows.push(offset + *row..offset + piece.start + at);
            (*row, used) = (piece.start + at, 0);
        }
        used += cells;
    }
    used
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_stay_whole_where_they_can() {
        assert_eq!(lines("one two three", 8), ["one two", "three"]);
        assert_eq!(lines("a\n\nb", 8), ["a", "", "b"]);
        assert_eq!(lines("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(lines("", 8), [""]);
        assert_eq!(lines("ends. \n", 8), ["ends.", ""]);
    }

    #[test]
    fn chinese_breaks_between_characters_but_not_before_a_stop() {
        assert_eq!(lines("今天天气很好。", 6), ["今天天", "气很", "好。"]);
        assert_eq!(lines("好hello世界", 8), ["好hello", "世界"]);
    }

    #[test]
    fn an_emoji_of_several_characters_is_never_split() {
        let family = "👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧";
        assert_eq!(lines(family, 4), ["👩‍👩‍👧👩‍👩‍👧", "👩‍👩‍👧"]);
    }

    proptest! {
        #[test]
        fn rows_cover_the_text_and_fit(dirty in "(\\PC|\n| ){0,60}", width in 8usize..30) {
            let text = clean::text(&dirty);
            let rows = rows(&text, width);
            let mut end = 0;
            for row in &rows {
                prop_assert!(text[end..row.start].chars().all(|one| one == '\n'));
                prop_assert!(row.start - end <= 1);
                prop_assert!(clean::width(text[row.clone()].trim_end_matches(' ')) <= width);
                end = row.end;
            }
            prop_assert_eq!(end, text.len());
        }
    }
}
