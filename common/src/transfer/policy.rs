//! What a transfer server allows, as plain values.

use std::time::Duration;

use super::collector::Retention;
use crate::config::{Access, Origins, TransferConfig};
use crate::store::BlobClass;

const HOUR_MS: i64 = 60 * 60 * 1000;

/// The rules of one transfer server.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Whose names it serves.
    pub class: BlobClass,
    pub access: Access,
    /// The largest file.
    pub upload_bytes_max: u64,
    /// How much one address may upload a day. Over HTTP it counts for those who are not signed in.
    pub upload_day_bytes_max: u64,
    /// What a user may have uploaded over HTTP; `None` for any amount.
    pub user_bytes_max: Option<u64>,
    /// What all files together may take; `None` for any amount.
    pub total_bytes_max: Option<u64>,
    /// An upload that can be resumed is given up so long after its last byte, in milliseconds.
    pub upload_expiry_ms: i64,
    /// A peer may be silent so long in the middle of an upload, and so much later than it should
    /// the content may come.
    pub upload_grace: Duration,
    /// How long files are kept although messages refer to them.
    pub retention: Retention,
    /// Other sites whose pages may move files.
    pub allowed_origins: Origins,
    /// An upload that would leave the disk less than this is refused.
    pub disk_free_bytes_min: u64,
    /// Memory for content on its way, over all connections. Beyond it transfers go on in small
    /// steps, see `budget.rs`.
    pub buffered_bytes_max: usize,
    /// A connection may be silent so long between two requests.
    pub idle_timeout: Duration,
    /// A peer may leave an answer lying for so long.
    pub write_stall: Duration,
}

impl Policy {
    pub fn new(class: BlobClass, config: &TransferConfig) -> Self {
        Self {
            class,
            access: config.access,
            upload_bytes_max: config.upload_bytes_max.0,
            upload_day_bytes_max: config.upload_day_bytes_max.0,
            user_bytes_max: Some(config.user_quota_bytes.0).filter(|most| *most > 0),
            total_bytes_max: Some(config.total_quota_bytes.0).filter(|most| *most > 0),
            upload_expiry_ms: i64::from(config.upload_expiry_h) * HOUR_MS,
            upload_grace: Duration::from_secs(config.upload_grace_s),
            retention: Retention::from(config),
            allowed_origins: config.allowed_origins.clone(),
            disk_free_bytes_min: config.disk_free_bytes_min.0,
            buffered_bytes_max: config.buffered_bytes_max.in_memory(),
            idle_timeout: Duration::from_secs(config.idle_timeout_s),
            write_stall: Duration::from_secs(config.limits.write_stall_s),
        }
    }
}
