//! Which parts of a file the header `Range` asks for.
//!
//! The grammar is the library's; here is what we make of it.

use axum::http::HeaderMap;
use axum::http::header::RANGE;
use http_range_header::SyntacticallyCorrectRange as Asked;
use http_range_header::{RangeUnsatisfiableError, parse_range_header_with_max_ranges};

/// A file with so many holes is fetched whole: each part costs a head and a read of its own, and a
/// small request must not cause many of them.
const PARTS_MAX: std::num::NonZeroUsize = std::num::NonZeroUsize::new(8).expect("is not 0");

/// Some bytes of a file, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) offset: u64,
    pub(super) len: u64,
}

impl Part {
    /// The offset behind it.
    pub(super) fn end(&self) -> u64 {
        self.offset + self.len
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.offset < other.end() && other.offset < self.end()
    }

    fn join(&self, other: &Self) -> Self {
        let offset = self.offset.min(other.offset);
        let len = self.end().max(other.end()) - offset;
        Self { offset, len }
    }
}

/// What to send.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Whole,
    /// At least one, in the order of the request; they do not overlap.
    Parts(Vec<Part>),
    /// Nothing of what was asked for is there, or it cannot be understood.
    Nothing,
}

/// What to send of a file with `len` bytes.
pub(super) fn wanted(headers: &HeaderMap, len: u64) -> Wanted {
    let mut values = headers.get_all(RANGE).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Wanted::Whole;
    };
    // An empty file has no part; all of it is what comes closest.
    let Some(value) = value.to_str().ok().filter(|_| len > 0) else {
        return Wanted::Whole;
    };
    match parse_range_header_with_max_ranges(value, PARTS_MAX) {
        Ok(ranges) => choose(ranges.into_ranges(), len),
        // Another unit than bytes is to be ignored, and too much may be.
        Err(RangeUnsatisfiableError::Invalid(
            http_range_header::RangeInvalid::DoesNotStartWithToken,
        ))
        | Err(RangeUnsatisfiableError::Rejected(_)) => Wanted::Whole,
        Err(_) => Wanted::Nothing,
    }
}

fn choose(ranges: Vec<Asked>, len: u64) -> Wanted {
    let there: Vec<Part> = ranges
        .into_iter()
        .filter_map(|range| part(range, len))
        .collect();
    if there.is_empty() {
        return Wanted::Nothing;
    }
    // Who asks for more than there is gets what there is, once.
    let total = there.iter().map(|part| u128::from(part.len)).sum::<u128>();
    if total > u128::from(len) {
        return Wanted::Whole;
    }
    Wanted::Parts(apart(there))
}

/// What of the range is in the file.
fn part(range: Asked, len: u64) -> Option<Part> {
    let (from, to) = match range {
        Asked::FromStart(from) => (from, len),
        Asked::FromLast(count) => (len.saturating_sub(count), len),
        Asked::Indexed(from, last) => (from, last.saturating_add(1).min(len)),
    };
    let len = to.checked_sub(from).filter(|len| *len > 0)?;
    Some(Part { offset: from, len })
}

/// Joins those that overlap, at the place of the first of them.
fn apart(parts: Vec<Part>) -> Vec<Part> {
    let mut apart: Vec<Part> = Vec::with_capacity(parts.len());
    for mut part in parts {
        let mut place = apart.len();
        while let Some(at) = apart.iter().position(|other| other.overlaps(&part)) {
            part = part.join(&apart.remove(at));
            place = place.min(at);
        }
        apart.insert(place.min(apart.len()), part);
    }
    apart
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn of(value: &str, len: u64) -> Wanted {
        let mut headers = HeaderMap::new();
        headers.insert(RANGE, HeaderValue::from_str(value).unwrap());
        wanted(&headers, len)
    }

    /// Written as `first-last` of each part.
    fn told(wanted: &Wanted) -> String {
        match wanted {
            Wanted::Whole => "whole".to_owned(),
            Wanted::Nothing => "nothing".to_owned(),
            Wanted::Parts(parts) => parts
                .iter()
                .map(|part| format!("{}-{}", part.offset, part.end() - 1))
                .collect::<Vec<_>>()
                .join(","),
        }
    }

    #[test]
    fn of_ten_bytes() {
        let many = format!("bytes=0-0{}", ",2-2".repeat(8));
        let flood = format!("bytes={}", "0-0,".repeat(1000));
        for (asked, sent) in [
            ("bytes=0-0", "0-0"),
            ("bytes=-1", "9-9"),
            ("bytes=5-", "5-9"),
            ("bytes=9-", "9-9"),
            ("bytes=-20", "whole-as-part"),
            ("bytes=0-99", "whole-as-part"),
            ("bytes=0-", "whole-as-part"),
            ("BYTES=2-3", "2-3"),
            ("bytes=00-01", "0-1"),
            ("bytes=10-", "nothing"),
            ("bytes=-0", "nothing"),
            ("bytes=18446744073709551616-", "nothing"),
            ("bytes=0-18446744073709551615", "whole-as-part"),
            ("bytes=5-2", "nothing"),
            ("bytes=abc", "nothing"),
            ("bytes=", "nothing"),
            ("bytes=-", "nothing"),
            ("bytes=--1", "nothing"),
            ("bytes=+1-2", "nothing"),
            ("bytes=1.5-2", "nothing"),
            ("bytes=0-0,abc", "nothing"),
            ("bytes=0-1,3-4", "0-1,3-4"),
            ("bytes=0-1, 3-4", "0-1,3-4"),
            ("bytes=3-4,0-1", "3-4,0-1"),
            ("bytes=0-4,5-9", "0-4,5-9"),
            ("bytes=0-1,20-30", "0-1"),
            ("bytes=20-30,40-50", "nothing"),
            ("bytes=0-5,2-7", "whole"),
            ("bytes=0-,0-,0-", "whole"),
            ("bytes=0-2,2-3", "0-3"),
            ("bytes=6-7,0-1,1-2", "6-7,0-2"),
            ("bytes=0-1,4-5,1-4", "0-5"),
            ("items=0-1", "whole"),
            ("bytes 0-1", "whole"),
            ("abc", "whole"),
            ("", "whole"),
            (&many, "whole"),
            (&flood, "whole"),
        ] {
            let expected = sent.replace("whole-as-part", "0-9");
            assert_eq!(told(&of(asked, 10)), expected, "{asked:.60}");
        }
    }

    #[test]
    fn of_an_empty_file_all_is_sent() {
        for asked in ["bytes=0-", "bytes=0-0", "bytes=-5", "bytes=-0"] {
            assert_eq!(of(asked, 0), Wanted::Whole, "{asked}");
        }
    }

    #[test]
    fn two_headers_are_no_range() {
        let mut headers = HeaderMap::new();
        headers.append(RANGE, HeaderValue::from_static("bytes=0-0"));
        headers.append(RANGE, HeaderValue::from_static("bytes=2-2"));
        assert_eq!(wanted(&headers, 10), Wanted::Whole);
    }
}
