//! One port, several protocols, told apart by their first bytes.

use std::io::{Read, Write};
use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::{Request, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use myim_tests::http::{self, answer, connect, request};
use myim_tests::peer::PATIENCE;
use myim_tests::person::Person;
use myim_tests::server::{Db, Kind, Server, Setup};
use myim_tests::tls;
use myim_tests::transfer::{Transfer, content};
use myim_tests::wire::Flavor;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

tests! {
    sqlite: every_protocol_on_the_chat_port, http_in_odd_pieces, transfer_ports_know_http;
    mariadb: every_protocol_on_the_chat_port, transfer_ports_know_http,
}

/// One request over HTTP/2 without any introduction, and its status and kind of body.
async fn http2<Io>(io: Io) -> (StatusCode, String)
where
    Io: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(io))
            .await
            .unwrap();
    tokio::spawn(connection);
    let request = Request::get("http://localhost/no-such-thing")
        .body(Empty::<Bytes>::new())
        .unwrap();
    let response = sender.send_request(request).await.unwrap();
    let kind = response.headers()["content-type"]
        .to_str()
        .unwrap()
        .to_owned();
    let status = response.status();
    response.into_body().collect().await.unwrap();
    (status, kind)
}

fn every_protocol_on_the_chat_port(server: &mut Server) {
    server.register("ann");
    let mut ann = server.login("ann", Flavor::Pc);

    let nothing = http::get(server.chat, "/no-such-thing");
    assert_eq!(nothing.status, 404, "{nothing:?}");
    assert!(
        nothing.head.contains("application/problem+json"),
        "{nothing:?}"
    );
    assert_eq!(nothing.json()["status"], 404);

    let runtime = Runtime::new().unwrap();
    let (status, kind) =
        runtime.block_on(async { http2(TcpStream::connect(server.chat).await.unwrap()).await });
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(kind, "application/problem+json");
    ann.silent();
}

fn http_in_odd_pieces(server: &mut Server) {
    let mut stream = connect(server.chat);
    stream.write_all(b"G").unwrap();
    // A whole conversation of somebody else's passes in between.
    server.register("ann");
    let mut ann = server.login("ann", Flavor::Android);
    ann.silent();
    let rest = &request("/no-such-thing")[1..];
    stream.write_all(&rest.as_bytes()[..3]).unwrap();
    ann.silent();
    for byte in &rest.as_bytes()[3..] {
        stream.write_all(&[*byte]).unwrap();
    }
    assert_eq!(answer(stream).status, 404);
}

fn transfer_ports_know_http(server: &mut Server) {
    for address in [server.file, server.image] {
        let refused = http::get(address, "/");
        assert_eq!(refused.status, 404, "{refused:?}");
        assert!(
            refused.head.contains("application/problem+json"),
            "{refused:?}"
        );
        // A size whose first byte is a capital letter, or what TLS begins with.
        let mut peer = Transfer::connect(address, Flavor::Pc);
        let bytes = content(100_000, 3);
        let name = peer.upload(&bytes);
        assert_eq!(peer.download(&name).unwrap(), bytes);
    }
}

#[test]
fn flamingo_in_single_bytes() {
    let server = Server::sqlite();
    server.register("ann");
    let mut peer = server.peer(Flavor::Pc);
    let heartbeat = myim_tests::wire::Fields::chat(1000, 7, "").packed(Flavor::Pc);
    for byte in heartbeat {
        peer.send_raw(&[byte]);
    }
    assert_eq!(peer.next_packet().seq, 7);
    let name = "ann";
    Person::login(peer, name, &myim_tests::person::password(name));
}

#[test]
fn who_says_nothing_or_stops_in_the_middle_is_closed() {
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .chat_flag("--first-bytes-timeout-s", "1")
        .chat_flag("--tls-self-signed=true", "--require-tls=false")
        .start();
    // Nothing, and the beginning of a TLS client hello.
    for said in [&b""[..], &[0x16, 3, 1, 2]] {
        let mut stream = connect(server.chat);
        stream.write_all(said).unwrap();
        let end = stream.read(&mut [0; 16]);
        assert!(matches!(end, Ok(0) | Err(_)), "{said:?} {end:?}");
    }
    assert!(server.program().logs_within("nothing was sent", PATIENCE));
    server.peer(Flavor::Pc).silent();
}

#[test]
fn a_request_that_never_ends_is_closed() {
    let server = Server::sqlite();
    let mut streams: Vec<_> = ["P", "GET / HTTP/1.1\r\nHost: loc"]
        .iter()
        .map(|said| {
            let mut stream = connect(server.chat);
            stream.write_all(said.as_bytes()).unwrap();
            stream
                .set_read_timeout(Some(Duration::from_secs(30)))
                .unwrap();
            stream
        })
        .collect();
    for stream in &mut streams {
        let mut heard = Vec::new();
        // A reset is an end too; no end would be a timeout.
        if let Err(error) = stream.read_to_end(&mut heard) {
            assert_ne!(error.kind(), std::io::ErrorKind::WouldBlock);
        }
    }
}

#[test]
fn http_inside_of_tls_with_and_without_a_name() {
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .chat_flag("--tls-self-signed=true", "--require-tls=true")
        .start();
    let runtime = Runtime::new().unwrap();
    for names in [&["h2"][..], &["h2", "http/1.1"], &[]] {
        let (status, _) = runtime.block_on(async {
            let stream = tls::connect(server.chat, names).await.unwrap();
            http2(stream).await
        });
        assert_eq!(status, StatusCode::NOT_FOUND, "{names:?}");
    }
    let tunnel = tls::Tunnel::to(server.chat);
    assert_eq!(http::get(tunnel.address, "/no-such-thing").status, 404);
}

#[test]
fn heads_have_limits() {
    let server = Server::sqlite();
    let many: String = (0..200).map(|n| format!("X-{n}: y\r\n")).collect();
    let large = format!("X: {}\r\n", "y".repeat(200_000));
    for headers in [many, large] {
        let mut stream = connect(server.chat);
        let head = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
        // The server may have heard enough before the end.
        let _ = stream.write_all(head.as_bytes());
        let mut heard = Vec::new();
        let _ = stream.read_to_end(&mut heard);
        let heard = String::from_utf8_lossy(&heard);
        assert!(
            heard.is_empty() || heard.starts_with("HTTP/1.1 431"),
            "{heard}"
        );
    }
    server.peer(Flavor::Pc).silent();
}
