//! Every route of the API, as every kind of caller. The table is `api.txt`; a route that it does
//! not name fails the test.
#![allow(clippy::too_many_lines, reason = "a small world is told in one piece")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;

use myim_tests::api::Answer;
use myim_tests::api_person::{ApiPerson, text, try_sign_in};
use myim_tests::files::status_of;
use myim_tests::http;
use myim_tests::person::password;
use myim_tests::server::{Db, Kind, Server, Setup};
use serde_json::{Value, json};

/// The callers that have a column, in its order.
pub(super) const ROLES: [&str; 6] = ["stranger", "bot", "member", "moderator", "owner", "admin"];

struct Row {
    /// Method and path, as the description has them.
    route: &'static str,
    body: &'static str,
    expected: Expected,
}

#[derive(Debug, PartialEq, Eq)]
enum Expected {
    /// Everybody gets this, whoever he is.
    Open(u16),
    Each([u16; 6]),
}

fn table() -> Vec<Row> {
    let lines = include_str!("api.txt").lines();
    lines
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let parts: Vec<_> = line.split(" | ").map(str::trim).collect();
            let [route, body, statuses] = parts[..] else {
                panic!("three columns: {line}");
            };
            let number = |word: &str| word.parse().unwrap_or_else(|_| panic!("a status: {line}"));
            let expected = match statuses.strip_prefix("open ") {
                Some(status) => Expected::Open(number(status)),
                None => {
                    let each: Vec<_> = statuses.split(' ').map(number).collect();
                    Expected::Each(each.try_into().expect("a status for each role"))
                }
            };
            Row {
                route,
                body,
                expected,
            }
        })
        .collect()
}

/// Everybody, and the things that routes are about: most are Ann's.
pub(super) struct World {
    pub(super) callers: BTreeMap<&'static str, ApiPerson>,
    /// Callers whose token is worth nothing.
    pub(super) outsiders: Vec<(&'static str, ApiPerson)>,
    pub(super) things: BTreeMap<&'static str, String>,
}

pub(super) fn world(server: &Server) -> World {
    let names = [
        "ann", "bob", "cid", "eve", "fay", "gus", "hal", "dan", "ivy",
    ];
    let [ann, bob, cid, eve, fay, gus, hal, dan, ivy] = names.map(|name| server.newcomer(name));
    let root = server.administrator("root");
    for friend in [&bob, &cid, &gus, &dan] {
        ann.befriend(friend);
    }
    let group = ann.create_group_with_members("Choir", &[&bob, &cid, &gus, &dan]);
    let of_group = |path: &str| format!("/groups/{group}{path}");
    let moderator = of_group(&format!("/members/{}", cid.user_id));
    ann.patch(&moderator, &json!({"role": "admin"})).ok(200);
    ann.patch(&of_group(""), &json!({"join": "approval"}))
        .ok(200);
    hal.post(&of_group("/join"), &json!({})).ok(202);
    let choir = ann.of_group(&group);
    let seq = ann.say(&choir, "anns", "secret");
    let direct = ann.direct(&bob.user_id);
    let request = fay.ask_friend(&ann.user_id, "");
    ann.post("/contact_lists", &json!({"name": "team"})).ok(201);
    let bot_of = |name: &str| ann.post("/bots", &json!({"username": name})).ok(201);
    let (clock, robot) = (bot_of("clock"), bot_of("robot"));
    let hook = ann.post(
        &format!("/conversations/{choir}/webhooks"),
        &json!({"name": "h"}),
    );
    let out = ann.post(
        "/webhooks/outgoing",
        &json!({"url": "http://127.0.0.1:9/x"}),
    );
    let out = text(&out.ok(201)["id"]);
    ann.call("POST", &format!("/webhooks/outgoing/{out}/pause"), None)
        .ok(204);
    let invite = text(&root.post("/admin/invites", &json!({})).ok(201)["code"]);
    let phone = server.sign_in("ann", "phone").session_id;
    let fays_group = fay.create_group_with_members("Other", &[]);
    let token = |name: &str, token: &str| ApiPerson {
        name: name.to_owned(),
        token: token.to_owned(),
        api: server.api().with_token(token),
        ..bob.clone()
    };
    let nobody = ApiPerson {
        api: server.api(),
        ..bob.clone()
    };
    let forged = token("forged", &format!("{}x", ann.token));
    let signed_out = server.sign_in("bob", "old phone");
    signed_out.call("DELETE", "/sessions/current", None).ok(204);
    // Ivy changes her password on another device: the token of the first one is old.
    let change = json!({"old_password": password("ivy"), "new_password": "another long one"});
    server
        .sign_in("ivy", "phone")
        .put("/me/password", &change)
        .ok(204);
    root.call(
        "POST",
        &format!("/admin/users/{}/disable", dan.user_id),
        None,
    )
    .ok(204);
    let robot_caller = token("robot", &text(&robot["token"]));
    let things = BTreeMap::from([
        ("ann", ann.user_id.clone()),
        ("fay", fay.user_id.clone()),
        ("gus", gus.user_id.clone()),
        ("hal", hal.user_id.clone()),
        ("moderator", cid.user_id.clone()),
        ("group", group),
        ("choir", choir),
        ("direct", direct),
        ("seq", seq.to_string()),
        ("request", request),
        ("list", "team".to_owned()),
        ("clock", text(&clock["bot"]["id"])),
        ("clocks-token", text(&clock["token_id"])),
        ("hook", text(&hook.ok(201)["id"])),
        ("out", out),
        ("invite", invite),
        ("phone", phone),
        ("fays-group", fays_group),
        ("fays-session", fay.session_id.clone()),
    ]);
    World {
        callers: BTreeMap::from([
            ("stranger", eve),
            ("bot", robot_caller),
            ("member", bob),
            ("moderator", cid),
            ("owner", ann),
            ("admin", root),
        ]),
        outsiders: vec![
            ("nobody", nobody),
            ("forged", forged),
            ("signed-out", signed_out),
            ("old-password", ivy),
            ("disabled", dan),
        ],
        things,
    }
}

/// Which thing a parameter of a path means.
fn thing(path: &str, parameter: &str) -> &'static str {
    let noun = path
        .split(&format!("/{{{parameter}}}"))
        .next()
        .and_then(|before| before.rsplit('/').next())
        .unwrap_or_default();
    match (path.starts_with("/admin/"), noun, parameter) {
        (true, "users", _) => "fay",
        (true, "groups", _) => "fays-group",
        (true, "sessions", _) => "fays-session",
        (true, "invites", _) => "invite",
        (false, "users" | "blocks", _) => "fay",
        (false, "contacts" | "members", _) => "gus",
        (false, "requests", _) => "request",
        (false, "join_requests", _) => "hal",
        (false, "groups", _) => "group",
        (false, "conversations", _) => "choir",
        (false, "messages", _) => "seq",
        (false, "sessions", _) => "phone",
        (false, "bots", _) => "clock",
        (false, "tokens", _) => "clocks-token",
        (false, "contact_lists", _) => "list",
        (false, "incoming" | "hooks", _) => "hook",
        (false, "outgoing", _) => "out",
        _ => "none",
    }
}

