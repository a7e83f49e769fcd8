//! Every byte captured from the original programs, read and written again.
//!
//! The captures and what is volatile in them are described beside them, in `tests/vectors`.

#![allow(
    clippy::unwrap_used,
    reason = "in a test a panic is the report; clippy does not see that all of this is one"
)]

use std::path::Path;

use bytes::{Bytes, BytesMut};
use serde_json::Value;

use common::wire::chat::{self, BODY_BYTES_MAX, Encoding, FrameError, Packet};
use common::wire::stream::{Malformed, PREFIX_BYTES, Reader};
use common::wire::transfer::{
    self, Style, TransferError, TransferKind, TransferReply, TransferRequest,
};

struct Line {
    place: String,
    from_server: bool,
    bytes: Vec<u8>,
    decoded: Value,
}

fn lines(file: &str) -> Vec<Line> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/vectors")
        .join(file);
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            Line {
                place: format!("{file} {} step {}", line["scenario"], line["step"]),
                from_server: line["dir"] == "s2c",
                bytes: from_hex(line["hex"].as_str().unwrap()),
                decoded: line["decoded"].clone(),
            }
        })
        .filter(|line| !line.bytes.is_empty())
        .collect()
}

fn from_hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|place| u8::from_str_radix(&text[place..place + 2], 16).unwrap())
        .collect()
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The frames a line should hold, and how many bytes of another.
fn frames(line: &Line) -> (Vec<Value>, usize) {
    match line.decoded.get("frames") {
        Some(frames) => (
            frames.as_array().unwrap().clone(),
            line.decoded["rest_hex"].as_str().unwrap_or("").len() / 2,
        ),
        None => (vec![line.decoded.clone()], 0),
    }
}

fn text(bytes: &[u8]) -> Value {
    String::from_utf8_lossy(bytes).as_ref().into()
}

/// Compares the fields behind the data, and says how many there were.
fn check_trailing(packet: &Packet, expected: &Value, place: &str) {
    let mut fields = Reader::new(&packet.trailing);
    let numbers = ["operation", "friendid", "userid", "senderid"];
    let strings = ["markname", "newteam", "oldteam", "targets"];
    for name in numbers {
        if let Some(number) = expected.get(name) {
            assert_eq!(
                &Value::from(fields.i32().unwrap()),
                number,
                "{place} {name}"
            );
        }
    }
    for name in ["bmpheader_hex", "bmpdata_hex"] {
        if let Some(bytes) = expected.get(name) {
            let found = to_hex(fields.bytes().unwrap());
            assert_eq!(&Value::from(found), bytes, "{place} {name}");
        }
    }
    for name in strings {
        if let Some(string) = expected.get(name) {
            assert_eq!(&text(fields.bytes().unwrap()), string, "{place} {name}");
        }
    }
    if let Some(number) = expected.get("targetid") {
        assert_eq!(
            &Value::from(fields.i32().unwrap()),
            number,
            "{place} target"
        );
    }
    let rest = expected.get("trailing_hex").cloned().unwrap_or("".into());
    assert_eq!(
        Value::from(to_hex(fields.rest())),
        rest,
        "{place} leftovers"
    );
}

fn check_packet(packet: &Packet, expected: &Value, place: &str) {
    assert_eq!(packet.command, expected["cmd"], "{place}");
    assert_eq!(packet.seq, expected["seq"], "{place}");
    assert_eq!(text(&packet.data), expected["data"], "{place}");
    check_trailing(packet, expected, place);

    // The same body comes out again: its fields are ours to write, its prefix is volatile.
    let mut plain = Vec::new();
    chat::encode(packet, Encoding::Plain, &mut plain).unwrap();
    let whole = plain.len() - chat::HEADER_BYTES;
    let total = u32::from_be_bytes(*plain[chat::HEADER_BYTES..].first_chunk().unwrap());
    assert_eq!(usize::try_from(total).unwrap(), whole, "{place}");
}

