//! A logged-in connection: a cursor that walks the user's logs into the client.
//!
//! One task. It reads requests, writes replies, and whenever its bell rings collects what changed
//! and writes that. It keeps no queue of messages: a slow client is walked slowly.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use common::api::{Body, Notice};
use common::id::{ConvId, GroupId, Millis, Peer, Seq};
use common::store::{Change, Outcome, StoreError};
use common::wire::command;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::delivery::{self, Shown};
use super::dispatch;
use super::greeting::{Attempt, Login, try_login};
use super::link::{Ended, Link};
use super::packets;
use super::receipts::Receipts;
use crate::app::App;
use crate::command::{Failure, Sending};
use crate::hub::{ClientKind, End, Seat, Session};
use crate::log::TailEntry;
use crate::presence;
use crate::walker::Walker;

/// How much is written at a time.
const WRITE_BYTES_MAX: usize = 64 * 1024;
/// How many messages of one client wait for the log at a time.
const SENDINGS_MAX: usize = 256;
/// How long to wait before asking a store again that did not answer.
const STORE_RETRY: Duration = Duration::from_secs(1);
/// How long to wait for a session that is replaced. It may hang in a write to a client that is
/// gone; then nothing more counts as received there anyway.
const REPLACED_WAIT: Duration = Duration::from_secs(1);
/// How long a frame may take to arrive.
const FRAME: Duration = Duration::from_secs(60);

/// Runs sessions on a link, one for each login, until the connection ends or is replaced.
pub(super) async fn run(
    app: &Arc<App>,
    link: &mut Link,
    mut login: Login,
    shutdown: &CancellationToken,
) -> Ended {
    link.logged_in();
    loop {
        match Running::start(app, link, &login).await {
            Ok(running) => match running.run(shutdown).await {
                Next::Login(next) => login = *next,
                Next::End(ended) => return ended,
            },
            Err(error) => {
                tracing::warn!(%error, "a session could not start");
                let code = command::code::UNKNOWN;
                link.push(&packets::code(
                    command::LOGIN,
                    login.seq,
                    code,
                    &error.to_string(),
                ));
                let _ = link.flush().await;
                return Ended::NotSaved(error);
            }
        }
    }
}

/// What follows a session.
enum Next {
    /// Somebody logged in again on the same connection.
    Login(Box<Login>),
    End(Ended),
}

struct Running<'a> {
    app: &'a App,
    link: &'a mut Link,
    session: Arc<Session>,
    /// Takes the session out of the hub, whatever ends this.
    seat: Seat,
    walker: Walker,
    receipts: Receipts,
    /// When the session began.
    since: Millis,
    /// The number that pushes of the session's own carry: the last request's plus one.
    own_seq: i32,
    has_heartbeat: bool,
    heard_at: Instant,
    /// The store did not answer: ask again then.
    retry_at: Option<Instant>,
    /// Cursor moves that were handed to the log.
    moves: FuturesUnordered<Moving>,
    /// Cursor moves that could not be saved.
    unsaved: BTreeMap<ConvId, Seq>,
}

/// A cursor move on its way, with what to do again if it fails.
type Moving = Pin<Box<dyn Future<Output = (ConvId, Seq, Result<Outcome, StoreError>)> + Send>>;

