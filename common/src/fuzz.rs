//! What strangers' bytes meet first, as functions of these bytes. A fuzzer can
//! feed them, and the tests here feed them a fixed corpus. None may panic, whatever comes.

use bytes::BytesMut;

pub use crate::net::fuzz::first_bytes;
pub use crate::transfer::fuzz::{file_name, kind, range, upload_headers, upload_metadata};
use crate::wire::{chat, json, transfer};

/// What may be inflated to, as for those who have not logged in.
const INFLATED_BYTES_MAX: usize = 64 * 1024;

/// Frames of the chat protocol.
///
/// # Panics
/// If a frame costs nothing, is larger than it may be, or is another one when it is sent again.
pub fn chat_frames(bytes: &[u8]) {
    let mut decoder = chat::Decoder::new(chat::Limits::default());
    decoder.set_inflated_max(INFLATED_BYTES_MAX);
    let mut buffer = BytesMut::from(bytes);
    loop {
        let before = buffer.len();
        let Ok(Some(packet)) = decoder.decode(&mut buffer) else {
            return;
        };
        assert!(buffer.len() < before);
        assert!(packet.data.len() + packet.trailing.len() <= INFLATED_BYTES_MAX.max(bytes.len()));
        json::object(&packet.data);
        let mut again = Vec::new();
        if chat::encode(&packet, chat::Encoding::Plain, &mut again).is_ok() {
            let read =
                chat::Decoder::new(chat::Limits::default()).decode(&mut BytesMut::from(&again[..]));
            let read = read
                .expect("what was written can be read")
                .expect("it is whole");
            assert_eq!(
                (read.command, read.seq, read.data),
                (packet.command, packet.seq, packet.data)
            );
        }
    }
}

/// Packets of the transfer protocol, of both sides.
///
/// # Panics
/// If a packet costs nothing or is larger than what came.
pub fn transfer_packets(bytes: &[u8]) {
    let decoder = transfer::Decoder::new(transfer::BODY_BYTES_MAX);
    let mut buffer = BytesMut::from(bytes);
    loop {
        let before = buffer.len();
        let Ok(Some(request)) = decoder.request(&mut buffer) else {
            break;
        };
        assert!(buffer.len() < before);
        if let transfer::TransferRequest::Upload { name, data, .. } = request {
            assert!(name.len() + data.len() <= before);
        }
    }
    let mut buffer = BytesMut::from(bytes);
    while let Ok(Some(reply)) = decoder.reply(&mut buffer) {
        assert!(reply.name.len() + reply.data.len() <= bytes.len());
    }
}

/// JSON as the existing clients write it.
///
/// # Panics
/// If what was read cannot be written, or not be read again then.
pub fn old_json(bytes: &[u8]) {
    let Some(object) = json::object(bytes) else {
        return;
    };
    for value in object.values() {
        json::integer(value);
    }
    let text = serde_json::to_vec(&object).expect("an object can be written");
    assert!(json::object(&text).is_some());
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// Every file of a corpus, each also cut short and with each of its first bits turned.
    fn each(corpus: &str, target: fn(&[u8])) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
        let mut count = 0;
        for file in fs::read_dir(root.join(corpus)).unwrap() {
            let bytes = fs::read(file.unwrap().path()).unwrap();
            target(&bytes);
            for length in 0..bytes.len().min(64) {
                target(&bytes[..length]);
                let mut turned = bytes.clone();
                for bit in 0..8 {
                    turned[length] = bytes[length] ^ (1 << bit);
                    target(&turned);
                }
            }
            count += 1;
        }
        assert!(count > 0, "{corpus} is empty");
    }

    #[test]
    fn no_corpus_panics() {
        type Target = fn(&[u8]);
        let targets: [(&str, Target); 8] = [
            ("chat_frames", chat_frames),
            ("transfer_packets", transfer_packets),
            ("old_json", old_json),
            ("first_bytes", first_bytes),
            ("range", range),
            ("upload_headers", upload_headers),
            ("upload_metadata", upload_metadata),
            ("file_name", file_name),
        ];
        for (corpus, target) in targets {
            each(corpus, target);
        }
        each("kind", kind);
    }
}
