//! The settings that all servers have: database, log, limits of connections.

use std::fmt;

use clap::{ArgAction, Args, ValueEnum};
use serde::{Serialize, Serializer};

use super::values::{from_one, mask_password};
use crate::net::ConnectionLimits;
use crate::store::{DatabaseUrl, OpenOptions};

/// Which database, and how sure it must be.
#[derive(Args, Clone, Serialize)]
pub struct DatabaseConfig {
    /// The database: mysql://USER:PASSWORD@HOST:PORT/NAME, with ?require_ssl=true for TLS, or
    /// sqlite:PATH
    #[arg(long, value_name = "URL", help_heading = "Database")]
    #[serde(serialize_with = "masked")]
    pub database: DatabaseUrl,

    /// Start on a database that may lose acknowledged messages in a power cut
    #[arg(
        long, value_name = "BOOL", default_value_t = false, action = ArgAction::Set,
        num_args = 0..=1, require_equals = true, default_missing_value = "true",
        help_heading = "Database"
    )]
    pub accept_weak_durability: bool,
}

impl fmt::Debug for DatabaseConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatabaseConfig")
            .field("database", &shown(&self.database))
            .field("accept_weak_durability", &self.accept_weak_durability)
            .finish()
    }
}

/// The URL without its password.
pub(super) fn shown(url: &DatabaseUrl) -> String {
    match url {
        DatabaseUrl::MySql(url) => mask_password(url),
        DatabaseUrl::Sqlite(path) => format!("sqlite:{}", path.display()),
    }
}

fn masked<S: Serializer>(url: &DatabaseUrl, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&shown(url))
}

impl DatabaseConfig {
    /// As the store wants them.
    pub fn options(&self) -> OpenOptions {
        OpenOptions {
            accept_weak_durability: self.accept_weak_durability,
        }
    }

    /// The URL without its password, for people.
    pub fn shown(&self) -> String {
        shown(&self.database)
    }
}

/// What is logged, and how.
#[derive(Args, Clone, Debug, Serialize)]
pub struct LogConfig {
    /// What to log: error, warn, info, debug, trace, or by module: info,chat_server=debug
    #[arg(long, value_name = "FILTER", default_value = "info", value_parser = filter)]
    #[arg(help_heading = "Log")]
    pub log: String,

    /// How to log: auto is text on a terminal and JSON elsewhere
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = LogFormat::Auto)]
    #[arg(help_heading = "Log")]
    pub log_format: LogFormat,
}

fn filter(text: &str) -> Result<String, String> {
    tracing_subscriber::EnvFilter::builder()
        .parse(text)
        .map(|_| text.to_owned())
        .map_err(|error| format!("not a log filter: {error}"))
}

/// The format of the log on standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    Text,
    Json,
    Auto,
}

/// Limits of connections, for every listener on its own.
#[derive(Args, Clone, Debug, PartialEq, Eq, Serialize)]
#[command(next_help_heading = "Connections")]
pub struct LimitsConfig {
    /// Connections at most [default: what the descriptor limit allows]
    #[arg(long, value_name = "N", value_parser = from_one::<u32>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connections_max: Option<u32>,

    /// Connections of one address at most (IPv6: of one /64 network)
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = from_one::<u32>)]
    pub connections_per_address_max: u32,

    /// Connections of one address that have not logged in yet, at most
    #[arg(long, value_name = "N", default_value_t = 512, value_parser = from_one::<u32>)]
    pub greeting_per_address_max: u32,

    /// Close a connection that takes not one byte for so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = from_one::<u64>)]
    pub write_stall_s: u64,

    /// Time in seconds to finish what is under way when told to stop
    #[arg(long, value_name = "SECONDS", default_value_t = 8, value_parser = drain)]
    pub drain_s: u64,
}

/// The program ends within 10 s whatever happens, so draining must not be planned for longer.
fn drain(text: &str) -> Result<u64, String> {
    text.parse()
        .ok()
        .filter(|seconds| *seconds <= 9)
        .ok_or_else(|| "not a whole number from 0 to 9".to_owned())
}

impl LimitsConfig {
    /// Unless it is set, allows as many connections as `descriptors` are enough for, if each takes
    /// `each`.
    pub fn fit(&mut self, descriptors: u64, each: u64) {
        let fitting = u32::try_from(descriptors / each.max(1)).unwrap_or(u32::MAX);
        self.connections_max.get_or_insert(fitting.max(1));
    }

    /// As the accept loop wants them.
    pub fn connections(&self) -> ConnectionLimits {
        let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        ConnectionLimits {
            total_max: self
                .connections_max
                .map_or(ConnectionLimits::default().total_max, count),
            per_address_max: count(self.connections_per_address_max),
            greeting_per_address_max: count(self.greeting_per_address_max),
        }
    }
}

impl Default for LimitsConfig {
    fn default() -> Self {
        super::layers::defaults()
    }
}
