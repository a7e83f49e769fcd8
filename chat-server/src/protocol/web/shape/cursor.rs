//! Where the next piece of a list begins that is in the order of time.
//!
//! Clients take it from an answer as it is. It holds nothing that they may not know.

use common::id::{ConvId, Millis, Seq};
use common::store::search::Hit;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use utoipa::ToSchema;

/// How cursors are described in the documents.
#[derive(Debug, ToSchema)]
#[schema(value_type = String, pattern = "^[0-9]{1,19}(-[0-9]{1,19}){0,2}$")]
pub(crate) struct CursorText(#[expect(dead_code, reason = "stands only in documents")] String);

/// Behind this conversation of a list of conversations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ListCursor {
    pub(crate) at: Millis,
    pub(crate) conv: ConvId,
}

/// Behind this hit of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HitCursor(pub(crate) Hit);

impl Serialize for ListCursor {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!("{}-{}", self.at.0, self.conv))
    }
}

impl Serialize for HitCursor {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Hit { conv, seq, at } = self.0;
        to.collect_str(&format_args!("{}-{conv}-{seq}", at.0))
    }
}

impl<'de> Deserialize<'de> for ListCursor {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let [at, conv] = numbers(from)?;
        Ok(Self {
            at: Millis(at),
            conv: conversation(conv)?,
        })
    }
}

impl<'de> Deserialize<'de> for HitCursor {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let [at, conv, seq] = numbers(from)?;
        Ok(Self(Hit {
            at: Millis(at),
            conv: conversation(conv)?,
            seq: Seq(seq.unsigned_abs()),
        }))
    }
}

fn numbers<'de, D: Deserializer<'de>, const N: usize>(from: D) -> Result<[i64; N], D::Error> {
    let text = String::deserialize(from)?;
    let is_numbers = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'-');
    let numbers: Option<Vec<i64>> = text.split('-').map(|number| number.parse().ok()).collect();
    numbers
        .filter(|_| is_numbers)
        .and_then(|numbers| numbers.try_into().ok())
        .ok_or_else(foreign)
}

fn conversation<E: Error>(number: i64) -> Result<ConvId, E> {
    ConvId::from_decimal(&number.to_string()).ok_or_else(foreign)
}

fn foreign<E: Error>() -> E {
    E::custom("`cursor` is not from an answer of this list")
}

/// A piece of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Piece<T, C> {
    pub(crate) items: Vec<T>,
    /// What to give as `cursor` for the next piece; null when this was the last one.
    #[schema(value_type = Option<CursorText>)]
    pub(crate) next: Option<C>,
}

#[cfg(test)]
mod tests {
    use common::id::UserId;

    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_went_out() {
        let conv = ConvId::direct(UserId(1), UserId(2));
        let list = ListCursor {
            at: Millis(17),
            conv,
        };
        let text = serde_json::to_value(list).unwrap();
        assert_eq!(serde_json::from_value::<ListCursor>(text).unwrap(), list);
        let hit = HitCursor(Hit {
            at: Millis(17),
            conv,
            seq: Seq(3),
        });
        let text = serde_json::to_value(hit).unwrap();
        assert_eq!(
            serde_json::from_value::<HitCursor>(text.clone()).unwrap(),
            hit
        );
        assert!(serde_json::from_value::<ListCursor>(text).is_err());
        for wrong in [
            "",
            "1",
            "1-5",
            "-1-2",
            "1--2",
            "a-b",
            "99999999999999999999-1",
        ] {
            assert!(
                serde_json::from_value::<ListCursor>(wrong.into()).is_err(),
                "{wrong}"
            );
        }
    }
}
