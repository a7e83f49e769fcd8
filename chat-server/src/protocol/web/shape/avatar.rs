//! Pictures of people and groups as one text: `builtin:N`, or a picture's name on the image server.

use common::api::Avatar;
use serde::{Deserialize, Deserializer, de::Error};

const BUILTIN: &str = "builtin:";
/// More than the clients have.
const BUILTIN_MAX: i32 = 9999;

/// A picture that a client chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AvatarText(pub(crate) Avatar);

impl AvatarText {
    /// The picture as the API shows it.
    pub(crate) fn shown(avatar: &Avatar) -> String {
        if avatar.custom.is_empty() {
            format!("{BUILTIN}{}", avatar.builtin)
        } else {
            avatar.custom.clone()
        }
    }

    fn read(text: &str) -> Option<Self> {
        let Some(number) = text.strip_prefix(BUILTIN) else {
            let custom = text.to_owned();
            return Some(Self(Avatar { builtin: 0, custom }));
        };
        let builtin: i32 = number.parse().ok()?;
        let is_canonical = builtin.to_string() == number;
        (is_canonical && (0..=BUILTIN_MAX).contains(&builtin)).then(|| {
            let custom = String::new();
            Self(Avatar { builtin, custom })
        })
    }
}

impl<'de> Deserialize<'de> for AvatarText {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::read(&text).ok_or_else(|| D::Error::custom("is not like builtin:7"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_built_in_or_has_a_name() {
        for text in ["builtin:0", "builtin:7", "0123456789abcdef"] {
            let avatar = AvatarText::read(text).unwrap();
            assert_eq!(AvatarText::shown(&avatar.0), text);
        }
        for wrong in [
            "builtin:",
            "builtin:-1",
            "builtin:07",
            "builtin:10000",
            "builtin:x",
        ] {
            assert_eq!(AvatarText::read(wrong), None, "{wrong}");
        }
    }
}
