//! Groups: members, roles, silence, joining with and without approval, handing over, the end.

use myim_tests::api_person::{ApiPerson, text};
use myim_tests::server::Server;
use serde_json::{Value, json};

use super::{Village, refused, row, server_with, went_well};

fn members(person: &ApiPerson, group: &str) -> Vec<(String, String)> {
    let all = person.list(&format!("/groups/{group}/members"), 100);
    let mut all: Vec<_> = all
        .iter()
        .map(|one| (text(&one["user"]["username"]), text(&one["role"])))
        .collect();
    all.sort();
    all
}

fn pairs(wanted: &[(&str, &str)]) -> Vec<(String, String)> {
    let own = |(name, role): &(&str, &str)| ((*name).to_owned(), (*role).to_owned());
    wanted.iter().map(own).collect()
}

fn shown(person: &ApiPerson, group: &str) -> Value {
    let found = person.get(&format!("/groups/{group}")).ok(200);
    match &found["group"] {
        Value::Object(_) => found["group"].clone(),
        _ => found,
    }
}

#[test]
fn a_group_from_its_founding_to_its_end() {
    let server = Server::sqlite();
    let Village {
        ann,
        bob,
        cid,
        eve,
        group,
        choir,
        ..
    } = Village::new(&server);
    let member = |who: &ApiPerson| format!("/groups/{group}/members/{}", who.user_id);
    let at_first = [("ann", "owner"), ("bob", "member"), ("cid", "member")];
    assert_eq!(members(&ann, &group), pairs(&at_first));
    assert_eq!(shown(&bob, &group)["name"], "Choir");
    let mut phone = bob.connect();

    // Who may do what.
    refused(
        &bob.api,
        &[
            row(
                "PATCH",
                format!("/groups/{group}"),
                json!({"name": "Band"}),
                (403, "not_allowed"),
            ),
            row(
                "DELETE",
                format!("/groups/{group}"),
                None,
                (403, "not_allowed"),
            ),
            row("DELETE", member(&cid), None, (403, "not_allowed")),
            row(
                "PATCH",
                member(&cid),
                json!({"role": "admin"}),
                (403, "not_allowed"),
            ),
        ],
    );
    refused(
        &eve.api,
        &[
            row(
                "PATCH",
                format!("/groups/{group}"),
                json!({"name": "Band"}),
                (403, "not_a_member"),
            ),
            row(
                "GET",
                format!("/groups/{group}/members"),
                None,
                (403, "not_a_member"),
            ),
            row("DELETE", member(&cid), None, (403, "not_a_member")),
            row(
                "DELETE",
                format!("/groups/{group}"),
                None,
                (403, "not_a_member"),
            ),
            row("GET", "/groups/268435999", None, (404, "no_such_group")),
            row(
                "POST",
                "/groups/268435999/join",
                json!({}),
                (404, "no_such_group"),
            ),
            row("GET", "/groups/7", None, (404, "no_such_group")),
        ],
    );
    went_well(&ann.patch(
        &format!("/groups/{group}"),
        &json!({"name": "Band", "announcement": "at eight"}),
    ));
    let changed = shown(&cid, &group);
    assert_eq!(
        (&changed["name"], &changed["announcement"]),
        (&json!("Band"), &json!("at eight"))
    );
    phone.find(|event| event["conversation"] == *choir && event.to_string().contains("Band"));

    // An admin may more than a member and less than the owner.
    went_well(&ann.patch(&member(&bob), &json!({"role": "admin"})));
    went_well(&bob.patch(&format!("/groups/{group}"), &json!({"name": "Orchestra"})));
    refused(
        &bob.api,
        &[
            row("DELETE", member(&ann), None, (403, "not_allowed")),
            row(
                "PATCH",
                member(&cid),
                json!({"role": "admin"}),
                (403, "not_allowed"),
            ),
            row(
                "PATCH",
                member(&bob),
                json!({"role": "owner"}),
                (403, "not_allowed"),
            ),
        ],
    );
    went_well(&bob.delete(&member(&cid)));
    cid.try_say(&choir, "c1", "hello?")
        .refused(403, "not_a_member");
    cid.get(&format!("/conversations/{choir}/messages"))
        .refused(403, "not_a_member");
    went_well(&cid.post(&format!("/groups/{group}/join"), &json!({})));
    cid.say(&choir, "c1", "hello again");

    // The owner stays until somebody else is.
    ann.delete(&member(&ann))
        .refused(409, "owner_must_transfer");
    went_well(&ann.post(
        &format!("/groups/{group}/transfer"),
        &json!({"user_id": bob.user_id}),
    ));
    let handed_over = members(&ann, &group);
    assert!(
        handed_over.contains(&("bob".to_owned(), "owner".to_owned())),
        "{handed_over:?}"
    );
    went_well(&ann.delete(&member(&ann)));
    assert_eq!(
        members(&bob, &group),
        pairs(&[("bob", "owner"), ("cid", "member")])
    );
    let mut tablet = cid.connect();
    went_well(&bob.delete(&format!("/groups/{group}")));
    tablet.find(|event| {
        let name = event["event"].as_str().unwrap_or_default();
        name.starts_with("group.") && event.to_string().contains(&group)
    });
    bob.get(&format!("/groups/{group}"))
        .refused(404, "no_such_group");
    let answer = cid.try_say(&choir, "c2", "anybody?");
    assert!(answer.status == 403 || answer.status == 404, "{answer}");
}

