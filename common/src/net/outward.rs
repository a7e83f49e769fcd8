//! Connections that the server opens itself: to addresses that somebody checked, and with TLS.
//!
//! Knows no names but those in certificates: a connection goes to exactly the address that it is
//! given, so that nothing can change between a check and the connection. Proxies that the
//! environment names are not used.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, pem};
use rustls::{ClientConfig, RootCertStore};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::{OnceCell, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// How many names are looked up at a time. The system gives up only after many seconds, and a
/// look-up that nobody waits for any more still occupies a thread.
const LOOK_UPS_MAX: usize = 16;
/// How long one of several addresses may keep the others waiting.
const ADDRESS_WAIT: Duration = Duration::from_secs(2);

/// A connection that was opened, plain or with TLS.
pub type OutwardStream = Box<dyn Duplex>;

/// What can be read and written.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A file of certificates that cannot be used.
#[derive(Debug, Error)]
pub enum OutwardError {
    #[error("cannot read the certificates in {}: {reason}", path.display())]
    Certificates { path: PathBuf, reason: pem::Error },
    #[error("there is no certificate in {}", path.display())]
    NoCertificate { path: PathBuf },
    #[error("a certificate in {} cannot be trusted: {reason}", path.display())]
    Unusable {
        path: PathBuf,
        reason: rustls::Error,
    },
}

/// Opens connections.
pub struct Outward {
    /// Trusted besides what the system trusts.
    own: Vec<CertificateDer<'static>>,
    tls: OnceCell<TlsConnector>,
    look_ups: Arc<Semaphore>,
}

impl fmt::Debug for Outward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outward")
            .field("own_certificates", &self.own.len())
            .finish_non_exhaustive()
    }
}

impl Outward {
    /// `ca` is a PEM file of certificates to trust besides those the system trusts.
    ///
    /// # Errors
    /// If the file cannot be used.
    pub fn new(ca: Option<&Path>) -> Result<Self, OutwardError> {
        let own = ca.map(read_certificates).transpose()?.unwrap_or_default();
        Ok(Self {
            own,
            tls: OnceCell::new(),
            look_ups: Arc::new(Semaphore::new(LOOK_UPS_MAX)),
        })
    }

    /// The addresses of a name, as the system knows them.
    ///
    /// # Errors
    /// If there are none, or nobody knows.
    pub async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let permit = Arc::clone(&self.look_ups).acquire_owned().await;
        let name = name.to_owned();
        // In a task of its own, so that the permit is held for as long as the system is busy with
        // it, also when the caller gave up. It ends with the system's own time limit.
        let looking_up = tokio::spawn(async move {
            let found = lookup_host((name, 0))
                .await
                .map(Iterator::collect::<Vec<_>>);
            drop(permit);
            found
        });
        let found = looking_up.await.map_err(io::Error::other)??;
        let mut addresses = Vec::with_capacity(found.len());
        for address in found {
            if !addresses.contains(&address.ip()) {
                addresses.push(address.ip());
            }
        }
        Ok(addresses)
    }

    /// Connects to the first of these addresses that answers; with TLS to the name in it if there
    /// is one.
    ///
    /// # Errors
    /// If none can be connected to, or the certificate is not trusted.
    pub async fn open(
        &self,
        addresses: &[SocketAddr],
        tls_name: Option<&str>,
    ) -> io::Result<OutwardStream> {
        let stream = connect_any(addresses).await?;
        stream.set_nodelay(true)?;
        let Some(name) = tls_name else {
            return Ok(Box::new(stream));
        };
        let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
        let connector = self.tls.get_or_try_init(|| self.prepare()).await?;
        Ok(Box::new(connector.connect(name, stream).await?))
    }

    /// What the system trusts is read when it is first needed: many servers never do.
    async fn prepare(&self) -> io::Result<TlsConnector> {
        let own = self.own.clone();
        let config = spawn_blocking(move || client_config(own)).await;
        let config = config.map_err(io::Error::other)?;
        let config = config.map_err(io::Error::other)?;
        Ok(TlsConnector::from(Arc::new(config)))
    }
}

fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, OutwardError> {
    let path = path.to_owned();
    let read = CertificateDer::pem_file_iter(&path).and_then(Iterator::collect);
    let certificates: Vec<_> = match read {
        Ok(certificates) => certificates,
        Err(reason) => return Err(OutwardError::Certificates { path, reason }),
    };
    if certificates.is_empty() {
        return Err(OutwardError::NoCertificate { path });
    }
    let mut trusted = RootCertStore::empty();
    for certificate in &certificates {
        if let Err(reason) = trusted.add(certificate.clone()) {
            return Err(OutwardError::Unusable { path, reason });
        }
    }
    Ok(certificates)
}

/// The system's certificates and not a list of our own: whoever runs the machine decides whom it
/// trusts, and a certificate that is withdrawn goes with the system's next update.
fn client_config(own: Vec<CertificateDer<'static>>) -> Result<ClientConfig, rustls::Error> {
    let mut trusted = RootCertStore::empty();
    let system = rustls_native_certs::load_native_certs();
    for error in &system.errors {
        tracing::warn!(%error, "some certificates of the system cannot be read");
    }
    let (added, _) = trusted.add_parsable_certificates(system.certs);
    if added == 0 && own.is_empty() {
        tracing::warn!("the system trusts no certificate; no target with https can be reached");
    }
    // They were tried when the server started.
    trusted.add_parsable_certificates(own);
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(trusted)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

async fn connect_any(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut failed = io::Error::new(io::ErrorKind::NotFound, "there is no address");
    for (nth, address) in addresses.iter().enumerate() {
        let connecting = TcpStream::connect(address);
        let connected = if nth + 1 == addresses.len() {
            // The caller's patience is all there is.
            connecting.await
        } else {
            let in_time = timeout(ADDRESS_WAIT, connecting).await;
            in_time.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
        };
        match connected {
            Ok(stream) => return Ok(stream),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    use super::*;

    /// A listener on loopback that says "hi" to one connection after the other, with TLS.
    async fn greeter(key: &rcgen::CertifiedKey<rcgen::KeyPair>) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let private = key.signing_key.serialize_der().try_into().unwrap();
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![key.cert.der().clone()], private)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                if let Ok(mut stream) = acceptor.accept(stream).await {
                    let _ = stream.write_all(b"hi").await;
                    let _ = stream.shutdown().await;
                }
            }
        });
        address
    }

    #[tokio::test]
    async fn a_certificate_has_to_be_trusted_and_to_name_the_target() {
        let key = rcgen::generate_simple_self_signed(["hook.example".to_owned()]).unwrap();
        let address = greeter(&key).await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, key.cert.pem()).unwrap();
        let trusting = Outward::new(Some(&file)).unwrap();
        let mut stream = trusting
            .open(&[address], Some("hook.example"))
            .await
            .unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).await.unwrap();
        assert_eq!(said, "hi");
        assert!(
            trusting
                .open(&[address], Some("other.example"))
                .await
                .is_err()
        );
        let strict = Outward::new(None).unwrap();
        assert!(strict.open(&[address], Some("hook.example")).await.is_err());
    }

    #[tokio::test]
    async fn of_several_addresses_one_that_answers_is_enough() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let good = listener.local_addr().unwrap();
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let bad = closed.local_addr().unwrap();
        drop(closed);
        let outward = Outward::new(None).unwrap();
        assert!(outward.open(&[bad, good], None).await.is_ok());
        assert!(outward.open(&[bad], None).await.is_err());
        assert!(outward.open(&[], None).await.is_err());
    }

    #[test]
    fn a_file_without_certificates_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        assert!(Outward::new(Some(&file)).is_err());
        std::fs::write(&file, "nothing").unwrap();
        assert!(matches!(
            Outward::new(Some(&file)),
            Err(OutwardError::NoCertificate { .. })
        ));
    }
}
