//! Nobody takes what the server logs: it goes on without a log.

use std::fs::OpenOptions;
use std::path::Path;

use myim_tests::http::get;
use myim_tests::server::{Db, Kind, Server, Setup};
use myim_tests::wire::Flavor;
use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::is_ready_again;

/// A server that says everything that it has to say, to this file.
fn logs_to(file: &Path, setup: Setup) -> Server {
    let file = file.to_string_lossy();
    setup
        .open()
        .chat_flag("--log", "debug")
        .wrapped(&["sh", "-c", "exec \"$@\" 2>\"$0\"", &file])
        .start()
}

/// Everybody is served, and the server ends in order.
fn goes_on(server: &Server) {
    let (ann, bob) = server.acquainted();
    let conversation = ann.direct(&bob.user_id);
    let mut hearing = bob.connect();
    ann.connect().say(&conversation, "does anybody listen?");
    hearing.hears(&conversation, &["does anybody listen?"]);
    server.join("old", Flavor::Pc).barrier();
    let files = server.files().with_token(&ann.token);
    files.post(b"a file").ok(201);
    is_ready_again(server);
    assert_eq!(get(server.admin[0], "/metrics").status, 200);
    assert!(server.stop()[0].success());
}

#[test]
fn whoever_read_the_log_is_gone() {
    let setup = Setup::new(Kind::Whole, Db::Sqlite);
    let pipe = setup.directory().join("log");
    mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    // Open for both, so that opening it waits for nobody.
    let reader = OpenOptions::new().read(true).write(true).open(&pipe);
    let server = logs_to(&pipe, setup);
    drop(reader.unwrap());
    goes_on(&server);
}

#[test]
fn the_disk_of_the_log_is_full() {
    let server = logs_to(Path::new("/dev/full"), Setup::new(Kind::Whole, Db::Sqlite));
    goes_on(&server);
}
