//! WebSocket frames, byte by byte: what the standard allows is served, and what breaks it ends that
//! connection alone, with the code that the standard has for it.

mod cases;
mod floods;
mod utf8;

use std::io::{Read, Write};
use std::net::TcpStream;

use myim_tests::peer::PATIENCE;
use myim_tests::server::Server;
use serde_json::json;

use crate::bad_inputs::watch::Watch;

/// The close codes for what breaks the standard: its own, and our own.
const PROTOCOL: u16 = 1002;
const OUR_PROTOCOL: u16 = 4003;
/// The close code for text that is no UTF-8.
const NOT_UTF8: u16 = 1007;
/// The close code for what is too large.
const TOO_LARGE: u16 = 1009;

const KEY: [u8; 4] = [0x11, 0x22, 0x33, 0x44];

/// A frame whose first byte and payload are any.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match u16::try_from(payload.len()) {
        Ok(short) if short < 126 => bytes.push(0x80 | u8::try_from(short).unwrap()),
        Ok(medium) => {
            bytes.push(0x80 | 126);
            bytes.extend(medium.to_be_bytes());
        }
        Err(_) => {
            bytes.push(0x80 | 127);
            bytes.extend(u64::try_from(payload.len()).unwrap().to_be_bytes());
        }
    }
    bytes.extend(KEY);
    let masked = payload
        .iter()
        .enumerate()
        .map(|(at, byte)| byte ^ KEY[at % 4]);
    bytes.extend(masked);
    bytes
}

/// Shakes hands and leaves the rest to the test.
fn connect(server: &Server) -> TcpStream {
    let mut stream = TcpStream::connect(server.chat).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = format!(
        "GET /api/v1/ws HTTP/1.1\r\nhost: {}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         sec-websocket-protocol: myim.v1\r\n\r\n",
        server.chat
    );
    stream.write_all(request.as_bytes()).unwrap();
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    assert!(head.starts_with("http/1.1 101"), "{head}");
    // The example of RFC 6455, section 1.3.
    assert!(head.contains("s3pplmbitxaq9kygzzhzrbk+xoo="), "{head}");
    assert!(head.contains("sec-websocket-protocol: myim.v1"), "{head}");
    assert!(
        !head.contains("sec-websocket-extensions"),
        "none was offered: {head}"
    );
    stream
}

/// What the server said until it hung up: the first byte and the payload of each frame.
fn told(stream: &mut TcpStream) -> Vec<(u8, Vec<u8>)> {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Ok(_) => {}
        Err(error) => assert_ne!(error.kind(), std::io::ErrorKind::WouldBlock, "still open"),
    }
    let (mut rest, mut frames) = (bytes.as_slice(), Vec::new());
    while let [first, length, tail @ ..] = rest {
        assert_eq!(length & 0x80, 0, "a server never masks");
        assert_eq!(first & 0xf0, 0x80, "whole frames, and no reserved bits");
        let (length, tail) = match (*length, tail) {
            (126, [high, low, tail @ ..]) => (u16::from_be_bytes([*high, *low]), tail),
            (length, tail) => (u16::from(length), tail),
        };
        let (payload, next) = tail.split_at(usize::from(length));
        frames.push((*first, payload.to_vec()));
        rest = next;
    }
    frames
}

/// The code of a good-bye; a frame without one counts as 1005.
fn code_of(frames: &[(u8, Vec<u8>)]) -> Option<u16> {
    let (_, payload) = frames.iter().find(|(first, _)| *first == CLOSE)?;
    Some(match payload[..] {
        [high, low, ..] => u16::from_be_bytes([high, low]),
        _ => 1005,
    })
}

/// The code of the close frame with which the server ends this; `None` if it just ends.
fn close_code(stream: &mut TcpStream) -> Option<u16> {
    code_of(&told(stream))
}

/// The first bytes of whole frames.
const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;

/// A good-bye with this code.
fn good_bye(code: u16) -> Vec<u8> {
    frame(CLOSE, &code.to_be_bytes())
}

