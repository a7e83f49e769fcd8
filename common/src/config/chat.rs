//! The settings of the chat server.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::api::ApiConfig;
use super::files::FilesConfig;
use super::in_force::InForce;
use super::shared::LimitsConfig;
use super::values::{ByteSize, from_one, from_zero, port, web_address};
use super::web_client::WebClientConfig;
use super::webhooks::WebhookConfig;

/// Time limits, limits of accounts and messages, side doors. `default()` is what a server without
/// any setting uses.
#[derive(Args, Clone, Debug, PartialEq, Serialize)]
#[command(next_help_heading = "Chat server")]
pub struct ChatConfig {
    /// Set from the program's own group of flags.
    #[arg(skip)]
    #[serde(skip)]
    pub limits: LimitsConfig,

    /// Set from what was loaded: everything that is in force.
    #[arg(skip)]
    #[serde(skip)]
    pub in_force: Vec<InForce>,

    /// Close a connection that says nothing at all for so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = from_one::<u64>)]
    pub first_bytes_timeout_s: u64,

    /// Close a connection that has not logged in after so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = from_one::<u64>)]
    pub login_timeout_s: u64,

    /// Close a PC client that has sent heartbeats and then nothing for so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 90, value_parser = from_one::<u64>)]
    pub idle_timeout_pc_s: u64,

    /// Failed logins for one user name from one address before it has to wait
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = from_one::<u32>)]
    pub login_failures_max: u32,

    /// Failed logins from one address, whatever the user names, before it has to wait
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = from_one::<u32>)]
    pub login_failures_per_address_max: u32,

    /// Seconds over which failed logins are counted
    #[arg(long, value_name = "SECONDS", default_value_t = 900, value_parser = from_one::<u64>)]
    pub login_failures_window_s: u64,

    /// Whether new accounts can be made: by everybody, by administrators only (myim admin), or by
    /// who has an invite
    #[arg(long, value_name = "WHO", value_enum, default_value_t = Registration::Open)]
    pub registration: Registration,

    /// New accounts from one address in a minute
    #[arg(long, value_name = "N", default_value_t = 600, value_parser = from_zero::<u32>)]
    pub registrations_per_minute_max: u32,

    /// Passwords hashed at the same time; each takes a processor and 19 MiB
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = from_one::<u32>)]
    pub password_hash_parallel_max: u32,

    /// Who may write to a user: friends, or everyone who knows the number
    #[arg(long, value_name = "WHO", value_enum, default_value_t = DirectMessages::Friends)]
    pub direct_messages: DirectMessages,

    /// Shortest new password in characters; through the API it has at least 8
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = from_one::<u32>)]
    pub password_chars_min: u32,

    /// Longest user name in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 31, value_parser = from_one::<u32>)]
    pub username_bytes_max: u32,

    /// Friends of one user
    #[arg(long, value_name = "N", default_value_t = 3000, value_parser = from_one::<u32>)]
    pub friends_max: u32,

    /// Members of one group
    #[arg(long, value_name = "N", default_value_t = 5000, value_parser = from_one::<u32>)]
    pub group_members_max: u32,

    /// Teams (folders of the contact list) of one user
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = from_one::<u32>)]
    pub teams_max: u32,

    /// Bots of one user; 0 for none
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = from_zero::<u32>)]
    pub bots_max: u32,

    /// Longest message in bytes
    #[arg(long, value_name = "BYTES", default_value_t = ByteSize(64_000))]
    pub message_bytes_max: ByteSize,

    /// Seconds in which an author may take a message back; 0 for never
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = from_zero::<u64>)]
    pub recall_within_s: u64,

    /// Seconds in which an author may edit a message; 0 for never
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400, value_parser = from_zero::<u64>)]
    pub edit_within_s: u64,

    /// Seconds between two questions whether a WebSocket client is still there; one that is
    /// silent for twice as long is closed
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = from_one::<u64>)]
    pub heartbeat_s: u64,

    /// Members of the largest group whose messages go to everybody on line at once; in larger
    /// ones only those who look at the group get them, the others hear that it moved
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = from_zero::<u32>)]
    pub fanout_members_max: u32,

    /// Members from which on nobody gets a group's messages unasked
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = from_zero::<u32>)]
    pub heads_only_members_min: u32,

    /// How people reach this server, like https://chat.example; it is told with every invite
    /// [default: none]
    #[arg(long, value_name = "URL", value_parser = web_address)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_url: Option<String>,

    /// What people read as the name of this server
    /// [default: the host of the public URL, or myim]
    #[arg(long, value_name = "NAME", value_parser = server_name)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,

    /// The socket through which the operator of this machine administers the server without
    /// signing in [default: admin.sock beside an embedded database]
    #[arg(long, value_name = "PATH")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admin_socket: Option<PathBuf>,

    /// Nobody asked for that socket: it stands where it does by default.
    #[arg(skip)]
    #[serde(skip)]
    pub is_admin_socket_default: bool,

    /// Port of the text monitor; it asks no password [default: off]
    #[arg(long, value_name = "N", value_parser = port)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub monitor_port: Option<u16>,

    /// Address of the text monitor
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1")]
    pub monitor_bind: IpAddr,

    /// Port of the HTTP service for registration [default: off]
    #[arg(long, value_name = "N", value_parser = port)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_port: Option<u16>,

    /// Address of the HTTP service
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1")]
    pub http_bind: IpAddr,

    #[command(flatten)]
    #[serde(flatten)]
    pub api: ApiConfig,

    #[command(flatten)]
    #[serde(flatten)]
    pub files: FilesConfig,

    #[command(flatten)]
    #[serde(flatten)]
    pub webhooks: WebhookConfig,

    #[command(flatten)]
    #[serde(flatten)]
    pub web_client: WebClientConfig,
}

