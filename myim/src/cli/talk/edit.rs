//! `myim edit`: says something else in an own message.

use clap::Args;
use client::model::{KnownSegment, Segment, Seq};

use super::{Common, resolve, words};
use crate::failure::Failure;

#[derive(Debug, Args)]
pub(crate) struct EditArgs {
    /// A user name, @NAME, #GROUP, a group's number, or a conversation's number
    #[arg(value_name = "CONVERSATION")]
    conversation: String,
    /// The place of the message, which `myim send` and `myim history` print
    #[arg(value_name = "SEQ")]
    seq: u64,
    /// What it says from now on; several words become one text. Without words, and for -, standard
    /// input. Files and pictures stay
    #[arg(value_name = "TEXT")]
    text: Vec<String>,
    #[command(flatten)]
    pub(super) common: Common,
}

pub(super) async fn run(args: EditArgs) -> anyhow::Result<()> {
    let account = args.common.account()?;
    let api = account.api();
    let text = words::given(&args.text)?;
    if text.is_empty() {
        let instead = "there is nothing to say instead; myim recall takes a message back";
        return Err(Failure::usage(instead).into());
    }
    let conversation = resolve::conversation(&account, &api, &args.conversation).await?;
    let seq = Seq(args.seq);
    let said = api.message(conversation, seq).await?.segments;
    let edited = api.edit(conversation, seq, &instead(text, said)).await?;
    let sentence = format!("Message {seq} says something else now.");
    args.common.output().result(&edited, &sentence)
}

/// The text takes the place of everything that was written; what is attached stays behind it.
fn instead(text: String, said: Vec<Segment>) -> Vec<Segment> {
    let attached = said.into_iter().filter(|segment| match segment {
        Segment::Known(
            KnownSegment::Text { .. }
            | KnownSegment::Face { .. }
            | KnownSegment::Mention { .. }
            | KnownSegment::Nudge {},
        ) => false,
        Segment::Known(
            KnownSegment::Image { .. } | KnownSegment::File { .. } | KnownSegment::Custom { .. },
        )
        | Segment::Unknown(_) => true,
    });
    std::iter::once(Segment::text(text))
        .chain(attached)
        .collect()
}
