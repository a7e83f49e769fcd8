//! Makes other people's texts harmless for a terminal.
//!
//! **Invariant:** nothing that came from the network reaches the screen without passing here; the
//! view looks once more at every cell ([`is_harmless`]).

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// A text of several lines: line feeds stay, tabs become spaces, other control characters become
/// visible signs, and what turns the direction of text or is invisible goes.
pub(crate) fn text(text: &str) -> Cow<'_, str> {
    if text.chars().all(|one| one == '\n' || is_plain(one)) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(one) = chars.next() {
        match one {
            '\n' => clean.push('\n'),
            '\r' if chars.peek() == Some(&'\n') => {}
            '\r' | '\u{2028}' | '\u{2029}' | '\u{b}' | '\u{c}' => clean.push('\n'),
            '\t' => clean.push_str("    "),
            one if is_plain(one) => clean.push(one),
            one if one.is_control() => clean.push(visible(one)),
            _ => {}
        }
    }
    Cow::Owned(clean)
}

/// A text of one line: the same, with line feeds as spaces.
pub(crate) fn line(line: &str) -> Cow<'_, str> {
    let clean = text(line);
    if clean.contains('\n') {
        Cow::Owned(clean.replace('\n', " "))
    } else {
        clean
    }
}

/// Whether a cell may be written as it is.
pub(crate) fn is_harmless(symbol: &str) -> bool {
    symbol.chars().all(is_plain)
}

fn is_plain(one: char) -> bool {
    !one.is_control() && !turns_text(one) && !is_invisible(one)
}

/// Marks, embeddings, overrides and isolates of the bidirectional algorithm.
fn turns_text(one: char) -> bool {
    matches!(one, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}')
}

/// Takes no room of its own and joins nothing; zero-width joiners and selectors of emoji stay.
fn is_invisible(one: char) -> bool {
    matches!(
        one,
        '\u{ad}' | '\u{180e}' | '\u{200b}' | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{2065}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
    )
}

fn visible(control: char) -> char {
    match u32::from(control) {
        code @ 0..=0x1f => char::from_u32(0x2400 + code).unwrap_or('\u{fffd}'),
        0x7f => '\u{2421}',
        _ => '\u{fffd}',
    }
}

/// How many cells a text takes on a terminal.
pub(crate) fn width(text: &str) -> usize {
    text.graphemes(true).map(UnicodeWidthStr::width).sum()
}

/// The beginning of a line that fits, with `…` where something is missing.
pub(crate) fn fit(text: &str, cells: usize) -> Cow<'_, str> {
    if width(text) <= cells {
        return Cow::Borrowed(text);
    }
    let mut fitting = String::new();
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        used += grapheme.width();
        if used + 1 > cells {
            break;
        }
        fitting.push_str(grapheme);
    }
    if cells > 0 {
        fitting.push('…');
    }
    Cow::Owned(fitting)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn control_characters_are_shown_and_direction_marks_go() {
        assert_eq!(text("a\u{1b}[31mb\r\nc\td"), "a␛[31mb\nc    d");
        assert_eq!(text("\u{202e}evil\u{2066}\u{9b}"), "evil\u{fffd}");
        assert_eq!(line("a\nb"), "a b");
        assert!(matches!(text("你好 👩‍👩‍👧"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_text_is_cut_between_what_one_sees() {
        assert_eq!(fit("hello", 5), "hello");
        assert_eq!(fit("hello", 4), "hel…");
        assert_eq!(fit("你好吗", 5), "你好…");
        assert_eq!(fit("你好吗", 4), "你…");
        assert_eq!(fit("x", 0), "");
    }

    proptest! {
        #[test]
        fn nothing_harmful_is_left(dirty in any::<String>(), cells in 0usize..20) {
            let clean = text(&dirty);
            prop_assert!(clean.split('\n').all(is_harmless));
            prop_assert!(width(&fit(&clean, cells)) <= cells);
        }
    }
}
