//! Times as the API writes them: RFC 3339, UTC, with milliseconds.

use std::time::{Duration, SystemTime};

use common::id::Millis;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

/// The last millisecond that RFC 3339 can write: the end of the year 9999.
const LAST: i64 = 253_402_300_799_999;

/// A moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Timestamp(pub(crate) Millis);

impl Timestamp {
    /// The moment as it is written.
    pub(crate) fn text(self) -> String {
        let millis = u64::try_from(self.0.0.clamp(0, LAST)).unwrap_or_default();
        let time = SystemTime::UNIX_EPOCH + Duration::from_millis(millis);
        humantime::format_rfc3339_millis(time).to_string()
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.text())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let since = humantime::parse_rfc3339(&text)
            .ok()
            .and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok())
            .and_then(|since| i64::try_from(since.as_millis()).ok());
        since
            .map(|since| Self(Millis(since)))
            .ok_or_else(|| D::Error::custom("is not a time like 2026-01-31T12:00:00.000Z"))
    }
}

impl PartialSchema for Timestamp {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some("RFC 3339, UTC, with milliseconds"))
            .examples(["2026-01-31T12:00:00.000Z"])
            .into()
    }
}

impl ToSchema for Timestamp {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_with_milliseconds_and_read_again() {
        let time = Timestamp(Millis(1_700_000_000_007));
        assert_eq!(time.text(), "2023-11-14T22:13:20.007Z");
        let json = serde_json::to_string(&time).unwrap();
        assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), time);
        assert_eq!(Timestamp(Millis(-1)).text(), "1970-01-01T00:00:00.000Z");
        assert_eq!(
            Timestamp(Millis(i64::MAX)).text(),
            "9999-12-31T23:59:59.999Z"
        );
        assert!(serde_json::from_str::<Timestamp>("\"yesterday\"").is_err());
    }
}
