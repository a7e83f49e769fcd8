//! Single packets on the way to a server are lost, late, doubled and swapped.

use myim_tests::network::{self, Counts, Faults};

use super::super::people::{PATIENCE, People, sent};
use super::super::seeds;
use super::server_in;

/// How many messages each of them writes: it takes them some seconds.
const MESSAGES: u64 = 400;

/// A bad line. What is late by different times is swapped.
const BAD: Faults = Faults {
    lost_percent: 5,
    doubled_percent: 5,
    late_ms: (20, 80),
};
/// Hardly a line: TCP waits longer and longer, and both sides may give each other up.
const HARDLY: Faults = Faults {
    lost_percent: 30,
    doubled_percent: 10,
    late_ms: (0, 40),
};
/// How many packets are lost on that one. Nobody can say when somebody gets something through.
const LOSSES: u64 = 200;
/// Far away, and every second packet comes twice.
const FAR: Faults = Faults {
    lost_percent: 0,
    doubled_percent: 50,
    late_ms: (100, 300),
};

/// A rough way on which nothing happened would prove nothing.
fn happened(faults: Faults, counts: Counts) {
    eprintln!("{faults:?}: {counts:?}");
    assert_eq!(counts.lost > 0, faults.lost_percent > 0, "{counts:?}");
    assert!(counts.doubled > 0, "{counts:?}");
    assert!(counts.late > 0 && counts.overtaken > 0, "{counts:?}");
}

#[test]
fn packets_that_are_lost_late_doubled_and_swapped_cost_nobody_anything() {
    for seed in seeds(1..=1) {
        let what = "packets that are lost, late, doubled and swapped";
        let Some(mut network) = network::rough_or_skip(what, seed) else {
            return;
        };
        let server = server_in(&network.namespace);
        let people = People::start(&server, seed, MESSAGES);
        people.report(5, sent);
        network.becomes(BAD).unwrap();
        people.report(20, sent);
        happened(BAD, network.becomes(HARDLY).unwrap());
        let counts = network.loses(LOSSES, PATIENCE).unwrap();
        assert!(counts.lost >= LOSSES, "{counts:?}");
        // By now there is much to carry.
        happened(HARDLY, network.becomes(FAR).unwrap());
        people.report(20, sent);
        happened(FAR, network.becomes(Faults::default()).unwrap());
        people.end();
    }
}
