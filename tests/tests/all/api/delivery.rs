//! Delivery: first the missed, then the new, no gap, nothing twice, across reconnects and crashes.
//!
//! That no place comes twice or out of order on one connection is checked by the client itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use myim_tests::api_person::{Device, said, segments, seq};
use myim_tests::server::Server;
use myim_tests::socket::Silence;
use myim_tests::wire::Flavor;
use serde_json::json;

use super::Village;

/// Reads messages of this conversation until one says this; what they said, in order.
fn until(device: &mut Device, conversation: &str, last: &str) -> Vec<String> {
    let mut heard = Vec::new();
    loop {
        let event = device
            .find(|event| event["event"] == "message" && event["conversation"] == *conversation);
        let text = said(&event["message"]);
        let over = text == last;
        if !text.is_empty() {
            heard.push(text);
        }
        if over {
            return heard;
        }
    }
}

fn numbers(range: std::ops::RangeInclusive<u32>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

fn catch_up_while_others_write(server: &Server) {
    let Village {
        ann, bob, direct, ..
    } = Village::new(server);
    let mut writer = ann.connect();
    for number in 1..=200 {
        writer.say(&direct, &number.to_string());
    }
    let said_hello = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for number in 201..=600 {
                writer.say(&direct, &number.to_string());
            }
            // Some more, so that there is something new when the last one has said hello.
            let mut number = 600;
            while !said_hello.load(Ordering::Acquire) || number < 650 {
                number += 1;
                writer.say(&direct, &number.to_string());
            }
            writer.say(&direct, "the end");
        });
        let readers: Vec<_> = (0..4)
            .map(|reader| {
                let (server, direct) = (&server, &direct);
                scope.spawn(move || {
                    let device = server.sign_in("bob", &format!("device {reader}"));
                    let mut device = device.connect();
                    until(&mut device, direct, "500")
                })
            })
            .collect();
        let mut device = bob.connect();
        said_hello.store(true, Ordering::Release);
        let heard = until(&mut device, &direct, "the end");
        let count = u32::try_from(heard.len() - 1).unwrap();
        assert_eq!(heard[..heard.len() - 1], numbers(1..=count));
        for reader in readers {
            assert_eq!(reader.join().unwrap(), numbers(1..=500));
        }
    });
}

#[test]
fn nothing_is_missed_or_doubled_while_catching_up_on_sqlite() {
    catch_up_while_others_write(&Server::sqlite());
}

#[test]
fn nothing_is_missed_or_doubled_while_catching_up_on_mariadb() {
    catch_up_while_others_write(&Server::mariadb());
}

#[test]
fn delivery_goes_on_behind_what_was_acknowledged() {
    for mut server in [Server::sqlite(), Server::mariadb()] {
        let Village {
            ann, bob, direct, ..
        } = Village::new(&server);
        for number in 1..=10 {
            ann.say(&direct, &format!("a{number}"), &number.to_string());
        }
        let mut phone = bob.connect();
        let mut places = BTreeMap::new();
        for _ in 0..10 {
            let message = phone.message();
            places.insert(said(&message), seq(&message));
        }
        phone.ack(&direct, places["7"]);
        phone.cut();
        let mut phone = bob.connect();
        assert_eq!(
            until(&mut phone, &direct, "10"),
            numbers(8..=10),
            "what was not acknowledged"
        );
        // An acknowledgement never goes back.
        phone.ack(&direct, places["9"]);
        phone.ack(&direct, places["2"]);
        phone.cut();
        let mut phone = bob.connect();
        assert_eq!(until(&mut phone, &direct, "10"), numbers(10..=10));
        // Whoever comes back finds his acknowledgements kept; now they survive a crash, too.
        server.crash();
        assert!(matches!(phone.ends(), Silence::Cut | Silence::Closed(..)));
        let mut phone = bob.connect();
        assert_eq!(until(&mut phone, &direct, "10"), numbers(10..=10));
        phone.ack_all();
        phone.leave();
        ann.say(&direct, "a11", "11");
        let mut phone = bob.connect();
        assert_eq!(until(&mut phone, &direct, "11"), numbers(11..=11));
        // A device that is new begins at the beginning, and another one's cursor is its own.
        let mut tablet = server.sign_in("bob", "tablet").connect();
        assert_eq!(until(&mut tablet, &direct, "11"), numbers(1..=11));
    }
}

