//! `myim login`: signs in the two devices of this machine, and writes their tokens down.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use clap::Args;
use client::model::{DeviceKind, time};
use client::{Api, Device, Server, SignedIn};
use common::config::PersonalEnvironment;
use serde_json::json;

use super::Format;
use crate::account::{self, Credentials, Place, Saved, SignIn};
use crate::cli::password;
use crate::failure::Failure;

#[derive(Debug, Args)]
pub(crate) struct LoginArgs {
    #[command(flatten)]
    to: Where,
    /// The user name [default: asked for]
    #[arg(value_name = "USER")]
    user: Option<String>,
    /// Read the password from this file, - for standard input [default: asked for]
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    #[command(flatten)]
    pub(super) format: Format,
}

/// Which server.
#[derive(Debug, Args)]
pub(super) struct Where {
    /// The server, like https://chat.example or localhost [env: MYIM_SERVER] [default: asked for]
    #[arg(value_name = "SERVER")]
    server: Option<String>,
    /// Trust the certificates in this PEM file too, for example that of --tls-self-signed
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// The port of the file server [default: what the server tells, or 20001]
    #[arg(long, value_name = "PORT")]
    file_port: Option<u16>,
    /// The port of the image server [default: what the server tells, or 20002]
    #[arg(long, value_name = "PORT")]
    image_port: Option<u16>,
}

impl Where {
    pub(super) async fn server(&self) -> anyhow::Result<Server> {
        let given = self.server.clone().or(PersonalEnvironment::read().server);
        let address = match given {
            Some(address) => address,
            None => asked("Server: ", "say which server and which user: SERVER USER").await?,
        };
        let ports = (self.file_port, self.image_port);
        account::server_at(&address, self.ca.as_deref(), ports)
    }
}

/// The user name that was given, or asked for.
pub(super) async fn user(given: Option<String>) -> anyhow::Result<String> {
    match given {
        Some(user) => Ok(user),
        None => asked("User name: ", "say which user: SERVER USER").await,
    }
}

async fn asked(prompt: &str, otherwise: &str) -> anyhow::Result<String> {
    if !io::stdin().is_terminal() {
        return Err(Failure::usage(otherwise).into());
    }
    let answer = password::ask_openly(prompt).await?;
    if answer.is_empty() {
        return Err(Failure::usage(otherwise).into());
    }
    Ok(answer)
}

pub(super) async fn run(args: LoginArgs) -> anyhow::Result<()> {
    let server = args.to.server().await?;
    let username = user(args.user).await?;
    let password = password::from_file(args.password_file.as_deref(), false).await?;
    let place = Place::of(&PersonalEnvironment::read())?;
    // Written before the first sign-in: the ids of the devices are made once.
    let ids = Credentials::change(&place, |all| (all.device_id("cli"), all.device_id("chat")))?;
    let devices = [
        Device::new(DeviceKind::Cli, "command line").known_as(ids.0),
        Device::new(DeviceKind::Cli, "terminal client").known_as(ids.1),
    ];
    let api = Api::new(server.clone());
    let command_line = api.sign_in(&username, &password, &devices[0]).await?;
    let chat = api.sign_in(&username, &password, &devices[1]).await?;
    let user = command_line.user.clone();
    let saved = Saved {
        server: server.to_string(),
        user_id: user.id,
        username: user.username.clone(),
        ca: args.to.ca.as_deref().map(absolute).transpose()?,
        file_port: args.to.file_port,
        image_port: args.to.image_port,
        command_line: sign_in(command_line),
        chat: sign_in(chat),
    };
    let name = saved.name();
    let shown = json!({
        "account": name,
        "user": user,
        "expires_at": saved.command_line.expires_at.map(time::text),
    });
    Credentials::change(&place, |all| all.add(saved))?;
    args.format
        .output()
        .result(&shown, &format!("Signed in as {name}."))
}

fn sign_in(signed_in: SignedIn) -> SignIn {
    SignIn {
        token: signed_in.token,
        session_id: signed_in.session_id,
        expires_at: signed_in.expires_at,
    }
}

/// The next command may run in another directory.
fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|error| Failure::local(path.display(), error))
}
