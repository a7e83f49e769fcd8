//! The newest entries of the busiest conversations, in memory.
//!
//! Most entries are read by their receivers a millisecond after they were written; the tail spares
//! the database those reads. It is only a cache: whatever it does not hold is pulled from the
//! store, and a gap (another server wrote in between) makes it forget the conversation.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use common::api::{Body, Entry};
use common::id::{ConvId, Seq};

/// How many entries the tail holds.
const ENTRIES_MAX: usize = 32_768;
/// How many bytes of content the tail holds.
const BYTES_MAX: usize = 32 * 1024 * 1024;

/// An entry that many sessions share.
#[derive(Debug)]
pub struct TailEntry {
    pub entry: Entry,
    /// The entry as a finished packet of the existing clients' protocol: made by the first session
    /// that delivers it, used by all.
    pub packet: OnceLock<Bytes>,
}

impl TailEntry {
    pub fn new(entry: Entry) -> Arc<Self> {
        Arc::new(Self {
            entry,
            packet: OnceLock::new(),
        })
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
        held.push_back(TailEntry::new(entry));
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

fn size(entry: &Entry) -> usize {
    /// What an entry costs besides its content, roughly; a finished packet costs the content again.
    const OVERHEAD: usize = 256;
    match &entry.body {
        Body::Message { content, .. } => OVERHEAD + 2 * content.len(),
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
    fn it_stays_within_its_bounds() {
        let tail = Tail::default();
        let conv = ConvId::group(GroupId(300_000_000));
        let count = u64::try_from(ENTRIES_MAX).unwrap() + 10;
        tail.push((1..=count).map(|seq| entry(conv, seq)));
        assert_eq!(seqs(tail.behind(conv, Seq(9), 1)), None);
        assert_eq!(seqs(tail.behind(conv, Seq(10), 1)), Some(vec![11]));
    }
}
