//! The upload on one connection: which piece may come next, and what becomes of a whole file.
//!
//! A file is received into a private temporary file, so uploads of one name do not know of each
//! other, and what is given up half way was never visible.

use std::net::IpAddr;

use bytes::Bytes;

use super::refusal::Refusal;
use crate::api;
use crate::blob::Staging;
use crate::id::{BlobId, Millis};
use crate::store::file::{FileChange, GRACE_MS};
use crate::store::{BlobClass, Change, NamedBlob, Outcome};
use crate::transfer::Transfers;
use crate::transfer::disk_watch::DiskWatch;
use crate::transfer::name::Md5Name;
use crate::transfer::promised_bytes::{NoRoom, Promise};
use crate::transfer::quota::Reservation;
use crate::transfer::uploads_active::Counted;

/// What an upload request says about its piece, checked as far as it can be by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    name: Md5Name,
    offset: u64,
    size: u64,
    len: u64,
}

impl Piece {
    pub(super) fn new(name: &[u8], offset: i64, size: i64, len: u64) -> Result<Self, Refusal> {
        let name = Md5Name::new(name).ok_or(Refusal::UploadName)?;
        let outside = Refusal::Outside { offset, len, size };
        let (Ok(offset), Ok(size)) = (u64::try_from(offset), u64::try_from(size)) else {
            return Err(outside);
        };
        let end = offset.checked_add(len);
        if size == 0 || end.is_none_or(|end| end > size) {
            return Err(outside);
        }
        Ok(Self {
            name,
            offset,
            size,
            len,
        })
    }

    /// The whole file's size.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Whether the piece goes on where `running` stands, or begins a new file.
    fn continues(&self, running: Option<Place<'_>>) -> Result<bool, Refusal> {
        let same = running.filter(|place| *place.name == self.name);
        let expected = match same {
            Some(place) if place.size != self.size => {
                return Err(Refusal::SizeChanged {
                    from: place.size,
                    to: self.size,
                });
            }
            Some(place) => place.next,
            None => 0,
        };
        if self.offset != expected {
            return Err(Refusal::Offset {
                expected,
                found: self.offset,
            });
        }
        if self.len == 0 {
            return Err(Refusal::EmptyPiece);
        }
        Ok(same.is_some())
    }
}

/// How far a running upload got.
#[derive(Clone, Copy, Debug)]
struct Place<'a> {
    name: &'a Md5Name,
    size: u64,
    next: u64,
}

/// What to do with the content of a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// The file is here already: throw the content away and say "complete".
    Skip,
    /// Give it to [`Upload::write`].
    Keep,
}

/// What to answer after a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Go on. Tells where this piece began: the old clients expect that.
    InProgress { offset: u64 },
    /// The whole file is here, to stay.
    Complete,
}

#[derive(Debug, Default)]
pub(super) enum Upload {
    #[default]
    Idle,
    Running(Box<Running>),
}

#[derive(Debug)]
pub(super) struct Running {
    name: Md5Name,
    size: u64,
    // Before the file, as the order of drops: where no file is seen any more, nothing is reserved.
    reservation: Reservation,
    promise: Promise,
    staging: Staging,
    watch: DiskWatch,
    _counted: Counted,
}

impl Upload {
    /// Decides on a piece before its content is read.
    pub(super) async fn begin(
        &mut self,
        transfers: &Transfers,
        peer: IpAddr,
        piece: &Piece,
    ) -> Result<Plan, Refusal> {
        let goes_on = self.place().is_some_and(|place| *place.name == piece.name);
        if !goes_on && is_here(transfers, &piece.name).await? {
            *self = Self::Idle;
            return Ok(Plan::Skip);
        }
        if !piece.continues(self.place())? {
            *self = Self::Idle;
            *self = Self::Running(Box::new(start(transfers, peer, piece).await?));
        }
        Ok(Plan::Keep)
    }

    /// Takes a part of the piece's content.
    pub(super) async fn write(
        &mut self,
        transfers: &Transfers,
        part: Bytes,
    ) -> Result<(), Refusal> {
        let Self::Running(running) = self else {
            return Ok(());
        };
        let came = part.len();
        running.watch.look(transfers, came).await?;
        running.staging.write(part).await?;
        running.promise.came(u64::try_from(came).unwrap_or(0));
        Ok(())
    }

