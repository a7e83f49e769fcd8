//! What stands before the conversation for a while.

use client::model::{ConversationId, Message, Seq, User};

use super::clean;
use super::editor::Editor;
use super::message::FileOf;
use super::state::State;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Popup {
    Help {
        scroll: usize,
    },
    Switcher {
        query: Editor,
        chosen: usize,
    },
    NewChat {
        query: Editor,
        ticket: u64,
        found: Vec<User>,
        chosen: usize,
    },
    /// A note to somebody who is no contact yet.
    Note {
        user: User,
        note: Editor,
    },
    Requests {
        chosen: usize,
    },
    Search {
        query: Editor,
        ticket: u64,
        hits: Option<Vec<Message>>,
        chosen: usize,
    },
    SendFile {
        path: Editor,
        ticket: u64,
        choices: Vec<String>,
    },
    SaveFile {
        path: Editor,
        ticket: u64,
        choices: Vec<String>,
        file: FileOf,
    },
    React {
        seq: Seq,
        emoji: Editor,
    },
    Recall {
        seq: Seq,
    },
}

/// What the number keys react with.
pub(crate) const EMOJIS: [&str; 6] = ["👍", "❤️", "😂", "🎉", "😮", "😢"];

impl Popup {
    /// The text that is being written in it.
    pub(crate) fn editor(&mut self) -> Option<&mut Editor> {
        match self {
            Self::Switcher { query, .. }
            | Self::NewChat { query, .. }
            | Self::Search { query, .. } => Some(query),
            Self::Note { note, .. } => Some(note),
            Self::SendFile { path, .. } | Self::SaveFile { path, .. } => Some(path),
            Self::React { emoji, .. } => Some(emoji),
            Self::Help { .. } | Self::Requests { .. } | Self::Recall { .. } => None,
        }
    }
}

/// The conversations whose names fit what was typed, the best first.
pub(crate) fn switcher_hits(state: &State, query: &str) -> Vec<ConversationId> {
    let mut hits: Vec<_> = state
        .order
        .iter()
        .enumerate()
        .filter_map(|(place, id)| {
            let summary = &state.chats.get(id)?.summary;
            let mut score = fuzzy(&state.title(summary), query);
            if let Some(peer) = &summary.peer {
                score = score.max(fuzzy(&clean::line(&peer.username), query));
            }
            score.map(|score| (score, place, *id))
        })
        .collect();
    hits.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    hits.into_iter().map(|(_, _, id)| id).collect()
}

/// How well a name fits: all characters in this order; `None` if one is missing. Characters in a
/// row and beginnings of words count more.
fn fuzzy(name: &str, query: &str) -> Option<i64> {
    let name: Vec<char> = name.to_lowercase().chars().collect();
    let mut score = 0;
    let mut from = 0;
    let mut last = None;
    for wanted in query
        .to_lowercase()
        .chars()
        .filter(|one| !one.is_whitespace())
    {
        let at = from + name[from..].iter().position(|one| *one == wanted)?;
        let begins = at == 0 || !name[at - 1].is_alphanumeric();
        score += if begins { 8 } else { 1 };
        if last.is_some_and(|last| last + 1 == at) {
            score += 8;
        }
        last = Some(at);
        from = at + 1;
    }
    Some(score * 100 - i64::try_from(name.len()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_by_some_of_its_letters() {
        assert!(fuzzy("Ann Smith", "as").is_some());
        assert!(fuzzy("Ann Smith", "sa").is_none());
        assert!(fuzzy("张三丰", "张丰").is_some());
        assert!(fuzzy("Sam", "sa") > fuzzy("Ann Smith-Adams", "sa"));
        assert!(fuzzy("x", "").is_some());
    }
}
