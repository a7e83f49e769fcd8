//! The cases of Autobahn's fuzzing client that mean something here, as a table: lengths, pings,
//! reserved bits, opcodes, fragments, good-byes, limits. Each says which code ends the connection.
//!
//! Where Autobahn wants an echo, a request is answered: the server echoes nothing.

use std::io::Write;

use myim_tests::server::Server;

use super::{
    BINARY, CLOSE, NOT_UTF8, OUR_PROTOCOL, PING, PONG, PROTOCOL, TEXT, TOO_LARGE, code_of, connect,
    frame, good_bye, hello, told,
};
use crate::bad_inputs::watch::Watch;

/// The longest request of the server.
const REQUEST_BYTES_MAX: usize = 1 << 20;

/// What somebody who said hello sends, and how it ends.
pub(super) struct Case {
    what: String,
    /// The writes of the client.
    writes: Vec<Vec<u8>>,
    /// The request with the number 2 is answered.
    is_answered: bool,
    /// What the last pong says, if there is to be one.
    pong: Option<Vec<u8>>,
    code: u16,
}

impl Case {
    /// Breaks the standard, or ours: this code ends it.
    pub(super) fn fails(what: impl Into<String>, bytes: Vec<u8>, code: u16) -> Self {
        Self {
            what: what.into(),
            writes: vec![bytes],
            is_answered: false,
            pong: None,
            code,
        }
    }

    /// Holds a request with the number 2, which is answered before a good-bye.
    pub(super) fn serves(what: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self {
            is_answered: true,
            writes: vec![bytes, good_bye(1000)],
            ..Self::fails(what, Vec::new(), 1000)
        }
    }

    /// Is allowed, and its last ping is answered with this.
    fn pongs(what: impl Into<String>, bytes: Vec<u8>, pong: &[u8]) -> Self {
        Self {
            pong: Some(pong.to_vec()),
            ..Self::serves(what, [bytes, frame(TEXT, REQUEST)].concat())
        }
    }

    /// Byte by byte.
    fn chopped(mut self) -> Self {
        self.what += ", byte by byte";
        let bytes = self.writes.concat();
        self.writes = bytes.iter().map(|byte| vec![*byte]).collect();
        self
    }

    fn play(&self, server: &Server, hello: &[u8]) {
        let mut stream = connect(server);
        stream.set_nodelay(true).unwrap();
        stream.write_all(hello).unwrap();
        for write in &self.writes {
            // The server may have heard enough.
            if stream.write_all(write).is_err() {
                break;
            }
        }
        let frames = told(&mut stream);
        assert_eq!(code_of(&frames), Some(self.code), "{}", self.what);
        let is_answer = |(first, payload): &(u8, Vec<u8>)| {
            *first == TEXT && String::from_utf8_lossy(payload).contains("\"id\":2")
        };
        let is_answered = frames.iter().any(is_answer);
        assert_eq!(is_answered, self.is_answered, "{}: {frames:?}", self.what);
        let mut pongs = frames.iter().filter(|(first, _)| *first == PONG);
        let last = pongs.next_back().map(|(_, payload)| payload);
        assert_eq!(last, self.pong.as_ref(), "{}: {frames:?}", self.what);
    }
}

/// Plays them one after the other; the server holds, and others are served.
pub(super) fn play(cases: &[Case]) {
    let server = Server::sqlite();
    let mut watch = Watch::new(&server);
    let hello = hello(&server.newcomer("ann").token);
    for case in cases {
        case.play(&server, &hello);
        watch.held(&case.what);
    }
}

/// Something that is answered, and changes nothing.
const REQUEST: &[u8] = br#"{"id":2,"op":"ping"}"#;

/// The same, so many bytes long.
fn request_of(length: usize) -> Vec<u8> {
    let mut request = REQUEST.to_vec();
    request.pop();
    request.resize(length - 1, b' ');
    request.push(b'}');
    request
}

/// A text in pieces of this length, whose first one is a text and whose last one is the end.
fn in_pieces(payload: &[u8], length: usize) -> Vec<u8> {
    let pieces: Vec<_> = payload.chunks(length).collect();
    let frames = pieces.iter().enumerate().map(|(at, piece)| {
        let opcode = if at == 0 { 0x01 } else { 0x00 };
        let fin = if at + 1 == pieces.len() { 0x80 } else { 0x00 };
        frame(opcode | fin, piece)
    });
    frames.flatten().collect()
}

#[test]
fn section_1_lengths() {
    let mut cases = Vec::new();
    for length in [125, 126, 127, 128, 65_535, 65_536] {
        let request = frame(TEXT, &request_of(length));
        cases.push(Case::serves(format!("1.1 {length} bytes"), request));
        let binary = frame(BINARY, &request_of(length));
        let what = format!("1.2 {length} bytes that are no text");
        cases.push(Case::fails(what, binary, OUR_PROTOCOL));
    }
    cases.push(Case::fails("1.1.1 nothing", frame(TEXT, b""), OUR_PROTOCOL));
    cases.push(Case::fails(
        "1.2.1 nothing",
        frame(BINARY, b""),
        OUR_PROTOCOL,
    ));
    cases.push(Case::serves("1.1.8 in pieces", frame(TEXT, &request_of(300))).chopped());
    play(&cases);
}

