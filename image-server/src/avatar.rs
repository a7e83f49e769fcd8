//! Avatars for those who have no picture: initials on a color.
//!
//! They are drawn as SVG, so that no font has to be shipped for all the scripts of the world. What
//! strangers upload as SVG is refused; this is ours, and only letters and digits get into it.

use sha2::{Digest, Sha256};
use unicode_segmentation::UnicodeSegmentation;

/// How large one is if nobody says, in pixels.
pub(crate) const SIZE: u32 = 128;

/// The smallest and the largest, in pixels.
const SIZES: (u32, u32) = (16, 1024);

/// White letters can be read on each of them: the contrast is at least 4.5 to 1.
const COLORS: [&str; 12] = [
    "#b3261e", "#a8501a", "#8a6100", "#5b7000", "#2f7d32", "#00786c", "#00718f", "#1565c0",
    "#4f5bd5", "#7b4bc2", "#a03aa8", "#b02a6b",
];

/// Whose avatar.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avatar<'a> {
    /// Decides the color, which stays when the name changes.
    pub(crate) id: &'a str,
    pub(crate) name: &'a str,
    pub(crate) size: u32,
}

/// Draws it.
pub(crate) fn draw(avatar: &Avatar<'_>) -> String {
    let size = avatar.size.clamp(SIZES.0, SIZES.1);
    let color = color(avatar.id);
    let initials = initials(avatar.name);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{size}\" height=\"{size}\" \
         viewBox=\"0 0 100 100\"><rect width=\"100\" height=\"100\" fill=\"{color}\"/>\
         <text x=\"50\" y=\"50\" dy=\".36em\" text-anchor=\"middle\" fill=\"#fff\" \
         font-family=\"sans-serif\" font-size=\"42\">{initials}</text></svg>"
    )
}

fn color(id: &str) -> &'static str {
    let number = usize::from(Sha256::digest(id)[0]);
    COLORS[number % COLORS.len()]
}

/// The first letters of the first and of the last word; of names without spaces in scripts without
/// letters, as Chinese, the first sign. Nothing for a name without any.
fn initials(name: &str) -> String {
    let mut words = name.unicode_words().filter_map(first_letter);
    let first = words.next();
    let last = words.next_back();
    let both = match (first, last) {
        (Some(first), Some(last)) if is_written_apart(first) => [first, last].concat(),
        (Some(first), _) => first.to_owned(),
        (None, _) => String::new(),
    };
    both.to_uppercase()
}

/// A letter or digit with what stands above and below it, and nothing else.
fn first_letter(word: &str) -> Option<&str> {
    let letter = word.graphemes(true).next()?;
    let has_one = letter.starts_with(char::is_alphanumeric);
    let harmless = letter
        .chars()
        .all(|c| !c.is_control() && !c.is_ascii_punctuation());
    (has_one && harmless && letter.len() <= LETTER_BYTES_MAX).then_some(letter)
}

/// Letters with towers of marks are a joke at the expense of those who have to draw them.
const LETTER_BYTES_MAX: usize = 16;

/// Whether a script separates words by spaces, so that two initials stand for two words.
fn is_written_apart(letter: &str) -> bool {
    letter.starts_with(|c: char| c < '\u{2e80}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_first_letters() {
        for (name, wanted) in [
            ("Ann", "A"),
            ("ann marie lee", "AL"),
            ("  Élodie-Zoé ", "ÉZ"),
            ("王小明", "王"),
            ("Иван Петров", "ИП"),
            ("7th guest", "7G"),
            ("ßen", "SS"),
            ("", ""),
            ("--- <>& \u{202e}\u{0}", ""),
            ("<script>alert(1)</script>", "SS"),
        ] {
            assert_eq!(initials(name), wanted, "{name:?}");
        }
        assert_eq!(initials(&format!("a{}", "\u{301}".repeat(50))), "");
    }

    #[test]
    fn the_color_is_of_the_id() {
        let avatar = |id, name| draw(&Avatar { id, name, size: 64 });
        assert_eq!(avatar("7", "Ann"), avatar("7", "Ann"));
        let fill = |drawing: &str| {
            drawing
                .split("fill=\"")
                .nth(1)
                .map(|rest| rest[..7].to_owned())
        };
        assert_eq!(fill(&avatar("7", "Ann")), fill(&avatar("7", "Bea")));
        let colors: std::collections::HashSet<_> =
            (0..64).map(|id: u32| color(&id.to_string())).collect();
        assert!(colors.len() > 8, "{colors:?}");
    }

    #[test]
    fn sizes_have_bounds() {
        let width = |size| {
            draw(&Avatar {
                id: "1",
                name: "",
                size,
            })
        };
        assert!(width(0).contains("width=\"16\""));
        assert!(width(u32::MAX).contains("width=\"1024\""));
    }
}
