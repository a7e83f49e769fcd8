//! What the chat frame must keep: the specification's bytes, and every limit.

use proptest::prelude::*;

use super::*;
use crate::wire::command;
use crate::wire::stream::Writer;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn encoded(packet: &Packet, encoding: Encoding) -> Vec<u8> {
    let mut out = Vec::new();
    encode(packet, encoding, &mut out).unwrap();
    out
}

fn decode_all(bytes: &[u8]) -> Result<Vec<Packet>, FrameError> {
    let mut buffer = BytesMut::from(bytes);
    let mut packets = Vec::new();
    while let Some(packet) = Decoder::default().decode(&mut buffer)? {
        packets.push(packet);
    }
    Ok(packets)
}

fn decode_one(bytes: &[u8]) -> Packet {
    let mut packets = decode_all(bytes).unwrap();
    assert_eq!(packets.len(), 1);
    packets.remove(0)
}

/// A frame with any header in front of any body.
fn frame(flag: u8, origin: i32, compress: i32, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put_header(&mut out, flag, origin.to_le_bytes(), compress.to_le_bytes());
    out.extend_from_slice(body);
    out
}

fn zlib(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut compress = Compress::new(Compression::default(), true);
    deflate(&mut compress, body, FlushCompress::Finish, &mut out);
    out
}

fn bomb(wire: &[u8], origin: usize) -> Vec<u8> {
    let origin = i32::try_from(origin).unwrap();
    frame(1, origin, i32::try_from(wire.len()).unwrap(), wire)
}

#[test]
fn heartbeats_of_the_specification() {
    let heartbeat = Packet::new(command::HEARTBEAT, 0, "");
    let body = hex("0000000f0000 000003e8 00000000 00");
    let zeros = "00".repeat(16);
    let as_written = hex(&format!("00 0f000000 00000000 {zeros}"));
    assert_eq!(decode_one(&[as_written, body.clone()].concat()), heartbeat);

    let compressed = hex(&format!(
        "01 0f000000 13000000 {zeros} 789c636060e0670002e6172092010006 4800fb"
    ));
    assert_eq!(decode_one(&compressed), heartbeat);
    assert_eq!(decode_one(&encoded(&heartbeat, Encoding::Zlib)), heartbeat);

    let plain = hex(&format!("00 0f000000 0f000000 {zeros}"));
    assert_eq!(encoded(&heartbeat, Encoding::Plain), [plain, body].concat());
    let android = hex(&format!(
        "00 0f000000 00000000 {zeros} 00000009 0000 000003e8 00000000 00"
    ));
    assert_eq!(encoded(&heartbeat, Encoding::Android), android);
    assert_eq!(decode_one(&android), heartbeat);
}

#[test]
fn logins_of_the_specification() {
    let json = r#"{"username": "13800000000", "password": "123", "clienttype": 1, "status": 1}"#;
    let login = Packet::new(command::LOGIN, 0, json);
    let zeros = "00".repeat(16);
    let pc = hex(&format!(
        "01 5b000000 4f000000 {zeros}
        78 9c 63 60 60 88 66 00 02 e6 57 20 d2 a7 5a a9 b4 38 b5 28 2f 31
        37 55 c9 4a 41 c9 d0 d8 c2 00 0a 94 74 14 94 0a 12 8b 8b cb f3 8b 52 c0 52 46 c6 20 a1 e4
        9c cc d4 bc 92 92 ca 02 90 7a 43 a0 40 71 49 62 49 69 31 88 53 0b 00 bb 5d 17 3d"
    ));
    assert_eq!(decode_one(&pc), login);

    let plain = encoded(&login, Encoding::Plain);
    assert_eq!(plain[25..40], hex("0000005b 0000 000003ea 00000000 4c")[..]);
    assert_eq!(&plain[40..], json.as_bytes());

    let json = r#"{"username": "13800000000", "password": "123", "clienttype": 2, "status": 3}"#;
    let android = encoded(&Packet::new(command::LOGIN, 0, json), Encoding::Android);
    let head = hex(&format!(
        "00 5b000000 00000000 {zeros} 00000055 0000 000003ea 00000000 4c"
    ));
    assert_eq!(android, [&head, json.as_bytes()].concat());
    assert_eq!(android.len(), 116);
}

