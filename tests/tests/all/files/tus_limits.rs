//! What tus clients do wrong, row by row, and what two of them do to one upload.

use std::io::Write;
use std::net::Shutdown;
use std::time::Instant;

use myim_tests::api::Answer;
use myim_tests::files::{Files, number, sha256, status_of};
use myim_tests::peer::PATIENCE;
use myim_tests::server::Server;
use myim_tests::transfer::content;

use super::{server_with, stored};

tests! {
    sqlite: row_87_the_version, row_88_the_offset, row_89_the_kind, row_91_more_than_announced,
        row_96_the_newer_comes_first, a_head_saves_what_came, a_broken_connection_keeps_what_came,
        a_broken_checksummed_piece_is_thrown_away, a_piece_of_unknown_length;
    mariadb: row_96_the_newer_comes_first,
}

fn ann(server: &Server) -> Files {
    server.files().with_token(&server.newcomer("ann").token)
}

fn row_87_the_version(server: &mut Server) {
    let files = server.files();
    let place = files.create(3);
    let length = ("upload-length", "3");
    let requests = [
        ("POST", "/files/", vec![length]),
        ("HEAD", &place, vec![]),
        ("PATCH", &place, vec![("upload-offset", "0")]),
        ("DELETE", &place, vec![]),
    ];
    for (method, path, headers) in requests {
        for version in [None, Some("0.2.2"), Some("1"), Some("")] {
            let version = version.map(|version| ("tus-resumable", version));
            let headers: Vec<_> = headers.iter().copied().chain(version).collect();
            let answer = files.ask(method, path, &headers, b"");
            assert_eq!(answer.status, 412, "{version:?} {answer}");
            assert_eq!(answer.header("tus-version"), "1.0.0");
            assert_eq!(answer.header("tus-resumable"), "1.0.0");
        }
    }
    assert_eq!(files.offset(&place), 0);
}

fn row_88_the_offset(server: &mut Server) {
    let files = server.files();
    let place = files.create(10);
    assert_eq!(files.patch(&place, 0, b"123").status, 204);
    for wrong in [0, 2, 4, 10, 11] {
        let refused = files.patch(&place, wrong, b"4");
        refused.refused(409, "wrong_offset");
        assert_eq!(number(&refused, "upload-offset"), 3);
    }
    let kind = ("content-type", "application/offset+octet-stream");
    for offset in [
        None,
        Some("1e3"),
        Some("-1"),
        Some("abc"),
        Some(""),
        Some("3.0"),
    ] {
        let offset = offset.map(|offset| ("upload-offset", offset));
        let headers: Vec<_> = [kind].into_iter().chain(offset).collect();
        let refused = files.tus("PATCH", &place, &headers, b"4");
        refused.refused(400, "invalid_request");
    }
    assert_eq!(files.offset(&place), 3);
}

fn row_89_the_kind(server: &mut Server) {
    let files = server.files();
    let place = files.create(3);
    for kind in [
        None,
        Some("application/octet-stream"),
        Some("text/plain"),
        Some(""),
    ] {
        let kind = kind.map(|kind| ("content-type", kind));
        let headers: Vec<_> = [("upload-offset", "0")].into_iter().chain(kind).collect();
        let refused = files.tus("PATCH", &place, &headers, b"abc");
        refused.refused(415, "unsupported_media_type");
    }
    assert_eq!(files.offset(&place), 0);
}

#[test]
fn row_90_the_length() {
    let server = server_with(&[("--upload-bytes-max", "1000")]);
    let files = server.files();
    let create = |headers: &[(&str, &str)]| files.tus("POST", "/files/", headers, b"");
    for wrong in [
        "-1",
        "abc",
        "18446744073709551616",
        "1e3",
        "",
        "0x10",
        "1,1",
    ] {
        create(&[("upload-length", wrong)]).refused(400, "invalid_request");
    }
    for large in ["1001", "18446744073709551615"] {
        create(&[("upload-length", large)]).refused(413, "file_too_large");
    }
    let defer = |value| ("upload-defer-length", value);
    create(&[("upload-length", "1"), defer("1")]).refused(400, "invalid_request");
    for wrong in ["0", "2", "true", ""] {
        create(&[defer(wrong)]).refused(400, "invalid_request");
    }
    create(&[("upload-concat", "partial")]).refused(400, "invalid_request");
    assert_eq!(files.create(1000), files_path(&files, &server));
}

