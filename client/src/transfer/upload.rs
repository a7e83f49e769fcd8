//! Brings a file to a transfer server, whatever breaks on the way.

use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use tokio::time::sleep;

use super::site::Site;
use super::source::Source;
use super::tries::Tries;
use super::tus::{Appended, Stored, is_id, is_lost};
use super::{Begun, Progress, Shelf, Unfinished, Uploaded};
use crate::api::Api;
use crate::error::{Error, Problem, Result};
use crate::model::BlobId;

/// How much goes with one request: proxies in between do not like endless ones.
const PIECE_BYTES: u64 = 16 << 20;
/// So often an upload that the server has lost is begun anew.
const ANEW_MAX: u32 = 3;

/// What is to be uploaded.
#[derive(Clone, Copy)]
pub struct Upload<'a> {
    path: &'a Path,
    shelf: Shelf,
    unfinished: Option<&'a dyn Unfinished>,
}

impl<'a> Upload<'a> {
    pub fn new(path: &'a Path, shelf: Shelf) -> Self {
        Self {
            path,
            shelf,
            unfinished: None,
        }
    }

    /// Goes on with what an earlier run of the program began, and leaves a later one what it needs.
    #[must_use]
    pub fn remembered_in(self, unfinished: &'a dyn Unfinished) -> Self {
        Self {
            unfinished: Some(unfinished),
            ..self
        }
    }
}

impl std::fmt::Debug for Upload<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upload")
            .field("path", &self.path)
            .field("shelf", &self.shelf)
            .finish_non_exhaustive()
    }
}

impl Api {
    /// Uploads a file. What breaks is mended: it goes on where the server has it, up to ten times
    /// without anything getting through. `progress` hears how far it is. Dropping it leaves what
    /// arrived on the server.
    ///
    /// # Errors
    /// `File` if it cannot be read or changes meanwhile; what the server refuses, for example
    /// `file_too_large`, `quota_user`, `picture_unsupported`; the network's.
    pub async fn upload(
        &self,
        upload: &Upload<'_>,
        mut progress: impl FnMut(Progress),
    ) -> Result<Uploaded> {
        let site = self.site(upload.shelf).await?;
        let source = Source::look(upload.path).await?;
        let memory = Memory {
            unfinished: upload.unfinished,
            name: name(&site, upload.path).await,
        };
        let begun = memory.find().await?;
        let file = match &begun {
            Some(begun) if begun.is_of(&source) => begun.hash(),
            _ => None,
        };
        let file = match file {
            Some(file) => file,
            None => source.hash().await?,
        };
        let begun = match begun {
            Some(begun) if begun.hash() != Some(file) || begun.size != source.size => {
                // The file is another one now.
                site.give_up(&begun.upload).await;
                memory.forget().await?;
                None
            }
            begun => begun,
        };
        if let Some(there) = self.there(file, upload.shelf, source.size).await? {
            memory.forget().await?;
            return Ok(there);
        }
        let mut way = Way {
            site,
            source,
            file,
            memory,
            id: begun.map(|begun| begun.upload),
            offset: 0,
            tries: Tries::new(),
        };
        let stored = Box::pin(way.finish(&mut progress)).await?;
        way.memory.forget().await?;
        way.uploaded(stored)
    }

    /// The file, if the server has it and says that one may send it along: somebody who uploaded it
    /// before, or who can read it. A hash alone is no key, so everybody else sends the bytes.
    async fn there(&self, file: BlobId, shelf: Shelf, size: u64) -> Result<Option<Uploaded>> {
        let known = match self.stored_file(file, Some(shelf)).await {
            Ok(known) => known,
            Err(Error::Refused(problem)) if matches!(problem.status, 404 | 410) => return Ok(None),
            Err(error) => return Err(error),
        };
        // A picture that nobody looked into has no size yet.
        let is_known = known.size == size && (shelf == Shelf::Files || known.width.is_some());
        Ok(is_known.then_some(Uploaded {
            file,
            bytes: known.size,
            mime: known.mime,
            width: known.width,
            height: known.height,
            thumbhash: known.thumbhash,
            was_there: true,
        }))
    }
}

impl Begun {
    /// Whether it is of this file, by what can be told without reading it.
    fn is_of(&self, source: &Source) -> bool {
        (self.size, self.modified) == (source.size, source.modified) && source.modified != 0
    }

    fn hash(&self) -> Option<BlobId> {
        BlobId::from_hex(&self.sha256)
    }
}

/// A name for what goes from here to there.
async fn name(site: &Site, path: &Path) -> String {
    // If it cannot be found out the name will do.
    let whole = tokio::fs::canonicalize(path).await;
    let path = whole.unwrap_or_else(|_| path.to_owned());
    let mut hash = Sha256::new();
    hash.update(site.address.as_bytes());
    hash.update([0]);
    hash.update(path.as_os_str().as_encoded_bytes());
    let name = BlobId(hash.finalize().into());
    name.to_string().chars().take(32).collect()
}

/// What is remembered of one upload, if anything is.
struct Memory<'a> {
    unfinished: Option<&'a dyn Unfinished>,
    name: String,
}

