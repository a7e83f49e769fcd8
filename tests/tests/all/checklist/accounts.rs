//! Rows 20 to 33: registration, login, and who is kicked by whom.

use myim_tests::peer::PATIENCE;
use myim_tests::person::{GROUP_FIRST, Person, code, login_data, password, register};
use myim_tests::server::Server;
use myim_tests::wire::{Fields, Flavor};
use serde_json::{Value, json};

tests! {
    sqlite:
        row_020_register_new_again_and_as_a_group,
        row_021_register_with_something_missing,
        row_022_register_does_not_log_in,
        row_023_ids_count_from_1_across_a_restart,
        row_024_unknown_name_then_retry,
        row_025_wrong_password_does_not_log_in,
        row_026_login_with_a_bad_client_type,
        row_027_login_reply_has_all_members,
        row_028_long_nickname_is_cut_for_the_pc,
        row_029_groups_cannot_log_in,
        row_030_second_pc_kicks_the_first,
        row_031_pc_and_android_together,
        row_032_pc_reconnect_with_client_type_0,
        row_033_login_again_on_the_same_connection;
    mariadb:
        row_020_register_new_again_and_as_a_group,
        row_023_ids_count_from_1_across_a_restart,
        row_024_unknown_name_then_retry,
        row_025_wrong_password_does_not_log_in,
        row_028_long_nickname_is_cut_for_the_pc,
        row_030_second_pc_kicks_the_first,
}

fn row_020_register_new_again_and_as_a_group(server: &mut Server) {
    assert_eq!(register(server.chat, "ann", "Ann", &password("ann")), 0);
    assert_eq!(register(server.chat, "ann", "Other", "other"), 101);
    // So is what people take for it: with capitals, or with letters of another script.
    for alike in ["Ann", "аnn"] {
        assert_eq!(register(server.chat, alike, "Other", "other"), 101);
    }
    assert_eq!(register(server.chat, "anna", "Other", "other"), 0);
    let group = server.login("ann", Flavor::Pc).create_group("grp");
    assert_eq!(register(server.chat, &group.to_string(), "x", "xxx"), 101);
}

fn row_021_register_with_something_missing(server: &mut Server) {
    let mut peer = server.peer(Flavor::Pc);
    for data in [
        r#"{"username": "x"#,
        r#"{"username": "x", "password": "xxx"}"#,
        r#"{"username": "x", "nickname": 5, "password": "xxx"}"#,
        r#"{"username": null, "nickname": "x", "password": "xxx"}"#,
        "",
        "[]",
        "1",
    ] {
        peer.send(1001, 1, data);
        for reply in peer.barrier() {
            assert_eq!((reply.cmd, code(&reply.json())), (1001, 100), "{data}");
        }
    }
}

fn row_022_register_does_not_log_in(server: &mut Server) {
    let mut peer = server.peer(Flavor::Pc);
    let data = json!({"username": "ann", "nickname": "Ann", "password": "xxx"});
    peer.send(1001, 0, data.to_string());
    assert_eq!(code(&peer.expect(1001).json()), 0);
    peer.send(1003, 1, "");
    assert_eq!(code(&peer.expect(1003).json()), 2);
}

fn row_023_ids_count_from_1_across_a_restart(server: &mut Server) {
    let ids = ["ann", "bob"].map(|name| server.join(name, Flavor::Pc).id);
    assert_eq!(ids, [1, 2]);
    let group = server.login("ann", Flavor::Pc).create_group("g");
    assert_eq!(group, GROUP_FIRST);
    server.stop();
    server.again();
    assert_eq!(server.join("cid", Flavor::Pc).id, 3);
    assert_eq!(
        server.login("ann", Flavor::Pc).create_group("g"),
        GROUP_FIRST + 1
    );
}

fn row_024_unknown_name_then_retry(server: &mut Server) {
    let mut peer = server.peer(Flavor::Pc);
    peer.send(1002, 0, login_data("ann", &password("ann"), 1, 1));
    assert_eq!(code(&peer.expect(1002).json()), 102);
    server.register("ann");
    assert_eq!(Person::login(peer, "ann", &password("ann")).id, 1);
}

fn row_025_wrong_password_does_not_log_in(server: &mut Server) {
    server.register("ann");
    let mut peer = server.peer(Flavor::Android);
    peer.send(1002, 0, login_data("ann", "wrong", 2, 3));
    assert_eq!(code(&peer.expect(1002).json()), 103);
    peer.send(1003, 1, "");
    assert_eq!(code(&peer.expect(1003).json()), 2);
    peer.silent();
}

fn row_026_login_with_a_bad_client_type(server: &mut Server) {
    server.register("ann");
    let mut peer = server.peer(Flavor::Pc);
    let whole: Value = serde_json::from_str(&login_data("ann", &password("ann"), 1, 1)).unwrap();
    for (key, value) in [
        ("clienttype", None),
        ("clienttype", Some(json!("1"))),
        ("clienttype", Some(json!(true))),
        ("clienttype", Some(json!(1.5))),
        ("status", None),
        ("password", None),
        ("username", Some(json!(1))),
    ] {
        let mut data = whole.clone();
        match value {
            Some(value) => data[key] = value,
            None => drop(data.as_object_mut().unwrap().remove(key)),
        }
        peer.send(1002, 0, data.to_string());
        for reply in peer.barrier() {
            assert_ne!(code(&reply.json()), 0, "{data}");
        }
    }
    peer.send(1003, 1, "");
    assert_eq!(code(&peer.expect(1003).json()), 2);
}

