//! The files of the web client in a directory, read anew whenever somebody asks: for people who
//! change them.

use std::io::{self, ErrorKind};
use std::path::PathBuf;

use bytes::Bytes;
use thiserror::Error;
use tokio::io::AsyncReadExt;

use super::asset::Asset;
use super::{ASSETS, PAGE, template};

/// Nobody writes a larger file for a page by hand.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// Why a directory cannot be used.
#[derive(Debug, Error)]
#[error(
    "--web-client-dir: cannot read {}: {reason}; give the directory that has {PAGE}",
    .page.display()
)]
pub(super) struct FolderError {
    page: PathBuf,
    reason: io::Error,
}

#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// The word below [`ASSETS`]: always the same, as nothing of it is kept by browsers.
    pub(super) const VERSION: &'static str = "dev";

    pub(super) fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// Looks whether there is a page. Blocks.
    pub(super) fn check(&self) -> Result<(), FolderError> {
        let page = self.0.join(PAGE);
        match std::fs::read(&page) {
            Ok(_) => Ok(()),
            Err(reason) => Err(FolderError { page, reason }),
        }
    }

    pub(super) async fn asset(&self, path: &str) -> Option<Asset> {
        let content = self.read(path).await?;
        Some(Asset::new(path, content))
    }

    /// A service worker is told of no files: what it kept would hide what was changed.
    pub(super) async fn filled_in(&self, name: &str) -> Option<Asset> {
        let content = self.read(name).await?;
        let base = format!("{ASSETS}/{}", Self::VERSION);
        let content = template::fill_in(&content, &base, std::iter::empty());
        Some(Asset::new(name, content))
    }

    async fn read(&self, path: &str) -> Option<Bytes> {
        if !is_plain(path) {
            return None;
        }
        let place = self.0.join(path);
        match read(&place).await {
            Ok(content) => Some(content),
            Err(error) => {
                let is_nothing = [ErrorKind::NotFound, ErrorKind::NotADirectory];
                if !is_nothing.contains(&error.kind()) {
                    let path = place.display();
                    tracing::warn!(%path, %error, "a file of the web client cannot be read");
                }
                None
            }
        }
    }
}

async fn read(place: &std::path::Path) -> io::Result<Bytes> {
    let file = tokio::fs::File::open(place).await?;
    let about = file.metadata().await?;
    if !about.is_file() {
        return Err(ErrorKind::NotFound.into());
    }
    let mut content = Vec::new();
    // One more than is allowed, to see that there is more.
    file.take(FILE_BYTES_MAX + 1)
        .read_to_end(&mut content)
        .await?;
    let is_too_large = u64::try_from(content.len()).is_ok_and(|bytes| bytes > FILE_BYTES_MAX);
    if is_too_large {
        return Err(ErrorKind::FileTooLarge.into());
    }
    Ok(content.into())
}

/// Whether a path leads downwards only, on every system, and to nothing hidden.
fn is_plain(path: &str) -> bool {
    path.split('/').all(|name| {
        !name.is_empty()
            && !name.starts_with('.')
            && !name.contains(|c: char| c.is_control() || "\\:".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_downwards_only() {
        for plain in ["main.js", "a/b/c-d.js", "a b.txt", "中/文.js", "a..b"] {
            assert!(is_plain(plain), "{plain}");
        }
        for wrong in [
            "",
            "/",
            "/etc/passwd",
            "a//b",
            "a/",
            "..",
            "../x",
            "a/../x",
            ".",
            "./a",
            ".git/config",
            "a/.env",
            "..\\x",
            "a\\b",
            "c:x",
            "a\0b",
            "a\nb",
        ] {
            assert!(!is_plain(wrong), "{wrong:?}");
        }
    }

    #[tokio::test]
    async fn files_are_read_anew() {
        let outer = tempfile::tempdir().unwrap();
        let folder = Folder::new(outer.path().join("web"));
        let refused = folder.check().unwrap_err().to_string();
        assert!(
            refused.contains(PAGE) && refused.contains("web-client-dir"),
            "{refused}"
        );
        std::fs::create_dir_all(outer.path().join("web/net")).unwrap();
        let write = |path: &str, text: &str| std::fs::write(outer.path().join(path), text).unwrap();
        write("web/index.html", "{{base}} {{files}}");
        write("web/net/a.js", "1");
        write("secret", "x");
        folder.check().unwrap();
        assert_eq!(folder.asset("net/a.js").await.unwrap().content, "1");
        write("web/net/a.js", "2");
        assert_eq!(folder.asset("net/a.js").await.unwrap().content, "2");
        let page = folder.filled_in(PAGE).await.unwrap();
        assert_eq!(page.content, "/assets/dev []");
        for nothing in ["net", "net/b.js", "net/a.js/b", "../secret"] {
            assert!(folder.asset(nothing).await.is_none(), "{nothing}");
        }
        let large = std::fs::File::create(outer.path().join("web/large.js")).unwrap();
        large.set_len(FILE_BYTES_MAX).unwrap();
        assert!(folder.asset("large.js").await.is_some());
        large.set_len(FILE_BYTES_MAX + 1).unwrap();
        assert!(folder.asset("large.js").await.is_none());
    }
}
