//! A logged-in connection: a cursor that walks the user's logs into the client.
//!
//! One task. It reads requests, writes replies, and whenever its bell rings collects what changed
//! and writes that. It keeps no queue of messages: a slow client is walked slowly.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use common::api::{Body, Notice};
use common::id::{ConvId, Millis, Peer, Seq};
use common::store::{Change, StoreError, admin};
use common::telemetry::metrics;
use common::wire::chat::Packet;
use common::wire::command;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::delivery::{self, Shown, Viewer};
use super::dispatch::{self, Outgoing};
use super::greeting::{Attempt, Login, try_login};
use super::link::{Ended, Link};
use super::pace::Pace;
use super::packets;
use super::receipts::Receipts;
use super::translate::Recalled;
use crate::actor::Actor;
use crate::app::App;
use crate::arrival::{Arrival, arrive};
use crate::command::{Failure, Sending};
use crate::content;
use crate::cursor_moves::CursorMoves;
use crate::hub::{ClientKind, End, Entrant, Manner, Seat, Session};
use crate::log::TailEntry;
use crate::presence;
use crate::walker::Walker;

/// How much is written at a time.
const WRITE_BYTES_MAX: usize = 64 * 1024;
/// How many messages of one client wait for the log at a time.
const SENDINGS_MAX: usize = 256;
/// How long to wait before asking a store again that did not answer.
const STORE_RETRY: Duration = Duration::from_secs(1);
/// How long a frame may take to arrive.
const FRAME: Duration = Duration::from_secs(60);

/// Runs sessions on a link, one for each login, until the connection ends or is replaced.
pub(super) async fn run(
    app: &Arc<App>,
    link: &mut Link,
    mut login: Box<Login>,
    shutdown: &CancellationToken,
) -> Ended {
    link.logged_in();
    let mut receipts = Receipts::default();
    let mut before = None;
    loop {
        let seq = login.seq;
        let running = match Box::pin(Running::start(app, link, login, receipts)).await {
            Ok(running) => running,
            Err(error) => {
                tracing::warn!(%error, "a session could not start");
                if let Some(before) = &before {
                    app.hub.departed(before);
                }
                let code = command::code::UNKNOWN;
                link.push(&packets::code(command::LOGIN, seq, code, packets::NOT_NOW));
                let _ = link.flush().await;
                return Ended::NotSaved(error);
            }
        };
        match running.run(shutdown).await {
            Next::Login(next, left) => {
                (login, receipts, before) = (next, left.receipts, left.unheard);
            }
            Next::End(ended) => return ended,
        }
    }
}

/// What follows a session.
enum Next {
    /// Somebody logged in again on the same connection.
    Login(Box<Login>, Left),
    End(Ended),
}

/// What is left of a session.
struct Left {
    /// What the same device was sent on the connection and has not acknowledged yet is on its way
    /// still.
    receipts: Receipts,
    /// The session, if its user's friends were not told of its end: he logged in again.
    unheard: Option<Arc<Session>>,
}

struct Running<'a> {
    app: &'a Arc<App>,
    link: &'a mut Link,
    session: Arc<Session>,
    /// Takes the session out of the hub, whatever ends this.
    seat: Seat,
    walker: Walker,
    /// An entry that the walker handed over and that could not be shown yet: the store did not
    /// answer.
    unshown: Option<Arc<TailEntry>>,
    recalled: Recalled,
    receipts: Receipts,
    /// When the session began.
    since: Millis,
    /// The number that pushes of the session's own carry: the last request's plus one.
    own_seq: i32,
    has_heartbeat: bool,
    heard_at: Instant,
    /// The store did not answer: ask again then.
    retry_at: Option<Instant>,
    moves: CursorMoves,
    pace: Pace,
}

