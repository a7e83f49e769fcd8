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

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use common::api::{Body, Dialect, NewAccount, Origin};
    use common::id::{ConvId, Peer};
    use common::store::{Append, Change, DatabaseUrl, Guard, OpenOptions, Outcome, open};

    use super::*;

    const ANN: UserId = UserId(1);
    const BOB: UserId = UserId(2);
    const CID: UserId = UserId(3);
    const PC: DeviceId = DeviceId(1);

    struct World {
        store: Arc<dyn Store>,
        tail: Arc<Tail>,
        sent: u32,
        _directory: tempfile::TempDir,
    }

    impl World {
        /// Ann, Bob and Cid, and Bob's PC.
        async fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            let url = DatabaseUrl::Sqlite(directory.path().join("im.db"));
            let store = open(&url, &OpenOptions::default()).await.unwrap();
            let tail = Arc::new(Tail::default());
            let mut world = Self {
                store,
                tail,
                sent: 0,
                _directory: directory,
            };
            for username in ["ann", "bob", "cid"] {
                let account = NewAccount {
                    username: username.to_owned(),
                    nickname: username.to_owned(),
                    password_hash: "x".to_owned(),
                };
                world
                    .commit(Change::CreateAccount {
                        account,
                        at: Millis(1),
                    })
                    .await;
            }
            world
                .commit(Change::RegisterDevice {
                    user: BOB,
                    device: PC,
                    at: Millis(1),
                })
                .await;
            world
        }

        async fn commit(&mut self, change: Change) -> Outcome {
            self.store.commit(&[change]).await.unwrap().remove(0)
        }

        /// Writes to Bob at this time; returns the conversation.
        async fn write(&mut self, from: UserId, text: &'static str, at: i64) -> ConvId {
            self.sent += 1;
            let client_id = ClientId::new(format!("{:08}", self.sent)).unwrap();
            let origin = Origin {
                user: from,
                device: PC,
                client_id,
                tag: 0,
                at: Millis(at),
            };
            let conv = ConvId::between(from, Peer::User(BOB));
            let content = Bytes::from_static(text.as_bytes());
            let body = Body::Message {
                dialect: Dialect::Flamingo,
                content,
            };
            let append = Append {
                conv,
                origin,
                body,
                guard: Guard::Exists,
            };
            match self.commit(Change::Append(append)).await {
                Outcome::Done { entries, .. } => self.tail.push(entries),
                other => panic!("{other:?}"),
            }
            conv
        }

        async fn walker(&self) -> Walker {
            Walker::start(Arc::clone(&self.store), Arc::clone(&self.tail), BOB, PC)
                .await
                .unwrap()
        }
    }

    async fn walk(walker: &mut Walker) -> String {
        let mut texts = Vec::new();
        while let Some(held) = walker.next().await.unwrap() {
            if let Body::Message { content, .. } = &held.entry.body {
                texts.push(String::from_utf8(content.to_vec()).unwrap());
            }
        }
        texts.join(" ")
    }

    #[tokio::test]
    async fn what_was_missed_comes_in_the_order_of_writing_across_conversations() {
        let mut world = World::new().await;
        world.write(ANN, "a1", 10).await;
        world.write(CID, "c1", 10).await;
        world.write(ANN, "a2", 10).await;
        world.write(ANN, "a3", 20).await;
        world.write(CID, "c2", 30).await;
        world.write(ANN, "a4", 40).await;
        assert_eq!(walk(&mut world.walker().await).await, "a1 c1 a2 a3 c2 a4");
        world.tail = Arc::new(Tail::default());
        assert_eq!(walk(&mut world.walker().await).await, "a1 c1 a2 a3 c2 a4");
    }

    #[tokio::test]
    async fn what_is_written_while_walking_is_neither_missed_nor_doubled() {
        let mut world = World::new().await;
        let conv = world.write(ANN, "a1", 10).await;
        let mut walker = world.walker().await;
        walker.next().await.unwrap().unwrap();
        world.write(ANN, "a2", 11).await;
        walker.changed(conv);
        walker.changed(conv);
        assert_eq!(walk(&mut walker).await, "a2");
        walker.changed(conv);
        assert_eq!(walk(&mut walker).await, "");
    }

    #[tokio::test]
    async fn a_bell_that_rings_while_a_page_is_walked_is_not_lost() {
        let mut world = World::new().await;
        let conv = world.write(ANN, "a1", 10).await;
        world.write(ANN, "a2", 11).await;
        let mut walker = world.walker().await;
        walker.next().await.unwrap().unwrap();
        world.write(ANN, "a3", 12).await;
        walker.changed(conv);
        assert_eq!(walk(&mut walker).await, "a2 a3");
    }

    #[tokio::test]
    async fn a_conversation_that_was_level_at_the_start_goes_on_from_its_cursor() {
        let mut world = World::new().await;
        let conv = world.write(ANN, "a1", 10).await;
        world
            .commit(Change::MoveCursor {
                user: BOB,
                device: PC,
                conv,
                seq: Seq(1),
            })
            .await;
        let mut walker = world.walker().await;
        assert_eq!(walk(&mut walker).await, "");
        world.write(ANN, "a2", 11).await;
        walker.changed(conv);
        assert_eq!(walk(&mut walker).await, "a2");
    }

    #[tokio::test]
    async fn a_page_is_not_the_end() {
        let mut world = World::new().await;
        for _ in 0..2 * PAGE_LENGTH + 1 {
            world.write(ANN, "x", 10).await;
        }
        world.tail = Arc::new(Tail::default());
        let walked = walk(&mut world.walker().await).await;
        assert_eq!(
            walked.split(' ').count(),
            usize::try_from(2 * PAGE_LENGTH + 1).unwrap()
        );
    }

    #[tokio::test]
    async fn own_entries_are_passed_only_when_nothing_before_them_is_missing() {
        let mut world = World::new().await;
        let conv = world.write(ANN, "a1", 10).await;
        let mut walker = world.walker().await;
        walker.wrote(conv, Seq(2));
        assert!(
            walker.take_written().is_empty(),
            "the first entry was not handed over yet"
        );
        assert_eq!(walk(&mut walker).await, "a1");
        walker.wrote(conv, Seq(2));
        assert_eq!(walker.take_written(), BTreeMap::from([(conv, Seq(2))]));
    }

    #[tokio::test]
    async fn a_conversation_that_is_not_the_users_shows_nothing() {
        let mut world = World::new().await;
        let foreign = ConvId::direct(ANN, CID);
        let mut walker = world.walker().await;
        walker.changed(foreign);
        assert_eq!(walk(&mut walker).await, "");
        let conv = world.write(ANN, "a1", 10).await;
        walker.changed(conv);
        walker.lost(conv);
        assert_eq!(walk(&mut walker).await, "");
    }
}
