//! A session of the API: walks what its device missed, and what is new, into finished events.
//!
//! Knows neither sockets nor requests. A WebSocket, an event stream and a call that waits are
//! three ways to carry what comes out here.

use std::sync::Arc;

use axum::body::Bytes;
use common::api::DeviceKind;
use common::id::{ConvId, Seq};
use common::store::StoreError;
use common::telemetry::metrics;
use tokio::time::Instant;

use super::acks::Acks;
use super::ephemeral::Ephemeral;
use super::shape::event;
use super::showing::Showing;
use crate::app::App;
use crate::arrival::{Arrival, arrive};
use crate::command::{self, Failure, SignedIn};
use crate::cursor_moves::CursorMoves;
use crate::hub::{ClientKind, End, Entrant, Manner, ONLINE, Reach, Seat, Session};
use crate::log::{Pending, TailEntry};
use crate::presence;
use crate::walker::{Skipped, Walker};

/// How many of a conversation's newest entries a client gets that wants only recent ones.
pub(super) const RECENT_PAGE: u64 = 20;

/// How much of what was missed a client wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Backlog {
    #[default]
    All,
    /// The newest page of each conversation.
    Recent,
}

/// An event of the log, ready to be written.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) text: Bytes,
    pub(super) conv: ConvId,
    pub(super) seq: Seq,
}

/// See the module's description.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) app: Arc<App>,
    pub(super) session: Arc<Session>,
    pub(super) acks: Acks,
    pub(super) ephemeral: Ephemeral,
    pub(super) moves: CursorMoves,
    backlog: Backlog,
    walker: Walker,
    seat: Seat,
    entered: Instant,
    /// An entry that was walked and could not be shown yet.
    held: Option<Arc<TailEntry>>,
    showing: Showing,
}

impl Live {
    /// Enters a session with this status, or that of the user's other programs. Returns what is left
    /// out of the backlog.
    ///
    /// # Errors
    /// `Unauthenticated` if the sign-in ended meanwhile; the store's.
    pub(super) async fn enter(
        app: &Arc<App>,
        signed: &SignedIn,
        manner: Manner,
        backlog: Backlog,
        status: Option<i32>,
    ) -> Result<(Self, Vec<Skipped>), Failure> {
        let user = signed.actor.user;
        let entrant = Entrant {
            actor: signed.actor.clone(),
            kind: seen_as(signed.kind),
            manner,
            sign_in: Some(signed.session),
            status: status
                .or_else(|| app.hub.api_status(user))
                .unwrap_or(ONLINE),
            tag: 0,
        };
        let Arrival {
            session,
            seat,
            mut walker,
        } = arrive(app, entrant).await?;
        // A sign-in that ended before the session could be told of it.
        let stored = common::store::session::get(&*app.store, signed.session).await?;
        if stored.is_none() {
            return Err(Failure::Unauthenticated);
        }
        let mut ephemeral = Ephemeral::default();
        let huge: Vec<_> = walker
            .behind()
            .filter(|(conv, _)| app.hub.reach(*conv) == Reach::Nobody)
            .collect();
        for (conv, head) in huge {
            walker.leave_out(conv);
            ephemeral.head(conv, head);
        }
        let skipped = match backlog {
            Backlog::All => Vec::new(),
            Backlog::Recent => walker.skip_to_recent(RECENT_PAGE),
        };
        let device = session.device();
        let showing = Showing::new(app, &session.actor);
        let live = Self {
            app: Arc::clone(app),
            session,
            acks: Acks::default(),
            ephemeral,
            moves: CursorMoves::new(app, user, device),
            backlog,
            walker,
            seat,
            entered: Instant::now(),
            held: None,
            showing,
        };
        Ok((live, skipped))
    }

    /// Takes what waits in the mailbox. Says why the session has to end, if it has to.
    pub(super) fn collect(&mut self) -> Option<End> {
        let mailbox = self.session.collect();
        for conv in &mailbox.lost {
            self.lose(*conv);
        }
        for conv in &mailbox.changed {
            self.walker.changed(*conv);
        }
        let end = mailbox.end;
        self.ephemeral.absorb(mailbox);
        end
    }

    fn lose(&mut self, conv: ConvId) {
        self.walker.lost(conv);
        self.acks.lost(conv);
        self.showing.forget(conv);
        if self.holds_back(conv) {
            self.held = None;
        }
    }

    /// Whether an entry of this conversation was walked and could not be shown yet.
    fn holds_back(&self, conv: ConvId) -> bool {
        let held = self.held.as_ref();
        held.is_some_and(|held| held.entry.conv == conv)
    }

    /// The device itself wrote this, and was told where it stands. Writing into a large group does
    /// not bring the entries that the device is only told of.
    pub(super) fn wrote(&mut self, conv: ConvId, seq: Seq) {
        let is_walked = match self.app.hub.reach(conv) {
            Reach::Everybody => true,
            Reach::WhoLooks => self.session.has_open(conv),
            Reach::Nobody => false,
        };
        if !is_walked {
            return;
        }
        if self.holds_back(conv) {
            // The cursor has passed an entry that the device was not shown: what is behind it does
            // not count yet, and comes in its turn.
            self.walker.changed(conv);
            return;
        }
        self.walker.wrote(conv, seq);
        self.note_written();
    }

    fn note_written(&mut self) {
        let now = Instant::now();
        for (conv, seq) in self.walker.take_written() {
            self.acks.passed(conv, seq, now);
        }
    }

