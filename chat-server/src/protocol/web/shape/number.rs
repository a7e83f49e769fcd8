//! Numbers that travel as decimal texts, because programs in other languages lose digits above 2^53.

use std::fmt::Display;

use common::id::{ConvId, DeviceId, GroupId, HookId, RequestId, SessionId, UserId};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// A number as a decimal text, in the one way in which it is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Decimal<T>(pub(crate) T);

/// How a [`Decimal`] is described in the documents.
#[derive(Debug)]
pub(crate) enum Id {}

impl PartialSchema for Id {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some("^(0|[1-9][0-9]{0,18})$"))
            .description(Some("A number as a decimal text"))
            .examples(["7"])
            .into()
    }
}

impl ToSchema for Id {}

/// What can be read from a decimal text.
pub(crate) trait FromDecimal: Sized {
    fn from_decimal(text: &str) -> Option<Self>;
}

macro_rules! from_decimal {
    ($($number:ty),*) => {
        $(impl FromDecimal for $number {
            fn from_decimal(text: &str) -> Option<Self> {
                <$number>::from_decimal(text)
            }
        })*
    };
}

from_decimal!(ConvId, SessionId, RequestId, DeviceId, HookId);

macro_rules! from_any_decimal {
    ($($number:ident),*) => {
        $(impl FromDecimal for $number {
            /// A number that is too large, or of another kind, is nobody's, like 0: who asks for
            /// it learns that there is no such user or group, and not that his client is broken.
            fn from_decimal(text: &str) -> Option<Self> {
                let is_id = text == "0"
                    || !text.starts_with('0')
                        && (1..=19).contains(&text.len())
                        && text.bytes().all(|digit| digit.is_ascii_digit());
                is_id.then(|| <$number>::from_decimal(text).unwrap_or($number(0)))
            }
        })*
    };
}

from_any_decimal!(UserId, GroupId);

impl<T: Display> Serialize for Decimal<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}

impl<'de, T: FromDecimal> Deserialize<'de> for Decimal<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        T::from_decimal(&text)
            .map(Self)
            .ok_or_else(|| D::Error::custom("is not an id of this kind"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_text_and_nothing_else() {
        let read = |json: &str| serde_json::from_str::<Decimal<UserId>>(json).ok();
        assert_eq!(read("\"7\""), Some(Decimal(UserId(7))));
        assert_eq!(read("\"268435456\""), Some(Decimal(UserId(0))));
        for wrong in ["7", "\"07\"", "\"\"", "null", "\"7x\"", "\"-1\""] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert_eq!(serde_json::to_string(&Decimal(UserId(7))).unwrap(), "\"7\"");
    }
}
