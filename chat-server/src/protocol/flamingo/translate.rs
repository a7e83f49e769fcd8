//! What other protocols say, as chat messages of the existing clients: looks up what a translation
//! needs and hands it to `common::wire::translate`.

use std::collections::{BTreeSet, HashMap};

use common::api::{Body, Dialect, Entry, Notice, Segment, SegmentedContent};
use common::id::{ConvId, ConvKind, Millis, Peer, Seq, UserId};
use common::store::{Store, StoreError, blob, message, place};
use common::wire::json;
use common::wire::translate::{self, Names};
use serde_json::Value;

/// For how many messages at a time is looked up whether they were taken back: as many as a session
/// pulls at a time.
const LOOK_AHEAD: u64 = 64;

/// An entry as the clients get it.
pub(super) struct Translated {
    /// Chat JSON, in the order in which it is sent; none if the protocol has no words for the entry.
    pub(super) messages: Vec<Vec<u8>>,
    /// Whether it quotes another message, which may be taken back: then it is not kept.
    pub(super) quotes: bool,
}

impl Translated {
    fn plain(messages: Vec<Vec<u8>>) -> Self {
        Self {
            messages,
            quotes: false,
        }
    }
}

/// # Errors
/// When the database cannot be asked.
pub(super) async fn messages(store: &dyn Store, entry: &Entry) -> Result<Translated, StoreError> {
    let (conv, at) = (entry.conv, entry.origin.at);
    let messages = match &entry.body {
        Body::Message {
            dialect: Dialect::Flamingo,
            content,
        } => rewrite(content, at).into_iter().collect(),
        Body::Message {
            dialect: Dialect::Segments,
            content,
        } => {
            let Ok(content) = serde_json::from_slice::<SegmentedContent>(content) else {
                let unreadable = translate::notice(translate::UNREADABLE, at);
                return Ok(Translated::plain(vec![unreadable]));
            };
            return answer(store, entry, &content).await;
        }
        Body::Notice(Notice::MessageEdited { segments, .. }) => {
            let names = names(store, segments).await?;
            translate::edited(segments, at, &names)
        }
        Body::Notice(Notice::MessageRecalled { .. }) => {
            vec![translate::notice("[recalled a message]", at)]
        }
        Body::Notice(Notice::ReactionChanged {
            seq,
            emoji,
            added: true,
        }) => {
            let (text, quotes) = match about(store, conv, *seq).await? {
                About::Words(words) => (format!("[{emoji} to \"{words}\"]"), true),
                About::Author(name) => (format!("[{emoji} to a message of {name}]"), false),
                About::Nothing => (format!("[{emoji}]"), false),
            };
            return Ok(Translated {
                messages: vec![translate::notice(&text, at)],
                quotes,
            });
        }
        Body::Notice(_) => Vec::new(),
    };
    Ok(Translated::plain(messages))
}

/// A message of segments, with a line about the message that it answers.
async fn answer(
    store: &dyn Store,
    entry: &Entry,
    content: &SegmentedContent,
) -> Result<Translated, StoreError> {
    let mut names = names(store, &content.segments).await?;
    let mut quotes = false;
    if let Some(seq) = content.reply_to {
        names.quoted = match about(store, entry.conv, seq).await? {
            About::Words(words) => {
                quotes = true;
                Some(words)
            }
            About::Author(name) => Some(name),
            About::Nothing => None,
        };
    }
    Ok(Translated {
        messages: translate::to_flamingo(content, entry.origin.at, &names),
        quotes,
    })
}

/// What the server changes in a chat message: its time is the server's, in seconds, and the JSON
/// is written anew. `None` if it is no JSON object.
pub(super) fn rewrite(content: &[u8], at: Millis) -> Option<Vec<u8>> {
    let mut object = json::object(content)?;
    object.insert("time".to_owned(), Value::from(at.seconds()));
    serde_json::to_vec(&object).ok()
}

/// The nicknames and the names of files that these segments need.
async fn names(store: &dyn Store, segments: &[Segment]) -> Result<Names, StoreError> {
    let needs = translate::needs(segments);
    let mut names = Names::default();
    if !needs.people.is_empty() {
        let people: Vec<Peer> = needs.people.into_iter().map(Peer::User).collect();
        for profile in store.profiles(&people).await? {
            if let Peer::User(user) = profile.id {
                names.people.insert(user, profile.nickname);
            }
        }
    }
    if !needs.blobs.is_empty() {
        let blobs: BTreeSet<_> = needs.blobs.iter().map(|(_, blob)| *blob).collect();
        let blobs: Vec<_> = blobs.into_iter().collect();
        for stored in blob::stored(store, &blobs).await? {
            // The verified names come first, and the first one stays.
            for (class, name) in stored.names {
                names.blobs.entry((class, stored.blob)).or_insert(name);
            }
        }
    }
    Ok(names)
}

/// What is said of a message that another one is about.
enum About {
    Words(String),
    /// In a group it is not quoted: who became a member later may not read what it says, and the
    /// translation is the same for all.
    Author(String),
    /// It was taken back, says nothing or is no message.
    Nothing,
}

