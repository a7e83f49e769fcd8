//! The newest entries of the busiest conversations, in memory.
//!
//! Most entries are read by their receivers a millisecond after they were written; the tail spares
//! the database those reads. It is only a cache: whatever it does not hold is pulled from the
//! store, and a gap (another server wrote in between) makes it forget the conversation.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use common::api::{Body, Entry, Notice};
use common::id::{ConvId, Seq};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::content::target;

/// How many entries the tail holds.
const ENTRIES_MAX: usize = 32_768;
/// How many bytes of content the tail holds.
const BYTES_MAX: usize = 32 * 1024 * 1024;

/// An entry that many sessions share.
#[derive(Debug)]
pub struct TailEntry {
    pub entry: Entry,
    /// The entry as finished packets of the existing clients' protocol: made by the first session
    /// that delivers it, used by all.
    pub packets: OnceLock<Arc<[Bytes]>>,
    /// The entry as a finished event of the API, in the same way. For a message from the tail as
    /// it was when it was committed; for one from the store with what became of it.
    pub event: OnceCell<Bytes>,
    /// When it was committed; `None` for what was read from the store.
    pub committed: Option<Instant>,
    is_updated: AtomicBool,
}

impl TailEntry {
    /// An entry that was just committed.
    pub fn fresh(entry: Entry) -> Arc<Self> {
        Self::new(entry, Some(Instant::now()))
    }

    /// An entry that was read from the store: something may have become of it since.
    pub fn pulled(entry: Entry) -> Arc<Self> {
        Self::new(entry, None)
    }

    fn new(entry: Entry, committed: Option<Instant>) -> Arc<Self> {
        Arc::new(Self {
            entry,
            packets: OnceLock::new(),
            event: OnceCell::new(),
            committed,
            is_updated: AtomicBool::new(false),
        })
    }

    /// Whether it is as it was committed: neither edited, nor taken back, nor reacted to.
    pub fn is_fresh(&self) -> bool {
        self.committed.is_some() && !self.is_updated.load(Ordering::Relaxed)
    }
}

/// See the module's description.
#[derive(Debug, Default)]
pub struct Tail {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    conversations: HashMap<ConvId, VecDeque<Arc<TailEntry>>>,
    /// All entries held, oldest first, with their sizes.
    order: VecDeque<(ConvId, Seq, usize)>,
    bytes: usize,
}

impl Tail {
    /// Adds entries that were just committed.
    pub fn push(&self, entries: impl IntoIterator<Item = Entry>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        for entry in entries {
            state.push(entry);
        }
    }

    /// Forgets everything: to be called when the store may hold entries that nobody could add.
    /// They would come after the last one of their conversation that is held here, and whoever
    /// asks for what is behind it would be told that it is the last.
    pub fn forget(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state = State::default();
    }

    /// The entries behind `after`, at most `limit`; `None` if the tail does not know.
    pub fn behind(&self, conv: ConvId, after: Seq, limit: usize) -> Option<Vec<Arc<TailEntry>>> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let held = state.conversations.get(&conv)?;
        let first = held.front()?.entry.seq;
        let skip = after.next().0.checked_sub(first.0)?;
        let found: Vec<_> = held
            .iter()
            .skip(usize::try_from(skip).ok()?)
            .take(limit)
            .cloned()
            .collect();
        (!found.is_empty()).then_some(found)
    }
}

impl State {
    fn push(&mut self, entry: Entry) {
        let (conv, seq, bytes) = (entry.conv, entry.seq, size(&entry));
        let held = self.conversations.entry(conv).or_default();
        if held.back().is_some_and(|last| last.entry.seq.next() != seq) {
            held.clear();
        }
        if let Some(about) = target(&entry) {
            // Finished events of the message, and of what became of it earlier, show it as it was
            // then: after a recall nobody may be sent those.
            let shows_it = |held: &&Arc<TailEntry>| {
                held.entry.seq == about || target(&held.entry) == Some(about)
            };
            let behind = held.iter().rev().take_while(|held| held.entry.seq >= about);
            for held in behind.filter(shows_it) {
                held.is_updated.store(true, Ordering::Relaxed);
            }
        }
        forget_what_it_said(held, &entry);
        held.push_back(TailEntry::fresh(entry));
        self.order.push_back((conv, seq, bytes));
        self.bytes += bytes;
        while self.order.len() > ENTRIES_MAX || self.bytes > BYTES_MAX {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        let Some((conv, seq, bytes)) = self.order.pop_front() else {
            return;
        };
        self.bytes -= bytes;
        let Some(held) = self.conversations.get_mut(&conv) else {
            return;
        };
        while held.front().is_some_and(|first| first.entry.seq <= seq) {
            held.pop_front();
        }
        if held.is_empty() {
            self.conversations.remove(&conv);
        }
    }
}

/// What was said about a message before it was taken back or edited shows what it said then: its
/// finished packets and events are made anew. Rare, unlike reactions, which replace no content.
fn forget_what_it_said(held: &mut VecDeque<Arc<TailEntry>>, entry: &Entry) {
    let Body::Notice(Notice::MessageRecalled { seq } | Notice::MessageEdited { seq, .. }) =
        &entry.body
    else {
        return;
    };
    for earlier in held.iter_mut() {
        if target(&earlier.entry) == Some(*seq) {
            *earlier = TailEntry::pulled(earlier.entry.clone());
        }
    }
}

fn size(entry: &Entry) -> usize {
    /// What an entry costs besides its content, roughly; a finished packet and a finished event
    /// cost the content again.
    const OVERHEAD: usize = 512;
    match &entry.body {
        Body::Message { content, .. } => OVERHEAD + 3 * content.len(),
        Body::Notice(Notice::MessageEdited { segments, .. }) => {
            OVERHEAD + 3 * serde_json::to_vec(segments).map_or(0, |json| json.len())
        }
        Body::Notice(_) => OVERHEAD,
    }
}

#[cfg(test)]
mod tests {
    use common::api::{Notice, Origin};
    use common::id::{ClientId, DeviceId, GroupId, Millis, UserId};

