//! The settings in force, each with where it comes from, for administrators.

use clap::ArgMatches;
use clap::parser::ValueSource;
use serde::Serialize;

use super::values::mask_password;

/// One setting.
#[derive(Clone, Debug, PartialEq)]
pub struct InForce {
    pub name: String,
    /// As it stands in a file of settings; `None` for what is not set. Without passwords.
    pub value: Option<toml::Value>,
    pub origin: Origin,
}

/// Where the value of a setting comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    Default,
    File,
    Environment,
    Flag,
}

/// All settings, in the order of their names. `layer` says whether the file or the environment named
/// one.
pub(super) fn all<T: Serialize>(
    names: Vec<String>,
    loaded: &T,
    matches: &ArgMatches,
    layer: impl Fn(&str) -> Option<Origin>,
) -> Result<Vec<InForce>, toml::ser::Error> {
    let mut values = toml::Table::try_from(loaded)?;
    let mut settings: Vec<InForce> = names
        .into_iter()
        .map(|name| {
            let is_flag = matches.value_source(&name) == Some(ValueSource::CommandLine);
            let origin = if is_flag {
                Origin::Flag
            } else {
                layer(&name).unwrap_or(Origin::Default)
            };
            let value = values.remove(&name).map(masked);
            InForce {
                name,
                value,
                origin,
            }
        })
        .collect();
    settings.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(settings)
}

fn masked(value: toml::Value) -> toml::Value {
    match value {
        toml::Value::String(text) => mask_password(&text).into(),
        other => other,
    }
}
