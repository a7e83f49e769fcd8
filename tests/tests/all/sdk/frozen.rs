//! A server stands still under people on the SDK who go on writing, and goes on (`SIGSTOP`,
//! `SIGCONT`): from outside it is there, and says nothing.

use myim_tests::server::{Db, Kind, Setup};
use rustix::process::Signal;

use super::people::{People, accepted, sent, waiting};

/// How many messages each of them writes: more than they can while the server stands still.
const MESSAGES: u64 = 400;

#[test]
fn a_server_that_stands_still_costs_nobody_anything() {
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .open()
        .chat_flag("--heartbeat-s", "1")
        .start();
    let people = People::start(&server, 1, MESSAGES);

    // For a moment: what was sent meanwhile waits for it.
    people.report(20, sent);
    server.program().freeze();
    people.report(20, accepted);
    server.program().signal(Signal::CONT);
    people.report(20, sent);

    // Until everybody has given it up.
    server.program().freeze();
    people.report(1, waiting);
    server.program().signal(Signal::CONT);

    people.end();
}
