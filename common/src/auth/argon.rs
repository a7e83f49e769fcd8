//! One argon2id computation at a time in memory that is used again.
//!
//! A computation needs 19 MiB. Asking the system for it each time takes a third of the whole time,
//! and leaves the allocator with hundreds of MiB that it never gives back.

use std::sync::{Mutex, PoisonError};

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};

const SALT_BYTES: usize = 16;

fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).ok()?;
    Some(bytes)
}

/// A hash as a PHC string.
fn written(
    argon: &Argon2<'_>,
    salt: &[u8; SALT_BYTES],
    output: &[u8; Params::DEFAULT_OUTPUT_LEN],
) -> Option<String> {
    let hash = PasswordHash {
        algorithm: Algorithm::default().ident(),
        version: Some(Version::default().into()),
        params: ParamsString::try_from(argon.params()).ok()?,
        salt: Some(Salt::new(salt).ok()?),
        hash: Some(Output::new(output).ok()?),
    };
    Some(hash.to_string())
}

/// Makes and checks hashes; keeps as many pieces of memory as were used at the same time.
#[derive(Default)]
pub(super) struct Hasher {
    spare: Mutex<Vec<Vec<Block>>>,
}

impl Hasher {
    /// A new hash as a PHC string; `None` if the operating system gives no random numbers.
    pub(super) fn hash(&self, password: &[u8]) -> Option<String> {
        let salt = random()?;
        let argon = Argon2::default();
        let mut output = [0; Params::DEFAULT_OUTPUT_LEN];
        self.compute(&argon, password, &salt, &mut output)?;
        written(&argon, &salt, &output)
    }

    /// A string that looks like a hash and fits no password: nobody computed it. To check it takes as
    /// long as to check a real one.
    pub(super) fn decoy() -> Option<String> {
        written(&Argon2::default(), &random()?, &random()?)
    }

    /// Whether the password fits the PHC string; the string's own parameters count, so that the
    /// default cost may rise later.
    pub(super) fn fits(&self, stored: &str, password: &[u8]) -> bool {
        self.check(stored, password).unwrap_or(false)
    }

    fn check(&self, stored: &str, password: &[u8]) -> Option<bool> {
        let stored = PasswordHash::new(stored).ok()?;
        let version = match stored.version {
            Some(number) => Version::try_from(number).ok()?,
            None => Version::default(),
        };
        let algorithm = Algorithm::try_from(stored.algorithm.as_str()).ok()?;
        let argon = Argon2::new(algorithm, version, Params::try_from(&stored).ok()?);
        let expected = stored.hash?;
        let mut output = vec![0; expected.len()];
        self.compute(&argon, password, &stored.salt?, &mut output)?;
        // Compares in constant time.
        Some(Output::new(&output).ok()? == expected)
    }

    fn compute(
        &self,
        argon: &Argon2<'_>,
        password: &[u8],
        salt: &[u8],
        output: &mut [u8],
    ) -> Option<()> {
        let mut memory = self.lock().pop().unwrap_or_default();
        let needed = argon.params().block_count();
        if memory.len() < needed {
            memory.resize(needed, Block::default());
        }
        let blocks = memory.get_mut(..needed)?;
        let computed = argon.hash_password_into_with_memory(password, salt, output, blocks);
        self.lock().push(memory);
        computed.ok()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Vec<Block>>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use argon2::PasswordVerifier;

    use super::*;

    #[test]
    fn it_agrees_with_the_library() {
        let hasher = Hasher::default();
        let stored = hasher.hash(b"secret").unwrap();
        assert!(
            stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{stored}"
        );
        let parsed = PasswordHash::new(&stored).unwrap();
        assert!(
            Argon2::default()
                .verify_password(b"secret", &parsed)
                .is_ok()
        );
        assert!(hasher.fits(&stored, b"secret"));
        assert!(!hasher.fits(&stored, b"Secret"));
        assert_eq!(hasher.lock().len(), 1, "the memory is used again");
    }

    #[test]
    fn a_decoy_is_checked_like_a_hash_and_fits_nothing() {
        let hasher = Hasher::default();
        let (decoy, real) = (Hasher::decoy().unwrap(), hasher.hash(b"secret").unwrap());
        let cost = |text: &str| {
            text.split('$')
                .take(4)
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(cost(&decoy), cost(&real));
        assert_eq!(decoy.len(), real.len());
        assert_eq!(hasher.check(&decoy, b"secret"), Some(false));
    }

    #[test]
    fn what_is_no_hash_fits_nothing() {
        let hasher = Hasher::default();
        for stored in [
            "",
            "secret",
            "$argon2id$",
            "$md5$abc",
            "$argon2id$v=19$m=8,t=1,p=1$YWJj$YQ",
        ] {
            assert!(!hasher.fits(stored, b"secret"), "{stored}");
        }
    }
}
