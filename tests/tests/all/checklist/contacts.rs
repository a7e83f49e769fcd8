//! Rows 34 to 49: the contact list, searching, and the life of a friendship.

use myim_tests::person::{Person, befriend, code, password, register};
use myim_tests::server::Server;
use myim_tests::wire::{Flavor, Packet};
use serde_json::json;

use super::accounts::is_profile;

tests! {
    sqlite:
        row_034_contacts_of_a_fresh_user,
        row_035_a_friend_in_the_list,
        row_036_a_group_in_the_list,
        row_037_150_friends_fit_an_android,
        row_038_quotes_and_backslashes,
        row_039_search,
        row_040_apply_to_somebody_online,
        row_041_apply_to_somebody_offline,
        row_042_apply_to_a_friend,
        row_043_accept,
        row_044_refuse,
        row_045_accept_what_nobody_asked,
        row_046_answer_without_accept,
        row_047_the_gson_form,
        row_048_delete_a_friend,
        row_049_unknown_kinds_reach_nobody;
    mariadb:
        row_035_a_friend_in_the_list,
        row_038_quotes_and_backslashes,
        row_041_apply_to_somebody_offline,
        row_043_accept,
        row_045_accept_what_nobody_asked,
        row_048_delete_a_friend,
}

fn row_034_contacts_of_a_fresh_user(server: &mut Server) {
    let mut ann = server.join("ann", Flavor::Pc);
    let expected = json!([{"members": [], "teamname": "My Friends"}]);
    assert_eq!(ann.contacts()["userinfo"], expected);
}

fn row_035_a_friend_in_the_list(server: &mut Server) {
    let (mut ann, bob) = server.friends();
    let listed = |ann: &mut Person| {
        let (team, member) = ann.member(2).expect("bob is listed");
        assert_eq!(team, "My Friends");
        assert_eq!(member.as_object().unwrap().len(), 14, "{member}");
        is_profile(&member);
        assert_eq!(member["markname"], "");
        (member["status"].clone(), member["clienttype"].clone())
    };
    assert_eq!(listed(&mut ann), (json!(1), json!(1)));
    bob.hang_up_and_wait(&mut ann);
    assert_eq!(listed(&mut ann), (json!(0), json!(0)));
    let _phone = server.login("bob", Flavor::Android);
    ann.notice();
    assert_eq!(listed(&mut ann), (json!(3), json!(2)));
}

fn row_036_a_group_in_the_list(server: &mut Server) {
    let mut ann = server.join("ann", Flavor::Pc);
    let group = ann.create_group("Group 群");
    let (team, member) = ann.member(group).expect("the group is listed");
    assert_eq!(team, "My Friends");
    assert!(group >= 268_435_456);
    assert_eq!(member["username"], json!(group.to_string()));
    assert_eq!(member["nickname"], "Group 群");
    assert_eq!(
        (&member["status"], &member["clienttype"]),
        (&json!(0), &json!(0))
    );
    assert_eq!(member["facetype"], 0);
    assert_eq!(member["birthday"], 19_900_101);
}

fn row_037_150_friends_fit_an_android(server: &mut Server) {
    let mut ann = server.join("ann", Flavor::Android);
    for number in 0..150 {
        let name = format!("friend-{number:06}");
        let nickname = "火烈鸟聊天服务".to_owned() + &number.to_string();
        assert_eq!(register(server.chat, &name, &nickname, &password(&name)), 0);
        let mut friend = server.login(&name, Flavor::Android);
        befriend(&mut friend, &mut ann);
        friend.hang_up_and_wait(&mut ann);
    }
    // `Peer` checks the size of everything an Android receives.
    assert_eq!(ann.members().len(), 150);
}

fn row_038_quotes_and_backslashes(server: &mut Server) {
    let nickname = r#"a"b\c'd"#;
    for name in ["ann", "bob"] {
        assert_eq!(register(server.chat, name, nickname, &password(name)), 0);
    }
    let mut ann = server.login("ann", Flavor::Pc);
    let mut bob = server.login("bob", Flavor::Android);
    befriend(&mut ann, &mut bob);
    for login in [&ann.login, &bob.login] {
        assert_eq!(login["nickname"], nickname);
    }
    assert_eq!(bob.member(ann.id).unwrap().1["nickname"], nickname);
    assert_eq!(ann.search("bob")[0]["nickname"], nickname);
    let group = ann.create_group(nickname);
    assert_eq!(ann.member(group).unwrap().1["nickname"], nickname);
    assert_eq!(ann.group_members(group)[0]["nickname"], nickname);
    let seq = ann.change_team(0, nickname, "");
    assert!(ann.reply(1003, seq).to_string().contains("a\\\"b"));
    assert_eq!(ann.teams(), ["My Friends", nickname]);
}

