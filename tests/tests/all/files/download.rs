//! Downloads: every byte, any part of them, and nothing that a browser would execute.

use std::fs;
use std::io::{Read, Write};
use std::ops::Range;
use std::process::Command;

use myim_tests::files::{Files, number, sha256};
use myim_tests::http::connect;
use myim_tests::server::Server;
use myim_tests::transfer::content;

tests! {
    sqlite: any_part_of_a_large_file, head_tells_what_get_would, caches_ask_once,
        nothing_active_is_shown, names_survive_and_do_no_harm, curl_goes_on_where_it_was,
        curl_gets_the_parts_that_it_asks_for,
        old_versions_of_http, a_reader_that_stops_holds_little;
    mariadb: any_part_of_a_large_file, caches_ask_once,
}

fn ann(server: &Server) -> Files {
    server.files().with_token(&server.newcomer("ann").token)
}

/// Stores content; where it stands.
fn store(files: &Files, content: &[u8]) -> String {
    let answer = files.post(content);
    assert!([200, 201].contains(&answer.status), "{answer}");
    format!("/files/{}", sha256(content))
}

fn any_part_of_a_large_file(server: &mut Server) {
    let ann = ann(server);
    let bytes = content(5 << 20, 21);
    let path = store(&ann, &bytes);
    let whole = ann.ask("GET", &path, &[], b"");
    assert_eq!(whole.status, 200, "{whole}");
    assert!(whole.body == bytes, "not what was uploaded");
    let len = bytes.len();
    for (from, to) in [
        (0, 1),
        (0, 65_536),
        (65_535, 65_537),
        (1 << 20, 4 << 20),
        (len - 1, len),
        (1, len),
    ] {
        let range = format!("bytes={from}-{}", to - 1);
        let part = ann.ask("GET", &path, &[("range", &range)], b"");
        assert_eq!(part.status, 206, "{part}");
        let told = format!("bytes {from}-{}/{len}", to - 1);
        assert_eq!(part.header("content-range"), told);
        assert!(part.body == bytes[from..to], "{range}");
    }
    let several = ("range", "bytes=1000000-1999999,10-19,-500000");
    let answer = ann.ask("GET", &path, &[several], b"");
    assert_eq!(answer.status, 206, "{answer}");
    assert_eq!(number(&answer, "content-length"), answer.body.len());
    for part in [
        &bytes[1_000_000..2_000_000],
        &bytes[10..20],
        &bytes[len - 500_000..],
    ] {
        let found = answer.body.windows(part.len()).any(|window| window == part);
        assert!(found, "a part of {} bytes is missing", part.len());
    }
    // A thousand ranges are answered with the file, once.
    let flood = format!("bytes={}", vec!["0-"; 1000].join(","));
    let answer = ann.ask("GET", &path, &[("range", &flood)], b"");
    assert_eq!(answer.status, 200, "{answer}");
    assert_eq!(answer.body.len(), len);
}

fn head_tells_what_get_would(server: &mut Server) {
    let ann = ann(server);
    let path = store(&ann, &content(100_000, 22));
    for headers in [
        &[][..],
        &[("range", "bytes=0-9")],
        &[("accept-encoding", "gzip, br")],
    ] {
        let head = ann.ask("HEAD", &path, headers, b"");
        let get = ann.ask("GET", &path, &[], b"");
        assert_eq!((head.status, get.status), (200, 200), "{head}\n{get}");
        for (name, value) in &get.headers {
            // These two are of the one answer and not of the file.
            if name != "date" && name != "x-request-id" {
                assert_eq!(head.headers.get(name), Some(value), "{name}");
            }
        }
        assert_eq!(head.headers.len(), get.headers.len(), "{head}\n{get}");
        assert!(head.body.is_empty());
    }
}

fn caches_ask_once(server: &mut Server) {
    let ann = ann(server);
    let bytes = content(1000, 23);
    let path = store(&ann, &bytes);
    let first = ann.ask("GET", &path, &[], b"");
    let etag = first.header("etag").to_owned();
    assert_eq!(etag, format!("\"{}\"", sha256(&bytes)));
    let cache = first.header("cache-control");
    assert_eq!(cache, "private, immutable, max-age=31536000");
    let modified = first.header("last-modified").to_owned();
    for condition in [("if-none-match", &etag), ("if-modified-since", &modified)] {
        let (name, value) = condition;
        let again = ann.ask("GET", &path, &[(name, value)], b"");
        assert_eq!(again.status, 304, "{again}");
        assert_eq!(again.header("etag"), etag);
        assert_eq!(again.header("cache-control"), cache);
        assert!(again.body.is_empty());
    }
    let other = ann.ask("GET", &path, &[("if-match", "\"other\"")], b"");
    other.refused(412, "precondition_failed");
}

