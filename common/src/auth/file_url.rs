//! Signed addresses of files: who has one may fetch this one file until it expires, without a token.
//!
//! Knows no database and no HTTP. The signature stands in the query, `exp=…&key=…&sig=…`, next to
//! whatever else stands there; `key` is the number of the key in the ring. For a picture it is good
//! for all its renditions.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hmac::Mac;
use thiserror::Error;

use super::TokenKeys;
use crate::api::BlobClass;
use crate::id::{BlobId, Millis};

/// The length of a signature, in bytes: half an HMAC, which nobody guesses either.
const SIGNATURE_BYTES: usize = 16;

/// Why an address is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum UrlFault {
    /// It claims no signature at all.
    #[error("the address is not signed")]
    Unsigned,
    #[error("the signature of the address is wrong")]
    Forged,
    /// It may have been made with a key that another server added since the ring was read.
    #[error("the address is signed with a key that is not known here")]
    UnknownKey,
    #[error("the address has expired; ask for a new one")]
    Expired,
}

/// The query that lets one fetch this file until `expires`, in seconds since 1970; `None` only for
/// an empty ring.
pub fn sign(keys: &TokenKeys, class: BlobClass, blob: BlobId, expires: i64) -> Option<String> {
    let (key, mac) = keys.mac(&signed(class, blob, expires))?;
    let mac = mac.finalize().into_bytes();
    let signature = BASE64.encode(&mac[..SIGNATURE_BYTES]);
    Some(format!("exp={expires}&key={key}&sig={signature}"))
}

/// Whether this query lets one fetch this file now. Compares in constant time.
///
/// # Errors
/// [`UrlFault`].
pub fn verify(
    keys: &TokenKeys,
    class: BlobClass,
    blob: BlobId,
    query: &str,
    now: Millis,
) -> Result<(), UrlFault> {
    let forged = UrlFault::Forged;
    let field = |name: &str| {
        let mut values = query.split('&').filter_map(|pair| {
            let (key, value) = pair.split_once('=')?;
            (key == name).then_some(value)
        });
        let value = values.next();
        // Twice is once too often: two readers may take different ones.
        if values.next().is_some() {
            return Err(forged);
        }
        Ok(value)
    };
    let (expires, key, signature) = match (field("exp")?, field("key")?, field("sig")?) {
        (None, None, None) => return Err(UrlFault::Unsigned),
        (Some(expires), Some(key), Some(signature)) => (expires, key, signature),
        _ => return Err(forged),
    };
    let expires: i64 = number(expires).ok_or(forged)?;
    let key: u32 = number(key).ok_or(forged)?;
    let signature = BASE64.decode(signature).map_err(|_| forged)?;
    if signature.len() != SIGNATURE_BYTES {
        return Err(forged);
    }
    let mac = keys.mac_by(key, &signed(class, blob, expires));
    let mac = mac.ok_or(UrlFault::UnknownKey)?;
    mac.verify_truncated_left(&signature).map_err(|_| forged)?;
    // Only now: a forged address is forged, whatever it says of its time.
    if now.seconds() >= expires {
        return Err(UrlFault::Expired);
    }
    Ok(())
}

/// What is signed. The first line keeps it from being taken for anything else.
fn signed(class: BlobClass, blob: BlobId, expires: i64) -> String {
    let class = match class {
        BlobClass::File => "file",
        BlobClass::Image => "image",
    };
    format!("myim.file.v1\n{class}\n{blob}\n{expires}")
}