fn row_039_search(server: &mut Server) {
    let mut ann = server.join("ann", Flavor::Pc);
    let bob = server.join("bob", Flavor::Android);
    let group = ann.create_group("grp");
    for kind in [0, 1, 2] {
        let mut find = |name: &str| {
            let data = json!({"type": kind, "username": name}).to_string();
            let reply = ann.ask(1004, data);
            assert_eq!(code(&reply), 0);
            reply["userinfo"].clone()
        };
        let expected = |id: i32, username: &str, nickname: &str| json!([{"userid": id, "username": username, "nickname": nickname, "facetype": 0}]);
        assert_eq!(find("bob"), expected(bob.id, "bob", "bob"));
        assert_eq!(
            find(&group.to_string()),
            expected(group, &group.to_string(), "grp")
        );
        for nobody in ["nobody", "", "BOB", "bob ", "%", "268435999"] {
            assert_eq!(find(nobody), json!([]), "{nobody:?}");
        }
    }
}

/// What a 1005 says: the other's id, the kind, the name, and for answers whether accepted.
fn operation(packet: &Packet) -> (i64, i64, String, Option<i64>) {
    assert_eq!(packet.cmd, 1005, "{packet:?}");
    assert!(packet.rest.is_empty(), "{packet:?}");
    let json = packet.json();
    let number = |key: &str| json[key].as_i64();
    let name = json["username"]
        .as_str()
        .expect("always a string")
        .to_owned();
    (
        number("userid").unwrap(),
        number("type").unwrap(),
        name,
        number("accept"),
    )
}

fn told(id: i32, kind: i64, name: &str, accept: Option<i64>) -> (i64, i64, String, Option<i64>) {
    (i64::from(id), kind, name.to_owned(), accept)
}

fn row_040_apply_to_somebody_online(server: &mut Server) {
    let mut ann = server.join("ann", Flavor::Pc);
    let mut bob = server.join("bob", Flavor::Android);
    let seq = ann.operate(bob.id, 1, None);
    ann.silent();
    let push = bob.next_packet();
    assert_eq!(operation(&push), told(ann.id, 2, "ann", None));
    assert_eq!(push.seq, seq);
}

fn row_041_apply_to_somebody_offline(server: &mut Server) {
    let mut ann = server.join("ann", Flavor::Pc);
    server.register("bob");
    let seq = ann.operate(2, 1, None);
    ann.silent();
    let mut bob = server.login("bob", Flavor::Pc);
    let push = bob.next_packet();
    assert_eq!(
        (operation(&push), push.seq),
        (told(ann.id, 2, "ann", None), seq)
    );
    bob.silent();
}

fn row_042_apply_to_a_friend(server: &mut Server) {
    let (mut ann, mut bob) = server.friends();
    ann.operate(bob.id, 1, None);
    ann.silent();
    ann.say(bob.id, "later");
    bob.hears(&["later"]);
    // Oneself and nobody are no friends either.
    for whom in [ann.id, 999_999, 0, -1] {
        ann.operate(whom, 1, None);
        ann.silent();
    }
}

fn row_043_accept(server: &mut Server) {
    let mut ann = server.join("ann", Flavor::Pc);
    let mut bob = server.join("bob", Flavor::Android);
    ann.operate(bob.id, 1, None);
    bob.expect(1005);
    let seq = bob.operate(ann.id, 3, Some(1));
    let (at_bob, at_ann) = (bob.expect(1005), ann.expect(1005));
    assert_eq!(operation(&at_bob), told(ann.id, 3, "ann", Some(1)));
    assert_eq!(operation(&at_ann), told(bob.id, 3, "bob", Some(1)));
    assert_eq!([at_bob.seq, at_ann.seq], [seq, seq]);
    assert_eq!(bob.member(ann.id).unwrap().0, "My Friends");
    assert_eq!(ann.member(bob.id).unwrap().0, "My Friends");
    // Accepting twice makes no second friendship.
    bob.operate(ann.id, 3, Some(1));
    bob.forget();
    assert_eq!(bob.members().len(), 1);
}

