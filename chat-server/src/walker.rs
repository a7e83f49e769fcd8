//! A session's cursors: walks the logs of a user's conversations, entry by entry, into a protocol.
//!
//! Knows neither sockets nor packets. Memory is bounded by the conversations that moved while the
//! session lived, not by the traffic: entries are pulled when the protocol asks for the next one.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use common::api::{Body, Entry, Notice};
use common::id::{ClientId, ConvId, ConvKind, DeviceId, Millis, Seq, UserId};
use common::store::{Behind, Store, StoreError};
use common::telemetry::metrics;

use crate::log::{Tail, TailEntry};

/// How many entries are pulled from the store at a time, at the most.
const PAGE_LENGTH: usize = 64;
/// How many are pulled at a time where so many conversations are walked at once that each holds
/// few: a page costs about as much as its first entry.
const PAGE_LENGTH_MIN: usize = 4;
/// How many pulled entries are held at a time, in all conversations: enough for a page each of
/// hundreds, so that walking them by turns does not pull the same page again and again.
const HELD_MAX: usize = 2048;
/// How many bytes of content they may have. Beyond either, those conversations whose turn is
/// furthest away forget their pages and pull again when it is their turn.
const HELD_BYTES_MAX: usize = 4 * 1024 * 1024;

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
    /// The content of the page when it was pulled, in bytes.
    bytes: usize,
    /// There may be entries behind the page: it was full, or ends before the head, or the bell rang
    /// since it was pulled.
    has_more: bool,
    /// The last entry that was there when the walk began.
    head: Seq,
}

/// Entries that are not walked, because the device wants only the newest: those behind `after`, up
/// to and including `until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skipped {
    pub conv: ConvId,
    pub after: Seq,
    pub until: Seq,
}

impl Lane {
    fn new(conv: ConvId, next_at: Option<Millis>, head: Seq) -> Self {
        Self {
            conv,
            next_at,
            next_id: None,
            page: VecDeque::new(),
            bytes: 0,
            has_more: true,
            head,
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
            .map(|b: Behind| Lane::new(b.conv, Some(b.next_at), b.head))
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
            None => self.lanes.push(Lane::new(conv, None, Seq(0))),
        }
    }

    /// Leaves out all but the newest `page` entries of every chat that is further behind; says
    /// what was left out. To be called before the walk begins. Inboxes are walked whole: nobody
    /// can page them.
    pub fn skip_to_recent(&mut self, page: u64) -> Vec<Skipped> {
        let mut skipped = Vec::new();
        for index in 0..self.lanes.len() {
            let Lane { conv, head, .. } = self.lanes[index];
            if !matches!(conv.kind(), Some(ConvKind::Inbox(_))) {
                skipped.extend(self.skip(conv, head, page));
            }
        }
        skipped
    }

    /// As [`Walker::skip_to_recent`], for one conversation that is opened and whose head is known.
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub async fn open(
        &mut self,
        conv: ConvId,
        head: Seq,
        page: u64,
    ) -> Result<Option<Skipped>, StoreError> {
        if !self.cursors.contains_key(&conv) {
            match self.store.cursor(self.user, self.device, conv).await? {
                Some(cursor) => self.cursors.insert(conv, cursor),
                None => return Ok(None),
            };
        }
        self.changed(conv);
        Ok(self.skip(conv, head, page))
    }

    fn skip(&mut self, conv: ConvId, head: Seq, page: u64) -> Option<Skipped> {
        let cursor = *self.cursors.get(&conv)?;
        let until = Seq(head.0.saturating_sub(page));
        if until <= cursor {
            return None;
        }
        self.pass(conv, until);
        Some(Skipped {
            conv,
            after: cursor,
            until,
        })
    }

    /// Walks what was to be skipped after all. To be called before the walk goes on.
    pub fn take_back(&mut self, skipped: &Skipped) {
        self.cursors.insert(skipped.conv, skipped.after);
        self.changed(skipped.conv);
    }

    /// The device has, or does not want, what is up to here.
    pub fn pass(&mut self, conv: ConvId, seq: Seq) {
        let cursor = self.cursors.entry(conv).or_default();
        *cursor = seq.max(*cursor);
        if let Some(lane) = self.lanes.iter_mut().find(|lane| lane.conv == conv) {
            lane.page.clear();
            lane.has_more = true;
            lane.look_at_front();
        }
    }

    /// The conversations that are not level, with the last entry that was there at the start.
    pub fn behind(&self) -> impl Iterator<Item = (ConvId, Seq)> {
        self.lanes.iter().map(|lane| (lane.conv, lane.head))
    }

    /// Does not walk this conversation until it changes.
    pub fn leave_out(&mut self, conv: ConvId) {
        self.lanes.retain(|lane| lane.conv != conv);
    }

    /// What was pulled of this conversation together with the last entry and comes next.
    pub fn page(&self, conv: ConvId) -> impl Iterator<Item = &Arc<TailEntry>> {
        let lane = self.lanes.iter().find(|lane| lane.conv == conv);
        lane.into_iter().flat_map(|lane| &lane.page)
    }

