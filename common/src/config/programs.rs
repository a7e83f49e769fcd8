//! Which settings each program has: a separate server, or all of them in one.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::Args;
use serde::{Serialize, Serializer};

use super::admin::AdminConfig;
use super::chat::ChatConfig;
use super::files::UploadBounds;
use super::in_force::InForce;
use super::layers::Program;
use super::pages::PagesConfig;
use super::pictures::{ImageConfig, PicturesConfig};
use super::shared::{DatabaseConfig, LimitsConfig, LogConfig, shown};
use super::tls::TlsConfig;
use super::transfer::TransferConfig;
use super::values::port;
use crate::store::DatabaseUrl;

/// A local MySQL or MariaDB with an empty root password, as a fresh installation has.
const DATABASE: (&str, &str) = ("database", "mysql://root@127.0.0.1:3306/myim");

/// The admin socket, in the folder of the data.
pub const ADMIN_SOCKET: &str = "admin.sock";

/// What `mychatserver` uses where nothing is set.
pub const CHAT_DEFAULTS: &[(&str, &str)] = &[("port", "20000"), ("admin_port", "20010"), DATABASE];
/// What `myfileserver` uses where nothing is set.
pub const FILE_DEFAULTS: &[(&str, &str)] = &[("port", "20001"), ("admin_port", "20011"), DATABASE];
/// What `myimgserver` uses where nothing is set.
pub const IMAGE_DEFAULTS: &[(&str, &str)] = &[("port", "20002"), ("admin_port", "20012"), DATABASE];
/// `myim serve` has its other defaults in [`SuiteConfig`].
pub const SUITE_DEFAULTS: &[(&str, &str)] = &[("admin_port", "20010")];

/// One separate server. Its port and database have no default here: they differ by program.
#[derive(Args, Clone, Debug, Serialize)]
pub struct ServerConfig<C: Args> {
    /// Address to listen on
    #[arg(long, value_name = "ADDR", default_value = "0.0.0.0")]
    pub bind: IpAddr,

    /// Port to listen on; 0 takes any free one
    #[arg(long, value_name = "N", value_parser = port)]
    pub port: u16,

    #[command(flatten)]
    #[serde(flatten)]
    pub database: DatabaseConfig,

    #[command(flatten)]
    #[serde(flatten)]
    pub log: LogConfig,

    #[command(flatten)]
    #[serde(flatten)]
    pub limits: LimitsConfig,

    #[command(flatten)]
    #[serde(flatten)]
    pub tls: TlsConfig,

    #[command(flatten)]
    #[serde(flatten)]
    pub pages: PagesConfig,

    #[command(flatten)]
    #[serde(flatten)]
    pub admin: AdminConfig,

    #[command(flatten)]
    #[serde(flatten)]
    pub server: C,
}

impl<C: Args> ServerConfig<C> {
    /// Where to listen.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::new(self.bind, self.port)
    }
}

impl Program for ServerConfig<ChatConfig> {
    fn settle(&mut self) {
        if let DatabaseUrl::Sqlite(path) = &self.database.database {
            let beside = path.with_file_name(ADMIN_SOCKET);
            self.server.socket_at(beside);
        }
        self.server.limits = self.limits.clone();
        self.server.api.allowed_origins = self.pages.allowed_origins.clone();
    }

    fn tell(&mut self, settings: Vec<InForce>) {
        self.server.in_force = settings;
    }
}

impl Program for ServerConfig<TransferConfig> {
    fn settle(&mut self) {
        self.server.limits = self.limits.clone();
        self.server.allowed_origins = self.pages.allowed_origins.clone();
    }
}

impl Program for ServerConfig<ImageConfig> {
    fn settle(&mut self) {
        self.server.transfer.limits = self.limits.clone();
        self.server.transfer.allowed_origins = self.pages.allowed_origins.clone();
    }
}

/// All three servers in one program: `myim serve`.
#[derive(Args, Clone, Serialize)]
pub struct SuiteConfig {
    /// Address to listen on
    #[arg(long, value_name = "ADDR", default_value = "0.0.0.0")]
    pub bind: IpAddr,

