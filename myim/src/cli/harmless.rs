//! Makes texts of other people fit for a terminal: nothing in them may steer it.

use std::borrow::Cow;

/// What a terminal acts on, and what turns the direction of the text around it.
fn steers(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

/// A text of any number of lines; those behind the first begin further in, so that they cannot
/// look like lines of the program.
pub(crate) fn text(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => clean.push_str("\n    "),
            '\t' => clean.push(' '),
            '\r' => {}
            other if steers(other) => clean.extend(other.escape_unicode()),
            other => clean.push(other),
        }
    }
    clean
}

/// A text in one line, for a cell of a table.
pub(crate) fn line(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for character in text.trim_end().chars() {
        match character {
            '\n' | '\t' => clean.push(' '),
            '\r' => {}
            other if steers(other) => clean.extend(other.escape_unicode()),
            other => clean.push(other),
        }
    }
    clean
}

/// JSON in which such characters stand as `\uXXXX`: they are allowed within its texts as they are,
/// but a terminal would act on them. Programs read the same.
pub(crate) fn json(json: &str) -> Cow<'_, str> {
    if !json.contains(steers) {
        return Cow::Borrowed(json);
    }
    let mut clean = String::with_capacity(json.len() + 16);
    for character in json.chars() {
        if steers(character) {
            // All of them need one unit of UTF-16.
            clean.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            clean.push(character);
        }
    }
    Cow::Owned(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NASTY: &str = "a\u{1b}[2Jb\u{9b}31mc\u{7}\u{202e}d\u{7f}";

    #[test]
    fn nothing_steers_the_terminal() {
        for clean in [text(NASTY), line(NASTY)] {
            assert!(!clean.contains(steers), "{clean:?}");
            assert_eq!(clean, r"a\u{1b}[2Jb\u{9b}31mc\u{7}\u{202e}d\u{7f}");
        }
    }

    #[test]
    fn a_second_line_does_not_look_like_a_message() {
        assert_eq!(text("hi\nbob: yes"), "hi\n    bob: yes");
        assert_eq!(line("hi\nbob: yes\n"), "hi bob: yes");
    }

    #[test]
    fn json_means_the_same_afterwards() {
        let written = serde_json::to_string(NASTY).unwrap();
        let clean = json(&written);
        assert!(!clean.contains(steers), "{clean}");
        assert_eq!(serde_json::from_str::<String>(&clean).unwrap(), NASTY);
        assert!(matches!(json("{}"), Cow::Borrowed(_)));
    }
}
