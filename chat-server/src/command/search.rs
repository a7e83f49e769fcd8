//! Finds messages by what they say.

use common::id::ConvId;
use common::store::search::{self, Hit};
use common::store::{StoreError, message};
use common::words;

use super::may_read::may_read;
use super::{Failure, check_text};
use crate::actor::Actor;
use crate::app::App;
use crate::content::{self, Current};

/// The most messages of one page.
pub const SEARCH_MAX: u32 = 100;
/// The longest question, in bytes.
pub const QUERY_BYTES_MAX: usize = 256;
/// How often the index is asked for one page, at the most: messages that were edited or taken back
/// are still in it, and somebody may have taken back thousands.
const READS_MAX: u32 = 8;

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Words and parts of words; a message has to have all of them.
    pub text: String,
    /// Only in this conversation.
    pub conv: Option<ConvId>,
    /// The place in the index where the page before ended.
    pub after: Option<Hit>,
    /// At least 1, at most [`SEARCH_MAX`].
    pub limit: u32,
}

/// A page of what was found.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The newest first.
    pub messages: Vec<Current>,
    /// Where the next page begins; `None` if there is nothing more.
    pub next: Option<Hit>,
}

/// The messages that the user may read, that say now what is looked for. A page may be shorter
/// although more follows.
///
/// # Errors
/// `Invalid` text, `NotAMember`, `NoSuchConversation`; the store's.
pub async fn search(app: &App, actor: &Actor, question: Question) -> Result<Answer, Failure> {
    check_text("what to look for", &question.text, QUERY_BYTES_MAX)?;
    if let Some(conv) = question.conv {
        may_read(app, actor.user, conv).await?;
    }
    let wanted = words::of_query(&question.text);
    let parts = parts(&question.text);
    if wanted.is_empty() {
        return Err(Failure::Invalid {
            field: "what to look for",
            problem: "has no word in it; write a letter or a digit at least",
        });
    }
    let limit = question.limit.clamp(1, SEARCH_MAX);
    let length = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut messages = Vec::new();
    let mut after = question.after;
    for _ in 0..READS_MAX {
        let hits = search::find(
            &*app.store,
            actor.user,
            question.conv,
            &wanted,
            after,
            limit,
        )
        .await?;
        let is_last = hits.len() < length;
        for (hit, message) in shown(app, &hits).await? {
            after = Some(hit);
            if let Some(message) = message.filter(|message| says(message, &parts)) {
                messages.push(message);
                if messages.len() == length {
                    return Ok(Answer {
                        messages,
                        next: after,
                    });
                }
            }
        }
        if is_last {
            return Ok(Answer {
                messages,
                next: None,
            });
        }
    }
    Ok(Answer {
        messages,
        next: after,
    })
}

/// The messages behind hits, as they are now.
async fn shown(app: &App, hits: &[Hit]) -> Result<Vec<(Hit, Option<Current>)>, StoreError> {
    let places: Vec<_> = hits.iter().map(|hit| (hit.conv, hit.seq)).collect();
    let entries = match places.as_slice() {
        [] => Vec::new(),
        places => message::at(&*app.store, places).await?,
    };
    let mut current = content::current(&*app.store, &entries).await?;
    let found = hits.iter().map(|hit| {
        let place = current
            .iter()
            .position(|now| (now.entry.conv, now.entry.seq) == (hit.conv, hit.seq));
        (*hit, place.map(|place| current.swap_remove(place)))
    });
    Ok(found.collect())
}

/// What has to stand in a message as it is: the index only knows that pairs of letters stand
/// there somewhere.
fn parts(question: &str) -> Vec<String> {
    let plain = words::plain(question);
    let parts = plain.split(|c: char| !c.is_alphanumeric());
    parts
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

fn says(message: &Current, parts: &[String]) -> bool {
    let text = words::plain(&content::text(&message.content.segments));
    !message.is_recalled() && parts.iter().all(|part| text.contains(part.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_what_stands_between_its_signs() {
        assert_eq!(parts("Hello, 北京 ＡＢ!"), ["hello", "北京", "ab"]);
        assert!(parts(" -!").is_empty());
    }
}
