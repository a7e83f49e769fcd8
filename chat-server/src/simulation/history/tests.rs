//! That each promise to old clients and to members can be found broken: histories made by hand.

use common::api::{Body, Dialect, Entry, Notice, Origin};
use common::id::{ClientId, DeviceId, GroupId, Millis, Seq};

use super::*;
use crate::simulation::world::EPOCH_MS;

const ANN: UserId = UserId(1);
const BOB: UserId = UserId(2);
const GROUP: GroupId = GroupId(0x1000_0000);
const MOMENT: Duration = Duration::from_secs(1);

fn message(name: &str) -> Body {
    let content = format!(r#"{{"msgType":1,"content":[{{"msgText":"{name}"}}]}}"#);
    Body::Message {
        dialect: Dialect::Flamingo,
        content: content.into(),
    }
}

/// A group in which these said this, one after the other.
fn log(said: &[(UserId, Body)]) -> Log {
    let conv = ConvId::group(GROUP);
    let entries = said.iter().zip(1..).map(|((user, body), seq)| Entry {
        conv,
        seq: Seq(seq),
        origin: Origin {
            user: *user,
            device: DeviceId(1),
            client_id: ClientId::new(seq.to_string()).unwrap(),
            tag: 0,
            at: Millis(EPOCH_MS + 1_000),
        },
        body: body.clone(),
    });
    let mut log = Log::new(conv, 0);
    log.extend(&entries.collect::<Vec<_>>());
    log
}

/// Ann made the group, Bob joined, and Ann said two things.
fn said() -> Vec<(UserId, Body)> {
    let name = "everybody".to_owned();
    vec![
        (ANN, Body::Notice(Notice::GroupCreated { name })),
        (BOB, Body::Notice(Notice::MemberJoined)),
        (ANN, message("a-1")),
        (ANN, message("a-2")),
    ]
}

/// Bob has an old client, and is signed in.
fn history(said: &[(UserId, Body)]) -> History {
    let mut history = History::default();
    history.introduce("ann", ANN, true);
    history.introduce("bob", BOB, true);
    let log = log(said);
    for (name, author) in log.messages() {
        let who = if author == ANN { "ann" } else { "bob" };
        history.wrote(MOMENT, who, name, log.conv);
    }
    history.stored(log);
    history.signed_in(MOMENT, "bob");
    history
}

impl History {
    fn bob_hears(&mut self, names: &[&str]) {
        for name in names {
            self.heard(MOMENT, "bob", name, (ANN, Peer::Group(GROUP)));
        }
    }

    #[track_caller]
    fn breaks(&self, words: &str) {
        let violations = self.violations();
        let is_found = violations.iter().any(|one| one.contains(words));
        assert!(is_found, "not {words:?} among {violations:?}");
    }
}

#[test]
fn what_is_as_it_should_be_breaks_nothing() {
    let mut history = history(&said());
    history.bob_hears(&["a-1"]);
    // Doubles may come with the next connection.
    history.signed_in(MOMENT, "bob");
    history.bob_hears(&["a-1", "a-2"]);
    assert_eq!(history.violations(), Vec::<String>::new());
}

#[test]
fn a_connection_without_doubles_and_in_order() {
    let mut doubled = history(&said());
    doubled.bob_hears(&["a-1", "a-1", "a-2"]);
    doubled.breaks("after 3 on one connection");
    let mut reversed = history(&said());
    reversed.bob_hears(&["a-2", "a-1"]);
    reversed.breaks("after 4 on one connection");
    reversed.breaks("a-2, which is 4, and not 3");
}

#[test]
fn nothing_is_lost_but_in_the_buffer_of_a_killed_program() {
    let mut lost = history(&said());
    lost.bob_hears(&["a-1"]);
    lost.breaks("bob never heard 4");
    lost.unread(MOMENT, "bob", "a-2");
    assert_eq!(lost.violations(), Vec::<String>::new());
}

#[test]
fn nothing_comes_again_when_all_is_calm() {
    let mut history = history(&said());
    history.bob_hears(&["a-1", "a-2"]);
    history.settled(MOMENT);
    history.signed_in(MOMENT, "bob");
    history.bob_hears(&["a-2"]);
    history.breaks("a-2 again");
}

#[test]
fn an_answer_says_that_everything_before_it_is_stored() {
    let mut history = history(&said());
    history.bob_hears(&["a-1", "a-2"]);
    history.wrote(MOMENT, "bob", "b-1", ConvId::group(GROUP));
    history.answered(MOMENT, "bob", BTreeSet::from(["b-1".to_owned()]));
    history.breaks("bob was told that b-1 is stored");
}

#[test]
fn only_members_hear_and_write() {
    let mut said = said();
    said.push((BOB, Body::Notice(Notice::MemberLeft)));
    said.push((ANN, message("a-3")));
    said.push((BOB, message("b-1")));
    let mut history = history(&said);
    history.bob_hears(&["a-1", "a-2"]);
    history.breaks("b-1 is stored, and its author was no member");
    history.bob_hears(&["a-3"]);
    history.breaks("a-3 and was no member");
}

#[test]
fn a_refusal_needs_a_time_without_membership() {
    let conv = ConvId::group(GROUP);
    let asked = |said: &[(UserId, Body)]| {
        let mut history = history(said);
        history.bob_hears(&["a-1", "a-2"]);
        history.wrote(MOMENT, "bob", "b-1", conv);
        history.answered(MOMENT, "bob", BTreeSet::from(["b-1".to_owned()]));
        history
    };
    asked(&said()).breaks("b-1 is stored");
    let mut went = said();
    went.push((BOB, Body::Notice(Notice::MemberLeft)));
    assert_eq!(asked(&went).violations(), Vec::<String>::new());
}
