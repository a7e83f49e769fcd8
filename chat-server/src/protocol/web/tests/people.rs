//! Contacts, requests, lists, blocks, groups.

use serde_json::{Value, json};

use super::World;

#[tokio::test]
async fn a_request_is_seen_by_both_and_answered_by_one() {
    let world = World::new().await;
    let (ann, bob) = (world.person("ann").await, world.person("bob").await);
    let ask = json!({"user_id": bob.id, "note": "from school", "client_id": "ask-1"});
    let request = world
        .post(&ann, "/contacts/requests", ask.clone())
        .await
        .ok(201);
    assert_eq!(request["direction"], "outgoing");
    assert_eq!(request["user"]["username"], "bob");
    let again = world.post(&ann, "/contacts/requests", ask).await.ok(200);
    assert_eq!(again, request);
    let seen = world.get(&bob, "/contacts/requests").await.ok(200);
    let seen = &seen["items"][0];
    assert_eq!(seen["id"], request["id"]);
    assert_eq!(seen["direction"], "incoming");
    assert_eq!(seen["note"], "from school");
    assert_eq!(seen["user"]["id"], ann.id.as_str());
    assert_eq!(seen["user"].get("birthday"), None);

    let path = format!("/contacts/requests/{}", request["id"].as_str().unwrap());
    let accept = format!("{path}/accept");
    let answer = world.post(&ann, &accept, Value::Null).await;
    answer.refused(404, "no_such_request");
    world.post(&bob, &accept, json!({})).await.ok(200);
    world
        .post(&bob, &accept, Value::Null)
        .await
        .refused(404, "no_such_request");
    let contacts = world.get(&ann, "/contacts").await.ok(200);
    assert_eq!(contacts["items"][0]["user"]["username"], "bob");
    assert_eq!(contacts["next"], Value::Null);
    let ask = json!({"user_id": bob.id});
    let answer = world.post(&ann, "/contacts/requests", ask).await;
    answer.refused(409, "already_friends");
}

#[tokio::test]
async fn contacts_are_kept_in_lists_with_remarks() {
    let world = World::new().await;
    let (ann, bob) = (world.person("ann").await, world.person("bob").await);
    world.befriend(&ann, &bob).await;
    let list = json!({"name": "School"});
    world
        .post(&ann, "/contact_lists", list.clone())
        .await
        .ok(201);
    world
        .post(&ann, "/contact_lists", list)
        .await
        .refused(409, "list_exists");
    let path = format!("/contacts/{}", bob.id);
    let change = json!({"remark": "Bobby", "list": "School"});
    let changed = world.call("PATCH", &path, &ann.token, change).await.ok(200);
    assert_eq!(
        (&changed["remark"], &changed["list"]),
        (&json!("Bobby"), &json!("School"))
    );
    let change = json!({"list": "Nowhere"});
    let answer = world.call("PATCH", &path, &ann.token, change).await;
    answer.refused(404, "no_such_list");
    let renamed = json!({"name": "Old School"});
    let answer = world
        .call("PATCH", "/contact_lists/School", &ann.token, renamed)
        .await;
    answer.ok(200);
    let lists = world.get(&ann, "/contact_lists").await.ok(200);
    assert_eq!(lists["items"][1]["name"], "Old School");
    let old = "/contact_lists/Old%20School";
    world
        .call("DELETE", old, &ann.token, Value::Null)
        .await
        .ok(204);
    world
        .call("DELETE", &path, &ann.token, Value::Null)
        .await
        .ok(204);
    let answer = world.call("DELETE", &path, &ann.token, Value::Null).await;
    answer.refused(404, "no_such_contact");
}

