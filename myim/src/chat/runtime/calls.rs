//! Single questions to the server, each in a task of its own.

use std::sync::Arc;

use client::model::{Conversation, ConversationId, Message, Page, Seq, User};
use client::{Api, Error};

use super::network::Link;
use crate::chat::message::{Effect, News, Wanted};

/// Messages of a page.
const PAGE: u32 = 60;
/// Messages of a window before the one that is looked for.
const BEFORE_HIT: u64 = 20;
/// Conversations of a page of the list.
const LIST_PAGE: u32 = 200;
/// Conversations in the list, at most.
const LIST_MAX: usize = 5000;
/// Names that are shown of those that begin so.
const USERS_MAX: u32 = 20;
const HITS_MAX: u32 = 50;
/// Members whose names are loaded at once; others are asked for when they write.
const MEMBERS_MAX: u32 = 500;

/// Asks, and tells the answer.
pub(super) async fn make(link: Link, effect: Effect) {
    let permit = Arc::clone(&link.calls).acquire_owned().await;
    let news = ask(&link.api, effect).await;
    drop(permit);
    match news {
        Ok(Some(news)) => link.tell(news).await,
        Ok(None) => {}
        Err(error) => link.tell(News::Refused(error.to_string())).await,
    }
}

async fn ask(api: &Api, effect: Effect) -> client::Result<Option<News>> {
    let news = match effect {
        Effect::LoadList => quietly(list(api).await).map(News::List),
        Effect::LoadContacts => quietly(api.contacts().await).map(News::Contacts),
        Effect::LoadRequests => quietly(api.contact_requests().await).map(News::Requests),
        Effect::LoadPresence(users) => quietly(api.presence(&users).await).map(News::Presence),
        Effect::LoadConversation(id) => {
            let summary = quietly(api.conversation(id).await);
            summary.map(|summary| News::Conversation(Box::new(summary)))
        }
        Effect::LoadUser(user) => quietly(api.user(user).await).map(News::User),
        Effect::LoadMembers(group) => {
            let page = quietly(api.group_members(group, MEMBERS_MAX, None).await);
            page.map(|page| News::Members(page.items))
        }
        Effect::LoadPage(conversation, wanted) => {
            let page = page(api, conversation, wanted).await;
            let page = page.map_err(|error| error.to_string());
            Some(News::Page {
                conversation,
                wanted,
                page,
            })
        }
        Effect::LoadQuote(conversation, seq) => quote(api, conversation, seq).await,
        Effect::OpenWith(user) => return open_with(api, user).await.map(Some),
        Effect::FindUsers(ticket, text) => {
            let users = api.find_users(&text, USERS_MAX, None).await?.items;
            Some(News::Users { ticket, users })
        }
        Effect::Search(ticket, words) => {
            let hits = api.search(&words, None, HITS_MAX, None).await?.items;
            Some(News::Hits { ticket, hits })
        }
        other => return change(api, other).await,
    };
    Ok(news)
}

/// What changes something on the server.
async fn change(api: &Api, effect: Effect) -> client::Result<Option<News>> {
    match effect {
        Effect::RequestContact(user, note) => {
            api.request_contact(user.id, &note).await?;
            Ok(Some(News::Asked(user)))
        }
        Effect::AnswerContact(request, accept) => {
            api.answer_contact(request, accept).await?;
            list(api).await.map(|list| Some(News::List(list)))
        }
        Effect::Edit(conversation, seq, segments) => {
            let message = api.edit(conversation, seq, &segments).await?;
            Ok(Some(News::Updated(Box::new(message))))
        }
        Effect::Recall(conversation, seq) => {
            api.recall(conversation, seq).await?;
            changed(api, conversation, seq).await
        }
        Effect::React {
            conversation,
            seq,
            emoji,
            there,
        } => {
            api.react(conversation, seq, &emoji, there).await?;
            changed(api, conversation, seq).await
        }
        Effect::Keep(conversation, edit) => {
            let summary = api.edit_conversation(conversation, &edit).await?;
            Ok(Some(News::Conversation(Box::new(summary))))
        }
        _ => Ok(None),
    }
}

/// A device is not told of what it did itself.
async fn changed(
    api: &Api,
    conversation: ConversationId,
    seq: Seq,
) -> client::Result<Option<News>> {
    let message = api.message(conversation, seq).await?;
    Ok(Some(News::Updated(Box::new(message))))
}

/// What comes again by itself when there is a connection is no reason for a message.
fn quietly<T>(answer: client::Result<T>) -> Option<T> {
    answer.ok()
}

async fn list(api: &Api) -> client::Result<Vec<Conversation>> {
    let mut all = Vec::new();
    let mut cursor = None;
    loop {
        let page = api.conversations(LIST_PAGE, cursor.as_ref()).await?;
        all.extend(page.items);
        cursor = page.next;
        if cursor.is_none() || all.len() >= LIST_MAX {
            return Ok(all);
        }
    }
}

async fn page(
    api: &Api,
    conversation: ConversationId,
    wanted: Wanted,
) -> client::Result<Page<Message>> {
    match wanted {
        Wanted::Newest => api.messages_before(conversation, None, PAGE).await,
        Wanted::Before(seq) => api.messages_before(conversation, Some(seq), PAGE).await,
        Wanted::After(seq) => api.messages_after(conversation, seq, PAGE).await,
        Wanted::Around(seq) => {
            let after = Seq(seq.0.saturating_sub(BEFORE_HIT));
            api.messages_after(conversation, after, PAGE).await
        }
    }
}

async fn quote(api: &Api, conversation: ConversationId, seq: Seq) -> Option<News> {
    let message = match api.message(conversation, seq).await {
        Ok(message) => Some(Box::new(message)),
        Err(Error::Refused(_)) => None,
        Err(_) => return None,
    };
    Some(News::Quote {
        conversation,
        seq,
        message,
    })
}

async fn open_with(api: &Api, user: User) -> client::Result<News> {
    let summary = Box::new(api.conversation_with(user.id).await?);
    let contacts = api.contacts().await?;
    Ok(match contacts.iter().any(|one| one.user.id == user.id) {
        true => News::Opened(summary),
        false => News::OpenedStrange(user, summary),
    })
}
