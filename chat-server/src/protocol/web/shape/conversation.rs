//! The JSON of a conversation as one user sees it.

use std::collections::HashMap;

use common::api::{Entry, Profile};
use common::id::{ConvId, Peer};
use common::store::StoreError;
use common::store::place::Notify;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::message::{self, Message};
use super::{Decimal, Id, Timestamp, User};
use crate::app::App;
use crate::command;

/// A conversation as the asking user sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Conversation {
    #[schema(value_type = Id)]
    pub(crate) id: Decimal<ConvId>,
    pub(crate) kind: ConversationKind,
    /// The other user of a direct conversation; oneself, where one talks to oneself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) peer: Option<User>,
    /// The group of a group's conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) group: Option<PeerGroup>,
    /// The number of the last entry; 0 if there is none.
    #[schema(minimum = 0)]
    pub(crate) last_seq: u64,
    /// When that was written.
    pub(crate) active_at: Timestamp,
    /// The last message or notice; null if there is none.
    pub(crate) last_message: Option<Message>,
    /// The user has read up to here.
    #[schema(minimum = 0)]
    pub(crate) read_seq: u64,
    /// How far the other user has read; only in direct conversations.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0)]
    pub(crate) peer_read_seq: Option<u64>,
    /// How far a device of the other user has received; only in direct conversations.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0)]
    pub(crate) peer_delivered_seq: Option<u64>,
    /// Messages of others that were not read; at most 999 are counted.
    #[schema(minimum = 0, maximum = 999)]
    pub(crate) unread: u32,
    /// Those of them that mention the user.
    #[schema(minimum = 0)]
    pub(crate) mentions: u32,
    /// Nothing of it rings: `notify` is `nothing`.
    pub(crate) muted: bool,
    pub(crate) notify: NotifyKind,
    pub(crate) pinned: bool,
    /// It is listed only if asked for, until something is written in it.
    pub(crate) hidden: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ConversationKind {
    Direct,
    Group,
}

/// What of a conversation rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NotifyKind {
    All,
    Mentions,
    Nothing,
}

impl From<Notify> for NotifyKind {
    fn from(notify: Notify) -> Self {
        match notify {
            Notify::All => Self::All,
            Notify::Mentions => Self::Mentions,
            Notify::Nothing => Self::Nothing,
        }
    }
}

impl From<NotifyKind> for Notify {
    fn from(notify: NotifyKind) -> Self {
        match notify {
            NotifyKind::All => Self::All,
            NotifyKind::Mentions => Self::Mentions,
            NotifyKind::Nothing => Self::Nothing,
        }
    }
}

/// The group of a conversation, in short.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PeerGroup {
    #[schema(value_type = Id)]
    pub(crate) id: String,
    pub(crate) name: String,
    /// A picture's name on the image server.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) avatar: Option<String>,
    #[schema(minimum = 0)]
    pub(crate) members: u32,
}

/// Conversations with their last messages.
///
/// # Errors
/// When the database cannot be asked.
pub(crate) async fn present(
    app: &App,
    conversations: Vec<command::Conversation>,
) -> Result<Vec<Conversation>, StoreError> {
    let mut last = last_messages(app, &conversations).await?;
    let shown = conversations.into_iter().map(|conversation| {
        let message = last.remove(&conversation.place.conv);
        one(conversation, message)
    });
    Ok(shown.collect())
}

async fn last_messages(
    app: &App,
    conversations: &[command::Conversation],
) -> Result<HashMap<ConvId, Message>, StoreError> {
    let (ends, others): (Vec<_>, Vec<_>) = conversations
        .iter()
        .filter_map(|conversation| Some((conversation.last.as_ref()?, conversation.place.head)))
        .partition(|(last, head)| last.seq == *head);
    let entries = |some: Vec<(&Entry, _)>| -> Vec<Entry> {
        some.into_iter().map(|(entry, _)| entry.clone()).collect()
    };
    let (ends, others) = (entries(ends), entries(others));
    let mut shown = message::present_ends(app, &ends).await?;
    shown.extend(message::present(app, &others).await?);
    let shown = shown.into_iter().filter_map(|message| {
        let conv = ConvId::from_decimal(&message.conversation)?;
        Some((conv, message))
    });
    Ok(shown.collect())
}

fn one(conversation: command::Conversation, last_message: Option<Message>) -> Conversation {
    let command::Conversation {
        place,
        peer,
        profile,
        members,
        peer_read,
        peer_delivered,
        ..
    } = conversation;
    let profile = profile.unwrap_or_else(|| nobody(peer));
    let (kind, user, group) = match peer {
        Peer::User(_) => (ConversationKind::Direct, Some(profile.into()), None),
        Peer::Group(_) => {
            let group = PeerGroup {
                id: peer.number().to_string(),
                name: profile.nickname,
                avatar: Some(profile.avatar.custom).filter(|custom| !custom.is_empty()),
                members: members.unwrap_or(0),
            };
            (ConversationKind::Group, None, Some(group))
        }
    };
    Conversation {
        id: Decimal(place.conv),
        kind,
        peer: user,
        group,
        last_seq: place.head.0,
        active_at: Timestamp(place.at),
        last_message,
        read_seq: place.read.0,
        peer_read_seq: peer_read.map(|seq| seq.0),
        peer_delivered_seq: peer_delivered.map(|seq| seq.0),
        unread: place.unread,
        mentions: place.mentions,
        muted: place.notify == Notify::Nothing,
        notify: place.notify.into(),
        pinned: place.pinned,
        hidden: place.hidden,
    }
}

/// What is shown of an account that is gone.
fn nobody(peer: Peer) -> Profile {
    Profile {
        birthday: 0,
        ..Profile::fresh(peer, "", "")
    }
}
