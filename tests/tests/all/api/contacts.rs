//! Contacts, requests, contact lists, blocks.

use myim_tests::api_person::{ApiPerson, segments, text};
use myim_tests::server::Server;
use serde_json::{Value, json};

use super::{Village, refused, row, server_with, went_well};

fn contacts(person: &ApiPerson) -> Vec<Value> {
    person.list("/contacts", 100)
}

fn contact(person: &ApiPerson, who: &ApiPerson) -> Value {
    let mut all = contacts(person).into_iter();
    all.find(|one| one["user"]["id"] == *who.user_id)
        .unwrap_or_else(|| panic!("{} has no contact {}", person.name, who.name))
}

#[test]
fn asked_declined_asked_again_accepted_and_over() {
    let server = Server::sqlite();
    let (ann, bob) = (server.newcomer("ann"), server.newcomer("bob"));
    let (mut laptop, mut phone) = (ann.connect(), bob.connect());
    let request = ann.ask_friend(&bob.user_id, "from the choir");
    let event = phone.find_event("contact.requested");
    assert!(event.to_string().contains("from the choir"), "{event}");
    for (person, direction) in [(&ann, "outgoing"), (&bob, "incoming")] {
        let open = person.list("/contacts/requests", 10);
        assert_eq!(open.len(), 1, "{open:?}");
        assert_eq!(open[0]["id"], *request);
        assert_eq!(open[0]["direction"], direction, "{open:?}");
        assert_eq!(open[0]["note"], "from the choir", "{open:?}");
    }
    // Asking again is the same request.
    let body = json!({"user_id": bob.user_id, "note": "please"});
    let again = ann.post("/contacts/requests", &body);
    assert!(again.status == 200 || again.status == 201, "{again}");
    let request = text(&again.json()["id"]);
    // Only the one who was asked answers.
    let accept = format!("/contacts/requests/{request}/accept");
    ann.post(&accept, &json!({}))
        .refused(404, "no_such_request");
    bob.decline_friend(&request);
    let event = laptop.find_event("contact.answered");
    assert_eq!(event["accepted"], false, "{event}");
    bob.post(&accept, &json!({}))
        .refused(404, "no_such_request");
    assert!(contacts(&ann).is_empty() && contacts(&bob).is_empty());

    ann.befriend(&bob);
    let event = laptop.find_event("contact.answered");
    assert_eq!(event["accepted"], true, "{event}");
    assert_eq!(contact(&ann, &bob)["user"]["username"], "bob");
    assert_eq!(contact(&bob, &ann)["user"]["username"], "ann");
    refused(
        &ann.api,
        &[
            row(
                "POST",
                "/contacts/requests",
                json!({"user_id": bob.user_id}),
                (409, "already_friends"),
            ),
            row(
                "POST",
                "/contacts/requests",
                json!({"user_id": ann.user_id}),
                (409, "oneself"),
            ),
            row(
                "POST",
                "/contacts/requests",
                json!({"user_id": "999"}),
                (404, "no_such_user"),
            ),
            row(
                "POST",
                "/contacts/requests",
                json!({"user_id": 2}),
                (400, "invalid_body"),
            ),
            row(
                "POST",
                "/contacts/requests",
                json!({}),
                (400, "invalid_body"),
            ),
            row(
                "POST",
                "/contacts/requests",
                json!({"user_id": "2", "note": "n".repeat(5000)}),
                (422, "invalid_value"),
            ),
            row(
                "POST",
                "/contacts/requests/999999/accept",
                None,
                (404, "not_found"),
            ),
            row(
                "POST",
                "/contacts/requests/x/decline",
                None,
                (404, "not_found"),
            ),
        ],
    );
    went_well(&bob.delete(&format!("/contacts/{}", ann.user_id)));
    laptop.find_event("contact.removed");
    assert!(contacts(&ann).is_empty() && contacts(&bob).is_empty());
    bob.delete(&format!("/contacts/{}", ann.user_id))
        .refused(404, "no_such_contact");
}

