//! `myim history`: prints what was written in a conversation.

use clap::Args;
use client::Api;
use client::api::seq_of;
use client::model::{ConversationId, Message, Seq};

use super::names::Names;
use super::{Common, resolve, show};
use crate::cli::output::Output;

#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    /// A user name, @NAME, #GROUP, a group's number, or a conversation's number
    #[arg(value_name = "CONVERSATION")]
    conversation: String,
    /// Print so many messages at most
    #[arg(long, value_name = "N", default_value_t = 50, conflicts_with = "all")]
    limit: usize,
    /// Only what stands before this place
    #[arg(long, value_name = "SEQ", conflicts_with = "after")]
    before: Option<u64>,
    /// Only what stands behind this place, the oldest first
    #[arg(long, value_name = "SEQ")]
    after: Option<u64>,
    /// Everything from the beginning, or from --after on
    #[arg(long, conflicts_with = "before")]
    all: bool,
    #[command(flatten)]
    pub(super) common: Common,
}

/// The most that one call answers.
const PIECE: u32 = 500;

pub(super) async fn run(args: HistoryArgs) -> anyhow::Result<()> {
    let account = args.common.account()?;
    let api = account.api();
    let conversation = resolve::conversation(&account, &api, &args.conversation).await?;
    let mut printer = Printer {
        output: args.common.output(),
        api: &api,
        names: Names::default(),
    };
    if args.all || args.after.is_some() {
        let after = Seq(args.after.unwrap_or_default());
        let limit = if args.all { usize::MAX } else { args.limit };
        printer.forward(conversation, after, limit).await
    } else {
        let before = args.before.map(Seq);
        printer.backward(conversation, before, args.limit).await
    }
}

struct Printer<'a> {
    output: Output,
    api: &'a Api,
    names: Names,
}

impl Printer<'_> {
    async fn forward(
        &mut self,
        conversation: ConversationId,
        mut after: Seq,
        mut left: usize,
    ) -> anyhow::Result<()> {
        while left > 0 {
            let limit = piece(left);
            let page = self.api.messages_after(conversation, after, limit).await?;
            for message in &page.items {
                self.print(message).await?;
            }
            left = left.saturating_sub(page.items.len());
            match &page.next {
                Some(next) => after = seq_of(next)?,
                None => break,
            }
        }
        Ok(())
    }

    /// The newest come last, so they are all fetched before the first is printed.
    async fn backward(
        &mut self,
        conversation: ConversationId,
        mut before: Option<Seq>,
        mut left: usize,
    ) -> anyhow::Result<()> {
        let mut pieces = Vec::new();
        while left > 0 {
            let limit = piece(left);
            let page = self
                .api
                .messages_before(conversation, before, limit)
                .await?;
            left = left.saturating_sub(page.items.len());
            pieces.push(page.items);
            match &page.next {
                Some(next) => before = Some(seq_of(next)?),
                None => break,
            }
        }
        for message in pieces.iter().rev().flatten() {
            self.print(message).await?;
        }
        Ok(())
    }

    async fn print(&mut self, message: &Message) -> anyhow::Result<()> {
        if self.output.json {
            return self.output.object(message);
        }
        let line = show::message(self.output, self.api, &mut self.names, message).await;
        self.output.line(&line)
    }
}

fn piece(left: usize) -> u32 {
    u32::try_from(left).unwrap_or(PIECE).min(PIECE)
}
