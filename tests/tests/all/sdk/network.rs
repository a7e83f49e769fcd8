//! The network itself goes away and comes back: a server behind a link of its own, people on the SDK
//! who go on writing, and nothing that is lost or doubled.

use std::time::Duration;

use myim_tests::api_person::ApiPerson;
use myim_tests::network;
use myim_tests::process::Process;
use myim_tests::sdk_person::{Part, Report, read_report};
use myim_tests::server::{Db, Kind, Setup};

use super::journal::{Journal, Life};
use super::run::{conversations_of, histories, parts, start};

/// How many messages each of them writes: more than they can while the link is down the first time.
const MESSAGES: u64 = 400;
/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(100);

/// Somebody and his program, which lives until all is over.
struct One {
    person: ApiPerson,
    part: Part,
    process: Process,
}

impl One {
    fn count(&self, what: fn(&Report) -> bool) -> usize {
        let reports = read_report(&self.process.output());
        reports.iter().filter(|report| what(report)).count()
    }
}

/// Waits until each of them has reported so many more of these than the one who had the most.
fn more(people: &[One], more: usize, what: fn(&Report) -> bool) {
    let most = people.iter().map(|one| one.count(what)).max();
    let wanted = most.expect("there are people") + more;
    for one in people {
        let enough = |output: &str| {
            let reports = read_report(output);
            reports.iter().filter(|report| what(report)).count() >= wanted
        };
        let is_so = one.process.output_becomes(PATIENCE, enough);
        let name = &one.person.name;
        assert!(is_so, "{name} does not get so far\n{}", one.process.story());
    }
}

fn accepted(report: &Report) -> bool {
    matches!(report, Report::Accepted { .. })
}

fn sent(report: &Report) -> bool {
    matches!(report, Report::Sent { .. })
}

fn waiting(report: &Report) -> bool {
    matches!(report, Report::Waiting(_))
}

fn drained(report: &Report) -> bool {
    matches!(report, Report::Drained { .. })
}

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
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .open()
        .bind(&network.address())
        .wrapped(&network.wrapper())
        .chat_flag("--heartbeat-s", "1")
        .start();
    let (parts, conversations) = parts(&server, 1, MESSAGES);
    let people: Vec<_> = parts
        .into_iter()
        .map(|(person, part)| One {
            process: start(&part),
            person,
            part,
        })
        .collect();

    // For a moment: TCP sends again what was under way.
    more(&people, 20, sent);
    network.down().unwrap();
    more(&people, 20, accepted);
    network.up().unwrap();
    more(&people, 20, sent);

    // Until both sides have given each other up.
    let before = given_up(&server.program().log());
    network.down().unwrap();
    more(&people, 1, waiting);
    let all = |log: &str| given_up(log) >= before + people.len();
    let gave_up = server.program().log_becomes(PATIENCE, all);
    assert!(
        gave_up,
        "the server believes in them\n{}",
        server.program().story()
    );
    network.up().unwrap();

    more(&people, 1, drained);
    check(&people, &conversations);
}

/// Everything is over and healed: what must be true now.
fn check(people: &[One], conversations: &[String]) {
    let readers: Vec<_> = people.iter().map(|one| &one.person).collect();
    let histories = histories(&readers, conversations);
    for One {
        person,
        part,
        process,
    } in people
    {
        let own = conversations_of(person);
        let wanted = Journal::wanted(&histories, &person.user_id, &own);
        let has_all = |output: &str| Journal::confirms(&read_report(output), &[], &wanted);
        let caught_up = process.output_becomes(PATIENCE, has_all);
        assert!(
            caught_up,
            "{} misses something\n{}",
            person.name,
            process.story()
        );
        assert!(process.stop().success(), "{}", process.story());
        let lives = [Life(read_report(&process.output()))];
        let journal = Journal::new(part, &person.user_id, &lives);
        if let Err(why) = journal.agrees_with(&histories) {
            panic!("{}: {why}", person.name);
        }
        let seen = journal.seen();
        assert_eq!(seen.accepted, usize::try_from(MESSAGES).unwrap());
    }
}
