//! `myim register`: makes an account.

use std::path::PathBuf;

use clap::Args;
use client::Api;
use client::model::Registration;
use serde_json::json;

use super::Format;
use super::login::Where;
use crate::cli::password;

#[derive(Debug, Args)]
pub(crate) struct RegisterArgs {
    #[command(flatten)]
    to: Where,
    /// The user name to register [default: asked for]
    #[arg(value_name = "USER")]
    user: Option<String>,
    /// The name to show to others [default: the user name]
    #[arg(long)]
    nickname: Option<String>,
    /// The code of an invitation, where the server asks for one
    #[arg(long, value_name = "CODE")]
    invite: Option<String>,
    /// Read the password from this file, - for standard input [default: asked for]
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    #[command(flatten)]
    pub(super) format: Format,
}

pub(super) async fn run(args: RegisterArgs) -> anyhow::Result<()> {
    let server = args.to.server().await?;
    let username = super::login::user(args.user).await?;
    let password = password::from_file(args.password_file.as_deref(), true).await?;
    let wanted = Registration {
        username,
        password,
        nickname: args.nickname,
        invite: args.invite,
    };
    let user = Api::new(server.clone()).register(&wanted).await?;
    args.format.output().result(
        &json!({"user": user}),
        &format!(
            "{} is registered, number {}. Next: myim login {server} {}",
            user.username, user.id, user.username
        ),
    )
}
