//! Times as the API writes them: RFC 3339, UTC, always with milliseconds. For
//! `#[serde(with = "time")]`.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serializer};

/// The time as the API writes it.
pub fn text(time: Timestamp) -> String {
    format!("{time:.3}")
}

/// # Errors
/// The serializer's.
pub fn serialize<S: Serializer>(time: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&format_args!("{time:.3}"))
}

/// # Errors
/// For what is no time.
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
    Timestamp::deserialize(from)
}

/// The same for what may be missing. For `#[serde(default, with = "time::option")]`.
pub mod option {
    use super::{Deserialize, Deserializer, Serializer, Timestamp};

    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(time: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => super::serialize(time, to),
            None => to.serialize_none(),
        }
    }

    /// # Errors
    /// For what is no time.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
        Option::deserialize(from)
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Times {
        #[serde(with = "super")]
        at: Timestamp,
        #[serde(default, with = "option", skip_serializing_if = "Option::is_none")]
        maybe: Option<Timestamp>,
    }

    #[test]
    fn a_time_is_as_long_as_any_other() {
        for at in ["12:00:00.000Z", "12:00:00.210Z", "12:00:00.123Z"] {
            let both = format!(r#"{{"at":"2026-01-31T{at}","maybe":"2026-01-31T{at}"}}"#);
            let read: Times = serde_json::from_str(&both).unwrap();
            assert_eq!(text(read.at), format!("2026-01-31T{at}"));
            assert_eq!(serde_json::to_string(&read).unwrap(), both);
        }
        let read: Times = serde_json::from_str(r#"{"at":"2026-01-31T12:00:00Z"}"#).unwrap();
        let written = serde_json::to_string(&read).unwrap();
        assert_eq!(written, r#"{"at":"2026-01-31T12:00:00.000Z"}"#);
    }
}
