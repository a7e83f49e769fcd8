//! `myim flamingo befriend`: asks somebody to be a friend, or says yes if he has asked.

use anyhow::{bail, ensure};
use clap::Args;
use client::flamingo::Client;
use common::id::{Peer, UserId};
use serde_json::json;

use super::{Account, Server, Show};

#[derive(Debug, Args)]
pub(super) struct BefriendArgs {
    #[command(flatten)]
    account: Account,
    /// The other one's user name
    #[arg(value_name = "OTHER")]
    other: String,
}

/// What came of it.
#[derive(Clone, Copy)]
enum Step {
    Already,
    Accepted,
    Asked,
}

pub(super) async fn run(server: &Server, show: Show, args: BefriendArgs) -> anyhow::Result<()> {
    let client = server.connect().await?;
    let own = args.account.log_in(&client).await?;
    ensure!(own.username != args.other, "one cannot befriend oneself");
    let befriending = befriend(&client, &args.other);
    tokio::pin!(befriending);
    // Logging in takes over what was waiting for this user: it must be shown, or it is lost.
    let step = loop {
        tokio::select! {
            biased;
            event = client.next_event() => show.event(&event?)?,
            step = &mut befriending => break step?,
        }
    };
    let other = &args.other;
    let (word, sentence) = match step {
        Step::Already => ("already", format!("You and {other} are friends already.")),
        Step::Accepted => ("accepted", format!("You and {other} are friends now.")),
        Step::Asked => (
            "asked",
            format!("Asked {other}. The answer comes with {other}'s own `befriend`."),
        ),
    };
    show.line(&json!({"befriend": word, "user": other}), &sentence)
}

async fn befriend(client: &Client, other: &str) -> anyhow::Result<Step> {
    let user = match client.find(other).await? {
        Some(found) => match found.id {
            Peer::User(user) => user,
            Peer::Group(_) => bail!("{other} is a group; a group is joined, not befriended"),
        },
        None => bail!("nobody is called {other}"),
    };
    let teams = client.friend_list().await?;
    if teams
        .iter()
        .flat_map(|team| &team.members)
        .any(|member| member.id == Peer::User(user))
    {
        return Ok(Step::Already);
    }
    if has_asked(client, user).await? {
        return Ok(Step::Accepted);
    }
    client.apply(user).await?;
    // Requests are carried out in order: when this is answered, the application is saved.
    client.heartbeat().await?;
    Ok(Step::Asked)
}

/// Says yes. The server answers that with silence if nobody has asked; the heartbeat behind it
/// tells when to stop waiting.
async fn has_asked(client: &Client, user: UserId) -> anyhow::Result<bool> {
    tokio::select! {
        biased;
        answered = client.answer(user, true) => answered.map(|()| true).map_err(Into::into),
        passed = client.heartbeat() => passed.map(|()| false).map_err(Into::into),
    }
}
