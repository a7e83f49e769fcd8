//! The version of a client: three numbers, which are compared as such.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The longest text of a version, in bytes.
const VERSION_BYTES_MAX: usize = 64;

/// A version as Semantic Versioning has it, without build metadata, which says nothing about order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(semver::Version);

/// A text that is no version.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{0:?} is no version: write three numbers, like 1.2.3 or, before that, 1.2.3-beta.1")]
pub struct VersionFault(String);

impl FromStr for Version {
    type Err = VersionFault;

    fn from_str(text: &str) -> Result<Self, VersionFault> {
        let fits = text.len() <= VERSION_BYTES_MAX;
        let parsed = semver::Version::parse(text).ok();
        parsed
            .filter(|version| fits && version.build.is_empty())
            .map(Self)
            .ok_or_else(|| VersionFault(text.chars().take(VERSION_BYTES_MAX).collect()))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        let version = |text: &str| text.parse::<Version>().unwrap();
        let ascending = ["0.9.9", "1.2.3-beta.1", "1.2.3", "1.9.0", "1.10.0", "2.0.0"];
        for pair in ascending.windows(2) {
            assert!(version(pair[0]) < version(pair[1]), "{pair:?}");
            assert_eq!(version(pair[0]).to_string(), pair[0]);
        }
    }

    #[test]
    fn what_is_no_version_is_refused_with_an_example() {
        let long = format!("1.2.3-{}", "a".repeat(64));
        for bad in [
            "", "1", "1.2", "1.2.3.4", "v1.2.3", "1.02.3", "1.2.3+x", " 1.2.3", &long,
        ] {
            let fault = bad.parse::<Version>().unwrap_err();
            assert!(fault.to_string().contains("1.2.3"), "{bad:?}");
        }
    }
}
