//! Makes and checks password hashes: argon2id, in a bounded pool, with a cache of verified logins.
//!
//! One hash costs about 20 ms of a core and 19 MiB. After a restart everybody reconnects at once;
//! without the cache ten thousand reconnecting clients would keep both cores busy for minutes.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use lru::LruCache;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use tokio::time::Instant;

use super::argon::Hasher;
use crate::pool::BlockingPool;

/// A longer password is wrong without being hashed: hashing time must not depend on the sender's
/// generosity. In bytes.
pub const PASSWORD_BYTES_MAX: usize = 1024;

/// How many verified logins are remembered; an entry is about 100 bytes.
const REMEMBERED_MAX: NonZeroUsize = NonZeroUsize::new(65_536).expect("is not zero");

/// How long a verified login is remembered.
const REMEMBERED_FOR: Duration = Duration::from_secs(15 * 60);

type Fingerprint = [u8; 32];

/// What a check came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Right,
    /// Right, but kept in plain text by an adopted database: store this hash instead.
    RightUpgrade {
        password_hash: String,
    },
    Wrong,
}

/// Makes and checks password hashes.
pub struct Passwords {
    pool: BlockingPool,
    hasher: Arc<Hasher>,
    /// Verified (stored hash, password) pairs as keyed fingerprints, with when they were verified.
    remembered: Mutex<LruCache<Fingerprint, Instant>>,
    /// Keys the fingerprints, so that a memory dump gives no cheap way to test passwords offline
    /// without the key of this run.
    key: [u8; 32],
    /// A hash that no password fits: checking against it takes as long as a real check.
    decoy: Arc<str>,
}

impl std::fmt::Debug for Passwords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passwords").finish_non_exhaustive()
    }
}

impl Passwords {
    /// At most `parallel_max` hashes are computed at a time; further callers wait.
    ///
    /// # Errors
    /// If the operating system gives no random numbers.
    pub fn new(parallel_max: usize) -> Result<Self, getrandom::Error> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        let decoy = Hasher::decoy().ok_or(getrandom::Error::UNSUPPORTED)?.into();
        Ok(Self {
            hasher: Arc::default(),
            pool: BlockingPool::new(parallel_max.max(1)),
            remembered: Mutex::new(LruCache::new(REMEMBERED_MAX)),
            key,
            decoy,
        })
    }

    /// A new hash as a PHC string.
    pub async fn hash(&self, password: &str) -> String {
        let (hasher, password) = (Arc::clone(&self.hasher), password.to_owned());
        self.pool
            .run(move || hasher.hash(password.as_bytes()))
            .await
            .expect("the parameters are valid, and the system gave random numbers before")
    }

    /// Checks a password against what is stored for the account. An account that does not exist
    /// has neither a hash nor a plain text, and takes as long as a wrong password.
    pub async fn verify(&self, stored_hash: &str, stored_plain: &str, password: &str) -> Verdict {
        if password.len() > PASSWORD_BYTES_MAX {
            return Verdict::Wrong;
        }
        if stored_hash.is_empty() && !stored_plain.is_empty() {
            let right = stored_plain.as_bytes().ct_eq(password.as_bytes());
            // Hashed in both cases, so that the time tells nothing.
            let password_hash = self.hash(password).await;
            return if bool::from(right) {
                Verdict::RightUpgrade { password_hash }
            } else {
                Verdict::Wrong
            };
        }
        let fingerprint = self.fingerprint(stored_hash, password);
        if !stored_hash.is_empty() && self.is_remembered(&fingerprint) {
            return Verdict::Right;
        }
        let against: Arc<str> = if stored_hash.is_empty() {
            Arc::clone(&self.decoy)
        } else {
            stored_hash.into()
        };
        let (hasher, candidate) = (Arc::clone(&self.hasher), password.to_owned());
        let fits = self
            .pool
            .run(move || hasher.fits(&against, candidate.as_bytes()))
            .await;
        if !fits || stored_hash.is_empty() {
            return Verdict::Wrong;
        }
        self.lock().put(fingerprint, Instant::now());
        Verdict::Right
    }

    /// As if it had been verified just now, which takes real time, and a thread.
    #[cfg(feature = "simulation")]
    pub fn remember(&self, stored_hash: &str, password: &str) {
        let fingerprint = self.fingerprint(stored_hash, password);
        self.lock().put(fingerprint, Instant::now());
    }

    /// Whether exactly this password was verified against exactly this hash a short while ago.
    pub fn is_known(&self, stored_hash: &str, password: &str) -> bool {
        !stored_hash.is_empty()
            && password.len() <= PASSWORD_BYTES_MAX
            && self.is_remembered(&self.fingerprint(stored_hash, password))
    }

    fn is_remembered(&self, fingerprint: &Fingerprint) -> bool {
        self.lock()
            .get(fingerprint)
            .is_some_and(|verified| verified.elapsed() < REMEMBERED_FOR)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, LruCache<Fingerprint, Instant>> {
        self.remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// A changed password changes the stored hash, and so the fingerprint: nothing to invalidate.
    fn fingerprint(&self, stored_hash: &str, password: &str) -> Fingerprint {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes any key length");
        mac.update(stored_hash.as_bytes());
        mac.update(&[0]);
        mac.update(password.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_right_password_is_right_and_remembered() {
        let passwords = Passwords::new(2).unwrap();
        let stored = passwords.hash("secret").await;
        assert!(stored.starts_with("$argon2id$"));
        assert!(!passwords.is_known(&stored, "secret"));
        assert_eq!(
            passwords.verify(&stored, "", "secret").await,
            Verdict::Right
        );
        assert!(passwords.is_known(&stored, "secret"));
        assert_eq!(
            passwords.verify(&stored, "", "Secret").await,
            Verdict::Wrong
        );
        assert!(!passwords.is_known(&stored, "Secret"));
    }

    #[tokio::test]
    async fn an_account_that_does_not_exist_has_no_password() {
        let passwords = Passwords::new(2).unwrap();
        assert_eq!(passwords.verify("", "", "").await, Verdict::Wrong);
        assert_eq!(passwords.verify("", "", "secret").await, Verdict::Wrong);
    }

    #[tokio::test]
    async fn a_plain_text_password_is_replaced_by_a_hash() {
        let passwords = Passwords::new(2).unwrap();
        let Verdict::RightUpgrade { password_hash } = passwords.verify("", "old", "old").await
        else {
            panic!("the plain password is right");
        };
        assert_eq!(
            passwords.verify(&password_hash, "", "old").await,
            Verdict::Right
        );
        assert_eq!(passwords.verify("", "old", "new").await, Verdict::Wrong);
    }

    #[tokio::test]
    async fn an_endless_password_is_wrong_without_being_hashed() {
        let passwords = Passwords::new(1).unwrap();
        let endless = "x".repeat(PASSWORD_BYTES_MAX + 1);
        assert_eq!(
            passwords.verify("", &endless, &endless).await,
            Verdict::Wrong
        );
    }
}
