//! The key pair of a publisher: Ed25519, kept as a PEM file that other tools read too.

use std::fmt;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use thiserror::Error;

/// What signs packages. Its secret half stays on the publisher's machine.
pub struct PublisherKey(Ed25519KeyPair);

/// A key that cannot be made or read.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum KeyFault {
    #[error("no key could be made: the system gives no random numbers")]
    NotMade,
    #[error("this is no Ed25519 key in PEM form: myim upgrade key makes one")]
    NotRead,
}

impl fmt::Debug for PublisherKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublisherKey({})", self.public())
    }
}

impl PublisherKey {
    /// # Errors
    /// [`KeyFault::NotMade`].
    pub fn generate() -> Result<Self, KeyFault> {
        let pair = Ed25519KeyPair::generate();
        pair.map(Self).map_err(|_| KeyFault::NotMade)
    }

    /// # Errors
    /// [`KeyFault::NotRead`].
    pub fn from_pem(pem: &str) -> Result<Self, KeyFault> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes());
        let der = der.map_err(|_| KeyFault::NotRead)?;
        let pair = Ed25519KeyPair::from_pkcs8(der.secret_pkcs8_der());
        pair.map(Self).map_err(|_| KeyFault::NotRead)
    }

    /// The secret half too.
    ///
    /// # Errors
    /// [`KeyFault::NotMade`].
    pub fn to_pem(&self) -> Result<String, KeyFault> {
        let der = self.0.to_pkcs8v1().map_err(|_| KeyFault::NotMade)?;
        let text = STANDARD.encode(der.as_ref());
        Ok(format!(
            "-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n"
        ))
    }

    /// The public half: 32 bytes in base64.
    pub fn public(&self) -> String {
        STANDARD.encode(self.0.public_key())
    }

    /// The public half as OpenSSL reads it.
    pub fn public_pem(&self) -> Option<String> {
        let der = self.0.public_key().as_der().ok()?;
        let text = STANDARD.encode(der.as_ref());
        Some(format!(
            "-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n"
        ))
    }

    /// The signature of a text: 64 bytes in base64.
    pub fn sign(&self, text: &str) -> String {
        STANDARD.encode(self.0.sign(text.as_bytes()))
    }
}

/// Whether the owner of this key signed this text.
pub fn is_signed(key: &str, text: &str, signature: &str) -> bool {
    let (Ok(key), Ok(signature)) = (STANDARD.decode(key), STANDARD.decode(signature)) else {
        return false;
    };
    let key = UnparsedPublicKey::new(&ED25519, key);
    key.verify(text.as_bytes(), &signature).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_of_one_key_and_one_text() {
        let (ours, theirs) = (
            PublisherKey::generate().unwrap(),
            PublisherKey::generate().unwrap(),
        );
        let signature = ours.sign("text");
        assert!(is_signed(&ours.public(), "text", &signature));
        assert!(!is_signed(&ours.public(), "Text", &signature));
        assert!(!is_signed(&theirs.public(), "text", &signature));
        assert!(!is_signed(&ours.public(), "text", &theirs.sign("text")));
        for odd in ["", "?", "AAAA"] {
            assert!(!is_signed(odd, "text", &signature), "{odd:?}");
            assert!(!is_signed(&ours.public(), "text", odd), "{odd:?}");
        }
    }

    #[test]
    fn a_key_survives_its_file() {
        let key = PublisherKey::generate().unwrap();
        let again = PublisherKey::from_pem(&key.to_pem().unwrap()).unwrap();
        assert_eq!(again.public(), key.public());
        assert!(!format!("{again:?}").contains("PRIVATE"));
        assert_eq!(
            PublisherKey::from_pem("key").unwrap_err(),
            KeyFault::NotRead
        );
    }

    #[test]
    fn the_test_vector_of_rfc_8032() {
        // Section 7.1, test 2: the message is the letter r.
        let pem = "-----BEGIN PRIVATE KEY-----\n\
            MC4CAQAwBQYDK2VwBCIEIEzNCJso/5banbbDRuwRTg9bijGfNaumJNqM9u1PuKb7\n\
            -----END PRIVATE KEY-----\n";
        let key = PublisherKey::from_pem(pem).unwrap();
        assert_eq!(key.public(), "PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=");
        let signature = "kqAJqfDUyrhyDoILX2QlQKKye1QWUD+Ps3YiI+vbadoI\
            WsHkPhWZbkWPNhPQ8R2MOHsurrQwKu6wDSkWErsMAA==";
        assert_eq!(key.sign("r"), signature);
        assert!(is_signed(&key.public(), "r", signature));
    }
}
