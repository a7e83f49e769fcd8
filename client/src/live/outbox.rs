//! What was accepted and is not stored by the server: what goes next, and what is over.
//!
//! Knows nothing of connections and stores. Messages of one lane, which is one conversation, go one
//! after the other in the order accepted; lanes go side by side. Two of a lane are never under way
//! together: a server refuses each by itself, so the second could be stored and the first, which is
//! wanted later, stand behind it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tokio::time::Instant;

use super::sending::Target;
use crate::model::{ConversationId, Timestamp, UserId};
use crate::store::Outgoing;

/// So many messages are on their way at a time.
pub(super) const IN_FLIGHT_MAX: usize = 64;
/// So many failed messages are kept, for the application to look at. A bot that looks at none of
/// them has to go on: so the one that failed first gives way, and not the next message. The
/// application was told of it when it failed.
pub(super) const FAILED_MAX: usize = 1_000;

/// The order in which messages were accepted.
type Ticket = u64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    InFlight,
    /// The server is asked what became of it.
    Asking,
}

#[derive(Debug)]
struct Item {
    outgoing: Outgoing,
    lane: Target,
    state: State,
    /// Where it stands among those that failed.
    failed: Option<Ticket>,
}

#[derive(Debug, Default)]
struct Lane {
    queue: BTreeSet<Ticket>,
    blocked: Option<Instant>,
    /// What of it stands in [`Outbox::ready`].
    ready: Option<Ticket>,
}

/// See the module's description.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    me: Option<UserId>,
    next: Ticket,
    items: BTreeMap<Ticket, Item>,
    names: HashMap<String, Ticket>,
    lanes: HashMap<Target, Lane>,
    /// The first ones of their lanes that may go.
    ready: BTreeSet<Ticket>,
    /// The first ones of lanes that wait for a time.
    blocked: BTreeSet<(Instant, Ticket)>,
    expiries: BTreeSet<(Timestamp, Ticket)>,
    /// Expired, but perhaps stored by the server.
    overdue: BTreeSet<Ticket>,
    /// Those that failed, in the order in which they did.
    failed: BTreeMap<Ticket, String>,
    in_flight: usize,
    unsent: usize,
}

/// A message whose turn it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Started {
    pub(super) client_id: String,
    /// It was never written before.
    pub(super) is_first: bool,
}

/// A message whose time is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expired {
    /// It was never written: it is not stored.
    Never(String),
    /// Ask the server whether it was stored.
    Perhaps(String),
}

impl Outbox {
    pub(super) fn new(items: Vec<Outgoing>, me: Option<UserId>) -> Self {
        let mut outbox = Self {
            me,
            ..Self::default()
        };
        for outgoing in items {
            outbox.accept(outgoing);
        }
        outbox
    }

    /// Who sends is known now: a user and the conversation with this user are one lane. Nothing may
    /// be in flight.
    pub(super) fn set_me(&mut self, me: UserId) {
        if self.me != Some(me) {
            *self = Self::new(self.list(), Some(me));
        }
    }

    pub(super) fn find(&self, client_id: &str) -> Option<&Outgoing> {
        let ticket = self.names.get(client_id)?;
        self.items.get(ticket).map(|item| &item.outgoing)
    }

    /// How many are neither stored nor failed.
    pub(super) fn unsent(&self) -> usize {
        self.unsent
    }

    /// Everything, failed ones too, in the order accepted.
    pub(super) fn list(&self) -> Vec<Outgoing> {
        let items = self.items.values();
        items.map(|item| item.outgoing.clone()).collect()
    }

