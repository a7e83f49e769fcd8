//! A server whose system gives it no more descriptors: it goes on with those who are there, and takes
//! new ones as soon as it can.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use myim_tests::http::{connect, get};
use myim_tests::server::{Db, Kind, Server, Setup};
use rustix::process::{Pid, Resource, Rlimit, prlimit};

/// Few for a server, and more than it needs for itself.
const DESCRIPTORS: &str = "--nofile=160:160";
/// More than it can have.
const CONNECTIONS: usize = 200;
/// What is said while there are no descriptors.
const WORDS: usize = 200;
/// A loop that does not wait fails far more often.
const FAILURES_MAX: f64 = 1000.0;

/// Asks on a connection that stays open; the status, or nothing if the server closed it.
fn ask(stream: &mut TcpStream, head: &str, body: &[u8]) -> Option<u16> {
    // A closed connection may take what is written, or not.
    let _taken = stream.write_all(head.as_bytes());
    let _taken = stream.write_all(body);
    answered(stream)
}

/// Reads an answer to its end.
fn answered(stream: &mut TcpStream) -> Option<u16> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).ok()?.to_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length = length.map_or(0, |length| length.parse().unwrap());
    stream.read_exact(&mut vec![0; length]).ok()?;
    head.split(' ').nth(1)?.parse().ok()
}

const LOOK: &str = "GET /api/v1/server HTTP/1.1\r\nHost: localhost\r\n\r\n";

fn look(stream: &mut TcpStream) -> Option<u16> {
    ask(stream, LOOK, b"")
}

#[test]
fn more_connections_than_descriptors() {
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .open()
        .wrapped(&["prlimit", DESCRIPTORS])
        .start();
    let (ann, bob) = server.acquainted();
    let conversation = ann.direct(&bob.user_id);
    let mut device = ann.connect();
    let mut hearing = bob.connect();
    let mut all: Vec<_> = (0..CONNECTIONS).map(|_| connect(server.chat)).collect();
    let answers: Vec<_> = all.iter_mut().map(look).collect();
    let served = answers.iter().flatten().count();
    assert!(served > 0 && served < CONNECTIONS, "{served}");
    assert!(
        answers.iter().flatten().all(|status| *status == 200),
        "{answers:?}"
    );
    server.logged("limit reached");
    // Those who are there notice nothing, and there is a way in for files and for the operator.
    device.say(&conversation, "still here");
    hearing.hears(&conversation, &["still here"]);
    assert_eq!(get(server.admin[0], "/readyz").status, 200);
    server
        .files()
        .with_token(&ann.token)
        .post(b"a file")
        .ok(201);
    server.admin(&["log", "verify"]).ok();
    drop(all);
    // As soon as they are gone.
    while look(&mut connect(server.chat)).is_none() {}
}

/// From now on it may have so many; how many it could have before.
fn limit(server: &Server, current: Option<u64>) -> Option<u64> {
    let before = {
        let pid = Pid::from_raw(server.program().pid());
        let maximum = rustix::process::getrlimit(Resource::Nofile).maximum;
        prlimit(pid, Resource::Nofile, Rlimit { current, maximum })
    };
    before.unwrap().current
}

fn failures(admin: SocketAddr) -> f64 {
    let metrics = get(admin, "/metrics");
    let line = metrics.body.lines();
    let mut line =
        line.filter_map(|line| line.strip_prefix("myim_accepts_total{result=\"failed\"} "));
    line.next().map_or(0.0, |count| count.parse().unwrap())
}

#[test]
fn no_descriptors_at_all() {
    let server = Setup::new(Kind::Whole, Db::Sqlite).open().start();
    let (ann, bob) = server.acquainted();
    let conversation = ann.direct(&bob.user_id);
    let mut device = ann.connect();
    let mut hearing = bob.connect();
    device.say(&conversation, "before");
    hearing.hears(&conversation, &["before"]);
    // A connection for files is there, and the file that it will need is not.
    let mut files = connect(server.file);
    let upload = |content: &str| {
        format!(
            "POST /files HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
             Content-Length: {}\r\n\r\n{content}",
            ann.token,
            content.len()
        )
    };
    assert_eq!(ask(&mut files, &upload("before"), b""), Some(201));

    // What is open stays open.
    let before = limit(&server, Some(0));
    let mut waiting = connect(server.chat);
    waiting.write_all(LOOK.as_bytes()).unwrap();
    server.logged("cannot accept connections");
    for number in 0..WORDS {
        let words = format!("word {number}");
        device.say(&conversation, &words);
        hearing.hears(&conversation, &[words.as_str()]);
    }
    assert_eq!(ask(&mut files, &upload("after"), b""), Some(503));
    limit(&server, before);
    // Whoever waited is served, and nobody was hurt.
    assert_eq!(answered(&mut waiting), Some(200));
    let failed = failures(server.admin[0]);
    assert!((1.0..FAILURES_MAX).contains(&failed), "{failed}");
    let files = server.files().with_token(&ann.token);
    files.post(b"after").ok(201);
    server.admin(&["log", "verify"]).ok();
    assert!(!server.program().log().contains("panicked"));
}