/// The longest name of a server, in characters: it stands in the title of a page.
const SERVER_NAME_CHARS_MAX: usize = 64;

fn server_name(text: &str) -> Result<String, String> {
    let is_name = !text.trim().is_empty()
        && text.chars().count() <= SERVER_NAME_CHARS_MAX
        && !text.chars().any(char::is_control);
    is_name
        .then(|| text.trim().to_owned())
        .ok_or_else(|| "not a name of 1 to 64 characters in one line".to_owned())
}

impl ChatConfig {
    /// What people read as the name of this server.
    pub fn name(&self) -> String {
        let host = || {
            let url = self.public_url.as_deref()?;
            let (_, place) = url.split_once("://")?;
            let host = place.split(['/', ':']).next()?;
            (!host.is_empty() && !host.starts_with('[')).then(|| host.to_owned())
        };
        let name = self.server_name.clone().or_else(host);
        name.unwrap_or_else(|| "myim".to_owned())
    }

    /// Where the admin socket is if nobody said where.
    pub(super) fn socket_at(&mut self, usual: PathBuf) {
        self.is_admin_socket_default = self.admin_socket.is_none();
        self.admin_socket.get_or_insert(usual);
    }
}

impl Default for ChatConfig {
    fn default() -> Self {
        super::layers::defaults()
    }
}

/// Whether accounts can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Registration {
    Open,
    Closed,
    Invite,
}

/// Who may write to a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DirectMessages {
    Friends,
    Everyone,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_has_the_name_that_it_was_given_or_that_of_its_host() {
        let named = |name: Option<&str>, url: Option<&str>| {
            let config = ChatConfig {
                server_name: name.map(str::to_owned),
                public_url: url.map(str::to_owned),
                ..ChatConfig::default()
            };
            config.name()
        };
        assert_eq!(named(None, None), "myim");
        let url = Some("https://chat.example:8443/im");
        assert_eq!(named(None, url), "chat.example");
        assert_eq!(named(None, Some("http://[::1]:20000")), "myim");
        assert_eq!(named(Some("Our chat"), url), "Our chat");
        assert_eq!(server_name(" Our chat "), Ok("Our chat".to_owned()));
        for wrong in ["", " ", "a\nb", &"x".repeat(65)] {
            assert!(server_name(wrong).is_err(), "{wrong:?}");
        }
    }
}