/// The members of a profile and whether they are numbers.
pub(super) const PROFILE: [(&str, bool); 11] = [
    ("userid", true),
    ("username", false),
    ("nickname", false),
    ("facetype", true),
    ("customface", false),
    ("gender", true),
    ("birthday", true),
    ("signature", false),
    ("address", false),
    ("phonenumber", false),
    ("mail", false),
];

/// All members are there and have their types; null is no type.
pub(super) fn is_profile(json: &Value) {
    for (key, number) in PROFILE {
        let fits = if number {
            json[key].is_i64()
        } else {
            json[key].is_string()
        };
        assert!(fits, "{key} in {json}");
    }
}

fn row_027_login_reply_has_all_members(server: &mut Server) {
    for flavor in [Flavor::Pc, Flavor::Android] {
        let name = format!("{flavor:?}");
        let ann = server.join(&name, flavor);
        assert_eq!(ann.login.as_object().unwrap().len(), 13, "{}", ann.login);
        is_profile(&ann.login);
        assert_eq!(
            (&ann.login["code"], &ann.login["msg"]),
            (&json!(0), &json!("ok"))
        );
        assert_eq!(ann.login["username"], json!(name));
        assert_eq!(ann.login["birthday"], 19_900_101);
    }
}

fn row_028_long_nickname_is_cut_for_the_pc(server: &mut Server) {
    let nickname = "火".repeat(15);
    assert_eq!(nickname.len(), 45);
    assert_eq!(register(server.chat, "ann", &nickname, &password("ann")), 0);
    let on_pc = server.login("ann", Flavor::Pc).login;
    let shown = on_pc["nickname"].as_str().unwrap();
    assert!(shown.len() <= 31, "the PC's buffer: {shown}");
    assert!(nickname.starts_with(shown) && shown.len() >= 28);
    let on_android = server.login("ann", Flavor::Android).login;
    assert_eq!(on_android["nickname"], json!(nickname));
}

fn row_029_groups_cannot_log_in(server: &mut Server) {
    let group = server.join("ann", Flavor::Pc).create_group("g");
    let mut peer = server.peer(Flavor::Pc);
    for password in ["", "x"] {
        peer.send(1002, 0, login_data(&group.to_string(), password, 1, 1));
        assert!([102, 103].contains(&code(&peer.expect(1002).json())));
    }
}

fn row_030_second_pc_kicks_the_first(server: &mut Server) {
    let (mut ann, mut bob) = server.friends();
    let mut second = server.login("ann", Flavor::Pc);
    let kick = ann.expect(1102);
    assert_eq!((kick.seq, kick.text(), kick.rest.len()), (0, "", 0));
    // The kicked one may do nothing any more, and is hung up on before long.
    ann.try_send_raw(&Fields::chat(1003, 1, "").packed(Flavor::Pc));
    if let Ok(reply) = ann.try_next(PATIENCE) {
        assert_eq!((reply.cmd, code(&reply.json())), (1003, 2));
        ann.closed();
    }
    // Friends hear that she is on line, and not that the old connection went away.
    second.say(bob.id, "still here");
    let heard = bob.find(|packet| packet.cmd == 1100);
    assert_eq!(heard.ints(), [second.id, bob.id]);
    for notice in bob.barrier() {
        assert_eq!(notice.json()["type"], 1, "{notice:?}");
    }
    assert_eq!(bob.member(second.id).unwrap().1["status"], 1);
}

fn row_031_pc_and_android_together(server: &mut Server) {
    let (mut ann, mut bob) = server.friends();
    let mut phone = server.login("bob", Flavor::Android);
    // What this device never had may be told again; here only the message counts.
    phone.forget();
    ann.say(bob.id, "both?");
    assert_eq!(bob.hear().text(), "both?");
    assert_eq!(phone.hear().text(), "both?");
    bob.silent_but_notices();
    phone.silent_but_notices();
}

fn row_032_pc_reconnect_with_client_type_0(server: &mut Server) {
    let (mut ann, mut bob) = server.friends();
    let mut again = server.peer(Flavor::Pc);
    again.send(1002, 0, login_data("ann", &password("ann"), 0, 4));
    assert_eq!(code(&again.expect(1002).json()), 0);
    ann.expect(1102);
    let notice = bob.notice();
    assert_eq!(
        notice.json(),
        json!({"type": 1, "onlinestatus": 1, "clienttype": 1})
    );
    assert_eq!(notice.ints(), [ann.id]);
    let listed = bob.member(ann.id).unwrap().1;
    assert_eq!(
        (&listed["status"], &listed["clienttype"]),
        (&json!(1), &json!(1))
    );
}

fn row_033_login_again_on_the_same_connection(server: &mut Server) {
    let mut ann = server.join("ann", Flavor::Pc);
    let reply = ann.ask(1002, login_data("ann", &password("ann"), 1, 1));
    assert_eq!(code(&reply), 0);
    ann.silent();
    assert_eq!(ann.teams(), ["My Friends"]);
    let wrong = ann.ask(1002, login_data("ann", "wrong", 1, 1));
    assert_eq!(code(&wrong), 103);
}
