//! Frames without an end that each are allowed: the connection is cut, and says why.

use std::io::Write;
use std::time::Instant;

use myim_tests::process::PROCESS_PATIENCE;
use myim_tests::server::{Db, Kind, Server, Setup};

use super::{OUR_PROTOCOL, PING, PONG, close_code, connect, frame, hello};
use crate::bad_inputs::watch::Watch;

/// Our own close code for what comes too fast.
const RATE_LIMITED: u16 = 4008;
/// The close code for who is not there any more.
const SILENT: u16 = 1001;

#[test]
fn a_million_empty_pieces_are_a_message_that_says_nothing() {
    let server = Server::sqlite();
    let mut watch = Watch::new(&server);
    let mut stream = connect(&server);
    stream
        .write_all(&hello(&server.newcomer("ann").token))
        .unwrap();
    stream.write_all(&frame(0x01, b"")).unwrap();
    let pieces = frame(0x00, b"").repeat(10_000);
    for _ in 0..100 {
        stream.write_all(&pieces).unwrap();
    }
    watch.held("54 while they come");
    stream.write_all(&frame(0x80, b"")).unwrap();
    assert_eq!(close_code(&mut stream), Some(OUR_PROTOCOL));
    watch.held("54 empty pieces");
}

#[test]
fn empty_pieces_without_an_end_say_nothing() {
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .open()
        .chat_flag("--heartbeat-s", "1")
        .start();
    let mut stream = connect(&server);
    stream
        .write_all(&hello(&server.newcomer("ann").token))
        .unwrap();
    stream.write_all(&frame(0x01, b"")).unwrap();
    // Until the server hangs up.
    let pieces = frame(0x00, b"").repeat(1_000);
    let deadline = Instant::now() + PROCESS_PATIENCE;
    while stream.write_all(&pieces).is_ok() {
        assert!(Instant::now() < deadline, "they come for ever");
    }
    assert_eq!(close_code(&mut stream), Some(SILENT));
}

#[test]
fn pings_and_pongs_that_come_too_fast() {
    let server = Server::sqlite();
    let mut watch = Watch::new(&server);
    let hello = hello(&server.newcomer("ann").token);
    for (what, first) in [("pings", PING), ("pongs", PONG)] {
        let flood = frame(first, b"x").repeat(1_000);
        let mut stream = connect(&server);
        stream.write_all(&hello).unwrap();
        stream.write_all(&flood).unwrap();
        assert_eq!(close_code(&mut stream), Some(RATE_LIMITED), "57 {what}");
        // A stranger has even less to ask.
        let mut stream = connect(&server);
        stream.write_all(&flood).unwrap();
        assert_eq!(
            close_code(&mut stream),
            Some(RATE_LIMITED),
            "57 {what} of a stranger"
        );
        watch.held(what);
    }
}
