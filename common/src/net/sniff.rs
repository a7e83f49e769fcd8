//! What a client is going to speak, told from its first bytes.
//!
//! Knows where the protocols differ and nothing else of them.

/// What is spoken on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// The protocol of the existing clients.
    Flamingo,
    /// HTTP/1.1 or HTTP/2.
    Http,
}

/// Which dialect of Flamingo a port has besides HTTP: their first bytes differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// A frame begins with 0 or 1: whether it is compressed.
    Chat,
    /// A packet begins with its size, eight bytes with the least one first, so its first byte can
    /// be any. No packet is as large as 4 GiB: the last four bytes are zero.
    Transfer,
}

/// What the first bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guess {
    Language(Language),
    Tls,
    /// More bytes are needed.
    Open,
}

/// More than so many bytes are never needed for a guess.
pub(super) const SNIFFED_BYTES_MAX: usize = 8;

/// The type of the TLS record that every connection begins with.
const TLS_HANDSHAKE: u8 = 0x16;

/// Every HTTP method is in upper case, and so is the preface of HTTP/2, `PRI * HTTP/2.0`.
pub(super) fn guess(port: Port, first: &[u8]) -> Guess {
    let Some(&byte) = first.first() else {
        return Guess::Open;
    };
    let other = match byte {
        TLS_HANDSHAKE => Guess::Tls,
        b'A'..=b'Z' => Guess::Language(Language::Http),
        // Whatever this is, the code of the existing protocol refuses it as it always did.
        _ => return Guess::Language(Language::Flamingo),
    };
    match port {
        Port::Chat => other,
        Port::Transfer => {
            let end = first.len().min(SNIFFED_BYTES_MAX);
            let size_high = first.get(4..end).unwrap_or_default();
            if size_high.iter().any(|byte| *byte != 0) {
                other
            } else if size_high.len() == 4 {
                Guess::Language(Language::Flamingo)
            } else {
                Guess::Open
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FLAMINGO: Guess = Guess::Language(Language::Flamingo);
    const HTTP: Guess = Guess::Language(Language::Http);

    #[test]
    fn on_the_chat_port_one_byte_says_it() {
        for byte in 0..=u8::MAX {
            let expected = match byte {
                0x16 => Guess::Tls,
                b'A'..=b'Z' => HTTP,
                _ => FLAMINGO,
            };
            assert_eq!(guess(Port::Chat, &[byte]), expected, "{byte}");
            assert_eq!(guess(Port::Chat, &[byte, 0, 0, 0, 0, 0, 0, 0]), expected);
        }
        assert_eq!(guess(Port::Chat, b""), Guess::Open);
    }

    #[test]
    fn what_clients_really_begin_with() {
        // A client hello of TLS 1.3: record type, version, length, handshake type, length.
        let hello = [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc];
        for port in [Port::Chat, Port::Transfer] {
            for http in ["GET / HTTP/1.1\r\n", "PRI * HTTP/2.0\r\n", "OPTIONS * "] {
                assert_eq!(guess(port, http.as_bytes()), HTTP, "{port:?} {http}");
            }
            assert_eq!(guess(port, &hello), Guess::Tls, "{port:?}");
        }
    }

    #[test]
    fn a_half_method_is_not_decided_on_a_transfer_port() {
        assert_eq!(guess(Port::Transfer, b"G"), Guess::Open);
        assert_eq!(guess(Port::Transfer, b"GET "), Guess::Open);
        assert_eq!(guess(Port::Transfer, b"GET /"), HTTP);
        assert_eq!(guess(Port::Transfer, b"GET \0\0\0"), Guess::Open);
        assert_eq!(guess(Port::Transfer, b"GET \0\0\0\0"), FLAMINGO);
    }

    proptest! {
        #[test]
        fn every_size_below_four_gib_is_a_transfer_packet(size: u32, rest: [u8; 4]) {
            let mut packet = u64::from(size).to_le_bytes().to_vec();
            packet.extend(rest);
            prop_assert_eq!(guess(Port::Transfer, &packet), FLAMINGO);
        }

        #[test]
        fn a_guess_never_changes_with_more_bytes(
            first: [u8; 12],
            zeros in 0..=12_usize,
            chat: bool,
        ) {
            let port = if chat { Port::Chat } else { Port::Transfer };
            let mut first = first;
            first[1..][..zeros.min(11)].fill(0);
            let guesses: Vec<_> = (0..=12).map(|len| guess(port, &first[..len])).collect();
            let decided = guesses.iter().position(|guess| *guess != Guess::Open).unwrap();
            prop_assert!(decided <= SNIFFED_BYTES_MAX);
            prop_assert!(guesses[decided..].iter().all(|guess| *guess == guesses[decided]));
        }
    }
}
