//! What clients are answered, header by header and byte by byte.

use axum::http::Request;
use http_body_util::BodyExt;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::blob::{Blobs, PlainName};

/// A file on the disk, and what stands in it.
struct Shelf {
    file: BlobFile,
    content: Vec<u8>,
    shown: Shown,
    budget: Budget,
    _directory: TempDir,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

const ETAG: &str = "\"0707070707070707070707070707070707070707070707070707070707070707\"";
const MODIFIED: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

impl Shelf {
    async fn with(content: &[u8]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("file"), content).unwrap();
        let blobs = Blobs::open(directory.path()).unwrap();
        let name = PlainName::new(b"file").unwrap();
        let file = blobs.read_plain(&name).await.unwrap().unwrap();
        Self {
            file,
            content: content.to_vec(),
            shown: Shown {
                blob: BlobId([7; 32]),
                mime: "image/png".to_owned(),
                name: Some("a.png".to_owned()),
                modified: Millis(784_111_777_900),
                is_public: false,
                disposition: Disposition::ByKind,
            },
            budget: Budget::new(64 << 20),
            _directory: directory,
        }
    }

    async fn of(len: usize) -> Self {
        let content: Vec<u8> = (0..len).map(|at| (at % 251).to_le_bytes()[0]).collect();
        Self::with(&content).await
    }

    fn response(&self, method: &str, headers: &[(&str, &str)]) -> Response {
        let mut request = Request::builder().method(method).uri("/files/x");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        answer(&self.budget, &parts, self.file.clone(), &self.shown)
    }

    async fn ask(&self, method: &str, headers: &[(&str, &str)]) -> Answer {
        let (parts, body) = self.response(method, headers).into_parts();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: body.collect().await.unwrap().to_bytes().to_vec(),
        }
    }
}

