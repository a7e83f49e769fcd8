//! Reads JSON that strangers wrote: bounded in depth, no key twice, and errors that name the field.

use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{
    Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess,
    Visitor,
};

use super::code;
use super::problem::Problem;

/// How deep arrays and objects may be nested: far more than any request needs, far less than
/// what makes a stack overflow.
const DEPTH_MAX: u8 = 32;

/// Reads an object.
///
/// # Errors
/// `invalid_json` for what is no JSON or breaks the rules of this module, `invalid_body` for
/// JSON that is not a `T`.
pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    read_any(bytes).map(|Object(value)| value)
}

/// Reads an object, or null.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_optional<T: DeserializeOwned>(bytes: &[u8]) -> Result<Option<T>, Problem> {
    read_any::<Option<Object<T>>>(bytes).map(|read| read.map(|Object(value)| value))
}

fn read_any<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut checking = serde_json::Deserializer::from_slice(bytes);
    Strict {
        depth_left: DEPTH_MAX,
    }
    .deserialize(&mut checking)
    .and_then(|()| checking.end())
    .map_err(|error| Problem::new(code::INVALID_JSON, error.to_string()))?;
    fields(bytes)
}

/// Reads what was found to be JSON by the rules of this module before.
///
/// # Errors
/// `invalid_body` for JSON that is not a `T`.
pub(super) fn fields<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut reading = serde_json::Deserializer::from_slice(bytes);
    serde_path_to_error::deserialize(&mut reading).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        let detail = match path.as_str() {
            "." => inner.to_string(),
            path => format!("`{path}`: {inner}"),
        };
        Problem::new(code::INVALID_BODY, detail)
    })
}

/// A structure that is written as an object. Without this an array of its fields would pass too.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(ObjectVisitor(PhantomData)).map(Self)
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(object))
    }
}

/// Looks at a whole value and keeps nothing of it.
struct Strict {
    depth_left: u8,
}

impl Strict {
    fn inside<E: Error>(&self) -> Result<Self, E> {
        match self.depth_left.checked_sub(1) {
            Some(depth_left) => Ok(Self { depth_left }),
            None => Err(E::custom(format!("is nested deeper than {DEPTH_MAX}"))),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        while array.next_element_seed(self.inside()?)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let mut keys = HashSet::new();
        while let Some(key) = object.next_key::<String>()? {
            object.next_value_seed(self.inside()?)?;
            if let Some(again) = keys.replace(key) {
                return Err(A::Error::custom(format!("has the key `{again}` twice")));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::Value;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Outer {
        inner: Inner,
    }

    #[derive(Debug, Deserialize)]
    struct Inner {
        number: u32,
    }

    #[test]
    fn an_error_names_the_field() {
        let read = |text: &str| read::<Outer>(text.as_bytes());
        assert_eq!(
            read(r#"{"inner":{"number":7},"later":[]}"#)
                .unwrap()
                .inner
                .number,
            7
        );
        for (text, field) in [
            (r#"{"inner":{"number":"7"}}"#, "inner.number"),
            (r#"{"inner":{"number":null}}"#, "inner.number"),
            (r#"{"inner":{"number":1.5}}"#, "inner.number"),
            (r#"{"inner":{"number":4294967296}}"#, "inner.number"),
            (r#"{"inner":{}}"#, "number"),
            (r#"{"inner":[]}"#, "inner"),
        ] {
            let problem = read(text).unwrap_err();
            assert_eq!(problem.code, code::INVALID_BODY, "{text}");
            assert!(problem.detail.contains(field), "{text}: {}", problem.detail);
        }
    }

    #[test]
    fn an_array_is_no_object() {
        assert!(read::<Inner>(b"[7]").is_err());
        assert!(read::<Value>(b"[]").is_err());
        assert!(read::<Value>(b"null").is_err());
        assert!(read_optional::<Inner>(b"null").unwrap().is_none());
        assert!(
            read_optional::<Inner>(br#"{"number":7}"#)
                .unwrap()
                .is_some()
        );
        assert!(read_optional::<Inner>(b"[7]").is_err());
        assert!(serde_json::from_str::<Object<Inner>>("[7]").is_err());
    }

    #[test]
    fn what_is_no_json_or_too_deep_or_twofold_is_refused() {
        let deep = |depth: usize| {
            let (open, close) = ("[".repeat(depth - 1), "]".repeat(depth - 1));
            format!(r#"{{"a":{open}{close}}}"#)
        };
        for text in [
            "",
            "{",
            "nul",
            "{} {}",
            "1e400",
            r#""\ud800""#,
            r#"{"a":1,"a":1}"#,
            r#"[{"b":{"a":1,"\u0061":2}}]"#,
            &deep(33),
            &deep(10_000),
        ] {
            let problem = read::<Value>(text.as_bytes()).unwrap_err();
            assert_eq!(problem.code, code::INVALID_JSON, "{text:.20}");
        }
        assert!(read::<Value>(deep(32).as_bytes()).is_ok());
        assert!(read::<Value>(br#"{"b":[{"a":1},{"a":1}]}"#).is_ok());
        assert!(read::<Value>(b"\xff").is_err());
    }
}
