//! Every command of the old protocol, as every kind of caller: it must not be the weak door.
//!
//! The table is `flamingo.txt`; a command that it does not name fails the test.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use common::wire::command;
use myim_tests::api_person::text;
use myim_tests::peer::{HEARTBEAT, NOTICE, Nothing, PATIENCE, Peer};
use myim_tests::person::{Person, befriend, login_data, message, password};
use myim_tests::server::Server;
use myim_tests::wire::{Fields, Flavor, Packet};
use serde_json::{Value, json};

/// The callers that have a column, in its order. The owner is whom all of it is about, on another
/// device.
const ROLES: [&str; 6] = ["nobody", "stranger", "member", "friend", "owner", "admin"];

/// The heartbeat behind a request, whose answer says that the request was carried out.
const LAST: i32 = 1_800_000_000;

struct World {
    /// The owner's own device, which hears what others do.
    ann: Person,
    group: i32,
}

fn world(server: &Server) -> World {
    let mut ann = server.join("ann", Flavor::Android);
    let group = ann.create_group("choir");
    for name in ["stranger", "member", "friend", "admin"] {
        server.register(name);
    }
    let mut member = server.login("member", Flavor::Pc);
    member.join_group(group);
    let mut friend = server.login("friend", Flavor::Pc);
    befriend(&mut friend, &mut ann);
    server.admin(&["user", "grant", "admin"]).ok();
    ann.forget();
    World { ann, group }
}

/// The request of a row.
fn request(world: &World, row: &str, role: &str) -> Fields {
    let (ann, group) = (world.ann.id, world.group);
    let chat = |cmd, data: Value| Fields::chat(cmd, 7, data.to_string());
    let operate = |whom, kind| chat(1005, json!({"userid": whom, "type": kind, "accept": 1}));
    match row {
        "1000 heartbeat" => Fields::chat(1000, 7, ""),
        "1001 register" => chat(
            1001,
            json!({"username": format!("new-{role}"), "nickname": "n", "password": "ppp"}),
        ),
        "1002 log in with a guess" => Fields::chat(1002, 7, login_data("ann", "a guess", 1, 1)),
        "1003 contacts" => Fields::chat(1003, 7, ""),
        "1004 find" => chat(1004, json!({"type": 1, "username": "ann"})),
        "1005 apply" => operate(ann, 1),
        "1005 answer what nobody asked" => operate(ann, 3),
        "1005 remove" => operate(ann, 4),
        "1005 leave a group" => operate(group, 4),
        "1006 status" => chat(1006, json!({"type": 1, "onlinestatus": 1})),
        "1007 profile" => chat(
            1007,
            json!({"nickname": role, "facetype": 0, "customface": "", "gender": 0, "birthday": 1,
                "signature": "s", "address": "", "phonenumber": "", "mail": ""}),
        ),
        "1008 password with a guess" => chat(
            1008,
            json!({"oldpassword": "a guess", "newpassword": "another"}),
        ),
        "1009 create a group" => chat(1009, json!({"groupname": "mine", "type": 0})),
        "1010 members" => chat(1010, json!({"groupid": group})),
        "1010 members of a user" => chat(1010, json!({"groupid": ann})),
        "1100 to a user" => Fields::chat(1100, 7, message("x")).int(ann),
        "1100 to a group" => Fields::chat(1100, 7, message("x")).int(group),
        "1101 to both" => {
            Fields::chat(1101, 7, message("x")).text(json!({"targets": [ann, group]}).to_string())
        }
        "1102 from a client" => Fields::chat(1102, 7, ""),
        "1103 a frame of a screen" => Fields::chat(1103, 7, "").text("head").text("data").int(ann),
        "1104 a new team" => Fields::chat(1104, 7, "").int(0).text("team").text(""),
        "1105 a remark" => Fields::chat(1105, 7, "").int(ann).text("remark"),
        "1106 to another team" => Fields::chat(1106, 7, "").int(ann).text("team").text(""),
        "1107 unknown" => Fields::chat(1107, 7, ""),
        other => panic!("no request for {other}"),
    }
}

