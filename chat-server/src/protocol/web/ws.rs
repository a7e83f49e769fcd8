//! `GET /api/v1/ws`: a WebSocket, from its handshake to its end.
//!
//! One task. It reads requests, writes answers, and whenever its bell rings walks what changed into
//! the socket. It keeps no queue of messages: a slow client is walked slowly.

use std::collections::HashMap;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Utf8Bytes, WebSocketUpgrade};
use axum::http::header::{SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use common::id::{ConvId, Seq};
use futures_util::stream::{FuturesOrdered, FuturesUnordered};
use futures_util::{FutureExt, StreamExt};
use tokio::task::unconstrained;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Guest;
use super::close_reason::{CloseReason, reconnect_after_ms};
use super::extract::{FromAddress, bearer};
use super::frames::Id;
use super::greeting::{Greeted, greet};
use super::live::{Live, until};
use super::problem::Problem;
use super::router::WebState;
use super::send_order::SendOrder;
use super::socket::{Received, SUBPROTOCOL, Socket, limited};
use super::{code, frames, ops, summaries};
use crate::app::App;
use crate::presence;

/// How much is written at a time.
const BATCH_BYTES_MAX: usize = 64 * 1024;
/// How many requests of one client wait for the log at a time; more are not read.
const PENDING_MAX: usize = 256;
/// How many requests that have arrived already are read before events get their turn.
const READ_AHEAD_MAX: usize = 64;
/// Frames in a second with which a client asks whether the server is there, or says that it is
/// there itself.
pub(super) const PINGS_PER_S_MAX: u32 = 20;
/// Requests in a second that no other rate counts, such as acknowledgments: more of them wait until
/// the second is over. Nobody who means well comes near.
const LIGHT_PER_S_MAX: u32 = 2_000;
/// So many requests that came too fast, one after the other, are no accident.
const REFUSALS_MAX: u32 = 500;
/// How long to wait before asking a store again that did not answer.
const STORE_RETRY: Duration = Duration::from_secs(1);
/// How long a server that stops waits for what was handed in.
const SETTLE: Duration = Duration::from_secs(5);

pub(super) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new()
        .routes(routes!(upgrade))
        // How HTTP/2 asks for a WebSocket.
        .route("/ws", axum::routing::connect(upgrade))
}

/// Opens a WebSocket with the subprotocol `myim.v1`. Its first request is `hello`; what follows
/// is described in `docs/asyncapi.yaml`.
#[utoipa::path(
    get, path = "/ws", operation_id = "open_websocket", tag = "live", security(()),
    responses(
        (status = 101, description = "From here on the connection is a WebSocket"),
        (status = 400, description = "`invalid_request`: no WebSocket is asked for"),
        (status = 426, description = "`invalid_request`: the connection cannot become a WebSocket"),
    ),
)]
async fn upgrade(
    State(state): State<WebState>,
    guest: Option<Extension<Guest>>,
    FromAddress(address): FromAddress,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => return refused(rejection),
    };
    if !headers.get(SEC_WEBSOCKET_KEY).is_none_or(is_key) {
        let detail = "Sec-WebSocket-Key is not the Base64 of 16 bytes";
        return Problem::new(code::INVALID_REQUEST, detail).into_response();
    }
    let has_ours = |name: &HeaderValue| name == SUBPROTOCOL;
    let mut offered = upgrade.requested_protocols().peekable();
    if offered.peek().is_some() && !offered.any(has_ours) {
        let detail = "the only subprotocol is myim.v1";
        return Problem::new(code::INVALID_REQUEST, detail).into_response();
    }
    drop(offered);
    let caller = Caller {
        app: state.app,
        address,
        token: bearer(&headers).map(str::to_owned),
        shutdown: state.shutdown,
    };
    let guest = guest.map(|Extension(guest)| guest);
    limited(upgrade).on_upgrade(move |socket| {
        let span = tracing::info_span!("websocket", %address, user = tracing::field::Empty);
        let mut socket = Socket::new(socket);
        // An argument of an asynchronous function takes its room twice; a reference is small.
        let serving = async move { serve(&caller, guest.as_ref(), &mut socket).await };
        Box::pin(serving.instrument(span))
    })
}

/// RFC 6455, section 4.2.1; over HTTP/2 there is none.
fn is_key(key: &HeaderValue) -> bool {
    STANDARD.decode(key).is_ok_and(|nonce| nonce.len() == 16)
}