    /// How far the walk got in a conversation; `None` if it did not move.
    pub fn place(&self, conv: ConvId) -> Option<Seq> {
        self.cursors.get(&conv).copied()
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
    /// over: the next call gives the one behind it. A conversation that cannot be read is left out
    /// until something is written there again: it must not hold up the others.
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
                self.load_or_leave_out(index).await?;
                continue;
            }
            let lane = &mut self.lanes[index];
            let Some(held) = lane.page.pop_front() else {
                continue;
            };
            lane.look_at_front();
            let conv = lane.conv;
            let is_last = lane.page.is_empty() && !lane.has_more;
            let cursor = self.cursors.entry(conv).or_default();
            if held.entry.seq != cursor.next() {
                let (found, cursor) = (held.entry.seq, *cursor);
                tracing::error!(%conv, %found, behind = %cursor, "a log has a gap");
                metrics::SEQ_GAP_TOTAL.increment(1);
                self.leave_out(conv);
                continue;
            }
            *cursor = held.entry.seq;
            if ends_membership(&held.entry, self.user) {
                // What follows is the user's only if he came back since: the store knows.
                self.lost(conv);
                self.changed(conv);
                continue;
            }
            if is_last {
                self.lanes.swap_remove(index);
            }
            return Ok(Some(held));
        }
    }

    /// Pulls a page for every lane of which nobody knows when its next entry was written; drops
    /// lanes that turn out to be level.
    async fn load_unknown(&mut self) -> Result<(), StoreError> {
        while let Some(index) = self.lanes.iter().position(|lane| lane.next_at.is_none()) {
            self.load_or_leave_out(index).await?;
        }
        Ok(())
    }

    async fn load_or_leave_out(&mut self, index: usize) -> Result<(), StoreError> {
        let conv = self.lanes[index].conv;
        match self.load(index).await {
            Err(error) if !error.is_passing() => {
                tracing::error!(%conv, %error, "a conversation cannot be read");
                metrics::db_error(&error);
                self.leave_out(conv);
                Ok(())
            }
            result => result,
        }
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
        let page_length = self.page_length();
        let page = match self.tail.behind(conv, cursor, page_length) {
            Some(page) => page,
            None => {
                let limit = u32::try_from(page_length).unwrap_or(u32::MAX);
                let pulled = self.store.pull(conv, cursor, limit).await?;
                pulled.into_iter().map(TailEntry::pulled).collect()
            }
        };
        if page.is_empty() {
            self.lanes.swap_remove(index);
            return Ok(());
        }
        let lane = &mut self.lanes[index];
        let until = page.last().map(|held| held.entry.seq);
        // The tail does not know what another server of the same database wrote.
        lane.has_more = page.len() == page_length || until < Some(lane.head);
        lane.bytes = page.iter().map(|held| content_bytes(&held.entry)).sum();
        lane.page = page.into();
        lane.look_at_front();
        self.limit_pages(conv);
        Ok(())
    }

    /// As much as every lane can hold at the same time.
    fn page_length(&self) -> usize {
        let share = HELD_MAX / self.lanes.len().max(1);
        share.clamp(PAGE_LENGTH_MIN, PAGE_LENGTH)
    }

    /// Lets the lanes whose turn is furthest away forget their pages.
    fn limit_pages(&mut self, just_loaded: ConvId) {
        let held = self.lanes.iter().filter(|lane| !lane.page.is_empty());
        let (mut entries, mut bytes) = held.fold((0, 0), |(entries, bytes), lane| {
            (entries + lane.page.len(), bytes + lane.bytes)
        });
        while entries > HELD_MAX || bytes > HELD_BYTES_MAX {
            let others = self.lanes.iter_mut();
            let others = others.filter(|lane| !lane.page.is_empty() && lane.conv != just_loaded);
            let Some(last) = others.max_by(|a, b| a.rank().cmp(&b.rank())) else {
                return;
            };
            entries -= last.page.len();
            bytes -= last.bytes;
            last.page.clear();
            last.has_more = true;
        }
    }
}

/// Whether the user is no member any more from this entry on. The hub says so too, but a little
/// later than the log, and not at all if nobody knew whether the change was saved.
fn ends_membership(entry: &Entry, user: UserId) -> bool {
    #[cfg(feature = "planted")]
    if common::config::planted::has("leaving-unnoticed") {
        return false;
    }
    match &entry.body {
        Body::Notice(Notice::MemberLeft) => entry.origin.user == user,
        Body::Notice(Notice::MemberRemoved { user: removed }) => *removed == user,
        Body::Notice(_) | Body::Message { .. } => false,
    }
}

fn content_bytes(entry: &Entry) -> usize {
    match &entry.body {
        Body::Message { content, .. } => content.len(),
        Body::Notice(_) => 0,
    }
}

#[cfg(test)]
mod tests;
