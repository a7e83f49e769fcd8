//! Session tokens of the API: what a client shows to prove who it is.
//!
//! A token is `v1.<claims>.<mac>`, both parts in URL-safe base64: which session, and an HMAC-SHA-256
//! over everything before it, with a key from the database. So a forged token costs no look-up.
//! Whether the session has ended is the caller's question.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::id::{DeviceId, Millis, SessionId, UserId};

const VERSION: &str = "v1";
/// The length of the claims, in bytes: key, session, user, device, expiry.
const CLAIMS_BYTES: usize = 4 + 8 + 4 + 8 + 8;
/// The length of a seal, in bytes: half an HMAC, which nobody guesses either.
const SEAL_BYTES: usize = 16;
/// Longer texts are no tokens and are not decoded. In bytes.
const TOKEN_BYTES_MAX: usize = 256;

/// What a token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claims {
    pub session: SessionId,
    pub user: UserId,
    pub device: DeviceId,
    /// The token is worth nothing from this moment on.
    pub expires: Millis,
}

/// Why a token is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenFault {
    /// It was not made here.
    Forged,
    /// It may have been made with a key that another server added since the ring was read.
    UnknownKey,
}

/// The keys that sign tokens. The last one signs; all of them are believed, so that a new one can
/// be added without signing anybody out.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenKeys(Vec<TokenKey>);

#[derive(Clone, Serialize, Deserialize)]
struct TokenKey {
    id: u32,
    /// 32 random bytes in URL-safe base64.
    key: String,
}

impl std::fmt::Debug for TokenKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|key| key.id))
            .finish()
    }
}

impl TokenKeys {
    /// A ring with one new key.
    ///
    /// # Errors
    /// If the operating system gives no random numbers.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        Ok(Self(vec![TokenKey {
            id: 1,
            key: BASE64.encode(key),
        }]))
    }

    /// The ring as it is stored.
    ///
    /// # Errors
    /// Never in practice: numbers and texts can always be written.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    /// Reads a stored ring; `None` for what is none, or empty.
    pub fn from_json(json: &str) -> Option<Self> {
        let ring: Self = serde_json::from_str(json).ok()?;
        let is_good = |key: &TokenKey| BASE64.decode(&key.key).is_ok_and(|key| key.len() == 32);
        (!ring.0.is_empty() && ring.0.iter().all(is_good)).then_some(ring)
    }

    /// Makes the token; `None` only for an empty ring.
    pub fn sign(&self, claims: &Claims) -> Option<String> {
        let key = self.0.last()?;
        let mut bytes = Vec::with_capacity(CLAIMS_BYTES);
        bytes.extend(key.id.to_be_bytes());
        bytes.extend(claims.session.0.to_be_bytes());
        bytes.extend(claims.user.0.to_be_bytes());
        bytes.extend(claims.device.0.to_be_bytes());
        bytes.extend(claims.expires.0.to_be_bytes());
        let signed = format!("{VERSION}.{}", BASE64.encode(bytes));
        let mac = key.mac(&signed)?.finalize().into_bytes();
        Some(format!("{signed}.{}", BASE64.encode(mac)))
    }

    /// What a token says, if it was made with one of these keys. Compares in constant time.
    ///
    /// # Errors
    /// [`TokenFault`].
    pub fn verify(&self, token: &str) -> Result<Claims, TokenFault> {
        let forged = TokenFault::Forged;
        if token.len() > TOKEN_BYTES_MAX {
            return Err(forged);
        }
        let (signed, mac) = token.rsplit_once('.').ok_or(forged)?;
        let payload = signed
            .strip_prefix(VERSION)
            .and_then(|rest| rest.strip_prefix('.'))
            .ok_or(forged)?;
        let payload = BASE64.decode(payload).map_err(|_| forged)?;
        let mac = BASE64.decode(mac).map_err(|_| forged)?;
        let (key_id, claims) = read(&payload).ok_or(forged)?;
        let key = self.0.iter().find(|key| key.id == key_id);
        let key = key.ok_or(TokenFault::UnknownKey)?;
        let computed = key.mac(signed).ok_or(forged)?;
        computed.verify_slice(&mac).map_err(|_| forged)?;
        Ok(claims)
    }
}

impl TokenKeys {
    /// Makes a text of `content` that only this server can make, for a client to give back;
    /// `None` only for an empty ring. `purpose` keeps texts for one use from being taken for
    /// another's.
    pub fn seal(&self, purpose: &str, content: &[u8]) -> Option<String> {
        let key = self.0.last()?;
        let mut sealed = key.id.to_be_bytes().to_vec();
        sealed.extend(content);
        let mac = key.mac_for(purpose, &sealed)?.finalize().into_bytes();
        sealed.extend(&mac[..SEAL_BYTES]);
        Some(BASE64.encode(sealed))
    }

    /// The number and the MAC of the key that signs now, over a content that names its use in its
    /// first line; `None` only for an empty ring.
    pub(super) fn mac(&self, content: &str) -> Option<(u32, Hmac<Sha256>)> {
        let key = self.0.last()?;
        Some((key.id, key.mac(content)?))
    }

