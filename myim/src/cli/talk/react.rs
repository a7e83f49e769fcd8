//! `myim react`: puts an emoji under a message, or takes one's own away.

use clap::Args;
use client::model::Seq;
use serde_json::json;

use super::{Common, resolve};

#[derive(Debug, Args)]
pub(crate) struct ReactArgs {
    /// A user name, @NAME, #GROUP, a group's number, or a conversation's number
    #[arg(value_name = "CONVERSATION")]
    conversation: String,
    /// The place of the message, which `myim send` and `myim history` print
    #[arg(value_name = "SEQ")]
    seq: u64,
    /// One emoji
    #[arg(value_name = "EMOJI")]
    emoji: String,
    /// Take your own reaction away
    #[arg(long)]
    remove: bool,
    #[command(flatten)]
    pub(super) common: Common,
}

pub(super) async fn run(args: ReactArgs) -> anyhow::Result<()> {
    let account = args.common.account()?;
    let api = account.api();
    let conversation = resolve::conversation(&account, &api, &args.conversation).await?;
    let seq = Seq(args.seq);
    let emoji = &args.emoji;
    api.react(conversation, seq, emoji, !args.remove).await?;
    let (word, what) = if args.remove {
        ("removed", "is no longer")
    } else {
        ("added", "is")
    };
    let shown = json!({"conversation": conversation, "seq": seq, word: emoji});
    let sentence = format!("{emoji} {what} under message {seq}.");
    args.common.output().result(&shown, &sentence)
}
