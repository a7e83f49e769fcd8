//! Tests of one HTTP connection, over loopback.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Extension};
use axum::routing::get;
use http_body_util::BodyExt;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use super::*;
use crate::net::{ConnectionLimits, Listener};

const LONG: Duration = Duration::from_secs(10);

/// Serves connections; the number of those that are being served can be watched.
struct Running {
    address: SocketAddr,
    serving: watch::Receiver<usize>,
    shutdown: CancellationToken,
    _accepting: JoinHandle<()>,
}

fn start(router: Router) -> Running {
    start_patient(router, LONG)
}

fn start_patient(router: Router, stall: Duration) -> Running {
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr();
    let (count, serving) = watch::channel(0);
    let shutdown = CancellationToken::new();
    let stop = shutdown.clone();
    let accepting = tokio::spawn(async move {
        let (limits, tasks) = (ConnectionLimits::default(), TaskTracker::new());
        let count = Arc::new(count);
        crate::net::serve(
            listener,
            limits,
            CancellationToken::new(),
            &tasks,
            |connection| {
                let (router, stop, count) = (router.clone(), stop.clone(), Arc::clone(&count));
                async move {
                    count.send_modify(|count| *count += 1);
                    serve(router, connection, Windows::SMALL, stall, stop).await;
                    count.send_modify(|count| *count -= 1);
                }
            },
        )
        .await;
    });
    Running {
        address,
        serving,
        shutdown,
        _accepting: accepting,
    }
}

impl Running {
    async fn until_serving(&mut self, count: usize) {
        let so_many = self.serving.wait_for(|serving| *serving == count);
        timeout(LONG, so_many).await.unwrap().unwrap();
    }

    /// A client of HTTP/2; it says goodbye when it is dropped.
    async fn connect(&self) -> hyper::client::conn::http2::SendRequest<Body> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let io = TokioIo::new(stream);
        let (sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io)
            .await
            .unwrap();
        tokio::spawn(connection);
        sender
    }

    async fn ask(&self, sender: &mut hyper::client::conn::http2::SendRequest<Body>) -> String {
        let request = Request::get("http://localhost/")
            .body(Body::empty())
            .unwrap();
        let response = timeout(LONG, sender.send_request(request))
            .await
            .unwrap()
            .unwrap();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(body.to_vec()).unwrap()
    }
}

#[tokio::test]
async fn a_handler_knows_who_asks() {
    let who = |ConnectInfo(peer): ConnectInfo<SocketAddr>, Extension(guest): Extension<Guest>| async move {
        format!("{} {}", peer.ip(), guest.is_tls)
    };
    let mut running = start(Router::new().route("/", get(who)));
    let mut sender = running.connect().await;
    assert_eq!(running.ask(&mut sender).await, "127.0.0.1 false");
    drop(sender);
    running.until_serving(0).await;
}

#[tokio::test]
async fn a_connection_counts_until_its_last_guest_has_gone() {
    let kept = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&kept);
    let handler = move |Extension(guest): Extension<Guest>| async move {
        *keep.lock().await = Some(guest);
    };
    let mut running = start(Router::new().route("/", get(handler)));
    let mut sender = running.connect().await;
    running.ask(&mut sender).await;
    drop(sender);
    let gone = timeout(
        Duration::from_millis(200),
        running.serving.wait_for(|serving| *serving == 0),
    );
    assert!(gone.await.is_err());
    drop(kept.lock().await.take());
    running.until_serving(0).await;
}

#[tokio::test]
async fn a_server_that_stops_lets_go_of_idle_connections() {
    let mut running = start(Router::new().route("/", get(|| async { "ok" })));
    let mut busy = running.connect().await;
    running.ask(&mut busy).await;
    // And one that has not asked anything yet.
    let _fresh = TcpStream::connect(running.address).await.unwrap();
    running.until_serving(2).await;
    running.shutdown.cancel();
    running.until_serving(0).await;
}

/// An answer that is larger than all buffers together.
fn large() -> Router {
    let body = || async { Body::from(vec![7; 64 * 1024 * 1024]) };
    Router::new().route("/", get(body))
}

#[tokio::test]
async fn a_peer_that_takes_nothing_is_given_up() {
    let mut running = start_patient(large(), Duration::from_millis(200));
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let request = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
    stream.write_all(request).await.unwrap();
    running.until_serving(1).await;
    running.until_serving(0).await;
}

#[tokio::test]
async fn a_peer_that_reads_slowly_is_waited_for() {
    const STALL: Duration = Duration::from_secs(2);
    let mut running = start_patient(large(), STALL);
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let request = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
    stream.write_all(request).await.unwrap();
    running.until_serving(1).await;
    let began = tokio::time::Instant::now();
    let mut some = vec![0; 32 * 1024];
    // So slow that the system has no room to report for longer than that.
    let mut pace = tokio::time::interval(Duration::from_millis(100));
    while began.elapsed() < 3 * STALL {
        pace.tick().await;
        stream.read_exact(&mut some).await.unwrap();
    }
    assert_eq!(*running.serving.borrow(), 1);
}
