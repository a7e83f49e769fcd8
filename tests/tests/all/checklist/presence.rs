//! Rows 50 to 55: who hears what about whom, profiles and passwords.

use myim_tests::person::{code, login_data, password};
use myim_tests::server::Server;
use myim_tests::wire::{Flavor, Packet};
use serde_json::{Value, json};

use super::accounts::is_profile;

tests! {
    sqlite:
        row_050_a_change_of_status,
        row_051_the_three_shapes_of_a_notice,
        row_052_going_off_line,
        row_053_strangers_hear_nothing,
        row_054_a_change_of_profile,
        row_055_a_change_of_password;
    mariadb:
        row_052_going_off_line,
        row_054_a_change_of_profile,
        row_055_a_change_of_password,
}

fn status(status: i32) -> String {
    json!({"type": 1, "onlinestatus": status}).to_string()
}

fn about(notice: &Packet) -> (Value, Vec<i32>) {
    assert_eq!(notice.cmd, 1006, "{notice:?}");
    (notice.json(), notice.ints())
}

fn row_050_a_change_of_status(server: &mut Server) {
    let (mut ann, mut bob) = server.friends();
    ann.request(1006, status(4));
    ann.silent();
    let expected = json!({"type": 1, "onlinestatus": 4, "clienttype": 1});
    assert_eq!(about(&bob.notice()), (expected, vec![ann.id]));
    assert_eq!(bob.member(ann.id).unwrap().1["status"], 4);
    // The same status again is no news.
    ann.request(1006, status(4));
    ann.silent();
    for broken in ["", "{}", r#"{"type": 1, "onlinestatus": "1"}"#] {
        ann.request(1006, broken);
        ann.silent();
    }
    ann.say(bob.id, "later");
    assert_eq!(bob.next_packet().cmd, 1100);
}

fn row_051_the_three_shapes_of_a_notice(server: &mut Server) {
    let (ann, mut bob) = server.friends();
    let id = ann.id;
    ann.hang_up();
    assert_eq!(
        about(&bob.notice()),
        (json!({"type": 2, "onlinestatus": 0}), vec![id])
    );
    let mut ann = server.login("ann", Flavor::Android);
    let online = json!({"type": 1, "onlinestatus": 3, "clienttype": 2});
    assert_eq!(about(&bob.notice()), (online, vec![id]));
    update(&mut ann, &profile("new"));
    assert_eq!(about(&bob.notice()), (json!({"type": 3}), vec![id]));
}

fn row_052_going_off_line(server: &mut Server) {
    let (ann, mut bob) = server.friends();
    let mut phone = server.login("ann", Flavor::Android);
    bob.notice();
    ann.hang_up();
    // With a device left it is no departure: nothing, or a word about what is left.
    phone.say(bob.id, "still here");
    loop {
        let packet = bob.next_packet();
        if packet.cmd == 1100 {
            break;
        }
        assert_eq!(packet.json()["type"], 1, "{packet:?}");
    }
    let id = phone.id;
    phone.hang_up();
    let gone = bob.find(|packet| packet.cmd == 1006 && packet.json()["type"] == 2);
    assert_eq!(
        about(&gone),
        (json!({"type": 2, "onlinestatus": 0}), vec![id])
    );
    assert_eq!(bob.member(id).unwrap().1["status"], 0);
}

fn row_053_strangers_hear_nothing(server: &mut Server) {
    let mut ann = server.join("ann", Flavor::Pc);
    let mut bob = server.join("bob", Flavor::Pc);
    let stranger = server.join("cid", Flavor::Pc);
    let group = ann.create_group("g");
    bob.join_group(group);
    ann.notice();
    stranger.hang_up();
    bob.request(1006, status(2));
    bob.silent();
    update(&mut bob, &profile("new"));
    bob.say(group, "later");
    assert_eq!(
        ann.next_packet().cmd,
        1100,
        "co-members and strangers are not announced"
    );
    bob.hang_up();
    server.login("bob", Flavor::Android).say(group, "again");
    assert_eq!(ann.next_packet().cmd, 1100);
}

fn profile(nickname: &str) -> Value {
    json!({
        "nickname": nickname, "facetype": 7, "customface": "d41d8cd98f00b204e9800998ecf8427e",
        "gender": 1, "birthday": 19_991_231, "signature": "it's \"me\" 😀", "address": "Shanghai",
        "phonenumber": "13800000000", "mail": "a@b.example",
    })
}

fn update(person: &mut myim_tests::person::Person, profile: &Value) -> Value {
    let reply = person.ask(1007, profile.to_string());
    assert_eq!(code(&reply), 0, "{reply}");
    reply
}

fn row_054_a_change_of_profile(server: &mut Server) {
    let (mut ann, mut bob) = server.friends();
    let group = ann.create_group("g");
    let wanted = profile("Neu 新");
    let reply = update(&mut ann, &wanted);
    is_profile(&reply);
    assert_eq!(
        (&reply["userid"], &reply["username"]),
        (&json!(ann.id), &json!("ann"))
    );
    assert_eq!(about(&bob.notice()), (json!({"type": 3}), vec![ann.id]));
    let listed = bob.member(ann.id).unwrap().1;
    let member = ann.group_members(group)[0].clone();
    let login = server.login("ann", Flavor::Android).login;
    for (key, value) in wanted.as_object().unwrap() {
        for shown in [&reply, &listed, &member, &login] {
            assert_eq!(&shown[key], value, "{key} in {shown}");
        }
    }
    assert_eq!(bob.search("ann")[0]["nickname"], "Neu 新");
    // All nine are needed.
    for key in wanted.as_object().unwrap().keys() {
        let mut part = wanted.clone();
        part.as_object_mut().unwrap().remove(key);
        part["nickname"] = json!("never");
        if key == "nickname" {
            part.as_object_mut().unwrap().remove("nickname");
        }
        ann.request(1007, part.to_string());
        for packet in ann.barrier() {
            assert_eq!(
                (packet.cmd, code(&packet.json())),
                (1007, 104),
                "without {key}"
            );
        }
    }
    assert_eq!(bob.search("ann")[0]["nickname"], "Neu 新");
}

fn row_055_a_change_of_password(server: &mut Server) {
    let mut ann = server.join("ann", Flavor::Pc);
    let mut change = |old: &str, new: &str| {
        let data = json!({"oldpassword": old, "newpassword": new}).to_string();
        code(&ann.ask(1008, data))
    };
    assert_eq!(change("wrong", "new"), 103);
    assert_eq!(change(&password("ann"), "neu 新"), 0);
    let mut peer = server.peer(Flavor::Android);
    for (word, answer) in [(password("ann"), 103), ("neu 新".to_owned(), 0)] {
        peer.send(1002, 0, login_data("ann", &word, 2, 3));
        assert_eq!(code(&peer.expect(1002).json()), answer);
    }
    // The session that changed it stays logged in.
    ann.silent();
    assert_eq!(ann.teams().len(), 1);
}
