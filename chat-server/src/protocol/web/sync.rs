//! `GET /api/v1/sync`: what a device missed and what is new, for programs that hold no connection.
//!
//! The same walk as a WebSocket's. `since` of one answer acknowledges everything in it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use common::id::{ConvId, Seq};
use common::store::meta;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::code;
use super::extract::{Query, Signed};
use super::live::{Backlog, Live};
use super::problem::Problem;
use super::router::WebState;
use super::sealed_position::{Holder, Position};
use super::shape::event;
use crate::app::App;
use crate::command::{Failure, SignedIn};
use crate::hub::{End, Manner, Reach};

/// The most events of one answer.
const EVENTS_MAX: usize = 500;
/// The most conversations of one answer: `next` stays short enough for a query, about 2 KB.
const CONVERSATIONS_MAX: usize = 100;
/// The most bytes of events in one answer; the last one may go beyond.
const BYTES_MAX: usize = 1024 * 1024;
/// The longest that a call is held.
const WAIT_S_MAX: u64 = 60;
/// The longest `since`, in bytes: four times what the largest answer gives.
pub(super) const SINCE_BYTES_MAX: usize = 8 * 1024;

pub(super) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new().routes(routes!(sync))
}

#[derive(Debug, Deserialize)]
struct Wanted {
    #[serde(default)]
    since: Option<String>,
    /// In seconds.
    #[serde(default)]
    wait: u64,
}

/// What happened.
#[derive(Debug, Serialize, ToSchema)]
struct Synced {
    /// Events as a WebSocket has them.
    #[schema(value_type = Vec<Object>)]
    events: Vec<Box<RawValue>>,
    /// What to give as `since` of the next call.
    next: String,
    /// Only there, and true, if `since` belongs to another history than the server has now: it
    /// acknowledged nothing, and what the client holds has to be read anew.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    resync: bool,
}

/// What the device has not acknowledged yet, in order. The answer is empty if nothing happened
/// within `wait` seconds, or if another call of the same device took the place of this one.
#[utoipa::path(
    get, path = "/sync", operation_id = "sync", tag = "live",
    params(
        (
            "since" = Option<String>, Query,
            description = "The `next` of the answer before: everything in that answer was \
                received. Nothing for the first call, or if an answer was lost: then what was not \
                acknowledged comes again"
        ),
        (
            "wait" = Option<u64>, Query, minimum = 0, maximum = 60,
            description = "How many seconds to wait for something to happen if there is nothing: \
                0 if not given"
        ),
    ),
    responses(
        (status = 200, description = "What happened", body = Synced),
        (status = 400, description = "`bad_cursor`: `since` was not given to this device; \
            `invalid_parameter`: `wait` is more than 60"),
    ),
)]
async fn sync(
    State(app): State<Arc<App>>,
    State(shutdown): State<CancellationToken>,
    Signed(who): Signed,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Synced>, Problem> {
    if wanted.wait > WAIT_S_MAX {
        let detail = format!("`wait` is at most {WAIT_S_MAX} seconds");
        return Err(Problem::new(code::INVALID_PARAMETER, detail));
    }
    let epoch = meta::get(&*app.store, meta::EPOCH)
        .await?
        .unwrap_or_default();
    let resync = match &wanted.since {
        Some(since) => acknowledge(&app, &who, &epoch, since).await? == History::Other,
        None => false,
    };
    // That the history is another one is told at once.
    let wait_s = if resync { 0 } else { wanted.wait };
    let wait = Duration::from_secs(wait_s);
    let until = Instant::now() + wait;
    let (mut live, _) = Box::pin(Live::enter(&app, &who, Manner::Poll, Backlog::All, None)).await?;
    let gathered = gather(&mut live, until, &shutdown).await;
    live.leave().await;
    let Gathered { events, places, .. } = gathered?;
    let keys = app.sessions.keys(&*app.store, &app.log).await?;
    let holder = Holder {
        actor: &who.actor,
        epoch: &epoch,
    };
    let next = holder.seal(&keys, &places).ok_or(code::INTERNAL)?;
    Ok(Json(Synced {
        events,
        next,
        resync,
    }))
}

/// To which history a position belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum History {
    /// The one that the server has: the position is acknowledged.
    Same,
    /// Another one, from before a restored backup: the position acknowledges nothing.
    Other,
}

/// Moves the device's cursors to where a position says that it is.
///
/// # Errors
/// `bad_cursor`; the store's.
pub(super) async fn acknowledge(
    app: &App,
    who: &SignedIn,
    epoch: &str,
    position: &str,
) -> Result<History, Problem> {
    let keys = app.sessions.keys(&*app.store, &app.log).await?;
    let holder = Holder {
        actor: &who.actor,
        epoch,
    };
    let position = (position.len() <= SINCE_BYTES_MAX)
        .then(|| holder.unseal(&keys, position))
        .flatten();
    let places = match position.ok_or(code::BAD_CURSOR)? {
        Position::At(places) => places,
        Position::OtherHistory => return Ok(History::Other),
    };
    let actor = &who.actor;
    let mut moves = crate::cursor_moves::CursorMoves::new(app, actor.user, actor.device);
    moves.hand_in(places).await;
    // The walk that follows begins at the cursors.
    moves.finish().await;
    if moves.retry_at().is_some() {
        return Err(code::STORAGE_UNAVAILABLE.into());
    }
    Ok(History::Same)
}

#[derive(Default)]
struct Gathered {
    events: Vec<Box<RawValue>>,
    places: BTreeMap<ConvId, Seq>,
    bytes: usize,
}

impl Gathered {
    fn is_full(&self) -> bool {
        self.events.len() >= EVENTS_MAX
            || self.bytes >= BYTES_MAX
            || self.places.len() >= CONVERSATIONS_MAX
    }

    fn add(&mut self, text: &[u8]) {
        self.bytes += text.len();
        // Events are written by this server: they are JSON.
        if let Ok(text) = serde_json::from_slice(text) {
            self.events.push(text);
        }
    }
}

/// Collects what there is, or waits until there is something.
///
/// # Errors
/// `unauthenticated` if the device is signed out meanwhile; the store's.
async fn gather(
    live: &mut Live,
    until: Instant,
    shutdown: &CancellationToken,
) -> Result<Gathered, Problem> {
    let mut gathered = Gathered::default();
    loop {
        match live.collect() {
            Some(End::Revoked) => return Err(Failure::Unauthenticated.into()),
            // The call that took the place of this one gets what comes.
            Some(End::Replaced { .. }) => return Ok(gathered),
            None => {}
        }
        while !gathered.is_full()
            && let Some(shown) = live.next().await?
        {
            gathered.add(&shown.text);
            gathered.places.insert(shown.conv, shown.seq);
        }
        for (conv, head) in live.ephemeral.take_heads(Instant::now()) {
            if gathered.is_full() {
                // The next answer has the others.
                break;
            }
            gathered.add(event::head(conv, head).as_bytes());
            if live.app.hub.reach(conv) == Reach::Nobody {
                // Its entries never follow. With `next` the client says that it knows.
                gathered.places.insert(conv, head);
            }
        }
        if !gathered.events.is_empty() {
            return Ok(gathered);
        }
        let session = Arc::clone(&live.session);
        tokio::select! {
            () = shutdown.cancelled() => return Ok(gathered),
            woken = timeout_at(until, session.bell()) => {
                if woken.is_err() {
                    return Ok(gathered);
                }
            }
        }
    }
}
