//! The settings of outgoing webhooks.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use ipnet::IpNet;
use serde::{Serialize, Serializer};

use super::values::{from_one, from_zero};

/// Where webhooks may post to, and how patient they are.
#[derive(Args, Clone, Debug, PartialEq, Eq, Serialize)]
#[command(next_help_heading = "Chat server: outgoing webhooks")]
pub struct WebhookConfig {
    /// Networks that are not public and may be posted to all the same, like 10.1.0.0/16, with
    /// commas between them [default: none]
    #[arg(long, value_name = "NETWORKS", default_value_t = Networks::default())]
    pub webhook_allowed_networks: Networks,

    /// Certificates in PEM that targets may show besides those the system trusts
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook_ca: Option<PathBuf>,

    /// Times that an event is posted before it is put aside as a dead letter
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = from_one::<u32>)]
    pub webhook_attempts_max: u32,

    /// Milliseconds before an event is posted for the second time, at the most; the next pauses
    /// are five times as long each, up to 20 minutes
    #[arg(long, value_name = "MS", default_value_t = 1000, value_parser = from_one::<u32>)]
    pub webhook_retry_first_ms: u32,

    /// Milliseconds in which a target has to answer, everything included
    #[arg(long, value_name = "MS", default_value_t = 5000, value_parser = from_one::<u32>)]
    pub webhook_timeout_ms: u32,

    /// Outgoing webhooks of all accounts together; 0 for none
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = from_zero::<u32>)]
    pub webhooks_max: u32,
}

impl Default for WebhookConfig {
    fn default() -> Self {
        super::ChatConfig::default().webhooks
    }
}

/// Networks, each written as an address with the length of its prefix; or addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// Whether the address is in one of them.
    pub fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

impl FromStr for Networks {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let networks = text.split(',').map(str::trim).filter(|one| !one.is_empty());
        networks
            .map(|one| {
                let network = one.parse::<IpNet>().ok();
                let network = network.or_else(|| one.parse::<IpAddr>().ok().map(IpNet::from));
                let network = network.map(|network| network.trunc());
                network.ok_or_else(|| format!("{one:?} is not a network like 10.1.0.0/16"))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl fmt::Display for Networks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let networks: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&networks.join(","))
    }
}

impl Serialize for Networks {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_written_with_their_prefix() {
        let read = |text: &str| text.parse::<Networks>().map(|one| one.to_string()).ok();
        assert_eq!(read("").as_deref(), Some(""));
        assert_eq!(
            read("10.1.2.3/16, ::1,127.0.0.1").as_deref(),
            Some("10.1.0.0/16,::1/128,127.0.0.1/32")
        );
        for wrong in [
            "10.0.0.0/33",
            "localhost",
            "10.0.0",
            "10.0.0.0/8 10.1.0.0/8",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        let networks: Networks = "10.1.0.0/16,fd00::/8".parse().unwrap();
        for (address, is_in) in [("10.1.255.1", true), ("10.2.0.1", false), ("fd12::1", true)] {
            assert_eq!(
                networks.contain(address.parse().unwrap()),
                is_in,
                "{address}"
            );
        }
    }
}
