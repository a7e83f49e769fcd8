//! `myim contacts`: lists them, and everything about becoming and ceasing to be one.

use clap::{Args, Subcommand};
use client::Api;
use client::model::{ContactRequest, Direction};
use serde_json::json;

use super::{Common, resolve};
use crate::cli::output::{Output, when};
use crate::failure::Failure;

#[derive(Debug, Args)]
pub(crate) struct ContactsArgs {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the contacts, as without a word
    List,
    /// Ask somebody to be a contact
    Add {
        /// A user name
        name: String,
        /// What the other one reads with it
        #[arg(long, default_value = "")]
        note: String,
    },
    /// List the open requests, of others and your own
    Requests,
    /// Say yes to a request
    Accept {
        /// Who asked, or the request's number
        request: String,
    },
    /// Say no to a request
    Decline {
        /// Who asked, or the request's number
        request: String,
    },
    /// Cease to be contacts, for both
    Remove {
        /// A user name
        name: String,
    },
}

pub(super) async fn run(args: ContactsArgs) -> anyhow::Result<()> {
    let api = args.common.account()?.api();
    let output = args.common.output();
    match args.verb.unwrap_or(Verb::List) {
        Verb::List => {
            let contacts = api.contacts().await?;
            let heads = ["USER", "NICKNAME", "REMARK", "LIST", "NUMBER"];
            output.list(&contacts, heads, |one| {
                [
                    one.user.username.clone(),
                    one.user.nickname.clone(),
                    one.remark.clone(),
                    one.list.clone(),
                    one.user.id.to_string(),
                ]
            })
        }
        Verb::Requests => {
            let requests = api.contact_requests().await?;
            let heads = ["REQUEST", "FROM OR TO", "USER", "NOTE", "WHEN"];
            output.list(&requests, heads, |one| {
                [
                    one.id.to_string(),
                    way(one).to_owned(),
                    one.user.username.clone(),
                    one.note.clone(),
                    when(one.time),
                ]
            })
        }
        Verb::Add { name, note } => {
            let user = resolve::user(&api, &name).await?;
            let request = api.request_contact(user.id, &note).await?;
            output.result(&request, &format!("Asked {}.", user.username))
        }
        Verb::Accept { request } => answer(&api, output, &request, true).await,
        Verb::Decline { request } => answer(&api, output, &request, false).await,
        Verb::Remove { name } => {
            let user = resolve::user(&api, &name).await?;
            api.remove_contact(user.id).await?;
            output.result(
                &json!({"removed": user.id.to_string()}),
                &format!("{} is no contact any more.", user.username),
            )
        }
    }
}

fn way(request: &ContactRequest) -> &'static str {
    match request.direction {
        Direction::Incoming => "from",
        Direction::Outgoing => "to",
    }
}

async fn answer(api: &Api, output: Output, text: &str, accept: bool) -> anyhow::Result<()> {
    let requests = api.contact_requests().await?;
    let mut incoming = requests
        .iter()
        .filter(|request| request.direction == Direction::Incoming);
    let name = text.strip_prefix('@').unwrap_or(text);
    let found = incoming
        .find(|request| request.user.username == name || request.id.to_string() == text)
        .ok_or_else(|| Failure::Refused {
            code: "no_such_request",
            message: format!("there is no open request of {text}"),
        })?;
    api.answer_contact(found.id, accept).await?;
    let who = &found.user.username;
    let sentence = if accept {
        format!("{who} is a contact now.")
    } else {
        format!("Declined the request of {who}.")
    };
    let shown = json!({
        "request_id": found.id.to_string(),
        "user": found.user,
        "accepted": accept,
    });
    output.result(&shown, &sentence)
}
