//! Makes a stored file of content of which all bytes have come: looked into, kept, written down.
//!
//! The order is what makes a crash harmless at any point: the content is kept before the database
//! knows it, and the database knows it before anybody is told.

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::access::Caller;
use super::problem::Problem;
use crate::api::Refusal;
use crate::blob::{BlobError, BlobFile, Content, Digest, Staging};
use crate::id::{BlobId, Millis};
use crate::store::file::{FileChange, Picture, Uploaded};
use crate::store::{Change, Outcome, file};
use crate::transfer::Transfers;
use crate::transfer::inspect::Inspected;
use crate::transfer::quota::Reservation;

/// Up to this size the MD5, by which old clients ask for a file, is computed on the way. For larger
/// ones it would slow the upload down, and is computed afterwards.
pub(in crate::transfer) const MD5_INLINE_BYTES_MAX: u64 = 8 << 20;

/// An upload that nothing refers to is collected after this time, in milliseconds: a day, so that
/// whoever uploaded it has the time to send it.
pub(in crate::transfer) const UNUSED_MS: i64 = 24 * 60 * 60 * 1000;

/// What is known of content when all of it is here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::transfer) struct Examined {
    #[serde(with = "hex")]
    pub(in crate::transfer) file: BlobId,
    pub(in crate::transfer) size: u64,
    pub(in crate::transfer) mime: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::transfer) width: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::transfer) height: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::transfer) thumbhash: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::transfer) md5: Option<String>,
}

/// A stored file, as its uploader is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::transfer) struct Stored {
    #[serde(with = "hex")]
    pub(in crate::transfer) file: BlobId,
    pub(in crate::transfer) size: u64,
    pub(in crate::transfer) mime: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::transfer) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::transfer) width: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::transfer) height: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::transfer) thumbhash: Option<String>,
    /// Whether this user had not uploaded it before.
    #[serde(skip)]
    pub(in crate::transfer) is_new: bool,
}

/// Content that is complete but not kept yet.
pub(super) trait Complete {
    async fn digest(&mut self) -> Result<Digest, BlobError>;
    async fn view(&mut self) -> Result<BlobFile, BlobError>;
}

impl Complete for Staging {
    async fn digest(&mut self) -> Result<Digest, BlobError> {
        Staging::digest(self).await
    }

    async fn view(&mut self) -> Result<BlobFile, BlobError> {
        Staging::view(self).await
    }
}

impl Complete for Content {
    async fn digest(&mut self) -> Result<Digest, BlobError> {
        Content::digest(self).await
    }

    async fn view(&mut self) -> Result<BlobFile, BlobError> {
        Content::view(self).await
    }
}

/// Looks into content.
///
/// # Errors
/// 422 if it is not what was promised; what the server's inspector says.
pub(super) async fn examine(
    transfers: &Transfers,
    content: &mut impl Complete,
    promised: Option<BlobId>,
) -> Result<Examined, Problem> {
    let digest = content.digest().await?;
    if promised.is_some_and(|promised| promised != digest.blob) {
        crate::telemetry::metrics::UPLOAD_HASH_MISMATCH_TOTAL.increment(1);
        let detail = format!("The SHA-256 of what came is {}.", digest.blob);
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return Err(Problem::new(status, "digest_mismatch", detail));
    }
    let view = content.view().await?;
    let Inspected { mime, picture } = transfers.inspector.inspect(&view, digest.size).await?;
    let (width, height, thumbhash) = match picture {
        Some(Picture {
            width,
            height,
            thumbhash,
        }) => (Some(width), Some(height), thumbhash),
        None => (None, None, None),
    };
    Ok(Examined {
        file: digest.blob,
        size: digest.size,
        mime,
        width,
        height,
        thumbhash,
        md5: digest.md5_hex(),
    })
}

/// Writes kept content down. The caller has held `blobs.publishing(…)` since before it was kept.
///
/// # Errors
/// 507 beyond a quota; the store's.
pub(super) async fn record(
    transfers: &Transfers,
    examined: Examined,
    name: Option<String>,
    caller: Caller,
    reservation: Option<Reservation>,
) -> Result<Stored, Problem> {
    let policy = &transfers.policy;
    let at = transfers.clock.now();
    let picture = match (examined.width, examined.height) {
        (Some(width), Some(height)) => Some(Picture {
            width,
            height,
            thumbhash: examined.thumbhash.clone(),
        }),
        _ => None,
    };
    let is_named = examined.md5.is_some();
    let class = policy.class;
    let is_new = match caller.user {
        Some(user) => !file::uploaded_by(&*transfers.store, user, class, examined.file).await?,
        None => true,
    };
    let change = Change::File(FileChange::Uploaded(Uploaded {
        class,
        blob: examined.file,
        size: examined.size,
        mime: examined.mime.clone(),
        name: name.clone(),
        picture,
        owner: caller.user,
        md5: examined.md5,
        at,
        expires: Some(Millis(at.0.saturating_add(UNUSED_MS))),
        user_bytes_max: policy.user_bytes_max,
        total_bytes_max: policy.total_bytes_max,
    }));
    let outcome = match reservation {
        Some(reserved) => {
            let (store, day) = (&*transfers.store, at.day());
            transfers.quota.spend(store, reserved, day, change).await?
        }
        None => one(transfers.store.commit(&[change]).await?)?,
    };
    match outcome {
        Outcome::Done { .. } | Outcome::AlreadyThere { .. } => {}
        Outcome::Refused(Refusal::QuotaUser) => return Err(quota_user()),
        Outcome::Refused(Refusal::QuotaTotal) => return Err(quota_total()),
        Outcome::Refused(refusal) => {
            tracing::error!(%refusal, "an upload was refused");
            return Err(Problem::internal());
        }
    }
    if !is_named {
        transfers.naming.ask(examined.file);
    }
    Ok(Stored {
        file: examined.file,
        size: examined.size,
        mime: examined.mime,
        name,
        width: examined.width,
        height: examined.height,
        thumbhash: examined.thumbhash,
        is_new,
    })
}

fn one(outcomes: Vec<Outcome>) -> Result<Outcome, Problem> {
    outcomes.into_iter().next().ok_or_else(|| {
        tracing::error!("a commit without an outcome");
        Problem::internal()
    })
}

pub(super) fn quota_user() -> Problem {
    let detail = "The space for your files is used up; delete some first.";
    Problem::new(StatusCode::INSUFFICIENT_STORAGE, "quota_user", detail)
}

pub(super) fn quota_total() -> Problem {
    let detail = "The space for all files of this server is used up.";
    Problem::new(StatusCode::INSUFFICIENT_STORAGE, "quota_total", detail)
}

/// A hash as hexadecimal digits.
mod hex {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::id::BlobId;

    pub(super) fn serialize<S: Serializer>(blob: &BlobId, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(blob)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<BlobId, D::Error> {
        let text = String::deserialize(from)?;
        BlobId::from_hex(&text).ok_or_else(|| D::Error::custom("no SHA-256"))
    }
}
