//! `myim search`: finds messages by their words, the newest first.

use clap::Args;

use super::names::Names;
use super::{Common, resolve, show};
use crate::cli::harmless;

#[derive(Debug, Args)]
pub(crate) struct SearchArgs {
    /// Words that the message has; the last one may be unfinished
    #[arg(required = true, value_name = "WORDS")]
    words: Vec<String>,
    /// Only in this conversation
    #[arg(long = "in", value_name = "CONVERSATION")]
    within: Option<String>,
    /// Print so many at most
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
    #[command(flatten)]
    pub(super) common: Common,
}

/// The most that one call answers.
const PIECE: u32 = 100;

pub(super) async fn run(args: SearchArgs) -> anyhow::Result<()> {
    let account = args.common.account()?;
    let output = args.common.output();
    let api = account.api();
    let within = match &args.within {
        Some(text) => Some(resolve::conversation(&account, &api, text).await?),
        None => None,
    };
    let words = args.words.join(" ");
    let mut names = Names::default();
    let mut left = args.limit;
    let mut cursor = None;
    while left > 0 {
        let limit = u32::try_from(left).unwrap_or(PIECE).min(PIECE);
        let page = api.search(&words, within, limit, cursor.as_ref()).await?;
        left = left.saturating_sub(page.items.len());
        for message in &page.items {
            if output.json {
                output.object(message)?;
            } else {
                let line = show::message(output, &api, &mut names, message).await;
                let place = names.conversation(&api, message.conversation).await;
                output.line(&format!("{} {line}", harmless::line(&place)))?;
            }
        }
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    Ok(())
}