    /// Adds one to the end of its lane. No other one has its name.
    pub(super) fn accept(&mut self, outgoing: Outgoing) {
        let ticket = self.ticket();
        let lane = self.lane(outgoing.to);
        self.names.insert(outgoing.client_id.clone(), ticket);
        let is_over = outgoing.failed.is_some();
        if let Some(expires) = outgoing.expires_at.filter(|_| !is_over) {
            self.expiries.insert((expires, ticket));
        }
        let item = Item {
            outgoing,
            lane,
            state: State::Waiting,
            failed: is_over.then_some(ticket),
        };
        if is_over {
            self.failed.insert(ticket, item.outgoing.client_id.clone());
        }
        self.items.insert(ticket, item);
        if !is_over {
            self.unsent += 1;
            self.lanes.entry(lane).or_default().queue.insert(ticket);
            self.refresh(lane);
        }
    }

    /// Finds those whose time is over. What was never written has failed from now on. The server
    /// can be asked about the others only if `can_ask`.
    pub(super) fn expire(&mut self, now: Timestamp, can_ask: bool) -> Vec<Expired> {
        let mut expired = Vec::new();
        while let Some((at, ticket)) = self.expiries.first().copied()
            && at <= now
        {
            self.expiries.pop_first();
            let Some(item) = self.items.get(&ticket) else {
                continue;
            };
            if item.state == State::Waiting && !item.outgoing.attempted {
                expired.push(Expired::Never(item.outgoing.client_id.clone()));
            } else {
                self.overdue.insert(ticket);
                let lane = item.lane;
                self.refresh(lane);
            }
        }
        if can_ask {
            for ticket in &self.overdue {
                if let Some(item) = self.items.get_mut(ticket)
                    && item.state == State::Waiting
                {
                    item.state = State::Asking;
                    expired.push(Expired::Perhaps(item.outgoing.client_id.clone()));
                }
            }
        }
        expired
    }

    /// Those that go now. They count as written from here on.
    pub(super) fn start(&mut self, now: Instant) -> Vec<Started> {
        while let Some((until, ticket)) = self.blocked.first().copied()
            && until <= now
        {
            self.blocked.pop_first();
            if let Some(item) = self.items.get(&ticket) {
                let lane = item.lane;
                if let Some(lane) = self.lanes.get_mut(&lane) {
                    lane.blocked = None;
                }
                self.refresh(lane);
            }
        }
        let mut started = Vec::new();
        while self.in_flight < IN_FLIGHT_MAX
            && let Some(ticket) = self.ready.first().copied()
        {
            self.ready.pop_first();
            let Some(item) = self.items.get_mut(&ticket) else {
                continue;
            };
            started.push(Started {
                client_id: item.outgoing.client_id.clone(),
                is_first: !item.outgoing.attempted,
            });
            item.state = State::InFlight;
            item.outgoing.attempted = true;
            self.in_flight += 1;
            let lane = item.lane;
            self.refresh(lane);
        }
        started
    }

    /// The server stored it, or the application takes it out.
    pub(super) fn remove(&mut self, client_id: &str) -> bool {
        let Some(ticket) = self.names.remove(client_id) else {
            return false;
        };
        self.settle(ticket);
        self.take(ticket);
        true
    }

    /// It failed for good, and stays until the application takes it out.
    pub(super) fn fail(&mut self, client_id: &str, reason: &str) -> bool {
        let Some(ticket) = self.names.get(client_id).copied() else {
            return false;
        };
        self.settle(ticket);
        let place = self.ticket();
        if let Some(item) = self.items.get_mut(&ticket) {
            item.outgoing.failed = Some(reason.to_owned());
            let before = item.failed.replace(place);
            self.failed.insert(place, client_id.to_owned());
            if let Some(before) = before {
                self.failed.remove(&before);
            }
        }
        true
    }

    /// Takes out those that failed first, of which there are more than the limit.
    pub(super) fn forget_failed(&mut self) -> Vec<String> {
        let mut forgotten = Vec::new();
        while self.failed.len() > FAILED_MAX
            && let Some((_, client_id)) = self.failed.pop_first()
        {
            self.remove(&client_id);
            forgotten.push(client_id);
        }
        forgotten
    }