#[tokio::test]
async fn how_to_reach_somebody_is_not_shown_to_others() {
    let world = World::new().await;
    let (ann, bob) = (world.person("ann").await, world.person("bob").await);
    let change = json!({"phone": "123", "signature": "hi"});
    world.call("PATCH", "/me", &ann.token, change).await.ok(200);
    let seen = world.get(&bob, &format!("/users/{}", ann.id)).await.ok(200);
    assert_eq!(seen["signature"], "hi");
    for private in ["phone", "birthday", "mail", "address"] {
        assert_eq!(seen.get(private), None);
    }
    let found = world.get(&bob, "/users?query=an").await.ok(200);
    assert_eq!(found["items"][0], seen);
    world
        .get(&bob, "/users/999")
        .await
        .refused(404, "no_such_user");
    world.get(&bob, "/users/07").await.refused(404, "not_found");
    world
        .get(&bob, "/users")
        .await
        .refused(400, "invalid_parameter");
}

#[tokio::test]
async fn who_is_blocked_cannot_ask() {
    let world = World::new().await;
    let (ann, bob) = (world.person("ann").await, world.person("bob").await);
    let path = format!("/blocks/{}", ann.id);
    world.get(&bob, &path).await.refused(404, "not_found");
    for _ in 0..2 {
        world
            .call("PUT", &path, &bob.token, Value::Null)
            .await
            .ok(204);
    }
    let block = world.get(&bob, &path).await.ok(200);
    assert_eq!(block["user"]["username"], "ann");
    let ask = json!({"user_id": bob.id});
    let answer = world.post(&ann, "/contacts/requests", ask.clone()).await;
    answer.refused(403, "blocked");
    let own = format!("/blocks/{}", bob.id);
    let answer = world.call("PUT", &own, &bob.token, Value::Null).await;
    answer.refused(409, "oneself");
    for _ in 0..2 {
        world
            .call("DELETE", &path, &bob.token, Value::Null)
            .await
            .ok(204);
    }
    world.post(&ann, "/contacts/requests", ask).await.ok(201);
}

#[tokio::test]
async fn a_group_is_made_with_contacts_and_once() {
    let world = World::new().await;
    let (ann, bob) = (world.person("ann").await, world.person("bob").await);
    let cid = world.person("cid").await;
    world.befriend(&ann, &bob).await;
    let new = json!({"name": "Choir", "member_ids": [bob.id, cid.id], "client_id": "group-1"});
    let made = world.post(&ann, "/groups", new.clone()).await.ok(201);
    assert_eq!(made["group"]["role"], "owner");
    assert_eq!(made["group"]["members"], 2);
    let not_added = json!([{"user_id": cid.id, "code": "not_friends"}]);
    assert_eq!(made["not_added"], not_added);
    let again = world.post(&ann, "/groups", new).await.ok(200);
    assert_eq!(again, made);

    let group = made["group"]["id"].as_str().unwrap();
    let path = format!("/groups/{group}");
    let change = json!({"announcement": "Friday\n8 pm", "join": "approval"});
    let changed = world
        .call("PATCH", &path, &ann.token, change.clone())
        .await
        .ok(200);
    assert_eq!(changed["announcement"], "Friday\n8 pm");
    let answer = world.call("PATCH", &path, &bob.token, change.clone()).await;
    answer.refused(403, "not_allowed");
    let answer = world.call("PATCH", &path, &cid.token, change).await;
    answer.refused(403, "not_a_member");
    let seen = world.get(&cid, &path).await.ok(200);
    assert_eq!(
        (&seen["announcement"], seen.get("role")),
        (&json!(""), None)
    );
    let answer = world.get(&cid, &format!("{path}/members")).await;
    answer.refused(403, "not_a_member");
    let nowhere = world.get(&cid, "/groups/2000000000/members").await;
    nowhere.refused(404, "no_such_group");
}

