//! The files of the web client as they are built into the program.

use std::borrow::Cow;

use bytes::Bytes;
use rust_embed::Embed;

use super::tree::File;

/// Everything in `web/` that browsers ask for. What only those need who change it stays out.
#[derive(Debug, Embed)]
#[folder = "../web"]
#[exclude = ".*"]
#[exclude = "*/.*"]
#[exclude = "*.md"]
#[exclude = "*.d.ts"]
#[exclude = "*.test.js"]
#[exclude = "package.json"]
#[exclude = "package-lock.json"]
#[exclude = "tsconfig*.json"]
#[exclude = "*.config.js"]
#[exclude = "*.config.mjs"]
#[exclude = "node_modules/*"]
#[exclude = "vendor/package*.json"]
#[exclude = "vendor/build.mjs"]
#[exclude = "vendor/node_modules/*"]
#[exclude = "test/*"]
#[exclude = "tests/*"]
struct WebFolder;

/// All of them, in the order of their paths.
pub(super) fn files() -> Vec<File> {
    let mut files: Vec<File> = WebFolder::iter().filter_map(|path| file(&path)).collect();
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}

fn file(path: &str) -> Option<File> {
    let found = WebFolder::get(path)?;
    Some(File {
        path: path.to_owned(),
        hash: found.metadata.sha256_hash(),
        content: match found.data {
            Cow::Borrowed(content) => Bytes::from_static(content),
            Cow::Owned(content) => content.into(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::super::PAGE;
    use super::*;

    #[test]
    fn the_page_and_its_modules_are_there_and_what_only_developers_need_is_not() {
        let files = files();
        let has = |path: &str| files.iter().any(|file| file.path == path);
        assert!(has(PAGE) && has("main.js") && has("styles/tokens.css"));
        for file in &files {
            let is_for_developers = [".md", ".d.ts", ".test.js"]
                .iter()
                .any(|end| file.path.ends_with(end))
                || file.path.starts_with("tests/")
                || file.path.contains("node_modules")
                || ["package.json", "tsconfig.json"].contains(&&*file.path);
            assert!(!is_for_developers, "{}", file.path);
        }
    }
}
