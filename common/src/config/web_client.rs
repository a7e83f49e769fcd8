//! The settings of the web client.

use std::path::PathBuf;

use clap::{ArgAction, Args};
use serde::Serialize;

/// Whether browsers find a client on the chat port, and which.
#[derive(Args, Clone, Debug, PartialEq, Eq, Serialize)]
#[command(next_help_heading = "Chat server: web client")]
pub struct WebClientConfig {
    /// Give browsers the web client, at / of the chat port
    #[arg(
        long, value_name = "BOOL", default_value_t = true, action = ArgAction::Set,
        num_args = 0..=1, require_equals = true, default_missing_value = "true"
    )]
    pub web_client: bool,

    /// Take the files of the web client from this directory and read them anew each time, for
    /// people who change it [default: those that are built in]
    #[arg(long, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub web_client_dir: Option<PathBuf>,
}

impl Default for WebClientConfig {
    fn default() -> Self {
        super::ChatConfig::default().web_client
    }
}
