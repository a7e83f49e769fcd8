//! Ids as the API writes them: decimal texts. For `#[serde(with = "decimal")]`.

use std::fmt;

use common::id::{ConvId, GroupId, SessionId, UserId};
use serde::de::{Error, Visitor};
use serde::{Deserializer, Serializer};

/// A number that is written as a decimal text.
pub trait Decimal: Sized + fmt::Display {
    fn read(text: &str) -> Option<Self>;
}

impl Decimal for UserId {
    fn read(text: &str) -> Option<Self> {
        Self::from_decimal(text)
    }
}

impl Decimal for GroupId {
    fn read(text: &str) -> Option<Self> {
        Self::from_decimal(text)
    }
}

impl Decimal for ConvId {
    fn read(text: &str) -> Option<Self> {
        Self::from_decimal(text)
    }
}

impl Decimal for SessionId {
    fn read(text: &str) -> Option<Self> {
        Self::from_decimal(text)
    }
}

impl Decimal for u64 {
    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// # Errors
/// The serializer's.
pub fn serialize<T: Decimal, S: Serializer>(id: &T, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(id)
}

/// # Errors
/// For what is no decimal text of this kind of id.
pub fn deserialize<'de, T: Decimal, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    struct Text<T>(std::marker::PhantomData<T>);
    impl<T: Decimal> Visitor<'_> for Text<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a decimal number in quotes")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
            T::read(text).ok_or_else(|| E::custom(format!("{text:?} is no id")))
        }
    }
    from.deserialize_str(Text(std::marker::PhantomData))
}

/// The same for an id that may be missing: `#[serde(default, with = "decimal::option")]`.
pub mod option {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::Decimal;

    /// # Errors
    /// The serializer's.
    pub fn serialize<T: Decimal, S: Serializer>(id: &Option<T>, to: S) -> Result<S::Ok, S::Error> {
        match id {
            Some(id) => to.collect_str(id),
            None => to.serialize_none(),
        }
    }

    /// # Errors
    /// For what is no decimal text of this kind of id.
    pub fn deserialize<'de, T: Decimal, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<T>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        text.map(|text| {
            T::read(&text).ok_or_else(|| serde::de::Error::custom(format!("{text:?} is no id")))
        })
        .transpose()
    }
}

/// The same for a list: `#[serde(with = "decimal::list")]`.
pub mod list {
    use serde::ser::SerializeSeq;
    use serde::{Deserialize, Deserializer, Serializer};

    use super::Decimal;

    /// # Errors
    /// The serializer's.
    pub fn serialize<T: Decimal, S: Serializer>(ids: &[T], to: S) -> Result<S::Ok, S::Error> {
        let mut list = to.serialize_seq(Some(ids.len()))?;
        for id in ids {
            list.serialize_element(&id.to_string())?;
        }
        list.end()
    }

    /// # Errors
    /// For what is no list of decimal texts of this kind of id.
    pub fn deserialize<'de, T: Decimal, D: Deserializer<'de>>(from: D) -> Result<Vec<T>, D::Error> {
        let texts = Vec::<String>::deserialize(from)?;
        let ids = texts.iter().map(|text| {
            T::read(text).ok_or_else(|| serde::de::Error::custom(format!("{text:?} is no id")))
        });
        ids.collect()
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize, serde::Serialize)]
    struct Ids {
        #[serde(with = "super")]
        user: UserId,
        #[serde(default, with = "super::option")]
        group: Option<GroupId>,
        #[serde(with = "super::list")]
        users: Vec<UserId>,
    }

    #[test]
    fn ids_are_texts() {
        let text = r#"{"user":"7","group":"268435456","users":["1","2"]}"#;
        let ids: Ids = serde_json::from_str(text).unwrap();
        assert_eq!(ids.user, UserId(7));
        assert_eq!(serde_json::to_string(&ids).unwrap(), text);
        let none: Ids = serde_json::from_str(r#"{"user":"7","users":[]}"#).unwrap();
        assert_eq!(none.group, None);
        for wrong in [r#"{"user":7,"users":[]}"#, r#"{"user":"07","users":[]}"#] {
            assert!(serde_json::from_str::<Ids>(wrong).is_err(), "{wrong}");
        }
    }
}
