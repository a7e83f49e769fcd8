//! What happened in conversations: entries of their logs, and what passes beside them.

use client::Sent;
use client::live::{EntryContent, Passing};
use client::model::{
    ConversationId, KnownSegment, Mentioned, Message, Notice, NoticeKind, Segment, Seq, UserId,
};
use jiff::SignedDuration;
use serde_json::{Map, Value};

use super::news;
use crate::chat::message::Effect;
use crate::chat::people::People;
use crate::chat::state::{Chat, State};
use crate::chat::text::put;

/// How long somebody is believed to type.
const TYPING_FOR: SignedDuration = SignedDuration::from_secs(6);
/// The server counts no further either.
const UNREAD_MAX: u32 = 999;
/// Requests that are looked for among the open ones, at most; the newest.
const REQUESTS_MAX: usize = 256;

pub(super) fn entry(
    state: &mut State,
    (conversation, seq): (ConversationId, Seq),
    content: EntryContent,
    effects: &mut Vec<Effect>,
) {
    match content {
        EntryContent::Message(message) => arrived(state, message, effects),
        EntryContent::MessageUpdated(message) => {
            if let Some(chat) = state.chats.get_mut(&conversation) {
                chat.summary.last_seq = chat.summary.last_seq.max(seq);
            }
            updated(state, &message);
        }
        EntryContent::Notice(notice)
            if notice.name.starts_with("group.") && state.chats.contains_key(&conversation) =>
        {
            group_notice(state, (conversation, seq), &notice, effects);
        }
        EntryContent::Notice(notice) => inbox(state, conversation, &notice, effects),
    }
}

/// Asks for the names of those who wrote and were mentioned, each once.
pub(super) fn ask_names<'a>(
    people: &mut People,
    messages: impl IntoIterator<Item = &'a Message>,
    effects: &mut Vec<Effect>,
) {
    let whom = |message: &'a Message| {
        let mentioned = message.segments.iter().filter_map(|segment| match segment {
            Segment::Known(KnownSegment::Mention {
                user_id: Mentioned::User(user),
            }) => Some(*user),
            _ => None,
        });
        let notice = message
            .notice
            .as_ref()
            .and_then(|notice| UserId::from_decimal(notice.get("user_id")?.as_str()?));
        mentioned.chain(notice).chain([message.sender])
    };
    for user in messages.into_iter().flat_map(whom) {
        if people.ask(user) {
            effects.push(Effect::LoadUser(user));
        }
    }
}

fn arrived(state: &mut State, message: Message, effects: &mut Vec<Effect>) {
    let (id, me) = (message.conversation, state.me());
    ask_names(&mut state.people, [&message], effects);
    let open = state.open == Some(id) && super::is_watched(state);
    let Some(chat) = state.chats.get_mut(&id) else {
        effects.push(Effect::LoadConversation(id));
        effects.push(Effect::Bell);
        return;
    };
    chat.typing.retain(|(user, _)| *user != message.sender);
    let quotes = chat.history.missing_quotes(message.reply_to);
    effects.extend(quotes.into_iter().map(|seq| Effect::LoadQuote(id, seq)));
    let is_new = message.seq > chat.summary.last_seq;
    if is_new {
        count(chat, &message, me);
        let rings = message.sender != me && !chat.summary.muted && chat.summary.unread > 0;
        if rings && !open {
            effects.push(Effect::Bell);
        }
    }
    chat.history.insert(message, me);
    state.sort();
}

/// The summary follows what is new.
fn count(chat: &mut Chat, message: &Message, me: UserId) {
    let summary = &mut chat.summary;
    summary.last_seq = message.seq;
    summary.active_at = summary.active_at.max(message.time);
    summary.hidden = false;
    if message.sender == me {
        // From another device of the same user: that device has read what stands before.
        summary.read_seq = message.seq;
        (summary.unread, summary.mentions) = (0, 0);
    } else if message.seq > summary.read_seq && message.notice.is_none() {
        summary.unread = (summary.unread + 1).min(UNREAD_MAX);
        if message.segments.iter().any(|segment| mentions(segment, me)) {
            summary.mentions += 1;
        }
    }
    // Who answers has read what stands before; no event tells that.
    if summary.peer.is_some() && message.sender != me && message.notice.is_none() {
        summary.peer_read_seq = summary.peer_read_seq.max(Some(message.seq));
    }
    summary.last_message = Some(message.clone());
}

fn mentions(segment: &Segment, me: UserId) -> bool {
    match segment {
        Segment::Known(KnownSegment::Mention { user_id }) => match user_id {
            Mentioned::All => true,
            Mentioned::User(user) => *user == me,
        },
        _ => false,
    }
}

pub(super) fn updated(state: &mut State, message: &Message) {
    let Some(chat) = state.chats.get_mut(&message.conversation) else {
        return;
    };
    chat.history.update(message);
    let last = &mut chat.summary.last_message;
    if last.as_ref().is_some_and(|last| last.seq == message.seq) {
        *last = Some(message.clone());
    }
}

/// A message of this device is stored.
pub(super) fn sent(state: &mut State, sent: &Sent) {
    let me = state.me();
    let Some(chat) = state.chats.get_mut(&sent.conversation) else {
        return;
    };
    let Some(pending) = chat.history.take_pending(&sent.client_id) else {
        return;
    };
    let message = Message {
        conversation: sent.conversation,
        seq: sent.seq,
        sender: me,
        time: sent.time,
        client_id: pending.client_id,
        segments: pending.segments,
        reply_to: pending.reply_to,
        forwarded_from: None,
        edited_at: None,
        recalled_at: None,
        reactions: Vec::new(),
        notice: None,
    };
    if message.seq > chat.summary.last_seq {
        count(chat, &message, me);
    }
    chat.history.insert(message, me);
    state.sort();
}

