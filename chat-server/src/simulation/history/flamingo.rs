//! What is promised to clients of the Flamingo protocol, which never acknowledge:
//!
//! - the answer to a heartbeat says that what was sent before is stored; what cannot be stored ends
//!   the connection, and only who is no member is not told;
//! - on one connection nothing is heard twice, and each conversation in its order;
//! - every message of others is heard on some connection, and none before those that stand before it;
//!   except what was in the system's buffer when the program was killed, see decision 0003;
//! - what a program has and its server could notice does not come again: in the calm behind the storm
//!   everybody comes back in order, and hears nothing of what he has.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use common::id::ConvId;

use super::{Chat, Fact, Known, Stored};

/// What one client has heard so far.
struct Listener<'a> {
    who: &'a str,
    known: &'a Known,
    stored: &'a Stored<'a>,
    /// On this connection.
    last: BTreeMap<ConvId, u64>,
    /// On any.
    had: BTreeMap<ConvId, BTreeSet<u64>>,
    unread: BTreeSet<&'a str>,
    /// Nothing of what it has may come again.
    is_settled: bool,
}

pub(super) fn check(who: &str, known: &Known, stored: &Stored<'_>, found: &mut Vec<String>) {
    check_sent(who, known, stored, found);
    let mut listener = Listener {
        who,
        known,
        stored,
        last: BTreeMap::new(),
        had: BTreeMap::new(),
        unread: BTreeSet::new(),
        is_settled: false,
    };
    for (_, fact) in &known.facts {
        match fact {
            Fact::SignedIn => listener.last.clear(),
            Fact::Heard(name, chat) => listener.hears(name, *chat, found),
            Fact::Unread(name) => {
                listener.unread.insert(name);
            }
            Fact::Settled => listener.is_settled = true,
            _ => {}
        }
    }
    for (conv, log) in &stored.logs {
        for (seq, name) in log.owed(known.user) {
            if !listener.has(*conv, seq, name) {
                found.push(format!("{who} never heard {seq} in {}", conv.0));
            }
        }
    }
}

fn check_sent(who: &str, known: &Known, stored: &Stored<'_>, found: &mut Vec<String>) {
    let mut sent = BTreeMap::<&str, (Duration, ConvId)>::new();
    for (at, fact) in &known.facts {
        match fact {
            Fact::Wrote(name, conv) => {
                sent.insert(name, (*at, *conv));
            }
            Fact::Answered(names) => {
                let lost = names.iter().filter(|name| stored.place_of(name).is_none());
                let refused = |name: &str| {
                    let sent = sent.get(name);
                    sent.is_some_and(|(since, conv)| {
                        stored.may_refuse(*conv, known.user, (*since, *at))
                    })
                };
                for name in lost.filter(|name| !refused(name)) {
                    found.push(format!("{who} was told that {name} is stored"));
                }
            }
            _ => {}
        }
    }
}

impl<'a> Listener<'a> {
    fn has(&self, conv: ConvId, seq: u64, name: Option<&str>) -> bool {
        // The protocol has no words for most notices.
        let Some(name) = name else {
            return true;
        };
        let had = self.had.get(&conv);
        had.is_some_and(|had| had.contains(&seq)) || self.unread.contains(name)
    }

    fn hears(&mut self, name: &'a str, (sender, target): Chat, found: &mut Vec<String>) {
        let (who, user, stored) = (self.who, self.known.user, self.stored);
        let mut wrong = |what: String| found.push(format!("{who} heard {name}{what}"));
        let Some((conv, seq)) = stored.place_of(name) else {
            return wrong(", which is not stored".to_owned());
        };
        if ConvId::between(sender, target) != conv {
            wrong(format!(" of {sender} for {target:?}"));
        }
        if sender == user {
            wrong(", which was its own".to_owned());
        }
        let last = self.last.insert(conv, seq).unwrap_or(0);
        if seq <= last {
            wrong(format!(", which is {seq}, after {last} on one connection"));
        }
        let Some(log) = stored.logs.get(&conv) else {
            return;
        };
        let Some(stretch) = log.stretch(user, seq) else {
            return wrong(" and was no member".to_owned());
        };
        for (missed, name) in log.of_others(user, stretch, (0, seq)) {
            if !self.has(conv, missed, name) {
                wrong(format!(", which is {seq}, and not {missed}"));
            }
        }
        let is_new = self.had.entry(conv).or_default().insert(seq);
        if self.is_settled && !is_new {
            wrong(" again".to_owned());
        }
    }
}
