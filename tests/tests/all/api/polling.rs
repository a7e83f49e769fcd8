//! Clients without a WebSocket: long polling and server-sent events are the same reading.

use std::thread;
use std::time::{Duration, Instant};

use myim_tests::api::escaped;
use myim_tests::api_person::{ApiPerson, said, seq, text};
use myim_tests::server::Server;
use myim_tests::stream::EventStream;
use serde_json::Value;

use super::Village;

/// One call; the events and the token for the next one.
fn sync(person: &ApiPerson, since: Option<&str>, wait: u64) -> (Vec<Value>, String) {
    let since = since.map(|token| format!("&since={}", escaped(token)));
    let path = format!("/sync?wait={wait}{}", since.unwrap_or_default());
    let answer = person.get(&path).ok(200);
    let events = answer["events"].as_array().expect("events").clone();
    (events, text(&answer["next"]))
}

/// Reads until nothing is left; what was said in this conversation.
fn drain(person: &ApiPerson, conversation: &str, since: Option<&str>) -> (Vec<String>, String) {
    let (mut heard, mut since) = (Vec::new(), since.map(str::to_owned));
    loop {
        let (events, next) = sync(person, since.as_deref(), 0);
        if events.is_empty() {
            return (heard, next);
        }
        heard.extend(texts(&events, conversation));
        since = Some(next);
    }
}

fn texts(events: &[Value], conversation: &str) -> Vec<String> {
    events
        .iter()
        .filter(|event| event["event"] == "message" && event["conversation"] == *conversation)
        .map(|event| said(&event["message"]))
        .filter(|text| !text.is_empty())
        .collect()
}

fn polls(mut server: Server) {
    let Village {
        ann, bob, direct, ..
    } = Village::new(&server);
    for number in 1..=150 {
        ann.say(&direct, &format!("a{number}"), &number.to_string());
    }
    let wanted: Vec<_> = (1..=150).map(|number| number.to_string()).collect();
    let (heard, token) = drain(&bob, &direct, None);
    assert_eq!(heard, wanted);
    assert!(
        drain(&bob, &direct, Some(&token)).0.is_empty(),
        "and nothing twice"
    );
    // Waiting ends when something happens, and not much later.
    let began = Instant::now();
    let waiting = thread::spawn({
        let (bob, token) = (bob.clone(), token.clone());
        move || sync(&bob, Some(&token), 15)
    });
    ann.say(&direct, "a151", "151");
    let (events, token) = waiting.join().unwrap();
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "it waited for nothing"
    );
    let (mut heard, token) = match texts(&events, &direct) {
        none if none.is_empty() => drain(&bob, &direct, Some(&token)),
        some => (some, token),
    };
    assert_eq!(heard.pop().as_deref(), Some("151"));
    let began = Instant::now();
    let (events, next) = sync(&bob, Some(&token), 1);
    assert!(
        events.iter().all(|event| event["event"] != "message"),
        "{events:?}"
    );
    assert!(began.elapsed() < Duration::from_secs(10));
    server.crash();
    ann.say(&direct, "a152", "152");
    assert_eq!(
        drain(&bob, &direct, Some(&next)).0,
        ["152"],
        "a token outlives the server"
    );
    // The same token gives the same again: a lost answer is no lost message.
    ann.say(&direct, "a153", "153");
    let (first, _) = sync(&bob, Some(&next), 0);
    let (again, _) = sync(&bob, Some(&next), 0);
    assert_eq!(
        (texts(&first, &direct), first),
        (vec!["153".to_owned()], again)
    );
}

#[test]
fn polling_misses_and_doubles_nothing_on_sqlite() {
    polls(Server::sqlite());
}

#[test]
fn polling_misses_and_doubles_nothing_on_mariadb() {
    polls(Server::mariadb());
}

#[test]
fn a_stream_of_events_goes_on_where_it_broke_off() {
    let mut server = Server::sqlite();
    let Village {
        ann,
        bob,
        direct,
        eve,
        ..
    } = Village::new(&server);
    for number in 1..=50 {
        ann.say(&direct, &format!("a{number}"), &number.to_string());
    }
    let mut stream = EventStream::open(&bob, None).unwrap();
    let mut last = None;
    let mut heard = Vec::new();
    let mut hear = |stream: &mut EventStream, until: &str| {
        loop {
            let event = stream.event();
            if let Some(name) = &event.name {
                assert_eq!(event.data["event"], **name, "{event:?}");
            }
            last = event.id.or(last.take());
            heard.extend(texts(std::slice::from_ref(&event.data), &direct));
            if heard.last().is_some_and(|text| text == until) {
                return last.clone().expect("events of a log have an id");
            }
        }
    };
    hear(&mut stream, "50");
    ann.say(&direct, "a51", "51");
    let at = hear(&mut stream, "51");
    drop(stream);
    ann.say(&direct, "a52", "52");
    server.crash();
    let mut stream = EventStream::open(&bob, Some(&at)).unwrap();
    hear(&mut stream, "52");
    ann.say(&direct, "a53", "53");
    hear(&mut stream, "53");
    let wanted: Vec<_> = (1..=53).map(|number| number.to_string()).collect();
    assert_eq!(heard, wanted);

    assert_eq!(EventStream::open(&server.api(), None).unwrap_err(), 401);
    assert_eq!(EventStream::open(&bob, Some("nonsense")).unwrap_err(), 400);
    // Whoever is signed out hears no more.
    let mut stream = EventStream::open(&eve, None).unwrap();
    assert!(eve.delete("/sessions/current").status < 300);
    let deadline = Instant::now() + Duration::from_secs(20);
    while stream.try_event(Duration::from_secs(20)).is_ok() {
        assert!(Instant::now() < deadline, "the stream goes on");
    }
}

#[test]
fn polling_and_listening_tell_the_same_story() {
    let server = Server::sqlite();
    let Village {
        ann,
        bob,
        direct,
        choir,
        ..
    } = Village::new(&server);
    let place = ann.say(&direct, "a1", "one");
    ann.say(&choir, "a2", "two");
    let path = format!("/conversations/{direct}/messages/{place}");
    ann.post(&format!("{path}/recall"), &serde_json::json!({}));
    let story = |events: &[Value]| {
        let mut places: Vec<_> = events
            .iter()
            .filter(|event| event["seq"].is_number() && event["conversation"].is_string())
            .map(|event| {
                (
                    text(&event["conversation"]),
                    seq(event),
                    text(&event["event"]),
                )
            })
            .collect();
        places.sort();
        places
    };
    let (mut all, mut since) = sync(&bob, None, 0);
    loop {
        let (events, next) = sync(&bob, Some(&since), 0);
        if events.is_empty() {
            break;
        }
        all.extend(events);
        since = next;
    }
    let mut tablet = server.sign_in("bob", "tablet").connect();
    tablet.catch_up();
    for (conversation, seq, name) in &story(&all) {
        let found =
            tablet.find(|event| event["conversation"] == **conversation && event["seq"] == *seq);
        assert_eq!(found["event"], **name);
    }
    // What the tablet heard besides is what the polling device did itself.
    for event in tablet.waiting().filter(|event| event["seq"].is_number()) {
        let by = event["message"]["sender"]
            .as_str()
            .or(event["sender"].as_str());
        assert_eq!(by, Some(bob.user_id.as_str()), "{event}");
    }
}
