//! Signs deliveries as the Standard Webhooks specification says, so that targets know that they
//! come from this server and are not old.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use common::store::outgoing_hook::HookSecret;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// What a secret begins with.
const SECRET_PREFIX: &str = "whsec_";
/// The length of a new secret: the specification wants 24 to 64 bytes.
const SECRET_BYTES: usize = 32;

/// A new secret.
///
/// # Errors
/// If the operating system gives no random numbers.
pub(crate) fn new_secret() -> Result<HookSecret, getrandom::Error> {
    let mut key = [0; SECRET_BYTES];
    getrandom::fill(&mut key)?;
    Ok(HookSecret(format!(
        "{SECRET_PREFIX}{}",
        STANDARD.encode(key)
    )))
}

/// The header `webhook-signature` of a delivery; `None` for a text that is no secret.
pub(super) fn sign(secret: &HookSecret, id: &str, timestamp: i64, body: &[u8]) -> Option<String> {
    let key = STANDARD
        .decode(secret.0.strip_prefix(SECRET_PREFIX)?)
        .ok()?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    Some(format!(
        "v1,{}",
        STANDARD.encode(mac.finalize().into_bytes())
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's own libraries.
    #[test]
    fn a_signature_is_the_specifications() {
        let secret = HookSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned());
        let signed = sign(
            &secret,
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        let wanted = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(signed.as_deref(), Some(wanted));
    }

    #[test]
    fn every_part_counts() {
        let (one, other) = (new_secret().unwrap(), new_secret().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.0.len(), SECRET_PREFIX.len() + 44);
        let signed = sign(&one, "a", 1, b"{}").unwrap();
        assert_eq!(sign(&one, "a", 1, b"{}").as_ref(), Some(&signed));
        for wrong in [
            sign(&other, "a", 1, b"{}"),
            sign(&one, "b", 1, b"{}"),
            sign(&one, "a", 2, b"{}"),
            sign(&one, "a", 1, b"{ }"),
        ] {
            assert_ne!(wrong.unwrap(), signed);
        }
        for none in ["", "whsec_", "whsec_?", "c2VjcmV0"] {
            let signed = sign(&HookSecret(none.to_owned()), "a", 1, b"");
            assert!(signed.is_none() || none == "whsec_", "{none}");
        }
    }
}
