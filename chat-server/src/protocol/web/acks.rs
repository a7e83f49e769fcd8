//! How far a device has acknowledged each conversation, and which of its durable cursors have to
//! move.
//!
//! A device acknowledges what it was shown. Entries that it was not shown (its own messages, what
//! it may not see) count as acknowledged when everything shown before them is.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use common::id::{ConvId, Seq};
use tokio::time::Instant;

/// Acknowledgments are collected for so long before the cursors move.
const COLLECT_FOR: Duration = Duration::from_millis(200);
/// So many cursors move at once without waiting.
const COLLECTED_MAX: usize = 256;

/// See the module's description.
#[derive(Debug, Default)]
pub(super) struct Acks {
    places: HashMap<ConvId, Place>,
    moved: BTreeMap<ConvId, Seq>,
    due: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    /// The last entry that was written to the device.
    shown: Seq,
    /// The last entry that was walked, shown or not.
    passed: Seq,
    /// The end of a large group that was only named.
    named: Seq,
    acked: Seq,
    /// Where the durable cursor is, or will be soon.
    cursor: Seq,
}

impl Acks {
    /// An entry was written to the device.
    pub(super) fn shown(&mut self, conv: ConvId, seq: Seq) {
        let place = self.place(conv, seq);
        (place.shown, place.passed) = (seq, seq);
        #[cfg(feature = "planted")]
        if common::config::planted::has("cursor-on-write") {
            place.acked = seq;
            self.move_cursor(conv, Instant::now());
        }
    }

    /// An entry was walked that the device is not shown.
    pub(super) fn passed(&mut self, conv: ConvId, seq: Seq, now: Instant) {
        self.place(conv, seq).passed = seq;
        self.move_cursor(conv, now);
    }

    /// The device was told how far a large group has got, without being shown the entries.
    pub(super) fn named(&mut self, conv: ConvId, head: Seq) {
        // Nothing was walked: what is acknowledged from here on is what the device fetched.
        let place = self.places.entry(conv).or_insert(Place::at(Seq(0)));
        place.named = head.max(place.named);
    }

    /// The device holds everything up to `seq`; what it was never told of does not count. Returns
    /// what counts; `None` if nothing of the conversation was shown on this connection.
    pub(super) fn ack(&mut self, conv: ConvId, seq: Seq, now: Instant) -> Option<Seq> {
        let place = self.places.get_mut(&conv)?;
        let counts = seq.min(place.passed.max(place.named));
        place.acked = counts.max(place.acked);
        let acked = place.acked;
        self.move_cursor(conv, now);
        Some(acked)
    }

    /// How far the device was told that a large group has got.
    pub(super) fn named_head(&self, conv: ConvId) -> Option<Seq> {
        let place = self.places.get(&conv)?;
        (place.named > Seq(0)).then_some(place.named)
    }

    /// The conversation is not the user's any more.
    pub(super) fn lost(&mut self, conv: ConvId) {
        self.places.remove(&conv);
        self.moved.remove(&conv);
    }

    /// When to call [`Acks::take`].
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Where the durable cursor is, or will be when what was taken is saved.
    pub(super) fn reached(&self, conv: ConvId) -> Seq {
        self.places.get(&conv).map_or(Seq(0), |place| place.cursor)
    }

    /// The cursors that have to move now.
    pub(super) fn take(&mut self, now: Instant) -> BTreeMap<ConvId, Seq> {
        let is_due = self.due.is_some_and(|due| due <= now);
        if is_due || self.moved.len() >= COLLECTED_MAX {
            self.take_all()
        } else {
            BTreeMap::new()
        }
    }

    /// All cursors that have to move, at the end.
    pub(super) fn take_all(&mut self) -> BTreeMap<ConvId, Seq> {
        self.due = None;
        std::mem::take(&mut self.moved)
    }

    /// The place in a conversation whose next entry is `seq`.
    fn place(&mut self, conv: ConvId, seq: Seq) -> &mut Place {
        let before = Seq(seq.0.saturating_sub(1));
        let place = self.places.entry(conv).or_insert(Place::at(before));
        if place.passed == Seq(0) && place.shown == Seq(0) {
            // Only named until now.
            (place.shown, place.passed) = (before, before);
        }
        place
    }

    fn move_cursor(&mut self, conv: ConvId, now: Instant) {
        let Some(place) = self.places.get_mut(&conv) else {
            return;
        };
        let has_all = place.acked >= place.shown;
        let reached = if has_all {
            place.acked.max(place.passed)
        } else {
            place.acked
        };
        if reached > place.cursor {
            place.cursor = reached;
            self.moved.insert(conv, reached);
            self.due.get_or_insert(now + COLLECT_FOR);
        }
    }
}

impl Place {
    fn at(cursor: Seq) -> Self {
        Self {
            shown: cursor,
            passed: cursor,
            named: Seq(0),
            acked: cursor,
            cursor,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONV: ConvId = ConvId(1 << 60 | 1 << 30 | 2);

    fn acks() -> (Acks, Instant) {
        (Acks::default(), Instant::now())
    }

    fn taken(acks: &mut Acks) -> Option<u64> {
        acks.take_all().get(&CONV).map(|seq| seq.0)
    }

    #[tokio::test(start_paused = true)]
    async fn acknowledgments_are_collected_and_never_go_beyond_what_was_shown() {
        let (mut acks, now) = acks();
        assert_eq!(acks.ack(CONV, Seq(5), now), None, "nothing was shown");
        for seq in 4..=6 {
            acks.shown(CONV, Seq(seq));
        }
        assert_eq!(acks.ack(CONV, Seq(5), now), Some(Seq(5)));
        assert_eq!(acks.ack(CONV, Seq(99), now), Some(Seq(6)));
        assert_eq!(acks.ack(CONV, Seq(4), now), Some(Seq(6)));
        assert!(acks.take(now).is_empty(), "a moment too early");
        let moved = acks.take(now + COLLECT_FOR);
        assert_eq!(moved, BTreeMap::from([(CONV, Seq(6))]));
        assert_eq!(acks.due(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn own_entries_count_when_all_before_them_is_acknowledged() {
        let (mut acks, now) = acks();
        acks.passed(CONV, Seq(3), now);
        assert_eq!(taken(&mut acks), Some(3));
        acks.shown(CONV, Seq(4));
        acks.passed(CONV, Seq(5), now);
        assert_eq!(taken(&mut acks), None, "the fourth was not acknowledged");
        acks.ack(CONV, Seq(4), now);
        assert_eq!(taken(&mut acks), Some(5));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_only_named_can_be_acknowledged() {
        let (mut acks, now) = acks();
        acks.named(CONV, Seq(900));
        assert_eq!(acks.ack(CONV, Seq(1000), now), Some(Seq(900)));
        assert_eq!(taken(&mut acks), Some(900));
        acks.lost(CONV);
        assert_eq!(acks.ack(CONV, Seq(1000), now), None);
    }
}
