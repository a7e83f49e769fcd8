//! Carries the requests of the object store's library over connections of our own, so that one HTTP
//! client, one TLS library and one place that opens sockets are enough.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use http_body_util::BodyExt;
use hyper::Uri;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody,
    HttpResponse, HttpResponseBody, HttpService,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::timeout;
use tower::Service;

use crate::net::{Outward, OutwardStream};

/// From the request's first byte to the answer's head. A part of 8 MiB takes a line of 1 Mbit/s so
/// long.
const ANSWER_WAIT: Duration = Duration::from_secs(70);
/// An unused connection is closed after this time; object stores do so too.
const IDLE_WAIT: Duration = Duration::from_secs(20);
/// How long the name and the connection may take.
const CONNECT_WAIT: Duration = Duration::from_secs(5);

/// Gives the object store's library its HTTP client.
#[derive(Clone, Debug)]
pub(super) struct Connector(pub(super) Arc<Outward>);

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE_WAIT)
            .pool_timer(TokioTimer::new())
            .build(self.clone());
        Ok(HttpClient::new(Caller(client)))
    }
}

#[derive(Debug)]
struct Caller(Client<Connector, HttpRequestBody>);

#[async_trait]
impl HttpService for Caller {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let Ok(answered) = timeout(ANSWER_WAIT, self.0.request(request)).await else {
            let late = io::Error::from(io::ErrorKind::TimedOut);
            return Err(HttpError::new(HttpErrorKind::Timeout, late));
        };
        let (parts, body) = answered.map_err(unanswered)?.into_parts();
        let body = body.map_err(|error| HttpError::new(HttpErrorKind::Interrupted, error));
        Ok(HttpResponse::from_parts(parts, HttpResponseBody::new(body)))
    }
}

/// Tells the library what it may try again.
fn unanswered(error: Error) -> HttpError {
    let kind = match error.is_connect() {
        true => HttpErrorKind::Connect,
        false => HttpErrorKind::Interrupted,
    };
    HttpError::new(kind, error)
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let outward = Arc::clone(&self.0);
        Box::pin(async move {
            let opened = timeout(CONNECT_WAIT, open(&outward, &uri)).await;
            let late = || Err(io::ErrorKind::TimedOut.into());
            Ok(TokioIo::new(Stream(opened.unwrap_or_else(|_| late())?)))
        })
    }
}

async fn open(outward: &Outward, uri: &Uri) -> io::Result<OutwardStream> {
    let host = uri.host().unwrap_or_default();
    let is_tls = uri.scheme_str() == Some("https");
    let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
    // A literal IPv6 address stands in brackets.
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let addresses = match host.parse::<IpAddr>() {
        Ok(address) => vec![address],
        Err(_) => outward.resolve(host).await?,
    };
    let with_port = |address| SocketAddr::new(address, port);
    let addresses: Vec<_> = addresses.into_iter().map(with_port).collect();
    outward.open(&addresses, is_tls.then_some(host)).await
}

/// A connection as the HTTP client wants it.
pub(super) struct Stream(OutwardStream);

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
