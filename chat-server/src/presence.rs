//! Tells who is on line, who is writing and who has read. Not part of the log: what is missed is
//! read with the next list of contacts or conversations.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use common::api::Refusal;
use common::id::{ConvId, ConvKind, Millis, Peer, Seq, UserId};
use common::store::session::SessionChange;
use common::store::{Change, StoreError, people};

use crate::actor::Actor;
use crate::app::App;
use crate::command::Failure;
use crate::hub::{Event, INVISIBLE, Manner, PassingMark, Presence, Session};

/// How many users one may ask about, or watch, at a time.
pub const USERS_MAX: usize = 500;
/// How long to wait before a store is asked again that did not answer.
const RETRY: Duration = Duration::from_secs(1);

/// Tells the friends of a user what he just said of himself: with which status he logged in, or
/// changed to.
///
/// # Errors
/// When the store cannot say who his friends are; nobody was told.
pub async fn announce_status(app: &App, user: UserId, status: i32) -> Result<(), StoreError> {
    let presence = Presence {
        status,
        ..app.hub.presence(user)
    };
    tell(app, user, presence).await
}

/// Tells the friends of a user where he is now.
///
/// # Errors
/// When the store cannot say who his friends are; nobody was told.
pub async fn announce(app: &App, user: UserId) -> Result<(), StoreError> {
    tell(app, user, app.hub.presence(user)).await
}

/// Tells the friends of a user where he still is, now that this session ended; notes when he was
/// last seen, if he was. If the store cannot say who his friends are, they are told later.
pub async fn left(app: &App, session: &Arc<Session>) {
    if session.manner == Manner::Poll {
        return;
    }
    if let Err(error) = try_left(app, session).await {
        tracing::warn!(%error, "friends were not told of a logout yet");
        app.hub.departed(session);
    }
}

async fn try_left(app: &App, session: &Session) -> Result<(), StoreError> {
    let user = session.actor.user;
    if session.status() != INVISIBLE && app.hub.presence(user) == Presence::default() {
        let at = app.clock.now();
        let seen = Change::Session(SessionChange::LastSeen { user, at });
        // Nobody waits for it: a lost one is no loss.
        app.log.submit(seen).await?;
    }
    announce(app, user).await
}

/// Tells friends of the sessions that ended without anybody telling them, for as long as the server
/// runs.
pub async fn tell_departures(app: &App) {
    loop {
        let session = app.hub.next_departed().await;
        if let Err(error) = try_left(app, &session).await {
            tracing::warn!(%error, "friends were not told of a logout yet");
            app.hub.departed(&session);
            tokio::time::sleep(RETRY).await;
        }
    }
}

async fn tell(app: &App, user: UserId, presence: Presence) -> Result<(), StoreError> {
    app.hub.tell_watchers(user, presence);
    tell_friends(app, user, &Event::Presence { user, presence }).await
}

/// Tells the friends of a user, and his own other sessions, that his profile changed.
///
/// # Errors
/// When the store cannot say who his friends are; nobody was told.
pub async fn announce_profile(app: &App, actor: &Actor) -> Result<(), StoreError> {
    let event = Event::ProfileChanged {
        peer: Peer::User(actor.user),
    };
    app.hub.tell_but(actor.user, Some(actor.device), &event);
    tell_friends(app, actor.user, &event).await
}

async fn tell_friends(app: &App, user: UserId, event: &Event) -> Result<(), StoreError> {
    for peer in app.store.peers(user).await? {
        if let Peer::User(friend) = peer {
            app.hub.tell(friend, event);
        }
    }
    Ok(())
}

/// Tells the reader's other devices, and the others of the conversation, how far he has read.
pub fn announce_read(app: &App, actor: &Actor, conv: ConvId, seq: Seq) {
    let read = PassingMark::Read(seq);
    app.hub.mark(conv, actor.user, actor.device, read);
}

/// Tells the others of a conversation that somebody is writing there, if he may.
///
/// # Errors
/// `NoSuchConversation`, `NotFriends`, `NotAMember`, `Blocked`; the store's.
pub async fn announce_typing(app: &App, actor: &Actor, conv: ConvId) -> Result<(), Failure> {
    let user = actor.user;
    match conv.kind() {
        Some(ConvKind::Direct(a, b)) if conv.may_concern(user) => {
            let other = if a == user { b } else { a };
            let standing = people::standing(&*app.store, user, other).await?;
            if !standing.is_contact && !app.strangers_may_write() {
                return Err(Refusal::NotFriends.into());
            }
            if standing.is_blocked {
                return Err(Refusal::Blocked.into());
            }
        }
        Some(ConvKind::Group(group)) => {
            let peers = app.store.peers(user).await?;
            if !peers.contains(&Peer::Group(group)) {
                return Err(Refusal::NotAMember.into());
            }
        }
        Some(ConvKind::Direct(..) | ConvKind::Inbox(_)) | None => {
            return Err(Refusal::NoSuchConversation.into());
        }
    }
    app.hub.mark(conv, user, actor.device, PassingMark::Typing);
    Ok(())
}