#[test]
fn chat_captures() {
    let mut checked = 0;
    for line in lines("chat.jsonl") {
        if line.decoded.get("undecodable").is_some() {
            let mut buffer = BytesMut::from(&line.bytes[..]);
            let error = chat::Decoder::default().decode(&mut buffer);
            let expected = matches!(error, Err(FrameError::Inflate | FrameError::Body(_)));
            assert!(expected, "{} {error:?}", line.place);
            continue;
        }
        let (frames, rest) = frames(&line);
        let mut buffer = BytesMut::from(&line.bytes[..]);
        for expected in frames {
            // The recorder did not mind a size too small; the original server closed.
            let decoded = chat::Decoder::default().decode(&mut buffer);
            if line.place.contains("zlib-size-mismatch") && decoded.is_err() {
                assert_eq!(decoded, Err(FrameError::InflatedTooLarge), "{}", line.place);
                buffer.clear();
                continue;
            }
            let packet = decoded.unwrap().unwrap();
            check_packet(&packet, &expected, &line.place);
            check_same_bytes(&packet, &expected, &line);
            checked += 1;
        }
        assert_eq!(buffer.len(), rest, "{}", line.place);
        check_rest(&line, &mut buffer);
    }
    assert!(checked > 500, "{checked}");
}

/// Captured beginnings are waited on, except those with an impossible header.
fn check_rest(line: &Line, buffer: &mut BytesMut) {
    let rest = chat::Decoder::default().decode(buffer);
    if line.place.contains("illegal-origin-size") {
        let refused = matches!(
            rest,
            Err(FrameError::OriginSize(_) | FrameError::CompressSize(_))
        );
        assert!(refused, "{} {rest:?}", line.place);
    } else if !line.place.contains("chat-split-frame") {
        assert_eq!(rest, Ok(None), "{}", line.place);
    }
}

/// Plain captures, all from clients, come out byte for byte but for the reserved bytes.
fn check_same_bytes(packet: &Packet, expected: &Value, line: &Line) {
    let one_frame = line.decoded.get("frames").is_none();
    // One capture has a total that is meant to be wrong.
    let wrong_total = line.place.contains("wrong-inner-length");
    if !one_frame || line.bytes[0] != 0 || line.from_server || wrong_total {
        return;
    }
    let ours = |encoding| {
        let mut out = Vec::new();
        chat::encode(packet, encoding, &mut out).unwrap();
        out
    };
    let counts_prefix = expected["packlen"] == expected["originsize"];
    let bytes = ours(if counts_prefix {
        Encoding::Plain
    } else {
        Encoding::Android
    });
    let body = |frame: &[u8]| {
        let (size, body) = (frame[1..5].to_vec(), &frame[chat::HEADER_BYTES..]);
        (size, body[..4].to_vec(), body[PREFIX_BYTES..].to_vec())
    };
    assert_eq!(body(&bytes), body(&line.bytes), "{}", line.place);
}

#[test]
fn a_split_capture_joins_into_one_packet() {
    let mut buffer = BytesMut::new();
    let mut decoder = chat::Decoder::default();
    let mut parts = lines("chat.jsonl");
    parts.retain(|line| line.place.contains("chat-split-frame"));
    let mut parts = parts
        .into_iter()
        .filter(|line| !line.from_server)
        .peekable();
    while let Some(part) = parts.next() {
        buffer.extend_from_slice(&part.bytes);
        let packet = decoder.decode(&mut buffer).unwrap();
        assert_eq!(packet.is_some(), parts.peek().is_none());
    }
    assert!(buffer.is_empty());
}

struct Fields {
    command: i32,
    seq: i32,
    code: Option<i32>,
    name: Bytes,
    offset: Option<i64>,
    size: Option<i64>,
    data: Bytes,
    net_type: Option<i32>,
    bytes: Vec<u8>,
}

fn read_request(request: TransferRequest, style: Style) -> Fields {
    let mut bytes = Vec::new();
    request.encode(style, &mut bytes).unwrap();
    match request {
        TransferRequest::Upload {
            seq,
            name,
            offset,
            size,
            data,
        } => Fields {
            command: 1,
            seq,
            code: None,
            name,
            offset: Some(offset),
            size: Some(size),
            data,
            net_type: None,
            bytes,
        },
        TransferRequest::Download {
            seq,
            name,
            net_type,
        } => Fields {
            command: 3,
            seq,
            code: None,
            name,
            offset: None,
            size: None,
            data: Bytes::new(),
            net_type: Some(net_type),
            bytes,
        },
    }
}

