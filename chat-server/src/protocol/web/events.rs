//! `GET /api/v1/events`: what a device missed and what is new, as server-sent events.
//!
//! The same walk as a WebSocket's. The `id` of an event is a position: a program that comes back
//! with it as `Last-Event-ID` has acknowledged everything up to it.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use common::auth::TokenKeys;
use common::id::{ConvId, Seq};
use common::store::meta;
use futures_util::Stream;
use futures_util::stream::unfold;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::close_reason::reconnect_after_ms;
use super::extract::Signed;
use super::live::{Backlog, Live, until};
use super::problem::Problem;
use super::router::WebState;
use super::sealed_position::Holder;
use super::shape::event;
use super::sync::SINCE_BYTES_MAX;
use super::sync::{History, acknowledge};
use super::{Guest, code};
use crate::app::App;
use crate::hub::{End, Manner};
use crate::presence;

/// How many conversations may have moved for every event to carry an id of its own; with more,
/// ids get long, and only the last of those that are written together has one.
const SHORT_POSITION_MAX: usize = 16;
/// How many events are walked together.
const BATCH_MAX: usize = 64;
/// How long to wait before asking a store again that did not answer.
const STORE_RETRY: Duration = Duration::from_secs(1);
/// What a browser's program sends to resume.
const LAST_EVENT_ID: &str = "last-event-id";

pub(super) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new().routes(routes!(events))
}

/// What the device has not acknowledged yet, and then what is new, as server-sent events. Each
/// `data` is an event as a WebSocket has it. Giving an `id` back as `Last-Event-ID` acknowledges
/// everything up to that event.
#[utoipa::path(
    get, path = "/events", operation_id = "stream_events", tag = "live",
    params(("Last-Event-ID" = Option<String>, Header, description = "Where to go on")),
    responses(
        (status = 200, description = "Events without end", content_type = "text/event-stream",
            body = String),
        (status = 400, description = "`bad_cursor`: the id was not given to this device"),
    ),
)]
async fn events(
    State(app): State<Arc<App>>,
    State(shutdown): State<CancellationToken>,
    Signed(who): Signed,
    guest: Option<axum::Extension<Guest>>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let epoch = meta::get(&*app.store, meta::EPOCH)
        .await?
        .unwrap_or_default();
    if let Some(last) = headers.get(LAST_EVENT_ID) {
        let last = last.to_str().map_err(|_| code::BAD_CURSOR)?;
        if !last.is_empty() {
            match acknowledge(&app, &who, &epoch, last).await? {
                History::Same => {}
                History::Other => return Err(code::BAD_CURSOR.into()),
            }
        }
    }
    let keys = app.sessions.keys(&*app.store, &app.log).await?;
    let (live, _) = Box::pin(Live::enter(&app, &who, Manner::Stream, Backlog::All, None)).await?;
    if let Err(error) = presence::announce_status(&app, who.actor.user, live.session.status()).await
    {
        tracing::warn!(%error, "friends were not told of a login");
    }
    let heartbeat = Duration::from_secs(app.config.heartbeat_s);
    let stream = EventStream {
        epoch,
        keys,
        ready: VecDeque::new(),
        places: BTreeMap::new(),
        expires_at: Instant::now() + until(&app, who.expires),
        shutdown,
        retry_at: None,
        is_over: false,
        seat: Some(Leaving { live: Some(live) }),
        _guest: guest.map(|axum::Extension(guest)| guest),
    };
    let stream = unfold(Box::new(stream), |mut stream| async move {
        let event = Box::pin(stream.next()).await?;
        Some((Ok(event), stream))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(heartbeat)))
}

/// What an event stream remembers between two events.
struct EventStream {
    epoch: String,
    keys: Arc<TokenKeys>,
    ready: VecDeque<Event>,
    /// What was written since the stream began: an id acknowledges all of it.
    places: BTreeMap<ConvId, Seq>,
    expires_at: Instant,
    shutdown: CancellationToken,
    /// The store did not answer: ask again then.
    retry_at: Option<Instant>,
    is_over: bool,
    seat: Option<Leaving>,
    _guest: Option<Guest>,
}

/// A session that is left in a task of its own when the stream is dropped: nobody is told when a
/// reader goes away.
struct Leaving {
    live: Option<Live>,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        if let Some(live) = self.live.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(live.leave());
        }
    }
}

impl EventStream {
    /// The next event; `None` when the stream is over.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.is_over {
                self.seat = None;
                return None;
            }
            let live = self.seat.as_mut()?.live.as_mut()?;
            if let Some(end) = live.collect() {
                self.end((end == End::Revoked).then(event::session_revoked));
                continue;
            }
            self.walk().await;
            if self.ready.is_empty() {
                self.wait().await;
            }
        }
    }

    fn end(&mut self, last: Option<String>) {
        self.ready
            .extend(last.map(|text| Event::default().data(text)));
        self.is_over = true;
    }

    /// Fetches the next few events.
    async fn walk(&mut self) {
        let Some(live) = self.seat.as_mut().and_then(|seat| seat.live.as_mut()) else {
            return;
        };
        let mut texts = Vec::new();
        while self.retry_at.is_none() && texts.len() < BATCH_MAX {
            match live.next().await {
                Ok(Some(shown)) => texts.push(shown),
                Ok(None) => break,
                Err(error) => {
                    tracing::warn!(%error, "entries could not be read");
                    self.retry_at = Some(Instant::now() + STORE_RETRY);
                }
            }
        }
        let holder = Holder {
            actor: &live.session.actor,
            epoch: &self.epoch,
        };
        let count = texts.len();
        for (index, shown) in texts.into_iter().enumerate() {
            self.places.insert(shown.conv, shown.seq);
            let text = String::from_utf8_lossy(&shown.text).into_owned();
            let mut event = Event::default().data(text);
            let is_last = index + 1 == count;
            if (is_last || self.places.len() <= SHORT_POSITION_MAX)
                && let Some(id) = holder.seal(&self.keys, &self.places)
                // One that is too long to be given back would end the stream for good. Without it
                // the program comes back with an earlier one, and gets what is behind that again.
                && id.len() <= SINCE_BYTES_MAX
            {
                event = event.id(id);
            }
            self.ready.push_back(event);
        }
        if count < BATCH_MAX {
            let now = Instant::now();
            let ephemeral = live.heads(now).into_iter().chain(live.ephemeral.take(now));
            let ephemeral = ephemeral.map(|text| Event::default().data(text));
            self.ready.extend(ephemeral);
        }
    }

    async fn wait(&mut self) {
        let Some(live) = self.seat.as_mut().and_then(|seat| seat.live.as_mut()) else {
            return;
        };
        let session = Arc::clone(&live.session);
        let now = Instant::now();
        let others = [self.retry_at, live.ephemeral.due(now)];
        let wake_at = others.into_iter().flatten().chain([self.expires_at]).min();
        let app = Arc::clone(&live.app);
        tokio::select! {
            () = self.shutdown.cancelled() => {
                self.end(Some(event::server_draining(reconnect_after_ms(&app))));
            }
            () = session.bell() => {}
            () = tokio::time::sleep_until(wake_at.unwrap_or(now)) => {
                let now = Instant::now();
                if self.retry_at.is_some_and(|at| at <= now) {
                    self.retry_at = None;
                }
                if self.expires_at <= now {
                    self.end(Some(event::session_revoked()));
                }
            }
        }
    }
}
