//! What messages say, in segments, as they are now: whatever dialect they were written in, and
//! whatever was done to them since.
//!
//! Knows no protocol. Whether somebody may read a message is the commands' question.

use std::collections::{BTreeMap, HashMap};

use common::api::{Body, Dialect, Entry, KnownSegment, Notice, Segment, SegmentedContent};
use common::id::{ConvId, Seq};
use common::store::message::{self, MessageState};
use common::store::{Store, StoreError};
use common::wire::translate::{self, Found, Wanted};

/// Messages that stand further apart than this are looked up apart: between two hits of a search
/// there may be a hundred thousand messages with reactions.
const GAP_MAX: u64 = 500;

/// The largest width and height of a picture, in pixels: what JPEG can hold.
pub const PIXELS_MAX: u32 = 65_535;

/// A message as it is now.
#[derive(Clone, Debug)]
pub struct Current {
    /// As it was written.
    pub entry: Entry,
    /// What it says now; nothing if it was taken back.
    pub content: SegmentedContent,
    /// What happened to it since; `None` for nothing.
    pub state: Option<MessageState>,
}

impl Current {
    pub fn is_recalled(&self) -> bool {
        self.state
            .as_ref()
            .is_some_and(|state| state.recalled_at.is_some())
    }
}

/// The place of the message that an entry says something new about; `None` for every other entry.
pub fn target(entry: &Entry) -> Option<Seq> {
    match &entry.body {
        Body::Notice(
            Notice::MessageRecalled { seq }
            | Notice::MessageEdited { seq, .. }
            | Notice::ReactionChanged { seq, .. },
        ) => Some(*seq),
        Body::Notice(_) | Body::Message { .. } => None,
    }
}

/// Whether the entry is a chat message, and not something that the server says.
pub fn is_message(entry: &Entry) -> bool {
    matches!(entry.body, Body::Message { .. })
}

/// The messages among these entries as they are now, in the same order. What is no message is
/// left out.
///
/// # Errors
/// When the database cannot be asked.
pub async fn current(store: &dyn Store, entries: &[Entry]) -> Result<Vec<Current>, StoreError> {
    let places = entries.iter().filter(|entry| is_message(entry));
    let states = states(store, places.map(|entry| (entry.conv, entry.seq))).await?;
    with_states(store, entries, states).await
}

/// As [`current`], for the last entries of their conversations: nothing can have happened to them,
/// for it would stand behind them.
///
/// # Errors
/// When the database cannot be asked.
pub async fn untouched(store: &dyn Store, entries: &[Entry]) -> Result<Vec<Current>, StoreError> {
    with_states(store, entries, States::new()).await
}

async fn with_states(
    store: &dyn Store,
    entries: &[Entry],
    mut states: States,
) -> Result<Vec<Current>, StoreError> {
    let mut translator = Translator::new(store);
    let mut messages = Vec::with_capacity(entries.len());
    for entry in entries {
        let Body::Message { dialect, content } = &entry.body else {
            continue;
        };
        let mut state = states.remove(&(entry.conv, entry.seq));
        let replaced = state.as_mut().and_then(|state| state.segments.take());
        let recalled = state
            .as_ref()
            .is_some_and(|state| state.recalled_at.is_some());
        let content = if recalled {
            SegmentedContent::new(Vec::new())
        } else {
            let written = translator.read(*dialect, content).await?;
            edited(written, replaced)
        };
        messages.push(Current {
            entry: entry.clone(),
            content,
            state,
        });
    }
    Ok(messages)
}

/// What a message said when it was written.
///
/// # Errors
/// When the database cannot be asked.
pub async fn written(
    store: &dyn Store,
    entry: &Entry,
) -> Result<Option<SegmentedContent>, StoreError> {
    match &entry.body {
        Body::Message { dialect, content } => Translator::new(store)
            .read(*dialect, content)
            .await
            .map(Some),
        Body::Notice(_) => Ok(None),
    }
}

/// The messages that these entries say something new about, as they are now, each with the place
/// of the entry. The caller shows them only to those who may read the message's own place.
///
/// # Errors
/// When the database cannot be asked.
pub async fn updated(
    store: &dyn Store,
    entries: &[Entry],
) -> Result<Vec<(Seq, Current)>, StoreError> {
    let targets: Vec<(Seq, ConvId, Seq)> = entries
        .iter()
        .filter_map(|entry| Some((entry.seq, entry.conv, target(entry)?)))
        .collect();
    if targets.is_empty() {
        return Ok(Vec::new());
    }
    let mut places: Vec<_> = targets.iter().map(|(_, conv, seq)| (*conv, *seq)).collect();
    places.sort_unstable();
    places.dedup();
    let found = message::at(store, &places).await?;
    let now: BTreeMap<_, _> = current(store, &found)
        .await?
        .into_iter()
        .map(|message| ((message.entry.conv, message.entry.seq), message))
        .collect();
    Ok(targets
        .into_iter()
        .filter_map(|(seq, conv, target)| Some((seq, now.get(&(conv, target))?.clone())))
        .collect())
}

