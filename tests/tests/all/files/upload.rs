//! Whole files in one request, as curl sends them.

use std::io::Write;
use std::net::Shutdown;

use myim_tests::files::{sha256, status_of};
use myim_tests::server::{Db, Kind, Server, Setup};
use myim_tests::transfer::{Transfer, content, md5_name};
use myim_tests::wire::Flavor;

use super::{base64, server_with, stored};

tests! {
    sqlite: whole_files, old_clients_and_new_ones_share_files, promises, names, bad_requests,
        tokens;
    mariadb: whole_files, old_clients_and_new_ones_share_files, tokens,
}

fn whole_files(server: &mut Server) {
    let ann = server.files().with_token(&server.newcomer("ann").token);
    for (size, seed) in [(0, 1), (1, 2), (100_000, 3), (9 << 20, 4)] {
        let bytes = content(size, seed);
        let answer = ann.ask("POST", "/files?name=a.bin", &[], &bytes);
        let told = answer.ok(201);
        let file = sha256(&bytes);
        assert_eq!(told["file"], file);
        assert_eq!(told["size"], size);
        assert_eq!(told["name"], "a.bin");
        assert_eq!(told["mime"], "application/octet-stream");
        assert_eq!(answer.header("location"), format!("/files/{file}"));
        stored(&ann, &file, &bytes);
        // The very same again.
        assert_eq!(ann.post(&bytes).ok(200)["file"], file);
    }
    let text = ann.ask("PUT", "/files/hello.txt", &[], b"hello\n").ok(201);
    assert_eq!(text["mime"], "text/plain");
    assert_eq!(text["name"], "hello.txt");
}

fn old_clients_and_new_ones_share_files(server: &mut Server) {
    let files = server.files().with_token(&server.newcomer("ann").token);
    let small = content(300_000, 5);
    files.post(&small).ok(201);
    let mut old = Transfer::connect(server.file, Flavor::Pc);
    assert_eq!(old.download(&md5_name(&small)).unwrap(), small);
    // The MD5 of a large one is computed afterwards: an old client may have to ask again.
    let large = content(10 << 20, 6);
    files.post(&large).ok(201);
    let deadline = std::time::Instant::now() + myim_tests::peer::PATIENCE;
    let found = loop {
        if let Some(found) = old.download(&md5_name(&large)) {
            break found;
        }
        assert!(std::time::Instant::now() < deadline, "it gets no MD5 name");
    };
    assert!(found == large);
    let theirs = content(200_000, 7);
    old.upload(&theirs);
    stored(&files, &sha256(&theirs), &theirs);
}

fn promises(server: &mut Server) {
    let files = server.files();
    let bytes = content(1000, 8);
    let hash = sha256(&bytes);
    let kept = |answer: myim_tests::api::Answer| answer.ok(201)["file"] == hash;
    let path = format!("/files?sha256={hash}");
    assert!(kept(files.ask("POST", &path, &[], &bytes)));
    let raw: Vec<u8> = (0..32)
        .map(|at| u8::from_str_radix(&hash[2 * at..2 * at + 2], 16).unwrap())
        .collect();
    let digest = format!("sha-256=:{}:", base64(&raw));
    let headers = [("content-digest", digest.as_str())];
    assert!(kept(files.ask("POST", "/files", &headers, &bytes)));
    for other in [&bytes[1..], &b""[..]] {
        let refused = files.ask("POST", &path, &[], other);
        refused.refused(422, "digest_mismatch");
        let refused = files.ask("POST", "/files", &headers, other);
        refused.refused(422, "digest_mismatch");
        files.get(&sha256(other)).refused(404, "no_such_file");
    }
}

fn names(server: &mut Server) {
    let files = server.files();
    for (given, kept) in [
        ("report.pdf", Some("report.pdf")),
        ("..%2F..%2Fetc%2Fpasswd", Some("passwd")),
        ("C%3A%5Cletter.doc", Some("letter.doc")),
        ("invoice%E2%80%AEfdp.exe", Some("invoicefdp.exe")),
        ("a%0D%0ASet-Cookie%3A%20b", Some("aSet-Cookie: b")),
        ("%00", None),
        ("%2E%2E", None),
    ] {
        for (method, path) in [
            ("POST", format!("/files?name={given}")),
            ("PUT", format!("/files/{given}")),
        ] {
            let told = files.ask(method, &path, &[], b"x").ok(201);
            assert_eq!(told["name"].as_str(), kept, "{method} {path}");
        }
    }
    let long = "x".repeat(300);
    let told = files.ask("PUT", &format!("/files/{long}.txt"), &[], b"x");
    let name = told.ok(201)["name"].as_str().unwrap().to_owned();
    assert!(name.len() == 255 && name.ends_with(".txt"), "{name}");
}

/// Names and values.
type Headers = &'static [(&'static str, &'static str)];

