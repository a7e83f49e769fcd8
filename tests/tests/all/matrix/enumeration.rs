//! Who has an account is not told to those who have none. How long the answers take is measured by
//! `bench sign-ins`, never here.

use myim_tests::api_person::try_sign_in;
use myim_tests::server::Server;
use serde_json::json;

#[test]
fn an_unknown_user_and_a_wrong_password_are_answered_alike() {
    let server = Server::sqlite();
    let ann = server.newcomer("ann");
    ann.post("/bots", &json!({"username": "robot"})).ok(201);
    let root = server.administrator("root");
    server.sign_up("dan");
    let dan = server.sign_in("dan", "x");
    root.call(
        "POST",
        &format!("/admin/users/{}/disable", dan.user_id),
        None,
    )
    .ok(204);
    let answers = ["ann", "nobody", "robot", "dan", "root", "ANN", "ann ", ""].map(|name| {
        let answer = try_sign_in(&server.api(), name, "a guess of mine", "x");
        let mut headers: Vec<_> = answer
            .headers
            .iter()
            .filter(|(name, _)| !["date", "x-request-id"].contains(&name.as_str()))
            .map(|(name, value)| format!("{name}: {value:?}"))
            .collect();
        headers.sort();
        (answer.status, headers, answer.body)
    });
    for other in &answers[1..] {
        assert_eq!(*other, answers[0]);
    }
    assert_eq!(answers[0].0, 401);
}

#[test]
fn what_is_not_ones_own_looks_as_if_it_were_not_there() {
    let server = Server::sqlite();
    let (ann, bob) = server.acquainted();
    let eve = server.newcomer("eve");
    let direct = ann.direct(&bob.user_id);
    ann.say(&direct, "a1", "secret");
    let made = ann.post("/bots", &json!({"username": "robot"})).ok(201);
    let bot = made["bot"]["id"].as_str().unwrap();
    // Between Ann and whoever came after Bob: these two never met.
    let nobodys = (direct.parse::<u64>().unwrap() + 1).to_string();
    for (theirs, nobodys) in [
        (
            format!("/conversations/{direct}"),
            format!("/conversations/{nobodys}"),
        ),
        (
            format!("/conversations/{direct}/messages"),
            format!("/conversations/{nobodys}/messages"),
        ),
        (
            format!("/conversations/{direct}/messages/1"),
            format!("/conversations/{nobodys}/messages/1"),
        ),
        (format!("/bots/{bot}"), "/bots/260000000".to_owned()),
        ("/sends/a1".to_owned(), "/sends/a2".to_owned()),
    ] {
        let (one, other) = (eve.get(&theirs), eve.get(&nobodys));
        assert_eq!(
            (one.status, one.body),
            (other.status, other.body),
            "{theirs}"
        );
    }
}
