//! Walks what is kept and what the database knows together, in the order of hashes.

use std::collections::VecDeque;

use super::ScrubError;
use crate::blob::Blobs;
use crate::id::BlobId;
use crate::store::Store;
use crate::store::file::{self, Known};

/// How many are asked for at a time.
const PAGE_FILES: u32 = 1000;

/// One file. The two sides were asked at different times, so this is where to look, and not yet
/// what is there.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// The database knows it.
    Known(Known),
    /// It is kept, and the database does not know it.
    Unknown(BlobId),
}

pub(super) struct Walk<'a> {
    blobs: &'a Blobs,
    store: &'a dyn Store,
    kept: Pages<BlobId>,
    known: Pages<Known>,
}

struct Pages<T> {
    page: VecDeque<T>,
    last: Option<BlobId>,
    is_over: bool,
}

impl<T> Default for Pages<T> {
    fn default() -> Self {
        Self {
            page: VecDeque::new(),
            last: None,
            is_over: false,
        }
    }
}

impl<T> Pages<T> {
    fn needs_more(&self) -> bool {
        self.page.is_empty() && !self.is_over
    }

    fn take(&mut self, page: Vec<T>, id: impl Fn(&T) -> BlobId) {
        match page.last() {
            Some(last) => self.last = Some(id(last)),
            None => self.is_over = true,
        }
        self.page.extend(page);
    }
}

impl<'a> Walk<'a> {
    pub(super) fn new(blobs: &'a Blobs, store: &'a dyn Store) -> Self {
        Self {
            blobs,
            store,
            kept: Pages::default(),
            known: Pages::default(),
        }
    }

    pub(super) async fn next(&mut self) -> Result<Option<Place>, ScrubError> {
        if self.kept.needs_more() {
            let limit = usize::try_from(PAGE_FILES).unwrap_or(usize::MAX);
            let page = self.blobs.list(self.kept.last, limit).await?;
            self.kept.take(page, |id| *id);
        }
        if self.known.needs_more() {
            let page = file::known(self.store, self.known.last, PAGE_FILES).await?;
            self.known.take(page, |known| known.blob);
        }
        let (kept, known) = (self.kept.page.front(), self.known.page.front());
        Ok(match (kept.copied(), known.copied()) {
            (None, None) => None,
            (Some(kept), None) => self.unknown(kept),
            (Some(kept), Some(known)) if kept < known.blob => self.unknown(kept),
            (kept, Some(known)) => {
                self.known.page.pop_front();
                if kept == Some(known.blob) {
                    self.kept.page.pop_front();
                }
                Some(Place::Known(known))
            }
        })
    }

    fn unknown(&mut self, kept: BlobId) -> Option<Place> {
        self.kept.page.pop_front();
        Some(Place::Unknown(kept))
    }
}
