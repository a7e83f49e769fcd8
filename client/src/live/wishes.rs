//! What the application wants the server to know beside messages: it is remembered while there is
//! no connection, and said again on the next one.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use crate::model::{ConversationId, Seq, Status, UserId};

/// Read marks that wait, at most.
const READS_MAX: usize = 4096;
/// The server holds no more open at a time.
const OPEN_MAX: usize = 64;

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Read(ConversationId, Seq),
    Open(ConversationId),
    Close(ConversationId),
    Status(Status),
    Watch,
}

/// See the module's description.
#[derive(Debug)]
pub(super) struct Wishes {
    status: Status,
    /// What the `hello` that is on its way, or was answered last, says of it.
    greeted: Status,
    watched: Option<Vec<UserId>>,
    open: BTreeSet<ConversationId>,
    reads: BTreeMap<ConversationId, Seq>,
    /// To be said, beside read marks.
    waiting: Vec<Wish>,
    not_before: Option<Instant>,
}

impl Wishes {
    pub(super) fn new(status: Status) -> Self {
        Self {
            status: seen(status),
            greeted: seen(status),
            watched: None,
            open: BTreeSet::new(),
            reads: BTreeMap::new(),
            waiting: Vec::new(),
            not_before: None,
        }
    }

    /// How others see the user, for the `hello` that is sent now.
    pub(super) fn greet(&mut self) -> Status {
        self.greeted = self.status;
        self.greeted
    }

    pub(super) fn watched(&self) -> &[UserId] {
        self.watched.as_deref().unwrap_or_default()
    }

    pub(super) fn read(&mut self, conversation: ConversationId, seq: Seq) {
        if self.reads.len() >= READS_MAX && !self.reads.contains_key(&conversation) {
            tracing::warn!("too many read marks wait for a connection: one is left out");
            return;
        }
        let mark = self.reads.entry(conversation).or_default();
        *mark = seq.max(*mark);
    }

    pub(super) fn open(&mut self, conversation: ConversationId) {
        if self.open.len() >= OPEN_MAX && !self.open.contains(&conversation) {
            tracing::warn!("more than {OPEN_MAX} conversations are open: one is left out");
            return;
        }
        self.open.insert(conversation);
        self.say(Wish::Open(conversation), Wish::Close(conversation));
    }

    pub(super) fn close(&mut self, conversation: ConversationId) {
        if self.open.remove(&conversation) {
            self.say(Wish::Close(conversation), Wish::Open(conversation));
        }
    }

    pub(super) fn set_status(&mut self, status: Status) {
        self.status = seen(status);
        self.waiting.retain(|wish| !matches!(wish, Wish::Status(_)));
        self.waiting.push(Wish::Status(self.status));
    }

    pub(super) fn watch(&mut self, users: Vec<UserId>) {
        self.watched = Some(users);
        self.say(Wish::Watch, Wish::Watch);
    }

    fn say(&mut self, wish: Wish, instead_of: Wish) {
        self.waiting
            .retain(|waiting| *waiting != wish && *waiting != instead_of);
        self.waiting.push(wish);
    }

    /// There is a new connection, which knows only the status that it was greeted with.
    pub(super) fn connected(&mut self) {
        self.waiting.clear();
        if self.status != self.greeted {
            self.waiting.push(Wish::Status(self.status));
        }
        self.waiting
            .extend(self.open.iter().copied().map(Wish::Open));
        if self.watched.is_some() {
            self.waiting.push(Wish::Watch);
        }
        self.not_before = None;
    }

    /// Takes out what is to be said now.
    pub(super) fn take(&mut self, now: Instant) -> Vec<Wish> {
        if self.not_before.is_some_and(|at| at > now) {
            return Vec::new();
        }
        self.not_before = None;
        let reads = std::mem::take(&mut self.reads);
        let mut wishes = std::mem::take(&mut self.waiting);
        wishes.extend(reads.into_iter().map(|(id, seq)| Wish::Read(id, seq)));
        wishes
    }

    /// The server wants to hear it later.
    pub(super) fn again(&mut self, wish: Wish, now: Instant, wait: Duration) {
        self.not_before = Some(now + wait);
        self.unsaid(wish);
    }

    /// It was not heard.
    pub(super) fn unsaid(&mut self, wish: Wish) {
        match wish {
            Wish::Read(conversation, seq) => self.read(conversation, seq),
            Wish::Status(status) if status != self.status => {}
            Wish::Open(conversation) if !self.open.contains(&conversation) => {}
            Wish::Close(conversation) if self.open.contains(&conversation) => {}
            other if self.waiting.contains(&other) => {}
            other => self.waiting.push(other),
        }
    }

    pub(super) fn due(&self) -> Option<Instant> {
        let is_waiting = !self.waiting.is_empty() || !self.reads.is_empty();
        self.not_before.filter(|_| is_waiting)
    }
}

/// Nobody can ask to be seen off line; who is invisible looks the same.
fn seen(status: Status) -> Status {
    match status {
        Status::Offline => Status::Invisible,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAT: ConversationId = ConversationId(7);

    #[test]
    fn read_marks_wait_and_only_the_newest_counts() {
        let mut wishes = Wishes::new(Status::Online);
        wishes.read(CHAT, Seq(3));
        wishes.read(CHAT, Seq(2));
        let now = Instant::now();
        assert_eq!(wishes.take(now), [Wish::Read(CHAT, Seq(3))]);
        assert_eq!(wishes.take(now), []);
        wishes.again(Wish::Read(CHAT, Seq(3)), now, Duration::from_secs(1));
        assert_eq!(wishes.take(now), []);
        let later = wishes.due().unwrap();
        assert_eq!(wishes.take(later), [Wish::Read(CHAT, Seq(3))]);
    }

    #[test]
    fn a_new_connection_hears_what_is_open_and_watched() {
        let mut wishes = Wishes::new(Status::Offline);
        assert_eq!(wishes.greet(), Status::Invisible);
        wishes.open(CHAT);
        wishes.open(ConversationId(8));
        wishes.close(ConversationId(8));
        wishes.watch(vec![UserId(1)]);
        wishes.set_status(Status::Away);
        let now = Instant::now();
        assert_eq!(wishes.take(now).len(), 4);
        assert_eq!(wishes.greet(), Status::Away);
        wishes.connected();
        assert_eq!(wishes.take(now), [Wish::Open(CHAT), Wish::Watch]);
        wishes.unsaid(Wish::Close(CHAT));
        assert_eq!(wishes.take(now), []);
    }

    #[test]
    fn a_status_that_changed_after_the_greeting_is_said() {
        let mut wishes = Wishes::new(Status::Online);
        assert_eq!(wishes.greet(), Status::Online);
        wishes.set_status(Status::Invisible);
        wishes.connected();
        let now = Instant::now();
        assert_eq!(wishes.take(now), [Wish::Status(Status::Invisible)]);
        assert_eq!(wishes.greet(), Status::Invisible);
        wishes.connected();
        assert_eq!(wishes.take(now), []);
    }
}
