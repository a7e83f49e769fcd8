//! TLS on accepted connections, with a certificate that can be replaced while they go on.

use std::fs;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use sha2::{Digest, Sha256};
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::signal::unix::{SignalKind, signal};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

/// How often the files are looked at. A certificate is replaced every few weeks; nobody waits.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What the server offers by name; clients of the old protocol inside of TLS ask for no name.
const HTTP_NAMES: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Files that cannot be used as a certificate and its key.
#[derive(Debug, Error)]
pub enum TlsError {
    #[error("cannot read the TLS certificate {}: {reason}", path.display())]
    Certificate { path: PathBuf, reason: pem::Error },
    #[error("there is no certificate in {}", path.display())]
    NoCertificate { path: PathBuf },
    #[error("cannot read the TLS key {}: {reason}", path.display())]
    Key { path: PathBuf, reason: pem::Error },
    #[error("the TLS certificate {} does not fit its key: {reason}", path.display())]
    Pair {
        path: PathBuf,
        reason: rustls::Error,
    },
    #[error("TLS cannot be set up: {0}")]
    Setup(#[from] rustls::Error),
    #[error("cannot listen for SIGHUP: {0}")]
    Signal(#[from] io::Error),
}

/// What the client chose by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alpn {
    Http,
    Nothing,
}

/// A certificate with its key, and the files they come from.
pub struct TlsKeys {
    files: Files,
    /// What the files were like when they were last read.
    seen: Mutex<Stamps>,
    current: Arc<Current>,
    acceptor: TlsAcceptor,
}

impl std::fmt::Debug for TlsKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsKeys")
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

/// Where a PEM certificate chain and its key are kept; may be one file.
#[derive(Clone, Debug)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

/// When two files changed last, and how long they are.
type Stamps = [Option<(SystemTime, u64)>; 2];

/// The certificate that new connections get.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(
            &self.0.read().unwrap_or_else(PoisonError::into_inner),
        ))
    }
}

impl TlsKeys {
    /// Reads both files.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let files = Files {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
        };
        // Before they are read, so that no change is missed.
        let seen = Mutex::new(files.stamps());
        let provider = Arc::new(aws_lc_rs::default_provider());
        let loaded = files.load(&provider)?;
        tracing::info!(
            certificate = %certificate.display(),
            fingerprint_sha256 = fingerprint(&loaded),
            "TLS certificate"
        );
        let current = Arc::new(Current(RwLock::new(Arc::new(loaded))));
        let resolver: Arc<dyn ResolvesServerCert> = Arc::<Current>::clone(&current);
        // Both versions that are not broken: 1.2 and 1.3.
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        config.alpn_protocols = HTTP_NAMES.map(<[u8]>::to_vec).into();
        Ok(Self {
            files,
            seen,
            current,
            acceptor: TlsAcceptor::from(Arc::new(config)),
        })
    }

    /// Reads the files again. If they cannot be used, the certificate stays as it is.
    pub fn reload(&self) -> Result<(), TlsError> {
        let provider = aws_lc_rs::default_provider();
        let loaded = self.files.load(&provider)?;
        let fingerprint = fingerprint(&loaded);
        let mut current = self
            .current
            .0
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *current = Arc::new(loaded);
        drop(current);
        tracing::info!(fingerprint_sha256 = fingerprint, "TLS certificate reloaded");
        Ok(())
    }

    /// Reads the files again when they change and when SIGHUP says so, until `shutdown`. From when
    /// this returns, SIGHUP no longer ends the program.
    pub fn watch(
        self: Arc<Self>,
        shutdown: CancellationToken,
    ) -> Result<impl Future<Output = ()> + Send + 'static, TlsError> {
        let mut asked = signal(SignalKind::hangup())?;
        Ok(async move {
            loop {
                let must = tokio::select! {
                    _ = asked.recv() => true,
                    () = tokio::time::sleep(LOOK_EVERY) => false,
                    () = shutdown.cancelled() => return,
                };
                let keys = Arc::clone(&self);
                let looked = tokio::task::spawn_blocking(move || keys.look(must));
                if let Err(error) = looked.await {
                    tracing::error!(%error, "the TLS certificate cannot be looked at");
                }
            }
        })
    }

    fn look(&self, must: bool) {
        let now = self.files.stamps();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *seen, now);
        if !must && before == now {
            return;
        }
        if let Err(error) = self.reload() {
            tracing::error!(%error, "the new TLS certificate is not used, the old one stays");
        }
    }

    pub(super) async fn accept(
        &self,
        stream: TcpStream,
    ) -> io::Result<(TlsStream<TcpStream>, Alpn)> {
        let stream = self.acceptor.accept(stream).await?;
        let chosen = stream.get_ref().1.alpn_protocol();
        let alpn = match chosen.is_some_and(|name| HTTP_NAMES.contains(&name)) {
            true => Alpn::Http,
            false => Alpn::Nothing,
        };
        Ok((stream, alpn))
    }
}

impl Files {
    fn load(&self, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
        let path = &self.certificate;
        let chain = CertificateDer::pem_file_iter(path)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|reason| TlsError::Certificate {
                path: path.clone(),
                reason,
            })?;
        if chain.is_empty() {
            return Err(TlsError::NoCertificate { path: path.clone() });
        }
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(|reason| TlsError::Key {
            path: self.key.clone(),
            reason,
        })?;
        CertifiedKey::from_der(chain, key, provider).map_err(|reason| TlsError::Pair {
            path: path.clone(),
            reason,
        })
    }

    fn stamps(&self) -> Stamps {
        [&self.certificate, &self.key].map(|path| {
            let about = fs::metadata(path).ok()?;
            Some((about.modified().ok()?, about.len()))
        })
    }
}

/// The SHA-256 of the certificate itself, as browsers show it.
fn fingerprint(keys: &CertifiedKey) -> String {
    let own = keys.cert.first().map(AsRef::as_ref).unwrap_or_default();
    let bytes = Sha256::digest(own);
    let pairs: Vec<_> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}

#[cfg(test)]
#[path = "tls_tests.rs"]
mod tests;
