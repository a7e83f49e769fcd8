//! Tests of TLS and of the reception, over loopback.

use std::sync::Arc;

use bytes::BytesMut;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client;
use tokio_util::task::TaskTracker;

use super::super::{Connection, ConnectionLimits, Language, Listener, Port, Reception, Security};
use super::*;

const LONG: Duration = Duration::from_secs(10);

/// Believes everything: the tests compare certificates themselves.
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
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

fn write_pair(folder: &TempDir) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    fs::write(folder.path().join("cert.pem"), made.cert.pem()).unwrap();
    fs::write(
        folder.path().join("key.pem"),
        made.signing_key.serialize_pem(),
    )
    .unwrap();
}

fn load(folder: &TempDir) -> Result<TlsKeys, TlsError> {
    TlsKeys::load(
        &folder.path().join("cert.pem"),
        &folder.path().join("key.pem"),
    )
}

/// A port whose received connections come out of a channel.
struct Running {
    address: std::net::SocketAddr,
    received: mpsc::Receiver<Option<(Language, Connection)>>,
}

fn start(port: Port, security: &Security, first_bytes: Duration) -> Running {
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = listener.secured(security);
    let address = listener.local_addr();
    let reception = Arc::new(Reception::new(port, listener.security(), first_bytes));
    let (give, received) = mpsc::channel(16);
    tokio::spawn(async move {
        let shutdown = CancellationToken::new();
        let limits = ConnectionLimits::default();
        super::super::serve(
            listener,
            limits,
            shutdown.clone(),
            &TaskTracker::new(),
            |connection| {
                let (reception, give, shutdown) =
                    (Arc::clone(&reception), give.clone(), shutdown.clone());
                async move {
                    let received = reception.receive(connection, &shutdown).await;
                    give.send(received).await.unwrap();
                }
            },
        )
        .await;
    });
    Running { address, received }
}

impl Running {
    async fn next(&mut self) -> Option<(Language, Connection)> {
        timeout(LONG, self.received.recv()).await.unwrap().unwrap()
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn connect_tls(&self, alpn: &[&[u8]]) -> client::TlsStream<TcpStream> {
        let provider = aws_lc_rs::default_provider();
        let trusting = Arc::new(Trusting(provider.clone()));
        let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(trusting)
            .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        let name = ServerName::try_from("localhost").unwrap();
        let stream = self.connect().await;
        TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await
            .unwrap()
    }
}

fn certificate(stream: &client::TlsStream<TcpStream>) -> Vec<u8> {
    let chain = stream.get_ref().1.peer_certificates().unwrap();
    chain[0].to_vec()
}

#[tokio::test]
async fn a_replaced_certificate_is_for_new_connections_and_old_ones_go_on() {
    let folder = TempDir::new().unwrap();
    write_pair(&folder);
    let keys = Arc::new(load(&folder).unwrap());
    let security = Security {
        keys: Some(Arc::clone(&keys)),
        require_tls: false,
    };
    let mut running = start(Port::Chat, &security, LONG);
    let mut old = running.connect_tls(&[]).await;
    let first = certificate(&old);

    write_pair(&folder);
    keys.reload().unwrap();
    let new = running.connect_tls(&[]).await;
    assert_ne!(certificate(&new), first);

    // A key that belongs to nothing: the certificate stays.
    fs::write(folder.path().join("key.pem"), "nonsense").unwrap();
    assert!(matches!(keys.reload(), Err(TlsError::Key { .. })));
    assert_eq!(
        certificate(&running.connect_tls(&[]).await),
        certificate(&new)
    );

    old.write_all(b"\x00hello").await.unwrap();
    // Those that only looked at the certificate have left.
    let (language, mut connection) = loop {
        if let Some(received) = running.next().await {
            break received;
        }
    };
    assert_eq!(language, Language::Flamingo);
    assert!(connection.socket.is_tls());
    let mut heard = BytesMut::new();
    while heard.len() < 6 {
        connection.socket.read(&mut heard, 3).await.unwrap();
    }
    assert_eq!(&heard[..], b"\x00hello");
    connection.socket.write_all(b"welcome", LONG).await.unwrap();
    let mut answer = [0; 7];
    old.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"welcome");
}

#[tokio::test]
async fn a_key_of_another_certificate_is_refused() {
    let folder = TempDir::new().unwrap();
    write_pair(&folder);
    let certificate = fs::read(folder.path().join("cert.pem")).unwrap();
    write_pair(&folder);
    fs::write(folder.path().join("cert.pem"), certificate).unwrap();
    assert!(matches!(load(&folder), Err(TlsError::Pair { .. })));
    fs::write(folder.path().join("cert.pem"), "").unwrap();
    assert!(matches!(load(&folder), Err(TlsError::NoCertificate { .. })));
}

