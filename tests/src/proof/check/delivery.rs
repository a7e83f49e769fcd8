//! What each device heard, against the log: I1, I4, I5, I6, I9, I11.

use std::collections::{BTreeMap, BTreeSet};

use super::Violation;
use super::known::Known;
use crate::proof::history::Event;

/// How far a device got in a conversation.
#[derive(Debug, Default)]
struct Reach {
    /// The last entry that came on this connection.
    last: Option<u64>,
    /// Behind this the connection before went on: a place that is durable.
    start: u64,
    /// The furthest that it said, or for an old device: that it heard.
    confirming: u64,
    /// The furthest that the server answered to have, and in which life.
    confirmed: u64,
    confirmed_in: Option<u64>,
    heard: BTreeSet<u64>,
}

#[derive(Debug, Default)]
struct Listener<'h> {
    life: Option<u64>,
    reach: BTreeMap<&'h str, Reach>,
}

struct Judge<'k, 'h> {
    known: &'k Known<'h>,
    listeners: BTreeMap<&'h str, Listener<'h>>,
    found: &'k mut Vec<Violation>,
}

pub(super) fn judge(known: &Known<'_>, found: &mut Vec<Violation>) {
    let mut judge = Judge {
        known,
        listeners: BTreeMap::new(),
        found,
    };
    for event in known.history {
        judge.event(event);
    }
}

impl<'h> Judge<'_, 'h> {
    fn event(&mut self, event: &'h Event) {
        match event {
            Event::Connected { device, life } => {
                let listener = self.listeners.entry(device).or_default();
                listener.life = *life;
                for reach in listener.reach.values_mut() {
                    reach.last = None;
                }
            }
            Event::Received {
                device,
                conversation,
                seq,
                content,
            } => self.received(device, conversation, *seq, content.as_deref()),
            Event::Confirming {
                device,
                conversation,
                seq,
            } => {
                let reach = self.reach(device, conversation);
                reach.confirming = reach.confirming.max(*seq);
            }
            Event::Confirmed {
                device,
                conversation,
                seq,
            } => {
                let life = self.listeners.get(device.as_str()).and_then(|one| one.life);
                let reach = self.reach(device, conversation);
                // A crash may have taken back what was confirmed in the life before.
                if *seq >= reach.confirmed || reach.confirmed_in != life {
                    reach.confirmed = *seq;
                    reach.confirmed_in = life;
                }
            }
            Event::Waited { device } => self.waited(device),
            _ => {}
        }
    }

    fn reach(&mut self, device: &'h str, conversation: &'h str) -> &mut Reach {
        let listener = self.listeners.entry(device).or_default();
        listener.reach.entry(conversation).or_default()
    }

    fn wrong(&mut self, invariant: &'static str, at: (&str, Option<u64>), who: &str, what: String) {
        self.found.push(Violation {
            invariant,
            place: at.0.to_owned(),
            seq: at.1,
            who: who.to_owned(),
            what,
        });
    }

    fn received(
        &mut self,
        device: &'h str,
        conversation: &'h str,
        seq: Option<u64>,
        content: Option<&'h str>,
    ) {
        let Some(seq) = self.stands(device, conversation, seq, content) else {
            return;
        };
        let here = (conversation, Some(seq));
        let user = self.known.user(device);
        if !self.known.may_read(conversation, user, seq) {
            let what = format!("{user} heard this and is no member here");
            self.wrong("I11", here, device, what);
        }
        let acknowledges = self
            .known
            .devices
            .get(device)
            .is_some_and(|one| one.acknowledges);
        let life = self.listeners.get(device).and_then(|one| one.life);
        let reach = self.reach(device, conversation);
        let (last, start, confirming) = (reach.last, reach.start, reach.confirming);
        let is_sure = reach.confirmed_in.is_some() && reach.confirmed_in == life;
        let confirmed = if is_sure { reach.confirmed } else { 0 };
        reach.last = Some(last.unwrap_or(0).max(seq));
        reach.heard.insert(seq);
        if last.is_none() {
            reach.start = start.max(seq - 1);
        }
        if !acknowledges {
            reach.confirming = confirming.max(seq);
        }
        match last {
            Some(last) if seq <= last => {
                let what = format!("came after {last} on the same connection");
                self.wrong("I5", here, device, what);
            }
            Some(last) => self.no_gap(device, conversation, last, seq),
            None => {
                if seq <= confirmed {
                    let what = format!("came again, although {confirmed} was confirmed");
                    self.wrong("I6", here, device, what);
                } else if seq <= start {
                    let what =
                        format!("came again, although an earlier connection began behind {start}");
                    self.wrong("I6", here, device, what);
                }
                self.no_gap(device, conversation, confirming, seq);
            }
        }
    }

    /// Where what was heard stands; says what is wrong with it otherwise.
    fn stands(
        &mut self,
        device: &str,
        conversation: &str,
        seq: Option<u64>,
        content: Option<&str>,
    ) -> Option<u64> {
        let Some(seq) = seq else {
            let log = self.known.log.get(conversation).into_iter().flatten();
            let mut there = log.filter(|(_, entry)| content.is_some() && entry.content == content);
            let Some((seq, _)) = there.next() else {
                let what = format!("heard {}, which is not stored", content.unwrap_or_default());
                self.wrong("I1", (conversation, None), device, what);
                return None;
            };
            return Some(*seq);
        };
        let here = (conversation, Some(seq));
        match self.known.at(conversation, seq) {
            None => {
                let what = "heard this, and it is not stored".to_owned();
                self.wrong("I1", here, device, what);
                None
            }
            Some(entry) if entry.content != content => {
                let what = "heard something else at this number".to_owned();
                self.wrong("I4", here, device, what);
                None
            }
            Some(_) => Some(seq),
        }
    }

    fn no_gap(&mut self, device: &str, conversation: &str, after: u64, seq: u64) {
        if let Some(missed) = self.known.first_missed(device, conversation, after, seq) {
            let what = format!("was left out: {seq} came, and before it {after}");
            self.wrong("I6", (conversation, Some(missed)), device, what);
        }
    }

    /// I9: whoever has waited has all.
    fn waited(&mut self, device: &'h str) {
        let user = self.known.user(device);
        for conversation in self.known.conversations_of(user) {
            let heard = self.reach(device, conversation).heard.clone();
            let log = self.known.log.get(conversation).into_iter().flatten();
            let mut missed = log.filter(|(seq, entry)| {
                !heard.contains(seq)
                    && self.known.is_told(device, conversation, entry)
                    && self.known.is_still_there(conversation, user, **seq)
            });
            if let Some((seq, _)) = missed.next() {
                let what = "waited until all was over and never heard this".to_owned();
                self.wrong("I9", (conversation, Some(*seq)), device, what);
            }
        }
    }
}
