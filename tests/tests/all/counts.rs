//! What a message and a connection cost, in counts that do not depend on the mood of the machine: they
//! are held against `counts.txt`, which says what is counted.
//!
//! The messages come one after the other, so that there is nothing to batch and each pays for
//! everything. Time shows only where the server does something by the clock, like indexing what was
//! written; so what belongs to a commit is counted for each sync, of which a commit makes one.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use myim_tests::api_person::ApiPerson;
use myim_tests::machine::{Need, program_or_skip};
use myim_tests::process::{PROCESS_PATIENCE, Process};
use myim_tests::server::{Db, Kind, Server, Setup};
use rustix::process::Signal;
use tempfile::TempDir;

const TABLE: &str = include_str!("counts.txt");

const MESSAGES_FIRST: u32 = 20;
const MESSAGES: u32 = 100;
/// Each has so many devices on line; the connections of the first ones are not counted.
const ACCOUNTS: usize = 40;
const ACCOUNTS_FIRST: usize = 20;
const DEVICES: usize = 20;

/// Calls of the kernel that are counted together.
const READS: &[&str] = &["recvfrom", "recvmsg", "readv"];
const SENDS: &[&str] = &["sendto", "sendmsg", "writev"];
const LOOKS: &[&str] = &["ioctl", "getsockopt"];
const WAKES: &[&str] = &["futex", "epoll_wait", "epoll_pwait", "write", "read"];
const SYNCS: &[&str] = &["fsync", "fdatasync"];
const FILE_WRITES: &[&str] = &["pwrite64"];
const LOCKS: &[&str] = &["fcntl"];

/// How often the server makes each call of the kernel while something happens.
fn calls(server: &Server, happens: impl FnOnce()) -> Option<BTreeMap<String, u32>> {
    let strace = program_or_skip(Need::Strace, "how often a message calls the kernel")?;
    let folder = TempDir::with_prefix("myim-counts-").unwrap();
    let summary = folder.path().join("summary");
    let mut command = Command::new(strace);
    command.args(["-f", "-c", "-U", "name,calls", "-p"]);
    command.arg(server.program().pid().to_string());
    command.arg("-o").arg(&summary);
    let tracer = Process::spawn(&mut command);
    tracer.wait_for_log("attached");
    happens();
    tracer.signal(Signal::INT);
    tracer.wait(PROCESS_PATIENCE);
    let summary = fs::read_to_string(summary).unwrap();
    let line = |line: &str| {
        let (name, count) = line.trim().split_once(char::is_whitespace)?;
        Some((name.to_owned(), count.trim().parse().ok()?))
    };
    Some(summary.lines().filter_map(line).collect())
}

/// Holds what was counted against the lines of the table that begin with this word.
fn hold_against_table(who: &str, counted: &[(&str, f64)]) {
    let (mut told, mut is_right) = (String::new(), true);
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    let mut expected: BTreeMap<&str, (f64, f64)> = lines
        .filter_map(|line| {
            let mut cells = line.split('|').map(str::trim);
            let what = cells.next()?.strip_prefix(who)?.trim();
            let mut number = || cells.next()?.parse().ok();
            Some((what, (number()?, number()?)))
        })
        .collect();
    for (what, count) in counted {
        let found = expected.remove(what);
        let is_as_expected = found.is_some_and(|(expected, off)| (count - expected).abs() <= off);
        is_right &= is_as_expected;
        let verdict = if is_as_expected {
            ""
        } else {
            ", which is wrong"
        };
        let _ = writeln!(
            told,
            "{who} {what}: {count:.2}, expected {found:?}{verdict}"
        );
    }
    eprint!("{told}");
    assert!(expected.is_empty(), "never counted: {expected:?}");
    assert!(is_right, "not what counts.txt says\n{told}");
}

fn of_messages(calls: &BTreeMap<String, u32>) -> Vec<(&'static str, f64)> {
    let sum = |names: &[&str]| -> f64 {
        let counts = names.iter().filter_map(|name| calls.get(*name));
        counts.sum::<u32>().into()
    };
    let messages = f64::from(MESSAGES);
    let syncs = sum(SYNCS);
    vec![
        ("reads a message", sum(READS) / messages),
        ("sends a message", sum(SENDS) / messages),
        ("looks a message", sum(LOOKS) / messages),
        ("random numbers a message", sum(&["getrandom"]) / messages),
        ("wakes a message", sum(WAKES) / messages),
        ("syncs a message", syncs / messages),
        ("fsyncs a message", sum(&["fsync"]) / messages),
        ("file writes a sync", sum(FILE_WRITES) / syncs),
        ("locks a sync", sum(LOCKS) / syncs),
    ]
}

#[test]
fn calls_of_a_message_over_the_web_socket() {
    let server = Setup::new(Kind::Whole, Db::Sqlite).start();
    let (ann, bob) = server.acquainted();
    let direct = ann.direct(&bob.user_id);
    let (mut ann, mut bob) = (ann.connect(), bob.connect());
    let mut talk = |messages: u32| {
        for _ in 0..messages {
            ann.say(&direct, "Lunch at noon?");
            bob.hears(&direct, &["Lunch at noon?"]);
        }
    };
    talk(MESSAGES_FIRST);
    if let Some(calls) = calls(&server, || talk(MESSAGES)) {
        hold_against_table("web-socket", &of_messages(&calls));
    }
}

#[test]
fn calls_of_a_message_over_flamingo() {
    let server = Setup::new(Kind::Whole, Db::Sqlite).start();
    let (mut ann, mut bob) = server.friends();
    let mut talk = |messages: u32| {
        for _ in 0..messages {
            ann.say(bob.id, "Lunch at noon?");
            bob.hears(&["Lunch at noon?"]);
        }
    };
    talk(MESSAGES_FIRST);
    if let Some(calls) = calls(&server, || talk(MESSAGES)) {
        hold_against_table("flamingo", &of_messages(&calls));
    }
}

/// How much the server grows with each connection that an account brings.
fn bytes_a_connection<C>(server: &Server, bring: impl FnMut(usize) -> Vec<C>) -> f64 {
    let mut accounts = (0..ACCOUNTS).map(bring);
    let first: Vec<Vec<C>> = accounts.by_ref().take(ACCOUNTS_FIRST).collect();
    let before = server.program().resident_bytes();
    let rest: Vec<Vec<C>> = accounts.collect();
    let grown = server.program().resident_bytes().saturating_sub(before);
    drop(first);
    let connections: usize = rest.iter().map(Vec::len).sum();
    let count = |number: u64| f64::from(u32::try_from(number).unwrap());
    count(grown) / count(u64::try_from(connections).unwrap())
}

#[test]
fn bytes_of_a_connection_over_the_web_socket() {
    let server = Setup::new(Kind::Whole, Db::Sqlite).start();
    let bytes = bytes_a_connection(&server, |number| {
        let name = format!("person{number}");
        server.sign_up(&name);
        let devices = (0..DEVICES).map(|device| server.sign_in(&name, &format!("device {device}")));
        devices.map(|device: ApiPerson| device.connect()).collect()
    });
    hold_against_table("idle web-socket", &[("bytes", bytes)]);
}
