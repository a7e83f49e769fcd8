//! The driver's part that listens: answers, events, and what the application confirmed of them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

use super::connection::{Link, Lost, Received};
use super::driver::{Driver, Phase};
use super::event::{Confirm, Entry, Event, Passing};
use super::frames::{self, Frame, Welcome};
use super::handover::is_needed;
use super::sending::Sent;
use super::session::{Request, Session};
use super::state::{Connection, Ended};
use super::wishes::Wish;
use crate::api::Stored;
use crate::error::{Error, Problem, Result};
use crate::model::{ConversationId, Seq};
use crate::store::{Change, Owner, StoreError};

/// Frames that are looked after at a time, so that they share one change of the store.
const BURST_MAX: usize = 64;
/// Confirmations that share one change of the store, at most.
const CONFIRMS_AT_ONCE: usize = 1024;

impl Driver {
    /// Hello was answered.
    pub(super) async fn welcomed(&mut self, link: Link, welcome: Welcome) -> Result<(), Ended> {
        let server = self.api.server().to_string();
        let is_new = self.epoch.is_none();
        let is_other = welcome.resync || (!is_new && self.epoch.as_ref() != Some(&welcome.epoch));
        self.check_owner(&server, &welcome, is_other)?;
        let owner = Owner {
            server,
            user: welcome.user,
            username: welcome.username.clone(),
        };
        let mut changes = Vec::new();
        if self.owner.as_ref() != Some(&owner) {
            changes.push(Change::SetOwner(owner.clone()));
        }
        if is_new {
            changes.push(Change::SetEpoch(welcome.epoch.clone()));
        }
        if !changes.is_empty() {
            let applied = self.store.apply(&changes).await;
            applied.map_err(super::dispatch::ended)?;
        }
        self.owner = Some(owner);
        self.epoch = Some(welcome.epoch);
        if is_other {
            tracing::warn!("the server holds another history than before");
            self.is_epoch_unsaved = true;
            self.history += 1;
            self.places.forget();
            self.handover.forget_entries();
            self.handover.notice(Event::Resync);
        }
        self.outbox.set_me(welcome.user);
        self.wishes.connected();
        self.phase = Phase::Online(Box::new(Session::new(link, welcome.heartbeat)));
        self.set_state(Connection::Online {
            user: welcome.user,
            session: welcome.session,
        });
        Ok(())
    }

    /// A memory belongs to a user. The server may move to another address; but if both the address
    /// and the history are others, it may be another server on which somebody else has the same
    /// number, and what waits in the outbox must not go there. A server that began anew at the same
    /// address gives the number to somebody else too: nobody changes his user name.
    fn check_owner(&self, server: &str, welcome: &Welcome, is_other: bool) -> Result<(), Ended> {
        let Some(owner) = &self.owner else {
            return Ok(());
        };
        let is_elsewhere = owner.server != server && is_other && self.outbox.unsent() > 0;
        let is_named_otherwise = match (&owner.username, &welcome.username) {
            (Some(known), Some(told)) => known != told,
            _ => false,
        };
        if owner.user == welcome.user && !is_named_otherwise && !is_elsewhere {
            return Ok(());
        }
        Err(super::dispatch::ended(StoreError::SomebodyElses {
            path: "the client's store".to_owned(),
            owner: owner.clone(),
        }))
    }

    /// Looks after a frame, and after those that are there already.
    pub(super) fn received(&mut self, received: Received) -> Result<(), Lost> {
        let mut next = Some(received);
        let mut count = 0;
        while let Some(received) = next.take() {
            if let Received::Frame(frame, bytes) = received {
                self.frame(*frame, bytes)?;
            }
            count += 1;
            let may_read = count < BURST_MAX && self.may_read();
            if let Phase::Online(session) = &mut self.phase
                && may_read
            {
                next = session.next_waiting().transpose()?;
            }
        }
        Ok(())
    }

