//! Which entries a client that never acknowledges has received.
//!
//! The existing clients send no acknowledgements. An entry counts as received when the peer's TCP
//! has acknowledged its bytes and, because TCP acknowledges what the program may never read, when
//! the client also kept up: either everything was written and acknowledged and the line has been
//! quiet for a moment, or a while has passed without a write that had to wait long. A program that
//! hangs lets writes wait very soon, and then nothing more counts as received. On a slow line every
//! write waits: there it counts that the peer's TCP has acknowledged so much behind an entry that no
//! buffer still holds it. The price: what was delivered in the last moment before the server itself
//! is killed is delivered once more.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use common::id::{ConvId, Seq};
use tokio::time::Instant;

/// How long the line has to be quiet.
const QUIET: Duration = Duration::from_millis(250);
/// How often to look at most whether TCP has acknowledged: each look asks the system twice, and a busy
/// line has an entry that could count at any moment.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// How often to look at least, at a client that acknowledges nothing.
const LOOK_AGAIN_MAX: Duration = Duration::from_secs(2);
/// The longer nothing was acknowledged, the rarer a look: after an eighth of that time again.
const PATIENCE_SHARE: u32 = 8;
/// How old an acknowledged entry on a busy line has to be.
const AGE: Duration = Duration::from_secs(2);
/// A write that had to wait so long puts in doubt what the client has read.
const DOUBT: Duration = Duration::from_secs(1);
/// More than the buffer holds of a client that reads slowly: systems begin with some 64 KiB, and make
/// it larger only for programs that read fast.
const BUFFERED_BYTES_MAX: u64 = 1024 * 1024;

/// Entries that were written and do not count as received yet.
#[derive(Debug, Default)]
pub(super) struct Receipts {
    flights: VecDeque<Flight>,
    /// Before this a look would find nothing, or was a moment ago.
    look_at: Option<Instant>,
}

/// Entries that were written together.
#[derive(Debug)]
struct Flight {
    /// How many bytes had been written with the last of them.
    end: u64,
    written_at: Instant,
    /// Since when no write had to wait long.
    undoubted_since: Instant,
    entries: BTreeMap<ConvId, Seq>,
}

impl Receipts {
    /// Notes what was written, up to byte `end` of the connection: the last entry of each
    /// conversation.
    pub(super) fn written(&mut self, end: u64, entries: BTreeMap<ConvId, Seq>, now: Instant) {
        if !entries.is_empty() {
            self.flights.push_back(Flight {
                end,
                written_at: now,
                undoubted_since: now,
                entries,
            });
        }
    }

    /// Notes how long a write took. After a long one everything on its way has to wait anew, or
    /// until much more has arrived.
    pub(super) fn waited(&mut self, took: Duration, now: Instant) {
        if took >= DOUBT {
            for flight in &mut self.flights {
                flight.undoubted_since = now;
            }
        }
    }

    /// When to ask [`Receipts::received`] next; `None` if nothing is on its way.
    pub(super) fn due(&self) -> Option<Instant> {
        let (first, last) = (self.flights.front()?, self.flights.back()?);
        let quiet_at = last.undoubted_since + QUIET;
        let countable_at = quiet_at.min(first.written_at + AGE);
        Some(countable_at.max(self.look_at.unwrap_or(countable_at)))
    }

    /// Takes out what counts as received now that the peer's TCP has acknowledged so many bytes. To
    /// know how many costs calls of the system, so it is asked only when that can make a difference.
    pub(super) fn received(
        &mut self,
        acknowledged: impl FnOnce() -> u64,
        now: Instant,
    ) -> BTreeMap<ConvId, Seq> {
        if self.due().is_none_or(|due| now < due) {
            return BTreeMap::new();
        }
        let acknowledged = acknowledged();
        #[cfg(feature = "planted")]
        let acknowledged = if common::config::planted::has("received-on-write") {
            u64::MAX
        } else {
            acknowledged
        };
        let received = self.counted(acknowledged, now);
        let waits = self.flights.front().map(|first| now - first.written_at);
        let pause = waits.unwrap_or_default() / PATIENCE_SHARE;
        self.look_at = Some(now + pause.clamp(LOOK_AGAIN, LOOK_AGAIN_MAX));
        received
    }

    fn counted(&mut self, acknowledged: u64, now: Instant) -> BTreeMap<ConvId, Seq> {
        let is_quiet = self
            .flights
            .back()
            .is_some_and(|last| last.end <= acknowledged && last.undoubted_since + QUIET <= now);
        self.take(|flight| {
            let is_through = flight.end + BUFFERED_BYTES_MAX <= acknowledged;
            let is_old = flight.undoubted_since + AGE <= now
                || (is_through && flight.written_at + AGE <= now);
            flight.end <= acknowledged && (is_quiet || is_old)
        })
    }

    /// Takes out everything that was acknowledged: the client closed the connection in good
    /// order, which TCP does only when its program had read everything.
    pub(super) fn closed(&mut self, acknowledged: u64) -> BTreeMap<ConvId, Seq> {
        self.take(|flight| flight.end <= acknowledged)
    }

    /// The last entry of each conversation that was written and does not count as received yet.
    pub(super) fn on_their_way(&self) -> BTreeMap<ConvId, Seq> {
        let mut last = BTreeMap::new();
        for flight in &self.flights {
            last.extend(&flight.entries);
        }
        last
    }

