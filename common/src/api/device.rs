//! What kinds of programs use the API.

use serde::{Deserialize, Serialize};

/// What kind of program a device runs, as it says itself. The names are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceKind {
    Desktop,
    Android,
    Ios,
    Web,
    Cli,
    Bot,
}

impl DeviceKind {
    /// All kinds, in the order in which documents list them.
    pub const ALL: [Self; 6] = [
        Self::Desktop,
        Self::Android,
        Self::Ios,
        Self::Web,
        Self::Cli,
        Self::Bot,
    ];

    /// The kind's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Desktop => "desktop",
            Self::Android => "android",
            Self::Ios => "ios",
            Self::Web => "web",
            Self::Cli => "cli",
            Self::Bot => "bot",
        }
    }

    /// The kind of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_has_one_name_everywhere() {
        for kind in DeviceKind::ALL {
            assert_eq!(DeviceKind::named(kind.as_str()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        assert_eq!(DeviceKind::named("toaster"), None);
    }
}