/// The request with which a client says who it is.
fn hello(token: &str) -> Vec<u8> {
    let hello = json!({"id": 1, "op": "hello", "token": token});
    frame(TEXT, hello.to_string().as_bytes())
}

#[test]
fn frames_of_strangers_that_break_the_standard() {
    let server = Server::sqlite();
    let hello = br#"{"id":1,"op":"hello"}"#;
    let mut unmasked = vec![0x81, u8::try_from(hello.len()).unwrap()];
    unmasked.extend(hello);
    let mut huge = vec![0x81, 0x80 | 127];
    huge.extend((1_u64 << 62).to_be_bytes());
    huge.extend(KEY);
    let mut negative = vec![0x81, 0x80 | 127];
    negative.extend(u64::MAX.to_be_bytes());
    negative.extend(KEY);
    let after = |first: Vec<u8>, second: Vec<u8>| [first, second].concat();
    for (what, bytes, code) in [
        ("unmasked", unmasked, PROTOCOL),
        ("RSV1 without an extension", frame(0xc1, hello), PROTOCOL),
        ("RSV2", frame(0xa1, hello), PROTOCOL),
        ("RSV3", frame(0x91, hello), PROTOCOL),
        ("reserved opcode 3", frame(0x83, hello), PROTOCOL),
        ("reserved control opcode 11", frame(0x8b, b""), PROTOCOL),
        ("a fragmented ping", frame(0x09, b"x"), PROTOCOL),
        ("a ping of 126 bytes", frame(0x89, &[b'x'; 126]), PROTOCOL),
        ("a continuation of nothing", frame(0x80, b"x"), PROTOCOL),
        (
            "a text inside a text",
            after(frame(0x01, b"{"), frame(0x81, b"}")),
            PROTOCOL,
        ),
        ("no UTF-8", frame(0x81, b"\"\xff\""), NOT_UTF8),
        ("half a letter", frame(0x81, b"\"\xf0\x9f"), NOT_UTF8),
        ("a close frame of one byte", frame(0x88, b"x"), PROTOCOL),
        (
            "a reserved close code",
            frame(0x88, &1005_u16.to_be_bytes()),
            PROTOCOL,
        ),
        ("close code 0", frame(0x88, &0_u16.to_be_bytes()), PROTOCOL),
        (
            "a reason that is no UTF-8",
            frame(0x88, b"\x03\xe8\xff"),
            NOT_UTF8,
        ),
        ("an enormous frame", huge, TOO_LARGE),
        ("a negative length", negative, TOO_LARGE),
    ] {
        let mut stream = connect(&server);
        stream.write_all(&bytes).unwrap();
        assert_eq!(close_code(&mut stream), Some(code), "{what}");
    }
    // A proper good-bye is answered with the same.
    let mut stream = connect(&server);
    stream
        .write_all(&frame(0x88, &1000_u16.to_be_bytes()))
        .unwrap();
    assert_eq!(close_code(&mut stream), Some(1000));
    let mut stream = connect(&server);
    stream.write_all(&frame(0x88, b"")).unwrap();
    assert_eq!(close_code(&mut stream), Some(1005), "as it was said");
    server.newcomer("ann").connect();
}

/// As [`frame`], with a length of 2 or 8 bytes where one would do.
fn frame_of_length(length: &[u8], payload: &[u8]) -> Vec<u8> {
    let short = frame(0x81, payload);
    [&short[..1], length, &short[2..]].concat()
}