    use super::*;

    fn entry(conv: ConvId, seq: u64) -> Entry {
        Entry {
            conv,
            seq: Seq(seq),
            origin: Origin {
                user: UserId(1),
                device: DeviceId(1),
                client_id: ClientId::new("x").unwrap(),
                tag: 0,
                at: Millis(0),
            },
            body: Body::Notice(Notice::MemberJoined),
        }
    }

    fn seqs(found: Option<Vec<Arc<TailEntry>>>) -> Option<Vec<u64>> {
        found.map(|found| found.iter().map(|held| held.entry.seq.0).collect())
    }

    #[test]
    fn it_answers_only_what_it_holds_without_a_gap() {
        let tail = Tail::default();
        let conv = ConvId::group(GroupId(300_000_000));
        tail.push([entry(conv, 5), entry(conv, 6)]);
        assert_eq!(seqs(tail.behind(conv, Seq(4), 9)), Some(vec![5, 6]));
        assert_eq!(seqs(tail.behind(conv, Seq(5), 9)), Some(vec![6]));
        assert_eq!(seqs(tail.behind(conv, Seq(4), 1)), Some(vec![5]));
        assert_eq!(
            seqs(tail.behind(conv, Seq(6), 9)),
            None,
            "the store may know more"
        );
        assert_eq!(
            seqs(tail.behind(conv, Seq(3), 9)),
            None,
            "entry 4 is not here"
        );
        tail.push([entry(conv, 8)]);
        assert_eq!(
            seqs(tail.behind(conv, Seq(5), 9)),
            None,
            "entry 7 is somebody else's"
        );
        assert_eq!(seqs(tail.behind(conv, Seq(7), 9)), Some(vec![8]));
    }

    #[test]
    fn it_knows_which_messages_are_as_they_were_written() {
        let tail = Tail::default();
        let conv = ConvId::group(GroupId(300_000_000));
        tail.push([entry(conv, 5), entry(conv, 6)]);
        let before = tail.behind(conv, Seq(4), 9).unwrap();
        assert!(before.iter().all(|held| held.is_fresh()));
        let mut recall = entry(conv, 7);
        recall.body = Body::Notice(Notice::MessageRecalled { seq: Seq(6) });
        let mut of_older = entry(conv, 8);
        of_older.body = Body::Notice(Notice::MessageRecalled { seq: Seq(2) });
        tail.push([recall, of_older]);
        let fresh: Vec<_> = before.iter().map(|held| held.is_fresh()).collect();
        assert_eq!(fresh, [true, false]);
        // An earlier update shows the message as it was then.
        let updates = tail.behind(conv, Seq(6), 9).unwrap();
        let mut again = entry(conv, 9);
        again.body = Body::Notice(Notice::MessageRecalled { seq: Seq(6) });
        tail.push([again]);
        let fresh: Vec<_> = updates.iter().map(|held| held.is_fresh()).collect();
        assert_eq!(fresh, [false, true]);
        assert!(!TailEntry::pulled(entry(conv, 5)).is_fresh());
    }

    #[test]
    fn what_was_said_about_a_message_is_made_anew_when_it_is_taken_back() {
        let tail = Tail::default();
        let conv = ConvId::group(GroupId(300_000_000));
        let about = |seq, notice| Entry {
            body: Body::Notice(notice),
            ..entry(conv, seq)
        };
        let edited = Notice::MessageEdited {
            seq: Seq(5),
            segments: Vec::new(),
        };
        let other = Notice::MessageEdited {
            seq: Seq(4),
            segments: Vec::new(),
        };
        tail.push([entry(conv, 5), about(6, edited), about(7, other)]);
        for held in tail.behind(conv, Seq(5), 9).unwrap() {
            held.event.set(Bytes::from_static(b"what it said")).unwrap();
        }
        tail.push([about(8, Notice::MessageRecalled { seq: Seq(5) })]);
        let held = tail.behind(conv, Seq(5), 2).unwrap();
        assert!(held[0].event.get().is_none() && !held[0].is_fresh());
        assert!(held[1].event.get().is_some() && held[1].is_fresh());
    }

    #[test]
    fn it_stays_within_its_bounds() {
        let tail = Tail::default();
        let conv = ConvId::group(GroupId(300_000_000));
        let count = u64::try_from(ENTRIES_MAX).unwrap() + 10;
        tail.push((1..=count).map(|seq| entry(conv, seq)));
        assert_eq!(seqs(tail.behind(conv, Seq(9), 1)), None);
        assert_eq!(seqs(tail.behind(conv, Seq(10), 1)), Some(vec![11]));
    }
}
