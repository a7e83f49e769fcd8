//! The settings of the admin port, which all servers have.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use clap::Args;
use serde::{Serialize, Serializer};

use super::values::ByteSize;

/// Where a server tells how it is, and what it takes for well. The port has no default here: it
/// differs by program.
#[derive(Args, Clone, Debug, Serialize)]
#[command(next_help_heading = "Admin port")]
pub struct AdminConfig {
    /// Port of /livez, /readyz, /metrics and /version over HTTP; 0 takes any free one, off none
    #[arg(long, value_name = "N")]
    pub admin_port: AdminPort,

    /// Address of the admin port; it asks no password
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1")]
    pub admin_bind: IpAddr,

    /// Not ready when the disk has fewer free bytes than this or than a twentieth of all; 0 does
    /// not look at the disk
    #[arg(long, value_name = "BYTES", default_value_t = ByteSize(1 << 30))]
    pub ready_disk_free_bytes_min: ByteSize,
}

impl AdminConfig {
    /// Where to listen, if at all.
    pub fn address(&self) -> Option<SocketAddr> {
        match self.admin_port {
            AdminPort::Off => None,
            AdminPort::Number(port) => Some(SocketAddr::new(self.admin_bind, port)),
        }
    }
}

/// A port number, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdminPort {
    Off,
    Number(u16),
}

impl FromStr for AdminPort {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "off" => Ok(Self::Off),
            number => number
                .parse()
                .map(Self::Number)
                .map_err(|_| "neither a port number from 0 to 65535 nor off".to_owned()),
        }
    }
}

impl fmt::Display for AdminPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::Number(port) => write!(f, "{port}"),
        }
    }
}

impl Serialize for AdminPort {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Off => serializer.serialize_str("off"),
            Self::Number(port) => serializer.serialize_u16(*port),
        }
    }
}
