//! Events that are told once and forgotten: presence, typing, marks of reading and delivery, large
//! groups that moved.
//!
//! They are collected while the session has something better to do, the latest of each kind for
//! each subject, and written now and then.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use common::id::{ConvId, Peer, Seq, UserId};
use tokio::time::Instant;

use super::shape::event;
use crate::hub::{MARKS_MAX, Mailbox, Presence};

/// Presence is written at most this often.
const PRESENCES_EVERY: Duration = Duration::from_secs(2);
/// That a large group moved is written at most this often: four times a second.
const HEADS_EVERY: Duration = Duration::from_millis(250);

/// See the module's description.
#[derive(Debug, Default)]
pub(super) struct Ephemeral {
    heads: BTreeMap<ConvId, Seq>,
    presences: BTreeMap<UserId, Presence>,
    typing: BTreeSet<(ConvId, UserId)>,
    reads: BTreeMap<(ConvId, UserId), Seq>,
    deliveries: BTreeMap<(ConvId, UserId), Seq>,
    profiles: BTreeSet<Peer>,
    heads_from: Option<Instant>,
    presences_from: Option<Instant>,
}

impl Ephemeral {
    /// Takes what a mailbox held.
    pub(super) fn absorb(&mut self, mailbox: Mailbox) {
        for conv in &mailbox.lost {
            self.heads.remove(conv);
        }
        for (conv, head) in mailbox.heads {
            self.head(conv, head);
        }
        replace(&mut self.presences, mailbox.presences);
        add(&mut self.typing, mailbox.typing);
        replace(&mut self.reads, mailbox.reads);
        replace(&mut self.deliveries, mailbox.deliveries);
        add(&mut self.profiles, mailbox.profiles);
    }

    /// A large group has got this far, or further.
    pub(super) fn head(&mut self, conv: ConvId, head: Seq) {
        let furthest = self.heads.entry(conv).or_default();
        *furthest = head.max(*furthest);
    }

    /// How far a large group has got, if that was not told yet. It need not be told any more.
    pub(super) fn forget_head(&mut self, conv: ConvId) -> Option<Seq> {
        self.heads.remove(&conv)
    }

    /// When something is to be written; `None` if there is nothing.
    pub(super) fn due(&self, now: Instant) -> Option<Instant> {
        let at = |is_there: bool, from: Option<Instant>| is_there.then(|| from.unwrap_or(now));
        let marks = !self.typing.is_empty()
            || !self.reads.is_empty()
            || !self.deliveries.is_empty()
            || !self.profiles.is_empty();
        [
            at(marks, None),
            at(!self.heads.is_empty(), self.heads_from),
            at(!self.presences.is_empty(), self.presences_from),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// The large groups whose move is to be told now.
    pub(super) fn take_heads(&mut self, now: Instant) -> BTreeMap<ConvId, Seq> {
        if self.heads.is_empty() || self.heads_from.is_some_and(|from| now < from) {
            return BTreeMap::new();
        }
        self.heads_from = Some(now + HEADS_EVERY);
        std::mem::take(&mut self.heads)
    }

    /// Everything else that is to be told now, as finished events.
    pub(super) fn take(&mut self, now: Instant) -> Vec<String> {
        let mut events = Vec::new();
        for (conv, user) in std::mem::take(&mut self.typing) {
            events.push(event::typing(conv, user));
        }
        for ((conv, user), seq) in std::mem::take(&mut self.reads) {
            events.push(event::read(conv, user, seq));
        }
        for ((conv, user), seq) in std::mem::take(&mut self.deliveries) {
            events.push(event::delivered(conv, user, seq));
        }
        for peer in std::mem::take(&mut self.profiles) {
            events.push(event::profile_changed(peer));
        }
        if !self.presences.is_empty() && self.presences_from.is_none_or(|from| from <= now) {
            self.presences_from = Some(now + PRESENCES_EVERY);
            for (user, presence) in std::mem::take(&mut self.presences) {
                events.push(event::presence(user, presence));
            }
        }
        events
    }
}

/// The latest of each subject; of subjects beyond [`MARKS_MAX`] nothing is told to a client that does
/// not read, as in the mailbox.
fn replace<K: Ord, V>(held: &mut BTreeMap<K, V>, news: BTreeMap<K, V>) {
    for (subject, latest) in news {
        if held.len() < MARKS_MAX || held.contains_key(&subject) {
            held.insert(subject, latest);
        }
    }
}

fn add<T: Ord>(held: &mut BTreeSet<T>, news: BTreeSet<T>) {
    let room = MARKS_MAX.saturating_sub(held.len());
    held.extend(news.into_iter().take(room));
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONV: ConvId = ConvId(2 << 60 | 300_000_000);

    fn seen(status: i32) -> Mailbox {
        let presence = Presence {
            status,
            client: 1,
            is_away: false,
        };
        let mut mailbox = Mailbox::default();
        mailbox.presences.insert(UserId(7), presence);
        mailbox
    }

    #[tokio::test(start_paused = true)]
    async fn presence_is_written_every_two_seconds_and_only_the_latest() {
        let (mut ephemeral, now) = (Ephemeral::default(), Instant::now());
        assert_eq!(ephemeral.due(now), None);
        ephemeral.absorb(seen(1));
        assert_eq!(ephemeral.take(now).len(), 1);
        ephemeral.absorb(seen(0));
        ephemeral.absorb(seen(1));
        assert!(ephemeral.take(now).is_empty());
        assert_eq!(ephemeral.due(now), Some(now + PRESENCES_EVERY));
        let events = ephemeral.take(now + PRESENCES_EVERY);
        assert_eq!(events.len(), 1);
        assert!(events[0].contains("online"), "{events:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_large_group_is_named_four_times_a_second() {
        let (mut ephemeral, now) = (Ephemeral::default(), Instant::now());
        ephemeral.head(CONV, Seq(1));
        assert_eq!(ephemeral.take_heads(now).len(), 1);
        ephemeral.head(CONV, Seq(3));
        ephemeral.head(CONV, Seq(2));
        assert!(ephemeral.take_heads(now).is_empty());
        let heads = ephemeral.take_heads(now + HEADS_EVERY);
        assert_eq!(heads, BTreeMap::from([(CONV, Seq(3))]));
    }

    #[tokio::test(start_paused = true)]
    async fn marks_are_written_at_once() {
        let (mut ephemeral, now) = (Ephemeral::default(), Instant::now());
        let mut mailbox = Mailbox::default();
        mailbox.typing.insert((CONV, UserId(7)));
        mailbox.reads.insert((CONV, UserId(7)), Seq(4));
        ephemeral.absorb(mailbox);
        assert_eq!(ephemeral.due(now), Some(now));
        assert_eq!(ephemeral.take(now).len(), 2);
        assert_eq!(ephemeral.due(now), None);
    }
}
