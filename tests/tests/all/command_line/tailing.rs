//! `myim tail`: what was missed, what happens, and what becomes of it when things break.

use std::collections::BTreeSet;

use myim_tests::api_person::{ApiPerson, segments};
use myim_tests::server::Server;
use serde_json::{Value, json};

use super::{Machine, interrupt, objects};

/// Ann at a terminal, and Bob, who writes to her in their conversation.
fn two(server: &Server) -> (Machine, ApiPerson, String) {
    let (ann, bob) = server.acquainted();
    let direct = ann.direct(&bob.user_id);
    let machine = Machine::of(server, "ann");
    // What happened so far is not what these tests are about.
    machine.run(&["tail", "--timeout", "1s"]).done();
    (machine, bob, direct)
}

fn texts(events: &[Value]) -> Vec<String> {
    let messages = events.iter().filter(|event| event["event"] == "message");
    messages
        .map(|event| myim_tests::api_person::said(&event["message"]))
        .collect()
}

#[test]
fn what_was_missed_comes_once_and_then_what_is_new() {
    let server = Server::sqlite();
    let (machine, bob, direct) = two(&server);
    bob.say(&direct, "c1", "one");
    bob.say(&direct, "c2", "two");
    let first = machine.jsons(&["tail", "--count", "2", "--timeout", "30s"]);
    let mut event = first[0].clone();
    myim_tests::api_person::time(&event["message"]["time"]);
    event["message"]["time"] = "TIME".into();
    assert_eq!(
        event,
        json!({
            "event": "message", "conversation": direct, "seq": 1,
            "message": {
                "conversation": direct, "seq": 1, "sender": bob.user_id, "time": "TIME",
                "client_id": "c1", "segments": segments("one"),
            },
        })
    );
    assert_eq!(texts(&first), ["one", "two"]);
    let tail = machine.start(&["tail", "--json", "--count", "1", "--timeout", "60s"]);
    bob.say(&direct, "c3", "three");
    assert!(tail.wait(super::PATIENCE).success(), "{}", tail.log());
    assert_eq!(texts(&objects(&tail.output())), ["three"]);
}

#[test]
fn what_became_of_the_contacts_is_said() {
    let server = Server::sqlite();
    let (machine, _, _) = two(&server);
    let (ann, cid) = (server.sign_in("ann", "phone"), server.newcomer("cid"));
    cid.befriend(&ann);
    let tail = |count: &str| -> String {
        let args = ["tail", "--count", count, "--timeout", "30s"];
        machine.run(&args).done().out
    };
    let told = tail("2");
    assert!(told.ends_with("(cid is a contact now)\n"), "{told}");
    let gone = ann.delete(&format!("/contacts/{}", cid.user_id));
    assert!(gone.status < 300, "{gone}");
    let told = tail("1");
    assert!(told.ends_with("(cid is no contact any more)\n"), "{told}");
    cid.befriend(&ann);
    cid.create_group_with_members("tea time", &[&ann]);
    let told = machine.run(&["tail", "--timeout", "3s"]).done().out;
    assert!(told.contains("(you are in #tea time now)\n"), "{told}");
}

#[test]
fn a_restart_of_the_server_loses_nothing_and_is_told() {
    let mut server = Server::sqlite();
    let (machine, bob, direct) = two(&server);
    let tail = machine.start(&["tail", "--json"]);
    bob.say(&direct, "c1", "one");
    assert!(
        tail.prints_within("\"one\"", super::PATIENCE),
        "{}",
        tail.story()
    );
    server.stop();
    assert!(tail.logs_within("no_connection", super::PATIENCE));
    server.again();
    bob.say(&direct, "c2", "two");
    assert!(
        tail.prints_within("\"two\"", super::PATIENCE),
        "{}",
        tail.story()
    );
    assert!(tail.logs_within("connected again", super::PATIENCE));
    server.crash();
    bob.say(&direct, "c3", "three");
    assert!(
        tail.prints_within("\"three\"", super::PATIENCE),
        "{}",
        tail.story()
    );
    assert_eq!(interrupt(&tail), Some(130));
    let events = objects(&tail.output());
    assert_eq!(
        texts(&events),
        ["one", "two", "three"],
        "nothing twice either"
    );
    // The next one goes on behind it.
    bob.say(&direct, "c4", "four");
    let next = machine.jsons(&["tail", "--count", "1", "--timeout", "30s"]);
    assert_eq!(texts(&next), ["four"]);
}

#[test]
fn a_tail_of_one_conversation_leaves_the_others() {
    let server = Server::sqlite();
    let (machine, bob, direct) = two(&server);
    let group = bob.create_group_with_members("tea", &[]);
    let ann = server.sign_in("ann", "phone");
    let put = format!("/groups/{group}/members/{}", ann.user_id);
    let added = bob.put(&put, &json!({}));
    assert!((200..300).contains(&added.status), "{added}");
    let tea = bob.of_group(&group);
    bob.say(&tea, "g1", "in the group");
    bob.say(&direct, "c1", "in private");
    let only = machine.jsons(&["tail", "bob", "--count", "1", "--timeout", "30s"]);
    assert_eq!(texts(&only), ["in private"]);
    let rest = machine.jsons(&["tail", "#tea", "--timeout", "2s"]);
    assert_eq!(texts(&rest), ["in the group"]);
    assert!(rest.iter().all(|event| event["conversation"] == *tea));
}