/// Says why a handshake is none.
fn refused(rejection: WebSocketUpgradeRejection) -> Response {
    let is_version = matches!(
        rejection,
        WebSocketUpgradeRejection::InvalidWebSocketVersionHeader(_)
    );
    let mut response = rejection.into_response();
    if is_version {
        *response.status_mut() = StatusCode::UPGRADE_REQUIRED;
        let headers = response.headers_mut();
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    }
    response
}

/// Who opened a WebSocket, before he said who he is.
pub(super) struct Caller {
    pub(super) app: Arc<App>,
    pub(super) address: IpAddr,
    /// The token of the handshake; browsers can send it only with `hello`.
    pub(super) token: Option<String>,
    pub(super) shutdown: CancellationToken,
}

/// Nearly every connection is idle nearly always, and is as large as the largest thing that it ever
/// waits for; so whatever is large and rare stands in a box of its own, here and in [`Running`].
async fn serve(caller: &Caller, guest: Option<&Guest>, socket: &mut Socket) {
    let connections = common::telemetry::metrics::Transport::Websocket.connections();
    connections.increment(1.0);
    // Not within the `match`, which would keep the box as long as the connection lasts.
    let started = Box::pin(Running::start(caller, guest, socket)).await;
    let closing = match started {
        Ok(running) => running.run().await,
        Err(closing) => {
            Box::pin(socket.say_goodbye(&closing)).await;
            closing
        }
    };
    closing.log();
    Box::pin(socket.linger()).await;
    connections.decrement(1.0);
}

/// A request that is being carried out.
pub(super) type Pending = Pin<Box<dyn Future<Output = Done> + Send>>;

/// A request that is carried out by a task of its own, because it asks the database: what is under
/// way here is not looked at while the connection waits for the next request, and would hold a place
/// among the readers that this one may be waiting for.
pub(super) fn apart(work: impl Future<Output = Done> + Send + 'static) -> Pending {
    let task = tokio::spawn(work.in_current_span());
    Box::pin(task.map(|done| match done {
        Ok(done) => done,
        Err(stopped) => std::panic::resume_unwind(stopped.into_panic()),
    }))
}

/// A request that was carried out.
pub(super) struct Done {
    /// The finished answer, if one is wanted.
    pub(super) answer: Option<String>,
    /// What the device itself wrote.
    pub(super) wrote: Option<(ConvId, Seq)>,
}

/// A connection whose client said who he is.
pub(super) struct Running<'a> {
    pub(super) app: Arc<App>,
    pub(super) live: Live,
    pub(super) socket: &'a mut Socket,
    pub(super) pending: FuturesOrdered<Pending>,
    /// Messages that wait for their files, and those behind them.
    pub(super) late: FuturesUnordered<Pending>,
    pub(super) order: SendOrder,
    /// When the client last told that somebody writes, by conversation.
    pub(super) typed: HashMap<ConvId, Instant>,
    shutdown: CancellationToken,
    heartbeat: Duration,
    heard_at: Instant,
    ping_at: Instant,
    expires_at: Instant,
    /// The store did not answer: ask again then.
    retry_at: Option<Instant>,
    /// The client's pings of this second.
    pings: (Instant, u32),
    /// The requests of this second that no other rate counts.
    light: (Instant, u32),
    /// How many requests in a row came too fast.
    refusals: u32,
}

impl<'a> Running<'a> {
    /// # Errors
    /// Why nobody is there to be served.
    async fn start(
        caller: &Caller,
        guest: Option<&Guest>,
        socket: &'a mut Socket,
    ) -> Result<Box<Self>, CloseReason> {
        let Greeted { live, expires } = greet(caller, socket).await?;
        if let Some(guest) = guest {
            guest.permit.greeted();
        }
        let now = Instant::now();
        let heartbeat = Duration::from_secs(caller.app.config.heartbeat_s);
        Ok(Box::new(Self {
            app: Arc::clone(&caller.app),
            live,
            socket,
            pending: FuturesOrdered::new(),
            late: FuturesUnordered::new(),
            order: SendOrder::default(),
            typed: HashMap::new(),
            shutdown: caller.shutdown.clone(),
            heartbeat,
            heard_at: now,
            ping_at: now + heartbeat,
            expires_at: now + until(&caller.app, expires),
            retry_at: None,
            pings: (now, 0),
            light: (now, 0),
            refusals: 0,
        }))
    }