impl<'a> Running<'a> {
    /// Enters the session, answers the login and delivers what was missed; then friends hear.
    async fn start(
        app: &'a Arc<App>,
        link: &'a mut Link,
        login: &Login,
    ) -> Result<Self, StoreError> {
        let user = login.account.id;
        tracing::Span::current().record("user", user.0);
        let now = app.clock.now();
        let device = login.kind.device();
        let register = Change::RegisterDevice {
            user,
            device,
            at: now,
        };
        let registered = app.log.submit(register).await?;
        let noted = Change::NoteLogin {
            address: link.address(),
            at: now,
        };
        app.log.commit(noted).await?;
        registered.outcome().await?;

        let profile = &login.account.profile;
        let (session, replaced) = app.hub.enter(
            user,
            &profile.username,
            login.kind,
            login.status,
            link.address(),
            login.seq,
        );
        let seat = Seat::new(Arc::clone(&app.hub), Arc::clone(&session));
        if let Some(replaced) = replaced {
            // What the replaced session delivered must not be delivered again: its cursors first.
            let _ = tokio::time::timeout(REPLACED_WAIT, replaced.gone.cancelled()).await;
        }
        // Listening began with entering: what is committed from here on rings the bell.
        let walker = Self::prepare(app, &session).await?;
        tracing::info!(kind = ?login.kind, "logged in");
        link.push(&packets::logged_in(login.seq, &login.account, login.kind));
        // A broken connection is noticed by the next read.
        let _ = link.flush().await;
        Ok(Self {
            app,
            link,
            session,
            seat,
            walker,
            receipts: Receipts::default(),
            since: now,
            own_seq: login.seq.wrapping_add(1),
            has_heartbeat: false,
            heard_at: Instant::now(),
            retry_at: None,
            moves: FuturesUnordered::new(),
            unsaved: BTreeMap::new(),
        })
    }

    async fn prepare(app: &App, session: &Session) -> Result<Walker, StoreError> {
        loop {
            let version = app.hub.membership_version(session.user);
            let peers = app.store.peers(session.user).await?;
            let groups: Vec<GroupId> = peers
                .into_iter()
                .filter_map(|peer| match peer {
                    Peer::Group(group) => Some(group),
                    Peer::User(_) => None,
                })
                .collect();
            if app.hub.set_groups(session.user, &groups, version) {
                break;
            }
        }
        let (store, tail) = (Arc::clone(&app.store), Arc::clone(&app.tail));
        Walker::start(store, tail, session.user, session.device()).await
    }

    async fn run(mut self, shutdown: &CancellationToken) -> Next {
        let next = match self.converse(shutdown).await {
            Ok(login) => Next::Login(login),
            Err(ended) => Next::End(ended),
        };
        self.finish(&next).await;
        next
    }

    /// Reads, answers and delivers until there is a reason to stop.
    async fn converse(&mut self, shutdown: &CancellationToken) -> Result<Box<Login>, Ended> {
        self.deliver().await?;
        if let Err(error) =
            presence::announce_status(self.app, self.session.user, self.session.status()).await
        {
            tracing::warn!(%error, "friends were not told of a login");
        }
        loop {
            // What happened before a request arrived is delivered before it is answered.
            self.deliver().await?;
            if let Some(login) = self.answer().await? {
                return Ok(login);
            }
            self.deliver().await?;
            let session = Arc::clone(&self.session);
            let wake_at = self.wake_at();
            tokio::select! {
                filled = self.link.fill() => {
                    filled?;
                    self.heard_at = Instant::now();
                }
                () = session.bell() => {}
                Some((conv, seq, saved)) = self.moves.next(), if !self.moves.is_empty() => {
                    self.note_move(conv, seq, &saved);
                }
                () = sleep_until(wake_at) => {}
                () = shutdown.cancelled() => return Err(Ended::Stopping),
            }
            self.confirm_received().await;
            self.check_time().await?;
        }
    }

    /// Carries out every request that was read. Messages are handed to the log without waiting
    /// for each other; anything else waits for the messages before it.
    async fn answer(&mut self) -> Result<Option<Box<Login>>, Ended> {
        let mut sendings = Vec::new();
        while let Some(packet) = self.link.next_packet()? {
            self.own_seq = packet.seq.wrapping_add(1);
            if matches!(packet.command, command::CHAT | command::MULTI_CHAT) {
                sendings.extend(dispatch::send(self.app, &self.session, &packet).await?);
                if sendings.len() >= SENDINGS_MAX {
                    self.settle(&mut sendings).await?;
                }
                continue;
            }
            self.settle(&mut sendings).await?;
            if packet.command == command::LOGIN {
                match try_login(self.app, self.link, &packet).await {
                    Attempt::Right(login) => return Ok(Some(Box::new(login))),
                    Attempt::Wrong(answer) => self.link.push(&answer),
                    Attempt::Unreadable => {}
                }
            } else {
                self.has_heartbeat |= packet.command == command::HEARTBEAT;
                dispatch::carry_out(self.app, &self.session, self.link, &packet).await?;
            }
            self.link.flush().await?;
        }
        self.settle(&mut sendings).await?;
        Ok(None)
    }

