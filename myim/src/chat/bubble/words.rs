//! What a message says, in words.

use client::model::{KnownSegment, Mentioned, Message, Segment, UserId};
use serde_json::{Map, Value};

use super::Context;
use crate::chat::clean;
use crate::chat::text::{self, put};

/// A message in one line.
pub(crate) fn preview(context: &Context<'_>, message: &Message) -> String {
    if message.recalled_at.is_some() {
        return context.texts.recalled.to_owned();
    }
    if let Some(notice) = &message.notice {
        return notice_text(context, message.sender, notice);
    }
    let blocks = blocks(context, &message.segments);
    let texts: Vec<_> = blocks.iter().map(|block| block.text.as_str()).collect();
    clean::line(&texts.join(" ")).into_owned()
}

/// A piece of a message: running text, or a line for a file.
pub(super) struct Block {
    pub(super) text: String,
    pub(super) is_file: bool,
}

/// The pieces, from top to bottom.
pub(super) fn blocks(context: &Context<'_>, segments: &[Segment]) -> Vec<Block> {
    let texts = context.texts;
    let mut blocks: Vec<Block> = Vec::new();
    for segment in segments {
        let (text, is_file) = match segment {
            Segment::Known(KnownSegment::Text { text }) => (clean::text(text).into_owned(), false),
            Segment::Known(KnownSegment::Mention { user_id }) => {
                (mention(context, *user_id), false)
            }
            Segment::Known(KnownSegment::Face { id }) => {
                (format!("[{}]", put(texts.face, &[&id.to_string()])), false)
            }
            Segment::Known(KnownSegment::Nudge {}) => (format!("[{}]", texts.nudge), false),
            Segment::Known(KnownSegment::Image {
                name,
                size,
                width,
                height,
                ..
            }) => {
                let pixels = (*width > 0 && *height > 0).then(|| format!("{width}×{height}"));
                let name = name.as_deref().map(|name| clean::line(name).into_owned());
                (file_line(texts.picture, [name, pixels], *size), true)
            }
            Segment::Known(KnownSegment::File { name, size, .. }) => {
                let name = clean::line(name).into_owned();
                (file_line(texts.file, [Some(name), None], *size), true)
            }
            Segment::Known(KnownSegment::Custom { .. }) => {
                (format!("[{}]", put(texts.custom, &["custom"])), false)
            }
            Segment::Unknown(object) => {
                let kind = object.get("type").and_then(Value::as_str).unwrap_or("?");
                (
                    format!("[{}]", put(texts.custom, &[&clean::line(kind)])),
                    false,
                )
            }
        };
        match blocks.last_mut() {
            Some(last) if !last.is_file && !is_file => last.text.push_str(&text),
            _ => blocks.push(Block { text, is_file }),
        }
    }
    blocks
}

fn file_line(kind: &str, names: [Option<String>; 2], size: u64) -> String {
    let mut line = format!("[{kind}]");
    for name in names.into_iter().flatten() {
        line.push(' ');
        line.push_str(&name);
    }
    if size > 0 {
        line.push_str(" · ");
        line.push_str(&text::bytes(size));
    }
    line
}

fn mention(context: &Context<'_>, whom: Mentioned) -> String {
    match whom {
        Mentioned::All => format!("@{}", context.texts.everybody),
        Mentioned::User(user) => format!("@{}", context.people.name_or_number(user)),
    }
}

/// What happened in a group, in one sentence.
pub(super) fn notice_text(
    context: &Context<'_>,
    sender: UserId,
    notice: &Map<String, Value>,
) -> String {
    let texts = &context.texts.notices;
    let who = context.name(sender);
    let field = |name: &str| notice.get(name).and_then(Value::as_str).unwrap_or_default();
    let user = UserId::from_decimal(field("user_id"));
    let whom = user.map_or_else(String::new, |user| context.whom(user));
    let kind = field("type");
    let said = match kind {
        "group_created" => put(texts.created, &[&who, field("name")]),
        "member_joined" => put(texts.joined, &[&who]),
        "member_left" => put(texts.left, &[&who]),
        "member_added" => put(texts.added, &[&who, &whom]),
        "member_removed" => put(texts.removed, &[&who, &whom]),
        "member_changed" => put(texts.member_changed, &[&who, &whom]),
        "owner_changed" => put(texts.owner_changed, &[&who, &whom]),
        "group_changed" if !field("name").is_empty() => put(texts.renamed, &[&who, field("name")]),
        "group_changed" if !field("announcement").is_empty() => {
            put(texts.announced, &[&who, field("announcement")])
        }
        "group_changed" => put(texts.changed, &[&who]),
        other => put(texts.other, &[&who, other]),
    };
    clean::text(&said).into_owned()
}
