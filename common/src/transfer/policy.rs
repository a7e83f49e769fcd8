//! What a transfer server allows, as plain values.

use std::time::Duration;

use crate::config::{Access, TransferConfig};
use crate::store::BlobClass;

/// The rules of one transfer server.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Whose names it serves.
    pub class: BlobClass,
    pub access: Access,
    /// The largest file.
    pub upload_bytes_max: u64,
    /// How much one address may upload a day.
    pub upload_day_bytes_max: u64,
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
            disk_free_bytes_min: config.disk_free_bytes_min.0,
            buffered_bytes_max: config.buffered_bytes_max.in_memory(),
            idle_timeout: Duration::from_secs(config.idle_timeout_s),
            write_stall: Duration::from_secs(config.limits.write_stall_s),
        }
    }
}