    /// The server wants it later.
    pub(super) fn delay(&mut self, client_id: &str, until: Instant) {
        let Some(ticket) = self.names.get(client_id).copied() else {
            return;
        };
        let Some(item) = self.items.get_mut(&ticket) else {
            return;
        };
        if item.state == State::InFlight {
            self.in_flight -= 1;
        }
        item.state = State::Waiting;
        let lane = item.lane;
        if let Some(lane) = self.lanes.get_mut(&lane) {
            lane.blocked = Some(until);
            self.blocked.insert((until, ticket));
        }
        self.refresh(lane);
    }

    /// A failed one goes again, behind all others; `false` if there is none of this name.
    pub(super) fn retry(&mut self, client_id: &str, expires_at: Option<Timestamp>) -> bool {
        if self.find(client_id).is_none_or(|it| it.failed.is_none()) {
            return false;
        }
        let ticket = self.names.remove(client_id);
        let Some(item) = ticket.and_then(|ticket| self.take(ticket)) else {
            return false;
        };
        self.accept(Outgoing {
            failed: None,
            expires_at,
            ..item.outgoing
        });
        true
    }

    /// The connection is gone, and with it all answers.
    pub(super) fn lost(&mut self) {
        let mut lanes = Vec::new();
        for item in self.items.values_mut() {
            if item.state != State::Waiting {
                item.state = State::Waiting;
                lanes.push(item.lane);
            }
        }
        self.in_flight = 0;
        for lane in lanes {
            self.refresh(lane);
        }
    }

    /// When [`Outbox::start`] has something new to say.
    pub(super) fn unblocks_at(&self) -> Option<Instant> {
        self.blocked.first().map(|(until, _)| *until)
    }

    /// When [`Outbox::expire`] has something new to say.
    pub(super) fn expires_at(&self) -> Option<Timestamp> {
        self.expiries.first().map(|(at, _)| *at)
    }

    fn ticket(&mut self) -> Ticket {
        let ticket = self.next;
        self.next += 1;
        ticket
    }

    fn take(&mut self, ticket: Ticket) -> Option<Item> {
        let item = self.items.remove(&ticket)?;
        if let Some(place) = item.failed {
            self.failed.remove(&place);
        }
        Some(item)
    }

    fn lane(&self, to: Target) -> Target {
        match (to, self.me) {
            (Target::Group(group), _) => Target::Conversation(ConversationId::group(group)),
            (Target::User(user), Some(me)) => {
                Target::Conversation(ConversationId::direct(me, user))
            }
            (to, _) => to,
        }
    }

    /// It does not wait for anything any more.
    fn settle(&mut self, ticket: Ticket) {
        let Some(item) = self.items.get_mut(&ticket) else {
            return;
        };
        if item.outgoing.failed.is_some() {
            return;
        }
        self.unsent -= 1;
        if item.state == State::InFlight {
            self.in_flight -= 1;
        }
        item.state = State::Waiting;
        self.overdue.remove(&ticket);
        if let Some(expires) = item.outgoing.expires_at {
            self.expiries.remove(&(expires, ticket));
        }
        let name = item.lane;
        if let Some(lane) = self.lanes.get_mut(&name) {
            if lane.queue.first() == Some(&ticket)
                && let Some(until) = lane.blocked.take()
            {
                self.blocked.remove(&(until, ticket));
            }
            lane.queue.remove(&ticket);
        }
        self.refresh(name);
    }

    /// Brings what may go of a lane up to date.
    fn refresh(&mut self, name: Target) {
        let Some(lane) = self.lanes.get_mut(&name) else {
            return;
        };
        if let Some(ready) = lane.ready.take() {
            self.ready.remove(&ready);
        }
        let Some(first) = lane.queue.first().copied() else {
            self.lanes.remove(&name);
            return;
        };
        let is_waiting = self
            .items
            .get(&first)
            .is_some_and(|item| item.state == State::Waiting);
        if is_waiting && lane.blocked.is_none() && !self.overdue.contains(&first) {
            lane.ready = Some(first);
            self.ready.insert(first);
        }
    }
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
