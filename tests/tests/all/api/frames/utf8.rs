//! Section 6 of Autobahn's fuzzing client: what is UTF-8 is taken, however it is cut, and what is
//! not is refused as soon as it can be known.

use super::cases::{Case, play};
use super::{NOT_UTF8, TEXT, frame};

/// Texts, after Markus Kuhn's stress test for decoders.
const TEXTS: [&str; 14] = [
    "\u{80}",
    "\u{7ff}",
    "\u{800}",
    "\u{ffff}",
    "\u{10000}",
    "\u{10ffff}",
    "\u{d7ff}",
    "\u{e000}",
    "\u{fffd}",
    "\u{fffe}",
    "\u{1fffe}\u{10fffe}\u{10ffff}",
    "\u{3ba}\u{1f79}\u{3c3}\u{3bc}\u{3b5}",
    "Hello-µ@ßöäüàá-UTF-8!!",
    "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} \u{7684}\u{202e}",
];

/// Bytes that no text begins with, whatever follows; how many of them it takes to know.
const NONSENSE: [(&[u8], usize); 29] = [
    // Continuations of nothing.
    (b"\x80", 1),
    (b"\xbf", 1),
    (b"\x80\xbf\x80\xbf", 1),
    // Beginnings that are followed by something else.
    (b"\xc3 ", 2),
    (b"\xe2\x82 ", 3),
    (b"\xf0\x9f\x98 ", 4),
    (b"\xc2\xc2", 2),
    // Longer than it has to be.
    (b"\xc0\x80", 1),
    (b"\xc0\xaf", 1),
    (b"\xc1\xbf", 1),
    (b"\xe0\x80\xaf", 2),
    (b"\xe0\x9f\xbf", 2),
    (b"\xf0\x80\x80\xaf", 2),
    (b"\xf0\x8f\xbf\xbf", 2),
    // Halves of UTF-16.
    (b"\xed\xa0\x80", 2),
    (b"\xed\xad\xbf", 2),
    (b"\xed\xaf\xbf", 2),
    (b"\xed\xb0\x80", 2),
    (b"\xed\xbf\xbf", 2),
    (b"\xed\xa0\x80\xed\xb0\x80", 2),
    (b"\xed\xaf\xbf\xed\xbf\xbf", 2),
    // Beyond the last letter, and five and six bytes.
    (b"\xf4\x90\x80\x80", 2),
    (b"\xf5\x80\x80\x80", 1),
    (b"\xf7\xbf\xbf\xbf", 1),
    (b"\xf8\x88\x80\x80\x80", 1),
    (b"\xfc\x84\x80\x80\x80\x80", 1),
    (b"\xfd\xbf\xbf\xbf\xbf\xbf", 1),
    (b"\xfe", 1),
    (b"\xff", 1),
];

/// Beginnings of letters: no nonsense yet, and no text if nothing follows.
const UNFINISHED: [&[u8]; 6] = [
    b"\xc2",
    b"\xe2\x82",
    b"\xe1",
    b"\xf0\x9f\x98",
    b"\xf4\x8f",
    b"\xf0",
];

/// A request with these bytes in it.
fn request(content: &[u8]) -> Vec<u8> {
    [&br#"{"id":2,"op":"ping","x":""#[..], content, br#""}"#].concat()
}

/// Each byte in a frame of its own; `is_whole` says whether the last one is the end.
fn in_bytes(payload: &[u8], is_whole: bool) -> Vec<u8> {
    let last = payload.len() - 1;
    let frames = payload.iter().enumerate().map(|(at, byte)| {
        let opcode = if at == 0 { 0x01 } else { 0x00 };
        let fin = if is_whole && at == last { 0x80 } else { 0x00 };
        frame(opcode | fin, &[*byte])
    });
    frames.flatten().collect()
}

#[test]
fn texts_are_taken_however_they_are_cut() {
    let mut cases = Vec::new();
    for text in TEXTS {
        let whole = request(text.as_bytes());
        let what = format!("{text:?}");
        cases.push(Case::serves(format!("6.2.1 {what}"), frame(TEXT, &whole)));
        let bytes = in_bytes(&whole, true);
        cases.push(Case::serves(format!("6.2.4 {what} in bytes"), bytes));
        // In the middle of its first letter.
        let at = whole.len() - text.len() - 1;
        let (first, rest) = whole.split_at(at);
        let cut = [frame(0x01, first), frame(0x00, b""), frame(0x80, rest)].concat();
        cases.push(Case::serves(format!("6.2.3 {what} in two"), cut));
    }
    play(&cases);
}

#[test]
fn nonsense_is_refused_as_soon_as_it_can_be_known() {
    let mut cases = Vec::new();
    for (bytes, known) in NONSENSE {
        let what = format!("{bytes:02x?}");
        let start = "\u{3ba}\u{1f79}\u{3c3}\u{3bc}\u{3b5}".as_bytes();
        let whole = [start, bytes, b"edited"].concat();
        cases.push(Case::fails(
            format!("6.3.1 {what}"),
            frame(TEXT, &whole),
            NOT_UTF8,
        ));
        let pieces = in_bytes(&whole, true);
        cases.push(Case::fails(
            format!("6.3.2 {what} in bytes"),
            pieces,
            NOT_UTF8,
        ));
        // Nobody waits for the end of what is none, even for the rest of a letter.
        let enough = [start, &bytes[..known]].concat();
        let pieces = frame(0x01, &enough);
        cases.push(Case::fails(
            format!("6.4.1 {what} without an end"),
            pieces,
            NOT_UTF8,
        ));
        let pieces = in_bytes(&enough, false);
        cases.push(Case::fails(
            format!("6.4.2 {what} in bytes without an end"),
            pieces,
            NOT_UTF8,
        ));
    }
    for bytes in UNFINISHED {
        let what = format!("6.6 unfinished {bytes:02x?}");
        cases.push(Case::fails(what.clone(), frame(TEXT, bytes), NOT_UTF8));
        cases.push(Case::fails(what.clone(), in_bytes(bytes, true), NOT_UTF8));
        let ended = [frame(0x01, bytes), frame(0x80, b"")].concat();
        cases.push(Case::fails(what, ended, NOT_UTF8));
    }
    play(&cases);
}
