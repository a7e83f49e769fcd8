//! Writing, reading and finding messages.

use std::process::Command;

use myim_tests::api_person::{ApiPerson, segments};
use myim_tests::process::program;
use myim_tests::server::{Db, Kind, Server, Setup};
use serde_json::{Value, json};

use super::Machine;

/// Ann at a terminal, and Bob, who is her contact.
fn two(server: &Server) -> (Machine, ApiPerson, ApiPerson) {
    let (ann, bob) = server.acquainted();
    (Machine::of(server, "ann"), ann, bob)
}

#[test]
fn a_message_goes_to_whom_it_is_addressed() {
    let server = Server::sqlite();
    let (machine, ann, bob) = two(&server);
    let direct = ann.direct(&bob.user_id);
    let group = ann.create_group_with_members("tea time", &[&bob]);
    let tea = ann.of_group(&group);
    let before = bob.conversation(&tea)["last_seq"].as_u64().unwrap();
    for (place, to) in ["bob", "@bob", "BOB", &direct].iter().enumerate() {
        let ran = machine.run(&["send", to, "hello", "there"]).done();
        assert_eq!(ran.out, format!("{direct} {}\n", place + 1), "{to}");
    }
    for (place, to) in (before + 1..).zip(["#tea time", &group, &format!("#{group}"), &tea]) {
        let ran = machine.run(&["send", to, "hello all"]).done();
        assert_eq!(ran.out, format!("{tea} {place}\n"), "{to}");
    }
    let said: Vec<_> = bob
        .history(&direct)
        .iter()
        .map(|one| one["segments"].clone())
        .collect();
    assert_eq!(said, vec![segments("hello there"); 4]);
}

#[test]
fn a_name_is_never_guessed() {
    let mut server = Setup::new(Kind::Whole, Db::Sqlite)
        .open()
        .chat_flag("--direct-messages", "everyone")
        .start();
    let [small, large] = ["bob", "bobby"].map(|name| server.newcomer(name));
    server.rename(&[("bobby", "BOB")]);
    let [ann, cid] = ["ann", "Cid"].map(|name| server.newcomer(name));
    let machine = Machine::of(&server, "ann");
    for (to, whom) in [
        ("bob", &small),
        ("BOB", &large),
        ("@bob", &small),
        ("cid", &cid),
    ] {
        let sent = machine.json(&["send", to, "hi"]);
        assert_eq!(sent["conversation"], ann.direct(&whom.user_id), "{to}");
    }
    let ran = machine.run(&["send", "Bob", "hi"]).ended(2);
    ran.said("Bob may be bob or BOB: say which");
    // A number says which conversation, and nobody is meant who is called otherwise.
    for nobody in [cid.user_id.as_str(), "bo", "@@bob"] {
        let ran = machine.run(&["send", nobody, "hi", "--json"]).ended(1);
        assert_eq!(ran.error(), "no_such_user", "{nobody}");
    }
}

#[test]
fn a_terminal_is_told_in_words() {
    let server = Server::sqlite();
    let (machine, _, _) = two(&server);
    let mut command = Command::new("script");
    let line = format!("{} send bob hi", program("myim").display());
    command
        .args(["-qec", &line, "/dev/null"])
        .env("MYIM_CONFIG_DIR", machine.path().join("config"));
    let ran = super::run(command, "").done();
    assert_eq!(ran.out.trim_end(), "sent to bob, number 1");
}

