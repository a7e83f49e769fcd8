//! A client's own name for what it writes, as it travels.

use common::id::{CLIENT_ID_BYTES_MAX, ClientId};
use serde::{Deserialize, Deserializer, de::Error};
use utoipa::ToSchema;

/// 1 to 64 visible characters of ASCII. The same name is the same message, however often it is
/// sent.
#[derive(Clone, Debug, PartialEq, Eq, ToSchema)]
#[schema(
    as = ClientId,
    value_type = String,
    pattern = "^[!-~]{1,64}$",
    examples("0190d1f2-7b1c-7cc3-98c4-dc0c0c07398f")
)]
pub(crate) struct ClientName(pub(crate) ClientId);

impl<'de> Deserialize<'de> for ClientName {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let is_visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        let name = is_visible.then(|| ClientId::new(text)).flatten();
        name.map(Self).ok_or_else(|| {
            D::Error::custom(format!(
                "`client_id` is 1 to {CLIENT_ID_BYTES_MAX} visible characters of ASCII"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_visible() {
        let read = |text: &str| serde_json::from_value::<ClientName>(text.into()).is_ok();
        assert!(read("a") && read(&"~".repeat(64)) && read("a/b?c"));
        for wrong in ["", "a b", "é", "a\n", &"x".repeat(65)] {
            assert!(!read(wrong), "{wrong:?}");
        }
    }
}
