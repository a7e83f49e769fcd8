//! What a worker is started with: how large a picture may be, and how long it may take.

use std::ffi::OsStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::picture::Limits;

/// The only argument of a worker, in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Orders {
    pub limits: Limits,
    /// For one picture.
    pub time: Duration,
    /// So many it gets at most.
    pub pictures: u32,
    /// It does not work where the system would not end it for its calls.
    pub only_confined: bool,
}

impl Orders {
    pub(super) fn read(argument: &OsStr) -> Result<Self, String> {
        let text = argument.to_str().unwrap_or_default();
        serde_json::from_str(text).map_err(|error| format!("orders that nobody gave: {error}"))
    }

    pub(crate) fn argument(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }
}