    async fn run(mut self: Box<Self>) -> CloseReason {
        self.announce();
        let closing = loop {
            if let Err(closing) = self.turn().await {
                break closing;
            }
        };
        if matches!(closing, CloseReason::Draining { .. }) {
            // What was handed in is answered: its sender need not ask what became of it.
            let _ = tokio::time::timeout(SETTLE, self.settle()).await;
        }
        Box::pin(self.socket.say_goodbye(&closing)).await;
        Box::pin(self.live.leave()).await;
        // What was taken is sent, whoever still waits for the answer.
        let late = self.late.for_each(|_| std::future::ready(()));
        let _ = tokio::time::timeout(SETTLE, late).await;
        closing
    }

    /// Friends hear that somebody came. Nobody waits for it.
    fn announce(&mut self) {
        let (app, session) = (Arc::clone(&self.app), Arc::clone(&self.live.session));
        self.pending.push_back(apart(async move {
            let user = session.actor.user;
            if let Err(error) = presence::announce_status(&app, user, session.status()).await {
                tracing::warn!(%error, "friends were not told of a login");
            }
            Done {
                answer: None,
                wrote: None,
            }
        }));
    }

    /// Delivers, then waits for the next thing to happen and looks after it.
    async fn turn(&mut self) -> Result<(), CloseReason> {
        let is_level = self.deliver().await?;
        let session = Arc::clone(&self.live.session);
        let wake_at = self.wake_at(is_level);
        let has_room = self.has_room();
        tokio::select! {
            biased;
            () = self.shutdown.cancelled() => {
                let reconnect_after_ms = reconnect_after_ms(&self.app);
                return Err(CloseReason::Draining { reconnect_after_ms });
            }
            Some(done) = self.pending.next() => self.finish(done).await?,
            Some(done) = self.late.next() => self.finish(done).await?,
            () = self.live.moves.settled() => {}
            // Before the clock: a pong that waited to be read is no silence.
            received = self.socket.receive(), if has_room => self.take(received?).await?,
            () = session.bell() => {}
            // Also when frames come without an end, of which none is a message: reading them takes
            // all that a task may do at a time.
            () = unconstrained(sleep_until(wake_at)) => {}
            () = std::future::ready(()), if !is_level => {}
        }
        self.take_waiting().await?;
        self.check_time().await
    }

    /// Carries on with what is ready already, so that it shares one write.
    async fn take_waiting(&mut self) -> Result<(), CloseReason> {
        for _ in 0..READ_AHEAD_MAX {
            while let Some(Some(done)) = self.pending.next().now_or_never() {
                self.finish(done).await?;
            }
            if !self.has_room() {
                break;
            }
            match self.socket.receive().now_or_never() {
                Some(received) => self.take(received?).await?,
                None => break,
            }
        }
        Ok(())
    }

    fn has_room(&self) -> bool {
        self.pending.len() + self.late.len() < PENDING_MAX && self.paused_until().is_none()
    }

    /// Until when nothing more is read, because too much came in this second.
    fn paused_until(&self) -> Option<Instant> {
        let (since, count) = self.light;
        let until = since + Duration::from_secs(1);
        (count >= LIGHT_PER_S_MAX && until > Instant::now()).then_some(until)
    }

    /// Counts a request that no other rate counts.
    pub(super) fn count_light(&mut self) {
        let (since, count) = &mut self.light;
        if since.elapsed() >= Duration::from_secs(1) {
            (*since, *count) = (Instant::now(), 0);
        }
        *count += 1;
    }

    async fn take(&mut self, received: Received) -> Result<(), CloseReason> {
        self.heard_at = Instant::now();
        match received {
            Received::Request(text) => self.carry_out(&text).await,
            Received::Ping | Received::Pong => self.count_ping(),
        }
    }

    async fn carry_out(&mut self, text: &Utf8Bytes) -> Result<(), CloseReason> {
        let text = text.as_bytes();
        let (envelope, checked) =
            frames::envelope(text).ok_or(CloseReason::Protocol("no request that can be read"))?;
        let taken = match checked {
            Ok(()) => ops::carry_out(self, &envelope, text).await?,
            Err(problem) => Err(problem),
        };
        match taken {
            Ok(()) => self.refusals = 0,
            Err(problem) => {
                if problem.retry_after.is_some() {
                    self.refusals += 1;
                }
                self.refuse(envelope.id.as_ref(), &problem).await?;
                if self.refusals > REFUSALS_MAX {
                    return Err(CloseReason::RateLimited);
                }
            }
        }
        Ok(())
    }

