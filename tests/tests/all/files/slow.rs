//! Uploads that come too slowly are cut, with a sentence; what came is kept, and they go on from there.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use myim_tests::files::{Files, bytes_below, number, sha256};
use myim_tests::http::Answer;
use myim_tests::peer::PATIENCE;
use myim_tests::server::Server;
use myim_tests::transfer::content;
use serde_json::Value;

use super::{server_with, stored};

/// Between two slices of a slow sender.
const EVERY: Duration = Duration::from_millis(100);

const SIZE: usize = 100_000;

/// Sends slices of so many bytes, ten a second, until there is an answer or no slice is left. How
/// many bytes were sent, and the answer.
fn send_slowly(mut stream: TcpStream, bytes: &[u8], slice: usize) -> (usize, Answer) {
    let begin = Instant::now();
    let mut sent = 0;
    let mut answer = Vec::new();
    for slice in bytes.chunks(slice) {
        if stream.write_all(slice).is_err() {
            // It is closed; what it said before is here.
            break;
        }
        sent += slice.len();
        // Whoever waits for the answer sends the next slice when there is none in time.
        stream.set_read_timeout(Some(EVERY)).unwrap();
        let mut piece = [0; 4096];
        match stream.read(&mut piece) {
            Ok(count) => {
                answer.extend_from_slice(&piece[..count]);
                break;
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => panic!("no answer but {error} after {sent} bytes"),
        }
        assert!(begin.elapsed() < PATIENCE, "nobody cuts it");
    }
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    if let Err(error) = stream.read_to_end(&mut answer) {
        assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}");
    }
    (sent, Answer::read(&String::from_utf8(answer).unwrap()))
}

#[track_caller]
fn is_cut(answer: &Answer) -> Value {
    assert_eq!(answer.status, 408, "{answer:?}");
    let problem = answer.json();
    assert_eq!(problem["code"], "too_slow", "{problem}");
    problem
}

/// A server that waits for an upload so many seconds, and somebody who uploads.
fn server(grace_s: &str) -> (Server, Files) {
    let server = server_with(&[("--upload-grace-s", grace_s)]);
    let files = server.files().with_token(&server.newcomer("ann").token);
    (server, files)
}

/// Begins to add content, on a connection that ends with the answer.
fn begin(files: &Files, place: &str, offset: usize, length: usize) -> TcpStream {
    let (offset, length) = (offset.to_string(), length.to_string());
    let headers = [
        myim_tests::files::TUS,
        ("content-type", "application/offset+octet-stream"),
        ("upload-offset", offset.as_str()),
        ("content-length", length.as_str()),
        ("connection", "close"),
    ];
    files.begin("PATCH", place, &headers)
}

#[test]
fn a_slow_upload_is_cut_and_goes_on_where_it_was() {
    let (_server, ann) = server("1");
    let bytes = content(SIZE, 60);
    let place = ann.create(SIZE);
    let mut offset = 0;
    // Some hundred bytes a second, and then silence.
    for slice in [20, SIZE] {
        let length = match slice {
            SIZE => 700,
            _ => SIZE - offset,
        };
        let stream = begin(&ann, &place, offset, SIZE - offset);
        let (sent, answer) = send_slowly(stream, &bytes[offset..offset + length], slice);
        let problem = is_cut(&answer);
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("what came is kept"), "{problem}");
        let now = ann.offset(&place);
        let told = format!("upload-offset: {now}\r\n");
        assert!(answer.head.to_lowercase().contains(&told), "{answer:?}");
        // What was sent after it was cut is not kept.
        let most = offset + sent;
        assert!(
            (offset + slice.min(sent)..=most).contains(&now),
            "{now} of {most}"
        );
        offset = now;
    }
    assert!(
        offset < SIZE / 10,
        "{offset} bytes in a few seconds are not slow"
    );
    let done = ann.patch(&place, offset, &bytes[offset..]);
    assert_eq!(done.status, 204, "{done}");
    assert_eq!(number(&done, "upload-offset"), SIZE);
    assert_eq!(done.header("myim-file"), sha256(&bytes));
    stored(&ann, &sha256(&bytes), &bytes);
}

#[test]
fn a_slow_upload_that_cannot_be_resumed_leaves_nothing() {
    let (server, ann) = server("1");
    let bytes = content(SIZE, 61);
    let length = SIZE.to_string();
    let headers = [("content-length", length.as_str()), ("connection", "close")];
    let (_, answer) = send_slowly(ann.begin("POST", "/files", &headers), &bytes, 30);
    is_cut(&answer);
    ann.get(&sha256(&bytes)).refused(404, "no_such_file");
    assert!(server.stop()[0].success());
    let left = bytes_below(&server.setup().filecache().join("tmp"));
    assert_eq!(left, 0, "bytes that nobody can ask for");
}

/// Whoever is fast enough is not cut, though it takes longer than the time that may be lost.
#[test]
fn an_upload_that_is_fast_enough_is_not_cut() {
    let (_server, ann) = server("2");
    let bytes = content(SIZE / 5, 62);
    let place = ann.create(bytes.len());
    let begin_at = Instant::now();
    let stream = begin(&ann, &place, 0, bytes.len());
    let (sent, answer) = send_slowly(stream, &bytes, 600);
    let grace = Duration::from_secs(2);
    assert!(begin_at.elapsed() > grace, "it was too fast to tell");
    assert_eq!((sent, answer.status), (bytes.len(), 204), "{answer:?}");
    stored(&ann, &sha256(&bytes), &bytes);
}