#[tokio::test]
async fn all_of_a_file_and_what_is_said_about_it() {
    let shelf = Shelf::of(300_000).await;
    let answer = shelf.ask("GET", &[]).await;
    assert_eq!(answer.status, 200);
    assert!(answer.body == shelf.content);
    for (name, value) in [
        ("content-length", "300000"),
        ("content-type", "image/png"),
        ("content-disposition", "inline; filename=\"a.png\""),
        ("accept-ranges", "bytes"),
        ("etag", ETAG),
        ("last-modified", MODIFIED),
        ("cache-control", "private, immutable, max-age=31536000"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "sandbox; default-src 'none'"),
        ("cross-origin-resource-policy", "same-site"),
        ("content-range", ""),
        ("content-encoding", ""),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
}

#[tokio::test]
async fn what_is_public_may_be_kept_by_everybody() {
    let mut shelf = Shelf::of(10).await;
    shelf.shown.is_public = true;
    let answer = shelf.ask("GET", &[]).await;
    let cache = answer.header("cache-control");
    assert_eq!(cache, "public, immutable, max-age=31536000");
    let policy = answer.header("cross-origin-resource-policy");
    assert_eq!(policy, "cross-origin");
}

#[tokio::test]
async fn who_wants_to_save_saves() {
    let mut shelf = Shelf::of(10).await;
    shelf.shown.disposition = Disposition::Save;
    let answer = shelf.ask("GET", &[]).await;
    let disposition = answer.header("content-disposition");
    assert_eq!(disposition, "attachment; filename=\"a.png\"");
}

#[tokio::test]
async fn what_can_act_is_saved_as_bytes() {
    let mut shelf = Shelf::with(b"<svg onload=alert(1)>").await;
    for mime in ["image/svg+xml", "text/html", "application/pdf"] {
        shelf.shown.mime = mime.to_owned();
        let answer = shelf.ask("GET", &[("range", "bytes=0-3")]).await;
        assert_eq!(answer.header("content-type"), "application/octet-stream");
        let disposition = answer.header("content-disposition");
        assert_eq!(disposition, "attachment; filename=\"a.png\"");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        let policy = answer.header("content-security-policy");
        assert_eq!(policy, "sandbox; default-src 'none'");
    }
}

#[tokio::test]
async fn one_range() {
    let shelf = Shelf::with(b"0123456789").await;
    for (asked, range, body) in [
        ("bytes=0-0", "bytes 0-0/10", "0"),
        ("bytes=-1", "bytes 9-9/10", "9"),
        ("bytes=5-", "bytes 5-9/10", "56789"),
        ("bytes=9-", "bytes 9-9/10", "9"),
        ("bytes=-20", "bytes 0-9/10", "0123456789"),
        ("bytes=0-99", "bytes 0-9/10", "0123456789"),
        ("bytes=0-1,20-30", "bytes 0-1/10", "01"),
        ("bytes=0-2,2-3", "bytes 0-3/10", "0123"),
    ] {
        let answer = shelf.ask("GET", &[("range", asked)]).await;
        assert_eq!(answer.status, 206, "{asked}");
        assert_eq!(answer.header("content-range"), range, "{asked}");
        assert_eq!(answer.header("content-length"), body.len().to_string());
        assert_eq!(answer.header("content-type"), "image/png", "{asked}");
        assert_eq!(answer.header("etag"), ETAG, "{asked}");
        assert_eq!(answer.body, body.as_bytes(), "{asked}");
    }
}

#[tokio::test]
async fn out_of_range_tells_the_length() {
    let shelf = Shelf::with(b"0123456789").await;
    for asked in ["bytes=10-", "bytes=-0", "bytes=5-2", "bytes=abc"] {
        let answer = shelf.ask("GET", &[("range", asked)]).await;
        assert_eq!(answer.status, 416, "{asked}");
        assert_eq!(answer.header("content-range"), "bytes */10", "{asked}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(answer.header("cache-control"), "", "{asked}");
        let problem: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(problem["code"], "range_not_satisfiable");
    }
}

#[tokio::test]
async fn an_empty_file_has_no_parts() {
    let shelf = Shelf::with(b"").await;
    for headers in [&[][..], &[("range", "bytes=0-")], &[("range", "bytes=-0")]] {
        let answer = shelf.ask("GET", headers).await;
        assert_eq!(answer.status, 200, "{headers:?}");
        assert_eq!(answer.header("content-length"), "0", "{headers:?}");
        assert!(answer.body.is_empty());
    }
}

#[tokio::test]
async fn several_ranges_are_parts_of_one_body() {
    let shelf = Shelf::with(b"0123456789").await;
    let answer = shelf.ask("GET", &[("range", "bytes=3-4,0-1")]).await;
    assert_eq!(answer.status, 206);
    assert_eq!(answer.header("content-range"), "");
    let boundary = answer
        .header("content-type")
        .strip_prefix("multipart/byteranges; boundary=")
        .unwrap();
    let expected = format!(
        "\r\n--{boundary}\r\nContent-Type: image/png\r\nContent-Range: bytes 3-4/10\r\n\r\n34\
         \r\n--{boundary}\r\nContent-Type: image/png\r\nContent-Range: bytes 0-1/10\r\n\r\n01\
         \r\n--{boundary}--\r\n"
    );
    assert_eq!(String::from_utf8(answer.body.clone()).unwrap(), expected);
    let len = answer.header("content-length");
    assert_eq!(len, expected.len().to_string());
}

#[tokio::test]
async fn conditions_come_before_ranges() {
    let shelf = Shelf::with(b"0123456789").await;
    let range = ("range", "bytes=0-0");
    let weak = format!("W/{ETAG}");
    for (condition, status) in [
        (("if-range", ETAG), 206),
        (("if-range", MODIFIED), 206),
        (("if-range", "\"stale\""), 200),
        (("if-range", &*weak), 200),
        (("if-none-match", ETAG), 304),
        (("if-modified-since", MODIFIED), 304),
        (("if-match", ETAG), 206),
        (("if-match", "\"stale\""), 412),
    ] {
        let answer = shelf.ask("GET", &[range, condition]).await;
        assert_eq!(answer.status, status, "{condition:?}");
        let len = match status {
            206 => 1,
            200 => 10,
            304 => 0,
            _ => answer.body.len(),
        };
        assert_eq!(answer.body.len(), len, "{condition:?}");
    }
    let stale = ("if-range", "\"stale\"");
    let answer = shelf.ask("GET", &[("range", "bytes=50-"), stale]).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn not_modified_says_what_a_cache_needs() {
    let shelf = Shelf::with(b"0123456789").await;
    let answer = shelf.ask("GET", &[("if-none-match", "*")]).await;
    assert_eq!(answer.status, 304);
    assert_eq!(answer.header("etag"), ETAG);
    assert_eq!(answer.header("last-modified"), MODIFIED);
    let cache = answer.header("cache-control");
    assert_eq!(cache, "private, immutable, max-age=31536000");
    assert_eq!(answer.header("content-type"), "");
    assert_eq!(answer.header("content-length"), "");
}

#[tokio::test]
async fn head_is_get_without_a_body_and_without_ranges() {
    let shelf = Shelf::with(b"0123456789").await;
    let none = ("if-none-match", ETAG);
    for headers in [&[][..], &[none], &[("if-match", "\"stale\"")]] {
        let get = shelf.ask("GET", headers).await;
        let head = shelf.ask("HEAD", headers).await;
        assert_eq!(head.status, get.status, "{headers:?}");
        assert_eq!(head.headers, get.headers, "{headers:?}");
    }
    let whole = shelf.ask("GET", &[]).await;
    for asked in ["bytes=0-0", "bytes=10-", "bytes=0-1,3-4"] {
        let head = shelf.ask("HEAD", &[("range", asked)]).await;
        assert_eq!(head.status, 200, "{asked}");
        assert_eq!(head.headers, whole.headers, "{asked}");
        assert!(head.body.is_empty(), "{asked}");
    }
}

#[tokio::test]
async fn what_a_client_accepts_does_not_change_the_bytes() {
    let shelf = Shelf::of(100_000).await;
    for accepted in ["gzip, br", "identity;q=0", "*;q=0"] {
        let encoding = ("accept-encoding", accepted);
        let range = ("range", "bytes=10-99");
        let answer = shelf.ask("GET", &[encoding, range]).await;
        assert_eq!(answer.status, 206, "{accepted}");
        assert_eq!(answer.header("content-encoding"), "", "{accepted}");
        assert!(answer.body == shelf.content[10..100], "{accepted}");
    }
}

#[test]
fn any_time_can_be_said() {
    for (at, said) in [
        (i64::MIN, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (-1, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (1999, "Thu, 01 Jan 1970 00:00:01 GMT"),
        (i64::MAX, "Fri, 31 Dec 9999 23:59:59 GMT"),
    ] {
        let mut headers = HeaderMap::new();
        headers.typed_insert(modified(Millis(at)));
        assert_eq!(headers["last-modified"], said, "{at}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_waits_in_memory_is_counted_until_it_is_gone() {
    let mut shelf = Shelf::of(1 << 20).await;
    shelf.budget = Budget::new(100 << 10);
    let mut body = shelf.response("GET", &[]).into_body();
    let mut next = async || body.frame().await.unwrap().unwrap().into_data().unwrap();
    let first = next().await;
    assert_eq!(first.len(), 64 << 10);
    let second = next().await;
    assert_eq!(second.len(), 16 << 10, "too little is left for that");
    drop(first);
    let third = next().await;
    assert_eq!(third.len(), 64 << 10);
    drop((second, third, body));
    assert_eq!(shelf.budget.take(100 << 10).bytes, 100 << 10);
}

#[tokio::test]
async fn memory_that_is_used_again_holds_what_is_read_into_it() {
    let shelf = Shelf::of((9 << 20) + 12_345).await;
    let mut body = shelf.response("GET", &[]).into_body();
    let mut read = Vec::new();
    while let Some(frame) = body.frame().await {
        // Let go of before the next is asked for, as a connection does.
        read.extend_from_slice(&frame.unwrap().into_data().unwrap());
    }
    assert!(read == shelf.content);
}

#[tokio::test]
async fn a_file_that_became_shorter_breaks_the_answer() {
    let shelf = Shelf::of(1 << 20).await;
    let path = shelf._directory.path().join("file");
    let body = shelf.response("GET", &[]).into_body();
    let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    file.set_len(100_000).unwrap();
    assert!(body.collect().await.is_err());
}

/// Written by hand from RFC 9110, and not from the code: the bytes that `first-last` selects.
fn slice(content: &[u8], first: Option<u64>, last: Option<u64>) -> Option<&[u8]> {
    let len = u64::try_from(content.len()).unwrap();
    let (from, to) = match (first, last) {
        (Some(first), Some(last)) => (first, last.saturating_add(1).min(len)),
        (Some(first), None) => (first, len),
        (None, Some(count)) => (len.saturating_sub(count), len),
        (None, None) => return None,
    };
    let index = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
    content
        .get(index(from)..index(to))
        .filter(|slice| !slice.is_empty())
}

fn a_bound() -> impl Strategy<Value = Option<u64>> {
    prop_oneof![
        2 => Just(None),
        8 => (0..600_u64).prop_map(Some),
        2 => (0..200_000_u64).prop_map(Some),
        1 => any::<u64>().prop_map(Some),
    ]
}

/// The parts of a multipart body, as `Content-Range` and content.
fn parts(answer: &Answer) -> Vec<(String, Vec<u8>)> {
    let kind = answer.header("content-type");
    let boundary = kind.split_once("boundary=").unwrap().1;
    let mark = format!("\r\n--{boundary}");
    let mut rest = &answer.body[..];
    let mut found = Vec::new();
    loop {
        rest = rest.strip_prefix(mark.as_bytes()).unwrap();
        if rest == b"--\r\n" {
            return found;
        }
        let at = rest
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .unwrap();
        let head = std::str::from_utf8(&rest[..at]).unwrap().to_owned();
        rest = &rest[at + 4..];
        let range = head
            .split_once("Content-Range: bytes ")
            .unwrap()
            .1
            .to_owned();
        let (from, last) = range.split_once('/').unwrap().0.split_once('-').unwrap();
        let len = last.parse::<usize>().unwrap() + 1 - from.parse::<usize>().unwrap();
        found.push((range, rest[..len].to_vec()));
        rest = &rest[len..];
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn one_range_is_a_slice(
        len in prop_oneof![0..600_usize, 100_000..200_000_usize],
        first in a_bound(),
        last in a_bound(),
    ) {
        let text = |bound: Option<u64>| bound.map_or(String::new(), |at| at.to_string());
        let asked = format!("bytes={}-{}", text(first), text(last));
        runtime().block_on(async {
            let shelf = Shelf::of(len).await;
            let answer = shelf.ask("GET", &[("range", &asked)]).await;
            let is_backward = first.zip(last).is_some_and(|(first, last)| first > last);
            match slice(&shelf.content, first, last).filter(|_| !is_backward) {
                Some(slice) => {
                    assert_eq!(answer.status, 206, "{asked}");
                    assert!(answer.body == slice, "{asked} of {len}");
                }
                None if len == 0 => assert_eq!(answer.status, 200, "{asked}"),
                None => assert_eq!(answer.status, 416, "{asked}"),
            }
        });
    }

    #[test]
    fn several_ranges_are_slices(
        len in 1..2_000_usize,
        ranges in proptest::collection::vec((a_bound(), a_bound()), 1..12),
    ) {
        let text = |bound: &Option<u64>| bound.map_or(String::new(), |at| at.to_string());
        let list: Vec<_> = ranges
            .iter()
            .map(|(first, last)| format!("{}-{}", text(first), text(last)))
            .collect();
        let asked = format!("bytes={}", list.join(","));
        runtime().block_on(async {
            let shelf = Shelf::of(len).await;
            let answer = shelf.ask("GET", &[("range", &asked)]).await;
            let told = answer.header("content-length").parse::<usize>();
            let is_multipart = answer.header("content-type").starts_with("multipart/");
            match answer.status {
                200 => assert!(answer.body == shelf.content, "{asked}"),
                206 if is_multipart => {
                    let parts = parts(&answer);
                    assert!((2..=8).contains(&parts.len()), "{asked}");
                    let mut sent = 0;
                    for (range, bytes) in &parts {
                        let (span, total) = range.split_once('/').unwrap();
                        let (from, last) = span.split_once('-').unwrap();
                        let (from, last): (usize, usize) =
                            (from.parse().unwrap(), last.parse().unwrap());
                        assert_eq!(total, len.to_string(), "{asked}");
                        assert!(bytes == &shelf.content[from..=last], "{asked}");
                        sent += bytes.len();
                    }
                    // Never more than the file: a small request cannot ask for a flood.
                    assert!(sent <= len, "{asked}");
                    // Everything that is there of what was asked for.
                    for (first, last) in &ranges {
                        if let Some(wanted) = slice(&shelf.content, *first, *last) {
                            let whole = |(_, bytes): &(String, Vec<u8>)| {
                                bytes.windows(wanted.len()).any(|window| window == wanted)
                            };
                            assert!(parts.iter().any(whole), "{asked}");
                        }
                    }
                }
                206 => assert!(answer.body.len() <= len, "{asked}"),
                416 => return,
                other => panic!("{other} for {asked}"),
            }
            assert_eq!(told.unwrap(), answer.body.len(), "{asked}");
        });
    }

    #[test]
    fn whatever_stands_in_the_header_there_is_an_answer(value in "[ -~]{0,80}") {
        runtime().block_on(async {
            let shelf = Shelf::of(10).await;
            for name in ["range", "if-range", "if-match", "if-none-match", "if-modified-since"] {
                let answer = shelf.ask("GET", &[(name, &value), ("range", "bytes=1-2")]).await;
                assert!([200, 206, 304, 412, 416].contains(&answer.status), "{name}: {value}");
            }
        });
    }
}
