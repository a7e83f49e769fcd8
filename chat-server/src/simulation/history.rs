//! What happened, and whether every promise was kept:
//!
//! - what was acknowledged is stored, where it was said to be (durable);
//! - one name of a message is one entry (once), and nothing is stored that nobody wrote;
//! - a conversation's numbers are 1, 2, 3, … (whole);
//! - what one person was told that it was accepted stands in that order in each conversation (ordered);
//! - a program hears every entry of others behind what it confirmed, in order, without a gap, and
//!   never again what it confirmed;
//! - in the end nothing is left on its way, and nothing failed, because nothing was wrong with it;
//! - no task panicked.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use common::api::{Body, Entry};
use common::id::{ConvId, ConvKind};

type Place = (ConvId, u64);

/// One thing that somebody's program did or was told.
#[derive(Clone, Debug)]
enum Fact {
    Began,
    Died,
    Wrote(String),
    Accepted(String),
    Acknowledged(String, Place),
    Failed(String, String),
    Got(Place, Option<String>),
    Confirmed(Place),
    Resync,
}

/// See the module's description.
#[derive(Default)]
pub(super) struct History {
    course: Vec<String>,
    facts: BTreeMap<String, Vec<Fact>>,
    stored: BTreeMap<ConvId, Vec<Entry>>,
    /// Up to where it was not everybody's yet.
    before: BTreeMap<ConvId, u64>,
    left: BTreeMap<String, Vec<String>>,
    panics: Vec<String>,
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.course {
            writeln!(f, "{line}")?;
        }
        Ok(())
    }
}

impl History {
    pub(super) fn note(&mut self, at: Duration, what: &str) {
        self.course.push(format!("{:8} {what}", at.as_millis()));
    }

    fn fact(&mut self, at: Duration, who: &str, words: &str, fact: Fact) {
        self.note(at, &format!("{who}: {words}"));
        self.facts.entry(who.to_owned()).or_default().push(fact);
    }

    pub(super) fn began(&mut self, at: Duration, who: &str) {
        self.fact(at, who, "the program starts", Fact::Began);
    }

    pub(super) fn died(&mut self, at: Duration, who: &str) {
        self.fact(at, who, "the program is killed", Fact::Died);
    }

    pub(super) fn wrote(&mut self, at: Duration, who: &str, client_id: &str) {
        let fact = Fact::Wrote(client_id.to_owned());
        self.fact(at, who, &format!("writes {client_id}"), fact);
    }

    pub(super) fn accepted(&mut self, at: Duration, who: &str, client_id: &str) {
        let fact = Fact::Accepted(client_id.to_owned());
        self.fact(at, who, &format!("{client_id} is accepted"), fact);
    }

    pub(super) fn acknowledged(&mut self, at: Duration, who: &str, client_id: &str, place: Place) {
        let words = format!("{client_id} is stored as {} in {}", place.1, place.0.0);
        self.fact(
            at,
            who,
            &words,
            Fact::Acknowledged(client_id.to_owned(), place),
        );
    }

    pub(super) fn failed(&mut self, at: Duration, who: &str, client_id: &str, why: &str) {
        let fact = Fact::Failed(client_id.to_owned(), why.to_owned());
        self.fact(at, who, &format!("{client_id} failed: {why}"), fact);
    }

    pub(super) fn got(&mut self, at: Duration, who: &str, place: Place, name: Option<String>) {
        let words = format!("hears {} in {}: {name:?}", place.1, place.0.0);
        self.fact(at, who, &words, Fact::Got(place, name));
    }

    pub(super) fn confirmed(&mut self, at: Duration, who: &str, place: Place) {
        let words = format!("confirms {} in {}", place.1, place.0.0);
        self.fact(at, who, &words, Fact::Confirmed(place));
    }

    pub(super) fn resync(&mut self, at: Duration, who: &str) {
        self.fact(at, who, "has to begin anew", Fact::Resync);
    }

    /// What a conversation has before the storm: some of it was written before everybody was in it.
    pub(super) fn began_with(&mut self, conv: ConvId, last: Option<&Entry>) {
        self.before.insert(conv, last.map_or(0, |last| last.seq.0));
    }

    /// What panicked, in the server or in a program.
    pub(super) fn panicked(&mut self, panics: Vec<String>) {
        self.panics = panics;
    }

    /// What the database has in the end.
    pub(super) fn stored(&mut self, conv: ConvId, entries: Vec<Entry>) {
        self.stored.insert(conv, entries);
    }

    /// What somebody never heard of again.
    pub(super) fn left(&mut self, who: &str, left: Vec<String>) {
        self.left.insert(who.to_owned(), left);
    }

    /// What was not kept, each in a sentence.
    pub(super) fn violations(&self) -> Vec<String> {
        let mut found = self.panics.clone();
        self.check_numbers(&mut found);
        self.check_names(&mut found);
        for (who, facts) in &self.facts {
            self.check_acknowledged(who, facts, &mut found);
            self.check_order(who, facts, &mut found);
            self.check_heard(who, facts, &mut found);
        }
        for (who, left) in &self.left {
            if !left.is_empty() {
                found.push(format!("{who} never heard what became of {left:?}"));
            }
        }
        found
    }