    /// The whole piece is written. Publishes the file if it was the last one.
    pub(super) async fn end(
        &mut self,
        transfers: &Transfers,
        piece: &Piece,
    ) -> Result<Answer, Refusal> {
        if piece.offset + piece.len < piece.size {
            return Ok(Answer::InProgress {
                offset: piece.offset,
            });
        }
        if let Self::Running(running) = std::mem::take(self) {
            publish(transfers, *running).await?;
        }
        Ok(Answer::Complete)
    }

    fn place(&self) -> Option<Place<'_>> {
        match self {
            Self::Idle => None,
            Self::Running(running) => Some(Place {
                name: &running.name,
                size: running.size,
                next: running.staging.size(),
            }),
        }
    }
}

/// Whether an upload of this name is needless. Content that does not match its name may be replaced
/// by any upload, so it does not count; nor does a file that the disk lost.
async fn is_here(transfers: &Transfers, name: &Md5Name) -> Result<bool, Refusal> {
    let named = transfers
        .store
        .blob_named(transfers.policy.class, name.as_str())
        .await?;
    match named {
        Some(NamedBlob {
            blob,
            size,
            verified: true,
        }) => {
            let file = transfers.blobs.read(blob).await?;
            Ok(file.is_some_and(|file| file.len() == size) && stays(transfers, blob).await?)
        }
        _ => Ok(false),
    }
}

/// Who is told that a file is here sends it in a moment: it must not expire before. `false` if it
/// did.
async fn stays(transfers: &Transfers, blob: BlobId) -> Result<bool, Refusal> {
    let expires = Millis(transfers.clock.now().0.saturating_add(GRACE_MS));
    let postpone = Change::File(FileChange::Postpone { blob, expires });
    let outcomes = transfers.store.commit(&[postpone]).await?;
    Ok(matches!(outcomes.first(), Some(Outcome::Done { .. })))
}

async fn start(transfers: &Transfers, peer: IpAddr, piece: &Piece) -> Result<Running, Refusal> {
    let policy = &transfers.policy;
    let size = piece.size;
    if size > policy.upload_bytes_max {
        let limit = policy.upload_bytes_max;
        return Err(Refusal::TooLarge { size, limit });
    }
    let promise = transfers.promises.promise(size);
    if let Err(NoRoom { free, promised }) = transfers.find_room(size, size).await? {
        return Err(Refusal::DiskFull {
            free,
            promised,
            size,
            limit: policy.disk_free_bytes_min,
        });
    }
    let day = transfers.clock.now().day();
    let reserved = transfers
        .quota
        .reserve(&*transfers.store, peer, day, size)
        .await?;
    let limit = policy.upload_day_bytes_max;
    Ok(Running {
        name: piece.name.clone(),
        size,
        staging: transfers.blobs.stage().await?,
        reservation: reserved.ok_or(Refusal::DayQuota { limit })?,
        promise,
        watch: DiskWatch::default(),
        _counted: Counted::new(),
    })
}

/// Disk first, then database, then the answer: what was answered survives a power cut.
async fn publish(transfers: &Transfers, mut running: Running) -> Result<(), Refusal> {
    let class = transfers.policy.class;
    let digest = running.staging.digest().await?;
    let verified = digest.md5_hex().as_deref() == Some(running.name.as_str());
    #[cfg(feature = "planted")]
    let verified = verified || crate::config::planted::has("md5-alias-before-verification");
    if !verified && class == BlobClass::File {
        return Err(Refusal::ContentMismatch);
    }
    // Until the database knows it, the file could be taken for one that nobody needs.
    let _publishing = transfers.blobs.publishing(digest.blob).await?;
    let blob = running.staging.finish(running.size).await?;
    let at = transfers.clock.now();
    let change = Change::NameBlob {
        class,
        name: running.name.as_str().to_owned(),
        blob,
        size: running.size,
        verified,
        at,
    };
    let outcome = transfers
        .quota
        .spend(&*transfers.store, running.reservation, at.day(), change)
        .await?;
    match outcome {
        Outcome::Done { .. } | Outcome::AlreadyThere { .. } => Ok(()),
        // Somebody else's matching upload was faster. A moment later this one would have been told
        // "complete" without sending anything.
        Outcome::Refused(api::Refusal::NameVerified) if !verified => Ok(()),
        // Two contents with one MD5: the first stays, and the second is not served as if it were.
        Outcome::Refused(_) => Err(Refusal::NameTaken),
    }
}
