//! What came from the network.

use client::model::{ContactRequest, Conversation, Message, Page, Presence, User, UserId};
use client::{Connection, Failed, store};
use jiff::SignedDuration;

use super::{entries, opening, select, transfers, with_history};
use crate::chat::editor::Editor;
use crate::chat::history::{Edge, Key, Pending};
use crate::chat::message::{Effect, News, Wanted};
use crate::chat::people::display_name;
use crate::chat::popup::Popup;
use crate::chat::state::{Chat, Link, State};
use crate::chat::text::put;

/// Users whose presence is asked for at a time, at most.
const PRESENCE_MAX: usize = 500;

pub(super) fn hear(state: &mut State, news: News, effects: &mut Vec<Effect>) {
    match news {
        News::Connection(connection) => connected(state, connection, effects),
        News::Locked => state.link = Link::Locked,
        News::Resync => resync(state, effects),
        News::Entry {
            conversation,
            seq,
            content,
        } => {
            entries::entry(state, (conversation, seq), content, effects);
        }
        News::Passing(passing) => entries::passing(state, passing, effects),
        News::Sent(sent) => entries::sent(state, &sent),
        News::Failed(failed) => fail(state, &failed),
        News::Outbox(outbox) => restore(state, outbox),
        News::List(list) => listed(state, list, effects),
        News::Conversation(summary) => {
            take(state, *summary);
            state.sort();
        }
        News::Opened(summary) => opened(state, *summary, effects),
        News::OpenedStrange(user, summary) => {
            opened(state, *summary, effects);
            let note = Editor::default();
            state.popup = Some(Popup::Note { user, note });
        }
        News::Contacts(contacts) => state.people.keep(&contacts),
        News::Requests(requests) => requested(state, requests, effects),
        News::Presence(presences) => presences.iter().for_each(|one| state.people.is(one)),
        News::Page {
            conversation,
            wanted,
            page,
        } => {
            paged(state, conversation, (wanted, page), effects);
        }
        News::Quote {
            conversation,
            seq,
            message,
        } => {
            if let Some(message) = &message {
                entries::ask_names(&mut state.people, [&**message], effects);
            }
            if let Some(chat) = state.chats.get_mut(&conversation) {
                chat.history.quote(seq, message.map(|message| *message));
            }
        }
        News::Updated(message) => entries::updated(state, &message),
        News::User(user) => state.people.meet(&user),
        News::Members(members) => {
            members
                .iter()
                .for_each(|member| state.people.meet(&member.user));
        }
        News::Transfer { id, progress } => transfers::progress(state, id, progress, effects),
        News::Refused(reason) => state.tell(reason, true),
        News::Asked(user) => asked(state, &user),
        News::Users { .. } | News::Hits { .. } | News::Completed { .. } => {
            answer_popup(state, news, effects);
        }
    }
}

fn opened(state: &mut State, summary: Conversation, effects: &mut Vec<Effect>) {
    let id = summary.id;
    take(state, summary);
    state.sort();
    opening::open(state, id, effects);
}

fn connected(state: &mut State, connection: Connection, effects: &mut Vec<Effect>) {
    state.link = match connection {
        Connection::Connecting => Link::Connecting,
        Connection::Online { .. } => {
            effects.extend([Effect::LoadList, Effect::LoadContacts, Effect::LoadRequests]);
            state
                .chats
                .values_mut()
                .for_each(|chat| chat.history.retry());
            // The server has forgotten what is on the screen.
            effects.extend(state.open.map(Effect::Open));
            Link::Online
        }
        Connection::Waiting { next_try, .. } => {
            state.people.forget_presence();
            let wait = SignedDuration::try_from(next_try).unwrap_or(SignedDuration::ZERO);
            Link::Offline {
                next_try: state.now + wait,
            }
        }
        Connection::Ended(end) => {
            state.people.forget_presence();
            Link::Ended(end)
        }
    };
}

/// Another history: nothing that was loaded counts.
fn resync(state: &mut State, effects: &mut Vec<Effect>) {
    for chat in state.chats.values_mut() {
        chat.history.reset();
        chat.summary.last_seq = client::model::Seq(0);
        chat.summary.read_seq = client::model::Seq(0);
    }
    effects.push(Effect::LoadList);
}

fn fail(state: &mut State, failed: &Failed) {
    let mut chats = state.chats.values_mut();
    let found = chats.find_map(|chat| {
        let reason = Some(failed.reason.clone());
        chat.history
            .set_failed(&failed.client_id, reason)
            .then_some(chat.summary.id)
    });
    if found != state.open {
        state.tell(put(state.texts.not_sent, &[&failed.reason]), true);
    }
}

/// What an earlier run accepted and did not send.
fn restore(state: &mut State, outbox: Vec<store::Outgoing>) {
    for outgoing in outbox {
        let client::Target::Conversation(conversation) = outgoing.to else {
            continue;
        };
        let pending = Pending {
            client_id: outgoing.client_id,
            segments: outgoing.segments,
            reply_to: outgoing.reply_to,
            time: outgoing.accepted_at,
            // The store keeps the code before the sentence.
            failed: outgoing.failed.map(|kept| match kept.split_once(": ") {
                Some((_, reason)) => reason.to_owned(),
                None => kept,
            }),
        };
        if let Some(chat) = state.chats.get_mut(&conversation) {
            chat.history.wait_for(pending);
        }
    }
}

