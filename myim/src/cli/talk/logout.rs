//! `myim logout`: ends the sign-ins on the server, then forgets them here.

use clap::Args;
use client::Api;
use common::config::PersonalEnvironment;
use serde_json::json;

use super::Common;
use crate::account::{Credentials, Place, Saved};
use crate::cli::output::Output;
use crate::failure::Failure;

#[derive(Debug, Args)]
pub(crate) struct LogoutArgs {
    /// All accounts that are signed in here
    #[arg(long, conflicts_with = "account")]
    all: bool,
    #[command(flatten)]
    pub(super) common: Common,
}

pub(super) async fn run(args: LogoutArgs) -> anyhow::Result<()> {
    let output = args.common.output();
    let environment = PersonalEnvironment::read();
    let place = Place::of(&environment)?;
    let credentials = Credentials::read(&place)?;
    let chosen = args.common.choice.account.or(environment.account);
    let leaving: Vec<Saved> = if args.all {
        credentials.accounts().to_vec()
    } else if let Some(wanted) = chosen {
        vec![credentials.called(&wanted)?.clone()]
    } else {
        credentials.current().cloned().into_iter().collect()
    };
    if leaving.is_empty() {
        return Err(Failure::NotSignedIn("nobody is signed in".to_owned()).into());
    }
    for saved in leaving {
        leave(&saved, &place, output).await?;
    }
    Ok(())
}

async fn leave(saved: &Saved, place: &Place, output: Output) -> anyhow::Result<()> {
    let api = Api::new(saved.account()?.server);
    for device in [&saved.chat, &saved.command_line] {
        match api.with_token(&device.token).sign_out().await {
            Ok(()) => {}
            // It ended before, for example because its time was over.
            Err(error) if error.code() == Some("unauthenticated") => {}
            Err(error) => return Err(error.into()),
        }
    }
    let name = saved.name();
    Credentials::change(place, |all| all.remove(&name))?;
    output.result(
        &json!({"signed_out": name}),
        &format!("{name} is signed out."),
    )
}
