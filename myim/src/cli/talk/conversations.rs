//! `myim conversations`: lists them, the newest activity first.

use clap::Args;
use client::Api;
use client::model::{Conversation, ConversationKind};

use super::Common;
use crate::cli::output::when;

#[derive(Debug, Args)]
pub(crate) struct ConversationsArgs {
    /// Only those with something unread
    #[arg(long)]
    unread: bool,
    #[command(flatten)]
    pub(super) common: Common,
}

/// The most that one call answers.
const PIECE: u32 = 500;

pub(super) async fn run(args: ConversationsArgs) -> anyhow::Result<()> {
    let account = args.common.account()?;
    let mut all = everything(&account.api()).await?;
    all.retain(|one| !args.unread || one.unread > 0);
    let heads = ["CONVERSATION", "WITH", "LAST", "UNREAD", "WHEN"];
    args.common.output().list(&all, heads, |one| {
        [
            one.id.to_string(),
            name(one),
            one.last_seq.to_string(),
            one.unread.to_string(),
            when(one.active_at),
        ]
    })
}

/// The whole list.
pub(super) async fn everything(api: &Api) -> Result<Vec<Conversation>, client::Error> {
    let mut all = Vec::new();
    let mut cursor = None;
    loop {
        let page = api.conversations(PIECE, cursor.as_ref()).await?;
        all.extend(page.items);
        match page.next {
            Some(next) => cursor = Some(next),
            None => return Ok(all),
        }
    }
}

/// As other commands take it: `#GROUP`, or the user name.
pub(super) fn name(conversation: &Conversation) -> String {
    match (conversation.kind, &conversation.group, &conversation.peer) {
        (ConversationKind::Group, Some(group), _) => format!("#{}", group.name),
        (_, _, Some(peer)) => peer.username.clone(),
        _ => conversation.title().to_owned(),
    }
}