/// A number as it is written by [`sign`], and in no other way.
fn number<N: std::str::FromStr + ToString>(text: &str) -> Option<N> {
    let number: N = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BLOB: BlobId = BlobId([7; 32]);
    const EXPIRES: i64 = 1_700_000_000;
    const BEFORE: Millis = Millis(EXPIRES * 1000 - 1);

    fn keys() -> TokenKeys {
        TokenKeys::generate().unwrap()
    }

    #[test]
    fn a_signed_address_is_good_until_it_expires() {
        let keys = keys();
        let query = sign(&keys, BlobClass::File, BLOB, EXPIRES).unwrap();
        let at = |query: &str, now| verify(&keys, BlobClass::File, BLOB, query, now);
        assert_eq!(at(&query, BEFORE), Ok(()));
        assert_eq!(at(&query, Millis(EXPIRES * 1000)), Err(UrlFault::Expired));
        // Other parts of the query are somebody else's.
        assert_eq!(at(&format!("download=1&{query}&x"), BEFORE), Ok(()));
    }

    #[test]
    fn an_address_is_for_one_file_of_one_class_by_one_server() {
        let keys = keys();
        let query = sign(&keys, BlobClass::File, BLOB, EXPIRES).unwrap();
        let forged = Err(UrlFault::Forged);
        let other = BlobId([8; 32]);
        assert_eq!(
            verify(&keys, BlobClass::File, other, &query, BEFORE),
            forged
        );
        assert_eq!(
            verify(&keys, BlobClass::Image, BLOB, &query, BEFORE),
            forged
        );
        let others = self::keys();
        assert_eq!(
            verify(&others, BlobClass::File, BLOB, &query, BEFORE),
            forged
        );
    }

    #[test]
    fn what_is_not_signed_says_so_and_what_is_half_signed_is_forged() {
        let keys = keys();
        let query = sign(&keys, BlobClass::File, BLOB, EXPIRES).unwrap();
        let at = |query: &str| verify(&keys, BlobClass::File, BLOB, query, BEFORE);
        for unsigned in ["", "&&", "download=1", "experience=1", "sig"] {
            assert_eq!(at(unsigned), Err(UrlFault::Unsigned), "{unsigned}");
        }
        let twice = format!("{query}&exp={EXPIRES}");
        let later = query.replace(&EXPIRES.to_string(), &(EXPIRES + 1).to_string());
        let zero = query.replace("exp=", "exp=0");
        let plus = query.replace("exp=", "exp=+");
        let long = format!("{query}AAAA");
        let short = &query[..query.len() - 1];
        for forged in [
            &*twice,
            &later,
            &zero,
            &plus,
            &long,
            short,
            "exp=1&key=1&sig=",
        ] {
            assert_eq!(at(forged), Err(UrlFault::Forged), "{forged}");
        }
        let unknown = query.replace("key=1", "key=2");
        assert_eq!(at(&unknown), Err(UrlFault::UnknownKey));
    }

    proptest! {
        #[test]
        fn any_query_is_only_a_query(query in ".{0,200}") {
            prop_assert!(verify(&keys(), BlobClass::File, BLOB, &query, BEFORE).is_err());
        }

        #[test]
        fn no_changed_byte_is_believed(place in 0_usize..100, to in any::<u8>()) {
            let keys = keys();
            let query = sign(&keys, BlobClass::Image, BLOB, EXPIRES).unwrap();
            let mut changed = query.clone().into_bytes();
            let place = place % changed.len();
            changed[place] = to;
            let Ok(changed) = String::from_utf8(changed) else { return Ok(()) };
            let verdict = verify(&keys, BlobClass::Image, BLOB, &changed, BEFORE);
            prop_assert_eq!(verdict.is_ok(), changed == query);
        }

        #[test]
        fn what_is_signed_is_believed(
            blob in any::<[u8; 32]>(),
            expires in 1_i64..1_000_000_000_000,
            ago in 1_i64..1_000_000,
        ) {
            let (keys, blob) = (keys(), BlobId(blob));
            let query = sign(&keys, BlobClass::File, blob, expires).unwrap();
            let now = Millis(expires * 1000 - ago);
            prop_assert_eq!(verify(&keys, BlobClass::File, blob, &query, now), Ok(()));
        }
    }
}
