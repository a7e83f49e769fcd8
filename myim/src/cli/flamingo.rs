//! `myim flamingo …`: registers, logs in, writes and moves files as the existing clients do.
//!
//! Only reads arguments and shows results; the protocol is `client::flamingo`'s.

mod befriend;
mod download;
mod login;
mod progress;
mod register;
mod send;
mod show;
mod upload;

use clap::{Args, Subcommand, ValueEnum};
use client::flamingo::{Client, Imitate, LoginReply, Options};
use common::wire::command::{CHAT_PORT, FILE_PORT, IMAGE_PORT, client_type, status};

use self::show::Show;
use crate::cli::password;

#[derive(Debug, Args)]
pub(crate) struct FlamingoArgs {
    /// The server's name or address
    #[arg(long, global = true, default_value = "127.0.0.1", value_name = "HOST")]
    server: String,
    /// The server's port [default: 20000 for chat, 20001 for files, 20002 for pictures]
    #[arg(long, global = true)]
    port: Option<u16>,
    /// Print one JSON object for each line
    #[arg(long, global = true)]
    json: bool,
    /// Which existing client to write like
    #[arg(long = "like", global = true, value_enum, default_value_t = Like::Pc)]
    like: Like,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Like {
    Pc,
    Android,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make an account
    Register(register::RegisterArgs),
    /// Log in, show the friend list, then everything that happens until Ctrl-C
    Login(login::LoginArgs),
    /// Ask somebody to be a friend, or say yes if he has asked
    Befriend(befriend::BefriendArgs),
    /// Write to a friend or a group
    Send(send::SendArgs),
    /// Put a file on the file server, or a picture on the image server
    Upload(upload::UploadArgs),
    /// Get a file from the file server, or a picture from the image server
    Download(download::DownloadArgs),
}

pub(crate) async fn run(args: FlamingoArgs) -> anyhow::Result<()> {
    let server = Server {
        host: args.server,
        port: args.port,
        imitate: match args.like {
            Like::Pc => Imitate::Pc,
            Like::Android => Imitate::Android,
        },
    };
    let show = Show { json: args.json };
    match args.verb {
        Verb::Register(args) => register::run(&server, show, args).await,
        Verb::Login(args) => login::run(&server, show, args).await,
        Verb::Befriend(args) => befriend::run(&server, show, args).await,
        Verb::Send(args) => send::run(&server, show, args).await,
        Verb::Upload(args) => upload::run(&server, show, args).await,
        Verb::Download(args) => download::run(&server, show, args).await,
    }
}

/// Where to, and as whom.
struct Server {
    host: String,
    port: Option<u16>,
    imitate: Imitate,
}

impl Server {
    fn chat(&self) -> String {
        self.address(CHAT_PORT)
    }

    /// The file server, or the image server.
    fn files(&self, image: bool) -> String {
        self.address(if image { IMAGE_PORT } else { FILE_PORT })
    }

    fn address(&self, usual: u16) -> String {
        let port = self.port.unwrap_or(usual);
        if self.host.contains(':') && !self.host.starts_with('[') {
            format!("[{}]:{port}", self.host)
        } else {
            format!("{}:{port}", self.host)
        }
    }

    async fn connect(&self) -> anyhow::Result<Client> {
        let options = Options {
            imitate: self.imitate,
            ..Options::default()
        };
        Ok(Client::connect_with(&self.chat(), options).await?)
    }
}

/// Who logs in.
#[derive(Debug, Args)]
struct Account {
    /// The account's user name
    #[arg(value_name = "USER")]
    name: String,
    /// The password; better given in the environment, on standard input or at the prompt
    #[arg(long, env = "MYIM_PASSWORD", hide_env_values = true)]
    password: Option<String>,
    /// The kind of device; a second login of one kind ends the first
    #[arg(long, value_enum)]
    device: Option<Device>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Device {
    Pc,
    Android,
    Ios,
    Mac,
}

impl Account {
    async fn log_in(self, client: &Client) -> anyhow::Result<LoginReply> {
        let password = password::read(self.password, false).await?;
        let imitate = client.options().imitate;
        let (kind, status) = match self.device {
            None => (imitate.client_type(), imitate.status()),
            Some(Device::Pc) => (client_type::PC, status::PC_ONLINE),
            Some(Device::Android) => (client_type::ANDROID, status::ANDROID_CELLULAR),
            Some(Device::Ios) => (client_type::IOS, status::IOS),
            Some(Device::Mac) => (client_type::MAC, status::MAC),
        };
        Ok(client.login_as(&self.name, &password, kind, status).await?)
    }
}
