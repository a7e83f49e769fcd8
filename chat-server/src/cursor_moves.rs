//! Cursor moves of one session on their way to the log. When one is saved in a direct
//! conversation, the other side hears that its messages are delivered.
//!
//! They are handed in without waiting for each other. One that could not be saved is remembered
//! and handed in again: without it the device would get what it has once more.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use common::id::{ConvId, ConvKind, DeviceId, Seq, UserId};
use common::store::{Change, StoreError};
use common::telemetry::trace::{self, TraceId};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;

use crate::app::App;
use crate::hub::{Hub, PassingMark};
use crate::log::{Log, Pending, Tail};

/// How long to wait before a move is tried again.
const RETRY: Duration = Duration::from_secs(1);

type Moving = Pin<Box<dyn Future<Output = (ConvId, Seq, Result<(), StoreError>)> + Send>>;

/// See the module's description.
pub struct CursorMoves {
    log: Log,
    tail: Arc<Tail>,
    hub: Arc<Hub>,
    user: UserId,
    device: DeviceId,
    /// How far the moves went that were traced; empty while nobody listens to traces.
    traced: BTreeMap<ConvId, Seq>,
    /// How far the moves of direct conversations went that were looked at for news.
    announced: BTreeMap<ConvId, Seq>,
    under_way: FuturesUnordered<Moving>,
    unsaved: BTreeMap<ConvId, Seq>,
    retry_at: Option<Instant>,
}

impl std::fmt::Debug for CursorMoves {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CursorMoves")
            .field("user", &self.user)
            .field("under_way", &self.under_way.len())
            .finish_non_exhaustive()
    }
}

impl CursorMoves {
    pub fn new(app: &App, user: UserId, device: DeviceId) -> Self {
        Self {
            log: app.log.clone(),
            tail: Arc::clone(&app.tail),
            hub: Arc::clone(&app.hub),
            user,
            device,
            traced: BTreeMap::new(),
            announced: BTreeMap::new(),
            under_way: FuturesUnordered::new(),
            unsaved: BTreeMap::new(),
            retry_at: None,
        }
    }

    /// Hands moves in. Waits for nothing but a place in the log's queue.
    pub async fn hand_in(&mut self, moves: BTreeMap<ConvId, Seq>) {
        for (conv, seq) in moves {
            if trace::is_on() {
                self.trace(conv, seq);
            }
            match self.hand_in_again(conv, seq).await {
                Ok(pending) => self.under_way.push(Box::pin(async move {
                    (conv, seq, pending.outcome().await.map(drop))
                })),
                Err(error) => self.note(conv, seq, &Err(error)),
            }
        }
    }

    /// Hands in a move that may be under way already, for somebody who waits for it: whoever moves
    /// a cursor twice to the same place moves it once.
    ///
    /// # Errors
    /// When the server is stopping.
    pub async fn hand_in_again(&mut self, conv: ConvId, seq: Seq) -> Result<Pending, StoreError> {
        let change = Change::MoveCursor {
            user: self.user,
            device: self.device,
            conv,
            seq,
        };
        self.log.submit(change).await
    }

    /// One line for each entry that the device has from here on, as far as the tail holds it.
    fn trace(&mut self, conv: ConvId, seq: Seq) {
        const LINES_MAX: usize = 64;
        let before = Seq(seq.0.saturating_sub(1));
        let after = self.traced.insert(conv, seq).unwrap_or(before).min(before);
        let held = self.tail.behind(conv, after, LINES_MAX).unwrap_or_default();
        for held in held.iter().filter(|held| held.entry.seq <= seq) {
            tracing::debug!(
                target: trace::TARGET,
                trace_id = %TraceId::of(&held.entry.origin),
                %conv,
                seq = held.entry.seq.0,
                user = self.user.0,
                device = self.device.0,
                "acknowledged"
            );
        }
    }

    /// Waits for the next move that is settled; for ever if none is under way. Cancel-safe.
    pub async fn settled(&mut self) {
        match self.under_way.next().await {
            Some((conv, seq, saved)) => self.note(conv, seq, &saved),
            None => std::future::pending().await,
        }
    }

    /// Waits until none is under way any more.
    pub async fn finish(&mut self) {
        while !self.under_way.is_empty() {
            self.settled().await;
        }
    }