fn address(world: &World, path: &str) -> String {
    let mut address = path.to_owned();
    while let Some(start) = address.find('{') {
        let end = address.find('}').expect("a brace closes");
        let parameter = address[start + 1..end].to_owned();
        let value = match parameter.as_str() {
            "emoji" => "%F0%9F%91%8D",
            "client_id" => "anns",
            "secret" => "guessed",
            // What is nobody's is a number as good as any.
            _ => world
                .things
                .get(thing(path, &parameter))
                .map_or("7", String::as_str),
        };
        address = address.replacen(&format!("{{{parameter}}}"), value, 1);
    }
    match path {
        "/sync" => "/sync?wait=0".to_owned(),
        "/search" => "/search?q=secret".to_owned(),
        "/users" => "/users?query=an".to_owned(),
        "/presence" => format!("/presence?users={}", world.things["ann"]),
        _ => address,
    }
}

pub(super) fn body(world: &World, role: &str, body: &str) -> Option<Value> {
    let mut body = body.replace("$role", role);
    // Longer names first: one may be the beginning of another.
    for (name, value) in world.things.iter().rev() {
        body = body.replace(&format!("${name}"), value);
    }
    (!body.is_empty()).then(|| serde_json::from_str(&body).expect("a body is JSON"))
}

/// The status that this caller gets.
fn ask(server: &Server, world: &World, caller: &ApiPerson, role: &str, row: &Row) -> u16 {
    let (method, path) = row.route.split_once(' ').expect("a method and a path");
    if path == "/events" {
        // It never ends: the first line says enough.
        let mut stream = http::connect(server.chat);
        let token = caller.api.token.as_ref().map_or_else(String::new, |token| {
            format!("authorization: Bearer {token}\r\n")
        });
        let request = format!("GET /api/v1/events HTTP/1.1\r\nhost: a\r\n{token}\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        return status_of(&mut stream);
    }
    let body = body(world, role, row.body);
    let answer: Answer = caller.call(method, &address(world, path), body.as_ref());
    assert!(answer.status < 500, "{role}: {answer}");
    answer.status
}

#[test]
fn every_route_answers_every_caller_as_the_table_says() {
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .open()
        .chat_flag("--webhook-allowed-networks", "127.0.0.1/32")
        .chat_flag("--login-failures-max", "1000")
        .chat_flag("--login-failures-per-address-max", "1000")
        .start();
    let world = world(&server);
    let described = server.api().get("/openapi.json").ok(200);
    let mut described = routes(&described);
    let mut wrong = String::new();
    for row in table() {
        assert!(described.remove(row.route), "{} is no route", row.route);
        for (who, caller) in &world.outsiders {
            let got = ask(&server, &world, caller, who, &row);
            let wanted = match row.expected {
                Expected::Open(status) => status,
                Expected::Each(_) => 401,
            };
            if got != wanted {
                writeln!(wrong, "{} by {who}: {got}, not {wanted}", row.route).unwrap();
            }
        }
        let got = ROLES.map(|role| ask(&server, &world, &world.callers[role], role, &row));
        let is_right = match &row.expected {
            Expected::Open(status) => got == [*status; 6],
            Expected::Each(statuses) => got == *statuses,
        };
        if !is_right {
            let got = got.map(|status| status.to_string()).join(" ");
            writeln!(wrong, "{} | {} | {got}", row.route, row.body).unwrap();
        }
    }
    assert!(described.is_empty(), "routes without a row: {described:?}");
    assert!(wrong.is_empty(), "{wrong}");
    // Nobody became what he was not.
    let eve = try_sign_in(&server.api(), "eve", &password("eve"), "x").ok(201);
    assert_eq!(text(&eve["user"]["username"]), "eve");
}

/// Every method and path of the description, below the base.
fn routes(described: &Value) -> BTreeSet<String> {
    let paths = described["paths"].as_object().expect("paths");
    let all = paths.iter().flat_map(|(path, operations)| {
        let path = path.strip_prefix("/api/v1").unwrap_or(path);
        let methods = operations.as_object().expect("operations").keys();
        let is_method =
            |word: &&String| ["get", "put", "post", "patch", "delete"].contains(&word.as_str());
        let route = move |word: &String| format!("{} {path}", word.to_uppercase());
        methods.filter(is_method).map(route)
    });
    all.collect()
}
