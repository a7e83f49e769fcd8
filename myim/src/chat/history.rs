//! The messages of one conversation: a window of the log, and what waits to be sent behind it.
//!
//! The place on the screen is an item and how many of its lines are below the edge; so nothing that
//! is inserted above or below moves what somebody reads, and only what is visible is laid out.

mod scroll;

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet, VecDeque};
use std::num::NonZeroUsize;
use std::rc::Rc;

use client::api::seq_of;
use client::model::{Message, Page, Segment, Seq, Timestamp, UserId};
use lru::LruCache;
use ratatui::text::Line;

use super::bubble::{self, Context, Stamp};
use super::message::Wanted;

pub(crate) use scroll::Anchor;

/// Messages of a conversation in memory, at most; the oldest go.
pub(crate) const MESSAGES_MAX: usize = 100_000;
/// Messages whose lines are remembered: a few screens full.
const LAID_OUT_MAX: usize = 512;

#[derive(Debug)]
pub(crate) struct History {
    messages: VecDeque<Message>,
    pending: Vec<Pending>,
    pub(crate) older: Edge,
    pub(crate) newer: Edge,
    /// Where the pieces beyond begin, as the server said: pieces may be empty and go on.
    older_from: Option<Seq>,
    newer_from: Option<Seq>,
    /// `None` follows the newest.
    pub(crate) anchor: Option<Anchor>,
    /// Messages that are answered and not in the window; `None` for those that are gone.
    quotes: HashMap<Seq, Option<Message>>,
    quotes_asked: HashSet<Seq>,
    /// Changed since they were loaded, or live: a page that was asked for earlier is older.
    touched: HashSet<Seq>,
    /// Counts changes of what is shown.
    version: u64,
    laid: RefCell<Laid>,
    /// How often a message was laid out, for tests.
    pub(crate) layouts: Cell<usize>,
}

/// What is beyond an end of the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Edge {
    /// Nothing was loaded yet.
    #[default]
    Unknown,
    More,
    Loading,
    /// It was asked for in vain; see [`History::retry`].
    Failed,
    End,
}

/// A message that the server has not stored yet.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pending {
    pub(crate) client_id: String,
    pub(crate) segments: Vec<Segment>,
    pub(crate) reply_to: Option<Seq>,
    pub(crate) time: Timestamp,
    /// Why it will not be sent.
    pub(crate) failed: Option<String>,
}

