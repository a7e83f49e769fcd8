//! Why a transfer connection is closed.
//!
//! The old clients know no error answer for uploads: whatever they get, they send the next piece.
//! So every failure is told by closing, and the reason is for the log.

use std::io;

use thiserror::Error;

use crate::blob::BlobError;
use crate::store::StoreError;
use crate::telemetry::metrics;
use crate::wire::transfer_head::HeadError;

#[derive(Debug, Error)]
pub(in crate::transfer) enum Refusal {
    #[error("no complete request within the time limit")]
    Silent,
    #[error("the connection broke: {0}")]
    Broken(#[from] io::Error),
    #[error("the connection ended in the middle of a request")]
    Truncated,
    #[error("not a transfer request: {0}")]
    Frame(#[from] HeadError),
    #[error("the name of an upload must be 32 hexadecimal digits")]
    UploadName,
    #[error("the next piece must begin at {expected}, not at {found}")]
    Offset { expected: u64, found: u64 },
    #[error("a piece at {offset} with {len} bytes does not fit into a file of {size}")]
    Outside { offset: i64, len: u64, size: i64 },
    #[error("an empty piece brings an upload no further")]
    EmptyPiece,
    #[error("the file's size changed from {from} to {to}")]
    SizeChanged { from: u64, to: u64 },
    #[error("a file of {size} bytes is larger than the limit upload_bytes_max, {limit}")]
    TooLarge { size: u64, limit: u64 },
    #[error("the address reached the limit upload_day_bytes_max, {limit} bytes a day")]
    DayQuota { limit: u64 },
    #[error(
        "{free} bytes are free on the disk, of which others were promised {promised}; {size} more \
         would pass disk_free_bytes_min, {limit}"
    )]
    DiskFull {
        free: u64,
        promised: u64,
        size: u64,
        limit: u64,
    },
    #[error("no account logged in from this address within the last 24 hours")]
    UnknownAddress,
    #[error("the content does not match the name")]
    ContentMismatch,
    #[error("the name already stands for other content")]
    NameTaken,
    #[error("the database cannot answer: {0}")]
    Store(#[from] StoreError),
    #[error("the file cache: {0}")]
    Blob(#[from] BlobError),
}

impl Refusal {
    /// Whether the operator must look after something, rather than the peer.
    pub(in crate::transfer) fn is_ours(&self) -> bool {
        match self {
            Self::Store(_) | Self::DiskFull { .. } => true,
            Self::Blob(error) => !matches!(error, BlobError::Length { .. }),
            _ => false,
        }
    }

    /// Counts what the peer, or the database, did wrong.
    pub(in crate::transfer) fn count(&self) {
        let reason = match self {
            Self::Silent => "silent",
            Self::Truncated => "truncated",
            Self::Frame(_) => "bad_frame",
            Self::UploadName
            | Self::Offset { .. }
            | Self::Outside { .. }
            | Self::EmptyPiece
            | Self::SizeChanged { .. } => "bad_request",
            Self::ContentMismatch => {
                metrics::UPLOAD_HASH_MISMATCH_TOTAL.increment(1);
                return;
            }
            Self::DayQuota { .. } => {
                metrics::rate_limited("upload_day_bytes");
                return;
            }
            Self::Store(error) => {
                metrics::db_error(error);
                return;
            }
            Self::Broken(error) if error.kind() == io::ErrorKind::TimedOut => {
                metrics::SLOW_CONSUMER_DISCONNECTS.increment(1);
                return;
            }
            Self::Broken(_)
            | Self::TooLarge { .. }
            | Self::DiskFull { .. }
            | Self::UnknownAddress
            | Self::NameTaken
            | Self::Blob(_) => return,
        };
        metrics::protocol_error("transfer", reason);
    }
}
