//! What a transfer server allows, as plain values.

use std::time::Duration;

use crate::store::BlobClass;

/// Who may put and get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody who reaches the port.
    Open,
    /// Addresses from which an account logged in within the last 24 hours. The old clients do not
    /// log in to transfer servers, so this is as close as one can come.
    KnownAddress,
}

/// The rules of one transfer server.
#[derive(Clone, Debug)]
pub struct Policy {
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
}

impl Policy {
    /// The defaults for `class`.
    pub fn new(class: BlobClass) -> Self {
        Self {
            class,
            access: Access::Open,
            upload_bytes_max: 1 << 30,
            upload_day_bytes_max: 10 << 30,
            disk_free_bytes_min: 1 << 30,
            buffered_bytes_max: 256 << 20,
            idle_timeout: Duration::from_secs(60),
        }
    }
}
