//! TLS from the client's side: a tunnel through which the plain clients of the tests can talk.
//!
//! Believes every certificate, and says which one was shown.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};

#[derive(Debug)]
struct Trusting(CryptoProvider);

impl ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// A TLS connection that asks for these protocols by name.
///
/// # Errors
/// If the handshake fails.
pub async fn connect(address: SocketAddr, alpn: &[&str]) -> std::io::Result<TlsStream<TcpStream>> {
    let provider = aws_lc_rs::default_provider();
    let trusting = Arc::new(Trusting(provider.clone()));
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .expect("the versions are known")
        .dangerous()
        .with_custom_certificate_verifier(trusting)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    let name = ServerName::try_from("localhost").expect("a name");
    let stream = TcpStream::connect(address).await?;
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
}

/// The certificate that the server shows now.
pub fn certificate(address: SocketAddr) -> Vec<u8> {
    let runtime = Runtime::new().expect("a runtime starts");
    let stream = runtime.block_on(connect(address, &[]));
    shown(&stream.expect("TLS is spoken there"))
}

fn shown(stream: &TlsStream<TcpStream>) -> Vec<u8> {
    let chain = stream.get_ref().1.peer_certificates();
    chain.expect("servers show one")[0].to_vec()
}

/// A port of this machine that leads to a server through TLS.
#[derive(Debug)]
pub struct Tunnel {
    pub address: SocketAddr,
    certificates: Arc<Mutex<Vec<Vec<u8>>>>,
    /// Carries the connections; they end with it.
    _runtime: Runtime,
}

impl Tunnel {
    pub fn to(server: SocketAddr) -> Self {
        let runtime = Runtime::new().expect("a runtime starts");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"));
        let listener = listener.expect("a free port");
        let address = listener.local_addr().expect("it listens");
        let certificates = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&certificates);
        runtime.spawn(async move {
            while let Ok((mut plain, _)) = listener.accept().await {
                let seen = Arc::clone(&seen);
                tokio::spawn(async move {
                    // Whoever came this way sees an end.
                    let Ok(mut tls) = connect(server, &[]).await else {
                        return;
                    };
                    seen.lock().expect("nobody panics").push(shown(&tls));
                    // An end is an end, however it came.
                    let _ = copy_bidirectional(&mut plain, &mut tls).await;
                });
            }
        });
        Self {
            address,
            certificates,
            _runtime: runtime,
        }
    }

    /// The certificates of the connections so far.
    pub fn certificates(&self) -> Vec<Vec<u8>> {
        self.certificates.lock().expect("nobody panics").clone()
    }
}
