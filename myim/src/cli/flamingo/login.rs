//! `myim flamingo login`: shows friends, then whatever happens.

use anyhow::bail;
use clap::Args;
use client::flamingo::Event;

use super::{Account, Server, Show};

#[derive(Debug, Args)]
pub(super) struct LoginArgs {
    #[command(flatten)]
    account: Account,
}

pub(super) async fn run(server: &Server, show: Show, args: LoginArgs) -> anyhow::Result<()> {
    let client = server.connect().await?;
    let login = args.account.log_in(&client).await?;
    show.login(&login)?;
    // What was missed while away comes first, perhaps more than fits the queue: it has to be
    // taken while the list is on its way.
    let list = client.friend_list();
    tokio::pin!(list);
    let teams = loop {
        tokio::select! {
            teams = &mut list => break teams?,
            event = client.next_event() => show.event(&event?)?,
        }
    };
    show.teams(&teams)?;
    // One wait for all of the time: a signal between two waits would be lost.
    let interrupted = tokio::signal::ctrl_c();
    tokio::pin!(interrupted);
    loop {
        let event = tokio::select! {
            event = client.next_event() => event?,
            _ = &mut interrupted => return Ok(()),
        };
        show.event(&event)?;
        if event == Event::Kicked {
            bail!("logged in elsewhere");
        }
    }
}
