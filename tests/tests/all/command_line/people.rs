//! Contacts, groups and their members.

use myim_tests::server::{Db, Kind, Server, Setup};
use serde_json::Value;

use super::Machine;

#[test]
fn contacts_are_made_and_unmade() {
    let server = Server::sqlite();
    for name in ["ann", "bob", "cid"] {
        server.sign_up(name);
    }
    let [ann, bob] = ["ann", "bob"].map(|name| Machine::of(&server, name));
    let asked = ann.json(&["contacts", "add", "bob", "--note", "it is Ann"]);
    assert_eq!(asked["direction"], "outgoing");
    let open = bob.json(&["contacts", "requests"]);
    assert_eq!(
        (&open["user"]["username"], &open["note"]),
        (&"ann".into(), &"it is Ann".into())
    );
    let answer = bob.json(&["contacts", "accept", "ann"]);
    assert_eq!(answer["accepted"], true);
    let listed = ann.json(&["contacts"]);
    assert_eq!(listed["user"]["username"], "bob");
    let table = ann.run(&["contacts", "list"]).done().out;
    assert!(table.lines().nth(1).unwrap().starts_with("bob "), "{table}");

    ann.run(&["contacts", "add", "cid"]).done();
    let cid = Machine::of(&server, "cid");
    let number = cid.json(&["contacts", "requests"])["id"].clone();
    cid.run(&["contacts", "decline", number.as_str().unwrap()])
        .done();
    let ran = cid.run(&["contacts", "accept", "ann", "--json"]).ended(1);
    assert_eq!(ran.error(), "no_such_request");
    let ran = ann.run(&["contacts", "--json", "add", "bob"]).ended(1);
    assert_eq!(ran.error(), "already_friends");

    let removed = ann.json(&["contacts", "remove", "bob"]);
    assert_eq!(removed["removed"], listed["user"]["id"]);
    assert!(bob.jsons(&["contacts"]).is_empty());
    let ran = ann.run(&["send", "bob", "hi", "--json"]).ended(1);
    assert_eq!(ran.error(), "not_friends");
}

#[test]
fn groups_are_made_joined_and_left() {
    let server = Server::sqlite();
    let (ann, bob) = server.acquainted();
    let cid = server.newcomer("cid");
    ann.befriend(&cid);
    let [bob_id, cid_id] = [&bob, &cid].map(|one| Value::from(one.user_id.clone()));
    let [ann, bob, cid] = [&ann, &bob, &cid].map(|one| Machine::of(&server, &one.name));
    let made = ann.json(&["groups", "create", "tea time", "bob"]);
    let group = made["id"].as_str().unwrap().to_owned();
    assert_eq!(bob.json(&["groups"])["name"], "tea time");
    let names = || -> Vec<String> {
        let all = ann.jsons(&["groups", "members", "#tea time"]);
        let name = |one: &Value| one["user"]["username"].as_str().unwrap().to_owned();
        let mut names: Vec<_> = all.iter().map(name).collect();
        names.sort();
        names
    };
    assert_eq!(names(), ["ann", "bob"]);
    let added = ann.json(&["groups", "add", "#tea time", "cid"]);
    assert_eq!(
        (&added["group_id"], &added["added"]["id"]),
        (&group.as_str().into(), &cid_id)
    );
    assert_eq!(names(), ["ann", "bob", "cid"]);
    let removed = ann.json(&["groups", "remove", &group, "bob"]);
    assert_eq!(
        (&removed["group_id"], &removed["removed"]["id"]),
        (&group.as_str().into(), &bob_id)
    );
    assert_eq!(cid.json(&["groups", "leave", &group])["left"], group);
    assert_eq!(names(), ["ann"]);
    let ran = ann.run(&["groups", "leave", &group, "--json"]).ended(1);
    assert_eq!(ran.error(), "owner_must_transfer");
    // Who is in no group yet knows it by its number only.
    for wrong in ["tea time", "#tea time", "12345"] {
        let ran = bob.run(&["groups", "join", wrong]).ended(2);
        ran.said("number").said("myim groups").said(wrong);
    }
    let joined = bob.run(&["groups", "join", &group, "--json"]);
    assert!(matches!(joined.code, Some(0 | 1)), "{}", joined.err);
}

#[test]
fn webhooks_are_listed_and_deleted() {
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .open()
        .chat_flag("--webhook-allowed-networks", "127.0.0.0/8")
        .start();
    let (ann, _) = server.acquainted();
    let ann = Machine::of(&server, &ann.name);
    assert!(ann.jsons(&["webhook", "list"]).is_empty());
    let incoming = ann.json(&["webhook", "incoming", "bob", "--name", "builds"]);
    let target = "http://127.0.0.1:9/all";
    let outgoing = ann.json(&["webhook", "outgoing", target]);
    let url = incoming["url"].as_str().unwrap();
    assert!(url.starts_with(&format!("{}/", ann.server)), "{url}");
    assert!(outgoing["secret"].is_string());

    let listed = ann.jsons(&["webhook", "list"]);
    let kinds = listed.iter().map(|one| (&one["kind"], &one["id"]));
    let wanted = [
        (&"incoming".into(), &incoming["id"]),
        (&"outgoing".into(), &outgoing["id"]),
    ];
    assert!(kinds.eq(wanted), "{listed:?}");
    assert!(
        listed.iter().all(|one| one["secret"].is_null()),
        "{listed:?}"
    );
    assert!(listed[0]["url"].is_null(), "{listed:?}");
    assert_eq!(
        (&listed[1]["state"], &listed[1]["dead_letters"]),
        (&"ok".into(), &0.into())
    );
    let table = ann.run(&["webhook", "list"]).done().out;
    let rows: Vec<_> = table.lines().skip(1).collect();
    assert!(
        rows[0].contains("builds") && rows[0].ends_with("never used"),
        "{table}"
    );
    assert!(
        rows[1].contains("all") && rows[1].ends_with(target),
        "{table}"
    );

    for (kind, made) in [("incoming", &incoming), ("outgoing", &outgoing)] {
        let number = made["id"].as_str().unwrap();
        let gone = ann.json(&["webhook", "delete", kind, number]);
        assert_eq!(
            (&gone["deleted"], &gone["kind"]),
            (&made["id"], &kind.into())
        );
        let again = ["webhook", "delete", kind, number, "--json"];
        assert_eq!(ann.run(&again).ended(1).error(), "no_such_webhook");
    }
    assert!(ann.jsons(&["webhook", "list"]).is_empty());
}