    /// Waits until these messages are durable. A refused one is answered with silence, as the
    /// original does; one that could not be saved ends the connection.
    async fn settle(&mut self, sendings: &mut Vec<Sending>) -> Result<(), Ended> {
        for sending in sendings.drain(..) {
            match sending.saved().await {
                Ok((conv, seq)) => self.walker.wrote(conv, seq),
                Err(Failure::Store(error)) => return Err(Ended::NotSaved(error)),
                Err(failure) => tracing::debug!(%failure, "a message was refused"),
            }
        }
        Ok(())
    }

    /// Writes everything there is: events first, they are short and soon out of date.
    async fn deliver(&mut self) -> Result<(), Ended> {
        loop {
            let mailbox = self.session.collect();
            let is_woken = !mailbox.is_empty();
            for conv in mailbox.lost {
                self.walker.lost(conv);
            }
            for conv in mailbox.changed {
                self.walker.changed(conv);
            }
            for event in &mailbox.events {
                self.link.push(&delivery::event(event, self.own_seq));
                self.flush_before_android().await?;
            }
            if let Some(End::Replaced { tag }) = mailbox.end {
                self.link.push(&packets::empty(command::KICKED, tag));
                self.link.flush().await?;
                return Err(Ended::Replaced);
            }
            let is_level = self.deliver_entries().await?;
            // A long catch-up counts as it goes: if the line breaks, the next login goes on there.
            self.confirm_received().await;
            if is_level && !is_woken {
                return Ok(());
            }
        }
    }

    /// Writes one batch of entries; `true` when there are no more.
    async fn deliver_entries(&mut self) -> Result<bool, Ended> {
        let mut handed_over = self.walker.take_written();
        let mut is_level = false;
        while self.link.waiting() < WRITE_BYTES_MAX {
            let held = match self.walker.next().await {
                Ok(Some(held)) => held,
                Ok(None) => {
                    is_level = true;
                    break;
                }
                Err(error) => {
                    tracing::warn!(%error, "entries could not be read");
                    self.retry_at = Some(Instant::now() + STORE_RETRY);
                    is_level = true;
                    break;
                }
            };
            match self.show(&held).await {
                Shown::Shared(packet) => self.link.push_encoded(&packet),
                Shown::Own(packet) => self.link.push(&packet),
                Shown::Nothing => {}
            }
            handed_over.insert(held.entry.conv, held.entry.seq);
            self.flush_before_android().await?;
        }
        self.link.flush().await?;
        let waited = self.link.take_longest_write();
        self.receipts.waited(waited, Instant::now());
        self.receipts
            .written(self.link.written(), handed_over, Instant::now());
        Ok(is_level)
    }

    /// What the client sees of an entry. A friend request that was answered on another device, or
    /// whose receipt got lost, is not asked again.
    async fn show(&mut self, held: &TailEntry) -> Shown {
        if let Body::Notice(Notice::FriendRequested { .. }) = &held.entry.body {
            let asker = Peer::User(held.entry.origin.user);
            // If the store cannot say, asking once too often is the better mistake.
            let friends = self
                .app
                .store
                .peers(self.session.user)
                .await
                .unwrap_or_default();
            if friends.contains(&asker) {
                return Shown::Nothing;
            }
        }
        delivery::show(held, &self.session, self.since, self.own_seq)
    }

