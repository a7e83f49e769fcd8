//! Which web pages may use the servers.

use clap::Args;
use serde::Serialize;

use super::Origins;

/// Web pages of others.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[command(next_help_heading = "Web pages")]
pub struct PagesConfig {
    /// Other sites whose pages may use the API and move files, like https://chat.example, with
    /// commas between them; pages of this server always may [default: none]
    #[arg(long, value_name = "ORIGINS", default_value_t = Origins::default())]
    pub allowed_origins: Origins,
}