#[test]
fn frames_after_hello() {
    let server = Server::sqlite();
    let mut watch = Watch::new(&server);
    let hello = hello(&server.newcomer("ann").token);
    let ping = br#"{"id":2,"op":"ping"}"#;
    let short = u8::try_from(ping.len()).unwrap();
    let mut rows = vec![
        (
            "51 half a letter in each of two frames",
            [frame(0x01, b"\"\xf0\x9f"), frame(0x80, b"\"")].concat(),
            NOT_UTF8,
        ),
        // Nobody has to wait for the rest of a text that is none.
        (
            "51 no UTF-8 in the first of two frames",
            frame(0x01, b"\"\xff"),
            NOT_UTF8,
        ),
        (
            "50 a close frame in two pieces",
            frame(0x08, &1000_u16.to_be_bytes()),
            PROTOCOL,
        ),
        (
            "52 a length of 2^63",
            frame_of_length(&[&[0xff][..], &(1_u64 << 63).to_be_bytes()].concat(), b""),
            TOO_LARGE,
        ),
        (
            "54 empty pieces of a text",
            [
                frame(0x01, b""),
                frame(0x00, b"").repeat(250_000),
                frame(0x80, b""),
            ]
            .concat(),
            OUR_PROTOCOL,
        ),
    ];
    let codes = [
        0,
        1,
        999,
        1004,
        1005,
        1006,
        1015,
        1016,
        2999,
        5000,
        u16::MAX,
    ];
    rows.extend(codes.map(|code: u16| {
        (
            "55 a close code that is none",
            frame(0x88, &code.to_be_bytes()),
            PROTOCOL,
        )
    }));
    let proper = [1000_u16, 1001, 1003, 1011, 3000, 4999];
    rows.extend(proper.map(|code| ("a proper good-bye", frame(0x88, &code.to_be_bytes()), code)));
    for (what, bytes, code) in rows {
        let mut stream = connect(&server);
        stream.write_all(&hello).unwrap();
        stream.write_all(&bytes).unwrap();
        assert_eq!(close_code(&mut stream), Some(code), "{what}");
        watch.held(what);
    }
    // A length in more bytes than it needs is read as what it says.
    for length in [
        vec![0xfe, 0, short],
        [&[0xff][..], &u64::from(short).to_be_bytes()].concat(),
    ] {
        let mut stream = connect(&server);
        stream.write_all(&hello).unwrap();
        stream.write_all(&frame_of_length(&length, ping)).unwrap();
        stream
            .write_all(&frame(0x88, &1000_u16.to_be_bytes()))
            .unwrap();
        assert_eq!(close_code(&mut stream), Some(1000), "52 a long length");
        watch.held("52 a long length");
    }
}

#[test]
fn handshakes_without_a_key() {
    let server = Server::sqlite();
    let mut watch = Watch::new(&server);
    let (key, version) = ("sec-websocket-key", "sec-websocket-version");
    let good = "dGhlIHNhbXBsZSBub25jZQ==";
    for (what, upgrade, headers, status) in [
        (
            "a proper one",
            "websocket",
            vec![(key, good), (version, "13")],
            "101",
        ),
        ("no key", "websocket", vec![(version, "13")], "400"),
        (
            "an empty key",
            "websocket",
            vec![(key, ""), (version, "13")],
            "400",
        ),
        (
            "a short key",
            "websocket",
            vec![(key, "c2hvcnQ="), (version, "13")],
            "400",
        ),
        (
            "a key that is no Base64",
            "websocket",
            vec![(key, "????????????????????????"), (version, "13")],
            "400",
        ),
        (
            "another version",
            "websocket",
            vec![(key, good), (version, "12")],
            "426",
        ),
        ("no version", "websocket", vec![(key, good)], "426"),
        (
            "another protocol",
            "h2c",
            vec![(key, good), (version, "13")],
            "400",
        ),
    ] {
        let mut stream = TcpStream::connect(server.chat).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let headers: String = headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        let request = format!(
            "GET /api/v1/ws HTTP/1.1\r\nhost: {}\r\nconnection: Upgrade\r\nupgrade: {upgrade}\r\n{headers}\r\n",
            server.chat
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut line = [0; 12];
        stream.read_exact(&mut line).unwrap();
        assert_eq!(std::str::from_utf8(&line[9..]), Ok(status), "45 {what}");
        watch.held(what);
    }
}
