//! Random sends, repeats and cursors against a few maps that say what must come of them.
//!
//! The seeds are fixed: a failure names its seed and comes again.

use std::collections::BTreeMap;

use super::setup::{commit, move_cursor, register, say_freely, user};
use crate::id::{ConvId, DeviceId, Seq, UserId};
use crate::store::{Change, Outcome, Store};

const SEEDS: u64 = 4;
const STEPS: u64 = 60;
const USERS: u64 = 3;
const DEVICES: u64 = 3;

/// xorshift64*: enough to be unpredictable, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % sides
    }
}

#[derive(Default)]
struct Model {
    log: BTreeMap<ConvId, Vec<(UserId, String)>>,
    cursors: BTreeMap<(UserId, DeviceId, ConvId), u64>,
    known: Vec<(UserId, DeviceId)>,
}

impl Model {
    fn head(&self, conv: ConvId) -> u64 {
        let length = self.log.get(&conv).map_or(0, Vec::len);
        u64::try_from(length).unwrap()
    }

    /// Appends or finds; answers the number, and whether it is new.
    fn say(&mut self, from: UserId, conv: ConvId, text: &str) -> (u64, bool) {
        let log = self.log.entry(conv).or_default();
        let known = log
            .iter()
            .position(|(f, t)| (*f, t.as_str()) == (from, text));
        if known.is_none() {
            log.push((from, text.to_owned()));
        }
        let row = known.unwrap_or(log.len() - 1);
        (u64::try_from(row).unwrap() + 1, known.is_none())
    }

    fn move_cursor(&mut self, user: UserId, device: DeviceId, conv: ConvId, seq: u64) {
        let seq = seq.min(self.head(conv));
        if seq > 0 {
            let cursor = self.cursors.entry((user, device, conv)).or_default();
            *cursor = seq.max(*cursor);
        }
    }

    fn register(&mut self, user: UserId, device: DeviceId) {
        if self.known.contains(&(user, device)) {
            return;
        }
        self.known.push((user, device));
        let mut furthest: BTreeMap<ConvId, u64> = BTreeMap::new();
        for ((_, _, conv), seq) in self.cursors.iter().filter(|((u, ..), _)| *u == user) {
            let far = furthest.entry(*conv).or_default();
            *far = seq.max(far).to_owned();
        }
        for (conv, seq) in furthest {
            self.cursors.insert((user, device, conv), seq);
        }
    }

    fn behind(&self, user: UserId, device: DeviceId, convs: &[ConvId]) -> Vec<(ConvId, u64, u64)> {
        let mut behind: Vec<_> = convs
            .iter()
            .map(|conv| {
                let cursor = self.cursors.get(&(user, device, *conv));
                (*conv, cursor.copied().unwrap_or(0), self.head(*conv))
            })
            .filter(|(_, cursor, head)| cursor < head)
            .collect();
        behind.sort_unstable();
        behind
    }
}

pub async fn random_sends_and_cursors(store: &dyn Store) {
    for seed in 1..=SEEDS {
        let mut users = Vec::new();
        for number in 0..USERS {
            users.push(user(store, &format!("{seed} {number}")).await);
        }
        let mut dice = Dice(seed);
        let mut model = Model::default();
        for _ in 0..STEPS {
            step(store, &mut model, &mut dice, &users).await;
        }
        compare(store, &model, &users, seed).await;
    }
}

async fn step(store: &dyn Store, model: &mut Model, dice: &mut Dice, users: &[UserId]) {
    let pick = |dice: &mut Dice| users[usize::try_from(dice.roll(USERS)).unwrap()];
    let mut batch: Vec<Change> = Vec::new();
    let mut expected: Vec<Option<(ConvId, u64, bool)>> = Vec::new();
    for _ in 0..=dice.roll(8) {
        let (one, other) = (pick(dice), pick(dice));
        let conv = ConvId::direct(one, other);
        let device = DeviceId(dice.roll(DEVICES));
        match dice.roll(10) {
            0 => {
                model.register(one, device);
                batch.push(register(one, device));
                expected.push(None);
            }
            1..=3 => {
                let seq = dice.roll(model.head(conv) + 3);
                model.move_cursor(one, device, conv, seq);
                batch.push(move_cursor(one, device, conv, seq));
                expected.push(None);
            }
            // Few numbers: many are said again. The text names the conversation, so that none
            // is said in two.
            _ => {
                let text = format!("{conv} {}", dice.roll(30));
                let (seq, new) = model.say(one, conv, &text);
                batch.push(say_freely(one, conv, &text));
                expected.push(Some((conv, seq, new)));
            }
        }
    }
    for (outcome, expected) in store.commit(&batch).await.unwrap().iter().zip(expected) {
        let told = match outcome {
            Outcome::Done { entries, .. } => {
                entries.first().map(|entry| (entry.conv, entry.seq.0, true))
            }
            Outcome::AlreadyThere { conv, seq, .. } => Some((*conv, seq.0, false)),
            Outcome::Refused(refusal) => panic!("{refusal}"),
        };
        assert_eq!(told, expected);
    }
}

async fn compare(store: &dyn Store, model: &Model, users: &[UserId], seed: u64) {
    for one in users {
        let convs: Vec<ConvId> = users.iter().map(|u| ConvId::direct(*one, *u)).collect();
        for conv in &convs {
            let said: Vec<(UserId, String)> = store
                .pull(*conv, Seq(0), 10_000)
                .await
                .unwrap()
                .into_iter()
                .map(|entry| {
                    (
                        entry.origin.user,
                        entry.origin.client_id.as_str().to_owned(),
                    )
                })
                .collect();
            assert_eq!(
                said,
                model.log.get(conv).cloned().unwrap_or_default(),
                "seed {seed}"
            );
        }
        for device in (0..DEVICES).map(DeviceId) {
            let behind = super::setup::behind(store, *one, device).await;
            assert_eq!(behind, model.behind(*one, device, &convs), "seed {seed}");
        }
    }
    // The store is still as it should be for the next seed.
    let nothing = commit(store, move_cursor(users[0], DeviceId(0), ConvId(0), 1)).await;
    assert_eq!(nothing, Outcome::done());
}