#[test]
fn bodies_of_the_specification() {
    let id = |number: i32| Writer::new().i32(number).fields();
    let check = |packet: Packet, head: &str, data: &str, tail: &str| {
        let body = [hex(head), data.into(), hex(tail)].concat();
        let size = i32::try_from(body.len()).unwrap();
        assert_eq!(
            encoded(&packet, Encoding::Plain),
            frame(0, size, size, &body)
        );
        assert_eq!(decode_one(&frame(0, size, 0, &body)), packet);
        assert_eq!(packet.body_bytes(), body.len());
    };
    let data = r#"{"code": 103, "msg": "incorrect password"}"#;
    let reply = Packet::new(command::LOGIN, 0, data);
    check(reply, "00000039 0000 000003ea 00000000 2a", data, "");

    let data = r#"{"msgType":1,"time":1700000000,"clientType":1,"content":[{"msgText":"hi"}]}"#;
    let chat = Packet::new(command::CHAT, 7, data).with_trailing(id(2));
    check(chat, "0000005e 0000 0000044c 00000007 4b", data, "00000002");

    let data = r#"{"clientType":1,"content":[{"msgText":"hi"}],"msgType":1,"time":1700000001}"#;
    let from_to = Writer::new().i32(1).i32(2).fields();
    let push = Packet::new(command::CHAT, 7, data).with_trailing(from_to);
    check(
        push,
        "00000062 0000 0000044c 00000007 4b",
        data,
        "00000001 00000002",
    );

    let data = r#"{ "type": 1, "onlinestatus": 1, "clienttype": 1}"#;
    let presence = Packet::new(command::USER_STATUS, 5, data).with_trailing(id(1));
    check(
        presence,
        "00000043 0000 000003ee 00000005 30",
        data,
        "00000001",
    );

    let fields = Writer::new().i32(2).bytes(b"Bob").fields();
    let mark = Packet::new(command::SET_MARK, 9, "").with_trailing(fields);
    check(
        mark,
        "00000017 0000 00000451 00000009 00",
        "",
        "00000002 03426f62",
    );

    let targets = Writer::new().bytes(br#"{"targets":[2,3]}"#).fields();
    let multi = Packet::new(command::MULTI_CHAT, 9, "{}").with_trailing(targets);
    let tail = "11 7b2274617267657473223a5b322c335d7d";
    check(multi, "00000023 0000 0000044d 00000009 02", "{}", tail);
}

#[test]
fn a_header_is_judged_before_its_body_arrives() {
    for (flag, origin, compress, error) in [
        (0, 0, 0, FrameError::OriginSize(0)),
        (0, -1, 0, FrameError::OriginSize(-1)),
        (0, 10_485_761, 0, FrameError::OriginSize(10_485_761)),
        (1, 0, 5, FrameError::OriginSize(0)),
        (1, 100, 0, FrameError::CompressSize(0)),
        (1, 100, -7, FrameError::CompressSize(-7)),
        (1, 100, 10_485_761, FrameError::CompressSize(10_485_761)),
    ] {
        assert_eq!(decode_all(&frame(flag, origin, compress, b"")), Err(error));
    }
    for (flag, origin, compress) in [(0, 10_485_760, -9), (1, 10_485_760, 10_485_760), (9, 1, 0)] {
        assert_eq!(decode_all(&frame(flag, origin, compress, b"")), Ok(vec![]));
    }
}

#[test]
fn strangers_have_a_smaller_limit() {
    let limits = Limits {
        inflated_max: 64 * 1024,
        ..Limits::default()
    };
    let decode = |bytes: &[u8], max| {
        let mut decoder = Decoder::new(limits);
        decoder.set_inflated_max(max);
        decoder.decode(&mut BytesMut::from(bytes))
    };
    let small = 64 * 1024;
    // A header may announce what it wants; what counts is how much comes.
    let come = vec![0; small + ZLIB_GROWTH_BYTES_MAX + 1];
    for flag in [0, 1] {
        let announced = frame(flag, 200_000, 200_000, b"");
        assert_eq!(decode(&announced, small), Ok(None));
        let some = frame(flag, 200_000, 200_000, &come[1..]);
        assert_eq!(decode(&some, small), Ok(None));
        let too_much = frame(flag, 200_000, 200_000, &come);
        assert_eq!(decode(&too_much, small), Err(FrameError::TooMuch(200_000)));
        assert_eq!(decode(&too_much, BODY_BYTES_MAX), Ok(None));
    }

    let packet = Packet::new(command::CHAT, 1, vec![b'x'; 65_537]);
    let bytes = encoded(&packet, Encoding::Zlib);
    assert_eq!(decode(&bytes, small), Err(FrameError::InflatedTooLarge));
    assert_eq!(decode(&bytes, BODY_BYTES_MAX), Ok(Some(packet)));
}

#[test]
fn inflating_stops_where_it_was_announced() {
    let body = encoded(&Packet::new(1000, 0, "abc"), Encoding::Plain)[25..].to_vec();
    let wire = zlib(&body);
    let expected = Packet::new(1000, 0, "abc");
    assert_eq!(decode_one(&bomb(&wire, body.len())), expected);
    assert_eq!(decode_one(&bomb(&wire, body.len() + 1000)), expected);
    let short = decode_all(&bomb(&wire, body.len() - 1));
    assert_eq!(short, Err(FrameError::InflatedTooLarge));
    let garbage_after = [&wire[..], b"garbage"].concat();
    assert_eq!(decode_one(&bomb(&garbage_after, body.len())), expected);

    let cut = decode_all(&bomb(&wire[..wire.len() - 1], 1000));
    assert_eq!(cut, Err(FrameError::Inflate));
    assert_eq!(
        decode_all(&bomb(&[0xff; 10], 100)),
        Err(FrameError::Inflate)
    );
    let mut sum_wrong = wire.clone();
    *sum_wrong.last_mut().unwrap() ^= 1;
    assert_eq!(decode_all(&bomb(&sum_wrong, 100)), Err(FrameError::Inflate));
}

#[test]
fn bombs_are_stopped() {
    let wire = zlib(&vec![0; 50 * 1024 * 1024]);
    assert!(wire.len() < 60_000);
    for origin in [1, 100, 65_536, BODY_BYTES_MAX] {
        let stopped = decode_all(&bomb(&wire, origin));
        assert_eq!(stopped, Err(FrameError::InflatedTooLarge), "{origin}");
    }
    // A body of nothing but zeros inflates within the limit and is a packet of command 0.
    let wire = zlib(&vec![0; BODY_BYTES_MAX]);
    let zeros = decode_one(&bomb(&wire, BODY_BYTES_MAX));
    assert_eq!((zeros.command, zeros.data.len()), (0, 0));
}

#[test]
fn a_whole_frame_with_half_a_body() {
    for (body, error) in [
        ("00000000", BodyError::Prefix),
        ("0000000a0000 000003", BodyError::Command),
        ("0000000a0000 000003e8 0000", BodyError::Seq),
        (
            "0000000e0000 000003e8 00000001",
            BodyError::Data(Malformed::Truncated),
        ),
        (
            "000000120000 000003e8 00000001 7f616263",
            BodyError::Data(Malformed::StringPastEnd),
        ),
    ] {
        let body = hex(body);
        let bytes = frame(0, i32::try_from(body.len()).unwrap(), 0, &body);
        assert_eq!(decode_all(&bytes), Err(FrameError::Body(error)));
        assert!(error.reason().starts_with("body_"));
    }
    let three = frame(0, 3, 0, &[0; 3]);
    assert_eq!(decode_all(&three), Err(BodyError::Prefix.into()));
}

#[test]
fn too_large_is_refused_and_leaves_nothing_behind() {
    let mut out = b"before".to_vec();
    let packet = |bytes: usize| Packet::new(command::CHAT, 1, vec![0; bytes]);
    let most = BODY_BYTES_MAX - 1 - (packet(BODY_BYTES_MAX).body_bytes() - BODY_BYTES_MAX);
    for encoding in [Encoding::Zlib, Encoding::Plain, Encoding::Android] {
        let refused = encode(&packet(most + 1), encoding, &mut out);
        assert_eq!(
            refused,
            Err(TooLarge {
                bytes: BODY_BYTES_MAX
            })
        );
        assert_eq!(out, b"before");
    }
    encode(&packet(most), Encoding::Plain, &mut out).unwrap();
    assert_eq!(decode_one(&out[6..]).data.len(), most);
}

#[test]
fn plain_below_a_size() {
    let packet = Packet::new(command::CHAT, 1, vec![b'x'; 100]);
    let size = packet.body_bytes();
    assert_eq!(encoded(&packet, Encoding::PlainBelow(size + 1))[0], 0);
    assert_eq!(encoded(&packet, Encoding::PlainBelow(size))[0], 1);
}

#[test]
fn data_to_the_end_heals_a_short_prefix() {
    let json = r#"{"nickname": "阿里"}"#;
    let units = json.encode_utf16().count();
    let (data, trailing) = json.as_bytes().split_at(units);
    let packet = Packet::new(command::REGISTER, 0, data.to_vec()).with_trailing(trailing.to_vec());
    let packet = decode_one(&encoded(&packet, Encoding::Android));
    assert_eq!(packet.data_to_end(), json.as_bytes());
}

/// Each length near a byte boundary, where Android's arithmetic goes wrong.
#[test]
fn android_headers_are_recovered_at_every_length() {
    let edges = [
        0x80, 0x100, 0x7f00, 0x8000, 0x8080, 0xff00, 0x1_0000, 0x1_8000, 0x2_0000,
    ];
    for edge in edges.into_iter().chain([1_000_000, 9_000_000]) {
        for length in edge - 30..edge + 30 {
            let packet = Packet::new(command::CHAT, 3, vec![b'a'; length]);
            let bytes = encoded(&packet, Encoding::Android);
            // Just above 65536 a header can say 0 to 3, too little to wait for a total.
            match &bytes[1..5] {
                [0, 0, 0, 0] => continue,
                [low, 0, 0, 0] if *low < 4 && length > 255 => continue,
                _ => assert_eq!(decode_one(&bytes), packet, "{length}"),
            }
        }
    }
}

fn packets() -> impl Strategy<Value = Packet> {
    let bytes = prop::collection::vec(any::<u8>(), 0..3000);
    let long = (0..140_000_usize, any::<u8>()).prop_map(|(length, byte)| vec![byte; length]);
    let data = prop_oneof![bytes, long];
    let trailing = prop::collection::vec(any::<u8>(), 0..100);
    (any::<i32>(), any::<i32>(), data, trailing).prop_map(|(command, seq, data, trailing)| {
        Packet::new(command, seq, data).with_trailing(trailing)
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(packets in prop::collection::vec(packets(), 1..4)) {
        for encoding in [Encoding::Zlib, Encoding::Plain, Encoding::PlainBelow(500)] {
            let mut bytes = Vec::new();
            for packet in &packets {
                encode(packet, encoding, &mut bytes).unwrap();
            }
            prop_assert_eq!(&decode_all(&bytes).unwrap(), &packets);
        }
    }

    #[test]
    fn frames_are_found_however_they_arrive(packets in prop::collection::vec(packets(), 1..3)) {
        let mut bytes = Vec::new();
        for (packet, mode) in packets.iter().zip([Encoding::Zlib, Encoding::Plain]) {
            encode(packet, mode, &mut bytes).unwrap();
        }
        let (mut found, mut buffer) = (Vec::new(), BytesMut::new());
        for piece in bytes.chunks(1 + bytes.len() / 700) {
            buffer.extend_from_slice(piece);
            found.extend(Decoder::default().decode(&mut buffer).unwrap());
        }
        found.extend(Decoder::default().decode(&mut buffer).unwrap());
        prop_assert_eq!(found, packets);
        prop_assert!(buffer.is_empty());
    }

    #[test]
    fn arbitrary_bytes_are_harmless_in_any_pieces(
        flag in 0..3_u8,
        origin in -2..300_i32,
        compress in -2..300_i32,
        body in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        let bytes = frame(flag, origin, compress, &body);
        let whole = decode_all(&bytes);
        let (mut found, mut buffer) = (Vec::new(), BytesMut::new());
        let mut error = None;
        'bytes: for byte in bytes {
            buffer.extend_from_slice(&[byte]);
            loop {
                match Decoder::default().decode(&mut buffer) {
                    Ok(Some(packet)) => found.push(packet),
                    Ok(None) => break,
                    Err(broken) => {
                        error = Some(broken);
                        break 'bytes;
                    }
                }
            }
        }
        match whole {
            Ok(packets) => {
                prop_assert_eq!(error, None);
                prop_assert_eq!(found, packets);
            }
            Err(broken) => prop_assert_eq!(error, Some(broken)),
        }
    }
}
