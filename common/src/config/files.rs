//! Where people fetch files, as the chat server tells them.

use clap::Args;
use serde::Serialize;

use super::values::{ByteSize, from_one, web_address};

/// How the file and the image server are reached, and how long an address is good.
#[derive(Args, Clone, Debug, PartialEq, Eq, Serialize)]
#[command(next_help_heading = "Chat server: addresses of files")]
pub struct FilesConfig {
    /// Set by a program that runs the other servers too.
    #[arg(skip)]
    #[serde(skip)]
    pub ports: FilePorts,

    /// Set by a program that runs the other servers too; of others nobody knows here.
    #[arg(skip)]
    #[serde(skip)]
    pub uploads: Option<UploadBounds>,

    /// How people reach the file server, like https://files.example
    /// [default: its port of the host that was asked]
    #[arg(long, value_name = "URL", value_parser = web_address)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_url: Option<String>,

    /// How people reach the image server, like https://images.example
    /// [default: its port of the host that was asked]
    #[arg(long, value_name = "URL", value_parser = web_address)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_url: Option<String>,

    /// Seconds for which the address of a file can be used by whoever has it
    #[arg(long, value_name = "SECONDS", default_value_t = 3600, value_parser = from_one::<u64>)]
    pub file_url_valid_s: u64,
}

impl Default for FilesConfig {
    fn default() -> Self {
        super::ChatConfig::default().files
    }
}

/// How large what is uploaded may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UploadBounds {
    pub file_bytes_max: ByteSize,
    pub picture_bytes_max: ByteSize,
}

/// The ports of the transfer servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilePorts {
    pub file: u16,
    pub image: u16,
}

impl Default for FilePorts {
    fn default() -> Self {
        Self {
            file: 20001,
            image: 20002,
        }
    }
}