#[test]
fn section_2_pings() {
    let all = [0xfe, 0xff, 0x00, 0x80].repeat(30);
    let ping = |payload: &[u8]| frame(PING, payload);
    let pong = |payload: &[u8]| frame(PONG, payload);
    let ten: Vec<u8> = (0..10_u8).flat_map(|number| ping(&[number])).collect();
    let answered = |bytes: Vec<u8>| [bytes, frame(TEXT, REQUEST)].concat();
    play(&[
        Case::pongs("2.1 a ping that says nothing", ping(b""), b""),
        Case::pongs("2.2 a ping", ping(b"Hello, world!"), b"Hello, world!"),
        Case::pongs("2.3 a ping with any bytes", ping(&all), &all),
        Case::pongs("2.4 a ping of 125 bytes", ping(&[0xfe; 125]), &[0xfe; 125]),
        Case::fails("2.5 a ping of 126 bytes", ping(&[0xfe; 126]), PROTOCOL),
        Case::pongs("2.6 a ping", ping(&[0xfe; 125]), &[0xfe; 125]).chopped(),
        Case::serves("2.7 a pong that nobody asked for", answered(pong(b""))),
        Case::serves("2.8 one that says something", answered(pong(b"unasked"))),
        Case::pongs(
            "2.9 a pong and a ping",
            [pong(b"unasked"), ping(b"asked")].concat(),
            b"asked",
        ),
        Case::pongs("2.10 ten pings", ten.clone(), &[9]),
        Case::pongs("2.11 ten pings", ten, &[9]).chopped(),
        Case::fails("2.12 a pong of 126 bytes", pong(&[1; 126]), PROTOCOL),
    ]);
}

#[test]
fn section_3_reserved_bits() {
    let mut cases = Vec::new();
    for bits in 1..8_u8 {
        for (what, first, payload) in [
            ("a text", TEXT, REQUEST),
            ("bytes", BINARY, &b"x"[..]),
            ("a ping", PING, b"x"),
            ("a good-bye", CLOSE, b"\x03\xe8"),
        ] {
            let what = format!("3 bits {bits:03b} on {what}");
            let bytes = frame(first | bits << 4, payload);
            cases.push(Case::fails(what, bytes, PROTOCOL));
        }
    }
    cases.push(Case::fails("3.4 bits", frame(TEXT | 0x40, b"x"), PROTOCOL).chopped());
    // What came before them is answered.
    let after = [frame(TEXT, REQUEST), frame(TEXT | 0x20, b"x")].concat();
    cases.push(Case {
        is_answered: true,
        ..Case::fails("3.2 a request, and then bits", after, PROTOCOL)
    });
    play(&cases);
}

#[test]
fn section_4_opcodes() {
    let mut cases = Vec::new();
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15_u8] {
        for (what, payload) in [
            ("nothing", &b""[..]),
            ("something", b"x"),
            ("a request", REQUEST),
        ] {
            let what = format!("4 opcode {opcode} with {what}");
            let bytes = frame(0x80 | opcode, payload);
            cases.push(Case::fails(what, bytes, PROTOCOL));
        }
    }
    play(&cases);
}

#[test]
fn section_5_fragments() {
    let (start, end) = REQUEST.split_at(7);
    let two = |between: &[u8]| [&frame(0x01, start)[..], between, &frame(0x80, end)].concat();
    let all = |frames: &[&[u8]]| frames.concat();
    let piece = |first: u8| frame(first, b"x");
    play(&[
        Case::fails(
            "5.1 a ping in pieces",
            all(&[&piece(0x09), &piece(0x80)]),
            PROTOCOL,
        ),
        Case::fails(
            "5.2 a pong in pieces",
            all(&[&piece(0x0a), &piece(0x80)]),
            PROTOCOL,
        ),
        Case::fails(
            "a good-bye in pieces",
            all(&[&piece(0x08), &piece(0x80)]),
            PROTOCOL,
        ),
        Case::serves("5.3 a text in two pieces", two(b"")),
        Case::serves("5.5 a text in two pieces", two(b"")).chopped(),
        Case {
            pong: Some(b"between".to_vec()),
            ..Case::serves("5.6 with a ping between", two(&frame(PING, b"between")))
        },
        Case {
            pong: Some(b"between".to_vec()),
            ..Case::serves("5.8 with a ping between", two(&frame(PING, b"between"))).chopped()
        },
        Case::serves("with a pong between", two(&frame(PONG, b"between"))),
        Case::serves(
            "with empty pieces between",
            two(&frame(0x00, b"").repeat(100)),
        ),
        Case::fails("5.9 the end of nothing", piece(0x80), PROTOCOL),
        Case::fails("5.12 a piece of nothing", piece(0x00), PROTOCOL),
        Case::fails("5.12 a piece of nothing", piece(0x00), PROTOCOL).chopped(),
        Case {
            is_answered: true,
            ..Case::fails(
                "5.15 the end of what has ended",
                all(&[&two(b""), &piece(0x80)]),
                PROTOCOL,
            )
        },
        Case::fails(
            "5.18 a text in a text",
            all(&[&piece(0x01), &piece(TEXT)]),
            PROTOCOL,
        ),
        Case::fails(
            "bytes in a text",
            all(&[&piece(0x01), &piece(BINARY)]),
            PROTOCOL,
        ),
        Case::fails(
            "bytes in two pieces",
            all(&[&piece(0x02), &piece(0x80)]),
            OUR_PROTOCOL,
        ),
        Case {
            pong: Some(b"2".to_vec()),
            ..Case::serves(
                "5.19 five pieces and two pings",
                all(&[
                    &frame(0x01, &REQUEST[..4]),
                    &frame(0x00, &REQUEST[4..8]),
                    &frame(PING, b"1"),
                    &frame(0x00, &REQUEST[8..12]),
                    &frame(0x00, &REQUEST[12..16]),
                    &frame(PING, b"2"),
                    &frame(0x80, &REQUEST[16..]),
                ]),
            )
        },
    ]);
}

