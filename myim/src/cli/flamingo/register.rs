//! `myim flamingo register`: makes an account.

use clap::Args;
use serde_json::json;

use super::{Server, Show};
use crate::cli::password;

#[derive(Debug, Args)]
pub(super) struct RegisterArgs {
    /// The user name to register
    #[arg(value_name = "USER")]
    name: String,
    /// The name to show to others [default: the user name]
    #[arg(long)]
    nickname: Option<String>,
    /// The password; better given in the environment, on standard input or at the prompt
    #[arg(long, env = "MYIM_PASSWORD", hide_env_values = true)]
    password: Option<String>,
}

pub(super) async fn run(server: &Server, show: Show, args: RegisterArgs) -> anyhow::Result<()> {
    let password = password::read(args.password, true).await?;
    let nickname = args.nickname.as_deref().unwrap_or(&args.name);
    let client = server.connect().await?;
    client.register(&args.name, nickname, &password).await?;
    show.line(
        &json!({"registered": args.name}),
        &format!("{} is registered.", args.name),
    )
}
