//! Reads behind the log and writes the words of messages into the search index, and who was
//! mentioned.
//!
//! It is never in a sender's way: it hands in one small batch and waits for it, so that at the
//! most one batch of index stands between two messages. What it has not reached is not found yet;
//! nothing is lost when it is stopped, for the database knows how far each conversation is.

use std::sync::Arc;
use std::time::Duration;

use common::api::{Body, Entry, KnownSegment, Mentioned, Notice, Segment};
use common::id::{ConvId, Millis, Seq, UserId};
use common::store::search::{self, Indexed, SearchChange};
use common::store::{Change, StoreError, indexed, message};
use common::words;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::content;
use crate::log::{Marked, Pending, Unindexed};

/// How many conversations are looked at together.
const CONVERSATIONS_MAX: usize = 128;
/// How many conversations one scan of the database gives.
const SCAN_MAX: u32 = 256;
/// How many entries of one conversation are read together.
const PAGE_LENGTH: u32 = 64;
/// How many words one change may bring: each is a row, and a sender's batch waits for them.
const WORDS_MAX: usize = 1_000;
/// How long what was just written waits: messages that come close together are indexed together,
/// and a quiet server does not commit twice for each message.
const PAUSE: Duration = Duration::from_millis(100);
/// How long to wait before trying again what the database could not do.
const RETRY: Duration = Duration::from_secs(5);

/// Keeps the index up to date until `shutdown`. First comes what was left over when a server
/// ended.
pub async fn run(app: Arc<App>, unindexed: Arc<Unindexed>, shutdown: CancellationToken) {
    let indexing = async {
        let mut marked = Marked::TooMany;
        loop {
            let done = match &marked {
                Marked::TooMany => scan(&app).await,
                Marked::These(convs) => catch_up(&app, convs).await,
            };
            if let Err(error) = done {
                tracing::warn!(%error, "the search index could not be written; trying again");
                tokio::time::sleep(RETRY).await;
                marked = Marked::TooMany;
                continue;
            }
            unindexed.marked().await;
            tokio::time::sleep(PAUSE).await;
            marked = unindexed.collect(CONVERSATIONS_MAX).await;
        }
    };
    shutdown.run_until_cancelled(indexing).await;
}

/// Brings everything up to date that the database knows to be behind.
pub(crate) async fn scan(app: &App) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let behind = search::behind(&*app.store, after, SCAN_MAX).await?;
        let convs: Vec<ConvId> = behind.into_iter().map(|(conv, _)| conv).collect();
        // What could not be indexed is not looked at again: it would be all that ever is.
        after = convs.last().copied();
        if after.is_none() {
            return Ok(());
        }
        for some in convs.chunks(CONVERSATIONS_MAX) {
            catch_up(app, some).await?;
        }
    }
}

async fn catch_up(app: &App, convs: &[ConvId]) -> Result<(), StoreError> {
    let mut batch = Batch::new(app);
    for place in indexed::of(&*app.store, convs).await? {
        match catch_up_one(app, &mut batch, &place).await {
            // One unreadable conversation must not keep all others out of the index.
            Err(StoreError::Broken(problem)) => {
                tracing::error!(conv = %place.conv, problem, "a conversation is not indexed");
            }
            result => result?,
        }
    }
    batch.finish().await
}

