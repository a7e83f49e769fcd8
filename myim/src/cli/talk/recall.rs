//! `myim recall`: takes a message back.

use clap::Args;
use client::model::Seq;
use serde_json::json;

use super::{Common, resolve};

#[derive(Debug, Args)]
pub(crate) struct RecallArgs {
    /// A user name, @NAME, #GROUP, a group's number, or a conversation's number
    #[arg(value_name = "CONVERSATION")]
    conversation: String,
    /// The place of the message, which `myim send` and `myim history` print
    #[arg(value_name = "SEQ")]
    seq: u64,
    #[command(flatten)]
    pub(super) common: Common,
}

pub(super) async fn run(args: RecallArgs) -> anyhow::Result<()> {
    let account = args.common.account()?;
    let api = account.api();
    let conversation = resolve::conversation(&account, &api, &args.conversation).await?;
    let seq = Seq(args.seq);
    api.recall(conversation, seq).await?;
    let shown = json!({"conversation": conversation, "recalled": seq});
    let sentence = format!("Message {seq} is taken back.");
    args.common.output().result(&shown, &sentence)
}
