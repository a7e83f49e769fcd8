//! Messages and notices as lines for people.

use client::Api;
use client::model::{Message, Notice};
use serde_json::Value;

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
    let name = harmless::line(&names.of(api, message.sender).await);
    let said = if message.recalled_at.is_some() {
        "(taken back)".to_owned()
    } else if let Some(notice) = &message.notice {
        format!("({})", happened(notice.get("type"), notice))
    } else {
        message.text()
    };
    let mut line = head(output, message.time, &message.seq.to_string(), &name);
    line.push_str(&harmless::text(&said));
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

/// The same for what the server says.
pub(super) async fn notice(
    output: Output,
    api: &Api,
    names: &mut Names,
    seq: &str,
    notice: &Notice,
) -> String {
    let name = harmless::line(&names.of(api, notice.sender).await);
    let said = happened(Some(&Value::from(notice.name.clone())), &notice.fields);
    let mut line = head(output, notice.time, seq, &name);
    line.push_str(&harmless::text(&format!("({said})")));
    line
}

fn head(output: Output, time: client::model::Timestamp, seq: &str, name: &str) -> String {
    let place = output.paint(&format!("{} {seq}", when(time)), Color::Dim);
    format!("{place} {}: ", output.paint(name, Color::Cyan))
}

/// The name of what happened, and its fields.
fn happened(name: Option<&Value>, fields: &serde_json::Map<String, Value>) -> String {
    let mut text = name
        .and_then(Value::as_str)
        .unwrap_or("something")
        .to_owned();
    for (field, value) in fields {
        match value {
            _ if field == "type" || field == "event" => {}
            Value::Null => {}
            Value::String(value) => text.push_str(&format!(" {field}={value}")),
            other => text.push_str(&format!(" {field}={other}")),
        }
    }
    text
}
