//! `myim webhook`: makes addresses through which other programs write, and are written to.

use clap::{Args, Subcommand};

use super::{Common, bot, resolve};

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
    Incoming {
        /// A user name, @NAME, #GROUP, a group's number, or a conversation's number
        conversation: String,
        /// What it is called in the list
        #[arg(long, default_value = "webhook")]
        name: String,
        /// Write as this bot of yours [default: as yourself]
        #[arg(long)]
        bot: Option<String>,
    },
    /// Have what happens posted to an address
    Outgoing {
        /// Where to
        url: String,
        /// What it is called in the list
        #[arg(long, default_value = "webhook")]
        name: String,
        /// Only what happens in this conversation [default: in all of the account]
        #[arg(long = "in", value_name = "CONVERSATION")]
        within: Option<String>,
    },
}

pub(super) async fn run(args: WebhookArgs) -> anyhow::Result<()> {
    let account = args.common.account()?;
    let api = account.api();
    let output = args.common.output();
    match args.verb {
        Verb::Incoming {
            conversation,
            name,
            bot,
        } => {
            let conversation = resolve::conversation(&account, &api, &conversation).await?;
            let bot = match bot {
                Some(bot) => Some(bot::find(&api, &bot).await?.id),
                None => None,
            };
            let made = api
                .create_incoming_webhook(conversation, &name, bot)
                .await?;
            let url = made.url.as_deref().unwrap_or_default();
            let sentence = format!(
                "Webhook {}. Its address, which is not shown again:\n{}{url}",
                made.id, account.server
            );
            output.result(&made, &sentence)
        }
        Verb::Outgoing { url, name, within } => {
            let within = match &within {
                Some(text) => Some(resolve::conversation(&account, &api, text).await?),
                None => None,
            };
            let made = api.create_outgoing_webhook(&url, &name, within).await?;
            let secret = made.secret.as_deref().unwrap_or_default();
            let sentence = format!(
                "Webhook {}. The secret that signs it, which is not shown again:\n{secret}",
                made.id
            );
            output.result(&made, &sentence)
        }
    }
}
