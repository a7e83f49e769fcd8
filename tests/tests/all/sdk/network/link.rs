//! The link to a server goes down and comes back.

use myim_tests::network;

use super::super::people::{PATIENCE, People, accepted, sent, waiting};
use super::server_in;

/// How many messages each of them writes: more than they can while the link is down the first time.
const MESSAGES: u64 = 400;

/// How many clients the server has given up because they said nothing.
fn given_up(log: &str) -> usize {
    let lines = log.lines();
    lines
        .filter(|line| line.contains(r#""reason":"Silent""#))
        .count()
}

#[test]
fn a_link_that_goes_down_costs_nobody_anything() {
    let Some(network) = network::or_skip("a link that goes down and comes back") else {
        return;
    };
    let server = server_in(&network.namespace);
    let people = People::start(&server, 1, MESSAGES);

    // For a moment: TCP sends again what was under way.
    people.report(20, sent);
    network.down().unwrap();
    people.report(20, accepted);
    network.up().unwrap();
    people.report(20, sent);

    // Until both sides have given each other up.
    let before = given_up(&server.program().log());
    network.down().unwrap();
    people.report(1, waiting);
    let all = |log: &str| given_up(log) >= before + people.all.len();
    let gave_up = server.program().log_becomes(PATIENCE, all);
    assert!(
        gave_up,
        "the server believes in them\n{}",
        server.program().story()
    );
    network.up().unwrap();

    people.end();
}