#[test]
fn a_script_sends_its_input_and_reads_objects() {
    let server = Server::sqlite();
    let (machine, ann, bob) = two(&server);
    let direct = ann.direct(&bob.user_id);
    let args = ["send", "bob", "-", "--json", "--client-id", "build-7"];
    let ran = machine.run_with(&args, "line one\nline two\n").done();
    let mut stored: Value = serde_json::from_str(&ran.out).unwrap();
    myim_tests::api_person::time(&stored["time"]);
    stored["time"] = "TIME".into();
    assert_eq!(
        stored,
        json!({"conversation": direct, "seq": 1, "time": "TIME", "client_id": "build-7"})
    );
    // Without words it is standard input too, and the same name is the same message.
    let ran = machine
        .run_with(
            &["send", "bob", "--client-id", "build-7"],
            "line one\nline two\n",
        )
        .done();
    assert_eq!(ran.out, format!("{direct} 1\n"));
    let ran = machine
        .run(&["send", "bob", "other", "--client-id", "build-7", "--json"])
        .ended(1);
    assert_eq!(ran.error(), "client_id_conflict");

    machine
        .run(&["send", "bob", "yes", "--reply-to", "1"])
        .done();
    let mut history = machine.jsons(&["history", "bob"]);
    for message in &mut history {
        myim_tests::api_person::time(&message["time"]);
        message["time"] = "TIME".into();
        message["client_id"] = "ID".into();
    }
    assert_eq!(
        history,
        [
            json!({
                "conversation": direct, "seq": 1, "sender": ann.user_id, "time": "TIME",
                "client_id": "ID", "segments": segments("line one\nline two"),
            }),
            json!({
                "conversation": direct, "seq": 2, "sender": ann.user_id, "time": "TIME",
                "client_id": "ID", "segments": segments("yes"), "reply_to": 1,
            }),
        ]
    );
}

