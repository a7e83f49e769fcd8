//! A stranger walks every route of the published description: he sees and changes nothing of what
//! belongs to others. A route that is added is walked too.

use std::collections::BTreeMap;

use myim_tests::api::Answer;
use myim_tests::api_person::{ApiPerson, segments, text};
use serde_json::{Map, Value, json};

use super::{Village, server_with, went_well};

/// What only Ann and her friends may ever read, anywhere.
const SECRETS: [&str; 8] = [
    "secret-direct",
    "secret-group",
    "secret-remark",
    "secret-list",
    "secret-note",
    "secret-announcement",
    "secret-hook",
    "secret-webhook",
];

/// Things of Ann's and Bob's, by the name that a path's parameter has.
fn things(village: &Village) -> BTreeMap<String, Vec<String>> {
    let Village {
        ann,
        bob,
        cid,
        direct,
        group,
        choir,
        ..
    } = village;
    let place = ann.say(direct, "secret-1", "secret-direct");
    let in_group = ann.say(choir, "secret-2", "secret-group");
    ann.post("/contact_lists", &json!({"name": "secret-list"}))
        .ok(201);
    let bobs = format!("/contacts/{}", bob.user_id);
    went_well(&ann.patch(
        &bobs,
        &json!({"remark": "secret-remark", "list": "secret-list"}),
    ));
    went_well(&ann.patch(
        &format!("/groups/{group}"),
        &json!({"announcement": "secret-announcement", "join": "closed"}),
    ));
    let request = bob.ask_friend(&cid.user_id, "secret-note");
    // Nobody listens there, and it is paused.
    let out = json!({"url": "http://127.0.0.1:9/secret-hook"});
    let out = text(&ann.post("/webhooks/outgoing", &out).ok(201)["id"]);
    let pause = format!("/webhooks/outgoing/{out}/pause");
    ann.call("POST", &pause, None).ok(204);
    let made = ann.post("/bots", &json!({"username": "clock"})).ok(201);
    let name = json!({"name": "secret-webhook"});
    let hook = ann.post(&format!("/conversations/{direct}/webhooks"), &name);
    let hook = text(&hook.ok(201)["id"]);
    let list = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
    let places = list(&[&place.to_string(), &in_group.to_string()]);
    BTreeMap::from([
        ("user_id".to_owned(), list(&[&ann.user_id, &bob.user_id])),
        ("group_id".to_owned(), list(&[group])),
        ("conversation_id".to_owned(), list(&[direct, choir])),
        ("webhook_id".to_owned(), list(&[&out])),
        ("session_id".to_owned(), list(&[&ann.session_id])),
        ("request_id".to_owned(), list(&[&request])),
        ("bot_id".to_owned(), list(&[&text(&made["bot"]["id"])])),
        ("token_id".to_owned(), list(&[&text(&made["token_id"])])),
        ("hook_id".to_owned(), list(&[&hook])),
        ("seq".to_owned(), places),
        ("emoji".to_owned(), list(&["%F0%9F%91%8D"])),
        ("client_id".to_owned(), list(&["secret-1"])),
        ("name".to_owned(), list(&["secret-list"])),
        // Whose a file is has tests of its own.
        ("file".to_owned(), list(&[&"0".repeat(64)])),
    ])
}

/// Every value that a parameter of this path may have; `{id}` means what the path is about.
fn values(things: &BTreeMap<String, Vec<String>>, path: &str, parameter: &str) -> Vec<String> {
    let about = |noun: &str| match noun {
        "users" | "contacts" | "blocks" | "members" => "user_id",
        "groups" => "group_id",
        "conversations" => "conversation_id",
        "sessions" => "session_id",
        "requests" => "request_id",
        "bots" => "bot_id",
        "incoming" | "hooks" => "hook_id",
        "outgoing" => "webhook_id",
        "contact_lists" => "name",
        _ => "client_id",
    };
    if let Some(values) = things.get(parameter) {
        return values.clone();
    }
    let before = path
        .split(&format!("/{{{parameter}}}"))
        .next()
        .unwrap_or_default();
    let noun = before.rsplit('/').next().unwrap_or_default();
    things[about(noun)].clone()
}

/// Every address that this path describes.
fn addresses(things: &BTreeMap<String, Vec<String>>, path: &str) -> Vec<String> {
    let mut found = vec![path.to_owned()];
    while let Some(start) = found[0].find('{') {
        let end = found[0].find('}').expect("a brace closes");
        let parameter = found[0][start + 1..end].to_owned();
        let values = values(things, path, &parameter);
        let braced = format!("{{{parameter}}}");
        found = found
            .iter()
            .flat_map(|one| values.iter().map(|value| one.replacen(&braced, value, 1)))
            .collect();
    }
    found
}

/// A body with everything that any route asks for, about other people's things.
fn body(village: &Village, number: usize) -> Value {
    let Village {
        ann, bob, group, ..
    } = village;
    json!({
        "username": "ann", "password": "wrong password", "device": {"kind": "web"},
        "old_password": "wrong password", "new_password": "another password",
        "user_id": ann.user_id, "member_ids": [], "name": "changed", "note": "changed",
        "remark": "changed", "list": "changed", "nickname": "changed", "announcement": "changed",
        "role": "owner", "muted": true, "muted_until": "2999-01-01T00:00:00.000Z",
        "client_id": format!("stranger-{number}"), "segments": segments("changed"), "seq": 1,
        "pinned": true, "hidden": true, "to": {"user": bob.user_id},
        "from": {"conversation": village.direct, "seq": 1},
        "conversation": village.direct, "conversations": [village.choir],
        "messages": [1], "group": group,
    })
}

