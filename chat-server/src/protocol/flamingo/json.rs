//! Reads the clients' JSON requests: exact types, unknown members ignored.

use common::wire::chat::Packet;
use common::wire::json;
use serde_json::{Map, Value};

/// A request's JSON object. `None` for what the original server answered with silence.
pub(super) struct Request(Map<String, Value>);

impl Request {
    pub(super) fn read(data: &[u8]) -> Option<Self> {
        json::object(data).map(Self)
    }

    /// As [`Request::read`], for registration and login. The Android client writes their length in
    /// UTF-16 units: with a Chinese name the text goes on behind its declared end.
    pub(super) fn read_misdeclared(packet: &Packet) -> Option<Self> {
        Self::read(&packet.data).or_else(|| Self::read(&packet.data_to_end()))
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.0.get(name)?.as_str().map(str::to_owned)
    }

    pub(super) fn integer(&self, name: &str) -> Option<i32> {
        json::integer(self.0.get(name)?)
    }

    /// The integers of an array; elements that are none are skipped.
    pub(super) fn integers(&self, name: &str) -> Option<Vec<i32>> {
        Some(
            self.0
                .get(name)?
                .as_array()?
                .iter()
                .filter_map(json::integer)
                .collect(),
        )
    }
}