/// What happened in a group stands in its history too, as the server would show it there.
fn group_notice(
    state: &mut State,
    (conversation, seq): (ConversationId, Seq),
    notice: &Notice,
    effects: &mut Vec<Effect>,
) {
    let kind = match notice.name.trim_start_matches("group.") {
        "created" => "group_created",
        "changed" => "group_changed",
        other => other,
    };
    let mut fields: Map<String, Value> = notice.fields.clone();
    fields.insert("type".to_owned(), kind.into());
    let message = Message {
        conversation,
        seq,
        sender: notice.sender,
        time: notice.time,
        client_id: String::new(),
        segments: Vec::new(),
        reply_to: None,
        forwarded_from: None,
        edited_at: None,
        recalled_at: None,
        reactions: Vec::new(),
        notice: Some(fields),
    };
    ask_names(&mut state.people, [&message], effects);
    effects.push(Effect::LoadConversation(conversation));
    arrived(state, message, effects);
}

/// What belongs to no chat: requests, contacts, groups that come and go.
fn inbox(
    state: &mut State,
    conversation: ConversationId,
    notice: &Notice,
    effects: &mut Vec<Effect>,
) {
    let texts = state.texts;
    match notice.kind() {
        NoticeKind::ContactRequested { request_id, .. } => {
            // It may have been answered since: the list of open requests knows.
            state.came.retain(|known| *known != request_id);
            if state.came.len() >= REQUESTS_MAX {
                state.came.remove(0);
            }
            state.came.push(request_id);
            effects.push(Effect::LoadRequests);
        }
        NoticeKind::ContactAnswered { user_id, accepted } => {
            let name = state.people.name(user_id).map(str::to_owned);
            let text = if accepted {
                texts.accepted
            } else {
                texts.declined
            };
            // What the list has not shown yet is no news.
            if let Some(name) = name.filter(|_| state.loaded) {
                state.tell(put(text, &[&name]), false);
            }
            effects.extend([Effect::LoadRequests, Effect::LoadContacts, Effect::LoadList]);
        }
        NoticeKind::ContactRemoved { .. } | NoticeKind::ContactChanged {} => {
            effects.extend([Effect::LoadRequests, Effect::LoadContacts, Effect::LoadList]);
        }
        NoticeKind::GroupDissolved { .. } => effects.push(Effect::LoadList),
        NoticeKind::JoinRequested { .. } => {}
        _ if notice.name == "group.join_answered" => effects.push(Effect::LoadList),
        _ if notice.name.starts_with("group.") => {
            effects.push(Effect::LoadConversation(conversation));
        }
        _ => {}
    }
}

pub(super) fn passing(state: &mut State, passing: Passing, effects: &mut Vec<Effect>) {
    match passing {
        Passing::Typing { conversation, user } => {
            let until = state.now + TYPING_FOR;
            if let Some(chat) = state
                .chats
                .get_mut(&conversation)
                .filter(|_| user != state.setting.me)
            {
                chat.typing.retain(|(one, _)| *one != user);
                chat.typing.push((user, until));
            }
        }
        Passing::Read {
            conversation,
            user,
            seq,
        } => read(state, conversation, (user, seq), effects),
        // The ticks of this client tell what is sent and what was read.
        Passing::Delivered { .. } => {}
        Passing::Presence(presence) => news::present(state, &presence),
        Passing::Head {
            conversation,
            last_seq,
        } => head(state, conversation, last_seq),
        Passing::Conversation { summary, .. } => {
            news::take(state, *summary);
            state.sort();
        }
        Passing::Other { name, fields } => {
            let user = fields.get("user_id").and_then(Value::as_str);
            match (name.as_str(), user.and_then(UserId::from_decimal)) {
                ("contact.profile_changed", Some(user)) => effects.push(Effect::LoadUser(user)),
                ("group.profile_changed", _) => effects.push(Effect::LoadList),
                _ => {}
            }
        }
    }
}

fn read(
    state: &mut State,
    conversation: ConversationId,
    (user, seq): (UserId, Seq),
    effects: &mut Vec<Effect>,
) {
    let me = state.me();
    let Some(chat) = state.chats.get_mut(&conversation) else {
        return;
    };
    let summary = &mut chat.summary;
    if user != me {
        if summary.peer.is_some() {
            summary.peer_read_seq = summary.peer_read_seq.max(Some(seq));
        }
    } else if seq > summary.read_seq {
        summary.read_seq = seq;
        if seq >= summary.last_seq {
            (summary.unread, summary.mentions) = (0, 0);
        } else {
            effects.push(Effect::LoadConversation(conversation));
        }
    }
}

/// A large group moved without telling what was written.
fn head(state: &mut State, conversation: ConversationId, last_seq: Seq) {
    let open = state.open == Some(conversation);
    let Some(chat) = state.chats.get_mut(&conversation) else {
        return;
    };
    if last_seq <= chat.summary.last_seq {
        return;
    }
    let summary = &mut chat.summary;
    summary.last_seq = last_seq;
    let unread = last_seq.0.saturating_sub(summary.read_seq.0);
    summary.unread = u32::try_from(unread).unwrap_or(UNREAD_MAX).min(UNREAD_MAX);
    if chat.history.is_live() {
        if open {
            chat.history.newer = crate::chat::history::Edge::More;
        } else {
            chat.history.reset();
        }
    }
}