/// What a message is found by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    Stored(Seq),
    Pending(String),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Item<'a> {
    Stored(&'a Message),
    Pending(&'a Pending),
}

/// Lines of messages that were laid out, for one width and state of things.
#[derive(Debug)]
struct Laid {
    /// The history's version, what else it depends on, and the width.
    stamp: Option<(u64, Stamp, usize)>,
    lines: LruCache<usize, Rc<Vec<Line<'static>>>>,
}

impl Default for History {
    fn default() -> Self {
        let size = NonZeroUsize::new(LAID_OUT_MAX).unwrap_or(NonZeroUsize::MIN);
        Self {
            messages: VecDeque::new(),
            pending: Vec::new(),
            older: Edge::Unknown,
            newer: Edge::Unknown,
            older_from: None,
            newer_from: None,
            anchor: None,
            quotes: HashMap::new(),
            quotes_asked: HashSet::new(),
            touched: HashSet::new(),
            version: 0,
            laid: RefCell::new(Laid {
                stamp: None,
                lines: LruCache::new(size),
            }),
            layouts: Cell::new(0),
        }
    }
}

impl History {
    pub(crate) fn len(&self) -> usize {
        self.messages.len() + self.pending.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn pending(&self) -> &[Pending] {
        &self.pending
    }

    pub(crate) fn item(&self, index: usize) -> Option<Item<'_>> {
        match self.messages.get(index) {
            Some(message) => Some(Item::Stored(message)),
            None => self
                .pending
                .get(index - self.messages.len())
                .map(Item::Pending),
        }
    }

    pub(crate) fn key(&self, index: usize) -> Option<Key> {
        self.item(index).map(|item| match item {
            Item::Stored(message) => Key::Stored(message.seq),
            Item::Pending(pending) => Key::Pending(pending.client_id.clone()),
        })
    }

    pub(crate) fn index(&self, key: &Key) -> Option<usize> {
        match key {
            Key::Stored(seq) => self.place(*seq).ok(),
            Key::Pending(id) => {
                let place = self.pending.iter().position(|one| one.client_id == *id)?;
                Some(self.messages.len() + place)
            }
        }
    }

    pub(crate) fn get(&self, seq: Seq) -> Option<&Message> {
        self.messages.get(self.place(seq).ok()?)
    }

    /// The message that is answered, if it is known.
    pub(crate) fn quoted(&self, seq: Seq) -> Option<Option<&Message>> {
        match self.get(seq) {
            Some(message) => Some(Some(message)),
            None => self.quotes.get(&seq).map(Option::as_ref),
        }
    }

    /// The window reaches to the newest message.
    pub(crate) fn is_live(&self) -> bool {
        self.newer == Edge::End
    }

    /// Forgets the window; what waits to be sent stays.
    pub(crate) fn reset(&mut self) {
        self.messages.clear();
        self.quotes.clear();
        self.quotes_asked.clear();
        self.touched.clear();
        self.older = Edge::Unknown;
        self.newer = Edge::Unknown;
        self.older_from = None;
        self.newer_from = None;
        self.anchor = None;
        self.version += 1;
    }

    /// What to load when the conversation is shown.
    pub(crate) fn wants(&mut self) -> Option<Wanted> {
        if self.newer != Edge::Unknown {
            return None;
        }
        self.newer = Edge::Loading;
        Some(Wanted::Newest)
    }

    /// The piece before the window, if there is one that was not asked for.
    pub(crate) fn wants_older(&mut self) -> Option<Wanted> {
        let first = self.messages.front().map(|message| message.seq);
        let from = self.older_from.or(first)?;
        if self.older != Edge::More {
            return None;
        }
        self.older = Edge::Loading;
        Some(Wanted::Before(from))
    }

    /// The piece behind the window, if there is one that was not asked for.
    pub(crate) fn wants_newer(&mut self) -> Option<Wanted> {
        let from = self.newer_from.or(self.last_seq())?;
        if self.newer != Edge::More {
            return None;
        }
        self.newer = Edge::Loading;
        Some(Wanted::After(from))
    }

    /// A piece that was asked for has come.
    pub(crate) fn merge(&mut self, wanted: Wanted, page: Page<Message>, me: UserId) {
        let edge = |more: bool| if more { Edge::More } else { Edge::End };
        let next = page.next.as_ref().and_then(|next| seq_of(next).ok());
        let more = next.is_some();
        match wanted {
            Wanted::Newest => {
                self.newer = Edge::End;
                (self.older, self.older_from) = (edge(more), next);
            }
            Wanted::Before(_) => (self.older, self.older_from) = (edge(more), next),
            Wanted::After(_) => (self.newer, self.newer_from) = (edge(more), next),
            Wanted::Around(_) => {
                (self.newer, self.newer_from) = (edge(more), next);
                (self.older, self.older_from) = (Edge::More, None);
            }
        }
        for message in page.items {
            if !self.touched.contains(&message.seq) {
                self.put(message, me);
            }
        }
        self.version += 1;
    }

    /// The piece did not come.
    pub(crate) fn missed(&mut self, wanted: Wanted) {
        match wanted {
            Wanted::Newest | Wanted::Around(_) | Wanted::After(_) => self.newer = Edge::Failed,
            Wanted::Before(_) => self.older = Edge::Failed,
        }
    }

    /// What did not come may be asked for again.
    pub(crate) fn retry(&mut self) {
        if self.newer == Edge::Failed {
            self.newer = if self.messages.is_empty() && self.newer_from.is_none() {
                Edge::Unknown
            } else {
                Edge::More
            };
        }
        if self.older == Edge::Failed {
            self.older = Edge::More;
        }
    }

    /// A new message has come, or was stored.
    pub(crate) fn insert(&mut self, message: Message, me: UserId) {
        self.pending
            .retain(|one| message.sender != me || one.client_id != message.client_id);
        self.version += 1;
        if matches!(self.newer, Edge::End | Edge::Loading) {
            self.touched.insert(message.seq);
            self.put(message, me);
        }
    }

    /// A message is different now.
    pub(crate) fn update(&mut self, message: &Message) {
        if let Ok(place) = self.place(message.seq) {
            self.messages[place] = message.clone();
        }
        if let Some(quote) = self.quotes.get_mut(&message.seq) {
            *quote = Some(message.clone());
        }
        self.touched.insert(message.seq);
        self.version += 1;
    }

    pub(crate) fn quote(&mut self, seq: Seq, message: Option<Message>) {
        self.quotes.insert(seq, message);
        self.version += 1;
    }

    /// Answered messages that are not known; each is named once.
    pub(crate) fn missing_quotes(&mut self, of: impl IntoIterator<Item = Seq>) -> Vec<Seq> {
        let wanted = of.into_iter();
        let missing: Vec<_> = wanted.filter(|seq| self.quoted(*seq).is_none()).collect();
        missing
            .into_iter()
            .filter(|seq| self.quotes_asked.insert(*seq))
            .collect()
    }

    pub(crate) fn wait_for(&mut self, pending: Pending) {
        let known = self
            .pending
            .iter()
            .any(|one| one.client_id == pending.client_id);
        if !known {
            self.pending.push(pending);
            self.version += 1;
        }
    }

    /// Takes out what waits under this name.
    pub(crate) fn take_pending(&mut self, client_id: &str) -> Option<Pending> {
        let place = self
            .pending
            .iter()
            .position(|one| one.client_id == client_id)?;
        self.version += 1;
        Some(self.pending.remove(place))
    }

    /// Why it failed, or `None` to wait again; `false` if nothing waits under this name.
    pub(crate) fn set_failed(&mut self, client_id: &str, failed: Option<String>) -> bool {
        let found = self
            .pending
            .iter_mut()
            .find(|one| one.client_id == client_id);
        self.version += 1;
        found.is_some_and(|pending| {
            pending.failed = failed;
            true
        })
    }

    /// The end of the window.
    pub(crate) fn last_seq(&self) -> Option<Seq> {
        self.messages.back().map(|message| message.seq)
    }

    fn place(&self, seq: Seq) -> Result<usize, usize> {
        self.messages
            .binary_search_by_key(&seq, |message| message.seq)
    }

    fn put(&mut self, message: Message, me: UserId) {
        self.pending
            .retain(|one| message.sender != me || one.client_id != message.client_id);
        match self.place(message.seq) {
            Ok(place) => self.messages[place] = message,
            Err(place) => self.messages.insert(place, message),
        }
        if self.messages.len() > MESSAGES_MAX && self.anchor.is_none() {
            self.messages.pop_front();
            (self.older, self.older_from) = (Edge::More, None);
        }
    }

    /// The lines of an item, from memory if nothing has changed.
    pub(crate) fn lines(
        &self,
        context: &Context<'_>,
        index: usize,
        width: usize,
    ) -> Rc<Vec<Line<'static>>> {
        let stamp = Some((self.version, context.stamp(), width));
        let mut laid = self.laid.borrow_mut();
        if laid.stamp != stamp {
            laid.lines.clear();
            laid.stamp = stamp;
        }
        if let Some(lines) = laid.lines.get(&index) {
            return Rc::clone(lines);
        }
        self.layouts.set(self.layouts.get() + 1);
        let lines = Rc::new(bubble::lay_out(context, self, index, width));
        laid.lines.put(index, Rc::clone(&lines));
        lines
    }
}
