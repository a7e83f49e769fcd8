//! What happened, and whether every promise was kept:
//!
//! - what was acknowledged is stored, where it was said to be (durable), and what was refused is not;
//! - one name of a message is one entry (once), and nothing is stored that nobody wrote;
//! - a conversation's numbers are 1, 2, 3, … (whole);
//! - nobody writes in a group, and nobody hears an entry of it, of a time in which he was no member;
//! - what one person wrote stands in that order in each conversation (ordered);
//! - everybody hears what others wrote while he was a member: see `sdk` for those who acknowledge,
//!   and `flamingo` for those who do not;
//! - in the end nothing is left on its way, and nothing failed, because nothing was wrong with it;
//! - no task panicked.

mod flamingo;
mod log;
mod sdk;
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use common::id::{ConvId, Peer, UserId};

pub(super) use log::Log;

type Place = (ConvId, u64);

/// One thing that somebody's program did or was told.
#[derive(Clone, Debug)]
enum Fact {
    Began,
    Died,
    Wrote(String, ConvId),
    // Of the SDK.
    Accepted(String),
    Acknowledged(String, Place),
    Failed(String, String),
    Got(Place, Option<String>),
    Confirmed(Place),
    Resync,
    // Of the Flamingo protocol.
    SignedIn,
    /// The answer to a heartbeat: this was sent before it, so it is stored.
    Answered(BTreeSet<String>),
    Heard(String, Chat),
    /// It was in the system's buffer when the program closed the connection, or was killed.
    Unread(String),
    /// All was over, and everybody had everything.
    Settled,
}

/// From whom a message was, and for whom.
pub(super) type Chat = (UserId, Peer);

/// Somebody and what he did.
#[derive(Debug)]
struct Known {
    user: UserId,
    is_flamingo: bool,
    facts: Vec<(Duration, Fact)>,
    /// What he never heard of again.
    left: Vec<String>,
}

/// See the module's description.
#[derive(Default)]
pub(super) struct History {
    course: Vec<String>,
    people: BTreeMap<String, Known>,
    logs: Vec<Log>,
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
    pub(super) fn introduce(&mut self, who: &str, user: UserId, is_flamingo: bool) {
        let known = Known {
            user,
            is_flamingo,
            facts: Vec::new(),
            left: Vec::new(),
        };
        self.people.insert(who.to_owned(), known);
    }

    pub(super) fn note(&mut self, at: Duration, what: &str) {
        self.course.push(format!("{:8} {what}", at.as_millis()));
    }

    fn fact(&mut self, at: Duration, who: &str, words: &str, fact: Fact) {
        self.note(at, &format!("{who}: {words}"));
        let known = self.people.get_mut(who).expect("everybody is introduced");
        known.facts.push((at, fact));
    }

    pub(super) fn began(&mut self, at: Duration, who: &str) {
        self.fact(at, who, "the program starts", Fact::Began);
    }

    pub(super) fn died(&mut self, at: Duration, who: &str) {
        self.fact(at, who, "the program is killed", Fact::Died);
    }

    pub(super) fn wrote(&mut self, at: Duration, who: &str, name: &str, conv: ConvId) {
        let fact = Fact::Wrote(name.to_owned(), conv);
        self.fact(at, who, &format!("writes {name} to {}", conv.0), fact);
    }

    pub(super) fn accepted(&mut self, at: Duration, who: &str, name: &str) {
        let fact = Fact::Accepted(name.to_owned());
        self.fact(at, who, &format!("{name} is accepted"), fact);
    }

    pub(super) fn acknowledged(&mut self, at: Duration, who: &str, name: &str, place: Place) {
        let words = format!("{name} is stored as {} in {}", place.1, place.0.0);
        self.fact(at, who, &words, Fact::Acknowledged(name.to_owned(), place));
    }