/// What a packet says, in short: its command, and the code or how many it lists.
fn told(packet: &Packet) -> String {
    let mut told = packet.cmd.to_string();
    let data: Value = serde_json::from_str(packet.text()).unwrap_or_default();
    if let Some(code) = data["code"].as_i64() {
        write!(told, "={code}").unwrap();
    }
    if let Some(members) = data["members"].as_array() {
        write!(told, "*{}", members.len()).unwrap();
    }
    told
}

/// What the caller is answered, and what the owner's device hears.
fn outcome(world: &mut World, mut peer: Peer, fields: &Fields) -> String {
    peer.send_fields(fields);
    peer.try_send_raw(&Fields::chat(HEARTBEAT, LAST, "").packed(peer.flavor));
    let mut told_here = Vec::new();
    loop {
        match peer.try_next(PATIENCE) {
            Ok(packet) if (packet.cmd, packet.seq) == (HEARTBEAT, LAST) => break,
            Ok(packet) if packet.cmd == NOTICE => {}
            Ok(packet) => told_here.push(told(&packet)),
            Err(Nothing::Closed) => {
                told_here.push("closed".to_owned());
                break;
            }
            Err(Nothing::TimedOut) => panic!("neither an answer nor an end"),
        }
    }
    let heard = world.ann.barrier();
    let heard = heard.iter().filter(|packet| packet.cmd != NOTICE).map(told);
    let heard: Vec<_> = heard.collect();
    let join = |all: Vec<String>| match all.len() {
        0 => "-".to_owned(),
        _ => all.join("+"),
    };
    format!("{}>{}", join(told_here), join(heard))
}

/// A connection of this role, with nothing left unread.
fn caller(server: &Server, role: &str) -> Peer {
    let mut peer = server.peer(Flavor::Pc);
    if role == "nobody" {
        return peer;
    }
    let name = if role == "owner" { "ann" } else { role };
    peer.send(1002, 0, login_data(name, &password(name), 1, 1));
    peer.expect(1002);
    peer.barrier();
    peer
}

#[test]
fn every_command_answers_every_caller_as_the_table_says() {
    let server = Server::sqlite();
    let mut world = world(&server);
    let mut wrong = String::new();
    let mut numbers = BTreeSet::new();
    for line in include_str!("flamingo.txt").lines() {
        if line.starts_with('#') {
            continue;
        }
        let (row, wanted) = line.split_once(" | ").expect("two columns");
        let row = row.trim();
        let number: i32 = row.split(' ').next().unwrap().parse().expect("a number");
        numbers.insert(number);
        let got = ROLES.map(|role| {
            let fields = request(&world, row, role);
            let peer = caller(&server, role);
            world.ann.barrier();
            outcome(&mut world, peer, &fields)
        });
        let got = got.join(" ");
        if got != wanted.trim() {
            writeln!(wrong, "{row} | {got}").unwrap();
        }
    }
    let known = (0..10_000).filter(|number| command::name(*number).is_some());
    let without: Vec<_> = known.filter(|number| !numbers.contains(number)).collect();
    assert!(without.is_empty(), "commands without a row: {without:?}");
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn who_may_not_sign_in_may_not_log_in() {
    let server = Server::sqlite();
    let root = server.administrator("root");
    let dan = server.newcomer("dan");
    let ann = server.newcomer("ann");
    let made = ann.post("/bots", &json!({"username": "robot"})).ok(201);
    root.call(
        "POST",
        &format!("/admin/users/{}/disable", dan.user_id),
        None,
    )
    .ok(204);
    let token = text(&made["token"]);
    for (name, word) in [
        ("dan", password("dan").as_str()),
        ("dan", dan.token.as_str()),
        ("ann", ann.token.as_str()),
        ("robot", token.as_str()),
        ("robot", ""),
        ("robot", "robot"),
        ("nobody", "nobody"),
    ] {
        for flavor in [Flavor::Pc, Flavor::Android] {
            let refused = Person::try_login(server.peer(flavor), name, word);
            assert!(refused.is_err(), "{name} logs in");
        }
    }
}