#[test]
fn an_acknowledgment_that_was_answered_survives_a_crash() {
    for mut server in [Server::sqlite(), Server::mariadb()] {
        let Village {
            ann, bob, direct, ..
        } = Village::new(&server);
        ann.say(&direct, "a1", "once");
        let mut phone = bob.connect();
        assert_eq!(until(&mut phone, &direct, "once"), ["once"]);
        phone.ack_all();
        server.crash();
        // However he asks: over another way, too, it does not come again.
        let left = bob.get("/sync?wait=0").ok(200);
        let entries = left["events"].as_array().unwrap().iter();
        let entries: Vec<_> = entries.filter(|event| event["seq"].is_u64()).collect();
        assert!(entries.is_empty(), "{entries:?}");
    }
}

#[test]
fn the_senders_other_devices_hear_it_too() {
    let server = Server::sqlite();
    let Village { ann, direct, .. } = Village::new(&server);
    let mut laptop = ann.connect();
    let mut phone = server.sign_in("ann", "phone").connect();
    let place = laptop.say(&direct, "from the laptop");
    phone.hears(&direct, &["from the laptop"]);
    phone.say(&direct, "from the phone");
    laptop.find(|event| event["event"] == "message" && said(&event["message"]) == "from the phone");
    phone.ack_all();
    laptop.ack_all();
    laptop.cut();
    let mut laptop = ann.connect();
    laptop.catch_up();
    let again = laptop.waiting().any(|event| event["seq"] == place);
    assert!(!again, "what was acknowledged does not come again");
}

fn the_fate_of_every_send(mut server: Server) {
    let Village {
        ann, bob, direct, ..
    } = Village::new(&server);
    let mut laptop = ann.connect();
    let mut answered = BTreeSet::new();
    let to = json!({"conversation": direct});
    let mut ids = Vec::new();
    for number in 0..400 {
        let id = format!("s{number}");
        let fields = json!({"to": to, "client_id": id, "segments": segments(&id)});
        ids.push((laptop.request("message.send", fields), id));
    }
    // The first answer shows that it is at work; then the server dies.
    assert!(laptop.answer(ids[0].0).is_ok());
    answered.insert(ids[0].1.clone());
    server.kill();
    while laptop
        .pump(std::time::Instant::now() + std::time::Duration::from_secs(5))
        .is_ok()
    {}
    for (request, id) in &ids[1..] {
        if laptop
            .try_answer(*request)
            .is_some_and(|answer| answer.is_ok())
        {
            answered.insert(id.clone());
        }
    }
    server.again();
    let mut stored = Vec::new();
    for (_, id) in &ids {
        let fate = ann.get(&format!("/sends/{id}"));
        if fate.status == 200 {
            let fate = fate.json();
            assert_eq!(fate["conversation"], *direct);
            stored.push((seq(&fate), id.clone()));
        } else {
            fate.refused(404, "not_stored");
            assert!(!answered.contains(id), "{id} was acknowledged and is lost");
        }
    }
    assert!(stored.is_sorted(), "in the order in which they were sent");
    let history: Vec<_> = bob
        .history(&direct)
        .iter()
        .map(|one| (seq(one), said(one)))
        .filter(|(_, text)| text.starts_with('s'))
        .collect();
    assert_eq!(history, stored, "the fates and the log say the same");
    // What is not stored is never stored later: sending again makes it one, and only one.
    let mut laptop = ann.connect();
    for (_, id) in &ids {
        laptop.try_send_to(&to, id, &segments(id)).unwrap();
    }
    let all = bob.history(&direct);
    let texts: BTreeSet<_> = all
        .iter()
        .map(said)
        .filter(|text| text.starts_with('s'))
        .collect();
    assert_eq!(texts.len(), ids.len());
    assert_eq!(
        all.iter().filter(|one| said(one).starts_with('s')).count(),
        ids.len()
    );
}

#[test]
fn after_a_crash_every_send_has_a_fate_on_sqlite() {
    the_fate_of_every_send(Server::sqlite());
}

#[test]
fn after_a_crash_every_send_has_a_fate_on_mariadb() {
    the_fate_of_every_send(Server::mariadb());
}

#[test]
fn another_history_is_told_to_whoever_knew_the_old_one() {
    let server = Server::sqlite();
    let ann = server.newcomer("ann");
    let laptop = ann.connect();
    let epoch = laptop.hello["epoch"].clone();
    assert!(!epoch.is_null(), "{}", laptop.hello);
    assert!(laptop.hello["resync"] != true, "{}", laptop.hello);
    let same = ann.connect_with(json!({"epoch": epoch}));
    assert!(same.hello["resync"] != true, "{}", same.hello);
    let other = match &epoch {
        serde_json::Value::Number(number) => json!(number.as_u64().unwrap() + 1),
        _ => json!("another"),
    };
    let changed = ann.connect_with(json!({"epoch": other}));
    assert_eq!(changed.hello["resync"], true, "{}", changed.hello);
}

