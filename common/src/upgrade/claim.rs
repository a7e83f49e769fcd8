//! What a publisher says about a package, and the one text of it that is signed.

use sha2::{Digest, Sha256};
use thiserror::Error;

use super::Version;
use crate::blob::PlainName;
use crate::id::BlobId;

/// The longest notes, in bytes.
pub const NOTES_BYTES_MAX: usize = 16 << 10;

/// The platform and the channel that existing Windows clients are served from.
pub const OLD_PLATFORM: &str = "windows";
pub const OLD_CHANNEL: &str = "stable";

/// The longest name of a platform or a channel, in bytes.
const LABEL_BYTES_MAX: usize = 32;

/// What a publisher says about a package. Every field is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub platform: String,
    pub channel: String,
    pub version: Version,
    /// The package's content.
    pub file: BlobId,
    pub size: u64,
    /// What the package is called.
    pub name: String,
    pub notes: String,
}

/// What is wrong with a claim.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum ClaimFault {
    #[error("the platform is no name like windows: a-z, 0-9 and -, at most 32")]
    Platform,
    #[error("the channel is no name like stable: a-z, 0-9 and -, at most 32")]
    Channel,
    #[error("the package is empty")]
    Empty,
    #[error("the name of the package may have letters, digits, dots, - and _ only")]
    Name,
    #[error("the notes are longer than 16 KiB or have control characters")]
    Notes,
}

/// Whether this can be a platform or a channel.
pub fn is_label(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=LABEL_BYTES_MAX).contains(&text.len()) && text.bytes().all(plain)
}

impl Claim {
    /// # Errors
    /// See [`ClaimFault`].
    pub fn check(&self) -> Result<(), ClaimFault> {
        let control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
        if !is_label(&self.platform) {
            Err(ClaimFault::Platform)
        } else if !is_label(&self.channel) {
            Err(ClaimFault::Channel)
        } else if self.size == 0 {
            Err(ClaimFault::Empty)
        } else if PlainName::new(self.name.as_bytes()).is_none() {
            Err(ClaimFault::Name)
        } else if self.notes.len() > NOTES_BYTES_MAX || self.notes.chars().any(control) {
            Err(ClaimFault::Notes)
        } else {
            Ok(())
        }
    }

    /// The text that is signed: a line each, without one at the end. No field can hold a line end;
    /// the notes, which can, are there as their SHA-256. Clients build it from the manifest.
    pub fn text(&self) -> String {
        let notes = BlobId(Sha256::digest(self.notes.as_bytes()).into());
        let Self {
            platform,
            channel,
            version,
            file,
            size,
            name,
            notes: _,
        } = self;
        format!(
            "myim.upgrade.v1\n{platform}\n{channel}\n{version}\n{file}\n{size}\n{name}\n{notes}"
        )
    }

    /// The first line of the notes that says something; the version if none does.
    pub fn headline(&self) -> String {
        let first = self
            .notes
            .lines()
            .map(str::trim)
            .find(|line| !line.is_empty());
        first.map_or_else(|| self.version.to_string(), str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim() -> Claim {
        Claim {
            platform: OLD_PLATFORM.to_owned(),
            channel: OLD_CHANNEL.to_owned(),
            version: "1.2.3".parse().unwrap(),
            file: BlobId([0xab; 32]),
            size: 7,
            name: "Setup-1.2.3.zip".to_owned(),
            notes: "\n 更快 \nmore".to_owned(),
        }
    }

    #[test]
    fn what_is_signed_is_one_line_for_each_field() {
        let file = "ab".repeat(32);
        // printf '\n 更快 \nmore' | sha256sum
        let notes = "02011ecb53dddc34ed747737d63bde2c827923182931c2dcb0091b62c7b4c834";
        assert_eq!(
            claim().text(),
            format!("myim.upgrade.v1\nwindows\nstable\n1.2.3\n{file}\n7\nSetup-1.2.3.zip\n{notes}")
        );
        assert_eq!(claim().headline(), "更快");
        let silent = Claim {
            notes: " \n".to_owned(),
            ..claim()
        };
        assert_eq!(silent.headline(), "1.2.3");
    }

    #[test]
    fn a_claim_that_cannot_be_is_refused() {
        let changed = |change: fn(&mut Claim)| {
            let mut claim = claim();
            change(&mut claim);
            claim.check()
        };
        assert_eq!(claim().check(), Ok(()));
        let bad = [
            changed(|claim| claim.platform = "Windows".to_owned()),
            changed(|claim| claim.channel = "a\nb".to_owned()),
            changed(|claim| claim.size = 0),
            changed(|claim| claim.name = "../x".to_owned()),
            changed(|claim| claim.notes = "\u{1b}[2J".to_owned()),
        ];
        let faults = [
            ClaimFault::Platform,
            ClaimFault::Channel,
            ClaimFault::Empty,
            ClaimFault::Name,
            ClaimFault::Notes,
        ];
        assert_eq!(bad, faults.map(Err));
        let long = changed(|claim| claim.notes = "a".repeat(NOTES_BYTES_MAX + 1));
        assert_eq!(long, Err(ClaimFault::Notes));
        assert!(is_label("linux-arm64") && !is_label("") && !is_label(&"a".repeat(33)));
    }
}
