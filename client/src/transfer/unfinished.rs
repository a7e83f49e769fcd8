//! Uploads that broke off, so that another run of the program can go on with them.

use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use common::clock::{Clock, SystemClock};
use serde::{Deserialize, Serialize};

use crate::model::Timestamp;
use crate::store::StoreError;

/// Uploads that are remembered; of more, those that were begun first are forgotten.
const UNFINISHED_MAX: usize = 256;

/// Remembers uploads that were begun and have not ended. `name` stands for a file and where it goes:
/// some letters and digits.
#[async_trait]
pub trait Unfinished: Send + Sync {
    async fn find(&self, name: &str) -> Result<Option<Begun>, StoreError>;

    /// Survives the end of the program once this has answered.
    async fn keep(&self, name: &str, begun: &Begun) -> Result<(), StoreError>;

    /// It has ended, or is of no use any more.
    async fn forget(&self, name: &str) -> Result<(), StoreError>;
}

/// An upload that was begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// What the server calls it.
    pub upload: String,
    /// For people: which file it is.
    pub path: String,
    /// The file's size, the time of its last change in nanoseconds since 1970, and the SHA-256 of
    /// its content in hexadecimal, as they were at the beginning.
    pub size: u64,
    pub modified: u64,
    pub sha256: String,
    /// When the server gives it up if nothing comes.
    pub expires: Option<Timestamp>,
}

/// Remembers them in a folder, a small file each, readable by their owner only.
#[derive(Clone, Debug)]
pub struct UnfinishedFolder {
    folder: PathBuf,
}

impl UnfinishedFolder {
    /// The folder is made when there is something to remember.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    async fn on_disk<T: Send + 'static>(
        &self,
        name: &str,
        work: impl FnOnce(&Path, &Path) -> io::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let folder = self.folder.clone();
        let path = folder.join(format!("{name}.json"));
        let shown = path.display().to_string();
        let done = tokio::task::spawn_blocking(move || work(&folder, &path)).await;
        let done = done.map_err(io::Error::other).and_then(|done| done);
        done.map_err(|error| StoreError::File {
            path: shown,
            problem: error.to_string(),
        })
    }
}

#[async_trait]
impl Unfinished for UnfinishedFolder {
    async fn find(&self, name: &str) -> Result<Option<Begun>, StoreError> {
        self.on_disk(name, |_, path| match fs::read(path) {
            // What a crash tore is of no use.
            Ok(text) => Ok(serde_json::from_slice(&text).ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        })
        .await
    }

    async fn keep(&self, name: &str, begun: &Begun) -> Result<(), StoreError> {
        let text = serde_json::to_vec_pretty(begun);
        let text = text.map_err(|error| StoreError::Other(error.to_string()))?;
        self.on_disk(name, move |folder, path| {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)?;
            sweep(folder)?;
            let mut file = tempfile::Builder::new()
                .prefix(".unfinished-")
                .permissions(Permissions::from_mode(0o600))
                .tempfile_in(folder)?;
            file.write_all(&text)?;
            file.as_file().sync_all()?;
            file.persist(path)?;
            Ok(())
        })
        .await
    }

    async fn forget(&self, name: &str) -> Result<(), StoreError> {
        self.on_disk(name, |_, path| match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        })
        .await
    }
}

/// Removes what the servers have given up, and what is too much.
fn sweep(folder: &Path) -> io::Result<()> {
    let now = SystemClock.now();
    let mut kept = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_none_or(|end| end != "json") {
            continue;
        }
        let begun = fs::read(&path).ok();
        let begun = begun.and_then(|text| serde_json::from_slice::<Begun>(&text).ok());
        let is_over = begun.is_none_or(|begun| {
            let expires = begun.expires;
            expires.is_some_and(|expires| expires.as_millisecond() <= now.0)
        });
        if is_over {
            // Another program may have been faster.
            let _ = fs::remove_file(&path);
        } else {
            kept.push((
                fs::metadata(&path).and_then(|about| about.modified()).ok(),
                path,
            ));
        }
    }
    kept.sort();
    let too_much = (kept.len() + 1).saturating_sub(UNFINISHED_MAX);
    for (_, path) in kept.into_iter().take(too_much) {
        let _ = fs::remove_file(path);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun(expires: &str) -> Begun {
        Begun {
            upload: "ab".to_owned(),
            path: "notes.txt".to_owned(),
            size: 7,
            modified: 1,
            sha256: "cd".repeat(32),
            expires: Some(expires.parse().unwrap()),
        }
    }

    #[tokio::test]
    async fn what_was_begun_is_found_until_it_ends() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("state/uploads");
        let unfinished = UnfinishedFolder::new(&place);
        assert_eq!(unfinished.find("a").await.unwrap(), None);
        unfinished.forget("a").await.unwrap();
        let later = begun("2999-01-01T00:00:00Z");
        unfinished.keep("a", &later).await.unwrap();
        let again = UnfinishedFolder::new(&place);
        assert_eq!(again.find("a").await.unwrap(), Some(later));
        for (path, wanted) in [(place.clone(), 0o700), (place.join("a.json"), 0o600)] {
            let mode = fs::metadata(path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, wanted);
        }
        again.forget("a").await.unwrap();
        assert_eq!(unfinished.find("a").await.unwrap(), None);
        // What a crash tore does not count.
        fs::write(place.join("b.json"), "{").unwrap();
        assert_eq!(unfinished.find("b").await.unwrap(), None);
    }

    #[tokio::test]
    async fn what_the_server_has_given_up_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let unfinished = UnfinishedFolder::new(folder.path());
        let (over, later) = (begun("2001-01-01T00:00:00Z"), begun("2999-01-01T00:00:00Z"));
        unfinished.keep("over", &over).await.unwrap();
        for number in 0..=UNFINISHED_MAX {
            unfinished.keep(&number.to_string(), &later).await.unwrap();
        }
        let left = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, UNFINISHED_MAX);
        assert_eq!(unfinished.find("over").await.unwrap(), None);
        assert_eq!(unfinished.find("0").await.unwrap(), None, "the first one");
    }
}
