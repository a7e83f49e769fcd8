//! Reads JSON as leniently as the existing clients need, and no more.
//!
//! They leave control characters in strings unescaped, so these are escaped before the parser sees
//! them; what follows the root value is ignored. Everything else that is wrong makes the whole
//! text invalid: `None`, since nobody is told what was wrong.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Values in one text, roots, members and elements alike. A parsed value takes 32 bytes or more
/// where its text may take two (`0,`): without a limit 10 MiB of text would cost 160 MiB and more.
const VALUES_MAX: u32 = 200_000;

/// Reads an object; any other root is invalid. Depth is limited to the parser's 128.
pub fn object(text: &[u8]) -> Option<Map<String, Value>> {
    let text = escape_controls(text);
    let mut parser = serde_json::Deserializer::from_slice(&text);
    let left = Cell::new(VALUES_MAX);
    match (Strict { left: &left }).deserialize(&mut parser) {
        Ok(Value::Object(members)) => Some(members),
        Ok(_) | Err(_) => None,
    }
}

/// An integer of 32 bits, as the existing servers see it: `3` and `3.0` are, `true`, `"3"`, `3.5`
/// and what does not fit are not.
pub fn integer(value: &Value) -> Option<i32> {
    let number = value.as_number()?;
    if let Some(integer) = number.as_i64() {
        return i32::try_from(integer).ok();
    }
    // A whole float prints without a fraction: the text decides, and no cast can cut anything off.
    number.as_f64()?.to_string().parse().ok()
}

/// Escapes control characters inside strings. Texts without any, nearly all, are not copied.
fn escape_controls(text: &[u8]) -> Cow<'_, [u8]> {
    let mut escaped: Option<Vec<u8>> = None;
    let mut inside = false;
    let mut after_backslash = false;
    for (place, &byte) in text.iter().enumerate() {
        if inside && byte < 0x20 {
            let out = escaped.get_or_insert_with(|| {
                let mut out = Vec::with_capacity(text.len() + 64);
                out.extend_from_slice(&text[..place]);
                out
            });
            if after_backslash {
                // A backslash before a control character: the pair is invalid either way.
                return Cow::Borrowed(text);
            }
            out.extend_from_slice(format!("\\u{byte:04x}").as_bytes());
            continue;
        }
        match byte {
            _ if after_backslash => after_backslash = false,
            b'\\' if inside => after_backslash = true,
            b'"' => inside = !inside,
            _ => {}
        }
        if let Some(out) = &mut escaped {
            out.push(byte);
        }
    }
    escaped.map_or(Cow::Borrowed(text), Cow::Owned)
}

/// Builds a [`Value`], refusing a key that comes twice and more than [`VALUES_MAX`] values.
#[derive(Clone, Copy)]
struct Strict<'c> {
    left: &'c Cell<u32>,
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        match self.left.get().checked_sub(1) {
            Some(left) => self.left.set(left),
            None => return Err(D::Error::custom("too many values")),
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(element) = elements.next_element_seed(self)? {
            array.push(element);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            let value = members.next_value_seed(self)?;
            if object.insert(key, value).is_some() {
                return Err(A::Error::custom("a key comes twice"));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Option<Value> {
        object(text.as_bytes()).map(Value::Object)
    }

    #[test]
    fn raw_control_characters_are_text() {
        let text = "{\"msgText\":\"a\r\nb\tc\0\u{1}\u{1f}\u{7f}\", \"\n\": 1}\r\n";
        let value = json!({"msgText": "a\r\nb\tc\0\u{1}\u{1f}\u{7f}", "\n": 1});
        assert_eq!(read(text), Some(value));
    }

    #[test]
    fn escapes_do_not_confuse_the_escaper() {
        let text = "{\"a\":\"\\\\\",\n\"b\":\"\\\"\n\\\\\"}";
        assert_eq!(read(text), Some(json!({"a": "\\", "b": "\"\n\\"})));
        assert_eq!(read("{\"a\":\"\\\n\"}"), None);
    }

    #[test]
    fn what_follows_the_root_is_ignored() {
        assert_eq!(read("{\"a\":1}} \"\u{1}"), Some(json!({"a": 1})));
        assert_eq!(object(b"{} \xff\xfe"), Some(Map::new()));
    }

    #[test]
    fn what_is_invalid() {
        for text in [
            "",
            "[]",
            "1",
            "\"x\"",
            "null",
            "{",
            "{\"a\":1",
            "{\"a\":1,}",
            "{'a':1}",
            "{\"a\":1,\"a\":2}",
            "{\"b\":{\"a\":1,\"a\":1}}",
            "{\"a\":\"\\ud800\"}",
            "{\"a\":\"\\udc00\\ud800\"}",
            "{\"a\":\u{1}1}",
            "{\"a\":1e999}",
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
        assert_eq!(object(b"{\"a\":\"\xff\"}"), None);
        assert_eq!(object(b"{\"a\":\"\xed\xa0\x80\"}"), None);
    }

    #[test]
    fn depth_and_number_of_values_are_limited() {
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(&nested(120)).is_some());
        assert!(read(&nested(128)).is_none());
        assert!(read(&nested(100_000)).is_none());
        let wide = |count: usize| format!("{{\"a\":[{}0]}}", "0,".repeat(count - 1));
        assert!(read(&wide(199_998)).is_some());
        assert!(read(&wide(199_999)).is_none());
    }

    #[test]
    fn integers_are_strict_about_type_and_range() {
        for (text, value) in [
            ("3", Some(3)),
            ("3.0", Some(3)),
            ("-0.0", Some(0)),
            ("3e2", Some(300)),
            ("2147483647", Some(i32::MAX)),
            ("-2147483648", Some(i32::MIN)),
            ("2147483648", None),
            ("2147483648.0", None),
            ("18446744073709551615", None),
            ("1e300", None),
            ("3.5", None),
            ("\"3\"", None),
            ("true", None),
            ("null", None),
            ("[3]", None),
        ] {
            assert_eq!(
                integer(&serde_json::from_str(text).unwrap()),
                value,
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(text: Vec<u8>) {
            let _ = object(&text);
        }

        #[test]
        fn any_text_survives_unescaped_but_for_quotes(text in "[^\"\\\\]*") {
            let raw = format!("{{\"t\":\"{text}\"}}");
            prop_assert_eq!(read(&raw), Some(json!({"t": text})));
        }

        #[test]
        fn what_serde_writes_is_read_back(text: String) {
            let value = json!({"t": text, "n": [1, -1, 1.5, null, true]});
            prop_assert_eq!(read(&value.to_string()), Some(value));
        }
    }
}