    /// Port of the chat server; 0 takes any free one
    #[arg(long, value_name = "N", default_value_t = 20000, value_parser = port)]
    pub chat_port: u16,

    /// Port of the file server; 0 takes any free one
    #[arg(long, value_name = "N", default_value_t = 20001, value_parser = port)]
    pub file_port: u16,

    /// Port of the image server; 0 takes any free one
    #[arg(long, value_name = "N", default_value_t = 20002, value_parser = port)]
    pub image_port: u16,

    /// Directory of the embedded database; made if it is not there
    #[arg(long, value_name = "DIR", default_value = "./data")]
    pub data_dir: PathBuf,

    /// The database: sqlite:PATH or mysql://USER:PASSWORD@HOST:PORT/NAME, with
    /// ?require_ssl=true for TLS [default: sqlite, myim.db in the data directory]
    #[arg(long, value_name = "URL", help_heading = "Database")]
    #[serde(serialize_with = "masked")]
    database: Option<DatabaseUrl>,

    /// Start on a database that may lose acknowledged messages in a power cut
    #[arg(
        long, value_name = "BOOL", default_value_t = false, action = clap::ArgAction::Set,
        num_args = 0..=1, require_equals = true, default_missing_value = "true",
        help_heading = "Database"
    )]
    accept_weak_durability: bool,

    #[command(flatten)]
    #[serde(flatten)]
    pub log: LogConfig,

    #[command(flatten)]
    #[serde(flatten)]
    pub limits: LimitsConfig,

    #[command(flatten)]
    #[serde(flatten)]
    pub tls: TlsConfig,

    #[command(flatten)]
    #[serde(flatten)]
    pub pages: PagesConfig,

    #[command(flatten)]
    #[serde(flatten)]
    pub admin: AdminConfig,

    #[command(flatten)]
    #[serde(flatten)]
    pub chat: ChatConfig,

    #[command(flatten)]
    #[serde(flatten)]
    pub transfer: TransferConfig,

    #[command(flatten)]
    #[serde(flatten)]
    pub pictures: PicturesConfig,
}

impl SuiteConfig {
    /// Which database; the embedded one if nothing else is set.
    pub fn database(&self) -> DatabaseConfig {
        let embedded = || DatabaseUrl::Sqlite(self.data_dir.join("myim.db"));
        DatabaseConfig {
            database: self.database.clone().unwrap_or_else(embedded),
            accept_weak_durability: self.accept_weak_durability,
        }
    }
}

impl Program for SuiteConfig {
    fn settle(&mut self) {
        self.database = Some(self.database().database);
        let folder = self.data_dir.join("tls");
        self.tls.tls_dir.get_or_insert(folder);
        let socket = match &self.database {
            Some(DatabaseUrl::Sqlite(path)) => path.with_file_name(ADMIN_SOCKET),
            Some(DatabaseUrl::MySql(_)) | None => self.data_dir.join(ADMIN_SOCKET),
        };
        self.chat.socket_at(socket);
        self.chat.limits = self.limits.clone();
        self.chat.api.allowed_origins = self.pages.allowed_origins.clone();
        self.transfer.limits = self.limits.clone();
        self.transfer.allowed_origins = self.pages.allowed_origins.clone();
        let file_bytes_max = self.transfer.upload_bytes_max;
        self.chat.files.uploads = Some(UploadBounds {
            file_bytes_max,
            picture_bytes_max: self.pictures.picture_bytes_max.min(file_bytes_max),
        });
    }

    fn tell(&mut self, settings: Vec<InForce>) {
        self.chat.in_force = settings;
    }
}

impl std::fmt::Debug for SuiteConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SuiteConfig")
            .field("database", &self.database())
            .finish_non_exhaustive()
    }
}

fn masked<S: Serializer>(url: &Option<DatabaseUrl>, serializer: S) -> Result<S::Ok, S::Error> {
    match url {
        Some(url) => serializer.collect_str(&shown(url)),
        None => serializer.serialize_none(),
    }
}
