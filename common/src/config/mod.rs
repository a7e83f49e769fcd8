//! The settings of every server: typed, explained by `--help`, printed by `--print-config`.
//!
//! A setting has one name everywhere: `--chat-port 20000` is `chat_port = 20000` in the file of
//! `--config` and `MYIM_CHAT_PORT=20000` in the environment. A flag wins over the environment,
//! the environment over the file, the file over the default.

mod admin;
mod api;
mod blob_store;
mod chat;
mod files;
mod in_force;
mod layers;
mod pages;
mod person;
mod pictures;
#[cfg(feature = "planted")]
pub mod planted;
mod programs;
mod shared;
mod terminal;
mod tls;
mod transfer;
mod values;
mod web_client;
mod webhooks;

pub use admin::{AdminConfig, AdminPort};
pub use api::{ApiConfig, Origins};
pub use blob_store::{AwsEnvironment, BlobStoreAt, BucketAt};
pub use chat::{ChatConfig, DirectMessages, Registration};
pub use files::{FilePorts, FilesConfig, UploadBounds};
pub use in_force::{InForce, Origin};
pub use layers::{About, ConfigError, Loaded, Program, load, load_from};
pub use pages::PagesConfig;
pub use person::PersonalEnvironment;
pub use pictures::{Cut, ImageConfig, PicturesConfig, Rendition, Renditions};
pub use programs::{
    ADMIN_SOCKET, CHAT_DEFAULTS, FILE_DEFAULTS, IMAGE_DEFAULTS, SUITE_DEFAULTS, ServerConfig,
    SuiteConfig,
};
pub use shared::{DatabaseConfig, LimitsConfig, LogConfig, LogFormat};
pub use terminal::TerminalEnvironment;
pub use tls::TlsConfig;
pub use transfer::{Access, TransferConfig};
pub use values::{ByteSize, mask_password};
pub use web_client::WebClientConfig;
pub use webhooks::{Networks, WebhookConfig};