    fn take(&mut self, is_received: impl Fn(&Flight) -> bool) -> BTreeMap<ConvId, Seq> {
        let mut received = BTreeMap::new();
        while self.flights.front().is_some_and(&is_received) {
            if let Some(flight) = self.flights.pop_front() {
                received.extend(flight.entries);
            }
        }
        received
    }
}

#[cfg(test)]
mod tests {
    use common::id::UserId;

    use super::*;

    const CONV: ConvId = ConvId(1 << 60 | 1 << 30 | 2);

    fn one(seq: u64) -> BTreeMap<ConvId, Seq> {
        BTreeMap::from([(CONV, Seq(seq))])
    }

    #[tokio::test(start_paused = true)]
    async fn a_quiet_line_with_everything_acknowledged_has_received() {
        let mut receipts = Receipts::default();
        let start = Instant::now();
        receipts.written(100, one(1), start);
        assert_eq!(receipts.due(), Some(start + QUIET));
        assert!(receipts.received(|| 100, start).is_empty(), "not quiet yet");
        assert!(
            receipts.received(|| 99, start + QUIET).is_empty(),
            "not acknowledged yet"
        );
        let again = start + QUIET + LOOK_AGAIN;
        assert_eq!(receipts.due(), Some(again));
        assert_eq!(receipts.received(|| 100, again), one(1));
        assert_eq!(receipts.due(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_that_never_gets_quiet_counts_by_age() {
        let mut receipts = Receipts::default();
        let start = Instant::now();
        receipts.written(100, one(1), start);
        receipts.written(200, one(2), start + AGE);
        assert_eq!(receipts.received(|| 150, start + AGE), one(1));
        assert!(
            receipts.received(|| 150, start + 2 * AGE).is_empty(),
            "the second is on its way"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_is_rare_however_busy_the_line_is() {
        const MINUTE: Duration = Duration::from_secs(60);
        let mut receipts = Receipts::default();
        let (start, mut looks, mut counted) = (Instant::now(), 0, 0);
        for number in 1..=6_000 {
            let now = start + MINUTE * number / 6_000;
            receipts.written(u64::from(number), one(number.into()), now);
            for _ in 0..4 {
                let look = || {
                    looks += 1;
                    u64::from(number)
                };
                let received = receipts.received(look, now);
                counted = received.get(&CONV).map_or(counted, |seq| seq.0);
            }
        }
        assert!(looks <= 600, "{looks} looks in a minute");
        assert!(counted >= 5_700, "{counted} of 6000 count");
    }

    #[tokio::test(start_paused = true)]
    async fn who_acknowledges_nothing_is_looked_at_more_and_more_rarely() {
        let mut receipts = Receipts::default();
        let start = Instant::now();
        receipts.written(100, one(1), start);
        let (mut now, mut looks) = (start, 0);
        while now < start + Duration::from_secs(60) {
            assert!(receipts.due() > Some(now), "would look without a pause");
            now = receipts.due().unwrap();
            assert!(receipts.received(|| 99, now).is_empty());
            looks += 1;
        }
        assert!(looks <= 60, "{looks} looks in a minute");
        let received = receipts.received(|| 100, now + LOOK_AGAIN_MAX);
        assert_eq!(received, one(1), "he wakes up");
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_that_had_to_wait_puts_everything_in_doubt() {
        let mut receipts = Receipts::default();
        let start = Instant::now();
        receipts.written(100, one(1), start);
        receipts.waited(DOUBT, start + AGE);
        receipts.written(200, one(2), start + AGE);
        assert!(receipts.received(|| 100, start + AGE).is_empty());
        assert_eq!(receipts.received(|| 100, start + 2 * AGE), one(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_line_on_which_every_write_waits_counts_as_it_goes() {
        const BATCH_BYTES: u64 = 64 * 1024;
        let mut receipts = Receipts::default();
        let (mut now, mut counted, mut most_under_way) = (Instant::now(), 0, 0);
        for batch in 1..=100 {
            let end = batch * BATCH_BYTES;
            now += DOUBT + Duration::from_millis(600);
            receipts.waited(DOUBT, now);
            receipts.written(end, one(batch), now);
            let received = receipts.received(|| end, now);
            counted = received.get(&CONV).map_or(counted, |seq| seq.0);
            most_under_way = most_under_way.max(batch - counted);
        }
        assert!(
            most_under_way <= 1 + BUFFERED_BYTES_MAX / BATCH_BYTES,
            "{most_under_way}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_program_that_hangs_with_a_large_buffer_has_received_nothing() {
        let mut receipts = Receipts::default();
        let start = Instant::now();
        receipts.written(100, one(1), start);
        let full = 100 + 4 * BUFFERED_BYTES_MAX;
        receipts.written(full, one(2), start + DOUBT);
        assert!(receipts.received(|| full, start + DOUBT).is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn an_orderly_close_proves_that_the_acknowledged_was_read() {
        let mut receipts = Receipts::default();
        let now = Instant::now();
        receipts.written(100, one(1), now);
        receipts.written(200, one(2), now);
        assert_eq!(receipts.closed(150), one(1));
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_entry_of_each_conversation_counts() {
        let mut receipts = Receipts::default();
        let other = ConvId::inbox(UserId(9));
        let now = Instant::now();
        receipts.written(10, one(1), now);
        receipts.written(20, BTreeMap::from([(CONV, Seq(2)), (other, Seq(5))]), now);
        let received = receipts.received(|| 20, now + QUIET);
        assert_eq!(received, BTreeMap::from([(CONV, Seq(2)), (other, Seq(5))]));
    }
}
