//! Webhooks through which others write: their secrets, and the names of what comes through them.
//!
//! A secret is random and long, so a plain hash keeps it as well as a slow one would.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::id::{ClientId, HookId};

/// The length of a secret, in bytes: nobody guesses 256 bits.
const SECRET_BYTES: usize = 32;
/// How much of a hash stands in a client id, in bytes: two never meet by chance.
const NAME_BYTES: usize = 24;

/// A new secret, as it stands in an address.
///
/// # Errors
/// If the operating system gives no random numbers.
pub fn hook_secret() -> Result<String, getrandom::Error> {
    let mut secret = [0; SECRET_BYTES];
    getrandom::fill(&mut secret)?;
    Ok(BASE64.encode(secret))
}

/// What is kept of a secret: the SHA-256 of its text, in lower-case hexadecimal.
pub fn hash_hook_secret(secret: &str) -> String {
    use std::fmt::Write as _;
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(secret.as_bytes()) {
        // Writing to memory does not fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// Whether the secret is the one of which this is kept. Takes as long for a wrong one.
pub fn fits_hook_secret(secret: &str, kept: &str) -> bool {
    let hash = hash_hook_secret(secret);
    hash.as_bytes().ct_eq(kept.as_bytes()).into()
}

/// The client id of what comes through a webhook under this name. It belongs to the author's
/// account, so it says where it comes from and is none that the author or another webhook uses:
/// the same name through the same webhook, and nothing else, is the same message.
pub fn hook_client_id(hook: HookId, name: &str) -> ClientId {
    let hash = Sha256::new()
        .chain_update(hook.0.to_be_bytes())
        .chain_update(name.as_bytes())
        .finalize();
    let text = format!("hook.{}", BASE64.encode(&hash[..NAME_BYTES]));
    ClientId::new(text).expect("5 and 32 characters are fewer than 64")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_fits_what_is_kept_of_it_and_nothing_else() {
        let (secret, other) = (hook_secret().unwrap(), hook_secret().unwrap());
        assert_ne!(secret, other);
        assert_eq!(secret.len(), 43);
        let kept = hash_hook_secret(&secret);
        assert_eq!(kept.len(), 64);
        assert!(fits_hook_secret(&secret, &kept));
        for wrong in [other.as_str(), "", &kept, &secret[1..]] {
            assert!(!fits_hook_secret(wrong, &kept), "{wrong}");
        }
        assert!(!fits_hook_secret("", ""));
    }

    #[test]
    fn a_name_is_one_message_of_one_webhook() {
        let id = hook_client_id(HookId(7), "build 17");
        assert_eq!(id, hook_client_id(HookId(7), "build 17"));
        assert_ne!(id, hook_client_id(HookId(8), "build 17"));
        assert_ne!(id, hook_client_id(HookId(7), "build 18"));
        assert!(id.as_str().starts_with("hook.") && id.as_str().len() == 37);
        assert_ne!(hook_client_id(HookId(7), id.as_str()), id);
    }
}
