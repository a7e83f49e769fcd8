//! What a running client finds around it.

use std::fmt;
use std::sync::Arc;

use common::clock::{Clock, SystemClock};

use super::network::Network;
use crate::live::backoff;

/// Time, chance and news of the network. A program takes the machine's; a test that plays the same
/// thing twice brings its own.
#[derive(Clone)]
pub struct Surroundings {
    /// The clock on the wall: waiting goes by tokio's time.
    pub clock: Arc<dyn Clock>,
    /// Numbers that nobody can foresee: they spread out attempts to connect.
    pub random: Arc<dyn Fn() -> u64 + Send + Sync>,
    /// Whether to try at once when the machine gets another address.
    pub watches_network: bool,
}

impl Default for Surroundings {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            random: Arc::new(backoff::random),
            watches_network: true,
        }
    }
}

impl fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surroundings")
            .field("watches_network", &self.watches_network)
            .finish_non_exhaustive()
    }
}

impl Surroundings {
    pub(super) fn network(&self) -> Network {
        if self.watches_network {
            Network::default()
        } else {
            Network::unwatched()
        }
    }
}