fn read_reply(reply: TransferReply) -> Fields {
    let mut bytes = Vec::new();
    reply.encode(&mut bytes).unwrap();
    Fields {
        command: if reply.kind == TransferKind::Upload {
            2
        } else {
            4
        },
        seq: reply.seq,
        code: Some(reply.code),
        name: reply.name,
        offset: Some(reply.offset),
        size: Some(reply.size),
        data: reply.data,
        net_type: None,
        bytes,
    }
}

fn check_transfer(found: &Fields, expected: &Value, line: &Line) {
    let place = &line.place;
    let same = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            assert_eq!(value, expected[name], "{place} {name}");
        }
    };
    same("cmd", Some(found.command.into()));
    same("seq", Some(found.seq.into()));
    same("errorcode", found.code.map(Value::from));
    same("filemd5", Some(text(&found.name)));
    same("offset", found.offset.map(Value::from));
    same("filesize", found.size.map(Value::from));
    same("filedata_len", Some(found.data.len().into()));
    same("clientnettype", found.net_type.map(Value::from));
    // A download's offset and size mean nothing and are not kept, nor are appended bytes.
    let not_kept = ["ignores-requested-offset", "download-trailing-bytes"];
    let dropped = not_kept.iter().any(|scenario| place.contains(scenario));
    if line.decoded.get("frames").is_some() || dropped {
        return;
    }
    // Android's hidden net type does not survive reading; all else comes out as it was.
    let checksum = transfer::HEADER_BYTES + 4..transfer::HEADER_BYTES + PREFIX_BYTES;
    let mut theirs = line.bytes.clone();
    theirs[checksum].fill(0);
    let trailing = expected["trailing_hex"].as_str().unwrap_or("").len() / 2;
    let ours = found.bytes.len().min(theirs.len() - trailing);
    assert_eq!(found.bytes[..ours], theirs[..ours], "{place}");
}

fn check_file(file: &str) {
    let mut checked = 0;
    for line in lines(file) {
        let decoder = transfer::Decoder::default();
        let mut buffer = BytesMut::from(&line.bytes[..]);
        let (frames, rest) = frames(&line);
        for expected in frames {
            if line.from_server {
                let reply = decoder.reply(&mut buffer).unwrap().unwrap();
                check_transfer(&read_reply(reply), &expected, &line);
                checked += 1;
                continue;
            }
            let counts_prefix = expected["packlen"] == expected["packagesize"];
            let style = if counts_prefix {
                Style::Pc
            } else {
                Style::Android
            };
            match decoder.request(&mut buffer) {
                Ok(request) => {
                    check_transfer(&read_request(request.unwrap(), style), &expected, &line);
                    checked += 1;
                }
                Err(error) => check_refused(error, &line.place),
            }
        }
        assert_eq!(buffer.len(), rest, "{}", line.place);
        if line.place.contains("illegal-package-size") {
            let refused = decoder.request(&mut buffer);
            assert!(
                matches!(refused, Err(TransferError::Size(_))),
                "{}",
                line.place
            );
        }
    }
    assert!(checked > 60, "{checked}");
}

fn check_refused(error: TransferError, place: &str) {
    let expected = match error {
        TransferError::Body(Malformed::Truncated) => "download-request-missing-nettype",
        TransferError::EmptyName => "empty-md5",
        TransferError::Command(_) => "unknown-command",
        _ => panic!("{place}: {error}"),
    };
    assert!(place.contains(expected), "{place}: {error}");
}

#[test]
fn file_captures() {
    check_file("file.jsonl");
}

#[test]
fn image_captures() {
    check_file("image.jsonl");
}

/// HTTP and monitor captures are no frames; the readers must say so, not hang or panic.
#[test]
fn captures_of_other_protocols() {
    for line in lines("http.jsonl") {
        let mut buffer = BytesMut::from(&line.bytes[..]);
        let _ = chat::Decoder::default().decode(&mut buffer);
        let _ = transfer::Decoder::default().request(&mut buffer);
        assert!(buffer.len() <= line.bytes.len() && buffer.len() < BODY_BYTES_MAX);
    }
}
