//! `myim flamingo send`: writes one message.

use anyhow::{bail, ensure};
use clap::Args;
use client::flamingo::{Client, Team};
use common::id::Peer;
use serde_json::json;

use super::{Account, Server, Show};

#[derive(Debug, Args)]
pub(super) struct SendArgs {
    #[command(flatten)]
    account: Account,
    /// A friend's user name or mark, a group's name, or the number of either
    to: String,
    /// What to say; several words become one message
    #[arg(required = true)]
    text: Vec<String>,
}

pub(super) async fn run(server: &Server, show: Show, args: SendArgs) -> anyhow::Result<()> {
    let client = server.connect().await?;
    args.account.log_in(&client).await?;
    let text = args.text.join(" ");
    let sending = send(&client, &args.to, &text);
    tokio::pin!(sending);
    // Logging in takes over what was waiting for this user: it must be shown, or it is lost.
    let target = loop {
        tokio::select! {
            biased;
            event = client.next_event() => show.event(&event?)?,
            target = &mut sending => break target?,
        }
    };
    let (number, listed) = (target.peer.number(), target.listed);
    let note = if listed {
        "This protocol does not confirm that a message arrives."
    } else {
        "That is nobody on the friend list: the server may have dropped it without a word."
    };
    show.line(
        &json!({"sent_to": number, "on_friend_list": listed}),
        &format!("Sent to {number}. {note}"),
    )
}

struct Target {
    peer: Peer,
    listed: bool,
}

async fn send(client: &Client, to: &str, text: &str) -> anyhow::Result<Target> {
    let teams = client.friend_list().await?;
    let friend = among_friends(&teams, to)?;
    let target = Target {
        listed: friend.is_some(),
        peer: match friend {
            Some(friend) => friend,
            None => elsewhere(client, to).await?,
        },
    };
    client.send_text(target.peer, text).await?;
    // Requests are carried out in order: when this is answered, the message has been dealt with.
    client.heartbeat().await?;
    Ok(target)
}

/// Names before numbers: a user may be called 7.
fn among_friends(teams: &[Team], to: &str) -> anyhow::Result<Option<Peer>> {
    let members = || teams.iter().flat_map(|team| &team.members);
    let called: Vec<Peer> = members()
        .filter(|member| {
            member.username == to || member.mark == to || is_group(member.id, &member.nickname, to)
        })
        .map(|member| member.id)
        .collect();
    match called[..] {
        [] => Ok(number(to).filter(|peer| members().any(|member| member.id == *peer))),
        [one] => Ok(Some(one)),
        _ => {
            let numbers: Vec<String> = called
                .iter()
                .map(|peer| peer.number().to_string())
                .collect();
            bail!("several are called {to}; say one of {}", numbers.join(", "))
        }
    }
}

fn is_group(id: Peer, nickname: &str, to: &str) -> bool {
    matches!(id, Peer::Group(_)) && nickname == to
}

async fn elsewhere(client: &Client, to: &str) -> anyhow::Result<Peer> {
    if let Some(found) = client.find(to).await? {
        return Ok(found.id);
    }
    let peer = number(to);
    ensure!(peer.is_some(), "nobody is called {to}");
    Ok(peer.expect("just seen"))
}

fn number(text: &str) -> Option<Peer> {
    Peer::from_number(text.parse().ok()?)
}