async fn catch_up_one(
    app: &App,
    batch: &mut Batch<'_>,
    place: &indexed::Indexed,
) -> Result<(), StoreError> {
    let mut upto = place.upto;
    while upto < place.head {
        upto = next_page(app, batch, place, upto).await?;
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// Indexes some entries behind this place; answers how far it got.
async fn next_page(
    app: &App,
    batch: &mut Batch<'_>,
    place: &indexed::Indexed,
    after: Seq,
) -> Result<Seq, StoreError> {
    let conv = place.conv;
    let held = usize::try_from(PAGE_LENGTH).unwrap_or(usize::MAX);
    let entries: Vec<Entry> = match app.tail.behind(conv, after, held) {
        Some(held) => held.iter().map(|held| held.entry.clone()).collect(),
        None => app.store.pull(conv, after, PAGE_LENGTH).await?,
    };
    let Some(last) = entries.last().map(|entry| entry.seq) else {
        tracing::error!(%conv, %after, "a conversation ends before its head");
        batch.add(nothing(conv, place.head)).await?;
        return Ok(place.head);
    };
    let mut found = Vec::with_capacity(entries.len());
    for entry in &entries {
        found.push(found_in(app, entry).await?);
    }
    for change in changes(conv, after, found) {
        batch.add(change).await?;
    }
    Ok(last)
}

/// Changes that were handed in and are not saved yet. Waits before there are too many words in
/// them.
struct Batch<'a> {
    app: &'a App,
    pending: Vec<Pending>,
    words: usize,
}

impl<'a> Batch<'a> {
    fn new(app: &'a App) -> Self {
        Self {
            app,
            pending: Vec::new(),
            words: 0,
        }
    }

    async fn add(&mut self, change: SearchChange) -> Result<(), StoreError> {
        let words: usize = change.words.iter().map(|indexed| indexed.words.len()).sum();
        if self.words + words > WORDS_MAX || self.pending.len() == CONVERSATIONS_MAX {
            self.finish().await?;
        }
        self.words += words;
        self.pending
            .push(self.app.log.submit(Change::Search(change)).await?);
        Ok(())
    }

    async fn finish(&mut self) -> Result<(), StoreError> {
        self.words = 0;
        for pending in self.pending.drain(..) {
            match pending.outcome().await {
                Err(StoreError::Broken(problem)) => {
                    tracing::error!(problem, "words cannot be written to the index");
                }
                Ok(_) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn nothing(conv: ConvId, upto: Seq) -> SearchChange {
    SearchChange {
        conv,
        upto,
        words: Vec::new(),
        mentions: Vec::new(),
    }
}

/// What an entry brings into the index.
#[derive(Debug, Default)]
struct Found {
    /// The entry's own place.
    at: Seq,
    words: Option<Indexed>,
    mentions: Vec<(Seq, Option<UserId>)>,
}

async fn found_in(app: &App, entry: &Entry) -> Result<Found, StoreError> {
    // An edit brings its words to the message that it changes. Whether the old ones still count
    // is decided when somebody finds them.
    let (seq, segments) = match &entry.body {
        Body::Message { .. } => match content::written(&*app.store, entry).await {
            Ok(written) => (entry.seq, written.map(|written| written.segments)),
            // One unreadable message must not keep all others out of the index.
            Err(StoreError::Broken(problem)) => {
                tracing::warn!(conv = %entry.conv, seq = %entry.seq, problem, "not indexed");
                (entry.seq, None)
            }
            Err(error) => return Err(error),
        },
        Body::Notice(Notice::MessageEdited { seq, segments }) => (*seq, Some(segments.clone())),
        Body::Notice(_) => (entry.seq, None),
    };
    let mut found = Found {
        at: entry.seq,
        ..Found::default()
    };
    let Some(segments) = segments else {
        return Ok(found);
    };
    let words = words::of_message(&content::text(&segments));
    if !words.is_empty() {
        // All words of a message stand in the index under one time, that of the message: otherwise
        // it would be found twice.
        let at = match seq == entry.seq {
            true => Some(entry.origin.at),
            false => written_at(app, entry.conv, seq).await?,
        };
        found.words = at.map(|at| Indexed { seq, at, words });
    }
    found.mentions = mentions(seq, &segments);
    Ok(found)
}

async fn written_at(app: &App, conv: ConvId, seq: Seq) -> Result<Option<Millis>, StoreError> {
    let found = message::at(&*app.store, &[(conv, seq)]).await?;
    Ok(found.first().map(|message| message.origin.at))
}

fn mentions(seq: Seq, segments: &[Segment]) -> Vec<(Seq, Option<UserId>)> {
    segments
        .iter()
        .filter_map(|segment| match segment {
            Segment::Known(KnownSegment::Mention { user_id }) => Some(match user_id {
                Mentioned::User(user) => (seq, Some(*user)),
                Mentioned::All => (seq, None),
            }),
            Segment::Known(_) | Segment::Unknown(_) => None,
        })
        .collect()
}

/// Changes with at most [`WORDS_MAX`] words each, in order. A message alone has fewer.
fn changes(conv: ConvId, after: Seq, found: Vec<Found>) -> Vec<SearchChange> {
    let mut changes = Vec::new();
    let mut change = nothing(conv, after);
    let mut room = WORDS_MAX;
    for Found {
        at,
        words,
        mentions,
    } in found
    {
        let length = words.as_ref().map_or(0, |indexed| indexed.words.len());
        if length > room {
            let upto = change.upto;
            changes.push(std::mem::replace(&mut change, nothing(conv, upto)));
            room = WORDS_MAX;
        }
        room = room.saturating_sub(length);
        change.words.extend(words);
        change.mentions.extend(mentions);
        change.upto = at;
    }
    changes.push(change);
    changes
}

#[cfg(test)]
mod tests {
    use common::id::GroupId;

    use super::*;

    fn found(seq: u64, words: usize) -> Found {
        let indexed = Indexed {
            seq: Seq(seq),
            at: Millis(1),
            words: (0..words).map(|number| format!("w{number}")).collect(),
        };
        Found {
            at: Seq(seq),
            words: (words > 0).then_some(indexed),
            mentions: Vec::new(),
        }
    }

    #[test]
    fn a_change_is_small_and_says_how_far_it_is() {
        let conv = ConvId::group(GroupId(300_000_000));
        let entries = vec![
            found(4, 10),
            found(5, 0),
            found(6, 990),
            found(7, 1),
            found(8, 256),
        ];
        let changes = changes(conv, Seq(3), entries);
        let sizes: Vec<(u64, usize)> = changes
            .iter()
            .map(|change| {
                let words = change.words.iter().map(|indexed| indexed.words.len()).sum();
                (change.upto.0, words)
            })
            .collect();
        assert_eq!(sizes, [(6, 1_000), (8, 257)]);
    }

    #[test]
    fn a_page_without_a_word_moves_on() {
        let conv = ConvId::group(GroupId(300_000_000));
        let changes = changes(conv, Seq(3), vec![found(4, 0), found(5, 0)]);
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0].upto, Seq(5));
    }
}
