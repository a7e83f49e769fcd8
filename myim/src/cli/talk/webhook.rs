//! `myim webhook`: makes, lists and deletes addresses through which other programs write, and are
//! written to.

use clap::{Args, Subcommand, ValueEnum};
use client::Api;
use client::api::{IncomingWebhook, OutgoingWebhook};
use serde::Serialize;
use serde_json::json;

use super::{Common, bot, resolve};
use crate::account::Account;
use crate::cli::output::{Output, when};

#[derive(Debug, Args)]
pub(crate) struct WebhookArgs {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make an address at which anybody who knows it may write into a conversation
    Incoming(IncomingArgs),
    /// Have what happens posted to an address
    Outgoing(OutgoingArgs),
    /// List the own webhooks of both kinds, without addresses to write to and secrets
    List,
    /// End a webhook
    Delete {
        #[arg(value_enum)]
        kind: Kind,
        /// The webhook's number, of the list; each kind counts its own
        #[arg(value_name = "NUMBER")]
        webhook: u64,
    },
}

#[derive(Debug, Args)]
struct IncomingArgs {
    /// A user name, @NAME, #GROUP, a group's number, or a conversation's number
    conversation: String,
    /// What it is called in the list
    #[arg(long, default_value = "webhook")]
    name: String,
    /// Write as this bot of yours [default: as yourself]
    #[arg(long)]
    bot: Option<String>,
}

#[derive(Debug, Args)]
struct OutgoingArgs {
    /// Where to
    url: String,
    /// What it is called in the list
    #[arg(long, default_value = "webhook")]
    name: String,
    /// Only what happens in this conversation [default: in all of the account]
    #[arg(long = "in", value_name = "CONVERSATION")]
    within: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Incoming,
    Outgoing,
}

pub(super) async fn run(args: WebhookArgs) -> anyhow::Result<()> {
    let account = args.common.account()?;
    let api = account.api();
    let output = args.common.output();
    match args.verb {
        Verb::Incoming(args) => incoming(&account, &api, output, args).await,
        Verb::Outgoing(args) => outgoing(&account, &api, output, args).await,
        Verb::List => list(&api, output).await,
        Verb::Delete { kind, webhook } => {
            match kind {
                Kind::Incoming => api.delete_incoming_webhook(webhook).await?,
                Kind::Outgoing => api.delete_outgoing_webhook(webhook).await?,
            }
            let deleted = json!({"deleted": webhook.to_string(), "kind": kind});
            output.result(&deleted, &format!("Webhook {webhook} is no more."))
        }
    }
}

async fn incoming(
    account: &Account,
    api: &Api,
    output: Output,
    args: IncomingArgs,
) -> anyhow::Result<()> {
    let conversation = resolve::conversation(account, api, &args.conversation).await?;
    let bot = match &args.bot {
        Some(bot) => Some(bot::find(api, bot).await?.id),
        None => None,
    };
    let mut made = api
        .create_incoming_webhook(conversation, &args.name, bot)
        .await?;
    // The server says the path; at which address it is reached, only its users know.
    made.url = made.url.map(|path| format!("{}{path}", account.server));
    let url = made.url.as_deref().unwrap_or_default();
    let sentence = format!(
        "Webhook {}. Its address, which is not shown again:\n{url}",
        made.id
    );
    output.result(&made, &sentence)
}

async fn outgoing(
    account: &Account,
    api: &Api,
    output: Output,
    args: OutgoingArgs,
) -> anyhow::Result<()> {
    let within = match &args.within {
        Some(text) => Some(resolve::conversation(account, api, text).await?),
        None => None,
    };
    let made = api
        .create_outgoing_webhook(&args.url, &args.name, within)
        .await?;
    let secret = made.secret.as_deref().unwrap_or_default();
    let sentence = format!(
        "Webhook {}. The secret that signs it, which is not shown again:\n{secret}",
        made.id
    );
    output.result(&made, &sentence)
}

/// A webhook of the list.
#[derive(Serialize)]
struct Listed {
    kind: Kind,
    #[serde(flatten)]
    webhook: Webhook,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Webhook {
    Incoming(IncomingWebhook),
    Outgoing(OutgoingWebhook),
}

async fn list(api: &Api, output: Output) -> anyhow::Result<()> {
    let incoming = api.incoming_webhooks().await?.into_iter();
    let outgoing = api.outgoing_webhooks().await?.into_iter();
    let incoming = incoming.map(|webhook| Listed {
        kind: Kind::Incoming,
        webhook: Webhook::Incoming(webhook),
    });
    let outgoing = outgoing.map(|webhook| Listed {
        kind: Kind::Outgoing,
        webhook: Webhook::Outgoing(webhook),
    });
    let all: Vec<Listed> = incoming.chain(outgoing).collect();
    let heads = ["KIND", "NUMBER", "NAME", "CONVERSATION", "STATE", "TO"];
    output.list(&all, heads, |one| match &one.webhook {
        Webhook::Incoming(webhook) => [
            "incoming".to_owned(),
            webhook.id.to_string(),
            webhook.name.clone(),
            webhook.conversation.to_string(),
            match webhook.used_at {
                Some(at) => format!("used {}", when(at)),
                None => "never used".to_owned(),
            },
            String::new(),
        ],
        Webhook::Outgoing(webhook) => [
            "outgoing".to_owned(),
            webhook.id.to_string(),
            webhook.name.clone(),
            match webhook.conversation {
                Some(conversation) => conversation.to_string(),
                None => "all".to_owned(),
            },
            state(webhook),
            webhook.url.clone(),
        ],
    })
}

/// How an outgoing webhook is doing.
fn state(webhook: &OutgoingWebhook) -> String {
    let word = webhook.state.as_deref().unwrap_or_default();
    match webhook.dead_letters {
        Some(lost @ 1..) => format!("{word}, {lost} given up"),
        Some(0) | None => word.to_owned(),
    }
}
