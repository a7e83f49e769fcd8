//! The checker: a pure function over a history and the dump at its end.
//!
//! What it decides is called as in docs/reliability.md:
//!
//! - **I1** what was acknowledged, or shown to anybody, is there, at its place, with its content;
//! - **I2** nothing is there that nobody sent;
//! - **I3** what is sent several times is one entry, and always acknowledged at the same place;
//! - **I4** the numbers of a conversation go from 1 to n, and no number is ever given twice;
//! - **I5** the entries of one device stand in the order in which it sent them, as long as its user is
//!   a member, and come in order;
//! - **I6** a device goes on behind what it confirmed, without a gap, and its place never moves back;
//! - **I7** what was refused is not there;
//! - **I9** who waits until all is over has everything;
//! - **I10** files that were acknowledged are there, and every file is what its name says;
//! - **I11** nobody hears, or writes in, a conversation of which he is no member.
//!
//! `known` sorts a history, `log` judges what is stored, `delivery` what was heard. The same is
//! written a second time, in Python and from these sentences only: `scripts/check-history`.

use std::fmt;

use serde::Serialize;

use super::history::Event;

mod delivery;
mod known;
mod log;

use known::Known;

/// Something that must not be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Violation {
    /// Which sentence is broken.
    pub invariant: &'static str,
    /// The conversation, or the file.
    pub place: String,
    /// The number of the entry, where there is one.
    pub seq: Option<u64>,
    /// The device, or the user if it is no device's.
    pub who: String,
    /// What happened.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            invariant,
            place,
            seq,
            who,
            what,
        } = self;
        match seq {
            Some(seq) => write!(f, "{invariant} {place}:{seq} {who}: {what}"),
            None => write!(f, "{invariant} {place} {who}: {what}"),
        }
    }
}

/// Everything that must not be, each thing once, in the order of the sentences.
pub fn check(history: &[Event]) -> Vec<Violation> {
    let known = Known::sorted(history);
    let mut found = Vec::new();
    log::judge(&known, &mut found);
    delivery::judge(&known, &mut found);
    found.sort();
    found.dedup_by_key(|one| (one.invariant, one.place.clone(), one.seq, one.who.clone()));
    found
}
