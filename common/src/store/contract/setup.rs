//! Short ways to say what a test needs.

use bytes::Bytes;

use crate::api::{Body, Dialect, Entry, NewAccount, Notice, Origin, Refusal};
use crate::id::{ClientId, ConvId, DeviceId, GroupId, Millis, Peer, Seq, UserId};
use crate::store::{Append, Change, Guard, Outcome, Store};

/// Some moment in 2023.
pub(super) const NOW: Millis = Millis(1_700_000_000_000);

/// A limit that is not the point of the test.
pub(super) const MANY: u32 = 1000;

pub(super) const PHONE: DeviceId = DeviceId(2);
pub(super) const LAPTOP: DeviceId = DeviceId(1);

pub(super) async fn commit(store: &dyn Store, change: Change) -> Outcome {
    let mut outcomes = store.commit(&[change]).await.unwrap();
    assert_eq!(outcomes.len(), 1);
    outcomes.remove(0)
}

/// What was appended by a change that must have succeeded.
#[track_caller]
pub(super) fn entries(outcome: Outcome) -> Vec<Entry> {
    match outcome {
        Outcome::Done { entries, .. } => entries,
        other => panic!("{other:?}"),
    }
}

pub(super) async fn done(store: &dyn Store, change: Change) -> Vec<Entry> {
    let text = format!("{change:?}");
    match commit(store, change).await {
        Outcome::Done { entries, .. } => entries,
        other => panic!("{text}: {other:?}"),
    }
}

pub(super) async fn refused(store: &dyn Store, change: Change, refusal: Refusal) {
    let text = format!("{change:?}");
    let outcome = commit(store, change).await;
    assert_eq!(outcome, Outcome::Refused(refusal), "{text}");
}

pub(super) fn new_account(username: &str) -> Change {
    Change::CreateAccount {
        account: NewAccount {
            username: username.to_owned(),
            nickname: format!("{username}'s nick"),
            password_hash: format!("hash of {username}"),
        },
        at: NOW,
    }
}

pub(super) async fn user(store: &dyn Store, username: &str) -> UserId {
    match commit(store, new_account(username)).await {
        Outcome::Done { id: Some(id), .. } => UserId(id),
        other => panic!("{other:?}"),
    }
}

pub(super) async fn ann_and_bob(store: &dyn Store) -> (UserId, UserId) {
    (user(store, "ann").await, user(store, "bob").await)
}

pub(super) fn origin(user: UserId, client_id: &str) -> Origin {
    Origin {
        user,
        device: LAPTOP,
        client_id: ClientId::new(client_id).unwrap(),
        tag: -7,
        at: NOW,
    }
}

pub(super) fn request(from: UserId, to: UserId, client_id: &str) -> Change {
    Change::RequestFriend {
        origin: origin(from, client_id),
        username: format!("user {from}"),
        to,
        note: String::new(),
        limit: MANY,
    }
}

pub(super) fn answer(from: UserId, to: UserId, accepted: bool, client_id: &str) -> Change {
    Change::AnswerFriend {
        origin: origin(from, client_id),
        username: format!("user {from}"),
        to,
        accepted,
        limit: MANY,
    }
}

pub(super) fn remove(from: UserId, friend: UserId, client_id: &str) -> Change {
    Change::RemoveFriend {
        origin: origin(from, client_id),
        username: format!("user {from}"),
        friend,
    }
}

/// Makes the two friends, with the client ids `ask A B` and `yes A B`.
pub(super) async fn befriend(store: &dyn Store, a: UserId, b: UserId) {
    done(store, request(a, b, &format!("ask {a} {b}"))).await;
    done(store, answer(b, a, true, &format!("yes {a} {b}"))).await;
}

pub(super) fn new_group(owner: UserId, name: &str, client_id: &str) -> Change {
    Change::CreateGroup {
        origin: origin(owner, client_id),
        name: name.to_owned(),
        limit: MANY,
    }
}

pub(super) async fn group(store: &dyn Store, owner: UserId, name: &str) -> GroupId {
    match commit(store, new_group(owner, name, &format!("group {name}"))).await {
        Outcome::Done { id: Some(id), .. } => GroupId(id),
        other => panic!("{other:?}"),
    }
}

