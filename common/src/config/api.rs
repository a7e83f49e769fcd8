//! The settings of the HTTP and WebSocket API.

use std::fmt;
use std::str::FromStr;

use clap::Args;
use serde::{Serialize, Serializer};

use super::values::{from_one, from_zero};

/// Who may ask from where, how long a sign-in lasts, and how much may be asked for.
#[derive(Args, Clone, Debug, PartialEq, Eq, Serialize)]
#[command(next_help_heading = "Chat server: HTTP and WebSocket API")]
pub struct ApiConfig {
    /// Set from the program's own group of flags.
    #[arg(skip)]
    #[serde(skip)]
    pub allowed_origins: Origins,

    /// Days after which a device has to sign in again
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = from_one::<u32>)]
    pub session_days: u32,

    /// Sign-ins and new accounts from one address in a second; 0 for no limit
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = from_zero::<u32>)]
    pub rate_sign_ins_per_s: u32,

    /// Messages of one account in a second; four times as many from one address; 0 for no limit
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = from_zero::<u32>)]
    pub rate_sends_per_s: u32,

    /// Reading calls of one account in a second; four times as many from one address; 0 for no limit
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = from_zero::<u32>)]
    pub rate_reads_per_s: u32,

    /// Other writing calls of one account in a second; four times as many from one address; 0 for
    /// no limit
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = from_zero::<u32>)]
    pub rate_writes_per_s: u32,

    /// Searches of one account in a second; four times as many from one address; 0 for no limit
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = from_zero::<u32>)]
    pub rate_searches_per_s: u32,
}

impl Default for ApiConfig {
    fn default() -> Self {
        super::ChatConfig::default().api
    }
}

/// Sites, each written as browsers write it: scheme, name and, if it is not the scheme's own, port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins(Vec<String>);

impl Origins {
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl FromStr for Origins {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let origins = text.split(',').map(str::trim).filter(|one| !one.is_empty());
        origins
            .map(|origin| {
                let site = origin
                    .strip_prefix("https://")
                    .or_else(|| origin.strip_prefix("http://"));
                let is_site = |site: &str| {
                    !site.is_empty() && site.bytes().all(|b| b.is_ascii_graphic() && b != b'/')
                };
                match site {
                    Some(site) if is_site(site) => Ok(origin.to_ascii_lowercase()),
                    _ => Err(format!(
                        "{origin:?} is not a site like https://chat.example"
                    )),
                }
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl fmt::Display for Origins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(","))
    }
}

impl Serialize for Origins {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sites_are_written_as_browsers_write_them() {
        let read = |text: &str| text.parse::<Origins>().map(|origins| origins.0).ok();
        assert_eq!(read(""), Some(Vec::new()));
        assert_eq!(
            read("https://Chat.example, http://10.0.0.7:8080"),
            Some(vec![
                "https://chat.example".to_owned(),
                "http://10.0.0.7:8080".to_owned()
            ])
        );
        for wrong in ["chat.example", "https://", "https://a/b", "null", "*"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