async fn about(store: &dyn Store, conv: ConvId, seq: Seq) -> Result<About, StoreError> {
    let found = message::at(store, &[(conv, seq)]).await?;
    let Some(entry) = found.first() else {
        return Ok(About::Nothing);
    };
    let Body::Message { dialect, content } = &entry.body else {
        return Ok(About::Nothing);
    };
    if !matches!(conv.kind(), Some(ConvKind::Direct(..))) {
        let author = entry.origin.user;
        let profile = store.profiles(&[Peer::User(author)]).await?.pop();
        let name = profile.map_or_else(|| author.to_string(), |profile| profile.nickname);
        return Ok(About::Author(name));
    }
    let words = excerpt(store, (conv, seq), *dialect, content).await?;
    Ok(words.map_or(About::Nothing, About::Words))
}

/// The first words of a message as it is now; `None` if it was taken back or says nothing.
async fn excerpt(
    store: &dyn Store,
    (conv, seq): (ConvId, Seq),
    dialect: Dialect,
    content: &[u8],
) -> Result<Option<String>, StoreError> {
    let state = message::changes(store, conv, seq, seq).await?.pop();
    if state
        .as_ref()
        .is_some_and(|state| state.recalled_at.is_some())
    {
        return Ok(None);
    }
    let edited = state.and_then(|state| state.segments);
    let segments = match (edited, dialect) {
        (Some(edited), _) => edited,
        (None, Dialect::Flamingo) => translate::to_segments(content, &|_| None),
        (None, Dialect::Segments) => serde_json::from_slice::<SegmentedContent>(content)
            .map(|content| content.segments)
            .unwrap_or_default(),
    };
    let words = translate::excerpt(&segments);
    Ok((!words.is_empty()).then_some(words))
}

/// Which messages were taken back before their receiver got them, and which stand before he became
/// a member: the one place where delivery to the existing clients asks. Looks up a page at a time.
#[derive(Debug, Default)]
pub(super) struct Recalled {
    /// For each conversation: what was looked up last.
    pages: HashMap<ConvId, Page>,
    /// Behind which entry of a group the user may read, where that was asked.
    readable: HashMap<ConvId, Seq>,
}

#[derive(Debug)]
struct Page {
    from: Seq,
    to: Seq,
    recalled: BTreeSet<Seq>,
}

impl Recalled {
    /// Whether this message must not be shown any more.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub(super) async fn has(
        &mut self,
        store: &dyn Store,
        conv: ConvId,
        seq: Seq,
    ) -> Result<bool, StoreError> {
        let page = self.pages.get(&conv);
        if let Some(page) = page.filter(|page| page.from <= seq && seq <= page.to) {
            return Ok(page.recalled.contains(&seq));
        }
        let to = Seq(seq.0.saturating_add(LOOK_AHEAD - 1));
        let recalled = message::recalled(store, conv, seq, to).await?;
        let recalled: BTreeSet<Seq> = recalled.into_iter().collect();
        let is_recalled = recalled.contains(&seq);
        let page = Page {
            from: seq,
            to,
            recalled,
        };
        self.pages.insert(conv, page);
        Ok(is_recalled)
    }

    /// Whether the user may read the message at this place: what became of a message that was
    /// written before he became a member is not for him either.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub(super) async fn may_read(
        &mut self,
        store: &dyn Store,
        user: UserId,
        conv: ConvId,
        target: Seq,
    ) -> Result<bool, StoreError> {
        if !matches!(conv.kind(), Some(ConvKind::Group(_))) {
            return Ok(true);
        }
        if let Some(since) = self.readable.get(&conv) {
            return Ok(target > *since);
        }
        let Some(since) = place::since(store, user, conv).await? else {
            return Ok(false);
        };
        self.readable.insert(conv, since);
        Ok(target > since)
    }

    /// The conversation is not the user's any more.
    pub(super) fn lost(&mut self, conv: ConvId) {
        self.pages.remove(&conv);
        self.readable.remove(&conv);
    }

    /// Forgets what was looked up of messages: the session has everything that it missed.
    pub(super) fn forget(&mut self) {
        self.pages = HashMap::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_gets_the_servers_time_and_keeps_everything_else() {
        let raw = "{\"msgType\":1,\"time\":1700000000,\"clientType\":1,\
                   \"content\":[{\"msgText\":\"a\r\n\tb\"}],\"new\":{\"x\":1.5}}";
        let written = rewrite(raw.as_bytes(), Millis(1_700_000_001_999)).unwrap();
        assert_eq!(
            String::from_utf8(written).unwrap(),
            r#"{"clientType":1,"content":[{"msgText":"a\r\n\tb"}],"msgType":1,"new":{"x":1.5},"time":1700000001}"#
        );
        assert_eq!(rewrite(b"[]", Millis(0)), None);
        assert_eq!(rewrite(b"", Millis(0)), None);
    }
}