/// The one upload that is there.
fn files_path(files: &Files, server: &Server) -> String {
    let folder = server.setup().filecache().join("uploads");
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.contains('.'))
        .collect();
    assert_eq!(names.len(), 1, "{names:?}");
    format!("{}/uploads/{}", files.prefix, names.remove(0))
}

fn row_91_more_than_announced(server: &mut Server) {
    let files = server.files();
    let place = files.create(10);
    assert_eq!(files.patch(&place, 0, b"12345").status, 204);
    // It says so beforehand: nothing is taken.
    let refused = files.patch(&place, 5, b"678901");
    refused.refused(413, "too_much_content");
    assert_eq!(files.offset(&place), 5);
    // It does not: what was announced is taken.
    let place = files.create(10);
    let mut stream = files.begin(
        "PATCH",
        &place,
        &[
            ("tus-resumable", "1.0.0"),
            ("content-type", "application/offset+octet-stream"),
            ("upload-offset", "0"),
            ("transfer-encoding", "chunked"),
        ],
    );
    stream.write_all(b"c\r\n123456789012\r\n0\r\n\r\n").unwrap();
    assert_eq!(status_of(&mut stream), 413);
    let told = files.head(&place);
    assert_eq!(number(&told, "upload-offset"), 10);
    assert_eq!(told.header("myim-file"), sha256(b"1234567890"));
}

fn row_96_the_newer_comes_first(server: &mut Server) {
    let ann = ann(server);
    let bytes = content(400_000, 1);
    let place = ann.create(bytes.len());
    // This client lost its connection, but the server does not know.
    let mut old = ann.begin_patch(&place, 0, bytes.len());
    old.write_all(&bytes[..200_000]).unwrap();
    until_here(server, &place, 1);
    let offset = ann.offset(&place);
    assert!((1..=200_000).contains(&offset));
    assert_eq!(status_of(&mut old), 423);
    let mut older = ann.begin_patch(&place, offset, bytes.len() - offset);
    older.write_all(&bytes[offset..offset + 150_000]).unwrap();
    until_here(server, &place, offset + 1);
    // The newer one does not know how far the older one came.
    let answer = resume(&ann, &place, offset, &bytes);
    assert_eq!(status_of(&mut older), 423);
    assert_eq!(answer.header("myim-file"), sha256(&bytes));
    stored(&ann, &sha256(&bytes), &bytes);
}

fn a_head_saves_what_came(server: &mut Server) {
    let ann = ann(server);
    let place = ann.create(1000);
    let mut old = ann.begin_patch(&place, 0, 1000);
    old.write_all(&[7; 300]).unwrap();
    until("what came is kept", || match ann.head(&place) {
        answer if number(&answer, "upload-offset") == 300 => true,
        answer if number(&answer, "upload-offset") == 0 => {
            // It came before the content did.
            old = ann.begin_patch(&place, 0, 1000);
            old.write_all(&[7; 300]).unwrap();
            false
        }
        answer => panic!("{answer}"),
    });
    // Somebody else's question interrupts nobody.
    let mut running = ann.begin_patch(&place, 300, 700);
    running.write_all(&[7; 100]).unwrap();
    let eve = server.files().with_token(&server.newcomer("eve").token);
    assert_eq!(eve.head(&place).status, 404);
    running.write_all(&[7; 600]).unwrap();
    assert_eq!(status_of(&mut running), 204);
}

fn a_broken_connection_keeps_what_came(server: &mut Server) {
    let ann = ann(server);
    let bytes = content(300_000, 3);
    for resets in [false, true] {
        let place = ann.create(bytes.len());
        let mut stream = ann.begin_patch(&place, 0, bytes.len());
        stream.write_all(&bytes[..250_000]).unwrap();
        until_here(server, &place, 1);
        if resets {
            let linger = Some(std::time::Duration::ZERO);
            set_linger(&stream, linger);
            drop(stream);
        } else {
            stream.shutdown(Shutdown::Write).unwrap();
            assert_eq!(status_of(&mut stream), 400);
        }
        let offset = ann.offset(&place);
        assert!(offset <= 250_000);
        assert!(resets || offset == 250_000, "{offset}");
        let answer = resume(&ann, &place, offset, &bytes);
        assert_eq!(answer.header("myim-file"), sha256(&bytes));
    }
}

