//! An upload on which a request works.

use axum::http::StatusCode;

use super::note::{Class, Note, Part};
use super::turns::Turn;
use crate::blob::{Found, UploadId};
use crate::id::Millis;
use crate::transfer::Transfers;
use crate::transfer::http::access::Caller;
use crate::transfer::http::problem::Problem;

/// An upload while it is this request's turn.
#[derive(Debug)]
pub(super) struct Upload {
    pub(super) id: UploadId,
    pub(super) note: Note,
    /// How much of it is here.
    pub(super) offset: u64,
    /// Whether the content still stands among the uploads.
    pub(super) has_content: bool,
    /// When it is given up if nothing is done about it.
    pub(super) expires: Millis,
    pub(super) turn: Turn,
}

impl Upload {
    /// Takes the turn at one's own upload.
    ///
    /// # Errors
    /// 404 for one that is not there or somebody else's, 410 for one that expired, 423 if another
    /// request works on it.
    pub(super) async fn open(
        transfers: &Transfers,
        name: &str,
        caller: Caller,
    ) -> Result<Self, Problem> {
        let id = UploadId::from_hex(name).ok_or_else(no_such_upload)?;
        // Before the turn is taken: a stranger must not interrupt anybody.
        find(transfers, id, caller).await?;
        let turn = transfers.turns.take(id).await?;
        let (note, found) = find(transfers, id, caller).await?;
        let mut upload = Self {
            id,
            offset: found.received.unwrap_or(0),
            has_content: found.received.is_some(),
            expires: transfers.expiry_of(found.touched),
            note,
            turn,
        };
        upload.settle(transfers).await?;
        Ok(upload)
    }

    /// Sets right what a crash left.
    async fn settle(&mut self, transfers: &Transfers) -> Result<(), Problem> {
        if let Some(stored) = &self.note.stored {
            self.offset = stored.size;
            return Ok(());
        }
        if let Some(examined) = &self.note.examined
            && !self.has_content
        {
            let kept = transfers.blobs.read(examined.file).await?;
            if kept.is_some_and(|kept| kept.len() == examined.size) {
                self.offset = examined.size;
                return Ok(());
            }
        }
        let is_torn = matches!(self.note.part, Part::Final(_)) && !self.is_complete();
        if !self.has_content || is_torn {
            tracing::warn!(upload = %self.id, "an upload lost its content; removing it");
            self.forget(transfers).await?;
            return Err(no_such_upload());
        }
        match self.note.unchecked_from {
            Some(checked) => self.discard_unchecked(transfers, checked).await,
            None => Ok(()),
        }
    }

    /// Throws away content whose checksum was never compared.
    async fn discard_unchecked(
        &mut self,
        transfers: &Transfers,
        checked: u64,
    ) -> Result<(), Problem> {
        if checked < self.offset {
            let content = self.content(transfers).await?;
            if let Some(mut content) = content {
                content.truncate(checked).await?;
                content.sync().await?;
                content.close().await?;
            }
            self.offset = checked;
        }
        self.note.unchecked_from = None;
        self.save(transfers, true).await
    }

    /// The content, to be added to or looked at.
    pub(super) async fn content(
        &self,
        transfers: &Transfers,
    ) -> Result<Option<crate::blob::Content>, Problem> {
        let with_md5 = transfers.wants_md5(self.note.length);
        let held = self.turn.held();
        let content = transfers.partials.open_content(self.id, with_md5, held);
        Ok(content.await?)
    }

    pub(super) async fn save(
        &self,
        transfers: &Transfers,
        is_durable: bool,
    ) -> Result<(), Problem> {
        let note = self.note.write();
        Ok(transfers.partials.note(self.id, note, is_durable).await?)
    }

    /// Removes it and everything about it.
    pub(super) async fn forget(&self, transfers: &Transfers) -> Result<(), Problem> {
        transfers.partials.remove(self.id).await?;
        transfers.promises.end(self.id);
        Ok(())
    }

    /// Whether all bytes are here.
    pub(super) fn is_complete(&self) -> bool {
        self.note.length == Some(self.offset)
    }

    /// How much may still come.
    pub(super) fn left(&self, transfers: &Transfers) -> u64 {
        let most = self
            .note
            .length
            .unwrap_or(transfers.policy.upload_bytes_max);
        most.saturating_sub(self.offset)
    }
}

/// An upload that is there and the caller's.
pub(super) async fn find(
    transfers: &Transfers,
    id: UploadId,
    caller: Caller,
) -> Result<(Note, Found), Problem> {
    let found = transfers.partials.find(id).await?;
    let found = found.ok_or_else(no_such_upload)?;
    let Some(note) = Note::read(&found.note) else {
        tracing::warn!(upload = %id, "an unreadable note; removing the upload");
        transfers.partials.remove(id).await?;
        transfers.promises.end(id);
        return Err(no_such_upload());
    };
    let is_own = note.user.is_none() || note.user == caller.user.map(|user| user.0);
    if note.class != Class::from(transfers.policy.class) || !is_own {
        return Err(no_such_upload());
    }
    if transfers.expiry_of(found.touched) <= transfers.clock.now() {
        let detail = "This upload expired; begin a new one.";
        return Err(Problem::new(StatusCode::GONE, "upload_expired", detail));
    }
    Ok((note, found))
}

pub(super) fn no_such_upload() -> Problem {
    let detail = "There is no such upload, or it is not yours.";
    Problem::new(StatusCode::NOT_FOUND, "no_such_upload", detail)
}

impl Transfers {
    /// When an upload is given up about which nothing was done since.
    pub(super) fn expiry_of(&self, touched: Millis) -> Millis {
        Millis(touched.0.saturating_add(self.policy.upload_expiry_ms))
    }

    /// Whether the MD5 is computed on the way.
    pub(in crate::transfer::http) fn wants_md5(&self, length: Option<u64>) -> bool {
        length.is_some_and(|length| length <= super::super::finish::MD5_INLINE_BYTES_MAX)
    }
}
