//! One HTTP/1.1 exchange, on whatever connection.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, HOST, HeaderValue};
use hyper::rt::{Read, Write};
use hyper::{Request, Response, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tokio::time::timeout;
use tower::ServiceExt;

use crate::cli::admin::trouble::Trouble;

/// How long it may take to connect, TLS included.
const CONNECT_WITHIN: Duration = Duration::from_secs(15);

/// A connection on which one request is sent.
pub(in crate::cli::admin) struct Line {
    sender: http1::SendRequest<Body>,
}

impl Line {
    pub(super) async fn open<Io>(io: Io) -> Result<Self, Trouble>
    where
        Io: Read + Write + Unpin + Send + 'static,
    {
        let opened = http1::handshake(io).await;
        let (sender, connection) = opened.map_err(|error| broken(&error))?;
        // Ends with the answer, because the sender is gone then.
        tokio::spawn(async move {
            // What goes wrong is told to who waits for the answer.
            let _ = connection.await;
        });
        Ok(Self { sender })
    }

    pub(in crate::cli::admin) async fn send(
        mut self,
        request: Request<Body>,
    ) -> Result<Response<Body>, Trouble> {
        let response = self.sender.send_request(request).await;
        response
            .map(|response| response.map(Body::new))
            .map_err(|error| broken(&error))
    }
}

fn broken(error: &hyper::Error) -> Trouble {
    Trouble::unreachable(format!("the connection to the server broke: {error}"))
}

/// A server elsewhere.
pub(in crate::cli::admin) struct Remote {
    uri: Uri,
    host: HeaderValue,
    authorization: HeaderValue,
    connector: HttpsConnector<HttpConnector>,
}

impl Remote {
    /// `ca` is a file with certificates to be trusted besides those of the system.
    pub(in crate::cli::admin) fn new(
        server: &str,
        token: &str,
        ca: Option<&Path>,
    ) -> Result<Self, Trouble> {
        let wrong = || Trouble::usage(format!("{server:?} is no URL like https://chat.example"));
        let uri: Uri = server.trim_end_matches('/').parse().map_err(|_| wrong())?;
        let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
        let authority = uri.authority().filter(|_| is_web).ok_or_else(wrong)?;
        if !["", "/"].contains(&uri.path()) {
            return Err(wrong());
        }
        let host = HeaderValue::from_str(authority.as_str()).map_err(|_| wrong())?;
        let mut authorization = HeaderValue::from_str(&format!("Bearer {}", token.trim()))
            .map_err(|_| Trouble::not_allowed("what MYIM_TOKEN holds is no token"))?;
        authorization.set_sensitive(true);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(trusting(ca)?)
            .https_or_http()
            .enable_http1()
            .build();
        Ok(Self {
            uri,
            host,
            authorization,
            connector,
        })
    }

    /// The request, with whom it is for and whom it is from.
    pub(in crate::cli::admin) fn addressed(&self, mut request: Request<Body>) -> Request<Body> {
        let headers = request.headers_mut();
        headers.insert(HOST, self.host.clone());
        headers.insert(AUTHORIZATION, self.authorization.clone());
        request
    }

    pub(in crate::cli::admin) async fn dial(&self) -> Result<Line, Trouble> {
        let unreachable = |why: &dyn std::fmt::Display| {
            Trouble::unreachable(format!("{} cannot be reached: {why}", self.uri))
        };
        let dialing = self.connector.clone().oneshot(self.uri.clone());
        match timeout(CONNECT_WITHIN, dialing).await {
            Ok(Ok(io)) => Line::open(io).await,
            Ok(Err(error)) => Err(unreachable(&error)),
            Err(_) => Err(unreachable(&"it does not answer")),
        }
    }
}

/// Trusts what the system trusts, and these certificates.
fn trusting(ca: Option<&Path>) -> Result<ClientConfig, Trouble> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(ca) = ca {
        let failed = |error: &dyn std::fmt::Display| {
            Trouble::not_allowed(format!("{}: {error}; sign in again", ca.display()))
        };
        for certificate in CertificateDer::pem_file_iter(ca).map_err(|error| failed(&error))? {
            let certificate = certificate.map_err(|error| failed(&error))?;
            roots.add(certificate).map_err(|error| failed(&error))?;
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let versions = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Trouble::unreachable(format!("TLS cannot be used: {error}")))?;
    Ok(versions.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_is_named_by_its_url() {
        assert!(Remote::new("http://127.0.0.1:20000/", "t", None).is_ok());
        assert!(Remote::new("https://chat.example", "t", None).is_ok());
        for wrong in ["chat.example", "ftp://x", "http://x/path", "http://", ""] {
            let trouble = Remote::new(wrong, "t", None).err().expect(wrong);
            assert_eq!(trouble.code(), 2, "{wrong}");
        }
        let trouble = Remote::new("http://x", "a\nb", None)
            .err()
            .expect("no token");
        assert_eq!(trouble.code(), 4);
    }
}