    fn frame(&mut self, frame: Frame, bytes: usize) -> Result<(), Lost> {
        if let Phase::Online(session) = &mut self.phase {
            session.heard();
        }
        match frame {
            Frame::Answer { id, result } => self.answered(id, result)?,
            // Whoever closes the client takes no more.
            _ if self.closing.is_some() => {}
            Frame::Entry {
                conversation,
                seq,
                content,
            } => {
                if self.places.arrived(conversation, seq) {
                    let event = Event::Entry(Entry {
                        conversation,
                        seq,
                        content,
                        me: self.owner.as_ref().map(|owner| owner.user),
                        history: self.history,
                        confirm: self.confirm.clone(),
                    });
                    if self.handover.entry(event, bytes) {
                        self.places.handed(conversation, seq);
                    }
                }
            }
            Frame::Passing(passing) => {
                if let Passing::Head {
                    conversation,
                    last_seq,
                } = &passing
                {
                    self.places.named(*conversation, *last_seq);
                }
                if is_needed(&passing) {
                    self.handover.entry(Event::Passing(passing), bytes);
                } else {
                    self.handover.passing(passing);
                }
            }
            Frame::Draining(_) => {}
        }
        Ok(())
    }

    fn answered(&mut self, id: u64, result: Result<Value, Problem>) -> Result<(), Lost> {
        let Phase::Online(session) = &mut self.phase else {
            return Ok(());
        };
        let request = session.answered(id);
        if let Err(problem) = &result
            && problem.code == "unauthenticated"
        {
            // The next hello tells whether it is over.
            return Err(Lost::broken(problem.to_string()));
        }
        match (request, result) {
            (Some(Request::Send(client_id)), Ok(answer)) => {
                let stored = Stored::deserialize(&answer);
                let stored = stored.map_err(|error| {
                    Lost::broken(format!("an answer is none of a myim server: {error}"))
                })?;
                self.sent(Sent {
                    client_id,
                    conversation: stored.conversation,
                    seq: stored.seq,
                    time: stored.time,
                });
            }
            (Some(Request::Send(client_id)), Err(problem)) => self.refused(client_id, &problem),
            (Some(Request::Wish(Wish::Watch)), Ok(answer)) => {
                for presence in frames::presences(&answer) {
                    self.handover.passing(Passing::Presence(presence));
                }
            }
            (Some(Request::Wish(wish)), Err(problem)) => match problem.retry_after() {
                Some(wait) => self.wishes.again(wish, Instant::now(), wait),
                None => tracing::warn!(?wish, %problem, "the server refuses"),
            },
            (Some(Request::Wish(_)), Ok(_)) | (Some(Request::Ack | Request::Ping) | None, _) => {}
        }
        Ok(())
    }

    /// The application confirmed something; `first` and everything that waits behind it.
    pub(super) async fn confirmed(&mut self, first: Option<Confirm>) {
        let mut confirms: Vec<Confirm> = first.into_iter().collect();
        while confirms.len() < CONFIRMS_AT_ONCE
            && let Ok(confirm) = self.confirms.try_recv()
        {
            confirms.push(confirm);
        }
        let mut places: BTreeMap<ConversationId, Seq> = BTreeMap::new();
        for confirm in &confirms {
            let is_current = confirm.history == self.history;
            if is_current && confirm.seq > self.places.confirmed(confirm.conversation) {
                let place = places.entry(confirm.conversation).or_default();
                *place = confirm.seq.max(*place);
            }
        }
        let applied = self.keep_places(&places).await;
        if applied.is_ok() {
            for (conversation, seq) in places {
                self.places.confirm(conversation, seq);
            }
        }
        for confirm in confirms {
            // Whoever confirmed may not wait for it.
            let _ = confirm.done.send(applied.clone());
        }
    }

    async fn keep_places(&mut self, places: &BTreeMap<ConversationId, Seq>) -> Result<()> {
        if places.is_empty() {
            return Ok(());
        }
        let mut changes = Vec::new();
        if let Some(epoch) = self.epoch.as_ref().filter(|_| self.is_epoch_unsaved) {
            changes.push(Change::SetEpoch(epoch.clone()));
        }
        let places = places.iter();
        changes.extend(places.map(|(conversation, seq)| Change::SetPlace(*conversation, *seq)));
        self.store.apply(&changes).await.map_err(Error::from)?;
        self.is_epoch_unsaved = false;
        Ok(())
    }
}
