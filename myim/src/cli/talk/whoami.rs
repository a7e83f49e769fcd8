//! `myim whoami`: shows whose account is used, as the server knows it.

use clap::Args;
use client::model::time;
use common::config::PersonalEnvironment;
use serde_json::json;

use super::Common;
use crate::account::{Credentials, Place, Saved};

#[derive(Debug, Args)]
pub(crate) struct WhoamiArgs {
    /// List all accounts that are signed in here, without asking their servers
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    pub(super) common: Common,
}

pub(super) async fn run(args: WhoamiArgs) -> anyhow::Result<()> {
    let output = args.common.output();
    if args.all {
        let credentials = Credentials::read(&Place::of(&PersonalEnvironment::read())?)?;
        let current = credentials.current().map(Saved::name);
        let shown: Vec<_> = credentials
            .accounts()
            .iter()
            .map(|saved| {
                json!({
                    "account": saved.name(),
                    "user_id": saved.user_id.to_string(),
                    "current": current.as_ref() == Some(&saved.name()),
                    "expires_at": saved.command_line.expires_at.map(time::text),
                })
            })
            .collect();
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        return output.list(&shown, ["ACCOUNT", "NUMBER", "CURRENT"], |one| {
            let current = if one["current"] == true { "yes" } else { "" };
            [
                text(&one["account"]),
                text(&one["user_id"]),
                current.to_owned(),
            ]
        });
    }
    let account = args.common.account()?;
    let user = account.api().me().await?;
    let name = format!("{}@{}", user.username, account.server);
    output.result(
        &json!({"account": name, "user": user}),
        &format!("{name}, number {} ({})", user.id, user.nickname),
    )
}
