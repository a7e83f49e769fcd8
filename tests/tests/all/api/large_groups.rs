//! Groups above the sizes at which not everybody gets every message unasked.

use std::time::{Duration, Instant};

use myim_tests::api::escaped;
use myim_tests::api_person::{ApiPerson, Device, said, text};
use myim_tests::server::{Db, Kind, Server, Setup};
use serde_json::{Value, json};

/// A group of five with a server that takes three members for many and `heads` for very many.
fn crowd(heads: &str) -> (Server, Vec<ApiPerson>, String) {
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .chat_flag("--fanout-members-max", "3")
        .chat_flag("--heads-only-members-min", heads)
        .start();
    let people: Vec<_> = (0..5)
        .map(|number| server.newcomer(&format!("user{number}")))
        .collect();
    for one in &people[1..] {
        people[0].befriend(one);
    }
    let others: Vec<_> = people[1..].iter().collect();
    let group = people[0].create_group_with_members("Crowd", &others);
    let conversation = people[0].of_group(&group);
    (server, people, conversation)
}

fn is_message(event: &Value, conversation: &str) -> bool {
    event["event"] == "message" && event["conversation"] == *conversation
}

/// The event that says: the group moved, up to here.
fn head_moved(device: &mut Device, conversation: &str, to: u64) {
    device.find(|event| {
        let name = event["event"].as_str().unwrap_or_default();
        let seq = event["seq"].as_u64().or(event["last_seq"].as_u64());
        name != "message" && event["conversation"] == *conversation && seq == Some(to)
    });
}

#[test]
fn only_those_who_look_get_the_messages_of_a_large_group() {
    let (_server, people, crowd) = crowd("1000");
    let mut looking = people[1].connect();
    let mut away = people[2].connect();
    looking.ok("conversation.open", json!({"conversation": crowd}));
    let mut writer = people[0].connect();
    let mut last = 0;
    let began = Instant::now();
    for number in 1..=40 {
        last = writer.say(&crowd, &number.to_string());
    }
    let writing = began.elapsed();
    let mut heard = Vec::new();
    while heard.last().is_none_or(|text| text != "40") {
        let event = looking.find(|event| is_message(event, &crowd));
        heard.push(said(&event["message"]));
    }
    heard.retain(|text| !text.is_empty());
    let wanted: Vec<_> = (1..=40).map(|number| number.to_string()).collect();
    assert_eq!(heard, wanted);
    head_moved(&mut away, &crowd, last);
    let told = away
        .waiting()
        .filter(|event| event["conversation"] == *crowd)
        .count();
    assert!(
        away.waiting()
            .all(|event| !is_message(event, &crowd) || !event["message"]["notice"].is_null())
    );
    // At most four a second, however fast they come.
    let most = 4 * (writing.as_secs() + Duration::from_secs(2).as_secs()) + 4;
    assert!(
        u64::try_from(told).unwrap() <= most,
        "{told} heads in {writing:?}"
    );
    // What was not delivered is there to be read.
    let history = people[2].history(&crowd);
    assert_eq!(
        history.iter().filter(|one| !said(one).is_empty()).count(),
        40
    );
    let shown = people[2].conversation(&crowd);
    assert_eq!(shown["last_seq"], last);
    assert_eq!(shown["unread"], 40);
    // A look away is a look away.
    looking.ok("conversation.close", json!({"conversation": crowd}));
    let last = writer.say(&crowd, "nobody looks");
    head_moved(&mut looking, &crowd, last);
}

/// More at once than the database has readers, each with a request behind its hello.
#[test]
fn all_devices_of_a_group_come_on_line_at_once() {
    let (server, people, crowd) = crowd("1000");
    let devices: Vec<_> = (0..people.len() * 8)
        .map(|number| {
            let name = format!("user{}", number % people.len());
            server.sign_in(&name, &format!("device{number}"))
        })
        .collect();
    for _ in 0..3 {
        std::thread::scope(|scope| {
            for device in &devices {
                let conversation = &crowd;
                scope.spawn(move || {
                    let mut there = device.connect();
                    there.ok("conversation.open", json!({"conversation": conversation}));
                });
            }
        });
    }
}

