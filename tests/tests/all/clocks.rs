//! Clocks that are wrong: the server's jumps for days, forwards and back, and clients have others.
//! Nothing is lost, nothing stands in another order, and nobody is locked out because of it.

use std::fs;
use std::path::PathBuf;

use myim_tests::api_person::{ApiPerson, said, segments, seq, text, try_sign_in};
use myim_tests::http;
use myim_tests::machine::fake_time_or_skip;
use myim_tests::person::befriend;
use myim_tests::server::{Db, Kind, Setup};
use myim_tests::wire::Flavor;
use serde_json::json;

/// A clock that the test sets.
struct Clock {
    file: PathBuf,
}

impl Clock {
    /// By how much it is wrong, like `+30d`.
    fn set(&self, shift: &str) {
        // Whole at any time: the server may look in between.
        let half = self.file.with_extension("half");
        fs::write(&half, shift).unwrap();
        fs::rename(&half, &self.file).unwrap();
    }
}

/// A server whose clock is the test's; nothing where this machine has no such clocks.
fn with_clock(db: Db) -> Option<(Setup, Clock)> {
    let library = fake_time_or_skip()?;
    let setup = Setup::new(Kind::Whole, db).open().wait_for_database();
    let clock = Clock {
        file: setup.directory().join("clock"),
    };
    clock.set("+0");
    let setup = setup
        .variable("LD_PRELOAD", &library.to_string_lossy())
        .variable("FAKETIME_TIMESTAMP_FILE", &clock.file.to_string_lossy())
        .variable("FAKETIME_NO_CACHE", "1")
        // As on a machine whose clock is set: what measures how long something takes goes on.
        .variable("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .variable("DONT_FAKE_MONOTONIC", "1");
    Some((setup, clock))
}

/// The year and the day on which the server is, as it says itself.
fn today(address: std::net::SocketAddr) -> String {
    let answer = http::get(address, "/api/v1/server");
    let head = answer.head.to_lowercase();
    let date = head.lines().find_map(|line| line.strip_prefix("date: "));
    date.expect("every answer has a date").to_owned()
}

fn nothing_is_lost_when_the_clock_jumps(db: Db) {
    let Some((setup, clock)) = with_clock(db) else {
        return;
    };
    let mut server = setup.start();
    let (ann, bob) = server.acquainted();
    let direct = ann.direct(&bob.user_id);
    let mut old = server.join("old", Flavor::Pc);
    let mut friend = server.join("friend", Flavor::Android);
    befriend(&mut old, &mut friend);
    let mut phone = bob.connect();
    let (mut places, mut told) = (Vec::new(), Vec::new());
    let before = today(server.chat);
    for (number, shift) in ["+0", "+29d", "-1d", "+1", "-400d", "+20d", "+0"]
        .iter()
        .enumerate()
    {
        clock.set(shift);
        for what in ["first", "second"] {
            let client_id = format!("{number}-{what}");
            let words = format!("{what} at {shift}");
            let place = ann.say(&direct, &client_id, &words);
            // Sending it again later is sending it again.
            clock.set("-3d");
            let again = ann.try_say(&direct, &client_id, &words).ok(200);
            assert_eq!(seq(&again), place, "{shift}");
            clock.set(shift);
            phone.hears(&direct, &[words.as_str()]);
            places.push(place);
            told.push(words);
        }
        phone.ack_all();
        old.say(friend.id, shift);
        friend.hears(&[shift]);
        // Whoever is signed in stays so, and whoever was not may sign in.
        bob.get("/me").ok(200);
        server.sign_in("ann", &format!("device {number}"));
        assert_eq!(http::get(server.admin[0], "/readyz").status, 200, "{shift}");
        if *shift == "-400d" {
            assert_ne!(today(server.chat), before, "the clock is not the test's");
            // Also when it starts with that clock.
            let held = phone.leave();
            server.crash();
            server.program().wait_for_log("database open");
            phone = bob.connect();
            phone.resume(held, true);
            old = server.login("old", Flavor::Pc);
            friend = server.login("friend", Flavor::Android);
            old.forget();
            friend.digest();
            friend.forget();
        }
    }
    assert!(
        places.windows(2).all(|pair| pair[1] == pair[0] + 1),
        "{places:?}"
    );
    stands_in_order(&bob, &direct, &told);
    clock.set("+0");
    server.stop();
    assert!(
        !server.program().log().contains("\"level\":\"ERROR\""),
        "{}",
        server.program().story()
    );
}

/// The history has these texts in this order, and its times do not run backwards.
fn stands_in_order(who: &ApiPerson, conversation: &str, told: &[String]) {
    let history = who.history(conversation);
    let said: Vec<_> = history
        .iter()
        .map(said)
        .filter(|text| !text.is_empty())
        .collect();
    assert_eq!(said, told);
    let times: Vec<_> = history.iter().map(|one| text(&one["time"])).collect();
    assert!(times.is_sorted(), "{times:?}");
}

#[test]
fn nothing_is_lost_when_the_clock_jumps_on_sqlite() {
    nothing_is_lost_when_the_clock_jumps(Db::Sqlite);
}

#[test]
fn nothing_is_lost_when_the_clock_jumps_on_mariadb() {
    nothing_is_lost_when_the_clock_jumps(Db::MariaDb);
}

#[test]
fn nobody_is_locked_out_by_a_clock_that_is_set_back() {
    let Some((setup, clock)) = with_clock(Db::Sqlite) else {
        return;
    };
    let server = setup.chat_flag("--login-failures-max", "3").start();
    server.newcomer("ann");
    clock.set("+300d");
    let guess = || try_sign_in(&server.api(), "ann", "a guess of mine", "laptop");
    while guess().status == 401 {}
    clock.set("+0");
    let refused = guess().refused(429, "too_many_attempts");
    let wait = refused["retry_after"].as_u64().unwrap();
    assert!(wait <= 15 * 60, "for {wait} seconds");
}

#[test]
fn who_expires_is_told_and_misses_nothing() {
    let Some((setup, clock)) = with_clock(Db::Sqlite) else {
        return;
    };
    let server = setup.start();
    let (ann, bob) = server.acquainted();
    let direct = ann.direct(&bob.user_id);
    ann.say(&direct, "a1", "before");
    // A sign-in lasts for 30 days.
    clock.set("+31d");
    ann.get("/me").refused(401, "unauthenticated");
    let later = server.sign_in("bob", "laptop");
    let mut phone = later.connect();
    phone.hears(&direct, &["before"]);
    // It was the clock that was wrong: nobody lost anything for good.
    clock.set("+0");
    ann.say(&direct, "a2", "after");
    phone.hears(&direct, &["after"]);
    bob.get("/me").refused(401, "unauthenticated");
}

#[test]
fn the_clocks_of_clients_decide_nothing() {
    let Some((setup, _clock)) = with_clock(Db::Sqlite) else {
        return;
    };
    let server = setup.start();
    let (mut ann, mut bob) = server.friends();
    let times = [4_102_444_800_u64, 1_700_000_000, 0, 2_000_000_000, 1];
    for (number, time) in times.iter().enumerate() {
        let message = json!({"msgType": 1, "time": time, "clientType": 1,
            "content": [{"msgText": number.to_string()}]});
        ann.send_chat(bob.id, message.to_string());
        assert_eq!(bob.hear().text(), number.to_string());
    }
    let wanted: Vec<_> = (0..times.len()).map(|number| number.to_string()).collect();
    let new = server.sign_in("bob", "laptop");
    stands_in_order(&new, &new.direct(&ann.id.to_string()), &wanted);
    // Nor does what a program says of the time.
    let direct = new.direct(&ann.id.to_string());
    let body = json!({"client_id": "late", "segments": segments("late"), "time": "2100-01-01T00:00:00.000Z"});
    new.post(&format!("/conversations/{direct}/messages"), &body)
        .ok(201);
    let history = new.history(&direct);
    assert!(
        history
            .iter()
            .all(|one| !text(&one["time"]).starts_with("2100"))
    );
}