#[test]
fn section_7_good_byes() {
    let reason = |length: usize| [&b"\x03\xe8"[..], &vec![b'*'; length]].concat();
    let ends = |what: &str, bytes: Vec<u8>, code| Case::fails(what, bytes, code);
    let bye = good_bye(1000);
    let mut cases = vec![
        Case::serves("7.1.1 a request and a good-bye", frame(TEXT, REQUEST)),
        ends("7.1.2 two good-byes", bye.repeat(2), 1000),
        ends(
            "7.1.3 a ping afterwards",
            [bye.clone(), frame(PING, b"x")].concat(),
            1000,
        ),
        ends(
            "7.1.4 a request afterwards",
            [bye.clone(), frame(TEXT, REQUEST)].concat(),
            1000,
        ),
        ends(
            "7.1.5 in the middle of a text",
            [frame(0x01, b"x"), bye].concat(),
            1000,
        ),
        ends(
            "7.1.6 256 KiB afterwards",
            [good_bye(1000), frame(TEXT, &request_of(256 << 10))].concat(),
            1000,
        ),
        ends("7.3.1 one that says nothing", frame(CLOSE, b""), 1005),
        ends("7.3.2 half a code", frame(CLOSE, b"x"), PROTOCOL),
        ends("7.3.3 a code", frame(CLOSE, &reason(0)), 1000),
        ends("7.3.4 a reason", frame(CLOSE, &reason(4)), 1000),
        ends(
            "7.3.5 a reason of 123 bytes",
            frame(CLOSE, &reason(123)),
            1000,
        ),
        ends(
            "7.3.6 a reason of 124 bytes",
            frame(CLOSE, &reason(124)),
            PROTOCOL,
        ),
        ends(
            "7.5.1 a reason that is no text",
            frame(
                CLOSE,
                b"\x03\xe8\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited",
            ),
            NOT_UTF8,
        ),
        Case::fails(
            "7.3.5 a reason of 123 bytes",
            frame(CLOSE, &reason(123)),
            1000,
        )
        .chopped(),
    ];
    let proper = [
        1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 3000, 3999, 4000, 4999,
    ];
    cases.extend(proper.map(|code| ends(&format!("7.7 code {code}"), good_bye(code), code)));
    let wrong = [
        0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 9999, 65_535,
    ];
    cases.extend(wrong.map(|code| ends(&format!("7.9 code {code}"), good_bye(code), PROTOCOL)));
    play(&cases);
}

#[test]
fn sections_9_and_10_limits() {
    let longest = request_of(REQUEST_BYTES_MAX);
    let longer = request_of(REQUEST_BYTES_MAX + 1);
    let length = |length: u64| [&[TEXT, 0xff][..], &length.to_be_bytes(), &[0; 4]].concat();
    play(&[
        Case::serves("9.1 a request of 1 MiB", frame(TEXT, &longest)),
        Case::fails("9.1 a byte more", frame(TEXT, &longer), TOO_LARGE),
        Case::serves("9.3 in pieces of 64 KiB", in_pieces(&longest, 64 << 10)),
        Case::fails(
            "9.3 a byte more in pieces",
            in_pieces(&longer, 64 << 10),
            TOO_LARGE,
        ),
        Case::serves("9.5 in pieces of a KiB", in_pieces(&longest, 1 << 10)),
        Case::serves(
            "10.1 64 KiB in pieces of 1,300 bytes",
            in_pieces(&request_of(1 << 16), 1_300),
        ),
        Case::serves(
            "a request in pieces of a byte",
            in_pieces(&request_of(4_096), 1),
        ),
        // Nobody waits for what was announced.
        Case::fails("2^31 bytes announced", length(1 << 31), TOO_LARGE),
        Case::fails("2^62 bytes announced", length(1 << 62), TOO_LARGE),
        Case::fails("2^63 bytes announced", length(1 << 63), TOO_LARGE),
        Case::fails("2^64 - 1 bytes announced", length(u64::MAX), TOO_LARGE),
    ]);
}
