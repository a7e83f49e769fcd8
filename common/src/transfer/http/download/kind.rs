//! As what a file is handed out: what a browser may show by itself, what it may only save.
//!
//! What can act, like a page, a script or a document with scripts in it, is only bytes here. So is
//! everything that stands in neither list.

/// Shown where it stands: pictures, sound and films that browsers decode and do not execute. No
/// SVG, which can hold scripts.
const SHOWN: [&str; 21] = [
    "audio/aac",
    "audio/amr",
    "audio/m4a",
    "audio/midi",
    "audio/mp4",
    "audio/mpeg",
    "audio/ogg",
    "audio/opus",
    "audio/x-flac",
    "audio/x-wav",
    "image/avif",
    "image/bmp",
    "image/gif",
    "image/jpeg",
    "image/jxl",
    "image/png",
    "image/webp",
    "video/mp4",
    "video/quicktime",
    "video/webm",
    "video/x-m4v",
];

/// Saved, under their own type: nothing that a browser hands to an interpreter.
const SAVED: [&str; 17] = [
    "application/epub+zip",
    "application/gzip",
    "application/vnd.oasis.opendocument.presentation",
    "application/vnd.oasis.opendocument.spreadsheet",
    "application/vnd.oasis.opendocument.text",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.rar",
    "application/x-7z-compressed",
    "application/x-bzip2",
    "application/x-tar",
    "application/x-xz",
    "application/zip",
    "application/zstd",
    "image/heif",
    "image/tiff",
];

/// What a file is called in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) content_type: &'static str,
    /// Whether a browser may show it instead of saving it.
    pub(super) is_shown: bool,
}

/// What a file with this media type is handed out as.
pub(super) fn kind(mime: &str) -> Kind {
    let known = |list: &[&'static str]| list.iter().copied().find(|known| *known == mime);
    if let Some(content_type) = known(&SHOWN) {
        return Kind {
            content_type,
            is_shown: true,
        };
    }
    let content_type = match mime {
        // The sniffer looks for control characters and for UTF-8.
        "text/plain" => "text/plain; charset=utf-8",
        _ => known(&SAVED).unwrap_or("application/octet-stream"),
    };
    Kind {
        content_type,
        is_shown: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_act_is_only_bytes() {
        for active in [
            "text/html",
            "text/xml",
            "image/svg+xml",
            "application/pdf",
            "application/xhtml+xml",
            "text/javascript",
            "text/x-shellscript",
            "application/x-shockwave-flash",
            "application/wasm",
            "application/java",
            "application/vnd.microsoft.portable-executable",
            "application/msword",
            "nonsense\r\nX: y",
            "",
        ] {
            let kind = kind(active);
            assert_eq!(kind.content_type, "application/octet-stream", "{active:?}");
            assert!(!kind.is_shown, "{active:?}");
        }
    }

    #[test]
    fn what_cannot_keeps_its_type() {
        assert!(kind("image/png").is_shown);
        assert_eq!(kind("video/mp4").content_type, "video/mp4");
        let text = kind("text/plain");
        assert!(!text.is_shown && text.content_type == "text/plain; charset=utf-8");
        assert_eq!(kind("application/zip").content_type, "application/zip");
    }

    #[test]
    fn the_lists_are_sorted_and_apart() {
        for list in [&SHOWN[..], &SAVED[..]] {
            assert!(list.is_sorted(), "{list:?}");
        }
        assert!(!SHOWN.iter().any(|shown| SAVED.contains(shown)));
    }
}
