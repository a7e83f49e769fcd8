//! Networks of their own for servers: a namespace, and a link to it that can be taken down, or on
//! which packets have to fear for themselves.
//!
//! They need root and the program `ip`, which `scripts/test` installs.

mod link;
mod namespace;
mod rough;

pub use link::Network;
pub use namespace::Namespace;
pub use rough::{Counts, Faults, RoughNetwork};

use crate::machine::{Need, skip};

/// A network whose link can be taken down, or nothing where this machine has none: then it says
/// loudly what was not tested.
///
/// # Panics
/// In continuous integration (`CI` is set) there must be one.
pub fn or_skip(what: &str) -> Option<Network> {
    let told = |error| skip(Need::Network, what, &format!("root and ip: {error}"));
    Network::new().map_err(told).ok()
}

/// A network on which packets have to fear for themselves, as this seed says, or nothing, as above.
///
/// # Panics
/// As [`or_skip`].
pub fn rough_or_skip(what: &str, seed: u64) -> Option<RoughNetwork> {
    let told = |error| {
        let missing = format!("{}: {error}", RoughNetwork::NEEDS);
        skip(Need::RoughNetwork, what, &missing);
    };
    RoughNetwork::new(seed).map_err(told).ok()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// What there is of a namespace, and of the end of its link outside.
    fn traces(namespace: &Namespace) -> [String; 2] {
        let link = format!("/sys/class/net/{}", namespace.link);
        [format!("/run/netns/{}", namespace.name), link]
    }

    fn are_there(traces: &[String; 2]) -> [bool; 2] {
        traces.each_ref().map(|path| Path::new(path).exists())
    }

    // One test, because a process has one network.
    #[test]
    fn nothing_is_left_of_networks() {
        let what = "that networks of tests are taken away";
        if let Some(network) = or_skip(what) {
            let traces = traces(&network.namespace);
            assert_eq!(are_there(&traces), [true, true]);
            drop(network);
            assert_eq!(are_there(&traces), [false, false]);
        }
        if let Some(network) = rough_or_skip(what, 1) {
            let traces = traces(&network.namespace);
            assert_eq!(are_there(&traces), [true, true]);
            drop(network);
            assert_eq!(are_there(&traces), [false, false]);
        }
    }
}