fn nothing_active_is_shown(server: &mut Server) {
    let ann = ann(server);
    let gif_and_page = [
        &b"GIF89a\x01\0\x01\0\0\0\0"[..],
        b"<script>alert(1)</script>",
    ]
    .concat();
    for (content, kind, shown) in [
        (
            &b"<!DOCTYPE html><script>alert(1)</script>"[..],
            None,
            false,
        ),
        (
            b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
            None,
            false,
        ),
        (b"<?xml version='1.0'?><svg/>", None, false),
        (b"%PDF-1.7\n/JavaScript", None, false),
        (b"#!/bin/sh\nrm -rf /\n", None, false),
        (b"MZ\x90\0\x03\0\0\0", None, false),
        (b"\0\x01\x02\x03", None, false),
        (b"alert(1)\n", Some("text/plain; charset=utf-8"), false),
        (b"PK\x03\x04\x14\0\0\0", Some("application/zip"), false),
        (b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", Some("image/png"), true),
        // A picture for whoever asks, because nobody may guess otherwise.
        (&gif_and_page, Some("image/gif"), true),
    ] {
        let path = store(&ann, content);
        for path in [path.clone(), format!("{path}?name=innocent.png")] {
            let answer = ann.ask("GET", &path, &[], b"");
            let said = String::from_utf8_lossy(content);
            assert_eq!(answer.status, 200, "{answer}");
            let kind = kind.unwrap_or("application/octet-stream");
            assert_eq!(answer.header("content-type"), kind, "{said}");
            let disposition = answer.header("content-disposition");
            assert_eq!(disposition.starts_with("inline"), shown, "{said}");
            assert_eq!(disposition.starts_with("attachment"), !shown, "{said}");
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
            let policy = answer.header("content-security-policy");
            assert_eq!(policy, "sandbox; default-src 'none'");
            assert_eq!(answer.header("cross-origin-resource-policy"), "same-site");
        }
    }
}

fn names_survive_and_do_no_harm(server: &mut Server) {
    let ann = ann(server);
    let path = store(&ann, b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR");
    let long = format!("{}.png", "x".repeat(300));
    let shortened = format!("filename=\"{}.png\"", "x".repeat(251));
    for (name, told) in [
        ("cat.png", "filename=\"cat.png\""),
        (
            "%E7%8C%AB.png",
            "filename=\"_.png\"; filename*=UTF-8''%E7%8C%AB.png",
        ),
        ("..%2F..%2Fetc%2Fpasswd", "filename=\"passwd\""),
        (
            "a%22b%0D%0ASet-Cookie:%20c",
            "filename=\"a_bSet-Cookie_ c\"",
        ),
        ("photo%E2%80%AEgpj.exe", "filename=\"photogpj.exe\""),
        ("CON", "filename=\"_CON\""),
        (&long, &shortened),
    ] {
        let answer = ann.ask("GET", &format!("{path}?name={name}"), &[], b"");
        assert_eq!(answer.status, 200, "{answer}");
        let disposition = answer.header("content-disposition");
        assert_eq!(disposition, format!("inline; {told}"), "{name}");
        assert_eq!(answer.header("set-cookie"), "");
    }
    let saved = ann.ask("GET", &format!("{path}?name=cat.png&download=1"), &[], b"");
    let disposition = saved.header("content-disposition");
    assert_eq!(disposition, "attachment; filename=\"cat.png\"");
}

fn curl_goes_on_where_it_was(server: &mut Server) {
    let newcomer = server.newcomer("ann");
    let ann = server.files().with_token(&newcomer.token);
    let bytes = content(3 << 20, 24);
    let path = store(&ann, &bytes);
    let directory = tempfile::tempdir().unwrap();
    let half = directory.path().join("half");
    fs::write(&half, &bytes[..1_234_567]).unwrap();
    let curl = Command::new("curl")
        .args(["--silent", "--show-error", "--fail", "--max-time", "60"])
        .args(["--continue-at", "-", "--dump-header", "-"])
        .args([
            "--header",
            &format!("Authorization: Bearer {}", newcomer.token),
        ])
        .arg("--output")
        .arg(&half)
        .arg(format!("http://{}{path}", server.file))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&curl.stdout).into_owned();
    assert!(curl.status.success(), "{curl:?}");
    assert!(told.starts_with("HTTP/1.1 206"), "{told}");
    assert!(fs::read(&half).unwrap() == bytes, "not the whole file");
}

/// What curl gets for a range: the head of the answer, and the body.
fn curl_range(server: &Server, token: &str, path: &str, range: &str) -> (String, Vec<u8>) {
    let directory = tempfile::tempdir().unwrap();
    let body = directory.path().join("body");
    let curl = Command::new("curl")
        .args(["--silent", "--show-error", "--fail", "--max-time", "60"])
        .args(["--range", range, "--dump-header", "-"])
        .args(["--header", &format!("Authorization: Bearer {token}")])
        .arg("--output")
        .arg(&body)
        .arg(format!("http://{}{path}", server.file))
        .output()
        .unwrap();
    assert!(curl.status.success(), "{range}: {curl:?}");
    let head = String::from_utf8_lossy(&curl.stdout).to_lowercase();
    assert!(head.starts_with("http/1.1 206"), "{range}: {head}");
    (head, fs::read(body).unwrap())
}

/// A body of several parts as RFC 9110 has it, built from what was asked for.
fn several(boundary: &str, kind: &str, parts: &[Range<usize>], bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    for part in parts {
        let (from, last, total) = (part.start, part.end - 1, bytes.len());
        let head = format!(
            "\r\n--{boundary}\r\nContent-Type: {kind}\r\n\
             Content-Range: bytes {from}-{last}/{total}\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(&bytes[part.clone()]);
    }
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    body
}

fn curl_gets_the_parts_that_it_asks_for(server: &mut Server) {
    let newcomer = server.newcomer("ann");
    let ann = server.files().with_token(&newcomer.token);
    let bytes = content(3 << 20, 27);
    let (path, len) = (store(&ann, &bytes), bytes.len());
    for (range, part) in [
        ("0-0", 0..1),
        ("1000-1234566", 1000..1_234_567),
        ("3000000-", 3_000_000..len),
        ("-500", len - 500..len),
        ("3145000-9999999", 3_145_000..len),
    ] {
        let (head, body) = curl_range(server, &newcomer.token, &path, range);
        let told = format!(
            "content-range: bytes {}-{}/{len}\r\n",
            part.start,
            part.end - 1
        );
        assert!(head.contains(&told), "{range}: {head}");
        assert!(body == bytes[part], "{range}: not the part");
    }
    for (range, parts) in [
        ("0-99,1000000-1999999", vec![0..100, 1_000_000..2_000_000]),
        (
            "2000000-2000009,5-9,-7",
            vec![2_000_000..2_000_010, 5..10, len - 7..len],
        ),
        (
            "0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14",
            (0..8).map(|one| 2 * one..2 * one + 1).collect(),
        ),
        ("9000000-,0-4,3000000-", vec![0..5, 3_000_000..len]),
    ] {
        let (head, body) = curl_range(server, &newcomer.token, &path, range);
        let (_, rest) = head
            .split_once("multipart/byteranges; boundary=")
            .unwrap_or_default();
        let boundary = rest.lines().next().unwrap_or_default().trim_matches('"');
        assert!(!boundary.is_empty(), "{range}: {head}");
        let length = format!("content-length: {}\r\n", body.len());
        assert!(head.contains(&length), "{range}: {head}");
        let kind = "application/octet-stream";
        let expected = several(boundary, kind, &parts, &bytes);
        assert!(
            body == expected,
            "{range}: {}",
            String::from_utf8_lossy(&body[..200])
        );
    }
}

fn old_versions_of_http(server: &mut Server) {
    let newcomer = server.newcomer("ann");
    let ann = server.files().with_token(&newcomer.token);
    let bytes = content(300_000, 25);
    let path = store(&ann, &bytes);
    let mut stream = connect(server.file);
    let token = &newcomer.token;
    let request = format!("GET {path} HTTP/1.0\r\nAuthorization: Bearer {token}\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.0 200"));
    assert!(answer.ends_with(&bytes), "not the whole file");
}

/// Many who ask for a large file and then do not read: none of it piles up in the server.
fn a_reader_that_stops_holds_little(server: &mut Server) {
    const READERS: u64 = 64;
    let newcomer = server.newcomer("ann");
    let ann = server.files().with_token(&newcomer.token);
    let path = store(&ann, &content(32 << 20, 26));
    let before = server.program().resident_bytes();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\r\n",
        newcomer.token
    );
    let readers: Vec<_> = (0..READERS)
        .map(|_| {
            let mut stream = connect(server.file);
            stream.write_all(request.as_bytes()).unwrap();
            // What follows is on its way, and nobody takes it.
            let mut begin = [0; 1024];
            stream.read_exact(&mut begin).unwrap();
            stream
        })
        .collect();
    let grown = server.program().resident_bytes().saturating_sub(before);
    // Four of the largest pieces each, where the files together are 2 GiB.
    assert!(grown < READERS << 20, "{grown} bytes for {READERS} readers");
    drop(readers);
    let whole = ann.ask("GET", &path, &[("range", "bytes=0-9")], b"");
    assert_eq!(whole.status, 206, "{whole}");
}