/// An edit replaces the segments; what the message answers and where it came from stays.
fn edited(mut written: SegmentedContent, replaced: Option<Vec<Segment>>) -> SegmentedContent {
    if let Some(segments) = replaced {
        written.segments = segments;
    }
    written
}

type States = BTreeMap<(ConvId, Seq), MessageState>;

async fn states(
    store: &dyn Store,
    places: impl Iterator<Item = (ConvId, Seq)>,
) -> Result<States, StoreError> {
    let mut states = States::new();
    for (conv, from, to) in runs(places.collect()) {
        for state in message::states(store, conv, from, to).await? {
            states.insert((conv, state.seq), state);
        }
    }
    Ok(states)
}

/// Ranges of one conversation each that hold all these places and no gap beyond [`GAP_MAX`].
fn runs(mut places: Vec<(ConvId, Seq)>) -> Vec<(ConvId, Seq, Seq)> {
    places.sort_unstable();
    let mut runs: Vec<(ConvId, Seq, Seq)> = Vec::new();
    for (conv, seq) in places {
        match runs.last_mut() {
            Some((last, _, to)) if *last == conv && seq.0 - to.0 <= GAP_MAX => *to = seq,
            _ => runs.push((conv, seq, seq)),
        }
    }
    runs
}

/// Reads content of any dialect. Holds what it found out about files, because a page of a
/// conversation often shows the same picture again.
struct Translator<'s> {
    store: &'s dyn Store,
    found: HashMap<Wanted, Option<Found>>,
}

impl<'s> Translator<'s> {
    fn new(store: &'s dyn Store) -> Self {
        Self {
            store,
            found: HashMap::new(),
        }
    }

    async fn read(
        &mut self,
        dialect: Dialect,
        content: &[u8],
    ) -> Result<SegmentedContent, StoreError> {
        match dialect {
            Dialect::Segments => serde_json::from_slice(content)
                .map_err(|error| StoreError::Broken(format!("an unreadable message: {error}"))),
            Dialect::Flamingo => self.translated(content).await,
        }
    }

    async fn translated(&mut self, content: &[u8]) -> Result<SegmentedContent, StoreError> {
        for wanted in translate::names(content) {
            if !self.found.contains_key(&wanted) {
                let named = self.store.blob_named(wanted.class, &wanted.name).await?;
                let found = named.map(|named| Found {
                    blob: named.blob,
                    size: named.size,
                });
                self.found.insert(wanted, found);
            }
        }
        let look_up = |wanted: &Wanted| self.found.get(wanted).copied().flatten();
        let mut segments = translate::to_segments(content, &look_up);
        segments.iter_mut().for_each(within_contract);
        Ok(SegmentedContent::new(segments))
    }
}

/// The existing clients may say of a picture or write in a text what this API promises not to.
fn within_contract(segment: &mut Segment) {
    match segment {
        Segment::Known(KnownSegment::Image { width, height, .. }) => {
            *width = (*width).min(PIXELS_MAX);
            *height = (*height).min(PIXELS_MAX);
        }
        Segment::Known(KnownSegment::Text { text }) if text.contains('\0') => {
            text.retain(|c| c != '\0');
        }
        Segment::Known(_) | Segment::Unknown(_) => {}
    }
}

/// Text of a message for people and for the search: what was typed, and the names of files.
pub fn text(segments: &[Segment]) -> String {
    let mut text = String::new();
    for segment in segments {
        match segment {
            Segment::Known(KnownSegment::Text { text: typed }) => text.push_str(typed),
            Segment::Known(KnownSegment::File { name, .. }) => {
                text.push(' ');
                text.push_str(name);
                text.push(' ');
            }
            // A face or a mention stands between two words.
            Segment::Known(_) | Segment::Unknown(_) => text.push(' '),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use common::id::{GroupId, UserId};

    use super::*;

    #[test]
    fn messages_far_apart_are_looked_up_apart() {
        let (one, two) = (
            ConvId::direct(UserId(1), UserId(2)),
            ConvId::group(GroupId(300_000_000)),
        );
        let places = vec![
            (two, Seq(5)),
            (one, Seq(900)),
            (one, Seq(1)),
            (one, Seq(400)),
        ];
        let wanted = vec![(one, Seq(1), Seq(900)), (two, Seq(5), Seq(5))];
        assert_eq!(runs(places), wanted);
        let places = vec![(one, Seq(1)), (one, Seq(502))];
        assert_eq!(runs(places).len(), 2);
    }

    #[test]
    fn the_text_of_a_message_is_what_was_typed_and_the_names_of_files() {
        let typed = |text: &str| {
            Segment::from(KnownSegment::Text {
                text: text.to_owned(),
            })
        };
        let segments = [
            typed("see "),
            typed("this"),
            KnownSegment::Face { id: 1 }.into(),
            typed("!"),
        ];
        assert_eq!(text(&segments), "see this !");
    }
}
