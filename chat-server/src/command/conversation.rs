//! Opens, lists and shows conversations as one user sees them.

use std::collections::HashMap;

use common::api::{Entry, Profile};
use common::id::{ConvId, ConvKind, GroupId, Millis, Peer, Seq, UserId};
use common::store::place::{self, Place};
use common::store::{Change, StoreError, delivery, group, message, place::PlaceChange, read_mark};

use super::may_read::{check, may_read, refusal};
use super::see_people::as_seen_by;
use super::{Failure, done};
use crate::actor::Actor;
use crate::app::App;
use crate::content;
use crate::read_marks;

/// The most conversations of one page.
pub const CONVERSATIONS_MAX: u32 = 500;
/// How far behind the end of a conversation its last message is looked for: behind it there may
/// stand edits and reactions.
const LOOK_BACK: u32 = 32;

/// A conversation as one user sees it.
#[derive(Clone, Debug)]
pub struct Conversation {
    pub place: Place,
    /// The other user (oneself, if one talks to oneself), or the group.
    pub peer: Peer,
    /// `None` if the account is gone.
    pub profile: Option<Profile>,
    /// How many members the group has; `None` in a direct conversation.
    pub members: Option<u32>,
    /// The last message or notice that the user may read, if it stands near the end.
    pub last: Option<Entry>,
    /// How far the other one has read; `None` in a group.
    pub peer_read: Option<Seq>,
    /// How far a device of the other one has received; `None` in a group.
    pub peer_delivered: Option<Seq>,
}

/// A page of the user's conversations, the newest activity first, behind `after`; at most `limit`
/// (at least 1, at most [`CONVERSATIONS_MAX`]).
///
/// # Errors
/// The store's.
pub async fn list_conversations(
    app: &App,
    actor: &Actor,
    with_hidden: bool,
    after: Option<(Millis, ConvId)>,
    limit: u32,
) -> Result<Vec<Conversation>, Failure> {
    let limit = limit.clamp(1, CONVERSATIONS_MAX);
    read_marks::write_of(app, actor.user).await;
    let places = place::list(&*app.store, actor.user, with_hidden, after, limit).await?;
    Ok(described(app, actor.user, places).await?)
}

/// Those conversations of the user that are wanted, of the next [`CONVERSATIONS_MAX`] behind
/// `after`: the newest activity first, hidden ones too. Says where to go on; `None` at the end.
///
/// # Errors
/// The store's.
pub async fn some_conversations(
    app: &App,
    actor: &Actor,
    is_wanted: impl Fn(ConvId) -> bool,
    after: Option<(Millis, ConvId)>,
) -> Result<(Vec<Conversation>, Option<(Millis, ConvId)>), Failure> {
    let limit = CONVERSATIONS_MAX;
    read_marks::write_of(app, actor.user).await;
    let mut places = place::list(&*app.store, actor.user, true, after, limit).await?;
    let is_full = u32::try_from(places.len()).is_ok_and(|length| length >= limit);
    let last = places.last().filter(|_| is_full);
    let next = last.map(|last| (last.at, last.conv));
    places.retain(|place| is_wanted(place.conv));
    Ok((described(app, actor.user, places).await?, next))
}

/// One conversation.
///
/// # Errors
/// `NotAMember`, `NoSuchConversation`; the store's.
pub async fn conversation(app: &App, actor: &Actor, conv: ConvId) -> Result<Conversation, Failure> {
    read_marks::write_of(app, actor.user).await;
    let place = may_read(app, actor.user, conv).await?;
    let described = described(app, actor.user, vec![place]).await?;
    let found = described.into_iter().next();
    found.ok_or_else(|| refusal(conv).into())
}

/// Finds or makes the conversation with a user or group, and shows it in the list again.
///
/// # Errors
/// `NoSuchUser`, `NotAMember`; the store's.
pub async fn open_conversation(
    app: &App,
    actor: &Actor,
    peer: Peer,
) -> Result<Conversation, Failure> {
    let conv = ConvId::between(actor.user, peer);
    let change = PlaceChange::Open {
        user: actor.user,
        conv,
        at: app.clock.now(),
    };
    let opened = done(&app.log.commit(Change::Place(change)).await?);
    opened.map_err(|failure| as_not_yours(failure, conv))?;
    conversation(app, actor, conv).await
}

/// What a user wants of a conversation. What is `None` stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConversationSettings {
    pub notify: Option<place::Notify>,
    pub pinned: Option<bool>,
    pub hidden: Option<bool>,
}

/// Mutes, pins or hides a conversation in the user's own list.
///
/// # Errors
/// `NotAMember`, `NoSuchConversation`; the store's.
pub async fn set_conversation(
    app: &App,
    actor: &Actor,
    conv: ConvId,
    settings: ConversationSettings,
) -> Result<Conversation, Failure> {
    check(actor.user, conv)?;
    if settings != ConversationSettings::default() {
        let change = PlaceChange::Set {
            user: actor.user,
            conv,
            notify: settings.notify,
            pinned: settings.pinned,
            hidden: settings.hidden,
        };
        let set = done(&app.log.commit(Change::Place(change)).await?);
        set.map_err(|failure| as_not_yours(failure, conv))?;
    }
    conversation(app, actor, conv).await
}