impl<'a> Running<'a> {
    /// Enters the session and answers the login. What is on its way already, by `receipts`, is not
    /// delivered once more.
    async fn start(
        app: &'a Arc<App>,
        link: &'a mut Link,
        login: Box<Login>,
        receipts: Receipts,
    ) -> Result<Box<Self>, StoreError> {
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
        let actor = Actor {
            user,
            username: profile.username.as_str().into(),
            device,
            address: link.address(),
        };
        let entrant = Entrant {
            actor,
            kind: login.kind,
            manner: Manner::Flamingo,
            sign_in: None,
            status: login.status,
            tag: login.seq,
        };
        let Arrival {
            session,
            seat,
            mut walker,
        } = arrive(app, entrant).await?;
        // A lock that came between the password and the session could not tell it to end.
        if admin::is_disabled(&*app.store, user).await? {
            app.hub.end_all(user);
        }
        for (conv, seq) in receipts.on_their_way() {
            walker.pass(conv, seq);
        }
        tracing::info!(kind = ?login.kind, "logged in");
        link.push(&packets::logged_in(login.seq, &login.account, login.kind));
        // A broken connection is noticed by the next read.
        let _ = link.flush().await;
        Ok(Box::new(Self {
            app,
            link,
            session,
            seat,
            walker,
            unshown: None,
            recalled: Recalled::default(),
            receipts,
            since: now,
            own_seq: login.seq.wrapping_add(1),
            has_heartbeat: false,
            heard_at: Instant::now(),
            retry_at: None,
            moves: CursorMoves::new(app, user, device),
            pace: Pace::default(),
        }))
    }

    async fn run(mut self: Box<Self>, shutdown: &CancellationToken) -> Next {
        match self.converse(shutdown).await {
            Ok(login) => {
                let is_same_user = login.account.id == self.session.actor.user;
                let is_same_device = is_same_user && login.kind == self.session.kind;
                let mut left = Box::pin(self.finish(None, is_same_user)).await;
                if !is_same_device {
                    left.receipts = Receipts::default();
                }
                Next::Login(login, left)
            }
            Err(ended) => {
                Box::pin(self.finish(Some(&ended), false)).await;
                Next::End(ended)
            }
        }
    }

