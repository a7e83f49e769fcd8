//! Everything that the screen shows, and what the keys act on.

use std::collections::HashMap;

use client::Ended;
use client::model::{
    ContactRequest, Conversation, ConversationId, Direction, Segment, Seq, Timestamp, UserId,
};
use jiff::tz::TimeZone;

use super::editor::Editor;
use super::history::{History, Key};
use super::people::People;
use super::popup::Popup;
use super::text::{Lang, Texts};

/// What is known when the program starts.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) me: UserId,
    pub(crate) my_name: String,
    pub(crate) lang: Lang,
    pub(crate) zone: TimeZone,
    pub(crate) now: Timestamp,
    pub(crate) color: bool,
    pub(crate) bell: bool,
    /// What the client ids of this run begin with.
    pub(crate) run: String,
    /// What signs this device in again.
    pub(crate) sign_in: String,
}

pub(crate) struct State {
    pub(crate) setting: Setting,
    pub(crate) texts: &'static Texts,
    pub(crate) now: Timestamp,
    pub(crate) size: (u16, u16),
    /// The terminal has the focus. Terminals that do not tell have it always.
    pub(crate) focused: bool,
    pub(crate) link: Link,
    pub(crate) people: People,
    pub(crate) chats: HashMap<ConversationId, Chat>,
    /// The list from top to bottom.
    pub(crate) order: Vec<ConversationId>,
    /// The list came at least once.
    pub(crate) loaded: bool,
    pub(crate) open: Option<ConversationId>,
    pub(crate) pane: Pane,
    /// Where the list's own cursor is.
    pub(crate) chosen: Option<ConversationId>,
    pub(crate) popup: Option<Popup>,
    pub(crate) requests: Vec<ContactRequest>,
    /// Requests that came and were not seen among the open ones yet.
    pub(crate) came: Vec<u64>,
    pub(crate) transfers: Vec<Transfer>,
    /// One line until the next key.
    pub(crate) told: Option<Told>,
    /// The next Ctrl-C quits although something would be lost.
    pub(crate) quitting: bool,
    /// For whatever needs a number of its own.
    pub(crate) counter: u64,
}

/// Where the keys go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pane {
    List,
    Chat,
}

/// The connection as the status line shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    Connecting,
    Online,
    Offline { next_try: Timestamp },
    Ended(Ended),
    Locked,
}

impl Link {
    /// Whether nothing can be written any more.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self, Self::Ended(_) | Self::Locked)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) text: String,
    pub(crate) bad: bool,
}

/// A conversation, and what is being written in it.
#[derive(Debug)]
pub(crate) struct Chat {
    pub(crate) summary: Conversation,
    pub(crate) history: History,
    pub(crate) draft: Editor,
    pub(crate) mode: Mode,
    pub(crate) selected: Option<Key>,
    /// Who types, and until when to believe it.
    pub(crate) typing: Vec<(UserId, Timestamp)>,
    /// When it was told last that the user types.
    pub(crate) typing_told: Option<Timestamp>,
    /// Behind this place everything was new when the conversation was opened.
    pub(crate) new_after: Option<Seq>,
}

/// What Enter does with what was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    #[default]
    New,
    Reply(Seq),
    Edit(Seq),
}

/// A file on its way.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Transfer {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) upload: bool,
    pub(crate) done: u64,
    pub(crate) total: u64,
    pub(crate) started: Timestamp,
    /// Where an upload goes.
    pub(crate) conversation: Option<ConversationId>,
    pub(crate) reply_to: Option<Seq>,
    /// What asked for it.
    pub(crate) asked: Popup,
}

impl State {
    pub(crate) fn new(setting: Setting, size: (u16, u16)) -> Self {
        let mut people = People::default();
        people.call(setting.me, setting.my_name.clone());
        Self {
            texts: setting.lang.texts(),
            now: setting.now,
            setting,
            size,
            focused: true,
            link: Link::Connecting,
            people,
            chats: HashMap::new(),
            order: Vec::new(),
            loaded: false,
            open: None,
            pane: Pane::List,
            chosen: None,
            popup: None,
            requests: Vec::new(),
            came: Vec::new(),
            transfers: Vec::new(),
            told: None,
            quitting: false,
            counter: 0,
        }
    }

    pub(crate) fn me(&self) -> UserId {
        self.setting.me
    }

    /// A number that was not used before.
    pub(crate) fn next_number(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    pub(crate) fn next_client_id(&mut self) -> String {
        let number = self.next_number();
        format!("{}-{number}", self.setting.run)
    }

    pub(crate) fn open_chat(&self) -> Option<&Chat> {
        self.chats.get(&self.open?)
    }

    pub(crate) fn open_chat_mut(&mut self) -> Option<&mut Chat> {
        self.chats.get_mut(&self.open?)
    }

    /// What to call a conversation, in one harmless line.
    pub(crate) fn title(&self, summary: &Conversation) -> String {
        let remark = summary
            .peer
            .as_ref()
            .and_then(|peer| self.people.name(peer.id));
        let title = remark.unwrap_or_else(|| summary.title());
        super::clean::line(title).into_owned()
    }

    pub(crate) fn tell(&mut self, text: impl Into<String>, bad: bool) {
        let text = super::clean::line(&text.into()).into_owned();
        self.told = Some(Told { text, bad });
    }

    /// Who waits for an answer to a contact request.
    pub(crate) fn incoming(&self) -> impl Iterator<Item = &ContactRequest> {
        let incoming = |request: &&ContactRequest| request.direction == Direction::Incoming;
        self.requests.iter().filter(incoming)
    }

    /// Puts the list in order: what is pinned first, then the newest activity.
    pub(crate) fn sort(&mut self) {
        let mut order: Vec<_> = self
            .chats
            .values()
            .filter(|chat| !chat.summary.hidden)
            .map(|chat| (!chat.summary.pinned, chat.active_at(), chat.summary.id))
            .collect();
        order.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)).then(a.2.0.cmp(&b.2.0)));
        self.order = order.into_iter().map(|(_, _, id)| id).collect();
    }

    /// When the screen changes although nothing happens: a countdown, somebody who stopped typing.
    pub(crate) fn next_change(&self) -> Option<Timestamp> {
        let second = jiff::SignedDuration::from_secs(1);
        let countdown = match self.link {
            Link::Offline { next_try } if next_try > self.now => Some(self.now + second),
            _ => None,
        };
        let typing = self.chats.values().flat_map(|chat| chat.typing.iter());
        typing.map(|(_, until)| *until).chain(countdown).min()
    }
}

impl Chat {
    pub(crate) fn new(summary: Conversation) -> Self {
        Self {
            summary,
            history: History::default(),
            draft: Editor::default(),
            mode: Mode::New,
            selected: None,
            typing: Vec::new(),
            typing_told: None,
            new_after: None,
        }
    }

    pub(crate) fn is_group(&self) -> bool {
        self.summary.group.is_some()
    }

    /// When something happened here last: also what still waits to be sent.
    pub(crate) fn active_at(&self) -> Timestamp {
        let pending = self.history.pending().last().map(|pending| pending.time);
        pending.map_or(self.summary.active_at, |time| {
            time.max(self.summary.active_at)
        })
    }
}

/// The text of a message as its author would edit it; `None` if there is more in it than text.
pub(crate) fn editable(segments: &[Segment]) -> Option<String> {
    use client::model::KnownSegment;
    let text = |segment: &Segment| match segment {
        Segment::Known(KnownSegment::Text { text }) => Some(text.clone()),
        _ => None,
    };
    segments.iter().map(text).collect()
}
