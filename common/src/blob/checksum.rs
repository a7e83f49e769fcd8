//! The sums by which a piece of content can be checked on its way.

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

/// A sum that is being computed.
#[derive(Clone, Debug)]
pub enum Checksum {
    Sha1(Sha1),
    Sha256(Sha256),
    Md5(Md5),
}

impl Checksum {
    /// The names that are known, as tus writes them.
    pub const NAMES: &'static str = "sha1,sha256,md5";

    /// The sum of nothing, by the algorithm of this name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "sha1" => Some(Self::Sha1(Sha1::new())),
            "sha256" => Some(Self::Sha256(Sha256::new())),
            "md5" => Some(Self::Md5(Md5::new())),
            _ => None,
        }
    }

    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha1(sum) => sum.update(bytes),
            Self::Sha256(sum) => sum.update(bytes),
            Self::Md5(sum) => sum.update(bytes),
        }
    }

    pub fn finish(self) -> Vec<u8> {
        match self {
            Self::Sha1(sum) => sum.finalize().to_vec(),
            Self::Sha256(sum) => sum.finalize().to_vec(),
            Self::Md5(sum) => sum.finalize().to_vec(),
        }
    }

    /// The length of the result in bytes.
    pub fn len(&self) -> usize {
        match self {
            Self::Sha1(_) => 20,
            Self::Sha256(_) => 32,
            Self::Md5(_) => 16,
        }
    }

    /// Never: every sum has some bytes.
    pub fn is_empty(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_the_standards() {
        let sum = |name: &str| {
            let mut sum = Checksum::named(name).unwrap();
            let len = sum.len();
            sum.update(b"ab");
            sum.update(b"c");
            let bytes = sum.finish();
            assert_eq!(bytes.len(), len);
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            hex
        };
        assert_eq!(sum("md5"), "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(sum("sha1"), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert!(sum("sha256").starts_with("ba7816bf8f01cfea"));
        for name in Checksum::NAMES.split(',') {
            assert!(Checksum::named(name).is_some(), "{name}");
        }
        assert!(Checksum::named("crc32").is_none());
        assert!(Checksum::named("SHA1").is_none());
    }
}
