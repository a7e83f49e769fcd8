//! Heads of HTTP requests that nobody should send, on all three ports.
#![allow(clippy::too_many_lines, reason = "a table is read in one piece")]

use std::io::{Read, Write};
use std::net::SocketAddr;

use myim_tests::http;
use myim_tests::server::Server;

use super::watch::Watch;

/// What has to come of a request.
#[derive(Clone, Copy, Debug)]
enum Expected {
    /// What an ordinary request gets.
    Ordinary,
    Status(u16),
    /// This, unless the connection was cut while the request was still on its way.
    StatusOrCut(u16),
    /// The end of the connection without a word.
    Closed,
}

struct Row {
    /// Its number and its name.
    what: &'static str,
    bytes: Vec<u8>,
    expected: Expected,
}

struct Port {
    name: &'static str,
    address: SocketAddr,
    /// What may be asked for, and the status of that.
    path: String,
    ordinary: u16,
}

const HOST: &str = "Host: localhost\r\n";
const CLOSE: &str = "Connection: close\r\n";

fn ports(server: &Server) -> [Port; 3] {
    let port = |name, address, path: String, ordinary| Port {
        name,
        address,
        path,
        ordinary,
    };
    let nobody = "0".repeat(64);
    [
        port("chat", server.chat, "/api/v1/server".to_owned(), 200),
        port("file", server.file, format!("/files/{nobody}"), 404),
        port("image", server.image, format!("/images/{nobody}"), 404),
    ]
}

/// Asks and reads to the end.
fn ask(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = http::connect(address);
    // The server may refuse before it has read everything.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    if let Err(error) = stream.read_to_end(&mut answer) {
        assert_ne!(error.kind(), std::io::ErrorKind::WouldBlock, "still open");
    }
    answer
}

fn status(answer: &[u8]) -> Option<u16> {
    let line = answer.strip_prefix(b"HTTP/1.1 ")?.get(..3)?;
    std::str::from_utf8(line).ok()?.parse().ok()
}