#[test]
fn a_tail_begins_where_it_is_told() {
    let server = Server::sqlite();
    let (machine, bob, direct) = two(&server);
    bob.say(&direct, "c1", "one");
    let mut phone = bob.connect();
    let now = machine.start(&["tail", "--json", "--from", "now"]);
    // The place from which on it prints is fixed before it is on line.
    phone.find(|event| event["event"] == "presence" && event["status"] == "online");
    bob.say(&direct, "c2", "two");
    assert!(
        now.prints_within("\"two\"", super::PATIENCE),
        "{}",
        now.story()
    );
    interrupt(&now);
    assert_eq!(texts(&objects(&now.output())), ["two"]);
    let all = machine.jsons(&["tail", "bob", "--from", "all", "--count", "2"]);
    assert_eq!(texts(&all), ["one", "two"]);
    let last = machine.jsons(&["tail", "bob", "--timeout", "1s"]);
    assert!(texts(&last).is_empty(), "{last:?}");
}

#[test]
fn a_count_that_is_not_reached_is_a_failure() {
    let server = Server::sqlite();
    let (machine, bob, direct) = two(&server);
    bob.say(&direct, "c1", "one");
    let args = ["tail", "--count", "2", "--timeout", "1s", "--json"];
    let ran = machine.run(&args).ended(3);
    assert_eq!(ran.error(), "timed_out");
    assert_eq!(texts(&objects(&ran.out)), ["one"]);
    let again = machine.run(&args).ended(3);
    assert_eq!(again.out, "", "it was acknowledged");
}

#[test]
fn a_device_that_is_signed_out_ends() {
    let server = Server::sqlite();
    let (machine, _, _) = two(&server);
    let tail = machine.start(&["tail", "--json"]);
    let phone = server.sign_in("ann", "phone");
    let sessions = phone.get("/sessions").ok(200);
    let items = sessions["items"].as_array().unwrap();
    let own = items
        .iter()
        .find(|one| one["name"] == "command line")
        .unwrap();
    let path = format!("/sessions/{}", own["session_id"].as_str().unwrap());
    let ended = phone.delete(&path);
    assert!((200..300).contains(&ended.status), "{ended}");
    assert_eq!(tail.wait(super::PATIENCE).code(), Some(4), "{}", tail.log());
    let words: BTreeSet<_> = tail.log().lines().map(str::to_owned).collect();
    assert!(
        words.iter().any(|line| line.contains("not_signed_in")),
        "{words:?}"
    );
}

#[test]
fn people_see_lines() {
    let server = Server::sqlite();
    let (machine, bob, direct) = two(&server);
    bob.say(&direct, "c1", "\u{1b}[31mred");
    let shown = machine.run(&["tail", "--count", "1"]).done().out;
    let lines: Vec<_> = shown.lines().collect();
    assert_eq!(lines[0], "== bob ==");
    assert!(lines[1].ends_with(" 1 bob: \\u{1b}[31mred"), "{shown}");
}

#[test]
fn people_read_what_happened_in_sentences() {
    let server = Server::sqlite();
    let (machine, bob, direct) = two(&server);
    let ann = server.sign_in("ann", "phone");
    let cid = server.newcomer("cid");
    bob.befriend(&cid);
    let group = bob.create_group_with_members("tea time", &[&ann]);
    let put = format!("/groups/{group}/members/{}", cid.user_id);
    let added = bob.put(&put, &json!({}));
    assert!((200..300).contains(&added.status), "{added}");
    let tea = bob.of_group(&group);
    bob.say(&tea, "g1", "the kettle is on");
    let ends = |text: &str| -> Vec<String> {
        // Behind date, time and place.
        let lines = text.lines();
        let ends = lines.map(|line| line.splitn(4, ' ').last().unwrap().to_owned());
        ends.collect()
    };
    let history = machine.run(&["history", "#tea time"]).done().out;
    let wanted = [
        "(bob added ann)",
        "(bob added cid)",
        "bob: the kettle is on",
    ];
    assert_eq!(ends(&history), wanted, "{history}");
    let tail = machine
        .run(&["tail", "#tea time", "--timeout", "2s"])
        .done()
        .out;
    assert!(tail.starts_with("== #tea time ==\n"), "{tail}");
    let lines = ends(&tail);
    assert_eq!(lines[lines.len() - 2..], wanted[1..], "{tail}");
    // What passes has names too.
    let mut phone = bob.connect();
    let passing = machine.start(&["tail", "--passing"]);
    phone.find(|event| event["event"] == "presence" && event["status"] == "online");
    for (conversation, wanted) in [
        (&direct, "bob writes\n"),
        (&tea, "bob writes in #tea time\n"),
    ] {
        phone.request("typing", json!({"conversation": conversation}));
        assert!(
            passing.prints_within(wanted, super::PATIENCE),
            "{}",
            passing.story()
        );
    }
    interrupt(&passing);
}