#[tokio::test]
async fn one_joins_by_asking_where_an_admin_has_to_agree() {
    let world = World::new().await;
    let (ann, bob) = (world.person("ann").await, world.person("bob").await);
    let made = world
        .post(&ann, "/groups", json!({"name": "Choir"}))
        .await
        .ok(201);
    let path = format!("/groups/{}", made["group"]["id"].as_str().unwrap());
    let change = json!({"join": "approval"});
    world.call("PATCH", &path, &ann.token, change).await.ok(200);
    let join = format!("{path}/join");
    let wish = json!({"note": "me too", "client_id": "join-1"});
    for _ in 0..2 {
        let asked = world.post(&bob, &join, wish.clone()).await.ok(202);
        assert_eq!(asked["status"], "requested");
    }
    let requests = format!("{path}/join_requests");
    world
        .get(&bob, &requests)
        .await
        .refused(403, "not_a_member");
    let open = world.get(&ann, &requests).await.ok(200);
    assert_eq!(open["items"][0]["note"], "me too");
    let accept = format!("{requests}/{}/accept", bob.id);
    let member = world.post(&ann, &accept, Value::Null).await.ok(200);
    assert_eq!(member["role"], "member");
    world
        .post(&ann, &accept, Value::Null)
        .await
        .refused(404, "no_such_request");
    let joined = world.post(&bob, &join, Value::Null).await.ok(200);
    assert_eq!(joined["group"]["members"], 2);
}

#[tokio::test]
async fn members_are_named_silenced_promoted_and_taken_out() {
    let world = World::new().await;
    let (ann, bob) = (world.person("ann").await, world.person("bob").await);
    world.befriend(&ann, &bob).await;
    let new = json!({"name": "Choir", "member_ids": [bob.id]});
    let made = world.post(&ann, "/groups", new).await.ok(201);
    let path = format!("/groups/{}/members", made["group"]["id"].as_str().unwrap());
    let (owner, member) = (format!("{path}/{}", ann.id), format!("{path}/{}", bob.id));
    let change = json!({"nickname": "Bass", "muted_until": "2999-01-01T00:00:00.000Z"});
    let changed = world
        .call("PATCH", &member, &ann.token, change)
        .await
        .ok(200);
    assert_eq!(changed["nickname"], "Bass");
    assert_eq!(changed["muted_until"], "2999-01-01T00:00:00.000Z");
    let change = json!({"muted_until": null});
    let changed = world
        .call("PATCH", &member, &ann.token, change)
        .await
        .ok(200);
    assert_eq!(changed.get("muted_until"), None);
    let first = world.get(&bob, &format!("{path}?limit=1")).await.ok(200);
    assert_eq!(first["items"].as_array().unwrap().len(), 1);
    let rest = format!("{path}?limit=1&cursor={}", first["next"].as_str().unwrap());
    let rest = world.get(&bob, &rest).await.ok(200);
    assert_eq!(rest["items"][0]["nickname"], "Bass");

    let answer = world.call("DELETE", &owner, &ann.token, Value::Null).await;
    answer.refused(409, "owner_must_transfer");
    let answer = world.call("DELETE", &owner, &bob.token, Value::Null).await;
    answer.refused(403, "not_allowed");
    let heir = json!({"role": "owner"});
    world
        .call("PATCH", &member, &bob.token, heir.clone())
        .await
        .refused(403, "not_allowed");
    let changed = world.call("PATCH", &member, &ann.token, heir).await.ok(200);
    assert_eq!(changed["role"], "owner");
    world
        .call("DELETE", &owner, &bob.token, Value::Null)
        .await
        .ok(204);
    world.get(&ann, &path).await.refused(403, "not_a_member");
    world
        .call("PUT", &owner, &bob.token, Value::Null)
        .await
        .ok(201);
    world
        .call("PUT", &owner, &bob.token, Value::Null)
        .await
        .ok(200);
    let group = path.trim_end_matches("/members");
    world
        .call("DELETE", group, &ann.token, Value::Null)
        .await
        .refused(403, "not_allowed");
    world
        .call("DELETE", group, &bob.token, Value::Null)
        .await
        .ok(204);
    world.get(&bob, group).await.refused(404, "no_such_group");
}