    /// Large groups that moved and are to be named now. What was named never goes back.
    pub(super) fn heads(&mut self, now: Instant) -> Vec<String> {
        let heads = self.ephemeral.take_heads(now);
        let name = |(conv, head)| {
            let was_named = self.acks.named_head(conv) >= Some(head);
            self.acks.named(conv, head);
            (!was_named).then(|| event::head(conv, head))
        };
        heads.into_iter().filter_map(name).collect()
    }

    /// The client shows this conversation: what it was not sent of a large group is sent now.
    ///
    /// # Errors
    /// The store's.
    pub(super) async fn open(&mut self, conv: ConvId) -> Result<Option<Skipped>, StoreError> {
        let head = self.ephemeral.forget_head(conv);
        if self.app.hub.reach(conv) == Reach::Nobody {
            if let Some(head) = head {
                self.ephemeral.head(conv, head);
            }
            return Ok(None);
        }
        let head = match head.or_else(|| self.acks.named_head(conv)) {
            Some(head) if self.backlog == Backlog::Recent => head,
            // Everything behind the cursor is wanted.
            _ => Seq(0),
        };
        self.walker.open(conv, head, RECENT_PAGE).await
    }

    /// What was to be skipped is walked after all.
    pub(super) fn take_back(&mut self, skipped: &Skipped) {
        self.walker.take_back(skipped);
    }

    /// The next event of the log; `None` when the device has everything.
    ///
    /// # Errors
    /// When the store cannot be asked; nothing is skipped, call again.
    pub(super) async fn next(&mut self) -> Result<Option<Shown>, StoreError> {
        loop {
            let held = match self.held.take() {
                Some(held) => held,
                None => match self.walker.next().await? {
                    Some(held) => held,
                    None => return Ok(None),
                },
            };
            let (conv, seq) = (held.entry.conv, held.entry.seq);
            match self.showing.show(&held, &self.walker).await {
                Ok(Some(text)) => {
                    self.acks.shown(conv, seq);
                    self.count(&held);
                    return Ok(Some(Shown { text, conv, seq }));
                }
                Ok(None) => self.acks.passed(conv, seq, Instant::now()),
                Err(error) if error.is_passing() => {
                    self.held = Some(held);
                    return Err(error);
                }
                Err(error) => {
                    tracing::error!(%conv, %seq, %error, "an entry cannot be shown");
                    metrics::db_error(&error);
                    self.acks.passed(conv, seq, Instant::now());
                }
            }
        }
    }

    fn count(&self, held: &TailEntry) {
        match self.session.manner {
            Manner::WebSocket => metrics::DELIVERED_WEBSOCKET.increment(1),
            Manner::Stream | Manner::Poll => metrics::DELIVERED_HTTP.increment(1),
            // These have a way of their own.
            Manner::Flamingo | Manner::Webhook => {}
        }
        if let Some(committed) = held.committed.filter(|at| *at >= self.entered) {
            metrics::FANOUT_LAG_SECONDS.record(committed.elapsed().as_secs_f64());
        }
    }

    /// Where the device's cursor is in a conversation of which nothing was shown.
    ///
    /// # Errors
    /// `NotAMember`, `NoSuchConversation` for one that is not the user's; the store's.
    pub(super) async fn cursor(&mut self, conv: ConvId) -> Result<Seq, Failure> {
        let (app, actor) = (Arc::clone(&self.app), self.session.actor.clone());
        let cursor = match conv.may_concern(actor.user) {
            true => app.store.cursor(actor.user, actor.device, conv).await?,
            false => None,
        };
        match cursor {
            Some(cursor) => Ok(cursor),
            // Nobody wrote there yet, and it is the user's all the same.
            None if conv == ConvId::inbox(actor.user) => Ok(Seq(0)),
            None => Err(command::not_yours(conv).into()),
        }
    }

    /// Writes the cursors that are due.
    pub(super) async fn move_cursors(&mut self, now: Instant) {
        let moved = self.acks.take(now);
        if !moved.is_empty() {
            Box::pin(self.moves.hand_in(moved)).await;
        }
        self.moves.retry().await;
    }

    /// Writes all cursors now, and that of `conv` for somebody who waits for it: the outcome is his.
    ///
    /// # Errors
    /// When the server is stopping.
    pub(super) async fn save_cursor(&mut self, conv: ConvId) -> Result<Pending, StoreError> {
        let moved = self.acks.take_all();
        self.moves.hand_in(moved).await;
        let seq = self.acks.reached(conv);
        self.moves.hand_in_again(conv, seq).await
    }

    /// Ends the session with its cursors written. Then friends hear.
    pub(super) async fn leave(mut self) {
        self.session.saves();
        let moved = self.acks.take_all();
        self.moves.hand_in(moved).await;
        // A session that takes this one's place waits for it, see `arrive`.
        self.moves.finish().await;
        if self.seat.leave() {
            presence::left(&self.app, &self.session).await;
        }
    }
}

/// As what the existing clients know a device.
fn seen_as(kind: DeviceKind) -> ClientKind {
    match kind {
        DeviceKind::Desktop | DeviceKind::Web | DeviceKind::Cli | DeviceKind::Bot => ClientKind::Pc,
        DeviceKind::Android => ClientKind::Android,
        DeviceKind::Ios => ClientKind::Ios,
    }
}

/// How long until this moment of the server's clock; nothing for the past.
pub(super) fn until(app: &App, at: common::id::Millis) -> std::time::Duration {
    let millis = at.0.saturating_sub(app.clock.now().0);
    std::time::Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}
