//! How a program ends that cannot do its work: the code for whoever started it, and one sentence
//! that says what to do.

use std::fs;

use myim_tests::process::{PROCESS_PATIENCE, Process};
use myim_tests::server::{Db, Kind, Server, Setup};
use rusqlite::Connection;

/// It ends with this code, having said these words, and was never ready.
#[track_caller]
fn ends(started: &Process, code: i32, words: &[&str]) {
    let status = started.wait(PROCESS_PATIENCE);
    assert_eq!(status.code(), Some(code), "{}", started.story());
    let (log, out) = (started.log(), started.output());
    for words in words {
        assert!(log.contains(words), "{words:?}: {}", started.story());
    }
    assert!(!log.contains("panicked"), "{}", started.story());
    assert!(!out.contains("ready "), "{}", started.story());
}

/// Starts it where it must not start.
#[track_caller]
fn cannot_start(setup: &Setup, code: i32, words: &[&str]) {
    ends(&setup.start_unready()[0], code, words);
}

#[test]
fn another_server_has_the_database() {
    let server = Server::sqlite();
    cannot_start(server.setup(), 75, &["myim.db", "in use by another server"]);
    server.newcomer("ann");
}

#[test]
fn a_newer_program_made_the_database() {
    let mut server = Server::sqlite();
    let ann = server.newcomer("ann");
    server.stop();
    let database = server.setup().data_dir().join("myim.db");
    let run = |sql: &str| {
        Connection::open(&database)
            .unwrap()
            .execute_batch(sql)
            .unwrap()
    };
    run("INSERT INTO t_schema_version (n, sha256, at) VALUES (9999, 'x', 0)");
    cannot_start(server.setup(), 78, &["9999", "use the newer program"]);
    let told = server.admin(&["user", "list"]);
    assert_eq!(told.code, 78, "{told:?}");
    assert!(told.err.contains("use the newer program"), "{told:?}");
    // Nothing was changed.
    run("DELETE FROM t_schema_version WHERE n = 9999");
    server.again();
    ann.get("/me").ok(200);
}

#[test]
fn what_is_no_database_is_not_touched() {
    let setup = Setup::new(Kind::Whole, Db::Sqlite);
    fs::create_dir(setup.data_dir()).unwrap();
    let database = setup.data_dir().join("myim.db");
    let letter = "Dear server, this is no database. ".repeat(100);
    fs::write(&database, &letter).unwrap();
    cannot_start(&setup, 78, &["myim.db", "restore it from a backup"]);
    assert_eq!(fs::read_to_string(&database).unwrap(), letter);
}

#[test]
fn the_data_directory_cannot_be_made() {
    let setup = Setup::new(Kind::Whole, Db::Sqlite);
    fs::write(setup.data_dir(), "in the way").unwrap();
    cannot_start(&setup, 74, &["data directory", "--data-dir"]);
}

#[test]
fn the_file_cache_cannot_be_made() {
    let setup = Setup::new(Kind::Whole, Db::Sqlite);
    fs::write(setup.filecache(), "in the way").unwrap();
    cannot_start(&setup, 74, &["filecache", "--filecache"]);
}

#[test]
fn a_port_is_taken() {
    let server = Server::sqlite();
    let other = Setup::new(Kind::Whole, Db::Sqlite);
    let second = Process::spawn(&mut other.whole([server.chat.port(), 0, 0]));
    ends(&second, 74, &["--chat-port"]);
}

#[test]
fn a_setting_is_wrong() {
    let setup = Setup::new(Kind::Whole, Db::Sqlite).chat_flag("--drain-s", "soon");
    cannot_start(&setup, 64, &["--drain-s"]);
}

#[test]
fn as_asked() {
    let server = Server::sqlite();
    assert_eq!(server.stop()[0].code(), Some(0));
}