fn bad_requests(server: &mut Server) {
    let files = server.files();
    let rows: [(&str, &str, Headers, u16, &str); 10] = [
        ("POST", "/files?sha256=abc", &[], 400, "invalid_request"),
        (
            "POST",
            "/files",
            &[("content-digest", "sha-256=:x:")],
            400,
            "invalid_request",
        ),
        (
            "POST",
            "/files",
            &[("content-type", "multipart/form-data; boundary=x")],
            415,
            "unsupported_media_type",
        ),
        (
            "POST",
            "/files",
            &[("content-encoding", "gzip")],
            415,
            "unsupported_media_type",
        ),
        (
            "PUT",
            "/files/a",
            &[("content-range", "bytes 0-1/2")],
            400,
            "invalid_request",
        ),
        ("DELETE", "/files", &[], 405, "method_not_allowed"),
        ("PATCH", "/files/a", &[], 405, "method_not_allowed"),
        ("PROPFIND", "/files/", &[], 405, "method_not_allowed"),
        ("POST", "/nothing", &[], 404, "not_found"),
        ("POST", "/images", &[], 404, "not_found"),
    ];
    for (method, path, headers, status, code) in rows {
        let answer = files.ask(method, path, headers, b"x");
        answer.refused(status, code);
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
    // Less than was announced: nothing is kept.
    let mut short = files.begin("POST", "/files", &[("content-length", "10")]);
    short.write_all(b"12345").unwrap();
    short.shutdown(Shutdown::Write).unwrap();
    assert_eq!(status_of(&mut short), 400);
    files.get(&sha256(b"12345")).refused(404, "no_such_file");
    // A method in a header means nothing here.
    let headers = [("x-http-method-override", "DELETE")];
    files.ask("POST", "/files", &headers, b"12345").ok(201);
}

#[test]
fn somebody_else_has_to_send_the_bytes() {
    let server = Setup::new(Kind::Whole, Db::Sqlite).start();
    let (ann, eve) = (server.newcomer("ann"), server.newcomer("eve"));
    let ann = server.files().with_token(&ann.token);
    let eve = server.files().with_token(&eve.token);
    let secret = content(5000, 9);
    let file = sha256(&secret);
    ann.post(&secret).ok(201);
    // The hash is not a key.
    eve.get(&file).refused(404, "no_such_file");
    let path = format!("/files?sha256={file}");
    let refused = eve.ask("POST", &path, &[], b"");
    refused.refused(422, "digest_mismatch");
    eve.get(&file).refused(404, "no_such_file");
    assert_eq!(eve.post(&secret).ok(201)["file"], file);
    stored(&eve, &file, &secret);
}

fn tokens(server: &mut Server) {
    let files = server.files();
    for wrong in ["nonsense", "v1.AAAA.AAAA"] {
        let refused = files.with_token(wrong).post(b"x");
        refused.refused(401, "unauthenticated");
        assert_eq!(refused.header("www-authenticate"), "Bearer");
    }
    let ann = server.newcomer("ann");
    files.with_token(&ann.token).post(b"x").ok(201);
}

#[test]
fn without_a_token_only_an_open_server_takes_files() {
    let server = Setup::new(Kind::Whole, Db::Sqlite).start();
    let stranger = server.files();
    stranger.post(b"x").refused(401, "unauthenticated");
    let length = [("upload-length", "1")];
    let refused = stranger.tus("POST", "/files/", &length, b"");
    refused.refused(401, "unauthenticated");
    stranger.get(&sha256(b"x")).refused(401, "unauthenticated");
    let ann = stranger.with_token(&server.newcomer("ann").token);
    ann.post(b"x").ok(201);
    let place = ann.create(1);
    let refused = stranger.patch(&place, 0, b"y");
    refused.refused(401, "unauthenticated");
    assert_eq!(ann.patch(&place, 0, b"y").status, 204);
}

#[test]
fn pages_of_the_same_host_may_upload_and_others_may_not() {
    let server = server_with(&[("--allowed-origins", "https://chat.example")]);
    let files = server.files();
    let own = format!("http://127.0.0.1:{}", server.chat.port());
    for origin in [own.as_str(), "https://chat.example"] {
        let answer = files.ask("POST", "/files", &[("origin", origin)], b"x");
        answer.ok(201);
        assert_eq!(answer.header("access-control-allow-origin"), origin);
        let exposed = answer.header("access-control-expose-headers");
        assert!(exposed.contains("upload-offset"), "{exposed}");
        let asks = [
            ("origin", origin),
            ("access-control-request-method", "PATCH"),
            ("access-control-request-headers", "tus-resumable"),
        ];
        let answer = files.ask("OPTIONS", "/files/uploads/x", &asks, b"");
        assert_eq!(answer.status, 200, "{answer}");
        let methods = answer.header("access-control-allow-methods");
        assert!(methods.contains("PATCH"), "{methods}");
        let headers = answer.header("access-control-allow-headers");
        assert!(headers.contains("tus-resumable"), "{headers}");
    }
    for origin in ["https://evil.example", "null"] {
        let answer = files.ask("POST", "/files", &[("origin", origin)], b"x");
        answer.refused(403, "foreign_origin");
        assert!(!answer.headers.contains_key("access-control-allow-origin"));
    }
}