/// Requests of a line, more headers, and what comes behind the head.
fn rows(path: &str) -> Vec<Row> {
    use Expected::{Closed, Ordinary, Status, StatusOrCut};
    let get = format!("GET {path} HTTP/1.1");
    let post = format!("POST {path} HTTP/1.1");
    let whole = |what, bytes: Vec<u8>, expected| Row {
        what,
        bytes,
        expected,
    };
    let row = |what, line: &str, more: &str, body: &str, expected| {
        let text = format!("{line}\r\n{HOST}{CLOSE}{more}\r\n{body}");
        whole(what, text.into_bytes(), expected)
    };
    let hosts = |what, hosts: &str, expected| {
        whole(
            what,
            format!("{get}\r\n{hosts}{CLOSE}\r\n").into_bytes(),
            expected,
        )
    };
    let target = |what, target: &str, expected| {
        row(what, &format!("GET {target} HTTP/1.1"), "", "", expected)
    };
    let chunked = "Transfer-Encoding: chunked\r\n";
    let header = |length: usize| format!("X-A: {}\r\n", "y".repeat(length));
    let many = |count: usize| "X-A: y\r\n".repeat(count);
    vec![
        row("0 an ordinary one", &get, "", "", Ordinary),
        row(
            "60 two lengths",
            &post,
            "Content-Length: 3\r\nContent-Length: 4\r\n",
            "abcd",
            Status(400),
        ),
        row(
            "60 a list of lengths",
            &post,
            "Content-Length: 3, 4\r\n",
            "abcd",
            Status(400),
        ),
        row(
            "60 a length with a sign",
            &post,
            "Content-Length: +5\r\n",
            "abcde",
            Status(400),
        ),
        row(
            "60 a negative length",
            &post,
            "Content-Length: -1\r\n",
            "",
            Status(400),
        ),
        row(
            "60 an unknown coding",
            &post,
            "Transfer-Encoding: xchunked\r\n",
            "0\r\n\r\n",
            Status(400),
        ),
        row(
            "60 a coding behind chunked",
            &post,
            "Transfer-Encoding: chunked, identity\r\n",
            "0\r\n\r\n",
            Status(400),
        ),
        row(
            "60 chunked in 1.0",
            &format!("POST {path} HTTP/1.0"),
            chunked,
            "0\r\n\r\n",
            Status(400),
        ),
        // RFC 9112, section 2.2, lets a server take a line feed for the end of a line.
        whole(
            "61 line feeds alone",
            format!("{get}\nHost: a\n{}\n", CLOSE.replace('\r', "")).into_bytes(),
            Ordinary,
        ),
        row(
            "61 a folded header",
            &get,
            "X-A: b\r\n c\r\n",
            "",
            Status(400),
        ),
        row(
            "61 a space before the colon",
            &get,
            "X-A : b\r\n",
            "",
            Status(400),
        ),
        row(
            "61 a length before a space",
            &post,
            "Content-Length : 3\r\n",
            "abc",
            Status(400),
        ),
        row("61 NUL in a value", &get, "X-A: b\0c\r\n", "", Status(400)),
        row("61 NUL in a name", &get, "X\0A: b\r\n", "", Status(400)),
        row(
            "61 a carriage return in a value",
            &get,
            "X-A: b\rc\r\n",
            "",
            Status(400),
        ),
        row(
            "62 a header of 16 KiB",
            &get,
            &header(16 << 10),
            "",
            Ordinary,
        ),
        row(
            "62 a header of 64 KiB",
            &get,
            &header(64 << 10),
            "",
            StatusOrCut(431),
        ),
        row("62 65 headers", &get, &many(65), "", Status(431)),
        row(
            "62 10,000 headers",
            &get,
            &many(10_000),
            "",
            StatusOrCut(431),
        ),
        target(
            "63 a target of 60 KiB",
            &format!("{path}?{}", "x".repeat(60 << 10)),
            Ordinary,
        ),
        target(
            "63 a target of 64 KiB",
            &format!("{path}?{}", "x".repeat(64 << 10)),
            StatusOrCut(431),
        ),
        target(
            "63 a path of 100 KiB",
            &format!("/{}", "x".repeat(100 << 10)),
            StatusOrCut(431),
        ),
        hosts("64 no host", "", Status(400)),
        hosts("64 two hosts", "Host: a\r\nHost: b\r\n", Status(400)),
        hosts(
            "64 the same host twice",
            "Host: a\r\nHost: a\r\n",
            Status(400),
        ),
        hosts("64 a host that is none", "Host: a b/c\r\n", Status(400)),
        hosts("64 a host with a user", "Host: me@a\r\n", Status(400)),
        // A server has as many names as people give it.
        hosts(
            "64 a name that nobody knows",
            "Host: evil.example\r\n",
            Ordinary,
        ),
        row(
            "66 TRACE",
            &format!("TRACE {path} HTTP/1.1"),
            "",
            "",
            Status(405),
        ),
        row(
            "66 CONNECT",
            "CONNECT evil.example:443 HTTP/1.1",
            "",
            "",
            Status(404),
        ),
        row(
            "66 PROPFIND",
            &format!("PROPFIND {path} HTTP/1.1"),
            "",
            "",
            Status(405),
        ),
        row(
            "66 a method in small letters",
            &format!("get {path} HTTP/1.1"),
            "",
            "",
            Closed,
        ),
        row(
            "67 an expectation",
            &post,
            "Expect: 200-ok\r\nContent-Length: 2\r\n",
            "{}",
            Status(417),
        ),
        target("70 NUL", "/%00", Status(404)),
        target("70 dots", "/../../etc/passwd", Status(404)),
        target(
            "70 escaped dots",
            "/%2e%2e%2f%2e%2e%2fetc/passwd",
            Status(404),
        ),
        target(
            "70 dots that are escaped twice",
            "/%252e%252e/etc/passwd",
            Status(404),
        ),
        target("70 a way of Windows", "/..\\..\\etc\\passwd", Status(404)),
        target("70 a NUL that is not escaped", "/\0", Status(400)),
        target("72 an end of a line", "/%0d%0aX-Evil:%20yes", Status(404)),
        target(
            "73 an account by an address",
            "/register.do?p=%7B%22username%22:%22eve%22%7D",
            Status(404),
        ),
        target("117 numbers", "/metrics", Status(404)),
        target("117 alive", "/livez", Status(404)),
        target("117 ready", "/readyz", Status(404)),
        target("117 a debugger", "/debug/pprof", Status(404)),
        target("117 sources", "/.git/config", Status(404)),
        target("117 an environment", "/.env", Status(404)),
        whole("a line of HTTP/0.9", b"GET /\r\n\r\n".to_vec(), Status(400)),
        row(
            "a version that is none",
            &format!("GET {path} HTTP/2.5"),
            "",
            "",
            Status(400),
        ),
        row(
            "a protocol that is none",
            &format!("GET {path} HTTQ/1.1"),
            "",
            "",
            Status(400),
        ),
    ]
}

