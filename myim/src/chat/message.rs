//! Inputs and effects: what the runtime tells the state, and what the state asks of it.
//!
//! **Invariant:** no I/O; the runtime carries effects out and answers with inputs.

use std::path::PathBuf;

use client::live::{EntryContent, Outgoing, Passing};
use client::model::{
    BlobId, Contact, ContactRequest, Conversation, ConversationEdit, ConversationId, GroupId,
    GroupMember, Message, Page, Presence, Segment, Seq, Timestamp, User, UserId,
};
use client::{Connection, Failed, Sent, store};
use ratatui::crossterm::event::KeyEvent;

/// Something that happened.
#[derive(Debug)]
pub(crate) enum Input {
    Key(KeyEvent),
    Paste(String),
    Resize(u16, u16),
    /// Whether the terminal has the focus.
    Focus(bool),
    /// The time of day; comes before everything else that happens at that time.
    Clock(Timestamp),
    News(Box<News>),
}

/// What came from the network, and answers to effects.
#[derive(Debug)]
pub(crate) enum News {
    Connection(Connection),
    /// The device was signed out because the account was locked.
    Locked,
    Resync,
    Entry {
        conversation: ConversationId,
        seq: Seq,
        content: EntryContent,
    },
    Passing(Passing),
    Sent(Sent),
    Failed(Failed),
    Outbox(Vec<store::Outgoing>),
    List(Vec<Conversation>),
    Conversation(Box<Conversation>),
    /// The conversation that was asked for with [`Effect::OpenWith`].
    Opened(Box<Conversation>),
    /// The same with somebody who is no contact (yet).
    OpenedStrange(User, Box<Conversation>),
    Contacts(Vec<Contact>),
    Requests(Vec<ContactRequest>),
    Presence(Vec<Presence>),
    Page {
        conversation: ConversationId,
        wanted: Wanted,
        page: Result<Page<Message>, String>,
    },
    Quote {
        conversation: ConversationId,
        seq: Seq,
        message: Option<Box<Message>>,
    },
    Updated(Box<Message>),
    User(User),
    Members(Vec<GroupMember>),
    Users {
        ticket: u64,
        users: Vec<User>,
    },
    Hits {
        ticket: u64,
        hits: Vec<Message>,
    },
    Completed {
        ticket: u64,
        path: String,
        choices: Vec<String>,
    },
    Asked(User),
    Transfer {
        id: u64,
        progress: Progress,
    },
    /// A request failed; a sentence.
    Refused(String),
}

/// A file of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileOf {
    pub(crate) content: BlobId,
    pub(crate) name: String,
}

/// How a transfer is.
#[derive(Debug)]
pub(crate) enum Progress {
    Moved(u64, u64),
    Uploaded(Segment),
    Saved(PathBuf),
    /// The file on this machine cannot be read, or written.
    Unusable(String),
    Failed(String),
    Cancelled,
}

/// Which piece of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    Newest,
    Before(Seq),
    After(Seq),
    /// A window with this message in it.
    Around(Seq),
}

/// What the runtime has to do.
#[derive(Clone, Debug)]
pub(crate) enum Effect {
    LoadList,
    LoadContacts,
    LoadOutbox,
    LoadRequests,
    LoadPresence(Vec<UserId>),
    LoadConversation(ConversationId),
    LoadPage(ConversationId, Wanted),
    LoadQuote(ConversationId, Seq),
    LoadUser(UserId),
    LoadMembers(GroupId),
    OpenWith(User),
    Send(Box<Outgoing>),
    Retry(String),
    Discard(String),
    Edit(ConversationId, Seq, Vec<Segment>),
    Recall(ConversationId, Seq),
    React {
        conversation: ConversationId,
        seq: Seq,
        emoji: String,
        there: bool,
    },
    Keep(ConversationId, ConversationEdit),
    Typing(ConversationId),
    Read(ConversationId, Seq),
    /// On the screen now, and no longer on the screen.
    Open(ConversationId),
    Close(ConversationId),
    FindUsers(u64, String),
    RequestContact(User, String),
    AnswerContact(u64, bool),
    Search(u64, String),
    Complete(u64, String),
    Upload {
        id: u64,
        path: String,
    },
    Download {
        id: u64,
        file: FileOf,
        path: String,
    },
    CancelTransfer(u64),
    /// Connect again after another program took this device's place.
    TakeOver,
    Wake,
    Bell,
    Redraw,
    Suspend,
    Quit,
}