/// What Ann and Bob see of everything that is theirs.
fn state(village: &Village) -> Vec<Value> {
    let Village {
        ann,
        bob,
        cid,
        group,
        direct,
        choir,
        ..
    } = village;
    let mut state = Vec::new();
    for person in [ann, bob, cid] {
        for path in [
            "/contacts",
            "/contacts/requests",
            "/contact_lists",
            "/blocks",
            "/sessions",
            "/webhooks/outgoing",
            "/bots",
            "/webhooks/incoming",
        ] {
            // What the stranger asks of Ann is an open request; it is hers to see and no change.
            let items = person.list(path, 100).into_iter().map(without_times);
            state.extend(items.filter(|one| !one.to_string().contains("\"eve\"")));
        }
        state.push(without_times(
            person.get(&format!("/groups/{group}")).ok(200),
        ));
        state.extend(person.list(&format!("/groups/{group}/members"), 100));
        state.push(without_times(person.get("/me").ok(200)));
        state.extend(person.history(choir));
    }
    state.extend(ann.history(direct));
    state.extend(ann.conversations());
    state
}

/// Moments at which somebody was seen change without anybody's doing.
fn without_times(mut value: Value) -> Value {
    if let Some(object) = value.as_object_mut() {
        let passing: Vec<_> = object
            .keys()
            .filter(|key| {
                key.contains("seen") || key.contains("presence") || key.contains("status")
            })
            .cloned()
            .collect();
        for key in passing {
            object.remove(&key);
        }
        let inner: Map<_, _> = std::mem::take(object)
            .into_iter()
            .map(|(key, value)| (key, without_times(value)))
            .collect();
        *object = inner;
    }
    value
}

fn tells_no_secret(answer: &Answer) {
    let text = String::from_utf8_lossy(&answer.body);
    for secret in SECRETS {
        assert!(
            !text.contains(secret),
            "a stranger reads {secret}: {answer}"
        );
    }
}

fn walk(village: &Village, paths: &Map<String, Value>, stranger: &ApiPerson) -> usize {
    let things = things(village);
    let before = state(village);
    let mut calls = 0;
    for (path, operations) in paths {
        let Some(path) = path.strip_prefix("/api/v1") else {
            continue;
        };
        for method in ["get", "put", "post", "patch", "delete"] {
            let operation = &operations[method];
            // These end his own session, or are no plain answers: they have tests of their own.
            let own = ["/sessions/current", "/ws", "/events", "/me"];
            if operation.is_null() || own.contains(&path) {
                continue;
            }
            for address in addresses(&things, path) {
                let body = operation["requestBody"]
                    .is_object()
                    .then(|| body(village, calls));
                let answer = stranger.call(&method.to_uppercase(), &address, body.as_ref());
                calls += 1;
                assert!(answer.status < 500, "{answer}");
                tells_no_secret(&answer);
                let about_others =
                    path.contains("{conversation") || path.contains("/conversations/{");
                if about_others {
                    assert!([403, 404].contains(&answer.status), "{answer}");
                }
            }
        }
    }
    let now = state(village);
    for (old, new) in before.iter().zip(&now) {
        assert_eq!(old, new, "a stranger changed this");
    }
    assert_eq!(before.len(), now.len());
    calls
}

#[test]
fn a_stranger_sees_and_changes_nothing_on_any_route() {
    let server = server_with("--webhook-allowed-networks", "127.0.0.1/32");
    let village = Village::new(&server);
    let described = server.api().get("/openapi.json").ok(200);
    let paths = described["paths"].as_object().expect("paths");
    let mut listening = village.eve.connect();
    let calls = walk(&village, paths, &village.eve);
    assert!(calls > 40, "{calls} calls are not every route");
    for query in [
        "/search?q=secret-direct",
        "/users?query=secret",
        "/conversations?limit=100",
        "/sync?wait=0",
    ] {
        tells_no_secret(&village.eve.get(query));
    }
    listening.ping();
    let heard: Vec<_> = listening.waiting().map(ToString::to_string).collect();
    for secret in SECRETS {
        assert!(
            heard.iter().all(|event| !event.contains(secret)),
            "{heard:?}"
        );
    }
    // Without a token there is nothing at all, but for the doors.
    let doors = [
        "/users",
        "/sessions",
        "/openapi.json",
        "/server",
        "/hooks/{id}/{secret}",
    ];
    let nobody = server.api();
    for (path, operations) in paths {
        let Some(path) = path.strip_prefix("/api/v1") else {
            continue;
        };
        for method in operations.as_object().unwrap().keys() {
            let is_door = doors.contains(&path)
                && (method == "post" || ["/openapi.json", "/server"].contains(&path));
            if is_door
                || path == "/ws"
                || !["get", "put", "post", "patch", "delete"].contains(&method.as_str())
            {
                continue;
            }
            let address = path.replace("{", "").replace("}", "").replace("_id", "");
            let address: String = address
                .split('/')
                .map(|part| {
                    if path.contains(&format!("{{{part}")) {
                        "7"
                    } else {
                        part
                    }
                })
                .collect::<Vec<_>>()
                .join("/");
            let answer = nobody.call(&method.to_uppercase(), &address, None);
            assert!([401, 404].contains(&answer.status), "{answer}");
        }
    }
    assert_eq!(text(&village.ann.get("/me").ok(200)["username"]), "ann");
}
