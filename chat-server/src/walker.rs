//! A session's cursors: walks the logs of a user's conversations, entry by entry, into a protocol.
//!
//! Knows neither sockets nor packets. Memory is bounded by the conversations that moved while the
//! session lived, not by the traffic: entries are pulled when the protocol asks for the next one.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use common::id::{ClientId, ConvId, ConvKind, DeviceId, Millis, Seq, UserId};
use common::store::{Behind, Store, StoreError};

use crate::log::{Tail, TailEntry};

/// How many entries are pulled from the store at a time.
const PAGE_LENGTH: u32 = 64;
/// How many conversations hold a pulled page at a time; the others pull again when it is their
/// turn.
const PAGES_MAX: usize = 8;

/// See the module's description.
pub struct Walker {
    store: Arc<dyn Store>,
    tail: Arc<Tail>,
    user: UserId,
    device: DeviceId,
    /// What the protocol got, in each conversation that moved while the session lived.
    cursors: HashMap<ConvId, Seq>,
    /// Conversations that may hold something behind their cursor.
    lanes: Vec<Lane>,
    /// The device's own latest entries, which no protocol has to be told of.
    written: BTreeMap<ConvId, Seq>,
}

/// A conversation with something to deliver.
struct Lane {
    conv: ConvId,
    /// When the next entry was written, once that is known.
    next_at: Option<Millis>,
    /// Its client id, once it was pulled: ids of the same server grow with time, and so put
    /// entries of the same millisecond into their order.
    next_id: Option<ClientId>,
    page: VecDeque<Arc<TailEntry>>,
    /// There may be entries behind the page: it was full, or the bell rang since it was pulled.
    has_more: bool,
}

impl Lane {
    fn new(conv: ConvId, next_at: Option<Millis>) -> Self {
        Self {
            conv,
            next_at,
            next_id: None,
            page: VecDeque::new(),
            has_more: true,
        }
    }

    /// Notices first, then everything in the order in which it was written. A lane whose next
    /// entry was not pulled yet comes before others of the same millisecond, so that it is.
    fn rank(&self) -> (bool, Option<Millis>, Option<&ClientId>) {
        let is_chat = !matches!(self.conv.kind(), Some(ConvKind::Inbox(_)));
        (is_chat, self.next_at, self.next_id.as_ref())
    }

    /// Notes what is at the front of the page now.
    fn look_at_front(&mut self) {
        let origin = self.page.front().map(|next| &next.entry.origin);
        self.next_at = origin.map(|origin| origin.at);
        self.next_id = origin.map(|origin| origin.client_id.clone());
    }
}

impl std::fmt::Debug for Walker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Walker")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

impl Walker {
    /// A walker with everything that the device has not received yet. Listen before calling this:
    /// what is committed meanwhile must reach [`Walker::changed`].
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub async fn start(
        store: Arc<dyn Store>,
        tail: Arc<Tail>,
        user: UserId,
        device: DeviceId,
    ) -> Result<Self, StoreError> {
        let behind = store.behind(user, device).await?;
        let cursors = behind.iter().map(|b| (b.conv, b.cursor)).collect();
        let lanes = behind
            .into_iter()
            .map(|b: Behind| Lane::new(b.conv, Some(b.next_at)))
            .collect();
        let written = BTreeMap::new();
        Ok(Self {
            store,
            tail,
            user,
            device,
            cursors,
            lanes,
            written,
        })
    }

    /// The conversation may have new entries.
    pub fn changed(&mut self, conv: ConvId) {
        match self.lanes.iter_mut().find(|lane| lane.conv == conv) {
            Some(lane) => lane.has_more = true,
            None => self.lanes.push(Lane::new(conv, None)),
        }
    }

    /// The conversation is not the user's any more.
    pub fn lost(&mut self, conv: ConvId) {
        self.lanes.retain(|lane| lane.conv != conv);
        self.cursors.remove(&conv);
        self.written.remove(&conv);
    }

