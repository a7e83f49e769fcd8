//! What is filled in where a file says so.

use bytes::Bytes;

/// Where the assets stand, without a slash at the end.
const BASE: &str = "{{base}}";
/// The addresses of all assets, as an array in JSON.
const FILES: &str = "{{files}}";

/// Fills in a file. What is not UTF-8 has nothing to be filled in.
pub(super) fn fill_in<'p>(
    content: &Bytes,
    base: &str,
    assets: impl Iterator<Item = &'p str>,
) -> Bytes {
    let Ok(text) = std::str::from_utf8(content) else {
        return content.clone();
    };
    let mut text = text.replace(BASE, base);
    if text.contains(FILES) {
        let addresses: Vec<_> = assets.map(|path| format!("{base}/{path}")).collect();
        text = text.replace(FILES, &serde_json::json!(addresses).to_string());
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_and_files_are_filled_in_wherever_they_stand() {
        let fill = |text: &'static str| {
            let content = Bytes::from_static(text.as_bytes());
            fill_in(&content, "/assets/7", ["a.js", "b/c.css"].into_iter())
        };
        assert_eq!(
            fill("{{base}}/a {{base}} {{ base }}"),
            "/assets/7/a /assets/7 {{ base }}"
        );
        assert_eq!(
            fill("keep({{files}});"),
            r#"keep(["/assets/7/a.js","/assets/7/b/c.css"]);"#
        );
        let bytes = Bytes::from_static(b"\xff{{base}}");
        assert_eq!(fill_in(&bytes, "/x", std::iter::empty()), bytes);
    }
}