#[test]
fn heads_that_nobody_should_send() {
    let server = Server::sqlite();
    let mut watch = Watch::new(&server);
    let mut wrong = Vec::new();
    for port in ports(&server) {
        for Row {
            what,
            bytes,
            expected,
        } in rows(&port.path)
        {
            let answer = ask(port.address, &bytes);
            let got = status(&answer);
            let is_right = match expected {
                Expected::Ordinary => got == Some(port.ordinary),
                Expected::Status(wanted) => got == Some(wanted),
                Expected::StatusOrCut(wanted) => answer.is_empty() || got == Some(wanted),
                Expected::Closed => answer.is_empty(),
            };
            let text = String::from_utf8_lossy(&answer);
            if !is_right {
                wrong.push(format!("{}, {what}: {expected:?}, got {text}", port.name));
            }
            let head = text.split("\r\n\r\n").next().unwrap_or_default();
            let head = head.to_lowercase();
            assert!(
                !head.contains("\r\nx-evil"),
                "{}, {what}: {text}",
                port.name
            );
            if got == Some(405) {
                assert!(
                    head.contains("\r\nallow: "),
                    "{}, {what}: {text}",
                    port.name
                );
            }
            watch.held(what);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_request_in_the_body_of_another_is_none() {
    let server = Server::sqlite();
    let mut watch = Watch::new(&server);
    let (length, chunked) = ("Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n");
    for port in ports(&server) {
        for both in [[length, chunked], [chunked, length]] {
            let hidden = format!("GET {} HTTP/1.1\r\n{HOST}\r\n", port.path);
            let both = both.concat();
            let bytes = format!(
                "POST {} HTTP/1.1\r\n{HOST}{both}\r\n0\r\n\r\n{hidden}",
                port.path
            );
            // RFC 9112, section 6.3: nobody may go on behind such a request.
            let answer = ask(port.address, bytes.as_bytes());
            let answers = String::from_utf8_lossy(&answer)
                .matches("HTTP/1.1 ")
                .count();
            assert!(
                answers <= 1,
                "{}: {}",
                port.name,
                String::from_utf8_lossy(&answer)
            );
            watch.held("60 a length and a coding");
        }
    }
}

#[test]
fn chunks_that_are_none() {
    let server = Server::sqlite();
    let mut watch = Watch::new(&server);
    let token = server.newcomer("ann").token;
    let paths = ["/api/v1/sessions", "/files", "/images"];
    let large = "a".repeat((1 << 20) + 1);
    for (port, path) in ports(&server).into_iter().zip(paths) {
        for (what, body) in [
            ("no number", "x\r\na\r\n0\r\n\r\n".to_owned()),
            ("a negative size", "-1\r\na\r\n0\r\n\r\n".to_owned()),
            ("a size of 17 digits", "fffffffffffffffff\r\nabc".to_owned()),
            ("a size with a prefix", "0x2\r\n{}\r\n0\r\n\r\n".to_owned()),
            (
                "an extension of a MiB",
                format!("1;x={large}\r\na\r\n0\r\n\r\n"),
            ),
            (
                "trailers without an end",
                format!("0\r\n{}\r\n", "X-A: y\r\n".repeat(100_000)),
            ),
            ("no end of a chunk", "1\r\naXX0\r\n\r\n".to_owned()),
        ] {
            let head = format!(
                "POST {path} HTTP/1.1\r\n{HOST}{CLOSE}Authorization: Bearer {token}\r\n\
                 Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            );
            let answer = ask(port.address, format!("{head}{body}").as_bytes());
            let text = String::from_utf8_lossy(&answer);
            let got = status(&answer);
            // A picture is looked at as it comes: what has come may be none already.
            let is_refused = answer.is_empty() || matches!(got, Some(400 | 415));
            assert!(is_refused, "{}, {what}: {text}", port.name);
            watch.held(what);
        }
    }
    // The largest size is one like others: what has come of it counts.
    let head = format!(
        "POST /api/v1/sessions HTTP/1.1\r\n{HOST}{CLOSE}Content-Type: application/json\r\n\
         Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{large}"
    );
    let answer = ask(server.chat, head.as_bytes());
    assert!(
        answer.is_empty() || status(&answer) == Some(413),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    watch.held("65 the largest size");
}

#[test]
fn a_thousand_requests_at_once_are_answered_in_order() {
    let server = Server::sqlite();
    let mut watch = Watch::new(&server);
    for port in ports(&server) {
        let mut bytes = String::new();
        for number in 0..1_000 {
            let path = if number % 2 == 0 {
                &port.path
            } else {
                "/no/such/thing"
            };
            let close = if number == 999 { CLOSE } else { "" };
            bytes += &format!("GET {path} HTTP/1.1\r\n{HOST}{close}\r\n");
        }
        let answer = ask(port.address, bytes.as_bytes());
        let text = String::from_utf8_lossy(&answer);
        let got: Vec<_> = text
            .match_indices("HTTP/1.1 ")
            .map(|(at, _)| status(&answer[at..]))
            .collect();
        let wanted: Vec<_> = (0..1_000)
            .map(|number| Some(if number % 2 == 0 { port.ordinary } else { 404 }))
            .collect();
        assert_eq!(got, wanted, "{}", port.name);
        watch.held("68 a thousand requests");
    }
}

#[test]
fn a_method_in_two_pieces_is_a_method() {
    let server = Server::sqlite();
    for port in ports(&server) {
        let request = http::request(&port.path);
        let (first, rest) = request.split_at(2);
        let mut stream = http::connect(port.address);
        stream.write_all(first.as_bytes()).unwrap();
        // Meanwhile somebody else asks and is answered, so the first piece has arrived alone.
        assert_eq!(http::get(port.address, "/no/such/thing").status, 404);
        stream.write_all(rest.as_bytes()).unwrap();
        assert_eq!(http::answer(stream).status, port.ordinary, "{}", port.name);
    }
}