fn listed(state: &mut State, list: Vec<Conversation>, effects: &mut Vec<Effect>) {
    let first = !state.loaded;
    state.loaded = true;
    for summary in list {
        take(state, summary);
    }
    state.sort();
    if state.chosen.is_none() {
        state.chosen = state.order.first().copied();
    }
    let peers = state.order.iter().filter_map(|id| {
        let peer = state.chats.get(id)?.summary.peer.as_ref()?;
        Some(peer.id)
    });
    let peers: Vec<UserId> = peers.take(PRESENCE_MAX).collect();
    if !peers.is_empty() {
        effects.push(Effect::LoadPresence(peers));
    }
    let last: Vec<_> = state
        .chats
        .values()
        .filter_map(|chat| chat.summary.last_message.as_ref())
        .collect();
    entries::ask_names(&mut state.people, last, effects);
    if first {
        effects.push(Effect::LoadOutbox);
    }
}

/// A conversation as the server sees it; what is known to be newer here stays.
pub(super) fn take(state: &mut State, summary: Conversation) {
    if let Some(peer) = &summary.peer {
        state.people.meet(peer);
    }
    let id = summary.id;
    let open = state.open == Some(id);
    let Some(chat) = state.chats.get_mut(&id) else {
        state.chats.insert(id, Chat::new(summary));
        return;
    };
    let known = &chat.summary;
    let (read, last, peer_read) = (known.read_seq, known.last_seq, known.peer_read_seq);
    if summary.last_seq < last {
        return;
    }
    let missed = summary.last_seq > last && chat.history.is_live();
    chat.summary = summary;
    let summary = &mut chat.summary;
    summary.peer_read_seq = summary.peer_read_seq.max(peer_read);
    if read > summary.read_seq {
        summary.read_seq = read;
        if read >= summary.last_seq {
            (summary.unread, summary.mentions) = (0, 0);
        }
    }
    // Entries may be on their way, or were left out because there were too many.
    if missed && open {
        chat.history.newer = Edge::More;
    } else if missed {
        chat.history.reset();
    }
}

fn paged(
    state: &mut State,
    conversation: client::model::ConversationId,
    (wanted, page): (Wanted, Result<Page<Message>, String>),
    effects: &mut Vec<Effect>,
) {
    let me = state.me();
    let Some(chat) = state.chats.get_mut(&conversation) else {
        return;
    };
    let page = match page {
        Ok(page) => page,
        Err(reason) => {
            chat.history.missed(wanted);
            state.tell(reason, true);
            return;
        }
    };
    entries::ask_names(&mut state.people, &page.items, effects);
    let quotes: Vec<_> = page
        .items
        .iter()
        .filter_map(|message| message.reply_to)
        .collect();
    chat.history.merge(wanted, page, me);
    let missing = chat.history.missing_quotes(quotes);
    effects.extend(
        missing
            .into_iter()
            .map(|seq| Effect::LoadQuote(conversation, seq)),
    );
    if let (Wanted::Around(seq), true) = (wanted, state.open == Some(conversation)) {
        show(state, seq);
    }
}

/// Brings a message of a fresh window into sight.
fn show(state: &mut State, seq: client::model::Seq) {
    with_history(state, |history, _, _| {
        let key = Key::Stored(seq);
        history.anchor = Some(crate::chat::history::Anchor { key, cut: 0 });
    });
    super::scroll(state, 0);
    select::reveal(state);
}

/// Answers for a popup that may be gone, or may ask for something else by now.
fn answer_popup(state: &mut State, news: News, effects: &mut Vec<Effect>) {
    match (news, &mut state.popup) {
        (
            News::Users { ticket, users },
            Some(Popup::NewChat {
                ticket: asked,
                found,
                ..
            }),
        ) if ticket == *asked => {
            *found = users
                .into_iter()
                .filter(|user| user.id != state.setting.me)
                .collect();
        }
        (
            News::Hits { ticket, hits },
            Some(Popup::Search {
                ticket: asked,
                hits: shown,
                ..
            }),
        ) if ticket == *asked => {
            entries::ask_names(&mut state.people, &hits, effects);
            *shown = Some(hits);
        }
        (
            News::Completed {
                ticket,
                path,
                choices,
            },
            Some(
                Popup::SendFile {
                    path: field,
                    ticket: asked,
                    choices: shown,
                }
                | Popup::SaveFile {
                    path: field,
                    ticket: asked,
                    choices: shown,
                    ..
                },
            ),
        ) if ticket == *asked => {
            *field = Editor::new(&path);
            *shown = choices;
        }
        _ => {}
    }
}

/// Tells of a request that came and is open.
fn requested(state: &mut State, requests: Vec<ContactRequest>, effects: &mut Vec<Effect>) {
    state.requests = requests;
    let came = |one: &&ContactRequest| state.came.contains(&one.id);
    let open: Vec<_> = state.incoming().filter(came).cloned().collect();
    // The others were answered; or this list was made before they came, and the next one has them.
    state.came.retain(|id| open.iter().all(|one| one.id != *id));
    if let Some(ContactRequest { user, .. }) = open.last() {
        let text = put(state.texts.wants_contact, &[&display_name(user)]);
        state.tell(text, false);
        effects.push(Effect::Bell);
    }
}

fn asked(state: &mut State, user: &User) {
    let text = put(state.texts.asked, &[&display_name(user)]);
    state.tell(text, false);
}

/// Somebody's presence has changed.
pub(super) fn present(state: &mut State, presence: &Presence) {
    state.people.is(presence);
}
