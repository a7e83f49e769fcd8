//! Takes over the files of an original server: a flat directory of files named by their MD5.
//!
//! Reads that directory and never changes it. May be repeated: what is here already is left alone.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use thiserror::Error;

use super::name::{FileName, Md5Name};
use crate::api::Refusal;
use crate::blob::{BlobError, Blobs, PlainName};
use crate::id::Millis;
use crate::store::file::FileChange;
use crate::store::{BlobClass, Change, NamedBlob, Outcome, Store, StoreError};

/// How much of a file is read at a time.
const PIECE_BYTES: u64 = 1 << 20;

/// What an import did, in files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Adopted {
    /// The content matches the name.
    pub verified: u64,
    /// It does not; served, but the next upload of the name replaces it. Pictures only.
    pub unverified: u64,
    /// Copied under their own name: update packages.
    pub plain: u64,
    /// Was here already.
    pub present: u64,
    /// Not taken: empty, not a file, an impossible name, or a file that does not match its name.
    pub skipped: u64,
}

/// What became of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Verified,
    Unverified,
    Plain,
    Present,
    Skipped(&'static str),
}

#[derive(Debug, Error)]
pub enum AdoptError {
    #[error("cannot read {}: {source}", path.display())]
    Source { path: PathBuf, source: io::Error },
    #[error("cannot write {}: {source}", path.display())]
    Target { path: PathBuf, source: io::Error },
    #[error("the file cache: {0}")]
    Blob(#[from] BlobError),
    #[error("the database: {0}")]
    Store(#[from] StoreError),
}

/// Copies every file of `directory` into the file cache, names it in the database, and tells
/// `progress` what became of each.
pub async fn import_files(
    blobs: &Blobs,
    class: BlobClass,
    directory: &Path,
    store: &dyn Store,
    now: Millis,
    mut progress: impl FnMut(&str, Fate),
) -> Result<Adopted, AdoptError> {
    let importer = Importer {
        blobs,
        class,
        store,
        now,
    };
    let mut adopted = Adopted::default();
    for path in list(directory)? {
        let fate = importer.adopt(&path).await?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        *match fate {
            Fate::Verified => &mut adopted.verified,
            Fate::Unverified => &mut adopted.unverified,
            Fate::Plain => &mut adopted.plain,
            Fate::Present => &mut adopted.present,
            Fate::Skipped(_) => &mut adopted.skipped,
        } += 1;
        progress(&name, fate);
    }
    Ok(adopted)
}

/// In the order of names, so that two runs tell the same.
fn list(directory: &Path) -> Result<Vec<PathBuf>, AdoptError> {
    let entries = fs::read_dir(directory).and_then(|entries| {
        entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<io::Result<Vec<_>>>()
    });
    let mut paths = entries.map_err(unreadable(directory))?;
    paths.sort();
    Ok(paths)
}

struct Importer<'a> {
    blobs: &'a Blobs,
    class: BlobClass,
    store: &'a dyn Store,
    now: Millis,
}

impl Importer<'_> {
    async fn adopt(&self, path: &Path) -> Result<Fate, AdoptError> {
        let about = fs::symlink_metadata(path).map_err(unreadable(path))?;
        if !about.is_file() {
            return Ok(Fate::Skipped("not a file"));
        }
        if about.len() == 0 {
            return Ok(Fate::Skipped("empty: an upload that never began"));
        }
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        match FileName::new(name) {
            Some(FileName::Md5(name)) => self.adopt_md5(path, &name).await,
            Some(FileName::Plain(name)) if self.class == BlobClass::File => {
                self.adopt_plain(path, &name)
            }
            Some(FileName::Plain(_)) => Ok(Fate::Skipped("not named by an MD5")),
            None => Ok(Fate::Skipped("a name that no client can ask for")),
        }
    }

    async fn adopt_md5(&self, path: &Path, name: &Md5Name) -> Result<Fate, AdoptError> {
        let known = self.store.blob_named(self.class, name.as_str()).await?;
        if self.is_whole(known).await? {
            return Ok(Fate::Present);
        }
        let mut source = File::open(path).map_err(unreadable(path))?;
        let mut staging = self.blobs.stage().await?;
        loop {
            let mut piece = Vec::new();
            let read = source.by_ref().take(PIECE_BYTES).read_to_end(&mut piece);
            if read.map_err(unreadable(path))? == 0 {
                break;
            }
            staging.write(Bytes::from(piece)).await?;
        }
        let digest = staging.digest().await?;
        let verified = digest.md5_hex().as_deref() == Some(name.as_str());
        if !verified && self.class == BlobClass::File {
            return Ok(Fate::Skipped(
                "incomplete: the content does not match the name",
            ));
        }
        let _publishing = self.blobs.publishing(digest.blob).await?;
        let blob = staging.finish(digest.size).await?;
        let change = Change::NameBlob {
            class: self.class,
            name: name.as_str().to_owned(),
            blob,
            size: digest.size,
            verified,
            at: self.now,
        };
        // The messages that refer to it came over without saying so.
        let before = Change::File(FileChange::FromBefore { blob });
        let outcomes = self.store.commit(&[change, before]).await?;
        Ok(match (outcomes.first(), verified) {
            (Some(Outcome::Refused(Refusal::NameVerified)), _) => Fate::Present,
            (Some(Outcome::Refused(_)) | None, _) => Fate::Skipped("the database refused it"),
            (Some(_), true) => Fate::Verified,
            (Some(_), false) => Fate::Unverified,
        })
    }

    /// Whatever the name stands for, it came here later than the original's file.
    async fn is_whole(&self, known: Option<NamedBlob>) -> Result<bool, AdoptError> {
        let Some(known) = known else {
            return Ok(false);
        };
        let file = self.blobs.read(known.blob).await?;
        Ok(file.is_some_and(|file| file.len() == known.size))
    }

    /// A name that is taken stays: the operator may have put a newer package there.
    fn adopt_plain(&self, path: &Path, name: &PlainName) -> Result<Fate, AdoptError> {
        let target = self.blobs.folder(name.as_str());
        if fs::symlink_metadata(&target).is_ok() {
            return Ok(Fate::Present);
        }
        let unwritable = |source| AdoptError::Target {
            path: target.clone(),
            source,
        };
        // A dot keeps the half-copied file from being downloaded.
        let half = self.blobs.folder(&format!(".{}.part", name.as_str()));
        fs::copy(path, &half).map_err(unwritable)?;
        File::open(&half)
            .and_then(|file| file.sync_all())
            .and_then(|()| fs::rename(&half, &target))
            .and_then(|()| File::open(self.blobs.folder(""))?.sync_all())
            .map_err(unwritable)?;
        Ok(Fate::Plain)
    }
}

fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> AdoptError {
    let path = path.to_owned();
    move |source| AdoptError::Source { path, source }
}
