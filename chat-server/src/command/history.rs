//! Reads a conversation page by page.

use std::collections::VecDeque;

use common::api::Entry;
use common::id::{ConvId, Seq};
use common::store::message;
use common::store::place::Place;

use super::Failure;
use super::may_read::may_read;
use crate::actor::Actor;
use crate::app::App;
use crate::content;

/// The most messages of one page.
pub const HISTORY_MAX: u32 = 500;
/// How often the log is read for one page, at the most. What is said about earlier messages is
/// shown with those: a page of a conversation with nothing but reactions would read on for ever.
const READS_MAX: u32 = 8;

/// Which part of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Newest,
    /// What stands behind this place, the nearest first.
    After(Seq),
    /// What stands before this place, the nearest last.
    Before(Seq),
}

/// A page of a conversation.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// Messages and notices, ascending.
    pub entries: Vec<Entry>,
    /// Where the next page in the same direction begins; `None` if there is nothing more.
    pub next: Option<Seq>,
}

/// A page of what the user may read, at most `limit` entries (at least 1, at most
/// [`HISTORY_MAX`]). A page may be shorter although more follows.
///
/// # Errors
/// `NotAMember`, `NoSuchConversation`; the store's.
pub async fn history(
    app: &App,
    actor: &Actor,
    conv: ConvId,
    part: Part,
    limit: u32,
) -> Result<History, Failure> {
    let place = may_read(app, actor.user, conv).await?;
    let limit = limit.clamp(1, HISTORY_MAX);
    match part {
        Part::Newest => before(app, &place, place.head.next(), limit).await,
        Part::Before(seq) => before(app, &place, seq.min(place.head.next()), limit).await,
        Part::After(seq) => after(app, &place, seq, limit).await,
    }
}

async fn after(app: &App, place: &Place, after: Seq, limit: u32) -> Result<History, Failure> {
    let mut entries = Vec::new();
    let mut reached = after.max(place.since);
    for _ in 0..READS_MAX {
        if reached >= place.head || entries.len() >= size(limit) {
            break;
        }
        let page = app.store.pull(place.conv, reached, limit).await?;
        if page.is_empty() {
            reached = place.head;
        }
        for entry in page {
            if entries.len() >= size(limit) {
                break;
            }
            reached = entry.seq;
            if content::target(&entry).is_none() {
                entries.push(entry);
            }
        }
    }
    let next = (reached < place.head).then_some(reached);
    Ok(History { entries, next })
}

async fn before(app: &App, place: &Place, before: Seq, limit: u32) -> Result<History, Failure> {
    let first = place.since.next();
    let mut entries = VecDeque::new();
    let mut reached = before;
    for _ in 0..READS_MAX {
        if reached <= first || entries.len() >= size(limit) {
            break;
        }
        let page = message::before(&*app.store, place.conv, reached, place.since, limit).await?;
        if page.is_empty() {
            reached = first;
        }
        for entry in page.into_iter().rev() {
            if entries.len() >= size(limit) {
                break;
            }
            reached = entry.seq;
            if content::target(&entry).is_none() {
                entries.push_front(entry);
            }
        }
    }
    let next = (reached > first).then_some(reached);
    Ok(History {
        entries: entries.into(),
        next,
    })
}

fn size(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}