    /// Reads, answers and delivers until there is a reason to stop.
    async fn converse(&mut self, shutdown: &CancellationToken) -> Result<Box<Login>, Ended> {
        self.deliver().await?;
        if let Err(error) =
            presence::announce_status(self.app, self.session.actor.user, self.session.status())
                .await
        {
            tracing::warn!(%error, "friends were not told of a login");
        }
        loop {
            // What happened before a request arrived is delivered before it is answered, but a
            // long catch-up is delivered between the requests.
            self.deliver().await?;
            if let Some(login) = self.answer(shutdown).await? {
                return Ok(login);
            }
            let is_level = self.deliver().await?;
            let session = Arc::clone(&self.session);
            let wake_at = self.wake_at();
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return Err(Ended::Stopping),
                // Before the clock: a heartbeat that waited to be read is no silence.
                filled = self.link.fill(), if self.pace.until().is_none() => {
                    filled?;
                    self.heard_at = Instant::now();
                }
                () = self.moves.settled() => {}
                () = session.bell() => {}
                () = sleep_until(wake_at) => {}
                () = std::future::ready(()), if !is_level => {}
            }
            self.confirm_received().await;
            self.check_time().await?;
        }
    }

    /// Carries out every request that was read. Messages are handed to the log without waiting
    /// for each other; anything else waits for the messages before it.
    async fn answer(&mut self, shutdown: &CancellationToken) -> Result<Option<Box<Login>>, Ended> {
        let mut sendings = Vec::new();
        let user = self.session.actor.user;
        while let Some(packet) = self.pace.next(self.app, user, self.link)? {
            self.own_seq = packet.seq.wrapping_add(1);
            if matches!(packet.command, command::CHAT | command::MULTI_CHAT) {
                let sent = Box::pin(self.send(&packet, &mut sendings, shutdown)).await?;
                self.pace.sent(self.app, user, sent);
                continue;
            }
            self.settle(&mut sendings).await?;
            if packet.command == command::LOGIN {
                match Box::pin(try_login(self.app, self.link, &packet)).await {
                    Attempt::Right(login) => return Ok(Some(login)),
                    Attempt::Wrong(answer) => self.link.push(&answer),
                    Attempt::Unreadable => {}
                }
            } else {
                self.has_heartbeat |= packet.command == command::HEARTBEAT;
                let (app, session) = (self.app, &self.session);
                Box::pin(dispatch::carry_out(app, session, self.link, &packet)).await?;
            }
            self.link.flush().await?;
        }
        self.settle(&mut sendings).await?;
        Ok(None)
    }

    /// Hands a message in, for each conversation that it is for. As many are on their way at a time
    /// as of other messages, and who is told to end goes no further.
    async fn send(
        &mut self,
        packet: &Packet,
        sendings: &mut Vec<Sending>,
        shutdown: &CancellationToken,
    ) -> Result<usize, Ended> {
        let outgoing = dispatch::outgoing(self.app, &self.session, packet).await?;
        let Some(Outgoing { letter, convs }) = outgoing else {
            return Ok(0);
        };
        let messages = convs.len();
        for conv in convs {
            if sendings.len() >= SENDINGS_MAX {
                self.settle(sendings).await?;
                if shutdown.is_cancelled() {
                    return Err(Ended::Stopping);
                }
                if self.session.is_to_end() {
                    // Says so to the client, and why.
                    Box::pin(self.deliver()).await?;
                }
            }
            let letter = letter.clone();
            let sent = dispatch::send(self.app, &self.session, packet, conv, letter).await?;
            sendings.extend(sent);
        }
        Ok(messages)
    }

    /// Waits until these messages are durable. A refused one is answered with silence, as the
    /// original does; one that could not be saved ends the connection.
    async fn settle(&mut self, sendings: &mut Vec<Sending>) -> Result<(), Ended> {
        for sending in sendings.drain(..) {
            let saved = sending.saved().await;
            #[cfg(feature = "planted")]
            if common::config::planted::has("unsaved-unsaid") && saved.is_err() {
                continue;
            }
            match saved {
                Ok(sent) => self.walker.wrote(sent.conv, sent.seq),
                Err(Failure::Store(error)) => return Err(Ended::NotSaved(error)),
                Err(failure) => tracing::debug!(%failure, "a message was refused"),
            }
        }
        Ok(())
    }

    /// Writes what there is, but at most one batch of entries: events first, they are short and
    /// soon out of date. `true` when there is no more.
    async fn deliver(&mut self) -> Result<bool, Ended> {
        let mailbox = self.session.collect();
        for conv in mailbox.lost {
            self.walker.lost(conv);
            self.recalled.lost(conv);
            self.unshown.take_if(|held| held.entry.conv == conv);
        }
        for conv in mailbox.changed {
            self.walker.changed(conv);
        }
        for event in &mailbox.events {
            self.link.push(&delivery::event(event, self.own_seq));
            self.flush_before_android().await?;
        }
        // These clients have one word for it, and stop coming back by themselves.
        let ended = mailbox.end.map(|end| match end {
            End::Replaced { tag } => tag,
            End::Revoked => 0,
        });
        if let Some(tag) = ended {
            self.link.push(&packets::empty(command::KICKED, tag));
            self.link.flush().await?;
            return Err(Ended::Replaced);
        }
        let is_level = self.deliver_entries().await?;
        // A long catch-up counts as it goes: if the line breaks, the next login goes on there.
        self.confirm_received().await;
        Ok(is_level)
    }

    /// Writes one batch of entries; `true` when there are no more.
    async fn deliver_entries(&mut self) -> Result<bool, Ended> {
        let mut handed_over = self.walker.take_written();
        if let Some(held) = &self.unshown {
            handed_over.remove(&held.entry.conv);
        }
        // A store that did not answer is not asked again before its time.
        let mut is_level = self.retry_at.is_some();
        while !is_level && self.link.waiting() < WRITE_BYTES_MAX {
            let shown = match self.next_shown().await {
                Ok(Some(shown)) => shown,
                Ok(None) => {
                    self.recalled.forget();
                    is_level = true;
                    continue;
                }
                Err(error) => {
                    tracing::warn!(%error, "entries could not be read");
                    self.retry_at = Some(Instant::now() + STORE_RETRY);
                    is_level = true;
                    continue;
                }
            };
            let (conv, seq, shown) = shown;
            if !matches!(shown, Shown::Nothing) {
                metrics::DELIVERED_FLAMINGO.increment(1);
            }
            match shown {
                Shown::Shared(packets) => {
                    for packet in packets.iter() {
                        self.link.push_encoded(packet);
                        self.flush_before_android().await?;
                    }
                }
                Shown::Own(packet) => {
                    self.link.push(&packet);
                    self.flush_before_android().await?;
                }
                Shown::Nothing => {}
            }
            handed_over.insert(conv, seq);
        }
        self.link.flush().await?;
        let waited = self.link.take_longest_write();
        self.receipts.waited(waited, Instant::now());
        self.receipts
            .written(self.link.written(), handed_over, Instant::now());
        Ok(is_level)
    }

    /// The next entry's place and what the client sees of it. Nothing is skipped if the store does
    /// not answer; what it cannot read does not hold up the rest.
    async fn next_shown(&mut self) -> Result<Option<(ConvId, Seq, Shown)>, StoreError> {
        let held = match self.unshown.take() {
            Some(held) => held,
            None => match self.walker.next().await? {
                Some(held) => held,
                None => return Ok(None),
            },
        };
        match self.show(&held).await {
            Ok(shown) => {
                let (conv, seq) = (held.entry.conv, held.entry.seq);
                #[cfg(feature = "planted")]
                if common::config::planted::has_now("shown-twice") {
                    self.unshown = Some(held);
                }
                Ok(Some((conv, seq, shown)))
            }
            Err(error) if error.is_passing() => {
                self.unshown = Some(held);
                Err(error)
            }
            Err(error) => {
                tracing::error!(%error, "an entry could not be shown");
                let shown = delivery::unreadable(&held.entry, &self.session);
                Ok(Some((held.entry.conv, held.entry.seq, shown)))
            }
        }
    }

    /// What the client sees of an entry. What is not as it was committed may have been taken back
    /// since. A friend request that was answered on another device, or whose receipt got lost, is
    /// not asked again.
    async fn show(&mut self, held: &TailEntry) -> Result<Shown, StoreError> {
        let store = &*self.app.store;
        let (conv, seq) = (held.entry.conv, held.entry.seq);
        if matches!(held.entry.body, Body::Message { .. }) && !held.is_fresh() {
            if held.committed.is_some() {
                // It was changed a moment ago: what was looked up before may be older than that.
                self.recalled.forget();
            }
            if self.recalled.has(store, conv, seq).await? {
                return Ok(Shown::Nothing);
            }
        }
        if let Some(target) = content::target(&held.entry) {
            let user = self.session.actor.user;
            if !self.recalled.may_read(store, user, conv, target).await? {
                return Ok(Shown::Nothing);
            }
            let is_recall = matches!(
                held.entry.body,
                Body::Notice(Notice::MessageRecalled { .. })
            );
            if !is_recall && !held.is_fresh() && self.recalled.has(store, conv, target).await? {
                return Ok(Shown::Nothing);
            }
        }
        if let Body::Notice(Notice::FriendRequested { .. }) = &held.entry.body {
            let asker = Peer::User(held.entry.origin.user);
            // If the store cannot say, asking once too often is the better mistake.
            let peers = store.peers(self.session.actor.user).await;
            if peers.unwrap_or_default().contains(&asker) {
                return Ok(Shown::Nothing);
            }
        }
        let viewer = Viewer {
            store,
            session: &self.session,
            since: self.since,
            seq: self.own_seq,
        };
        viewer.show(held).await
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
        let link = &*self.link;
        let received = self
            .receipts
            .received(|| link.acknowledged(), Instant::now());
        if !received.is_empty() {
            Box::pin(self.moves.hand_in(received)).await;
        }
    }

    fn wake_at(&self) -> Option<Instant> {
        let idle_at = self.idle_limit().map(|limit| self.heard_at + limit);
        let frame_at = self.link.unfinished_since().map(|since| since + FRAME);
        let retry_at = self.moves.retry_at();
        [
            self.receipts.due(),
            self.retry_at,
            self.pace.until(),
            retry_at,
            idle_at,
            frame_at,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    async fn check_time(&mut self) -> Result<(), Ended> {
        let now = Instant::now();
        if self.retry_at.is_some_and(|at| at <= now) {
            self.retry_at = None;
        }
        self.moves.retry().await;
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
        let is_listened_to = self.pace.until().is_none();
        (self.session.kind == ClientKind::Pc && self.has_heartbeat && is_listened_to)
            .then(|| Duration::from_secs(self.app.config.idle_timeout_pc_s))
    }

    /// Ends the session; `ended` is `None` if the connection goes on with another login.
    async fn finish(mut self: Box<Self>, ended: Option<&Ended>, is_same_user: bool) -> Left {
        let acknowledged = self.link.acknowledged();
        let received = match ended {
            None | Some(Ended::Closed | Ended::Stopping | Ended::Replaced) => {
                self.receipts.closed(acknowledged)
            }
            // Nobody knows what the client still read of it: it comes again.
            Some(_) => BTreeMap::new(),
        };
        self.session.saves();
        self.moves.hand_in(received).await;
        // A session that takes this one's place waits for it, see `arrive`.
        self.moves.finish().await;
        let was_in = self.seat.leave();
        tracing::info!("logged out");
        let is_unheard = was_in && is_same_user;
        if was_in && !is_same_user {
            presence::left(self.app, &self.session).await;
        }
        Left {
            receipts: self.receipts,
            unheard: is_unheard.then_some(self.session),
        }
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