    async fn refuse(&mut self, id: Option<&Id>, problem: &Problem) -> Result<(), CloseReason> {
        match id {
            Some(id) => self.socket.feed(frames::error(id, problem)).await,
            None => Ok(()),
        }
    }

    /// Counts a ping, as a frame or as an operation, and a pong.
    pub(super) fn count_ping(&mut self) -> Result<(), CloseReason> {
        let (since, count) = &mut self.pings;
        if since.elapsed() >= Duration::from_secs(1) {
            (*since, *count) = (Instant::now(), 0);
        }
        *count += 1;
        if *count > PINGS_PER_S_MAX {
            return Err(CloseReason::RateLimited);
        }
        Ok(())
    }

    async fn finish(&mut self, done: Done) -> Result<(), CloseReason> {
        if let Some((conv, seq)) = done.wrote {
            self.live.wrote(conv, seq);
        }
        match done.answer {
            Some(answer) => self.socket.feed(answer).await,
            None => Ok(()),
        }
    }

    async fn settle(&mut self) -> Result<(), CloseReason> {
        while let Some(done) = self.pending.next().await {
            self.finish(done).await?;
        }
        while let Some(done) = self.late.next().await {
            self.finish(done).await?;
        }
        self.socket.flush().await
    }

    /// Writes one batch of events, and what passes if there is no more; `true` if there is none.
    async fn deliver(&mut self) -> Result<bool, CloseReason> {
        if let Some(end) = self.live.collect() {
            return Err(end.into());
        }
        let is_level = self.deliver_entries().await?;
        if is_level {
            let now = Instant::now();
            for text in self.live.heads(now) {
                self.socket.feed(text).await?;
            }
            for text in self.live.ephemeral.take(now) {
                self.socket.feed(text).await?;
            }
        }
        self.socket.flush().await?;
        Ok(is_level)
    }

    async fn deliver_entries(&mut self) -> Result<bool, CloseReason> {
        if self.retry_at.is_some() {
            return Ok(true);
        }
        let mut bytes = 0;
        while bytes < BATCH_BYTES_MAX {
            match self.live.next().await {
                Ok(Some(shown)) => {
                    bytes += shown.text.len();
                    self.socket.feed_event(shown.text).await?;
                }
                Ok(None) => return Ok(true),
                Err(error) => {
                    tracing::warn!(%error, "entries could not be read");
                    self.retry_at = Some(Instant::now() + STORE_RETRY);
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// The client shows this conversation: what it was not sent of a large group follows.
    pub(super) async fn open(&mut self, conv: ConvId) -> Result<(), Problem> {
        let Some(skipped) = self.live.open(conv).await? else {
            return Ok(());
        };
        let session = Arc::clone(&self.live.session);
        let event = summaries::of_one(&self.app, &session.actor, &skipped).await;
        if event.is_err() {
            // What the client is not told to be left out is not left out.
            self.live.take_back(&skipped);
        }
        if let Some(event) = event? {
            // A client that is gone is noticed by the next write.
            let _ = self.socket.feed(event).await;
        }
        Ok(())
    }

    fn wake_at(&self, is_level: bool) -> Instant {
        let ephemeral = is_level.then(|| self.live.ephemeral.due(Instant::now()));
        let silent_at = self.heard_at + 2 * self.heartbeat;
        let others = [
            self.live.acks.due(),
            self.live.moves.retry_at(),
            self.retry_at,
            self.paused_until(),
            ephemeral.flatten(),
        ];
        let always = [self.ping_at, silent_at, self.expires_at];
        let all = others.into_iter().flatten().chain(always);
        all.min().unwrap_or(self.ping_at)
    }

    async fn check_time(&mut self) -> Result<(), CloseReason> {
        let now = Instant::now();
        self.live.move_cursors(now).await;
        if self.retry_at.is_some_and(|at| at <= now) {
            self.retry_at = None;
        }
        if self.expires_at <= now {
            return Err(CloseReason::Expired);
        }
        if self.heard_at + 2 * self.heartbeat <= now {
            return Err(CloseReason::Silent);
        }
        if self.ping_at <= now {
            self.ping_at = now + self.heartbeat;
            self.socket.ping().await?;
        }
        Ok(())
    }
}