pub(super) fn join(user: UserId, group: GroupId, client_id: &str) -> Change {
    Change::JoinGroup {
        origin: origin(user, client_id),
        group,
        contacts_max: MANY,
        members_max: MANY,
    }
}

pub(super) fn leave(user: UserId, group: GroupId, client_id: &str) -> Change {
    Change::LeaveGroup {
        origin: origin(user, client_id),
        group,
    }
}

/// A message whose text is its client id.
pub(super) fn say(from: UserId, conv: ConvId, text: &str) -> Change {
    say_as(from, conv, text, text)
}

pub(super) fn say_as(from: UserId, conv: ConvId, client_id: &str, text: &str) -> Change {
    Change::Append(append(origin(from, client_id), conv, text, Guard::Contact))
}

/// A message that needs no friendship.
pub(super) fn say_freely(from: UserId, conv: ConvId, text: &str) -> Change {
    Change::Append(append(origin(from, text), conv, text, Guard::Exists))
}

pub(super) fn append(origin: Origin, conv: ConvId, text: &str, guard: Guard) -> Append {
    Append {
        conv,
        origin,
        body: message(text),
        guard,
        files: Vec::new(),
    }
}

pub(super) fn message(text: &str) -> Body {
    Body::Message {
        dialect: Dialect::Flamingo,
        content: Bytes::copy_from_slice(text.as_bytes()),
    }
}

/// The texts of a conversation; notices are left out.
pub(super) async fn texts(store: &dyn Store, conv: ConvId) -> Vec<String> {
    let pulled = store.pull(conv, Seq(0), MANY).await.unwrap();
    pulled
        .into_iter()
        .filter_map(|entry| match entry.body {
            Body::Message { content, .. } => Some(String::from_utf8(content.to_vec()).unwrap()),
            Body::Notice(_) => None,
        })
        .collect()
}

/// The notices of a conversation with their senders.
pub(super) async fn notices(store: &dyn Store, conv: ConvId) -> Vec<(UserId, Notice)> {
    let pulled = store.pull(conv, Seq(0), MANY).await.unwrap();
    pulled
        .into_iter()
        .filter_map(|entry| match entry.body {
            Body::Notice(notice) => Some((entry.origin.user, notice)),
            Body::Message { .. } => None,
        })
        .collect()
}

/// Asserts that the numbers of a conversation are 1, 2, 3, …; answers the last.
pub(super) async fn contiguous(store: &dyn Store, conv: ConvId) -> u64 {
    let pulled = store.pull(conv, Seq(0), 100_000).await.unwrap();
    for (entry, number) in pulled.iter().zip(1..) {
        assert_eq!(entry.seq, Seq(number));
        assert_eq!(entry.conv, conv);
    }
    u64::try_from(pulled.len()).unwrap()
}

pub(super) fn move_cursor(user: UserId, device: DeviceId, conv: ConvId, seq: u64) -> Change {
    Change::MoveCursor {
        user,
        device,
        conv,
        seq: Seq(seq),
    }
}

pub(super) fn register(user: UserId, device: DeviceId) -> Change {
    Change::RegisterDevice {
        user,
        device,
        at: NOW,
    }
}

/// The cursor in a conversation that is the user's.
pub(super) async fn cursor(store: &dyn Store, user: UserId, device: DeviceId, conv: ConvId) -> u64 {
    store.cursor(user, device, conv).await.unwrap().unwrap().0
}

pub(super) async fn has_no_cursor(
    store: &dyn Store,
    user: UserId,
    device: DeviceId,
    conv: ConvId,
) -> bool {
    store.cursor(user, device, conv).await.unwrap().is_none()
}

/// Conversation, cursor and head of what the device is to receive, ascending by conversation.
pub(super) async fn behind(
    store: &dyn Store,
    user: UserId,
    device: DeviceId,
) -> Vec<(ConvId, u64, u64)> {
    let behind = store.behind(user, device).await.unwrap();
    let mut behind: Vec<_> = behind
        .into_iter()
        .map(|place| (place.conv, place.cursor.0, place.head.0))
        .collect();
    behind.sort_unstable();
    behind
}

/// The ids of a user's contacts.
pub(super) async fn peers(store: &dyn Store, user: UserId) -> Vec<Peer> {
    store.peers(user).await.unwrap()
}