fn set_linger(stream: &std::net::TcpStream, linger: Option<std::time::Duration>) {
    rustix::net::sockopt::set_socket_linger(stream, linger).unwrap();
}

fn a_broken_checksummed_piece_is_thrown_away(server: &mut Server) {
    let ann = ann(server);
    let place = ann.create(20);
    ann.patch(&place, 0, b"12345");
    let headers = [
        ("tus-resumable", "1.0.0"),
        ("content-type", "application/offset+octet-stream"),
        ("upload-offset", "5"),
        ("upload-checksum", "sha1 Lve95gjOVATpfV8EL5X4nxwjKHE="),
        ("content-length", "12"),
    ];
    let mut stream = ann.begin("PATCH", &place, &headers);
    stream.write_all(b"Hello W").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(status_of(&mut stream), 400);
    assert_eq!(ann.offset(&place), 5);
}

fn a_piece_of_unknown_length(server: &mut Server) {
    let ann = ann(server);
    let place = ann.create(11);
    let mut stream = ann.begin(
        "PATCH",
        &place,
        &[
            ("tus-resumable", "1.0.0"),
            ("content-type", "application/offset+octet-stream"),
            ("upload-offset", "0"),
            ("transfer-encoding", "chunked"),
        ],
    );
    for piece in ["5\r\nhello\r\n", "6\r\n world\r\n", "0\r\n\r\n"] {
        stream.write_all(piece.as_bytes()).unwrap();
    }
    assert_eq!(status_of(&mut stream), 204);
    stored(&ann, &sha256(b"hello world"), b"hello world");
}

#[test]
fn row_94_an_expired_upload_is_gone() {
    let mut server = server_with(&[("--upload-expiry-h", "1")]);
    let files = server.files();
    let (old, fresh) = (files.create(10), files.create(10));
    for place in [&old, &fresh] {
        assert_eq!(files.patch(place, 0, b"12345").status, 204);
    }
    let id = old.rsplit('/').next().unwrap();
    let folder = server.setup().filecache().join("uploads");
    let an_hour = std::time::Duration::from_secs(3601);
    for name in [id.to_owned(), format!("{id}.json")] {
        let file = std::fs::File::options().write(true).open(folder.join(name));
        let file = file.unwrap();
        let changed = file.metadata().unwrap().modified().unwrap();
        file.set_modified(changed - an_hour).unwrap();
    }
    // Until it is cleared away, which the look after the start may still do on a busy machine.
    let gone = |answer: &Answer| assert!([410, 404].contains(&answer.status), "{answer}");
    gone(&files.head(&old));
    let late = files.patch(&old, 5, b"6");
    if late.status != 404 {
        late.refused(410, "upload_expired");
    }
    assert_eq!(files.offset(&fresh), 5);
    // The next start, and every hour, clears it away.
    server.crash();
    until("it is cleared away", || files.head(&old).status == 404);
    assert!(!folder.join(id).exists());
    assert_eq!(files.offset(&fresh), 5);
    let answer = files.patch(&fresh, 5, b"67890");
    assert_eq!(answer.header("myim-file"), sha256(b"1234567890"));
}

/// Goes on at `offset`, or where the server says.
fn resume(files: &Files, place: &str, mut offset: usize, bytes: &[u8]) -> Answer {
    loop {
        let answer = files.patch(place, offset, &bytes[offset..]);
        if answer.status != 409 {
            assert_eq!(answer.status, 204, "{answer}");
            return answer;
        }
        offset = number(&answer, "upload-offset");
    }
}

/// Waits until so much of an upload is on the disk.
fn until_here(server: &Server, place: &str, bytes: usize) {
    let id = place.rsplit('/').next().unwrap();
    let path = server.setup().filecache().join("uploads").join(id);
    let bytes = u64::try_from(bytes).unwrap();
    until("the content comes", || {
        std::fs::metadata(&path).unwrap().len() >= bytes
    });
}

/// Asks until it is so.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
    }
}