#[test]
fn history_is_read_from_either_end() {
    let server = Server::sqlite();
    let (machine, ann, bob) = two(&server);
    let direct = ann.direct(&bob.user_id);
    for number in 1..=7 {
        bob.say(&direct, &format!("c{number}"), &format!("word {number}"));
    }
    let seqs = |args: &[&str]| -> Vec<u64> {
        let args = [&["history", "bob"], args].concat();
        let all = machine.jsons(&args);
        all.iter().map(|one| one["seq"].as_u64().unwrap()).collect()
    };
    assert_eq!(seqs(&["--limit", "3"]), [5, 6, 7]);
    assert_eq!(seqs(&["--limit", "2", "--before", "5"]), [3, 4]);
    assert_eq!(seqs(&["--limit", "2", "--after", "2"]), [3, 4]);
    assert_eq!(seqs(&["--all"]), [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(seqs(&["--all", "--after", "6"]), [7]);
    let lines = machine.run(&["history", "bob", "--limit", "1"]).done().out;
    assert!(lines.ends_with(" 7 bob: word 7\n"), "{lines}");
    machine
        .run(&["history", "bob", "--before", "3", "--all"])
        .ended(2);
}

#[test]
fn words_are_found() {
    let server = Server::sqlite();
    let (machine, ann, bob) = two(&server);
    let direct = ann.direct(&bob.user_id);
    bob.say(&direct, "c1", "the quick brown fox");
    bob.say(&direct, "c2", "a lazy dog");
    // The index is a moment behind: ask until it is there.
    let deadline = std::time::Instant::now() + super::PATIENCE;
    let found = loop {
        let found = machine.jsons(&["search", "quick", "fox", "--in", "bob"]);
        if !found.is_empty() || std::time::Instant::now() > deadline {
            break found;
        }
    };
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["seq"], 1);
    assert_eq!(machine.run(&["search", "elephant"]).done().out, "");
}

#[test]
fn what_others_write_does_not_steer_the_terminal() {
    let server = Server::sqlite();
    let (machine, ann, bob) = two(&server);
    let direct = ann.direct(&bob.user_id);
    let nasty = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\u{202e}x\nbob: forged\u{7f}";
    bob.say(&direct, "c1", nasty);
    let steers = |text: &str| {
        text.chars().any(|one| {
            (one.is_control() && one != '\n') || ('\u{202a}'..='\u{202e}').contains(&one)
        })
    };
    let shown = machine.run(&["history", "bob"]).done().out;
    assert!(!steers(&shown), "{shown:?}");
    assert!(shown.contains(r"\u{1b}[2J"), "{shown}");
    assert!(
        !shown.lines().any(|line| line.starts_with("bob")),
        "{shown}"
    );
    // The same as JSON, where nothing is lost.
    let shown = machine.run(&["history", "bob", "--json"]).done().out;
    assert!(!steers(&shown), "{shown:?}");
    let message: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(message["segments"], segments(nasty));
    let table = machine.run(&["conversations"]).done().out;
    assert!(!steers(&table), "{table:?}");
}

#[test]
fn tables_have_no_colors_in_a_pipe() {
    let server = Server::sqlite();
    let (machine, ann, bob) = two(&server);
    ann.direct(&bob.user_id);
    machine.run(&["send", "bob", "hi"]).done();
    let table = machine.run(&["conversations"]).done().out;
    let mut lines = table.lines();
    let head: Vec<_> = lines.next().unwrap().split_whitespace().collect();
    assert_eq!(head, ["CONVERSATION", "WITH", "LAST", "UNREAD", "WHEN"]);
    let row: Vec<_> = lines.next().unwrap().split_whitespace().collect();
    assert_eq!(row[1..4], ["bob", "1", "0"]);
    let listed = machine.json(&["conversations"]);
    assert_eq!(listed["peer"]["username"], "bob");
    assert_eq!(listed["last_message"]["segments"], segments("hi"));
}

#[test]
fn who_has_enough_ends_it_quietly() {
    let server = Server::sqlite();
    let (machine, ann, bob) = two(&server);
    let direct = ann.direct(&bob.user_id);
    for number in 0..50 {
        bob.say(&direct, &format!("c{number}"), &"x".repeat(8000));
    }
    let mut command = Command::new("bash");
    let myim = program("myim");
    let line = format!(
        "set -o pipefail; {0} history bob | head -c 10 && {0} completions bash | head -1",
        myim.display()
    );
    command
        .args(["-c", &line])
        .env("MYIM_CONFIG_DIR", machine.path().join("config"));
    let ran = super::run(command, "").done();
    assert_eq!(ran.err, "");
}

#[test]
fn what_was_sent_is_changed_taken_back_and_reacted_to() {
    let server = Server::sqlite();
    let (machine, _, _) = two(&server);
    machine.file("notes.txt", "tea at five");
    machine
        .run(&["send", "bob", "the notse", "--file", "notes.txt"])
        .done();
    machine.run(&["edit", "bob", "1", "the", "notes"]).done();
    let edited = machine.jsons(&["history", "bob"]).remove(0);
    assert_eq!(edited["segments"][0], segments("the notes")[0]);
    assert_eq!(edited["segments"][1]["name"], "notes.txt", "{edited}");
    assert!(edited["edited_at"].is_string(), "{edited}");

    machine.run(&["react", "bob", "1", "🎉"]).done();
    let shown = machine.run(&["history", "bob"]).done().out;
    assert!(shown.contains("the notes"), "{shown}");
    assert!(shown.ends_with("(edited) [🎉 1]\n"), "{shown}");
    let removed = machine.json(&["react", "bob", "1", "🎉", "--remove"]);
    assert_eq!(removed["removed"], "🎉", "{removed}");
    let bare = machine.jsons(&["history", "bob"]).remove(0);
    assert!(bare["reactions"].is_null(), "{bare}");

    machine.run(&["recall", "bob", "1"]).done();
    let shown = machine.run(&["history", "bob"]).done().out;
    assert!(shown.contains("(taken back)"), "{shown}");
    let again = machine.run(&["edit", "bob", "1", "--json"]);
    assert_eq!(again.ended(2).error(), "usage");
    let gone = machine.run(&["edit", "bob", "1", "more", "--json"]);
    assert_eq!(gone.ended(1).error(), "already_recalled");
    let nowhere = machine.run(&["recall", "bob", "99", "--json"]);
    assert_eq!(nowhere.ended(1).error(), "no_such_message");

    let bob_at_home = Machine::of(&server, "bob");
    bob_at_home.run(&["send", "ann", "my own words"]).done();
    let place = machine.jsons(&["history", "bob", "--limit", "1"]);
    let place = place[0]["seq"].to_string();
    let others = machine.run(&["edit", "bob", &place, "yours", "--json"]);
    assert_eq!(others.ended(1).error(), "not_the_author");
}
