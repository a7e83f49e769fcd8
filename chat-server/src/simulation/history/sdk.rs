//! What is promised to programs on the SDK:
//!
//! - what was accepted is stored, or is told to have failed; and it fails only for who was no member;
//! - a program hears every entry of others behind what it confirmed, in order, without a gap, and
//!   never again what it confirmed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use common::id::ConvId;

use super::{Fact, Known, Place, Stored};

pub(super) fn check(who: &str, known: &Known, stored: &Stored<'_>, found: &mut Vec<String>) {
    check_acknowledged(who, known, stored, found);
    check_heard(who, known, stored, found);
}

fn check_acknowledged(who: &str, known: &Known, stored: &Stored<'_>, found: &mut Vec<String>) {
    let mut written = BTreeMap::<&str, (Duration, ConvId)>::new();
    let mut failed = BTreeSet::new();
    for (at, fact) in &known.facts {
        match fact {
            Fact::Wrote(name, conv) => {
                written.insert(name, (*at, *conv));
            }
            Fact::Acknowledged(name, place) => {
                let there = stored.place_of(name);
                if there != Some(*place) {
                    found.push(format!(
                        "{who} was told that {name} is {place:?}, and it is {there:?}"
                    ));
                }
            }
            Fact::Failed(name, why) => {
                failed.insert(name);
                if stored.place_of(name).is_some() {
                    found.push(format!(
                        "{who} was told that {name} failed, and it is stored"
                    ));
                }
                let may_fail = written.get(name.as_str()).is_some_and(|(since, conv)| {
                    stored.may_refuse(*conv, known.user, (*since, *at))
                });
                if !may_fail {
                    found.push(format!("{who} was told that {name} failed: {why}"));
                }
            }
            _ => {}
        }
    }
    for (_, fact) in &known.facts {
        if let Fact::Accepted(name) = fact
            && stored.place_of(name).is_none()
            && !failed.contains(name)
        {
            found.push(format!("{name} was accepted and is not stored"));
        }
    }
}

fn check_heard(who: &str, known: &Known, stored: &Stored<'_>, found: &mut Vec<String>) {
    let mut confirmed = BTreeMap::<ConvId, u64>::new();
    let mut at = BTreeMap::<ConvId, u64>::new();
    for (_, fact) in &known.facts {
        match fact {
            // Each life goes on behind what was confirmed.
            Fact::Began => at.clone_from(&confirmed),
            Fact::Confirmed((conv, seq)) => {
                confirmed.insert(*conv, *seq);
            }
            Fact::Got((conv, seq), name) => {
                let before = at.insert(*conv, *seq).unwrap_or(0);
                if *seq <= before {
                    found.push(format!("{who} heard {seq} in {} after {before}", conv.0));
                }
                check_one(
                    who,
                    known,
                    stored,
                    ((*conv, *seq), name.as_deref(), before),
                    found,
                );
            }
            Fact::Resync => found.push(format!("{who} had to begin anew")),
            _ => {}
        }
    }
    for (conv, log) in &stored.logs {
        let at = confirmed.get(conv).copied().unwrap_or(0);
        if log
            .owed(known.user)
            .next_back()
            .is_some_and(|(last, _)| last > at)
        {
            found.push(format!("{who} has {} only up to {at}", conv.0));
        }
    }
}

/// Own messages come back as answers; everything of others is heard.
fn check_one(
    who: &str,
    known: &Known,
    stored: &Stored<'_>,
    ((conv, seq), name, before): (Place, Option<&str>, u64),
    found: &mut Vec<String>,
) {
    let Some(log) = stored.logs.get(&conv) else {
        return;
    };
    let is_right = match (log.name_at(seq), name) {
        (Some(stored), Some(_)) => stored == name,
        (Some(_), None) => true,
        (None, _) => false,
    };
    if !is_right {
        found.push(format!(
            "{who} heard {name:?} as {seq} in {}, which is not so",
            conv.0
        ));
    }
    let Some(stretch) = log.stretch(known.user, seq) else {
        found.push(format!("{who} heard {seq} in {} and was no member", conv.0));
        return;
    };
    for (missed, _) in log.of_others(known.user, stretch, (before, seq)) {
        found.push(format!("{who} heard {seq} in {} and not {missed}", conv.0));
    }
}