#[test]
fn remarks_and_lists() {
    let server = Server::sqlite();
    let (ann, bob) = server.acquainted();
    let path = format!("/contacts/{}", bob.user_id);
    ann.post("/contact_lists", &json!({"name": "Work"})).ok(201);
    went_well(&ann.patch(&path, &json!({"remark": "Bobby", "list": "Work"})));
    let found = contact(&ann, &bob);
    assert_eq!(
        (&found["remark"], &found["list"]),
        (&json!("Bobby"), &json!("Work"))
    );
    // What is left out stays, and it is nobody else's business.
    went_well(&ann.patch(&path, &json!({"remark": "B."})));
    assert_eq!(contact(&ann, &bob)["list"], "Work");
    assert_ne!(contact(&bob, &ann)["remark"], "B.");
    let lists = ann.list("/contact_lists", 100);
    assert!(lists.iter().any(|one| one["name"] == "Work"), "{lists:?}");
    refused(
        &ann.api,
        &[
            row(
                "PATCH",
                path.as_str(),
                json!({"list": "No such"}),
                (404, "no_such_list"),
            ),
            row(
                "PATCH",
                path.as_str(),
                json!({"remark": "r".repeat(5000)}),
                (422, "invalid_value"),
            ),
            row(
                "PATCH",
                "/contacts/999",
                json!({"remark": "x"}),
                (404, "no_such_contact"),
            ),
            row(
                "POST",
                "/contact_lists",
                json!({"name": "Work"}),
                (409, "list_exists"),
            ),
            row(
                "POST",
                "/contact_lists",
                json!({"name": ""}),
                (422, "invalid_value"),
            ),
            row("POST", "/contact_lists", json!({}), (400, "invalid_body")),
            row(
                "DELETE",
                "/contact_lists/No%20such",
                None,
                (404, "no_such_list"),
            ),
        ],
    );
    went_well(&ann.patch("/contact_lists/Work", &json!({"name": "Job"})));
    assert_eq!(contact(&ann, &bob)["list"], "Job");
    went_well(&ann.delete("/contact_lists/Job"));
    assert_ne!(
        contact(&ann, &bob)["list"],
        "Job",
        "he moved to the default list"
    );
}

#[test]
fn who_is_blocked_cannot_write_or_ask() {
    let server = Server::sqlite();
    let village = Village::new(&server);
    let (ann, bob, eve) = (&village.ann, &village.bob, &village.eve);
    let block = |who: &ApiPerson| format!("/blocks/{}", who.user_id);
    let is_blocked = |who: &ApiPerson| {
        let all = ann.list("/blocks", 100);
        all.iter()
            .any(|one| one["id"] == *who.user_id || one["user"]["id"] == *who.user_id)
    };
    for who in [bob, eve] {
        went_well(&ann.call("PUT", &block(who), None));
        went_well(&ann.call("PUT", &block(who), None));
        assert!(is_blocked(who));
    }
    bob.try_say(&village.direct, "b1", "please")
        .refused(403, "blocked");
    // Whoever asks is not told that he is blocked and does not trouble anybody.
    let before = ann.list("/contacts/requests", 100).len();
    let answer = eve.post("/contacts/requests", &json!({"user_id": ann.user_id}));
    assert!(answer.status == 201 || answer.status == 403, "{answer}");
    assert_eq!(ann.list("/contacts/requests", 100).len(), before);
    // In a group one is not alone.
    bob.say(&village.choir, "b2", "everybody hears this");
    went_well(&ann.delete(&block(bob)));
    assert!(!is_blocked(bob));
    bob.say(&village.direct, "b1", "please");
    refused(
        &ann.api,
        &[
            row("PUT", "/blocks/999", None, (404, "no_such_user")),
            row("PUT", block(ann), None, (409, "oneself")),
            row("GET", "/blocks/x", None, (404, "not_found")),
        ],
    );
}

#[test]
fn strangers_write_where_everyone_may() {
    let server = server_with("--direct-messages", "everyone");
    let (ann, eve) = (server.newcomer("ann"), server.newcomer("eve"));
    let mut laptop = ann.connect();
    let mut stranger = eve.connect();
    let to = json!({"user": ann.user_id});
    let sent = stranger.try_send_to(&to, "e1", &segments("hello stranger"));
    assert_eq!(sent, Ok(1));
    assert_eq!(laptop.message()["sender"], *eve.user_id);
    went_well(&ann.call("PUT", &format!("/blocks/{}", eve.user_id), None));
    let refused = stranger.try_send_to(&to, "e2", &segments("again"));
    assert_eq!(refused.unwrap_err()["code"], "blocked");
}
