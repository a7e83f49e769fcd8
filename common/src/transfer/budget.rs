//! Memory for content on its way between sockets and disk, shared by all connections.
//!
//! Nobody waits for memory: a peer that is slow on purpose could make everybody wait. When the
//! budget is used up, a transfer works in pieces of [`PIECE_BYTES_MIN`], slower but in little room.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What every transfer may hold even when the budget is used up.
pub(super) const PIECE_BYTES_MIN: usize = 16 << 10;

/// The unit in which memory is counted.
const UNIT_BYTES: usize = 1 << 10;

#[derive(Clone, Debug)]
pub(super) struct Budget {
    units: Arc<Semaphore>,
}

/// Room for `bytes`, given back when dropped.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) bytes: usize,
    _units: Option<OwnedSemaphorePermit>,
}

impl Budget {
    pub(super) fn new(bytes: usize) -> Self {
        let units = (bytes / UNIT_BYTES).min(Semaphore::MAX_PERMITS);
        Self {
            units: Arc::new(Semaphore::new(units)),
        }
    }

    /// Room for `wanted` bytes if there is, else for the least with which one can go on.
    pub(super) fn take(&self, wanted: usize) -> Room {
        let units = u32::try_from(wanted.div_ceil(UNIT_BYTES)).unwrap_or(u32::MAX);
        match Arc::clone(&self.units).try_acquire_many_owned(units) {
            Ok(permit) => Room {
                bytes: wanted,
                _units: Some(permit),
            },
            Err(_) => Room {
                bytes: wanted.min(PIECE_BYTES_MIN),
                _units: None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_the_limit_one_gets_less_and_nobody_waits() {
        let budget = Budget::new(100 << 10);
        let first = budget.take(80 << 10);
        assert_eq!(first.bytes, 80 << 10);
        assert_eq!(budget.take(30 << 10).bytes, PIECE_BYTES_MIN);
        assert_eq!(budget.take(5).bytes, 5);
        drop(first);
        assert_eq!(budget.take(30 << 10).bytes, 30 << 10);
    }
}
