//! Rows 62 to 80: messages, teams and remarks, and what outlives a restart.

use std::time::Duration;

use myim_tests::person::{Heard, Person, befriend, message, remote_frame};
use myim_tests::server::{Db, Kind, Server, Setup};
use myim_tests::wire::{Fields, Flavor};
use serde_json::{Value, json};

tests! {
    sqlite:
        row_062_chat_to_somebody_online,
        row_063_chat_to_somebody_offline,
        row_064_raw_control_characters,
        row_065_what_is_no_message,
        row_066_missing_target_closes,
        row_067_stored_as_it_was,
        row_068_group_chat,
        row_069_multi_chat,
        row_070_pictures_keep_their_order,
        row_071_unknown_members_are_kept,
        row_072_remote_desktop_frames,
        row_073_teams,
        row_074_remarks,
        row_075_moving_to_a_team,
        row_076_missing_fields_close,
        row_077_contacts_outlive_a_restart,
        row_078_numbers_of_pushes,
        row_080_offline_messages_outlive_a_restart;
    mariadb:
        row_062_chat_to_somebody_online,
        row_063_chat_to_somebody_offline,
        row_067_stored_as_it_was,
        row_068_group_chat,
        row_069_multi_chat,
        row_073_teams,
        row_077_contacts_outlive_a_restart,
        row_080_offline_messages_outlive_a_restart,
}

fn row_062_chat_to_somebody_online(server: &mut Server) {
    let (mut ann, mut bob) = server.friends();
    let content = json!([{"msgText": "hello 你好 😀"}, {"faceID": 101}, {"msgText": "bye"}]);
    let mut sent = json!({
        "msgType": 1, "time": 1_434_167, "clientType": 1,
        "font": ["微软雅黑", 12, 0, 0, 0, 0], "content": content,
    });
    let seq = ann.send_chat(bob.id, sent.to_string());
    let heard = bob.hear();
    assert_eq!((heard.from, heard.to, heard.seq), (ann.id, bob.id, seq));
    let time = heard.json["time"].as_i64().expect("whole seconds");
    assert!(time > 1_750_000_000, "the server's time, not {time}");
    sent["time"] = json!(time);
    assert_eq!(heard.json, sent);
    ann.silent();
    bob.silent();
}

fn row_063_chat_to_somebody_offline(server: &mut Server) {
    let (mut ann, bob) = server.friends();
    bob.hang_up_and_wait(&mut ann);
    let mut cid = server.join("cid", Flavor::Pc);
    let texts = ["one", "two", "three"];
    let seqs: Vec<_> = texts.iter().map(|text| ann.say(2, text)).collect();
    ann.silent();
    cid.operate(2, 1, None);
    cid.silent();
    // The times are whole seconds: silence for a little more than one tells them apart.
    ann.quiet_for(Duration::from_millis(1100));
    ann.say(2, "four");
    ann.silent();
    let mut bob = server.login("bob", Flavor::Pc);
    assert_eq!(bob.next_packet().cmd, 1005, "notifications come first");
    let heard: Vec<_> = (0..4).map(|_| Heard::read(&bob.next_packet())).collect();
    assert_eq!(
        heard.iter().map(Heard::text).collect::<Vec<_>>(),
        ["one", "two", "three", "four"]
    );
    assert_eq!(
        heard.iter().take(3).map(|one| one.seq).collect::<Vec<_>>(),
        seqs
    );
    let times: Vec<_> = heard
        .iter()
        .map(|one| one.json["time"].as_i64().unwrap())
        .collect();
    assert!(times[0] < times[3], "original times: {times:?}");
    bob.silent();
    // Exactly once.
    bob.hang_up_and_wait(&mut ann);
    server.login("bob", Flavor::Pc).silent();
}

