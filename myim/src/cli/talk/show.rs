//! Messages and notices as lines for people.

use client::Api;
use client::model::{Message, Notice, Timestamp};
use serde_json::Value;

use super::happened::Happened;
use super::names::Names;
use crate::cli::harmless;
use crate::cli::output::{Color, Output, when};

/// `TIME SEQ NAME: what it says`, and what became of it.
pub(super) async fn message(
    output: Output,
    api: &Api,
    names: &mut Names,
    message: &Message,
) -> String {
    let place = place(output, message.time, &message.seq.to_string());
    if let Some(fields) = &message.notice {
        let happened = Happened {
            kind: fields
                .get("type")
                .and_then(Value::as_str)
                .unwrap_or_default(),
            sender: message.sender,
            fields,
        };
        let said = happened.sentence(api, names).await;
        return format!("{place} ({})", harmless::text(&said));
    }
    let name = harmless::line(&names.of(api, message.sender).await);
    let said = if message.recalled_at.is_some() {
        "(taken back)".to_owned()
    } else {
        message.text()
    };
    let name = output.paint(&name, Color::Cyan);
    let mut line = format!("{place} {name}: {}", harmless::text(&said));
    let mut marks = String::new();
    if let Some(seq) = message.reply_to {
        marks.push_str(&format!(" (answers {seq})"));
    }
    if message.edited_at.is_some() {
        marks.push_str(" (edited)");
    }
    for reaction in &message.reactions {
        let emoji = harmless::line(&reaction.emoji);
        marks.push_str(&format!(" [{emoji} {}]", reaction.count));
    }
    if !marks.is_empty() {
        line.push_str(&output.paint(&marks, Color::Dim));
    }
    line
}

/// `TIME SEQ (what the server says)`.
pub(super) async fn notice(
    output: Output,
    api: &Api,
    names: &mut Names,
    seq: &str,
    notice: &Notice,
) -> String {
    let happened = Happened {
        kind: &notice.name,
        sender: notice.sender,
        fields: &notice.fields,
    };
    let said = happened.sentence(api, names).await;
    let place = place(output, notice.time, seq);
    format!("{place} ({})", harmless::text(&said))
}

fn place(output: Output, time: Timestamp, seq: &str) -> String {
    output.paint(&format!("{} {seq}", when(time)), Color::Dim)
}