    /// Android reads the body of a packet with one call: it gets each packet in a write of its
    /// own.
    async fn flush_before_android(&mut self) -> Result<(), Ended> {
        if self.session.kind == ClientKind::Pc {
            Ok(())
        } else {
            self.link.flush().await
        }
    }

    /// Moves the device's cursors past what the client has received.
    async fn confirm_received(&mut self) {
        let received = self
            .receipts
            .received(self.link.acknowledged(), Instant::now());
        self.move_cursors(received).await;
    }

    async fn move_cursors(&mut self, received: BTreeMap<ConvId, Seq>) {
        for (conv, seq) in received {
            let (user, device) = (self.session.user, self.session.device());
            let moved = Change::MoveCursor {
                user,
                device,
                conv,
                seq,
            };
            match self.app.log.submit(moved).await {
                Ok(pending) => {
                    let moving = async move { (conv, seq, pending.outcome().await) };
                    self.moves.push(Box::pin(moving));
                }
                Err(error) => self.note_move(conv, seq, &Err(error)),
            }
        }
    }

    /// Remembers a cursor that could not be saved: without it the client would get what it has
    /// once more after its next login.
    fn note_move(&mut self, conv: ConvId, seq: Seq, saved: &Result<Outcome, StoreError>) {
        if let Err(error) = saved {
            tracing::warn!(%error, "a cursor was not moved");
            let unsaved = self.unsaved.entry(conv).or_default();
            *unsaved = seq.max(*unsaved);
            self.retry_at = Some(Instant::now() + STORE_RETRY);
        }
    }

    fn wake_at(&self) -> Option<Instant> {
        let now = Instant::now();
        let idle_at = self.idle_limit().map(|limit| self.heard_at + limit);
        let frame_at = self.link.unfinished_since().map(|since| since + FRAME);
        [self.receipts.due(now), self.retry_at, idle_at, frame_at]
            .into_iter()
            .flatten()
            .min()
    }

    async fn check_time(&mut self) -> Result<(), Ended> {
        let now = Instant::now();
        if self.retry_at.is_some_and(|at| at <= now) {
            self.retry_at = None;
            let unsaved = std::mem::take(&mut self.unsaved);
            self.move_cursors(unsaved).await;
        }
        if self
            .idle_limit()
            .is_some_and(|limit| self.heard_at + limit <= now)
        {
            return Err(Ended::TimedOut("the client's heartbeat stopped"));
        }
        if self
            .link
            .unfinished_since()
            .is_some_and(|since| since + FRAME <= now)
        {
            return Err(Ended::TimedOut("a frame was not finished"));
        }
        Ok(())
    }

    /// Only the Windows client sends heartbeats by a timer, and only if it is set up to; whoever
    /// sent one is expected to go on. Silence of others is watched by TCP alone.
    fn idle_limit(&self) -> Option<Duration> {
        (self.session.kind == ClientKind::Pc && self.has_heartbeat)
            .then(|| Duration::from_secs(self.app.config.idle_timeout_pc_s))
    }

    async fn finish(mut self, next: &Next) {
        let acknowledged = self.link.acknowledged();
        let received = match next {
            Next::Login(_) | Next::End(Ended::Closed | Ended::Stopping | Ended::Replaced) => {
                self.receipts.closed(acknowledged)
            }
            // Nobody knows what the client still read of it: it comes again.
            Next::End(_) => BTreeMap::new(),
        };
        self.move_cursors(received).await;
        // A session that takes this one's place waits for it, see `Running::start`.
        while self.moves.next().await.is_some() {}
        let was_in = self.seat.leave();
        let is_same_user = match next {
            Next::Login(login) => login.account.id == self.session.user,
            Next::End(_) => false,
        };
        tracing::info!("logged out");
        if was_in
            && !is_same_user
            && let Err(error) = presence::announce(self.app, self.session.user).await
        {
            tracing::warn!(%error, "friends were not told of a logout");
        }
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
