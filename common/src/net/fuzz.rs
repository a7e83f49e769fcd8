//! What a fuzzer feeds to the guess which protocol a connection speaks.

use super::sniff::{Guess, Port, SNIFFED_BYTES_MAX, guess};

/// The first bytes of a connection.
///
/// # Panics
/// If more bytes change what was decided, or nothing is decided after enough of them.
pub fn first_bytes(bytes: &[u8]) {
    for port in [Port::Chat, Port::Transfer] {
        let mut decided = None;
        for length in 0..=bytes.len().min(2 * SNIFFED_BYTES_MAX) {
            let now = guess(port, &bytes[..length]);
            assert!(decided.is_none_or(|before| before == now));
            if now != Guess::Open {
                decided = Some(now);
            }
            assert!(length < SNIFFED_BYTES_MAX || decided.is_some());
        }
    }
}
