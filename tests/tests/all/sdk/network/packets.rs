//! Single packets on the way to a server are lost, late, doubled and swapped.

use myim_tests::network::{self, Faults};

use super::super::seeds;
use super::{People, sent, server_in};

/// How many messages each of them writes: some are left when everything works again.
const MESSAGES: u64 = 250;

/// What happens to packets, and how many messages of each have to be on the server before the next
/// begins. What is late by different times is swapped.
const FAULTS: [(Faults, usize); 3] = [
    // A bad line.
    (
        Faults {
            lost_percent: 5,
            doubled_percent: 5,
            late_ms: (20, 80),
        },
        20,
    ),
    // Far away, and every second one comes twice.
    (
        Faults {
            lost_percent: 0,
            doubled_percent: 50,
            late_ms: (100, 300),
        },
        20,
    ),
    // Hardly a line: TCP waits longer and longer, and both sides may give each other up.
    (
        Faults {
            lost_percent: 30,
            doubled_percent: 10,
            late_ms: (0, 40),
        },
        3,
    ),
];

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
        for (faults, messages) in FAULTS {
            network.becomes(faults).unwrap();
            people.report(messages, sent);
            let counts = network.becomes(Faults::default()).unwrap();
            // A rough way on which nothing happened would prove nothing.
            eprintln!("{faults:?}: {counts:?}");
            assert_eq!(counts.lost > 0, faults.lost_percent > 0, "{counts:?}");
            assert!(counts.doubled > 0, "{counts:?}");
            assert!(counts.late > 0 && counts.overtaken > 0, "{counts:?}");
        }
        people.end();
    }
}
