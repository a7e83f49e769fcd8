//! Many connections and many messages: the server's memory stays where it is.
//!
//! These take long and want a processor for themselves; the test runner runs one at a time.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use myim_tests::peer::{Nothing, Peer};
use myim_tests::person::{Heard, Person, befriend, message};
use myim_tests::server::{Db, Kind, Setup};
use myim_tests::wire::{Fields, Flavor, plain};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Lets this process, and the servers it starts, open as many files as the system allows.
pub(crate) fn open_many_files() {
    let limit = getrlimit(Resource::Nofile);
    let wanted = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, wanted).expect("up to the hard limit is always allowed");
}

#[test]
fn two_thousand_connections_that_say_nothing() {
    open_many_files();
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .chat_flag("--first-bytes-timeout-s", "5")
        .chat_flag("--greeting-per-address-max", "5000")
        .start();
    let (mut ann, mut bob) = server.friends();
    let before = server.program().resident_bytes();
    let started = Instant::now();
    let mut silent: Vec<_> = (0..2000).map(|_| server.peer(Flavor::Pc)).collect();
    let opened = started.elapsed();
    // They hinder neither those who are in nor those who come.
    ann.say(bob.id, "noisy here");
    bob.hears(&["noisy here"]);
    let mut cid = server.join("cid", Flavor::Pc);
    befriend(&mut cid, &mut bob);
    if opened < Duration::from_secs(4) {
        let grown = server.program().resident_bytes().saturating_sub(before);
        assert!(
            grown < 64 << 20,
            "2,000 silent connections took {grown} bytes"
        );
    }
    for peer in &mut silent {
        peer.closed();
    }
    ann.say(bob.id, "quiet again");
    bob.hears(&["quiet again"]);
}

#[test]
fn too_many_strangers_from_one_address() {
    open_many_files();
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .chat_flag("--greeting-per-address-max", "20")
        .start();
    let (mut ann, mut bob) = server.friends();
    let mut strangers: Vec<_> = (0..40).map(|_| server.peer(Flavor::Pc)).collect();
    let refused = strangers
        .iter_mut()
        .skip(20)
        .filter(|peer| {
            let stream: &TcpStream = peer.stream();
            stream
                .set_read_timeout(Some(Duration::from_secs(5)))
                .unwrap();
            matches!(
                std::io::Read::read(&mut &*stream, &mut [0; 1]),
                Ok(0) | Err(_)
            )
        })
        .count();
    assert_eq!(refused, 20, "those above the limit are closed at once");
    ann.say(bob.id, "still here");
    bob.hears(&["still here"]);
}

const SENDERS: i32 = 10;
const MESSAGES_EACH: i32 = 10_000;

/// Sends this many numbered messages in batches and waits for the server to have taken each.
fn send_numbered(sender: &mut Person, to: i32, numbers: std::ops::Range<i32>) {
    let numbers: Vec<_> = numbers.collect();
    for batch in numbers.chunks(200) {
        let mut bytes = Vec::new();
        for number in batch {
            let fields = Fields::chat(1100, *number, message(&number.to_string())).int(to);
            bytes.extend(plain(&fields.body()));
        }
        sender.send_raw(&bytes);
        sender.silent_but_notices();
    }
}

/// Checks that each sender's messages come in order, without a gap; repeats are counted.
#[derive(Debug)]
struct Tally {
    next: Vec<i32>,
    repeats: usize,
}

impl Tally {
    fn take(&mut self, heard: &Heard, first_sender: i32) {
        let sender = usize::try_from(heard.from - first_sender).unwrap();
        let number: i32 = heard.text().parse().unwrap();
        assert!(
            number <= self.next[sender],
            "a gap: {number} after {}",
            self.next[sender] - 1
        );
        if number == self.next[sender] {
            self.next[sender] += 1;
        } else {
            self.repeats += 1;
        }
    }

    fn complete(&self) -> bool {
        self.next.iter().all(|next| *next == MESSAGES_EACH)
    }
}

#[test]
fn a_receiver_that_never_reads_while_100_000_messages_are_sent() {
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .chat_flag("--write-stall-s", "2")
        .chat_flag("--rate-sends-per-s", "0")
        .start();
    let mut bob = server.join("bob", Flavor::Android);
    let mut senders: Vec<_> = (0..SENDERS)
        .map(|number| {
            let mut sender = server.join(&format!("sender{number}"), Flavor::Pc);
            befriend(&mut sender, &mut bob);
            sender
        })
        .collect();
    let (first, to) = (senders[0].id, bob.id);
    // A tenth first, so that caches are warm when memory is compared.
    let send = |senders: &mut Vec<Person>, range: std::ops::Range<i32>| {
        std::thread::scope(|scope| {
            for sender in senders {
                let range = range.clone();
                scope.spawn(move || send_numbered(sender, to, range));
            }
        });
    };
    send(&mut senders, 0..MESSAGES_EACH / 10);
    let warm = server.program().resident_bytes();
    send(&mut senders, MESSAGES_EACH / 10..MESSAGES_EACH);
    let grown = server.program().resident_bytes().saturating_sub(warm);
    assert!(grown < 64 << 20, "memory grew by {grown} bytes");

    // First what already lies in his machine's buffers, then the rest on a new connection.
    let mut tally = Tally {
        next: vec![0; senders.len()],
        repeats: 0,
    };
    loop {
        match bob.try_next(Duration::from_secs(10)) {
            Ok(packet) if packet.cmd == 1100 => tally.take(&Heard::read(&packet), first),
            Ok(_) => {}
            Err(Nothing::Closed) => break,
            Err(Nothing::TimedOut) => panic!("a stalled connection is closed, or goes on"),
        }
        if tally.complete() {
            break;
        }
    }
    let mut again = server.login("bob", Flavor::Android);
    while !tally.complete() {
        tally.take(&again.hear(), first);
    }
    let rest: &mut Peer = &mut again;
    for packet in rest.barrier() {
        if packet.cmd == 1100 {
            tally.take(&Heard::read(&packet), first);
        }
    }
    // What lay unread in his buffers may come again; what he has read may not be missing.
    println!("{} messages came twice", tally.repeats);
}