    pub(super) fn failed(&mut self, at: Duration, who: &str, name: &str, why: &str) {
        let fact = Fact::Failed(name.to_owned(), why.to_owned());
        self.fact(at, who, &format!("{name} failed: {why}"), fact);
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

    pub(super) fn signed_in(&mut self, at: Duration, who: &str) {
        self.fact(at, who, "is signed in", Fact::SignedIn);
    }

    pub(super) fn answered(&mut self, at: Duration, who: &str, sent: BTreeSet<String>) {
        self.fact(at, who, "has an answer", Fact::Answered(sent));
    }

    pub(super) fn heard(&mut self, at: Duration, who: &str, name: &str, chat: Chat) {
        let words = format!("hears {name} of {} for {:?}", chat.0, chat.1);
        self.fact(at, who, &words, Fact::Heard(name.to_owned(), chat));
    }

    pub(super) fn unread(&mut self, at: Duration, who: &str, name: &str) {
        let words = format!("{name} is not read");
        self.fact(at, who, &words, Fact::Unread(name.to_owned()));
    }

    /// The storm is over, and everybody has everything.
    pub(super) fn settled(&mut self, at: Duration) {
        self.note(at, "everybody has everything");
        for known in self.people.values_mut() {
            known.facts.push((at, Fact::Settled));
        }
    }

    /// What panicked, in the server or in a program.
    pub(super) fn panicked(&mut self, panics: Vec<String>) {
        self.panics = panics;
    }

    /// What the database has in the end.
    pub(super) fn stored(&mut self, log: Log) {
        self.logs.push(log);
    }

    /// What somebody never heard of again.
    pub(super) fn left(&mut self, who: &str, left: Vec<String>) {
        if let Some(known) = self.people.get_mut(who) {
            known.left = left;
        }
    }

    /// What was not kept, each in a sentence.
    pub(super) fn violations(&self) -> Vec<String> {
        let mut found = self.panics.clone();
        for log in &self.logs {
            log.check(&mut found);
        }
        self.check_names(&mut found);
        let stored = Stored::new(&self.logs);
        for (who, known) in &self.people {
            check_order(who, known, &stored, &mut found);
            if known.is_flamingo {
                flamingo::check(who, known, &stored, &mut found);
            } else {
                sdk::check(who, known, &stored, &mut found);
            }
            if !known.left.is_empty() {
                found.push(format!("{who} never heard what became of {:?}", known.left));
            }
        }
        found
    }

    fn check_names(&self, found: &mut Vec<String>) {
        let mut written = BTreeMap::new();
        for known in self.people.values() {
            for (_, fact) in &known.facts {
                if let Fact::Wrote(name, conv) = fact {
                    written.insert(name.as_str(), (known.user, *conv));
                }
            }
        }
        let mut seen = BTreeSet::new();
        for log in &self.logs {
            for (name, author) in log.messages() {
                if written.get(name) != Some(&(author, log.conv)) {
                    found.push(format!("{name} is stored, and nobody wrote it there"));
                }
                if !seen.insert(name) {
                    found.push(format!("{name} is stored twice"));
                }
            }
        }
    }
}

/// What was written first stands first: what an application was told that it was accepted, and what
/// an old client sent.
fn check_order(who: &str, known: &Known, stored: &Stored<'_>, found: &mut Vec<String>) {
    let mut last = BTreeMap::<ConvId, u64>::new();
    for (_, fact) in &known.facts {
        let name = match fact {
            Fact::Accepted(name) => name,
            Fact::Wrote(name, _) if known.is_flamingo => name,
            _ => continue,
        };
        if let Some((conv, seq)) = stored.place_of(name) {
            let before = last.insert(conv, seq).unwrap_or(0);
            if before > seq {
                found.push(format!("{who}: {name} overtook what was written before"));
            }
        }
    }
}

/// The logs, and where each message stands.
struct Stored<'a> {
    logs: BTreeMap<ConvId, &'a Log>,
    places: BTreeMap<&'a str, Place>,
}

impl<'a> Stored<'a> {
    fn new(logs: &'a [Log]) -> Self {
        let mut places = BTreeMap::new();
        for log in logs {
            places.extend(log.places().map(|(name, seq)| (name, (log.conv, seq))));
        }
        let logs = logs.iter().map(|log| (log.conv, log)).collect();
        Self { logs, places }
    }

    fn place_of(&self, name: &str) -> Option<Place> {
        self.places.get(name).copied()
    }

    /// Whether a message to this conversation may be refused, of all that was written within this
    /// time: its author was no member.
    fn may_refuse(&self, conv: ConvId, author: UserId, within: (Duration, Duration)) -> bool {
        let log = self.logs.get(&conv);
        log.is_some_and(|log| log.was_out(author, within))
    }
}
