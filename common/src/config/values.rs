//! Values that need more than a number: byte sizes, counts from one, texts with a password.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// The units of a byte size, the largest first.
const UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

/// How many of [`UNITS`] are powers of two; only these are printed.
const BINARY_UNITS: usize = 4;

/// A number of bytes, written `64000`, `100MiB` or `4GiB`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

impl ByteSize {
    /// As the length of something in memory.
    pub fn in_memory(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl FromStr for ByteSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit = &text[digits.len()..];
        let factor = match unit {
            "" => Some(1),
            _ => UNITS
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(unit))
                .map(|(_, factor)| *factor),
        };
        let number: Option<u64> = digits.trim_end().parse().ok();
        number
            .zip(factor)
            .and_then(|(number, factor)| number.checked_mul(factor))
            .map(Self)
            .ok_or_else(|| "not a size in bytes like 64000, 100MiB or 4GiB".to_owned())
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = UNITS[..BINARY_UNITS]
            .iter()
            .find(|(_, factor)| self.0 != 0 && self.0.is_multiple_of(*factor));
        match unit {
            Some((name, factor)) => write!(f, "{}{name}", self.0 / factor),
            None => write!(f, "{}", self.0),
        }
    }
}

impl Serialize for ByteSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Reads the address of a web site, without the slash at its end.
pub(super) fn web_address(text: &str) -> Result<String, String> {
    let site = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let is_site = |site: &str| {
        !site.is_empty()
            && !site.starts_with('/')
            && site
                .bytes()
                .all(|b| b.is_ascii_graphic() && !b"?#".contains(&b))
    };
    match site {
        Some(site) if is_site(site) => Ok(text.trim_end_matches('/').to_owned()),
        _ => Err("not an address like https://chat.example".to_owned()),
    }
}

/// Reads a count that must not be 0.
pub(super) fn from_one<T>(text: &str) -> Result<T, String>
where
    T: FromStr + PartialOrd + From<u8>,
{
    text.parse()
        .ok()
        .filter(|number| *number >= T::from(1))
        .ok_or_else(|| "not a whole number from 1".to_owned())
}

/// Reads a count that may be 0.
pub(super) fn from_zero<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse()
        .map_err(|_| "not a whole number from 0".to_owned())
}

/// Reads a port number; 0 means any free one.
pub(super) fn port(text: &str) -> Result<u16, String> {
    text.parse()
        .map_err(|_| "not a port number from 0 to 65535".to_owned())
}

/// Replaces the passwords of all URLs in a text.
pub fn mask_password(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("://") {
        let (scheme, behind) = rest.split_at(start + 3);
        masked.push_str(scheme);
        let end = behind
            .find(|c: char| c.is_whitespace() || c == '"' || c == '\'')
            .unwrap_or(behind.len());
        let (url, after) = behind.split_at(end);
        // A password may itself contain '@' or '/'; the last '@' ends it.
        match (url.find(':'), url.rfind('@')) {
            (Some(colon), Some(at)) if colon < at => {
                masked.push_str(&url[..colon]);
                masked.push_str(":***");
                masked.push_str(&url[at..]);
            }
            _ => masked.push_str(url),
        }
        rest = after;
    }
    masked.push_str(rest);
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_sizes() {
        let read = |text: &str| text.parse::<ByteSize>().map(|size| size.0).ok();
        assert_eq!(read("64000"), Some(64_000));
        assert_eq!(read("4GiB"), Some(4 << 30));
        assert_eq!(read("100 mib"), Some(100 << 20));
        assert_eq!(read("5MB"), Some(5_000_000));
        for wrong in ["", "GiB", "1.5GiB", "-1", "4 apples", "99999999TiB", "é"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        for text in ["0", "64000", "1KiB", "4GiB", "1025"] {
            assert_eq!(text.parse::<ByteSize>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn counts() {
        assert_eq!(from_one::<u32>("1"), Ok(1));
        assert!(from_one::<u32>("0").is_err());
        assert!(from_one::<u64>("-1").is_err());
        assert_eq!(from_zero::<u64>("0"), Ok(0));
    }

    #[test]
    fn passwords_are_masked() {
        let masked = |text: &str| mask_password(text);
        assert_eq!(
            masked("mysql://root:s3:c@r/et@127.0.0.1:3306/myim"),
            "mysql://root:***@127.0.0.1:3306/myim"
        );
        assert_eq!(
            masked("mysql://root@127.0.0.1:3306/myim"),
            "mysql://root@127.0.0.1:3306/myim"
        );
        assert_eq!(masked("x 'a://b:c@d' y"), "x 'a://b:***@d' y");
        assert_eq!(masked("sqlite:data/myim.db"), "sqlite:data/myim.db");
    }
}