    /// The device itself wrote this entry: the cursor passes it, if everything before it was
    /// handed over.
    pub fn wrote(&mut self, conv: ConvId, seq: Seq) {
        let is_next = self
            .cursors
            .get(&conv)
            .is_some_and(|cursor| cursor.next() == seq);
        if is_next && !self.lanes.iter().any(|lane| lane.conv == conv) {
            self.cursors.insert(conv, seq);
            self.written.insert(conv, seq);
        } else {
            self.changed(conv);
        }
    }

    /// The places up to which the cursor passed entries of the device itself, since last asked.
    pub fn take_written(&mut self) -> BTreeMap<ConvId, Seq> {
        std::mem::take(&mut self.written)
    }

    /// The next entry for the protocol; `None` when it has everything. The entry counts as handed
    /// over: the next call gives the one behind it.
    ///
    /// # Errors
    /// When the store cannot be asked; nothing is skipped, call again.
    pub async fn next(&mut self) -> Result<Option<Arc<TailEntry>>, StoreError> {
        loop {
            self.load_unknown().await?;
            let Some(index) = self.first_lane() else {
                return Ok(None);
            };
            if self.lanes[index].page.is_empty() {
                self.load(index).await?;
                continue;
            }
            let lane = &mut self.lanes[index];
            let Some(held) = lane.page.pop_front() else {
                continue;
            };
            lane.look_at_front();
            let cursor = self.cursors.entry(lane.conv).or_default();
            assert_eq!(held.entry.seq, cursor.next(), "a log has no gaps");
            *cursor = held.entry.seq;
            if lane.page.is_empty() && !lane.has_more {
                self.lanes.swap_remove(index);
            }
            return Ok(Some(held));
        }
    }

    /// Pulls a page for every lane of which nobody knows when its next entry was written; drops
    /// lanes that turn out to be level.
    async fn load_unknown(&mut self) -> Result<(), StoreError> {
        while let Some(index) = self.lanes.iter().position(|lane| lane.next_at.is_none()) {
            self.load(index).await?;
        }
        Ok(())
    }

    fn first_lane(&self) -> Option<usize> {
        let ranked = self.lanes.iter().enumerate();
        let first = ranked.min_by(|(_, a), (_, b)| a.rank().cmp(&b.rank()));
        first.map(|(index, _)| index)
    }

    async fn load(&mut self, index: usize) -> Result<(), StoreError> {
        let conv = self.lanes[index].conv;
        let cursor = match self.cursors.get(&conv) {
            Some(cursor) => Some(*cursor),
            None => self.store.cursor(self.user, self.device, conv).await?,
        };
        let Some(cursor) = cursor else {
            self.lost(conv);
            return Ok(());
        };
        self.cursors.insert(conv, cursor);
        let page_length = usize::try_from(PAGE_LENGTH).unwrap_or(usize::MAX);
        let page = match self.tail.behind(conv, cursor, page_length) {
            Some(page) => page,
            None => {
                let pulled = self.store.pull(conv, cursor, PAGE_LENGTH).await?;
                pulled.into_iter().map(TailEntry::new).collect()
            }
        };
        if page.is_empty() {
            self.lanes.swap_remove(index);
            return Ok(());
        }
        let lane = &mut self.lanes[index];
        lane.has_more = page.len() == page_length;
        lane.page = page.into();
        lane.look_at_front();
        self.limit_pages(conv);
        Ok(())
    }

    /// Lets the lanes whose turn is furthest away forget their pages.
    fn limit_pages(&mut self, just_loaded: ConvId) {
        let held = self
            .lanes
            .iter()
            .filter(|lane| !lane.page.is_empty())
            .count();
        if held <= PAGES_MAX {
            return;
        }
        let others = self
            .lanes
            .iter_mut()
            .filter(|l| !l.page.is_empty() && l.conv != just_loaded);
        if let Some(last) = others.max_by(|a, b| a.rank().cmp(&b.rank())) {
            last.page.clear();
            last.has_more = true;
        }
    }
}