impl Memory<'_> {
    async fn find(&self) -> Result<Option<Begun>> {
        let Some(unfinished) = self.unfinished else {
            return Ok(None);
        };
        let begun = unfinished.find(&self.name).await?;
        Ok(begun.filter(|begun| is_id(&begun.upload)))
    }

    async fn keep(&self, begun: &Begun) -> Result<()> {
        match self.unfinished {
            Some(unfinished) => Ok(unfinished.keep(&self.name, begun).await?),
            None => Ok(()),
        }
    }

    async fn forget(&self) -> Result<()> {
        match self.unfinished {
            Some(unfinished) => Ok(unfinished.forget(&self.name).await?),
            None => Ok(()),
        }
    }
}

/// A file on its way.
struct Way<'a> {
    site: Site,
    source: Source,
    file: BlobId,
    memory: Memory<'a>,
    /// What the server calls the upload, once there is one.
    id: Option<String>,
    /// How much the server has for certain.
    offset: u64,
    tries: Tries,
}

impl Way<'_> {
    async fn finish(&mut self, progress: &mut impl FnMut(Progress)) -> Result<Stored> {
        let mut anew = 0;
        loop {
            let error = match self.go_on(progress).await {
                Ok(stored) => return Ok(stored),
                Err(error) => error,
            };
            if is_lost(&error) && self.id.take().is_some() && anew < ANEW_MAX {
                anew += 1;
                self.offset = 0;
                self.memory.forget().await?;
                continue;
            }
            self.let_go(&error).await?;
            let reason = error.to_string();
            let next_try = self.tries.after(error)?;
            progress(Progress::Waiting { reason, next_try });
            sleep(next_try).await;
        }
    }

    /// One try: from where the server is to the end.
    async fn go_on(&mut self, progress: &mut impl FnMut(Progress)) -> Result<Stored> {
        self.source.is_unchanged().await?;
        let id = match self.id.clone() {
            Some(id) => {
                let offset = self.site.offset(&id).await?;
                self.arrived(offset)?;
                id
            }
            None => self.begin().await?,
        };
        self.tries.answered();
        loop {
            let (offset, size) = (self.offset, self.source.size);
            progress(Progress::Moved {
                done: offset,
                total: size,
            });
            // Without content the last request asks what became of the file.
            let bytes = (size - offset).min(PIECE_BYTES);
            let piece = self.source.piece(offset, bytes).await?;
            let failed = Arc::clone(&piece.failed);
            let told = |gone| {
                progress(Progress::Moved {
                    done: offset + gone,
                    total: size,
                });
            };
            let appended = self.site.append(&id, offset, piece, told).await;
            if let Some(error) = self.source.unreadable(&failed) {
                return Err(error);
            }
            match appended? {
                Appended::Stored(stored) => {
                    progress(Progress::Moved {
                        done: size,
                        total: size,
                    });
                    return Ok(stored);
                }
                Appended::To(now) if now > offset => {
                    self.arrived(now)?;
                    self.source.is_unchanged().await?;
                }
                Appended::To(_) => {
                    let stuck = "it took a piece and does not have it".to_owned();
                    return Err(self.site.line.strange(stuck));
                }
            }
        }
    }

    async fn begin(&mut self) -> Result<String> {
        let name = self.source.path.file_name().unwrap_or_default();
        let name = name.to_string_lossy();
        let created = self.site.create(self.source.size, &name, self.file);
        let created = created.await?;
        let begun = Begun {
            upload: created.id.clone(),
            path: self.source.path.display().to_string(),
            size: self.source.size,
            modified: self.source.modified,
            sha256: self.file.to_string(),
            expires: created.expires,
        };
        self.memory.keep(&begun).await?;
        self.offset = 0;
        self.id = Some(created.id.clone());
        Ok(created.id)
    }

    /// The server has so much.
    fn arrived(&mut self, offset: u64) -> Result<()> {
        if offset > self.source.size {
            let strange = format!("it has {offset} bytes of a file with {}", self.source.size);
            return Err(self.site.line.strange(strange));
        }
        if offset > self.offset {
            self.tries.moved();
        }
        self.offset = offset;
        Ok(())
    }

    /// Forgets an upload whose content the server does not take, now or later.
    async fn let_go(&self, error: &Error) -> Result<()> {
        let refused = |problem: &Problem| matches!(problem.status, 413 | 415 | 422);
        if matches!(error, Error::Refused(problem) if refused(problem)) {
            self.memory.forget().await?;
        }
        Ok(())
    }

    fn uploaded(&self, stored: Stored) -> Result<Uploaded> {
        if BlobId::from_hex(&stored.file) != Some(self.file) {
            let strange = format!("it stored {} instead of {}", stored.file, self.file);
            return Err(self.site.line.strange(strange));
        }
        Ok(Uploaded {
            file: self.file,
            bytes: stored.size,
            mime: stored.mime,
            width: stored.width,
            height: stored.height,
            thumbhash: stored.thumbhash,
            was_there: false,
        })
    }
}
