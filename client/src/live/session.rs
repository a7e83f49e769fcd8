//! What the driver knows of one connection: which requests wait for an answer, and whether the
//! other side is still there.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::connection::{Link, Lost, Received};
use super::frames;
use super::wishes::Wish;

/// A connection that lasted so long was good.
const GOOD_AFTER: Duration = Duration::from_secs(10);
/// A connection that is younger may be replaced by an older one whose `hello` was late.
const NEW_FOR: Duration = Duration::from_secs(30);
/// Acknowledgments are sent at most this often.
const ACK_EVERY: Duration = Duration::from_millis(100);
/// If nothing comes for so long while something is to be answered, the server is asked whether it
/// is there.
const ASK_AFTER: Duration = Duration::from_secs(10);
/// The answer to that takes no longer.
const PONG_TIMEOUT: Duration = Duration::from_secs(5);

/// What waits for an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Request {
    Send(String),
    Wish(Wish),
    Ack,
    Ping,
}

/// See the module's description.
pub(super) struct Session {
    link: Link,
    heartbeat: Duration,
    requests: HashMap<u64, Request>,
    next_id: u64,
    since: Instant,
    has_heard: bool,
    may_ack_at: Instant,
    /// Since when at least one answer is missing.
    asking_since: Option<Instant>,
    pinged_at: Option<Instant>,
}

impl Session {
    pub(super) fn new(link: Link, heartbeat: Duration) -> Self {
        let now = Instant::now();
        Self {
            link,
            heartbeat,
            requests: HashMap::new(),
            // The first one was `hello`.
            next_id: 2,
            since: now,
            has_heard: false,
            may_ack_at: now,
            asking_since: None,
            pinged_at: None,
        }
    }

    /// Sends a request that wants an answer.
    pub(super) fn ask(&mut self, request: Request, frame: impl FnOnce(u64) -> String) {
        let id = self.next_id;
        self.next_id += 1;
        self.requests.insert(id, request);
        self.asking_since.get_or_insert_with(Instant::now);
        self.link.push(frame(id));
    }

    /// Sends what gets no answer.
    pub(super) fn tell(&mut self, frame: String) {
        self.link.push(frame);
    }

    /// What this was the answer to.
    pub(super) fn answered(&mut self, id: u64) -> Option<Request> {
        let request = self.requests.remove(&id);
        self.asking_since = (!self.requests.is_empty()).then(Instant::now);
        request
    }

    pub(super) fn heard(&mut self) {
        self.has_heard = true;
    }

    pub(super) async fn next(&mut self, is_reading: bool) -> Result<Received, Lost> {
        self.link.next(is_reading).await
    }

    pub(super) fn next_waiting(&mut self) -> Option<Result<Received, Lost>> {
        self.link.next_waiting()
    }

    pub(super) fn is_new(&self) -> bool {
        self.since.elapsed() < NEW_FOR
    }

    pub(super) fn is_good(&self) -> bool {
        self.has_heard || self.since.elapsed() >= GOOD_AFTER
    }

    pub(super) fn is_asking(&self) -> bool {
        !self.requests.is_empty()
    }

    /// Somebody who closes the client waits for these.
    pub(super) fn is_owed(&self) -> bool {
        let mut requests = self.requests.values();
        requests.any(|request| matches!(request, Request::Send(_) | Request::Ack))
    }

    /// What was said and not answered.
    pub(super) fn unsaid(&mut self) -> impl Iterator<Item = Wish> {
        self.requests
            .drain()
            .filter_map(|(_, request)| match request {
                Request::Wish(wish) => Some(wish),
                Request::Send(_) | Request::Ack | Request::Ping => None,
            })
    }

    pub(super) fn told(&self, lost: Lost) -> Lost {
        self.link.told(lost)
    }

    pub(super) fn may_ack_at(&self) -> Instant {
        self.may_ack_at
    }

    pub(super) fn acked(&mut self) {
        self.may_ack_at = Instant::now() + ACK_EVERY;
    }

    /// When to look at the clock.
    pub(super) fn due(&self) -> Instant {
        let silent = self.silent_at().into_iter();
        let others = [self.ask_at(), self.dead_at(), self.link.stuck_until()];
        let all = silent.chain(others.into_iter().flatten());
        all.min().unwrap_or_else(|| Instant::now() + self.heartbeat)
    }

    /// # Errors
    /// If the other side is not there any more.
    pub(super) fn look_at_the_clock(&mut self) -> Result<(), Lost> {
        let now = Instant::now();
        let is_over = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if is_over(self.link.stuck_until()) {
            return Err(Lost::broken("the server takes nothing"));
        }
        if is_over(self.silent_at()) || is_over(self.dead_at()) {
            return Err(Lost::broken("the server says nothing"));
        }
        if is_over(self.ask_at()) {
            self.pinged_at = Some(now);
            self.ask(Request::Ping, frames::ping);
        }
        Ok(())
    }

    pub(super) async fn close(self, deadline: Instant) {
        self.link.close(deadline).await;
    }

    fn silent_at(&self) -> Option<Instant> {
        let at = self.link.heard_at() + 2 * self.heartbeat;
        self.link.is_reading().then_some(at)
    }

    /// The question whether the server is there, if it was not heard of since.
    fn pinged(&self) -> Option<Instant> {
        self.pinged_at.filter(|at| *at > self.link.heard_at())
    }

    fn ask_at(&self) -> Option<Instant> {
        let since = self.asking_since?.max(self.link.heard_at());
        let is_wanted = self.link.is_reading() && self.pinged().is_none();
        is_wanted.then_some(since + ASK_AFTER)
    }

    fn dead_at(&self) -> Option<Instant> {
        let pinged = self.pinged().filter(|_| self.link.is_reading());
        pinged.map(|at| at + PONG_TIMEOUT)
    }
}