#[test]
fn what_was_not_delivered_here_is_acknowledged_in_vain() {
    let server = Server::sqlite();
    let Village {
        ann, bob, direct, ..
    } = Village::new(&server);
    let last = ann.say(&direct, "a1", "hello");
    let mut phone = bob.connect();
    phone.hears(&direct, &["hello"]);
    phone.ack_all();
    phone.leave();
    // Nothing of it comes on this connection.
    let mut phone = bob.connect();
    for seq in [0, last, last + 100] {
        let acked = phone.ok("ack", json!({"conversation": direct, "seq": seq}));
        assert_eq!(acked["seq"], last, "what is held anyway");
    }
    let own = bob.direct(&bob.user_id);
    let acked = phone.ok("ack", json!({"conversation": own, "seq": 7}));
    assert_eq!(acked["seq"], 0, "nothing stands there");
    phone.leave();
    let place = ann.say(&direct, "a2", "again");
    let mut phone = bob.connect();
    phone.hears(&direct, &["again"]);
    assert!(place > last);
}

#[test]
fn requests_are_carried_out_in_the_order_sent() {
    let server = Server::sqlite();
    let (ann, bob) = server.acquainted();
    let alone = ann.direct(&bob.user_id);
    let mut laptop = ann.connect();
    let to = json!({"conversation": alone});
    let sent: Vec<_> = (0..100)
        .map(|number| {
            let fields = json!({"to": to, "client_id": format!("o{number}"),
                "segments": segments(&number.to_string())});
            laptop.request("message.send", fields)
        })
        .collect();
    let places: Vec<_> = sent
        .into_iter()
        .map(|id| seq(&laptop.answer(id).unwrap()))
        .collect();
    assert!(places.is_sorted(), "{places:?}");
    // A request without a number gets no answer and is done all the same.
    laptop.tell(
        "message.send",
        json!({"to": to, "client_id": "silent", "segments": segments("shh")}),
    );
    laptop.say(&alone, "after it");
    let texts: Vec<_> = ann.history(&alone).iter().map(said).collect();
    assert_eq!(texts[100..], ["shh", "after it"]);
}

#[test]
fn typing_is_told_and_never_stored() {
    let server = Server::sqlite();
    let Village {
        ann,
        bob,
        eve,
        direct,
        ..
    } = Village::new(&server);
    let (mut laptop, mut phone) = (ann.connect(), bob.connect());
    let mut stranger = eve.connect();
    let before = ann.conversation(&direct)["last_seq"].clone();
    laptop.ok("typing", json!({"conversation": direct}));
    let event = phone.find_event("typing");
    assert_eq!(
        (&event["conversation"], &event["user_id"]),
        (&json!(direct), &json!(ann.user_id))
    );
    assert_eq!(ann.conversation(&direct)["last_seq"], before);
    stranger.ping();
    assert!(stranger.waiting().all(|event| event["event"] != "typing"));
}

#[test]
fn whoever_wrote_hears_that_it_was_delivered() {
    let server = Server::sqlite();
    let Village {
        ann, bob, direct, ..
    } = Village::new(&server);
    let (mut laptop, mut phone) = (ann.connect(), bob.connect());
    let place = laptop.say(&direct, "hello");
    phone.hears(&direct, &["hello"]);
    assert!(
        ann.conversation(&direct)["peer_delivered_seq"].as_u64() < Some(place),
        "it was sent, and nobody has acknowledged it"
    );
    phone.ack(&direct, place);
    let event = laptop.find_event("delivered");
    assert_eq!(
        event,
        json!({"event": "delivered", "conversation": direct, "user_id": bob.user_id, "seq": place})
    );
    assert_eq!(ann.conversation(&direct)["peer_delivered_seq"], place);
    // The one who received it is told nothing.
    phone.ping();
    assert!(phone.waiting().all(|event| event["event"] != "delivered"));
}

#[test]
fn what_an_existing_client_was_sent_is_delivered() {
    let server = Server::sqlite();
    let Village {
        ann, bob, direct, ..
    } = Village::new(&server);
    let mut laptop = ann.connect();
    let mut old_client = server.login("bob", Flavor::Pc);
    let place = laptop.say(&direct, "hello");
    old_client.hears(&["hello"]);
    let is_it = |event: &serde_json::Value| {
        event["event"] == "delivered" && event["seq"].as_u64() >= Some(place)
    };
    let event = laptop.find(is_it);
    assert_eq!(event["user_id"], json!(bob.user_id));
}
