//! Compares what is kept with what the database knows, and the content of files with their names.
//!
//! The only part of `blob` that asks the database. It changes nothing there: a row says that a file
//! ought to be here, and that stays true when the content is lost.
//!
//! What can be wrong, and what is done about it:
//!
//! - *missing*: a row without content. It is copied from another file cache, a backup, if one is
//!   named and has it; otherwise it comes back when somebody uploads it again.
//! - *damaged*: content of the wrong length, or with another hash, or that the disk cannot read. It
//!   goes to quarantine, so that nobody gets it and the next upload of it is not thought needless;
//!   then it is missing.
//! - *orphan*: content without a row: its server was killed between keeping it and the commit.
//!   Nothing can refer to it, so it is deleted once it is old enough not to be in between now.

mod check;
mod orphan;
mod repair;
mod walk;

use std::path::PathBuf;

use thiserror::Error;

use super::{BlobError, BlobFile, Blobs, DiskStore};
use crate::id::{BlobId, Millis};
use crate::store::file::Known;
use crate::store::{Store, StoreError};
use check::Pace;
use repair::Damaged;
use walk::{Place, Walk};

pub use orphan::{Orphans, orphans};

/// Content without a row is left alone for so long. In milliseconds: one day, far more than any
/// commit takes.
pub const ORPHAN_AGE_MS: i64 = 24 * 60 * 60 * 1000;

/// How to look.
#[derive(Clone, Debug)]
pub struct ScrubOptions {
    /// Read and hash every file, rather than look at lengths only.
    pub reads_content: bool,
    /// Bytes a second to read at most; `None` for as fast as it goes.
    pub bytes_per_s_max: Option<u64>,
    /// Put right what can be, rather than tell only.
    pub repairs: bool,
    /// The folder of another file cache from which missing content may be copied.
    pub copies: Option<PathBuf>,
    pub now: Millis,
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    Missing,
    /// It has another length than the database knows.
    Length {
        expected: u64,
        found: u64,
    },
    /// It has another hash than its name.
    Content {
        found: BlobId,
    },
    /// The disk, or the object store, says so.
    Unreadable {
        reason: String,
    },
    /// Nobody knows it.
    Orphan {
        size: u64,
    },
}

/// What was done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repair {
    /// Nothing: nothing can be, or it was not asked for, or it is too young.
    None,
    Quarantined,
    /// A copy was found elsewhere.
    Restored,
    Deleted,
}

/// A file that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub blob: BlobId,
    pub fault: Fault,
    pub repair: Repair,
}

/// What a scrub tells while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It got here. Told from time to time.
    At(Report),
    Found(Finding),
}

/// What a scrub saw, in files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Files that are kept.
    pub files: u64,
    /// What of their content was read, in bytes.
    pub bytes: u64,
    pub missing: u64,
    pub damaged: u64,
    pub orphans: u64,
    pub quarantined: u64,
    pub restored: u64,
    pub deleted: u64,
}

impl Report {
    /// Whether everything is as it should be, now: what was put right counts, and what is gone for
    /// good does not.
    pub fn is_clean(&self) -> bool {
        self.missing + self.damaged == self.restored && self.orphans == self.deleted
    }

    fn count(&mut self, finding: &Finding) {
        *match finding.fault {
            Fault::Missing => &mut self.missing,
            Fault::Length { .. } | Fault::Content { .. } | Fault::Unreadable { .. } => {
                &mut self.damaged
            }
            Fault::Orphan { .. } => &mut self.orphans,
        } += 1;
        match finding.repair {
            Repair::None => {}
            Repair::Quarantined => self.quarantined += 1,
            Repair::Restored => self.restored += 1,
            Repair::Deleted => self.deleted += 1,
        }
    }
}

/// Why a scrub cannot go on.
#[derive(Debug, Error)]
pub enum ScrubError {
    #[error("the file cache: {0}")]
    Blob(#[from] BlobError),
    #[error("the database: {0}")]
    Store(#[from] StoreError),
}

/// Looks at every file. May run beside servers, and be stopped at any time.
pub async fn scrub(
    blobs: &Blobs,
    store: &dyn Store,
    options: &ScrubOptions,
    mut progress: impl FnMut(Progress),
) -> Result<Report, ScrubError> {
    let mut scrub = Scrub {
        blobs,
        store,
        options,
        copies: options.copies.as_deref().map(|folder| blobs.beside(folder)),
        pace: Pace::new(options.bytes_per_s_max),
        report: Report::default(),
    };
    let mut walk = Walk::new(blobs, store);
    while let Some(place) = walk.next().await? {
        let before = scrub.report.files;
        if let Some(finding) = scrub.look(place).await? {
            scrub.report.count(&finding);
            progress(Progress::Found(finding));
        }
        let files = scrub.report.files;
        if files != before && files.is_multiple_of(TOLD_FILES) {
            progress(Progress::At(scrub.report));
        }
    }
    Ok(scrub.report)
}

/// After so many files it is told how far a scrub got.
const TOLD_FILES: u64 = 1000;

struct Scrub<'a> {
    blobs: &'a Blobs,
    store: &'a dyn Store,
    options: &'a ScrubOptions,
    copies: Option<DiskStore>,
    pace: Pace,
    report: Report,
}

impl Scrub<'_> {
    async fn look(&mut self, place: Place) -> Result<Option<Finding>, ScrubError> {
        match place {
            Place::Unknown(blob) => self.look_at_unknown(blob).await,
            Place::Known(known) => self.look_at_known(known).await,
        }
    }

    async fn look_at_unknown(&mut self, blob: BlobId) -> Result<Option<Finding>, ScrubError> {
        self.report.files += 1;
        let (blobs, store, now) = (self.blobs, self.store, self.options.now);
        let Some(size) = orphan::look(blobs, store, blob, now).await? else {
            return Ok(None);
        };
        let fault = Fault::Orphan { size };
        let repair = match self.options.repairs && orphan::delete(blobs, store, blob).await? {
            true => Repair::Deleted,
            false => Repair::None,
        };
        Ok(Some(Finding {
            blob,
            fault,
            repair,
        }))
    }

    async fn look_at_known(&mut self, known: Known) -> Result<Option<Finding>, ScrubError> {
        // The collector deletes what is gone, or has done so.
        if known.is_gone {
            return Ok(None);
        }
        let blob = known.blob;
        let Some(file) = self.blobs.read(blob).await? else {
            if !repair::is_wanted(self.store, blob).await? {
                return Ok(None);
            }
            let repair = self.restored(known).await?;
            return Ok(Some(Finding {
                blob,
                fault: Fault::Missing,
                repair,
            }));
        };
        self.report.files += 1;
        let since = file.modified().await.ok();
        let Some(fault) = self.look_into(&file, known).await else {
            return Ok(None);
        };
        let damaged = Damaged { file, since, fault };
        let repair = self.replaced(known, &damaged).await?;
        Ok(Some(Finding {
            blob,
            fault: damaged.fault,
            repair,
        }))
    }

    async fn look_into(&mut self, file: &BlobFile, known: Known) -> Option<Fault> {
        if file.len() != known.size {
            return Some(Fault::Length {
                expected: known.size,
                found: file.len(),
            });
        }
        if !self.options.reads_content {
            return None;
        }
        self.report.bytes += file.len();
        match check::hash(self.blobs.pool(), file, &mut self.pace).await {
            Ok(found) if found == known.blob => None,
            Ok(found) => Some(Fault::Content { found }),
            Err(error) => Some(Fault::Unreadable {
                reason: error.to_string(),
            }),
        }
    }
}

#[cfg(test)]
mod tests;