#[test]
fn silence_for_one_and_for_all() {
    let server = Server::sqlite();
    let Village {
        ann,
        bob,
        cid,
        group,
        choir,
        ..
    } = Village::new(&server);
    let bobs = format!("/groups/{group}/members/{}", bob.user_id);
    went_well(&ann.patch(&bobs, &json!({"muted_until": "2999-01-01T00:00:00.000Z"})));
    bob.try_say(&choir, "b1", "mh").refused(403, "muted");
    cid.say(&choir, "c1", "la");
    went_well(&ann.patch(&bobs, &json!({"muted_until": null})));
    bob.say(&choir, "b1", "mh");
    went_well(&ann.patch(&format!("/groups/{group}"), &json!({"muted": true})));
    cid.try_say(&choir, "c2", "la").refused(403, "muted");
    ann.say(&choir, "a1", "I conduct");
    went_well(&ann.patch(&format!("/groups/{group}"), &json!({"muted": false})));
    cid.say(&choir, "c2", "la");
    ann.patch(&bobs, &json!({"muted_until": "tomorrow"}))
        .refused(400, "invalid_body");
    // Everybody names himself.
    let cids = format!("/groups/{group}/members/{}", cid.user_id);
    went_well(&cid.patch(&cids, &json!({"nickname": "tenor"})));
    bob.patch(&cids, &json!({"nickname": "bass"}))
        .refused(403, "not_allowed");
}

#[test]
fn joining_with_approval_and_by_invitation_only() {
    let server = Server::sqlite();
    let Village {
        ann,
        bob,
        eve,
        group,
        ..
    } = Village::new(&server);
    let join = format!("/groups/{group}/join");
    went_well(&ann.patch(&format!("/groups/{group}"), &json!({"join": "approval"})));
    let mut laptop = ann.connect();
    let asked = eve.post(&join, &json!({"note": "I sing alto"}));
    assert_eq!(asked.status, 202, "{asked}");
    eve.get(&format!("/groups/{group}/members"))
        .refused(403, "not_a_member");
    let event = laptop.find(|event| event.to_string().contains("I sing alto"));
    assert!(
        event["event"]
            .as_str()
            .unwrap_or_default()
            .starts_with("group."),
        "{event}"
    );
    let requests = format!("/groups/{group}/join_requests");
    bob.get(&requests).refused(403, "not_allowed");
    let open = ann.list(&requests, 10);
    assert_eq!(open.len(), 1, "{open:?}");
    let request = text(&open[0]["user"]["id"]);
    went_well(&ann.post(&format!("{requests}/{request}/accept"), &json!({})));
    assert_eq!(members(&eve, &group).len(), 4);

    let eves = format!("/groups/{group}/members/{}", eve.user_id);
    ann.befriend(&eve);
    bob.befriend(&eve);
    went_well(&eve.delete(&eves));
    went_well(&ann.patch(
        &format!("/groups/{group}"),
        &json!({"join": "closed", "invite": "admins"}),
    ));
    eve.post(&join, &json!({})).refused(403, "join_closed");
    bob.put(&eves, &json!({})).refused(403, "not_allowed");
    went_well(&ann.put(&eves, &json!({})));
    assert_eq!(members(&eve, &group).len(), 4);
}

#[test]
fn a_group_has_a_limit_and_bad_groups_are_refused() {
    let server = server_with("--group-members-max", "3");
    let Village {
        ann,
        eve,
        group,
        bob,
        ..
    } = Village::new(&server);
    eve.post(&format!("/groups/{group}/join"), &json!({}))
        .refused(409, "limit_reached");
    // Who cannot be added is named, and the others are in.
    let body = json!({"name": "n", "member_ids": ["2", "3", "4", "999"]});
    let made = ann.post("/groups", &body).ok(201);
    assert_eq!(made["group"]["members"], 3, "{made}");
    assert_eq!(
        made["not_added"].as_array().map(Vec::len),
        Some(2),
        "{made}"
    );
    refused(
        &ann.api,
        &[
            row(
                "POST",
                "/groups",
                json!({"name": ""}),
                (422, "invalid_value"),
            ),
            row(
                "POST",
                "/groups",
                json!({"name": "n".repeat(5000)}),
                (422, "invalid_value"),
            ),
            row("POST", "/groups", json!({}), (400, "invalid_body")),
            row(
                "POST",
                "/groups",
                json!({"name": "n", "member_ids": "1"}),
                (400, "invalid_body"),
            ),
            row(
                "POST",
                "/groups",
                json!({"name": "n", "member_ids": ["x"]}),
                (400, "invalid_body"),
            ),
            row(
                "PATCH",
                format!("/groups/{group}"),
                json!({"join": "sometimes"}),
                (400, "invalid_body"),
            ),
            row(
                "PATCH",
                format!("/groups/{group}/members/999"),
                json!({"role": "admin"}),
                (404, "no_such_user"),
            ),
            row(
                "PATCH",
                format!("/groups/{group}/members/{}", bob.user_id),
                json!({"role": "king"}),
                (400, "invalid_body"),
            ),
        ],
    );
}