#[tokio::test]
async fn the_name_of_the_protocol_decides_before_the_first_byte() {
    let folder = TempDir::new().unwrap();
    write_pair(&folder);
    let security = Security {
        keys: Some(Arc::new(load(&folder).unwrap())),
        require_tls: true,
    };
    let mut running = start(Port::Chat, &security, LONG);
    for names in [
        &[b"h2".as_slice()][..],
        &[b"http/1.1"],
        &[b"h2", b"http/1.1"],
    ] {
        let _client = running.connect_tls(names).await;
        assert_eq!(running.next().await.unwrap().0, Language::Http);
    }
    let mut unnamed = running.connect_tls(&[]).await;
    unnamed.write_all(b"GET /").await.unwrap();
    assert_eq!(running.next().await.unwrap().0, Language::Http);
}

#[tokio::test]
async fn odd_pieces_do_not_change_what_is_spoken() {
    for (port, pieces, expected) in [
        (Port::Chat, &["G", "ET / HTTP/1.1"][..], Language::Http),
        (Port::Transfer, &["G", "ET", " ", "/"], Language::Http),
        (
            Port::Transfer,
            &["P\x01", "\0\0", "\0\0\0", "\0"],
            Language::Flamingo,
        ),
        (Port::Chat, &["\x01"], Language::Flamingo),
    ] {
        let mut running = start(port, &Security::default(), LONG);
        let mut client = running.connect().await;
        client.set_nodelay(true).unwrap();
        for piece in pieces {
            if port == Port::Transfer {
                let early = running.received.try_recv();
                assert!(early.is_err(), "decided too early: {pieces:?}");
            }
            client.write_all(piece.as_bytes()).await.unwrap();
            tokio::task::yield_now().await;
        }
        let (language, mut connection) = running.next().await.unwrap();
        assert_eq!(language, expected, "{pieces:?}");
        // Nothing of it is lost.
        client.shutdown().await.unwrap();
        let mut heard = BytesMut::new();
        while connection.socket.read(&mut heard, 100).await.unwrap() > 0 {}
        assert_eq!(&heard[..], pieces.concat().as_bytes());
    }
}

#[tokio::test]
async fn who_says_nothing_is_closed_and_so_is_who_stops_in_the_middle() {
    let folder = TempDir::new().unwrap();
    write_pair(&folder);
    let security = Security {
        keys: Some(Arc::new(load(&folder).unwrap())),
        require_tls: false,
    };
    for (port, said) in [
        (Port::Chat, &b""[..]),
        (Port::Chat, &[0x16, 3, 1]),
        (Port::Transfer, b"GET"),
    ] {
        let mut running = start(port, &security, Duration::from_millis(100));
        let mut client = running.connect().await;
        client.write_all(said).await.unwrap();
        assert!(running.next().await.is_none(), "{said:?}");
        let end = timeout(LONG, client.read(&mut [0; 1])).await.unwrap();
        assert!(matches!(end, Ok(0) | Err(_)), "{said:?}");
    }
}

#[tokio::test]
async fn who_leaves_is_noticed_at_once() {
    for (port, said, expected) in [
        (Port::Chat, "", None),
        (Port::Transfer, "", Some(Language::Flamingo)),
        (Port::Transfer, "GET", Some(Language::Flamingo)),
    ] {
        let mut running = start(port, &Security::default(), LONG * 10);
        let mut client = running.connect().await;
        client.write_all(said.as_bytes()).await.unwrap();
        client.shutdown().await.unwrap();
        let received = running.next().await.map(|(language, _)| language);
        assert_eq!(received, expected, "{said:?}");
    }
}

#[tokio::test]
async fn without_a_certificate_tls_is_refused() {
    let mut running = start(Port::Chat, &Security::default(), LONG);
    let mut client = running.connect().await;
    client.write_all(&[0x16, 3, 1, 0, 5]).await.unwrap();
    assert!(running.next().await.is_none());
}

#[tokio::test]
async fn a_peer_that_never_reads_stalls_the_writer_with_tls_too() {
    let folder = TempDir::new().unwrap();
    write_pair(&folder);
    let security = Security {
        keys: Some(Arc::new(load(&folder).unwrap())),
        require_tls: false,
    };
    let mut running = start(Port::Chat, &security, LONG);
    let mut client = running.connect_tls(&[]).await;
    client.write_all(b"\0").await.unwrap();
    let (_, mut connection) = running.next().await.unwrap();
    let much = vec![7; 32 * 1024 * 1024];
    let stalled = connection
        .socket
        .write_all(&much, Duration::from_millis(200))
        .await;
    assert_eq!(stalled.unwrap_err().kind(), io::ErrorKind::TimedOut);
    connection.socket.close().await;

    let mut client = running.connect_tls(&[]).await;
    client.write_all(b"\0").await.unwrap();
    let (_, mut connection) = running.next().await.unwrap();
    let reader = tokio::spawn(async move {
        let mut heard = Vec::new();
        client.read_to_end(&mut heard).await.unwrap();
        heard.len()
    });
    connection.socket.write_all(&much, LONG).await.unwrap();
    connection.socket.close().await;
    assert_eq!(reader.await.unwrap(), much.len());
}
