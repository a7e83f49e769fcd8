//! `myim bot`: makes and ends bots of the own account, and their tokens.

use clap::{Args, Subcommand};
use client::Api;
use client::api::BotToken;
use client::model::{SessionId, User};
use serde_json::json;

use super::Common;
use crate::cli::output::{Output, when};
use crate::failure::Failure;

#[derive(Debug, Args)]
pub(crate) struct BotArgs {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a bot; its first token is shown once
    Create {
        /// The bot's user name
        name: String,
        /// The name to show to others [default: the user name]
        #[arg(long)]
        nickname: Option<String>,
    },
    /// List the own bots
    List,
    /// End a bot for good; its messages stay
    Delete {
        /// The bot's user name or number
        bot: String,
    },
    /// See to the tokens of a bot
    Token {
        #[command(subcommand)]
        verb: TokenVerb,
    },
}

#[derive(Debug, Subcommand)]
enum TokenVerb {
    /// List the tokens of a bot, without the secrets
    List {
        /// The bot's user name or number
        bot: String,
    },
    /// Make a further token; it is shown once
    Create {
        /// The bot's user name or number
        bot: String,
        /// What the token is called in the list
        #[arg(long, default_value = "token")]
        name: String,
    },
    /// Put a new token in the place of an old one
    Rotate {
        /// The bot's user name or number
        bot: String,
        /// The token's number, of the list
        token: String,
    },
    /// End a token
    Revoke {
        /// The bot's user name or number
        bot: String,
        /// The token's number, of the list
        token: String,
    },
}

pub(super) async fn run(args: BotArgs) -> anyhow::Result<()> {
    let api = args.common.account()?.api();
    let output = args.common.output();
    match args.verb {
        Verb::Create { name, nickname } => {
            let nickname = nickname.unwrap_or_else(|| name.clone());
            let made = api.create_bot(&name, &nickname).await?;
            let sentence = format!(
                "{} is a bot now, number {}. Its token, which is not shown again:\n{}",
                made.bot.username, made.bot.id, made.token
            );
            output.result(&made, &sentence)
        }
        Verb::List => {
            let bots = api.bots().await?;
            output.list(&bots, ["BOT", "NICKNAME", "NUMBER"], |bot| {
                [
                    bot.username.clone(),
                    bot.nickname.clone(),
                    bot.id.to_string(),
                ]
            })
        }
        Verb::Delete { bot } => {
            let bot = find(&api, &bot).await?;
            api.delete_bot(bot.id).await?;
            output.result(
                &json!({"deleted": bot.id.to_string()}),
                &format!("{} is no more.", bot.username),
            )
        }
        Verb::Token { verb } => token(&api, output, verb).await,
    }
}

async fn token(api: &Api, output: Output, verb: TokenVerb) -> anyhow::Result<()> {
    match verb {
        TokenVerb::List { bot } => {
            let bot = find(api, &bot).await?;
            let tokens = api.bot_tokens(bot.id).await?;
            output.list(&tokens, ["TOKEN", "NAME", "LAST USED"], |token| {
                let seen = token.seen_at.map(when).unwrap_or_default();
                [token.id.to_string(), token.name.clone(), seen]
            })
        }
        TokenVerb::Create { bot, name } => {
            let bot = find(api, &bot).await?;
            made(output, &api.create_bot_token(bot.id, &name).await?)
        }
        TokenVerb::Rotate { bot, token } => {
            let bot = find(api, &bot).await?;
            made(
                output,
                &api.rotate_bot_token(bot.id, number(&token)?).await?,
            )
        }
        TokenVerb::Revoke { bot, token } => {
            let bot = find(api, &bot).await?;
            let token = number(&token)?;
            api.revoke_bot_token(bot.id, token).await?;
            output.result(
                &json!({"revoked": token.to_string()}),
                &format!("Token {token} is worth nothing any more."),
            )
        }
    }
}

fn made(output: Output, token: &BotToken) -> anyhow::Result<()> {
    let secret = token.token.as_deref().unwrap_or_default();
    let sentence = format!("Token {}, which is not shown again:\n{secret}", token.id);
    output.result(token, &sentence)
}

fn number(text: &str) -> Result<SessionId, Failure> {
    SessionId::from_decimal(text)
        .ok_or_else(|| Failure::usage(format!("{text} is no token's number: bot token list")))
}

/// One of the own bots.
pub(super) async fn find(api: &Api, text: &str) -> anyhow::Result<User> {
    let name = text.strip_prefix('@').unwrap_or(text);
    let bots = api.bots().await?;
    let found = bots
        .into_iter()
        .find(|bot| bot.username == name || bot.id.to_string() == name);
    found.ok_or_else(|| {
        Failure::Refused {
            code: "no_such_bot",
            message: format!("you have no bot called {name}"),
        }
        .into()
    })
}
