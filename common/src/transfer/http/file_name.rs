//! What a client calls its file, made harmless: it is shown to people and never becomes a path.

use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

/// So many bytes fit into a file name nearly everywhere.
const NAME_BYTES_MAX: usize = 255;

/// The last part of what looks like a path, without characters that one cannot see or that change
/// the direction of the text; `None` if nothing is left. A long name loses its middle and keeps its
/// ending.
pub(super) fn clean(name: &str) -> Option<String> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let seen: String = last.nfc().filter(|c| !is_unseen(*c)).collect();
    let seen = seen.trim();
    if seen.is_empty() || seen == "." || seen == ".." {
        return None;
    }
    Some(shorten(seen))
}

/// Control characters, and those that reorder or hide others.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}'
            | '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

fn shorten(name: &str) -> String {
    if name.len() <= NAME_BYTES_MAX {
        return name.to_owned();
    }
    let ending = match name.rfind('.') {
        Some(dot) if dot > 0 && name.len() - dot <= 16 => &name[dot..],
        _ => "",
    };
    let room = NAME_BYTES_MAX - ending.len();
    let mut kept = 0;
    for (at, letter) in name.grapheme_indices(true) {
        if at + letter.len() > room {
            break;
        }
        kept = at + letter.len();
    }
    format!("{}{ending}", name[..kept].trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_that_can_be_shown() {
        for (given, shown) in [
            ("report.pdf", Some("report.pdf")),
            ("../../etc/passwd", Some("passwd")),
            ("C:\\Users\\ann\\letter.doc", Some("letter.doc")),
            ("invoice\u{202e}fdp.exe", Some("invoicefdp.exe")),
            ("a\r\nSet-Cookie: b", Some("aSet-Cookie: b")),
            ("\u{200b}\0", None),
            ("..", None),
            ("a/", None),
            ("", None),
            ("  日本.txt ", Some("日本.txt")),
            // One letter, written as two characters.
            ("u\u{308}ber", Some("über")),
        ] {
            assert_eq!(clean(given).as_deref(), shown, "{given:?}");
        }
    }

    #[test]
    fn a_long_name_keeps_its_ending() {
        let long = clean(&format!("{}.pdf", "é".repeat(300))).unwrap();
        assert!(long.len() <= NAME_BYTES_MAX && long.len() > NAME_BYTES_MAX - 3);
        assert!(long.starts_with("éé") && long.ends_with("é.pdf"));
        let family = "👨‍👩‍👧‍👦".repeat(30);
        let shown = clean(&family).unwrap();
        assert!(shown.len() <= NAME_BYTES_MAX);
        let other = clean(&"x".repeat(300)).unwrap();
        assert_eq!(other.len(), NAME_BYTES_MAX);
    }
}