#[test]
fn a_very_large_group_tells_heads_only() {
    let (_server, people, crowd) = crowd("5");
    let mut looking = people[1].connect();
    looking.ok("conversation.open", json!({"conversation": crowd}));
    let mut writer = people[0].connect();
    let last = writer.say(&crowd, "hello crowd");
    head_moved(&mut looking, &crowd, last);
    assert!(
        looking
            .waiting()
            .all(|event| said_in(event, &crowd).is_none())
    );
    // Neither typing nor reading is told.
    writer.tell("typing", json!({"conversation": crowd}));
    let last = writer.say(&crowd, "and again");
    head_moved(&mut looking, &crowd, last);
    assert!(looking.waiting().all(|event| event["event"] != "typing"));
    let texts: Vec<_> = people[1]
        .history(&crowd)
        .iter()
        .map(said)
        .filter(|text| !text.is_empty())
        .collect();
    assert_eq!(texts, ["hello crowd", "and again"]);
}

/// One call; the events of this conversation, and the token for the next call.
fn sync(person: &ApiPerson, conversation: &str, since: &str, wait: u64) -> (Vec<Value>, String) {
    let answer = person
        .get(&format!("/sync?wait={wait}&since={}", escaped(since)))
        .ok(200);
    let mut events = answer["events"].as_array().expect("events").clone();
    events.retain(|event| event["conversation"] == *conversation);
    (events, text(&answer["next"]))
}

/// Asks until there is nothing left; the token for the next call.
fn synced(person: &ApiPerson) -> String {
    let mut answer = person.get("/sync").ok(200);
    while answer["events"] != json!([]) {
        let since = escaped(&text(&answer["next"]));
        answer = person.get(&format!("/sync?since={since}")).ok(200);
    }
    text(&answer["next"])
}

#[test]
fn a_call_that_waits_is_told_once_that_a_very_large_group_moved() {
    let (_server, people, crowd) = crowd("5");
    let token = synced(&people[1]);
    let last = people[0].say(&crowd, "a1", "hello crowd");
    let (events, next) = sync(&people[1], &crowd, &token, 10);
    let head = json!({"event": "head", "conversation": crowd, "last_seq": last});
    assert_eq!(events, std::slice::from_ref(&head));
    // Whoever lost the answer is told again, and who has it is not.
    assert_eq!(sync(&people[1], &crowd, &token, 10).0, [head]);
    let began = Instant::now();
    let (events, next) = sync(&people[1], &crowd, &next, 2);
    assert!(events.is_empty(), "{events:?}");
    assert!(began.elapsed() >= Duration::from_secs(2), "it waits");
    // Until the group moves again.
    let last = people[0].say(&crowd, "a2", "and again");
    let (events, _) = sync(&people[1], &crowd, &next, 10);
    assert_eq!(events[0]["last_seq"], last);
}

#[test]
fn a_call_that_waits_gets_the_messages_of_a_large_group() {
    let (_server, people, crowd) = crowd("1000");
    let mut token = synced(&people[1]);
    let last = people[0].say(&crowd, "a1", "hello crowd");
    let mut heard = Vec::new();
    while !heard.contains(&last) {
        let (events, next) = sync(&people[1], &crowd, &token, 10);
        heard.extend(events.iter().filter_map(|event| event["seq"].as_u64()));
        token = next;
    }
    let began = Instant::now();
    assert!(sync(&people[1], &crowd, &token, 2).0.is_empty());
    assert!(began.elapsed() >= Duration::from_secs(2), "it waits");
}

fn said_in(event: &Value, conversation: &str) -> Option<String> {
    is_message(event, conversation)
        .then(|| said(&event["message"]))
        .filter(|text| !text.is_empty())
}
