//! Rows 56 to 61: the life of a group.

use myim_tests::person::{GROUP_FIRST, befriend};
use myim_tests::server::Server;
use myim_tests::wire::Flavor;
use serde_json::json;

use super::accounts::is_profile;

tests! {
    sqlite:
        row_056_create,
        row_057_join,
        row_058_join_again_or_nowhere,
        row_059_leave,
        row_060_members,
        row_061_a_user_is_no_group;
    mariadb:
        row_056_create,
        row_057_join,
        row_059_leave,
}

fn row_056_create(server: &mut Server) {
    let mut ann = server.join("ann", Flavor::Pc);
    let seq = ann.request(1009, r#"{"groupname": "Grp 群", "type": 0}"#);
    let (created, joined) = (ann.next_packet(), ann.next_packet());
    assert_eq!(
        (created.cmd, created.seq, joined.cmd, joined.seq),
        (1009, seq, 1005, seq)
    );
    assert_eq!(
        created.json(),
        json!({"code": 0, "msg": "ok", "groupid": GROUP_FIRST, "groupname": "Grp 群"})
    );
    assert_eq!(
        joined.json(),
        json!({"userid": GROUP_FIRST, "type": 3, "username": "Grp 群", "accept": 1})
    );
    ann.silent();
    let mut phone = server.login("ann", Flavor::Android);
    phone.send(1009, 0, r#"{"groupname":"two","type":0}"#);
    assert_eq!(phone.expect(1009).json()["groupid"], GROUP_FIRST + 1);
}

fn row_057_join(server: &mut Server) {
    let mut ann = server.join("ann", Flavor::Pc);
    let mut bob = server.join("bob", Flavor::Android);
    let group = ann.create_group("g");
    let seq = bob.operate(group, 1, None);
    let (joined, notice) = (bob.next_packet(), bob.next_packet());
    assert_eq!((joined.cmd, joined.seq), (1005, seq));
    assert_eq!(
        joined.json(),
        json!({"userid": group, "type": 3, "username": group.to_string(), "accept": 3})
    );
    for notice in [notice, ann.next_packet()] {
        assert_eq!(notice.cmd, 1006);
        assert_eq!(
            (notice.json(), notice.ints()),
            (json!({"type": 3}), vec![group])
        );
    }
    ann.silent();
    bob.silent();
    assert!(bob.member(group).is_some());
}

fn row_058_join_again_or_nowhere(server: &mut Server) {
    let mut ann = server.join("ann", Flavor::Pc);
    let group = ann.create_group("g");
    for whom in [group, group + 1, 299_999_999, i32::MAX, GROUP_FIRST - 1] {
        ann.operate(whom, 1, None);
        ann.silent();
    }
    assert_eq!(ann.members().len(), 1);
    // The number of a group that was tried before it existed has no member but its creator.
    let next = ann.create_group("next");
    assert_eq!(next, group + 1);
    assert_eq!(ann.group_members(next).len(), 1);
}

fn row_059_leave(server: &mut Server) {
    let mut ann = server.join("ann", Flavor::Pc);
    let mut bob = server.join("bob", Flavor::Pc);
    let group = ann.create_group("g");
    bob.join_group(group);
    ann.notice();
    ann.operate(group, 4, None);
    let left = ann.next_packet();
    assert_eq!(left.cmd, 1005);
    assert_eq!(
        left.json(),
        json!({"userid": group, "type": 5, "username": group.to_string()})
    );
    ann.silent();
    let notice = bob.next_packet();
    assert_eq!((notice.cmd, notice.ints()), (1006, vec![group]));
    assert_eq!(notice.json(), json!({"type": 3}));
    assert!(ann.member(group).is_none());
    // The group lives on without its founder; leaving twice is nothing.
    ann.operate(group, 4, None);
    ann.silent();
    assert_eq!(bob.group_members(group).len(), 1);
    ann.join_group(group);
    assert_eq!(bob.group_members(group).len(), 2);
}

fn row_060_members(server: &mut Server) {
    let mut ann = server.join("ann", Flavor::Pc);
    let mut bob = server.join("bob", Flavor::Android);
    let group = ann.create_group("g");
    bob.join_group(group);
    ann.send(1010, 5, json!({"groupid": group}).to_string());
    let reply = ann.find(|packet| packet.cmd == 1010);
    let text = reply.text();
    let at = |key: &str| text.find(&format!("\"{key}\"")).unwrap();
    assert!(
        at("groupid") < at("members"),
        "Android reads it as a stream: {text}"
    );
    let json = reply.json();
    assert_eq!(
        (&json["code"], &json["groupid"]),
        (&json!(0), &json!(group))
    );
    let members = json["members"].as_array().unwrap();
    let ids: Vec<_> = members
        .iter()
        .map(|member| member["userid"].clone())
        .collect();
    assert_eq!(ids, [json!(ann.id), json!(bob.id)]);
    for member in members {
        assert_eq!(member.as_object().unwrap().len(), 13, "{member}");
        is_profile(member);
        assert!(member["clienttype"].is_i64() && member["status"].is_i64());
    }
    assert_eq!(members[1]["status"], 3);
    assert!(ann.group_members(299_999_999).is_empty());
    // Only members may look.
    let mut cid = server.join("cid", Flavor::Pc);
    assert_eq!(cid.group_members(group).len(), 0);
}

fn row_061_a_user_is_no_group(server: &mut Server) {
    let (mut ann, mut bob) = server.friends();
    let mut cid = server.join("cid", Flavor::Pc);
    befriend(&mut cid, &mut bob);
    for id in [bob.id, ann.id, 0, -1] {
        assert_eq!(ann.group_members(id).len(), 0);
    }
}