    fn note(&mut self, conv: ConvId, seq: Seq, saved: &Result<(), StoreError>) {
        match saved {
            Ok(()) => self.announce(conv, seq),
            Err(error) => {
                tracing::warn!(%error, "a cursor was not moved");
                let unsaved = self.unsaved.entry(conv).or_default();
                *unsaved = seq.max(*unsaved);
                self.retry_at = Some(Instant::now() + RETRY);
            }
        }
    }

    /// In a group nobody is told: each of its messages would be answered by all its members.
    fn announce(&mut self, conv: ConvId, seq: Seq) {
        if matches!(conv.kind(), Some(ConvKind::Direct(a, b)) if a != b)
            && let Some(seq) = self.news(conv, seq)
        {
            let delivered = PassingMark::Delivered(seq);
            self.hub.mark(conv, self.user, self.device, delivered);
        }
    }

    /// The last entry up to `seq` that somebody else wrote; `None` if the cursor only passed its
    /// user's own messages, which is no news. Where the tail does not know, or there is more than a
    /// look is worth, `seq` itself: the device has that too.
    fn news(&mut self, conv: ConvId, seq: Seq) -> Option<Seq> {
        const LOOK_MAX: u64 = 16;
        let passed = self.announced.get(&conv).copied().unwrap_or_default();
        if seq <= passed {
            return None;
        }
        self.announced.insert(conv, seq);
        let after = passed.max(Seq(seq.0.saturating_sub(LOOK_MAX)));
        let limit = usize::try_from(seq.0.saturating_sub(after.0)).ok()?;
        let Some(held) = self.tail.behind(conv, after, limit) else {
            return Some(seq);
        };
        let mut entries = held.iter().rev().map(|held| &held.entry);
        let of_other = entries.find(|entry| entry.origin.user != self.user);
        match of_other {
            Some(entry) => Some(entry.seq),
            None => (after > passed).then_some(seq),
        }
    }

    /// When to call [`CursorMoves::retry`] next.
    pub fn retry_at(&self) -> Option<Instant> {
        self.retry_at
    }

    /// Hands those in again that could not be saved, if it is time.
    pub async fn retry(&mut self) {
        if self.retry_at.is_some_and(|at| at <= Instant::now()) {
            self.retry_at = None;
            let unsaved = std::mem::take(&mut self.unsaved);
            Box::pin(self.hand_in(unsaved)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use common::api::Segment;
    use common::config::ChatConfig;
    use common::id::Peer;

    use super::*;
    use crate::actor::Actor;
    use crate::command::{Draft, open_conversation, send_segments};
    use crate::hub::{ClientKind, Entrant, Manner, ONLINE};
    use crate::testing::{TestServer, named};

    async fn say(app: &App, who: &Actor, conv: ConvId, says: &str) -> Seq {
        let draft = Draft {
            segments: vec![Segment::text(says)],
            reply_to: None,
        };
        let sending = send_segments(app, who, conv, draft, named(says)).await;
        sending.unwrap().saved().await.unwrap().seq
    }

    #[tokio::test]
    async fn who_answers_much_has_received_what_he_answers() {
        let server = TestServer::new(ChatConfig::default()).await;
        let (ann, bot) = (server.user("ann").await, server.user("bot").await);
        server.befriend(&ann, &bot).await;
        let app = &server.app;
        let opened = open_conversation(app, &ann, Peer::User(bot.user)).await;
        let conv = opened.unwrap().place.conv;
        let entrant = Entrant {
            actor: ann.clone(),
            kind: ClientKind::Pc,
            manner: Manner::WebSocket,
            sign_in: None,
            status: ONLINE,
            tag: 0,
        };
        let (at_ann, _) = app.hub.enter(entrant);
        let mut moves = CursorMoves::new(app, bot.user, bot.device);
        let mut told = async |seq: Seq| {
            moves.hand_in(BTreeMap::from([(conv, seq)])).await;
            moves.finish().await;
            at_ann.collect().deliveries.get(&(conv, bot.user)).copied()
        };
        let first = say(app, &ann, conv, "question").await;
        let mut last = first;
        for number in 0..40 {
            last = say(app, &bot, conv, &format!("answer {number}")).await;
        }
        assert!(told(last).await >= Some(first));
        // More of his own is no news.
        let own = say(app, &bot, conv, "one more").await;
        assert_eq!(told(own).await, None);
        let second = say(app, &ann, conv, "thanks").await;
        let own = say(app, &bot, conv, "welcome").await;
        assert_eq!(told(own).await, Some(second));
    }
}