    /// As [`TokenKeys::mac`], with the key of this number; `None` if there is none.
    pub(super) fn mac_by(&self, id: u32, content: &str) -> Option<Hmac<Sha256>> {
        self.0.iter().find(|key| key.id == id)?.mac(content)
    }

    /// What was sealed for this purpose; `None` for what was not. Compares in constant time.
    pub fn unseal(&self, purpose: &str, text: &str) -> Option<Vec<u8>> {
        let mut sealed = BASE64.decode(text).ok()?;
        let seal = sealed.split_off(sealed.len().checked_sub(SEAL_BYTES)?);
        let (id, content) = sealed.split_first_chunk()?;
        let id = u32::from_be_bytes(*id);
        let key = self.0.iter().find(|key| key.id == id)?;
        let computed = key.mac_for(purpose, &sealed)?;
        computed.verify_truncated_left(&seal).ok()?;
        Some(content.to_vec())
    }
}

impl TokenKey {
    fn mac_for(&self, purpose: &str, content: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = self.mac(purpose)?;
        mac.update(&[0]);
        mac.update(content);
        Some(mac)
    }

    fn mac(&self, signed: &str) -> Option<Hmac<Sha256>> {
        let key = BASE64.decode(&self.key).ok()?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
        mac.update(signed.as_bytes());
        Some(mac)
    }
}

/// The key's number and the claims.
fn read(payload: &[u8]) -> Option<(u32, Claims)> {
    let (key, rest) = payload.split_first_chunk()?;
    let (session, rest) = rest.split_first_chunk()?;
    let (user, rest) = rest.split_first_chunk()?;
    let (device, rest) = rest.split_first_chunk()?;
    let (expires, rest) = rest.split_first_chunk()?;
    let claims = Claims {
        session: SessionId(u64::from_be_bytes(*session)),
        user: UserId(u32::from_be_bytes(*user)),
        device: DeviceId(u64::from_be_bytes(*device)),
        expires: Millis(i64::from_be_bytes(*expires)),
    };
    rest.is_empty()
        .then_some((u32::from_be_bytes(*key), claims))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLAIMS: Claims = Claims {
        session: SessionId(0x7fff_0102_0304_0506),
        user: UserId(7),
        device: DeviceId(300),
        expires: Millis(1_700_000_000_000),
    };

    #[test]
    fn a_token_says_what_was_signed() {
        let keys = TokenKeys::generate().unwrap();
        let token = keys.sign(&CLAIMS).unwrap();
        assert!(token.starts_with("v1."));
        assert_eq!(keys.verify(&token), Ok(CLAIMS));
        let read = TokenKeys::from_json(&keys.to_json().unwrap()).unwrap();
        assert_eq!(read.verify(&token), Ok(CLAIMS));
    }

    #[test]
    fn a_token_with_any_character_changed_is_forged() {
        let keys = TokenKeys::generate().unwrap();
        let token = keys.sign(&CLAIMS).unwrap();
        for place in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(keys.verify(&changed).is_err(), "{changed}");
        }
        for length in 0..token.len() {
            assert!(keys.verify(&token[..length]).is_err(), "{length}");
        }
        let others = TokenKeys::generate().unwrap();
        assert_eq!(others.verify(&token), Err(TokenFault::Forged));
        for wrong in [
            &*format!("{token}A"),
            "",
            "...",
            "v1..",
            &"v1.".repeat(1000),
        ] {
            assert!(keys.verify(wrong).is_err(), "{wrong:.20}");
        }
    }

    #[test]
    fn a_seal_cannot_be_forged_or_used_for_something_else() {
        let keys = TokenKeys::generate().unwrap();
        let sealed = keys.seal("place", b"17").unwrap();
        assert_eq!(keys.unseal("place", &sealed).unwrap(), b"17");
        assert_eq!(keys.unseal("other", &sealed), None);
        for length in 0..sealed.len() {
            assert_eq!(keys.unseal("place", &sealed[..length]), None, "{length}");
        }
        let others = TokenKeys::generate().unwrap();
        assert_eq!(others.unseal("place", &sealed), None);
    }

    #[test]
    fn an_older_key_is_believed_and_an_unknown_one_named() {
        let old = TokenKeys::generate().unwrap();
        let mut newer = TokenKeys::generate().unwrap();
        newer.0[0].id = 2;
        let ring = TokenKeys(vec![old.0[0].clone(), newer.0[0].clone()]);
        let by_old = old.sign(&CLAIMS).unwrap();
        assert_eq!(ring.verify(&by_old), Ok(CLAIMS));
        let by_ring = ring.sign(&CLAIMS).unwrap();
        assert_eq!(newer.verify(&by_ring), Ok(CLAIMS));
        assert_eq!(old.verify(&by_ring), Err(TokenFault::UnknownKey));
        for wrong in ["", "[]", "{}", r#"[{"id":1,"key":"AA"}]"#] {
            assert!(TokenKeys::from_json(wrong).is_none(), "{wrong}");
        }
    }
}
