//! Lists that are read in pieces: `?limit=&cursor=` and `{items, next}`.

use common::id::{GROUP_ID_FIRST, UserId};
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};
use utoipa::{IntoParams, ToSchema};

/// How many items a list gives that was asked for no number.
const LIMIT_DEFAULT: u32 = 50;
/// The most items of one answer.
const LIMIT_MAX: u32 = 500;

/// Which piece of a list is wanted.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Page {
    /// How many items at the most: 50 if not given.
    #[serde(default)]
    #[param(schema_with = limit_schema)]
    pub(crate) limit: Limit,
    /// The `next` of the answer before; nothing for the beginning.
    #[serde(default)]
    #[param(value_type = Option<String>, pattern = "^[0-9]{1,19}$", nullable = false)]
    pub(crate) cursor: Option<Cursor>,
}

impl Page {
    /// Behind which user a list of people goes on.
    pub(crate) fn after_user(&self) -> Option<UserId> {
        let Cursor(number) = self.cursor?;
        // Behind a number that no user can have there is nobody.
        Some(UserId(u32::try_from(number).unwrap_or(GROUP_ID_FIRST)))
    }
}

/// A number of items, from 1 to `MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit<const MAX: u32 = LIMIT_MAX>(pub(crate) u32);

impl<const MAX: u32> Limit<MAX> {
    /// How it is described in the documents.
    pub(crate) fn schema() -> Object {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1))
            .maximum(Some(MAX))
            .default(Some(LIMIT_DEFAULT.into()))
            .build()
    }
}

/// The `limit` of most lists, as it is described in the documents.
pub(crate) fn limit_schema() -> Object {
    Limit::<LIMIT_MAX>::schema()
}

impl<const MAX: u32> Default for Limit<MAX> {
    fn default() -> Self {
        Self(LIMIT_DEFAULT)
    }
}

impl<'de, const MAX: u32> Deserialize<'de> for Limit<MAX> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let is_number = !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
        let number = is_number.then(|| text.parse().ok()).flatten();
        number
            .filter(|number| (1..=MAX).contains(number))
            .map(Self)
            .ok_or_else(|| D::Error::custom(format!("`limit` is no whole number from 1 to {MAX}")))
    }
}

/// Where the next piece begins: behind this number. Clients take it from an answer as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ToSchema)]
#[schema(value_type = String)]
pub(crate) struct Cursor(pub(crate) u64);

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let is_number = !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
        let number = is_number.then(|| text.parse().ok()).flatten();
        number
            .map(Self)
            .ok_or_else(|| D::Error::custom("`cursor` is not from an answer of this list"))
    }
}

impl Serialize for Cursor {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}

/// A piece of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Items<T> {
    pub(crate) items: Vec<T>,
    /// What to give as `cursor` for the next piece; null when this was the last one.
    #[schema(value_type = Option<String>)]
    pub(crate) next: Option<Cursor>,
}

impl<T> Items<T> {
    /// A list that is always given whole.
    pub(crate) fn whole(items: Vec<T>) -> Self {
        Self { items, next: None }
    }

    /// A piece; there is a next one if this one is full.
    pub(crate) fn piece(items: Vec<T>, limit: Limit, number: impl Fn(&T) -> u64) -> Self {
        let is_full = u32::try_from(items.len()).is_ok_and(|length| length >= limit.0);
        let next = items.last().filter(|_| is_full);
        let next = next.map(|last| Cursor(number(last)));
        Self { items, next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_has_bounds_and_a_word_is_none() {
        let read = |text: &str| serde_json::from_value::<Limit>(text.into()).ok();
        for limit in [1, 50, 500] {
            assert_eq!(read(&limit.to_string()), Some(Limit(limit)));
        }
        let too_long = "9".repeat(40);
        for wrong in [
            "0",
            "-9",
            "501",
            "1000000000",
            &too_long,
            "",
            "-",
            "ten",
            "1.5",
            "+1",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        let few = |text: &str| serde_json::from_value::<Limit<100>>(text.into()).ok();
        assert_eq!((few("100"), few("101")), (Some(Limit(100)), None));
    }

    #[test]
    fn a_full_piece_says_where_the_next_one_begins() {
        let piece = |length: u64| Items::piece((1..=length).collect(), Limit(3), |n| *n).next;
        assert_eq!(piece(3), Some(Cursor(3)));
        assert_eq!(piece(2), None);
        assert_eq!(piece(0), None);
    }
}
