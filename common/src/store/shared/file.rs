//! What stored files are: who uploaded them, what refers to them, who may read them, when they go.
//!
//! The content lies in the file cache; this is what the database knows of it. A row of `t_blob` is
//! in one of three states: *kept* (`f_expires` is NULL), *expiring* (nothing refers to it), *gone*
//! (`f_gone` is set: the content is deleted, or will be by whoever collects next). What old
//! clients uploaded is never collected for lack of references, because their messages from before
//! are not among them.

mod access;
mod collect;
mod index;
mod name;
mod read;
mod refer;
mod upload;

use super::Tx;
use crate::api::BlobClass;
use crate::id::{BlobId, ConvId, GroupId, Millis, Seq, UserId};
use crate::store::Outcome;

pub use access::{is_public, kept_as_pictures, may_read, readable, usable};
pub use index::{Known, known, known_of};
pub use name::{Nameless, nameless, unnamed};
pub use read::{
    About, Kept, about, about_all, aged, expired, is_gone, kept, uploaded_by, used, used_in_all,
};
pub(in crate::store) use refer::{present, refer, show_avatar, unrefer, unrefer_all};

/// How long a file stays that nothing refers to any more. In milliseconds: one day, so that who
/// takes a message back may still send the file again.
pub const GRACE_MS: i64 = 24 * 60 * 60 * 1000;

/// What somebody called a file is kept up to so many characters.
pub const NAME_CHARS_MAX: usize = 255;

/// What is known of a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// In pixels, as it is shown.
    pub width: u32,
    pub height: u32,
    /// A `ThumbHash` in base64.
    pub thumbhash: Option<String>,
}

/// A file that came over HTTP and lies in the file cache, synced.
#[derive(Clone, Debug)]
pub struct Uploaded {
    pub class: BlobClass,
    pub blob: BlobId,
    pub size: u64,
    pub mime: String,
    /// What the uploader calls it.
    pub name: Option<String>,
    pub picture: Option<Picture>,
    pub owner: Option<UserId>,
    /// The content's MD5 in lower-case hexadecimal, by which old clients find it; if it is known
    /// already.
    pub md5: Option<String>,
    pub at: Millis,
    /// When it goes if nothing refers to it by then; `None` for never.
    pub expires: Option<Millis>,
    /// What the owner may have uploaded together with this; `None` for any amount.
    pub user_bytes_max: Option<u64>,
    /// What all files together may take; `None` for any amount. Two servers on MySQL that store the
    /// last ones in the same moment may pass it by one file each.
    pub total_bytes_max: Option<u64>,
}

/// What refers to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reference {
    Message(ConvId, Seq),
    UserAvatar(UserId),
    GroupAvatar(GroupId),
    /// A package that everybody may download, by its number.
    Package(u32),
}

impl Reference {
    /// `f_kind`, `f_owner` and `f_seq`.
    fn key(self) -> [super::Value; 3] {
        let none = Seq(0).into();
        match self {
            Self::Message(conv, seq) => [1_i64.into(), conv.into(), seq.into()],
            Self::UserAvatar(user) => [2_i64.into(), user.into(), none],
            Self::GroupAvatar(group) => [3_i64.into(), group.into(), none],
            Self::Package(number) => [4_i64.into(), number.into(), none],
        }
    }
}

/// A write about stored files.
#[derive(Clone, Debug)]
pub enum FileChange {
    /// A file came. The same content of the same owner again counts once. Content that was gone is
    /// there again. Refused: `QuotaUser`, `QuotaTotal`.
    Uploaded(Uploaded),
    /// The content's MD5, which old clients ask for, if it was not known at the upload. A name that
    /// belongs to other content stays as it is. Refused: `NoSuchFile`.
    Named {
        class: BlobClass,
        blob: BlobId,
        md5: String,
        at: Millis,
    },
    /// Somebody was told that the file is here: what expires does not do so before `expires`.
    /// Refused: `NoSuchFile` if it is not here (any more).
    Postpone { blob: BlobId, expires: Millis },
    /// The file was there before references were written down. Never refused.
    FromBefore { blob: BlobId },
    /// From now on `by` refers to this file and to no other. Refused: `NoSuchFile`.
    Refer {
        blob: BlobId,
        by: Reference,
        at: Millis,
    },
    /// Nothing is referred to by `by` any more. A file that was the last one's goes after
    /// [`GRACE_MS`]. Never refused.
    Unrefer { by: Reference, at: Millis },
    /// The content is to be deleted: it expired and nothing refers to it, or it is gone already.
    /// Refused: `FileNeeded`; `NoSuchFile`.
    Forget { blob: BlobId, now: Millis },
    /// The content is to be deleted because it was uploaded before `before`, although messages
    /// refer to it. Refused: `FileNeeded` for younger ones, pictures of users and groups, and
    /// packages; `NoSuchFile`.
    Retire {
        blob: BlobId,
        before: Millis,
        now: Millis,
    },
    /// The content of a file that is gone was deleted. The row stays only if messages refer to it.
    /// Refused: `FileNeeded` if it is not gone.
    Erased { blob: BlobId },
}

pub(super) async fn apply<T: Tx>(tx: &mut T, change: &FileChange) -> Result<Outcome, T::Fault> {
    match change {
        FileChange::Uploaded(uploaded) => upload::uploaded(tx, uploaded).await,
        FileChange::Named {
            class,
            blob,
            md5,
            at,
        } => upload::named(tx, *class, *blob, md5, *at).await,
        FileChange::Postpone { blob, expires } => upload::postpone(tx, *blob, *expires).await,
        FileChange::FromBefore { blob } => upload::from_before(tx, *blob).await,
        FileChange::Refer { blob, by, at } => refer::replace(tx, *blob, *by, *at).await,
        FileChange::Unrefer { by, at } => {
            unrefer(tx, *by, *at).await?;
            Ok(Outcome::done())
        }
        FileChange::Forget { blob, now } => collect::forget(tx, *blob, *now).await,
        FileChange::Retire { blob, before, now } => collect::retire(tx, *blob, *before, *now).await,
        FileChange::Erased { blob } => collect::erased(tx, *blob).await,
    }
}

/// The stored number of a class.
pub(in crate::store) fn class_number(class: BlobClass) -> i64 {
    match class {
        BlobClass::File => 1,
        BlobClass::Image => 2,
    }
}

/// What a change must know of a file; the row is locked.
struct Held {
    stored: Millis,
    expires: Option<Millis>,
    is_gone: bool,
}

/// Locks a file's row.
async fn held<T: Tx>(tx: &mut T, blob: BlobId) -> Result<Option<Held>, T::Fault> {
    let sql = format!(
        "SELECT f_time, f_expires, f_gone FROM t_blob WHERE f_sha256 = ?{}",
        T::FOR_UPDATE
    );
    let rows = tx.select(&sql, vec![blob.into()]).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    Ok(Some(Held {
        stored: row.millis(0)?,
        expires: row.maybe_int(1)?.map(Millis),
        is_gone: row.maybe_int(2)?.is_some(),
    }))
}

/// Whether anything refers to the file, of these kinds.
async fn is_referred<T: Tx>(tx: &mut T, blob: BlobId, kinds: &str) -> Result<bool, T::Fault> {
    let sql = format!("SELECT 1 FROM t_blob_ref WHERE f_sha256 = ? AND {kinds} LIMIT 1");
    Ok(!tx.select(&sql, vec![blob.into()]).await?.is_empty())
}

/// References of all kinds.
const ANY_KIND: &str = "f_kind > 0";