/// The database calls every conversation that is not the user's the same; people are told of
/// groups in other words.
pub(super) fn as_not_yours(failure: Failure, conv: ConvId) -> Failure {
    use common::api::Refusal;
    match failure {
        Failure::Refused(Refusal::NoSuchConversation) => refusal(conv).into(),
        other => other,
    }
}

async fn described(
    app: &App,
    user: UserId,
    places: Vec<Place>,
) -> Result<Vec<Conversation>, StoreError> {
    let with_peers: Vec<(Place, Peer)> = places
        .into_iter()
        .filter_map(|place| {
            let peer = peer(user, place.conv)?;
            Some((place, peer))
        })
        .collect();
    let peers: Vec<Peer> = with_peers.iter().map(|(_, peer)| *peer).collect();
    let mut profiles: HashMap<Peer, Profile> = app
        .store
        .profiles(&peers)
        .await?
        .into_iter()
        .map(|profile| (profile.id, as_seen_by(user, profile)))
        .collect();
    let groups: Vec<GroupId> = peers.iter().filter_map(group_of).collect();
    let sizes: HashMap<GroupId, u32> = match groups.as_slice() {
        [] => HashMap::new(),
        groups => group::sizes(&*app.store, groups)
            .await?
            .into_iter()
            .collect(),
    };
    let mut last = last_entries(app, with_peers.iter().map(|(place, _)| place)).await?;
    let progress = peers_progress(app, &with_peers).await?;
    let conversations = with_peers.into_iter().map(|(place, peer)| {
        let of_peer = match peer {
            Peer::User(_) => Some(progress.get(&place.conv).copied().unwrap_or_default()),
            Peer::Group(_) => None,
        };
        Conversation {
            peer,
            profile: profiles.remove(&peer),
            members: group_of(&peer).map(|group| sizes.get(&group).copied().unwrap_or(0)),
            last: last.remove(&place.conv),
            peer_read: of_peer.map(|progress| progress.read),
            peer_delivered: of_peer.map(|progress| progress.delivered),
            place,
        }
    });
    Ok(conversations.collect())
}

fn peer(user: UserId, conv: ConvId) -> Option<Peer> {
    match conv.kind()? {
        ConvKind::Direct(a, b) => Some(Peer::User(if a == user { b } else { a })),
        ConvKind::Group(group) => Some(Peer::Group(group)),
        ConvKind::Inbox(_) => None,
    }
}

fn group_of(peer: &Peer) -> Option<GroupId> {
    match peer {
        Peer::Group(group) => Some(*group),
        Peer::User(_) => None,
    }
}

/// How far the other one of a direct conversation has got.
#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    read: Seq,
    delivered: Seq,
}

async fn peers_progress(
    app: &App,
    places: &[(Place, Peer)],
) -> Result<HashMap<ConvId, Progress>, StoreError> {
    let wanted: Vec<(UserId, ConvId)> = places
        .iter()
        .filter_map(|(place, peer)| match peer {
            Peer::User(other) => Some((*other, place.conv)),
            Peer::Group(_) => None,
        })
        .collect();
    let mut progress: HashMap<ConvId, Progress> = HashMap::new();
    for (_, conv, seq) in read_mark::of(&*app.store, &wanted).await? {
        // What somebody read was delivered, whatever became of the device.
        let (read, delivered) = (seq, seq);
        progress.insert(conv, Progress { read, delivered });
    }
    for (_, conv, seq) in delivery::of(&*app.store, &wanted).await? {
        let of_peer = progress.entry(conv).or_default();
        of_peer.delivered = seq.max(of_peer.delivered);
    }
    Ok(progress)
}

/// The last message or notice of each conversation, in one read for all whose end is one.
async fn last_entries(
    app: &App,
    places: impl Iterator<Item = &Place>,
) -> Result<HashMap<ConvId, Entry>, StoreError> {
    let readable: Vec<&Place> = places.filter(|place| place.head > place.since).collect();
    let heads: Vec<(ConvId, Seq)> = readable
        .iter()
        .map(|place| (place.conv, place.head))
        .collect();
    let mut last = HashMap::new();
    if heads.is_empty() {
        return Ok(last);
    }
    let since: HashMap<ConvId, Seq> = readable.iter().map(|p| (p.conv, p.since)).collect();
    for entry in message::at(&*app.store, &heads).await? {
        let conv = entry.conv;
        if content::target(&entry).is_none() {
            last.insert(conv, entry);
            continue;
        }
        let behind = since.get(&conv).copied().unwrap_or_default();
        let near = message::before(&*app.store, conv, entry.seq, behind, LOOK_BACK).await?;
        let found = near
            .into_iter()
            .rev()
            .find(|near| content::target(near).is_none());
        last.extend(found.map(|found| (conv, found)));
    }
    Ok(last)
}
