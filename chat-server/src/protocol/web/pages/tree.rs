//! All files of one version, ready to be given out.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::asset::{Asset, shortened};
use super::{ASSETS, AT_THE_ROOT, template};

/// A file that the tree is made of.
#[derive(Debug)]
pub(super) struct File {
    /// From the folder of the web client, with slashes.
    pub(super) path: String,
    /// The SHA-256 of the content.
    pub(super) hash: [u8; 32],
    pub(super) content: Bytes,
}

#[derive(Debug)]
pub(super) struct Tree {
    version: String,
    assets: HashMap<String, Arc<Asset>>,
    /// Those of [`AT_THE_ROOT`], by their names.
    filled_in: HashMap<&'static str, Arc<Asset>>,
}

impl Tree {
    /// `files` in the order of their paths.
    pub(super) fn new(files: Vec<File>) -> Self {
        let version = version(&files);
        let base = format!("{ASSETS}/{version}");
        let is_asset = |file: &&File| !AT_THE_ROOT.contains(&&*file.path);
        let paths = || files.iter().filter(is_asset).map(|file| &*file.path);
        let filled_in = AT_THE_ROOT.iter().filter_map(|name| {
            let file = files.iter().find(|file| file.path == *name)?;
            let content = template::fill_in(&file.content, &base, paths());
            Some((*name, Arc::new(Asset::new(name, content))))
        });
        let filled_in = filled_in.collect();
        let assets = files.into_iter().filter(|file| is_asset(&file));
        let assets = assets.map(|file| {
            let asset = Asset::hashed(&file.path, file.content, &file.hash);
            (file.path, Arc::new(asset))
        });
        Self {
            version,
            assets: assets.collect(),
            filled_in,
        }
    }

    pub(super) fn version(&self) -> &str {
        &self.version
    }

    pub(super) fn asset(&self, path: &str) -> Option<Arc<Asset>> {
        self.assets.get(path).cloned()
    }

    pub(super) fn filled_in(&self, name: &str) -> Option<Arc<Asset>> {
        self.filled_in.get(name).cloned()
    }
}

/// Another word for any other set of files.
fn version(files: &[File]) -> String {
    let mut hash = Sha256::new();
    for file in files {
        hash.update(file.path.as_bytes());
        hash.update([0]);
        hash.update(file.hash);
    }
    shortened(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::super::{PAGE, WORKER};
    use super::*;

    fn tree(files: &[(&str, &'static str)]) -> Tree {
        let files = files.iter().map(|(path, content)| File {
            path: (*path).to_owned(),
            hash: Sha256::digest(content).into(),
            content: Bytes::from_static(content.as_bytes()),
        });
        Tree::new(files.collect())
    }

    #[test]
    fn the_version_changes_with_any_file() {
        let one = tree(&[("a.js", "1"), ("b.js", "2")]);
        assert_eq!(
            one.version(),
            tree(&[("a.js", "1"), ("b.js", "2")]).version()
        );
        for other in [
            tree(&[("a.js", "1"), ("b.js", "3")]),
            tree(&[("a.js", "1"), ("c.js", "2")]),
            tree(&[("a.js", "1")]),
            tree(&[("a.js", "2"), ("b.js", "1")]),
        ] {
            assert_ne!(other.version(), one.version());
        }
    }

    #[test]
    fn what_stands_at_the_root_is_filled_in_and_no_asset() {
        let tree = tree(&[
            (PAGE, "<script src={{base}}/main.js>"),
            ("main.js", "{{base}}"),
            (WORKER, "{{files}}"),
        ]);
        let base = format!("/assets/{}", tree.version());
        let page = tree.filled_in(PAGE).unwrap();
        assert_eq!(page.content, format!("<script src={base}/main.js>"));
        let worker = tree.filled_in(WORKER).unwrap();
        assert_eq!(worker.content, format!("[\"{base}/main.js\"]"));
        assert!(tree.asset(PAGE).is_none() && tree.asset(WORKER).is_none());
        assert_eq!(tree.asset("main.js").unwrap().content, "{{base}}");
        assert!(tree.filled_in("main.js").is_none());
        assert!(tree.filled_in("manifest.webmanifest").is_none());
    }
}