/// Where a user is, for somebody who may know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whereabouts {
    pub user: UserId,
    pub presence: Presence,
    /// When he was last on line; `None` for who is, who never was and who hides.
    pub last_seen: Option<Millis>,
}

/// Where these users are; those who are neither contacts nor in a common group are left out.
///
/// # Errors
/// When the store cannot be asked.
pub async fn of_users(
    app: &App,
    actor: &Actor,
    users: &[UserId],
) -> Result<Vec<Whereabouts>, StoreError> {
    let visible = visible(app, actor, users).await?;
    whereabouts(app, visible).await
}

/// Where these users are, who are all visible to whoever asks, see [`visible`].
///
/// # Errors
/// When the store cannot be asked.
pub async fn whereabouts(app: &App, visible: Vec<UserId>) -> Result<Vec<Whereabouts>, StoreError> {
    let seen: HashMap<UserId, Millis> = people::last_seen(&*app.store, &visible)
        .await?
        .into_iter()
        .collect();
    let whereabouts = |user: UserId| {
        let presence = app.hub.presence(user);
        let is_off_line = presence == Presence::default();
        Whereabouts {
            user,
            presence,
            last_seen: seen.get(&user).copied().filter(|_| is_off_line),
        }
    };
    Ok(visible.into_iter().map(whereabouts).collect())
}

/// Those of the users whose presence is not hidden from the actor.
///
/// # Errors
/// When the store cannot be asked.
pub async fn visible(
    app: &App,
    actor: &Actor,
    users: &[UserId],
) -> Result<Vec<UserId>, StoreError> {
    let own: HashSet<Peer> = app.store.peers(actor.user).await?.into_iter().collect();
    let mut asked = HashSet::new();
    let users: Vec<UserId> = users
        .iter()
        .copied()
        .filter(|user| asked.insert(*user))
        .collect();
    let is_known = |user: UserId| user == actor.user || own.contains(&Peer::User(user));
    let strangers: Vec<UserId> = users
        .iter()
        .copied()
        .filter(|user| !is_known(*user))
        .collect();
    let has_groups = own.iter().any(|peer| matches!(peer, Peer::Group(_)));
    let in_common = if has_groups {
        people::in_common_groups(&*app.store, actor.user, &strangers).await?
    } else {
        BTreeSet::new()
    };
    let is_visible = |user: &UserId| is_known(*user) || in_common.contains(user);
    Ok(users.into_iter().filter(is_visible).collect())
}

#[cfg(test)]
mod tests {
    use common::config::ChatConfig;

    use super::*;
    use crate::actor::Mark;
    use crate::command::{add_member, create_group};
    use crate::testing::TestServer;

    #[tokio::test]
    async fn many_are_looked_for_at_once() {
        let (server, store) = TestServer::faulty(ChatConfig::default()).await;
        let app = &server.app;
        let ann = server.user("ann").await;
        let made = create_group(app, &ann, "cars".to_owned(), Mark::default()).await;
        let cars = made.unwrap();
        let mut members = Vec::new();
        for number in 0..20 {
            let member = server.user(&format!("m{number}")).await;
            server.befriend(&ann, &member).await;
            add_member(app, &ann, cars, member.user, Mark::default())
                .await
                .unwrap();
            members.push(member);
        }
        let stranger = server.user("stranger").await;
        let (one, others) = members.split_first().unwrap();
        let mut asked: Vec<UserId> = others.iter().map(|member| member.user).collect();
        asked.extend([stranger.user, one.user, others[0].user]);
        let before = store.reads();
        let found = of_users(app, one, &asked).await.unwrap();
        // The own contacts, the members of common groups, and when they were last here.
        assert_eq!(store.reads() - before, 3);
        let found: Vec<UserId> = found.iter().map(|whereabouts| whereabouts.user).collect();
        asked.truncate(others.len());
        asked.push(one.user);
        assert_eq!(found, asked);
    }
}
