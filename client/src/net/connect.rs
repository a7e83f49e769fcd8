//! Opens one connection to a server.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::dial::Io;
use crate::error::{Error, Result};
use crate::server::Server;

/// Opening a connection takes no longer, with TLS.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection, encrypted or not.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    Dialed(Box<dyn Io>),
    Tls(Box<TlsStream<Stream>>),
}

/// # Errors
/// `Unreachable`, with the reason.
pub(crate) async fn connect(server: &Server) -> Result<Stream> {
    let failed = |cause: String| Error::Unreachable {
        server: server.to_string(),
        cause,
    };
    match timeout(CONNECT_TIMEOUT, open(server)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(failed(error.to_string())),
        Err(_) => Err(failed(format!(
            "no answer within {} seconds",
            CONNECT_TIMEOUT.as_secs()
        ))),
    }
}

async fn open(server: &Server) -> io::Result<Stream> {
    let stream = match &server.dial {
        Some(dial) => Stream::Dialed(dial.dial(&server.host, server.port).await?),
        None => Stream::Tcp(tcp(server).await?),
    };
    if !server.tls {
        return Ok(stream);
    }
    let name = ServerName::try_from(server.host.to_string()).map_err(io::Error::other)?;
    let connector = TlsConnector::from(tls_config(&server.authorities)?);
    let connected = connector.connect(name, stream).await;
    let stream = connected.map_err(|error| io::Error::other(no_tls(server, &error)))?;
    Ok(Stream::Tls(Box::new(stream)))
}

async fn tcp(server: &Server) -> io::Result<TcpStream> {
    let stream = TcpStream::connect((&*server.host, server.port)).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Why there is no encrypted connection, and what to do. Nothing goes out unencrypted instead:
/// whoever wants that writes it.
fn no_tls(server: &Server, error: &io::Error) -> String {
    use rustls::{CertificateError, Error};
    let cause = error.get_ref().and_then(|error| error.downcast_ref());
    match (cause, error.kind()) {
        (Some(Error::InvalidCertificate(CertificateError::UnknownIssuer)), _) => format!(
            "this machine does not trust its certificate ({error}): with --ca FILE, or \
             Server::trusting in a program, it does"
        ),
        (Some(Error::InvalidMessage(_)), _)
        | (
            _,
            ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
            | ErrorKind::UnexpectedEof,
        ) => format!(
            "the server speaks no TLS ({error}); to go without encryption, write {}",
            server.unencrypted()
        ),
        _ => error.to_string(),
    }
}

/// What is trusted: the system's authorities, and the server's own.
fn tls_config(own: &[CertificateDer<'static>]) -> io::Result<Arc<ClientConfig>> {
    // The system's certificates are read once, and only if a connection needs them.
    static SYSTEM: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    if own.is_empty()
        && let Some(config) = SYSTEM.get()
    {
        return Ok(Arc::clone(config));
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    for certificate in own {
        roots.add(certificate.clone()).map_err(io::Error::other)?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let config = Arc::new(config);
    if own.is_empty() {
        return Ok(Arc::clone(SYSTEM.get_or_init(|| config)));
    }
    Ok(config)
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Dialed(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Dialed(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
            Self::Dialed(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Dialed(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