fn row_064_raw_control_characters(server: &mut Server) {
    let (mut ann, mut bob) = server.friends();
    let text = "line\r\nnext\ttab";
    let data = format!(r#"{{"msgType":1,"time":1,"content":[{{"msgText":"{text}"}}]}}"#);
    ann.send_chat(bob.id, data);
    // `hear` parses strictly.
    assert_eq!(bob.hear().text(), text);
}

fn row_065_what_is_no_message(server: &mut Server) {
    let (mut ann, mut bob) = server.friends();
    for data in [
        "not json", "", "[]", "1", "\"x\"", "{", "{\"a\":}", "\u{0}", "true",
    ] {
        ann.send_chat(bob.id, data);
        ann.silent();
    }
    ann.say(bob.id, "later");
    assert_eq!(bob.hear().text(), "later");
}

fn row_066_missing_target_closes(server: &mut Server) {
    let (mut ann, mut bob) = server.friends();
    ann.request(1100, message("to whom?"));
    ann.closed();
    let mut ann = server.login("ann", Flavor::Pc);
    ann.request_with(1100, message("to whom?"), |fields| fields.raw([0, 0, 2]));
    ann.closed_at_last();
    bob.silent_but_notices();
}

fn row_067_stored_as_it_was(server: &mut Server) {
    let (mut ann, bob) = server.friends();
    bob.hang_up_and_wait(&mut ann);
    let text = r#"it's "quoted" \ back 😀🏳️‍🌈 é %s %00"#;
    let sent = json!({"msgType": 1, "time": 5, "content": [{"msgText": text}]}).to_string();
    ann.send_chat(2, &sent);
    ann.silent();
    server.stop();
    server.again();
    let heard = server.login("bob", Flavor::Android).hear();
    assert_eq!((heard.from, heard.to), (1, 2));
    assert_eq!(heard.text(), text);
}

fn row_068_group_chat(server: &mut Server) {
    let mut ann = server.join("ann", Flavor::Pc);
    let mut bob = server.join("bob", Flavor::Android);
    let mut cid = server.join("cid", Flavor::Pc);
    let mut eve = server.join("eve", Flavor::Pc);
    let group = ann.create_group("g");
    bob.join_group(group);
    cid.join_group(group);
    befriend(&mut cid, &mut ann);
    cid.hang_up_and_wait(&mut ann);
    let seq = ann.say(group, "to all");
    let heard = bob.hear();
    assert_eq!((heard.from, heard.to, heard.seq), (ann.id, group, seq));
    ann.silent_but_notices();
    eve.say(group, "let me in");
    eve.silent();
    ann.say(group, "again");
    bob.hears(&["again"]);
    let mut cid = server.login("cid", Flavor::Pc);
    let heard = cid.hear();
    assert_eq!(
        (heard.text(), heard.from, heard.to),
        ("to all", ann.id, group)
    );
    cid.hears(&["again"]);
    for person in [&mut ann, &mut bob, &mut cid, &mut eve] {
        person.silent_but_notices();
    }
}

fn row_069_multi_chat(server: &mut Server) {
    let (mut ann, mut bob) = server.friends();
    let mut cid = server.join("cid", Flavor::Android);
    befriend(&mut ann, &mut cid);
    let group = ann.create_group("g");
    bob.join_group(group);
    ann.forget();
    let seq = ann.say_to_all(
        &[json!(bob.id), json!("x"), json!(cid.id), json!(group)],
        "multi",
    );
    let at_bob = [bob.hear(), bob.hear()];
    assert_eq!(
        at_bob.each_ref().map(|heard| (heard.to, heard.seq)),
        [(bob.id, seq), (group, seq)]
    );
    assert_eq!(cid.hear().to, cid.id);
    for targets in [
        r#"{"targets": 3}"#,
        "bad",
        r#"{"targets": []}"#,
        "{}",
        "[2,3]",
        "",
    ] {
        ann.request_with(1101, message("no"), |fields| fields.text(targets));
        ann.silent();
    }
    // Whoever is named twice gets it once.
    ann.say_to_all(&[json!(bob.id), json!(bob.id)], "once");
    // Nobody has so many contacts.
    let many = (0..3001).map(|number| json!(bob.id + number));
    ann.say_to_all(&many.collect::<Vec<_>>(), "to the whole world");
    ann.say(bob.id, "later");
    bob.hears(&["once", "later"]);
    ann.request(1101, message("no targets at all"));
    ann.closed();
}

fn row_070_pictures_keep_their_order(server: &mut Server) {
    let (mut ann, mut bob) = server.friends();
    let name = "0123456789abcdef0123456789abcdef";
    let file = format!("{name}.jpg");
    let kinds = [
        json!({"msgType": 1, "time": 1, "content": [{"pic": [file, file, 0, 50, 60]}]}),
        json!({"msgType": 2, "time": 1, "content": [{"pic": [file, name, 400, 50, 60]}]}),
        json!({"msgType": 5, "time": 1, "content": [{"pic": ["/sd/p.jpg", name, 400, 0, 0]}]}),
    ];
    let check = |bob: &mut Person| {
        for sent in &kinds {
            let mut heard = bob.hear().json;
            heard["time"] = json!(1);
            assert_eq!(&heard, sent);
        }
    };
    for sent in &kinds {
        ann.send_chat(bob.id, sent.to_string());
    }
    check(&mut bob);
    bob.hang_up_and_wait(&mut ann);
    for sent in &kinds {
        ann.send_chat(2, sent.to_string());
    }
    ann.silent();
    check(&mut server.login("bob", Flavor::Pc));
}

fn row_071_unknown_members_are_kept(server: &mut Server) {
    let (mut ann, mut bob) = server.friends();
    let sent = concat!(
        r#"{"unknown":{"b":[1,2.5,-3,1e3,true,null,"\u4f60\/\"\\\n"],"a":{}},"#,
        r#""big":12345678901,"f":0.1,"msgType":77,"content":[]}"#
    );
    ann.send_chat(bob.id, sent);
    let heard = bob.find(|packet| packet.cmd == 1100);
    let mut json = heard.json();
    json.as_object_mut().unwrap().remove("time");
    let sent: Value = serde_json::from_str(sent).unwrap();
    assert_eq!(json["unknown"]["b"][3].as_f64(), Some(1000.0));
    json["unknown"]["b"][3] = sent["unknown"]["b"][3].clone();
    assert_eq!(json, sent);
    assert!(
        heard.text().contains("12345678901,"),
        "whole numbers stay whole"
    );
    ann.send_chat(bob.id, "{}");
    let object = bob.hear().json;
    assert_eq!(
        object.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["time"]
    );
}

fn row_072_remote_desktop_frames(server: &mut Server) {
    let (mut ann, mut bob) = server.friends();
    let (header, picture): (Vec<u8>, Vec<u8>) =
        ((0..40).collect(), (0..=255).cycle().take(5000).collect());
    let send = |ann: &mut Person, to: i32| {
        ann.request_with(1103, "", |fields| {
            fields.text(&header).text(&picture).int(to)
        })
    };
    let seq = send(&mut ann, bob.id);
    let frame = bob.expect(1103);
    assert_eq!((frame.seq, frame.text()), (seq, ""));
    assert_eq!(
        remote_frame(&frame),
        (header.clone(), picture.clone(), bob.id)
    );
    let group = ann.create_group("g");
    bob.join_group(group);
    for nobody in [group, 999_999, 0] {
        send(&mut ann, nobody);
        ann.silent_but_notices();
    }
    bob.hang_up_and_wait(&mut ann);
    send(&mut ann, 2);
    ann.silent();
    let mut bob = server.login("bob", Flavor::Pc);
    bob.silent();
    ann.request_with(1103, "", |fields| fields.text(&header).text(&picture));
    ann.closed_at_last();
}

const DEFAULT: &str = "My Friends";

/// Sends a change that must leave everything as it is: silence, or the unchanged list.
fn refused(ann: &mut Person, change: impl FnOnce(&mut Person) -> i32) {
    let before = ann.contacts();
    change(ann);
    for packet in ann.barrier() {
        assert_eq!((packet.cmd, &packet.json()), (1003, &before), "{packet:?}");
    }
    assert_eq!(ann.contacts(), before);
}

fn row_073_teams(server: &mut Server) {
    let (mut ann, bob) = server.friends();
    let seq = ann.change_team(0, "Work 同事", "");
    let list = ann.reply(1003, seq);
    let work = &list["userinfo"][1];
    assert_eq!(
        (&work["teamname"], &work["members"]),
        (&json!("Work 同事"), &json!([]))
    );
    refused(&mut ann, |ann| ann.change_team(0, "Work 同事", ""));
    let seq = ann.move_to_team(bob.id, "Work 同事", DEFAULT);
    ann.reply(1003, seq);
    // Renaming moves the friends along.
    let seq = ann.change_team(2, "Office", "Work 同事");
    ann.reply(1003, seq);
    assert_eq!(ann.teams(), [DEFAULT, "Office"]);
    assert_eq!(ann.member(bob.id).unwrap().0, "Office");
    refused(&mut ann, |ann| ann.change_team(2, DEFAULT, "Office"));
    refused(&mut ann, |ann| ann.change_team(2, "X", DEFAULT));
    refused(&mut ann, |ann| ann.change_team(1, "", DEFAULT));
    refused(&mut ann, |ann| ann.change_team(7, "x", "Office"));
    refused(&mut ann, |ann| ann.change_team(2, "X", "nowhere"));
    // Deleting brings them home.
    let seq = ann.change_team(1, "", "Office");
    ann.reply(1003, seq);
    assert_eq!(ann.teams(), [DEFAULT]);
    assert_eq!(ann.member(bob.id).unwrap().0, DEFAULT);
}

fn row_074_remarks(server: &mut Server) {
    let (mut ann, mut bob) = server.friends();
    let theirs = bob.contacts();
    for name in ["Bobby \"B\" 鲍", ""] {
        let seq = ann.mark(bob.id, name);
        let list = ann.reply(1003, seq);
        assert_eq!(list["userinfo"][0]["members"][0]["markname"], json!(name));
    }
    assert_eq!(bob.contacts(), theirs);
    refused(&mut ann, |ann| ann.mark(999, "nobody"));
    let group = ann.create_group("g");
    let seq = ann.mark(group, "ours");
    ann.reply(1003, seq);
    assert_eq!(ann.member(group).unwrap().1["markname"], "ours");
}

fn row_075_moving_to_a_team(server: &mut Server) {
    let (mut ann, bob) = server.friends();
    // With no team of her own there is nowhere to go.
    refused(&mut ann, |ann| ann.move_to_team(bob.id, "Work", DEFAULT));
    let seq = ann.change_team(0, "Work", "");
    ann.reply(1003, seq);
    refused(&mut ann, |ann| ann.move_to_team(bob.id, "Nope", DEFAULT));
    refused(&mut ann, |ann| ann.move_to_team(bob.id, DEFAULT, DEFAULT));
    refused(&mut ann, |ann| ann.move_to_team(bob.id, "", DEFAULT));
    refused(&mut ann, |ann| ann.move_to_team(999, "Work", DEFAULT));
    let seq = ann.move_to_team(bob.id, "Work", DEFAULT);
    let list = ann.reply(1003, seq);
    assert_eq!(list["userinfo"][0]["members"], json!([]));
    assert_eq!(list["userinfo"][1]["members"][0]["userid"], bob.id);
}

fn row_076_missing_fields_close(server: &mut Server) {
    server.register("ann");
    for (cmd, tail) in [
        (1104, Fields(vec![])),
        (1104, Fields(vec![]).int(0)),
        (1104, Fields(vec![]).int(0).text("new")),
        (1105, Fields(vec![])),
        (1105, Fields(vec![]).int(2)),
        (1106, Fields(vec![]).int(2)),
        (1106, Fields(vec![]).int(2).text("new")),
        (1106, Fields(vec![]).int(2).text("new").raw([5, b'o'])),
    ] {
        let mut ann = server.login("ann", Flavor::Pc);
        ann.request_with(cmd, "", |fields| fields.raw(tail.0));
        ann.closed();
    }
}

fn row_077_contacts_outlive_a_restart(server: &mut Server) {
    let (mut ann, bob) = server.friends();
    let group = ann.create_group("g");
    for seq in [
        ann.change_team(0, "Work", ""),
        ann.move_to_team(bob.id, "Work", DEFAULT),
        ann.mark(bob.id, "Bobby"),
    ] {
        ann.reply(1003, seq);
    }
    server.crash();
    let mut ann = server.login("ann", Flavor::Pc);
    assert_eq!(ann.teams(), [DEFAULT, "Work"]);
    let (team, entry) = ann.member(2).unwrap();
    assert_eq!(
        (team.as_str(), &entry["markname"]),
        ("Work", &json!("Bobby"))
    );
    assert_eq!(ann.member(group).unwrap().0, DEFAULT);
    assert_eq!(ann.group_members(group).len(), 1);
    assert!(server.login("bob", Flavor::Pc).member(1).is_some());
}

fn row_078_numbers_of_pushes(server: &mut Server) {
    let (mut ann, mut bob) = server.friends();
    bob.send(1000, 40, "");
    bob.expect(1000);
    ann.request(1006, json!({"type": 1, "onlinestatus": 2}).to_string());
    // No client looks at it; the original sends the receiver's last number plus one.
    assert_eq!(bob.notice().seq, 41);
    let seq = ann.say(bob.id, "x");
    assert_eq!(bob.hear().seq, seq);
    let seq = ann.operate(bob.id, 4, None);
    assert_eq!(bob.expect(1005).seq, seq);
}

fn row_080_offline_messages_outlive_a_restart(server: &mut Server) {
    let (mut ann, bob) = server.friends();
    let group = ann.create_group("g");
    bob.hang_up_and_wait(&mut ann);
    let mut bob = server.login("bob", Flavor::Android);
    bob.join_group(group);
    bob.hang_up_and_wait(&mut ann);
    for text in ["one", "two", "three"] {
        ann.say(2, text);
    }
    ann.say(group, "group");
    ann.silent_but_notices();
    server.crash();
    let mut bob = server.login("bob", Flavor::Android);
    bob.hears(&["one", "two", "three", "group"]);
    bob.silent();
}

#[test]
fn row_079_an_idle_android_stays_a_silent_pc_goes() {
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .chat_flag("--idle-timeout-pc-s", "1")
        .start();
    let mut phone = server.join("phone", Flavor::Android);
    let mut never_beat = server.join("quiet", Flavor::Pc);
    let mut pc = server.join("pc", Flavor::Pc);
    for peer in [&mut phone, &mut pc] {
        peer.send(1000, 1, "");
        peer.expect(1000);
    }
    // The PC promised heartbeats by sending one, so its silence means something.
    pc.closed();
    phone.quiet_for(Duration::from_secs(2));
    phone.silent();
    never_beat.silent();
}