    fn check_numbers(&self, found: &mut Vec<String>) {
        for (conv, entries) in &self.stored {
            for (entry, wanted) in entries.iter().zip(1..) {
                if entry.seq.0 != wanted {
                    found.push(format!(
                        "{}: {} stands where {wanted} belongs",
                        conv.0, entry.seq.0
                    ));
                    break;
                }
            }
        }
    }

    fn check_names(&self, found: &mut Vec<String>) {
        let mut written = BTreeSet::new();
        for fact in self.facts.values().flatten() {
            if let Fact::Wrote(client_id) = fact {
                written.insert(client_id.as_str());
            }
        }
        let mut seen = BTreeSet::new();
        for entry in self.messages() {
            let name = entry.origin.client_id.as_str();
            if !written.contains(name) {
                found.push(format!("{name} is stored and nobody wrote it"));
            }
            if !seen.insert(name) {
                found.push(format!("{name} is stored twice"));
            }
        }
    }

    fn messages(&self) -> impl Iterator<Item = &Entry> {
        let all = self.stored.values().flatten();
        all.filter(|entry| matches!(entry.body, Body::Message { .. }))
    }

    fn place_of(&self, client_id: &str) -> Option<Place> {
        let mut all = self.messages();
        let entry = all.find(|entry| entry.origin.client_id.as_str() == client_id)?;
        Some((entry.conv, entry.seq.0))
    }

    fn check_acknowledged(&self, who: &str, facts: &[Fact], found: &mut Vec<String>) {
        let mut over = BTreeSet::new();
        for fact in facts {
            match fact {
                Fact::Acknowledged(client_id, place) => {
                    over.insert(client_id);
                    if self.place_of(client_id) != Some(*place) {
                        let stored = self.place_of(client_id);
                        found.push(format!(
                            "{who} was told that {client_id} is {place:?}, and it is {stored:?}"
                        ));
                    }
                }
                Fact::Failed(client_id, why) => {
                    found.push(format!("{who} was told that {client_id} failed: {why}"));
                }
                _ => {}
            }
        }
        for fact in facts {
            if let Fact::Accepted(client_id) = fact
                && self.place_of(client_id).is_none()
            {
                found.push(format!("{client_id} was accepted and is not stored"));
            }
        }
    }

    /// What was accepted first stands first.
    fn check_order(&self, who: &str, facts: &[Fact], found: &mut Vec<String>) {
        let mut last = BTreeMap::<ConvId, u64>::new();
        for fact in facts {
            if let Fact::Accepted(client_id) = fact
                && let Some((conv, seq)) = self.place_of(client_id)
            {
                let before = last.insert(conv, seq).unwrap_or(0);
                if before > seq {
                    found.push(format!(
                        "{who}: {client_id} overtook what was written before"
                    ));
                }
            }
        }
    }

    fn check_heard(&self, who: &str, facts: &[Fact], found: &mut Vec<String>) {
        let mut confirmed = BTreeMap::<ConvId, u64>::new();
        let mut at = BTreeMap::<ConvId, u64>::new();
        for fact in facts {
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
                    self.check_gap(who, (*conv, before), *seq, found);
                    self.check_content(who, (*conv, *seq), name.as_deref(), found);
                }
                Fact::Resync => found.push(format!("{who} had to begin anew")),
                _ => {}
            }
        }
        for (conv, entries) in &self.stored {
            let at = confirmed.get(conv).copied().unwrap_or(0);
            let of_others = entries.iter().rfind(|entry| self.is_of_another(who, entry));
            if self.hears(who, *conv) && of_others.is_some_and(|last| last.seq.0 > at) {
                found.push(format!("{who} has {} only up to {at}", conv.0));
            }
        }
    }

    /// Whether this person takes part: then something of the conversation was heard, or written.
    fn hears(&self, who: &str, conv: ConvId) -> bool {
        let number = who.trim_start_matches('p').parse().unwrap_or(0);
        match conv.kind() {
            Some(ConvKind::Direct(a, b)) => a.0 == number || b.0 == number,
            _ => true,
        }
    }

    fn is_of_another(&self, who: &str, entry: &Entry) -> bool {
        format!("p{}", entry.origin.user.0) != who
    }

    /// Own messages come back as answers; everything of others is heard.
    fn check_gap(&self, who: &str, (conv, after): Place, seq: u64, found: &mut Vec<String>) {
        let Some(entries) = self.stored.get(&conv) else {
            return;
        };
        let after = after.max(self.before.get(&conv).copied().unwrap_or(0));
        let between = entries
            .iter()
            .filter(|entry| (after + 1..seq).contains(&entry.seq.0));
        for entry in between {
            if self.is_of_another(who, entry) {
                found.push(format!(
                    "{who} heard {seq} in {} and not {}",
                    conv.0, entry.seq.0
                ));
            }
        }
    }

    fn check_content(
        &self,
        who: &str,
        (conv, seq): Place,
        name: Option<&str>,
        found: &mut Vec<String>,
    ) {
        let Some(entries) = self.stored.get(&conv) else {
            return;
        };
        let stored = entries.iter().find(|entry| entry.seq.0 == seq);
        let is_right = match (stored, name) {
            (None, _) => false,
            (Some(entry), Some(name)) => entry.origin.client_id.as_str() == name,
            (Some(_), None) => true,
        };
        if !is_right {
            found.push(format!(
                "{who} heard {name:?} as {seq} in {}, which is not so",
                conv.0
            ));
        }
    }
}
