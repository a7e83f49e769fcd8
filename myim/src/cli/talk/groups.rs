//! `myim groups`: lists the own ones, and everything about being in one.

use clap::{Args, Subcommand};
use client::Api;
use client::model::{GroupId, GroupMember, Role};
use serde_json::json;

use super::{Common, conversations, resolve};
use crate::account::Account;
use crate::cli::output::Output;

#[derive(Debug, Args)]
pub(crate) struct GroupsArgs {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the own groups, as without a word
    List,
    /// Make a group
    Create {
        /// What to call it
        name: String,
        /// Who is in it from the beginning
        #[arg(value_name = "USER")]
        members: Vec<String>,
    },
    /// Become a member, or ask to
    Join {
        /// The group's number; its members see it with myim groups
        #[arg(value_name = "NUMBER")]
        group: String,
        /// What its admins read with it
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Leave a group
    Leave {
        /// #NAME or number
        group: String,
    },
    /// Add members
    Add {
        /// #NAME or number
        group: String,
        #[arg(required = true, value_name = "USER")]
        members: Vec<String>,
    },
    /// Take members out
    Remove {
        /// #NAME or number
        group: String,
        #[arg(required = true, value_name = "USER")]
        members: Vec<String>,
    },
    /// List the members
    Members {
        /// #NAME or number
        group: String,
    },
}

pub(super) async fn run(args: GroupsArgs) -> anyhow::Result<()> {
    let account = args.common.account()?;
    let api = account.api();
    let output = args.common.output();
    match args.verb.unwrap_or(Verb::List) {
        Verb::List => list(&api, output).await,
        Verb::Create { name, members } => {
            let mut ids = Vec::new();
            for member in &members {
                ids.push(resolve::user(&api, member).await?.id);
            }
            let group = api.create_group(&name, &ids).await?;
            output.result(&group, &format!("#{} is group {}.", group.name, group.id))
        }
        Verb::Join { group, note } => {
            let group = resolve::group_to_join(&group)?;
            let joined = api.join_group(group, &note).await?;
            let sentence = if joined {
                format!("You are in group {group}.")
            } else {
                format!("Asked the admins of group {group}.")
            };
            let shown = json!({"group_id": group.to_string(), "joined": joined});
            output.result(&shown, &sentence)
        }
        Verb::Leave { group } => leave(&account, &api, output, &group).await,
        Verb::Add { group, members } => {
            let group = resolve::group(&api, &group).await?;
            for member in &members {
                let user = resolve::user(&api, member).await?;
                api.add_member(group, user.id).await?;
                told(output, group, "added", &user)?;
            }
            Ok(())
        }
        Verb::Remove { group, members } => {
            let group = resolve::group(&api, &group).await?;
            for member in &members {
                let user = resolve::user(&api, member).await?;
                api.remove_member(group, user.id).await?;
                told(output, group, "removed", &user)?;
            }
            Ok(())
        }
        Verb::Members { group } => {
            let group = resolve::group(&api, &group).await?;
            members(&api, output, group).await
        }
    }
}

fn told(
    output: Output,
    group: GroupId,
    what: &str,
    user: &client::model::User,
) -> anyhow::Result<()> {
    output.result(
        &json!({"group_id": group.to_string(), what: user}),
        &format!("{what} {}", user.username),
    )
}

async fn list(api: &Api, output: Output) -> anyhow::Result<()> {
    let all = conversations::everything(api).await?;
    let groups: Vec<_> = all
        .iter()
        .filter_map(|one| {
            let group = one.group.as_ref()?;
            Some(json!({
                "id": group.id.to_string(),
                "name": group.name,
                "members": group.members,
                "conversation": one.id.to_string(),
                "unread": one.unread,
            }))
        })
        .collect();
    let text = |value: &serde_json::Value| match value.as_str() {
        Some(text) => text.to_owned(),
        None => value.to_string(),
    };
    output.list(&groups, ["GROUP", "NAME", "MEMBERS", "UNREAD"], |one| {
        ["id", "name", "members", "unread"].map(|field| text(&one[field]))
    })
}

async fn leave(account: &Account, api: &Api, output: Output, text: &str) -> anyhow::Result<()> {
    let group = resolve::group(api, text).await?;
    let own = match &account.user {
        Some(owner) => owner.id,
        None => api.me().await?.id,
    };
    api.remove_member(group, own).await?;
    output.result(
        &json!({"left": group.to_string()}),
        &format!("You are not in group {group} any more."),
    )
}

async fn members(api: &Api, output: Output, group: GroupId) -> anyhow::Result<()> {
    let mut all: Vec<GroupMember> = Vec::new();
    let mut cursor = None;
    loop {
        let page = api.group_members(group, 500, cursor.as_ref()).await?;
        all.extend(page.items);
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    output.list(&all, ["USER", "NICKNAME", "ROLE", "NUMBER"], |one| {
        let role = match one.role {
            Role::Owner => "owner",
            Role::Admin => "admin",
            Role::Member => "member",
        };
        [
            one.user.username.clone(),
            one.nickname
                .clone()
                .unwrap_or_else(|| one.user.nickname.clone()),
            role.to_owned(),
            one.user.id.to_string(),
        ]
    })
}
