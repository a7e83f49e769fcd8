//! One HTTP connection, version 1.1 or 2, from its first byte to the end of what it was upgraded to.
//!
//! Knows limits, and nothing of what is asked for.

use std::convert::Infallible;
use std::future::ready;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use futures_util::future::Either;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::head;
use super::patient::Patient;
use crate::net::{Connection, Permit};

/// The head of a request must be complete so long after it began, and the first one so long after
/// the connection was handed over. An idle HTTP/1.1 connection is closed after this too.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// Headers of one request. Browsers send some 20, proxies add a few.
const HEADERS_MAX: usize = 64;

/// The head of one request: a token and some cookies fit many times.
const HEADER_BYTES_MAX: u32 = 16 * 1024;

/// What HTTP/1.1 may read ahead: a head, and some of the body. Its library wants 8 KiB at least.
const READ_BYTES_MAX: usize = 64 * 1024;

/// Requests of one HTTP/2 connection at the same time.
const STREAMS_MAX: u32 = 100;

/// What a peer may send over HTTP/2 before somebody reads it. It is all that is under way at a time:
/// a window of 64 KiB and a peer 100 ms away make 640 KiB a second.
#[derive(Clone, Copy, Debug)]
pub struct Windows {
    stream_bytes: u32,
    connection_bytes: u32,
}

impl Windows {
    /// For bodies of some KiB.
    pub const SMALL: Self = Self {
        stream_bytes: 64 * 1024,
        connection_bytes: 256 * 1024,
    };

    /// For files: 10 MiB a second from 100 ms away. One upload may use all that its connection has.
    pub const LARGE: Self = Self {
        stream_bytes: 1024 * 1024,
        connection_bytes: 1024 * 1024,
    };
}

/// What waits for a slow peer on one HTTP/2 stream.
const SEND_BYTES_MAX: usize = 64 * 1024;

/// Streams that the peer gave up before they were accepted: more of them is an attack.
const RESET_STREAMS_MAX: usize = 20;

/// After this silence an HTTP/2 peer is asked whether it is there, and so long it may think.
const PING_AFTER: Duration = Duration::from_secs(60);
const PONG_WITHIN: Duration = Duration::from_secs(20);

/// The connection of a request, found in its extensions. Whoever goes on after the answer, as a
/// WebSocket does, keeps a clone: the connection counts, and the server waits for it at the end,
/// until the last clone is gone.
#[derive(Clone, Debug)]
pub struct Guest {
    /// Counts the connection.
    pub permit: Arc<Permit>,
    /// Whether what is said cannot be overheard.
    pub is_tls: bool,
    /// Cancelled when the server stops.
    pub shutdown: CancellationToken,
    /// Nothing is ever sent: the other side notices the last clone.
    _alive: Arc<oneshot::Sender<Infallible>>,
}

/// Serves until the peer leaves, also on what its connection is upgraded to, or takes nothing of what
/// is written for so long as `stall`; when the server stops, until what was begun is answered.
pub async fn serve(
    router: Router,
    connection: Connection,
    windows: Windows,
    stall: Duration,
    shutdown: CancellationToken,
) {
    let Connection { socket, permit, .. } = connection;
    let (alive, gone) = oneshot::channel();
    let peer = ConnectInfo(socket.peer());
    let guest = Guest {
        permit: Arc::new(permit),
        is_tls: socket.is_tls(),
        shutdown: shutdown.clone(),
        _alive: Arc::new(alive),
    };
    let io = TokioIo::new(Patient::new(socket, stall));
    let serving = converse(router, io, (peer, guest), windows, shutdown);
    Box::pin(serving).await;
    // Never anything but the end.
    let _ = gone.await;
}

async fn converse<Io>(
    router: Router,
    io: Io,
    (peer, guest): (ConnectInfo<SocketAddr>, Guest),
    windows: Windows,
    shutdown: CancellationToken,
) where
    Io: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let has_asked = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&has_asked);
    let service = service_fn(move |request: Request<Incoming>| {
        asked.store(true, Ordering::Relaxed);
        if let Some(status) = head::fault(&request) {
            crate::telemetry::metrics::protocol_error("http", "bad_head");
            return Either::Left(ready(Ok(head::refusal(status))));
        }
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer);
        request.extensions_mut().insert(guest.clone());
        Either::Right(router.clone().oneshot(request))
    });
    let builder = builder(windows);
    let serving = builder.serve_connection_with_upgrades(io, service);
    tokio::pin!(serving);
    let mut first_request = Box::pin(tokio::time::sleep(HEADER_TIMEOUT));
    let mut is_timing = true;
    let mut is_stopping = false;
    loop {
        tokio::select! {
            served = &mut serving => {
                if let Err(error) = served {
                    crate::telemetry::metrics::protocol_error("http", "broken");
                    tracing::debug!(error, "the HTTP connection ended badly");
                }
                return;
            }
            () = &mut first_request, if is_timing => {
                is_timing = false;
                if !has_asked.load(Ordering::Relaxed) {
                    crate::telemetry::metrics::protocol_error("http", "silent");
                    tracing::info!(reason = "no request was finished", "connection closed");
                    return;
                }
            }
            () = shutdown.cancelled(), if !is_stopping => {
                is_stopping = true;
                serving.as_mut().graceful_shutdown();
            }
        }
    }
}

fn builder(windows: Windows) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        // A client that has said everything may close its half and still reads the answer.
        .half_close(true)
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_headers(HEADERS_MAX)
        .max_buf_size(READ_BYTES_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(HEADER_BYTES_MAX)
        .max_concurrent_streams(STREAMS_MAX)
        .max_pending_accept_reset_streams(RESET_STREAMS_MAX)
        .initial_stream_window_size(windows.stream_bytes)
        .initial_connection_window_size(windows.connection_bytes)
        .max_send_buf_size(SEND_BYTES_MAX)
        .keep_alive_interval(PING_AFTER)
        .keep_alive_timeout(PONG_WITHIN)
        .enable_connect_protocol();
    builder
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