fn row_044_refuse(server: &mut Server) {
    let mut ann = server.join("ann", Flavor::Pc);
    let mut bob = server.join("bob", Flavor::Pc);
    ann.operate(bob.id, 1, None);
    bob.expect(1005);
    bob.operate(ann.id, 3, Some(0));
    assert_eq!(
        operation(&bob.expect(1005)),
        told(ann.id, 3, "ann", Some(0))
    );
    assert_eq!(
        operation(&ann.expect(1005)),
        told(bob.id, 3, "bob", Some(0))
    );
    assert_eq!((bob.members().len(), ann.members().len()), (0, 0));
    // The application is used up.
    bob.operate(ann.id, 3, Some(1));
    bob.silent();
    assert_eq!(bob.members().len(), 0);
}

fn row_045_accept_what_nobody_asked(server: &mut Server) {
    let mut ann = server.join("ann", Flavor::Pc);
    let mut bob = server.join("bob", Flavor::Pc);
    for accept in [1, 0, 3] {
        ann.operate(bob.id, 3, Some(accept));
        ann.silent();
    }
    bob.silent();
    assert_eq!((bob.members().len(), ann.members().len()), (0, 0));
    // An application the other way round does not help.
    ann.operate(bob.id, 1, None);
    bob.expect(1005);
    ann.operate(bob.id, 3, Some(1));
    ann.silent();
    assert_eq!(ann.members().len(), 0);
}

fn row_046_answer_without_accept(server: &mut Server) {
    let mut ann = server.join("ann", Flavor::Pc);
    let mut bob = server.join("bob", Flavor::Pc);
    ann.operate(bob.id, 1, None);
    bob.expect(1005);
    bob.operate(ann.id, 3, None);
    bob.silent();
    ann.silent();
    bob.request(
        1005,
        json!({"userid": ann.id, "type": 3, "accept": "1"}).to_string(),
    );
    bob.silent();
    // It is still open.
    bob.operate(ann.id, 3, Some(1));
    bob.expect(1005);
    ann.expect(1005);
}

fn row_047_the_gson_form(server: &mut Server) {
    let mut ann = server.join("ann", Flavor::Android);
    let mut bob = server.join("bob", Flavor::Android);
    let apply = format!(r#"{{"id":0,"userid":{},"type":1,"accept":0}}"#, bob.id);
    ann.request(1005, apply);
    bob.expect(1005);
    let accept = format!(
        r#"{{"id":0,"userid":{},"type":3,"username":"ann","accept":1}}"#,
        ann.id
    );
    bob.request(1005, accept);
    assert_eq!(
        operation(&ann.expect(1005)),
        told(bob.id, 3, "bob", Some(1))
    );
    bob.expect(1005);
    bob.request(
        1005,
        format!(r#"{{"id":0,"userid":{},"type":4,"accept":0}}"#, ann.id),
    );
    assert_eq!(operation(&bob.expect(1005)), told(ann.id, 5, "ann", None));
}

fn row_048_delete_a_friend(server: &mut Server) {
    let (mut ann, mut bob) = server.friends();
    ann.operate(bob.id, 4, None);
    assert_eq!(operation(&ann.expect(1005)), told(bob.id, 5, "bob", None));
    assert_eq!(operation(&bob.expect(1005)), told(ann.id, 5, "ann", None));
    assert_eq!((ann.members().len(), bob.members().len()), (0, 0));
    ann.operate(bob.id, 4, None);
    ann.silent();
    bob.silent();
    // Somebody who is off line is not told later.
    befriend(&mut ann, &mut bob);
    bob.hang_up_and_wait(&mut ann);
    ann.operate(2, 4, None);
    ann.expect(1005);
    let mut bob = server.login("bob", Flavor::Pc);
    bob.silent();
    assert_eq!(bob.members().len(), 0);
}

fn row_049_unknown_kinds_reach_nobody(server: &mut Server) {
    let (mut ann, mut bob) = server.friends();
    for kind in [0, 2, 5, 6, 77, -1] {
        ann.operate(bob.id, kind, Some(1));
        ann.silent();
    }
    ann.say(bob.id, "later");
    assert_eq!(bob.next_packet().cmd, 1100);
}
