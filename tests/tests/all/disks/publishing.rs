//! A server is killed at each step while a client package is published, or withdrawn: clients are
//! offered the one before or the new one, signed and whole.

use std::fs;

use common::upgrade::is_signed;
use myim_tests::files::sha256;
use serde_json::Value;

use super::kills::{Turn, strike_all};
use super::rig::Rig;
use crate::upgrades::{latest, signed_text, zip};

/// Somebody who publishes packages on a server that is struck.
struct Publisher {
    token: String,
    /// The public half of the key.
    key: String,
}

impl Publisher {
    fn new(rig: &Rig) -> Self {
        let key = rig.server.upgrade_as_operator(&["key"]).ok();
        Self {
            token: rig.server.administrator("root").token,
            key: key.trim().to_owned(),
        }
    }

    /// Publishes the package of this turn; whether that was answered.
    fn publish(&self, rig: &Rig, number: u64) -> bool {
        let (version, file) = (version(number), format!("Setup-{number}.zip"));
        fs::write(rig.server.setup().directory().join(&file), package(number)).unwrap();
        let args = ["publish", "--platform", "windows", "--version"];
        let args = [&args[..], &[version.as_str(), file.as_str()]].concat();
        rig.server.upgrade(&self.token, &args).code == 0
    }

    fn roll_back(&self, rig: &Rig) -> bool {
        let args = ["roll-back", "--platform", "windows"];
        rig.server.upgrade(&self.token, &args).code == 0
    }

    /// What clients are offered: its version. It is signed, and whoever asks gets it whole.
    fn offered(&self, rig: &Rig) -> Option<String> {
        let offer = latest(&rig.server, "from=0.0.1&id=a")?;
        let told = |name: &str| offer[name].as_str().unwrap_or_default().to_owned();
        let signature = told("signature");
        assert!(is_signed(&self.key, &signed_text(&offer), &signature));
        let answer = rig.server.files().get(&told("file"));
        assert_eq!(answer.status, 200, "{answer}");
        assert_eq!(sha256(&answer.body), told("file"));
        assert_eq!(answer.body.len(), offer["size"]);
        Some(told("version"))
    }
}

fn version(number: u64) -> String {
    format!("1.0.{number}")
}

fn package(number: u64) -> Vec<u8> {
    zip(50_000, 5000 + number)
}

/// The versions that the server has, and whether each was withdrawn.
fn published(rig: &Rig, publisher: &Publisher) -> Vec<(String, bool)> {
    let listed = rig.server.upgrade(&publisher.token, &["list", "--json"]);
    let entry = |one: Value| {
        let version = one["version"].as_str().unwrap().to_owned();
        (version, !one["withdrawn_at"].is_null())
    };
    listed.json().into_iter().map(entry).collect()
}

#[test]
fn a_package() {
    let mut rig = Rig::new("a package is published");
    let publisher = Publisher::new(&rig);
    let path = |rig: &mut Rig, turn: Turn| {
        let before = publisher.offered(rig);
        let (mut is_answered, new) = (false, version(turn.number));
        turn.strike(rig, |rig| is_answered = publisher.publish(rig, turn.number));
        let now = publisher.offered(rig);
        let is_new = now.as_ref() == Some(&new);
        assert!(is_new || now == before, "{now:?} after {before:?}");
        assert!(is_new || !is_answered, "{new} was published");
        // It is published once, if not now then later.
        assert_eq!(publisher.publish(rig, turn.number), !is_new);
        assert_eq!(publisher.offered(rig), Some(new));
        rig.has_uploaded(&package(turn.number));
    };
    strike_all("a package", (8, 33), &mut rig, path);
    let published = published(&rig, &publisher);
    let mut once = published.clone();
    once.dedup();
    assert_eq!(published, once);
    rig.judge();
}

#[test]
fn a_package_that_is_withdrawn() {
    let mut rig = Rig::new("a package is withdrawn");
    let publisher = Publisher::new(&rig);
    let first = version(0);
    assert!(publisher.publish(&rig, 0));
    let path = |rig: &mut Rig, turn: Turn| {
        let number = turn.number + 1;
        assert!(publisher.publish(rig, number));
        rig.has_uploaded(&package(number));
        let mut is_answered = false;
        turn.strike(rig, |rig| is_answered = publisher.roll_back(rig));
        let now = publisher.offered(rig);
        let is_old = now.as_ref() == Some(&first);
        assert!(is_old || now == Some(version(number)), "{now:?}");
        assert!(is_old || !is_answered, "{now:?} was withdrawn");
        if !is_old {
            assert!(publisher.roll_back(rig));
        }
        assert_eq!(publisher.offered(rig).as_ref(), Some(&first));
    };
    strike_all("a package that is withdrawn", (6, 34), &mut rig, path);
    let published = published(&rig, &publisher);
    let left: Vec<_> = published.iter().filter(|(_, is_away)| !is_away).collect();
    assert_eq!(left, [&(first, false)], "{published:?}");
    rig.judge();
}
