//! The header `Content-Disposition`: whether to show or to save, and under which name.
//!
//! RFC 6266, with names of any language as in RFC 8187.

use std::fmt::Write;

use axum::http::HeaderValue;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::transfer::http::file_name;

/// Everything but `attr-char` of RFC 8187.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// Names of devices, with any ending. Who saves a file under one on Windows writes to the device.
const DEVICES: [&str; 6] = ["AUX", "CON", "CONIN$", "CONOUT$", "NUL", "PRN"];

/// The same with a digit behind them.
const NUMBERED_DEVICES: [&str; 2] = ["COM", "LPT"];

/// The value of the header.
pub(super) fn header(is_shown: bool, name: Option<&str>) -> HeaderValue {
    let mut value = match is_shown {
        true => "inline",
        false => "attachment",
    }
    .to_owned();
    if let Some(name) = name.and_then(savable) {
        let plain: String = name
            .chars()
            .map(|c| if is_plain(c) { c } else { '_' })
            .collect();
        // Writing to a String does not fail.
        let _ = write!(value, "; filename=\"{plain}\"");
        if plain != name {
            let escaped = utf8_percent_encode(&name, ESCAPED);
            let _ = write!(value, "; filename*=UTF-8''{escaped}");
        }
    }
    HeaderValue::try_from(value).unwrap_or_else(|_| HeaderValue::from_static("attachment"))
}

/// What every client reads alike within quotes; some take `%` for an escape.
fn is_plain(c: char) -> bool {
    (c.is_ascii_graphic() || c == ' ') && !matches!(c, '"' | '\\' | '%')
}

/// A name under which any system saves a file; `None` if nothing of it is left.
fn savable(name: &str) -> Option<String> {
    let name: String = file_name::clean(name)?
        .chars()
        .map(|c| match c {
            '<' | '>' | ':' | '"' | '|' | '?' | '*' => '_',
            other => other,
        })
        .collect();
    let name = name.trim_end_matches(['.', ' ']);
    match is_device(name) {
        true => file_name::clean(&format!("_{name}")),
        false => Some(name.to_owned()).filter(|name| !name.is_empty()),
    }
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end();
    let stem = stem.to_ascii_uppercase();
    let numbered = |device: &str| {
        stem.strip_prefix(device)
            .is_some_and(|number| number.chars().count() == 1 && number != "0")
    };
    DEVICES.contains(&stem.as_str()) || NUMBERED_DEVICES.iter().any(|device| numbered(device))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved(name: &str) -> String {
        header(false, Some(name)).to_str().unwrap().to_owned()
    }

    #[test]
    fn names_of_all_kinds() {
        for (name, told) in [
            ("report.pdf", "; filename=\"report.pdf\""),
            ("two words.txt", "; filename=\"two words.txt\""),
            (
                "naïve.txt",
                "; filename=\"na_ve.txt\"; filename*=UTF-8''na%C3%AFve.txt",
            ),
            (
                "报告.docx",
                "; filename=\"__.docx\"; filename*=UTF-8''%E6%8A%A5%E5%91%8A.docx",
            ),
            (
                "🐱.png",
                "; filename=\"_.png\"; filename*=UTF-8''%F0%9F%90%B1.png",
            ),
            (
                "100%.txt",
                "; filename=\"100_.txt\"; filename*=UTF-8''100%25.txt",
            ),
            ("it's (1).txt", "; filename=\"it's (1).txt\""),
            ("a\"b\r\nX: y.txt", "; filename=\"a_bX_ y.txt\""),
            ("../../etc/passwd", "; filename=\"passwd\""),
            ("C:\\Windows\\evil.exe", "; filename=\"evil.exe\""),
            ("photo\u{202e}gpj.exe", "; filename=\"photogpj.exe\""),
            ("a\u{0}b\u{7f}c\u{85}d", "; filename=\"abcd\""),
            ("what?*<is>|this.txt", "; filename=\"what___is__this.txt\""),
            ("CON", "; filename=\"_CON\""),
            ("con.txt", "; filename=\"_con.txt\""),
            ("com1.log.txt", "; filename=\"_com1.log.txt\""),
            ("LPT¹", "; filename=\"_LPT_\"; filename*=UTF-8''_LPT%C2%B9"),
            ("command.txt", "; filename=\"command.txt\""),
            ("com10", "; filename=\"com10\""),
            ("dots. . .", "; filename=\"dots\""),
            (".", ""),
            ("..", ""),
            ("...", ""),
            ("", ""),
            ("\u{200b}", ""),
        ] {
            assert_eq!(saved(name), format!("attachment{told}"), "{name:?}");
        }
    }

    #[test]
    fn what_may_be_shown_has_a_name_too() {
        let shown = header(true, Some("a.png"));
        assert_eq!(shown, "inline; filename=\"a.png\"");
        assert_eq!(header(true, None), "inline");
    }

    #[test]
    fn a_long_name_is_shortened_and_keeps_its_ending() {
        let plain = saved(&format!("{}.pdf", "x".repeat(300)));
        let expected = format!("attachment; filename=\"{}.pdf\"", "x".repeat(251));
        assert_eq!(plain, expected);
        for long in ["é".repeat(5000), "👨‍👩‍👧‍👦".repeat(300), "%".repeat(5000)] {
            let told = saved(&format!("{long}.txt"));
            assert!(told.len() < 1200, "{}", told.len());
            assert!(told.ends_with(".txt"));
        }
        let device = saved(&format!("con.{}", "x".repeat(300)));
        assert!(device.contains("\"_con.x") && device.len() <= 255 + 24);
    }

    proptest::proptest! {
        #[test]
        fn any_name_is_one_header_of_printable_characters(name in ".*") {
            let value = saved(&name);
            assert!(value.chars().all(|c| c.is_ascii_graphic() || c == ' '), "{value:?}");
            let quoted = value.split_once("filename=\"").and_then(|(_, rest)| rest.split_once('"'));
            if let Some((plain, rest)) = quoted {
                assert!(!plain.contains(['/', '\\', '"', ':']), "{value:?}");
                assert!(rest.is_empty() || rest.starts_with("; filename*=UTF-8''"), "{value:?}");
                assert!(!rest.contains('"'), "{value:?}");
            }
        }
    }
}
