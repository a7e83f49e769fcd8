//! Who is on line, and whose bell to ring when something was committed.

mod session;

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use common::id::{ConvId, ConvKind, DeviceId, GroupId, Peer, UserId};
use common::store::Change;

pub use session::{ClientKind, End, Event, Mailbox, Presence, Session};

/// A session's place in the hub. It is given up when this is dropped, so that a session that
/// panicked does not stay on line for ever.
#[derive(Debug)]
pub struct Seat {
    hub: Arc<Hub>,
    session: Arc<Session>,
}

impl Seat {
    pub fn new(hub: Arc<Hub>, session: Arc<Session>) -> Self {
        Self { hub, session }
    }

    /// Gives the place up; `false` if another session had taken it.
    pub fn leave(&self) -> bool {
        let was_in = self.hub.exit(&self.session);
        self.session.gone.cancel();
        was_in
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Everybody on line.
#[derive(Debug, Default)]
pub struct Hub {
    next_number: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    users: HashMap<UserId, Online>,
    /// The members of each group that are on line: the other side of [`Online::groups`].
    members: HashMap<GroupId, HashSet<UserId>>,
}

/// A user with at least one session.
#[derive(Debug, Default)]
struct Online {
    /// In the order of login.
    sessions: Vec<Arc<Session>>,
    groups: HashSet<GroupId>,
    /// Counts membership changes, so that a list of groups that was read from the database before
    /// such a change is recognised as old.
    membership_version: u64,
}

impl Hub {
    /// Enters a session. The user's earlier session of the same kind is told to end, and returned.
    pub fn enter(
        &self,
        user: UserId,
        username: &str,
        kind: ClientKind,
        status: i32,
        address: IpAddr,
        tag: i32,
    ) -> (Arc<Session>, Option<Arc<Session>>) {
        let number = self.next_number.fetch_add(1, Ordering::Relaxed) + 1;
        let session = Arc::new(Session::new(number, user, username, kind, status, address));
        let mut state = self.lock();
        let sessions = &mut state.users.entry(user).or_default().sessions;
        let old = sessions.iter().position(|old| old.kind == kind);
        let replaced = old.map(|old| sessions.remove(old));
        if let Some(old) = &replaced {
            old.leave(|mailbox| mailbox.end = Some(End::Replaced { tag }));
        }
        sessions.push(Arc::clone(&session));
        (session, replaced)
    }

    /// Takes a session out. `false` if another one had replaced it.
    pub fn exit(&self, session: &Session) -> bool {
        let mut state = self.lock();
        let Some(online) = state.users.get_mut(&session.user) else {
            return false;
        };
        let before = online.sessions.len();
        online
            .sessions
            .retain(|other| other.number != session.number);
        let was_in = online.sessions.len() < before;
        if online.sessions.is_empty() {
            state.forget(session.user);
        }
        was_in
    }

    /// The version to read before asking the database for a user's groups.
    pub fn membership_version(&self, user: UserId) -> u64 {
        self.lock()
            .users
            .get(&user)
            .map_or(0, |online| online.membership_version)
    }

    /// Notes the groups of a user that came on line; `false` if his memberships changed since
    /// `version`, then they must be read again.
    pub fn set_groups(&self, user: UserId, groups: &[GroupId], version: u64) -> bool {
        let mut state = self.lock();
        let Some(online) = state.users.get_mut(&user) else {
            return true;
        };
        if online.membership_version != version {
            return false;
        }
        online.groups.extend(groups);
        for group in groups {
            state.members.entry(*group).or_default().insert(user);
        }
        true
    }

    /// Keeps the members on line right after a committed change; `created` is a new group's id.
    pub fn note_membership(&self, change: &Change, created: Option<u32>) {
        let (user, group, is_member) = match change {
            Change::CreateGroup { origin, .. } => match created.and_then(Peer::from_number) {
                Some(Peer::Group(group)) => (origin.user, group, true),
                Some(Peer::User(_)) | None => return,
            },
            Change::JoinGroup { origin, group, .. } => (origin.user, *group, true),
            Change::LeaveGroup { origin, group } => (origin.user, *group, false),
            _ => return,
        };
        let mut state = self.lock();
        let Some(online) = state.users.get_mut(&user) else {
            return;
        };
        online.membership_version += 1;
        if is_member {
            online.groups.insert(group);
            state.members.entry(group).or_default().insert(user);
            return;
        }
        online.groups.remove(&group);
        let conv = ConvId::group(group);
        for session in &online.sessions {
            session.leave(|mailbox| {
                mailbox.changed.remove(&conv);
                mailbox.lost.push(conv);
            });
        }
        state.remove_member(user, group);
    }

    /// Something was committed to this conversation: wakes everybody in it who is on line, but
    /// not the device that wrote it.
    pub fn ring(&self, conv: ConvId, writer: (UserId, DeviceId)) {
        for session in self.listeners(conv) {
            if (session.user, session.device()) != writer {
                session.leave(|mailbox| {
                    mailbox.changed.insert(conv);
                });
            }
        }
    }

    fn listeners(&self, conv: ConvId) -> Vec<Arc<Session>> {
        let state = self.lock();
        let of = |user: &UserId| {
            state
                .users
                .get(user)
                .into_iter()
                .flat_map(|online| &online.sessions)
                .cloned()
        };
        match conv.kind() {
            Some(ConvKind::Direct(a, b)) if a == b => of(&a).collect(),
            Some(ConvKind::Direct(a, b)) => of(&a).chain(of(&b)).collect(),
            Some(ConvKind::Inbox(user)) => of(&user).collect(),
            Some(ConvKind::Group(group)) => state
                .members
                .get(&group)
                .into_iter()
                .flatten()
                .flat_map(of)
                .collect(),
            None => Vec::new(),
        }
    }

    /// Leaves an event with every session of a user. Events are dropped first when a session is
    /// slow.
    pub fn tell(&self, user: UserId, event: &Event) {
        self.tell_but(user, None, event);
    }

    /// As [`Hub::tell`], but not the session of this number.
    pub fn tell_but(&self, user: UserId, but: Option<u64>, event: &Event) {
        let sessions = self
            .lock()
            .users
            .get(&user)
            .map(|online| online.sessions.clone())
            .unwrap_or_default();
        for session in sessions
            .iter()
            .filter(|session| Some(session.number) != but)
        {
            session.leave(|mailbox| mailbox.push(event.clone()));
        }
    }

    /// Sets a session's status; `false` if it was that already.
    pub fn set_status(&self, session: &Session, status: i32) -> bool {
        session.set_status(status) != status
    }

    /// Where a user is, as others see it: the status of his first session, and PC if any of his
    /// sessions is one.
    pub fn presence(&self, user: UserId) -> Presence {
        let state = self.lock();
        let sessions = state
            .users
            .get(&user)
            .map_or(&[][..], |online| &online.sessions);
        let (Some(first), Some(last)) = (sessions.first(), sessions.last()) else {
            return Presence::default();
        };
        let has_pc = sessions
            .iter()
            .any(|session| session.kind == ClientKind::Pc);
        let client = if has_pc { ClientKind::Pc } else { last.kind };
        Presence {
            status: first.status(),
            client: client.number(),
        }
    }

    /// Whether the user has a session.
    pub fn is_online(&self, user: UserId) -> bool {
        self.lock().users.contains_key(&user)
    }

    /// All sessions, oldest first.
    pub fn sessions(&self) -> Vec<Arc<Session>> {
        let mut all: Vec<_> = self
            .lock()
            .users
            .values()
            .flat_map(|online| online.sessions.iter().cloned())
            .collect();
        all.sort_by_key(|session| session.number);
        all
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn forget(&mut self, user: UserId) {
        for group in self.users.remove(&user).unwrap_or_default().groups {
            self.remove_member(user, group);
        }
    }

    fn remove_member(&mut self, user: UserId, group: GroupId) {
        if let Some(members) = self.members.get_mut(&group) {
            members.remove(&user);
            if members.is_empty() {
                self.members.remove(&group);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use common::api::Origin;
    use common::id::{ClientId, Millis};

    use super::session::{EVENTS_MAX, FRAME_BYTES_MAX};
    use super::*;

    const ANN: UserId = UserId(1);
    const BOB: UserId = UserId(2);
    const GROUP: GroupId = GroupId(300_000_000);
    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn enter(hub: &Hub, user: UserId, kind: ClientKind) -> Arc<Session> {
        hub.enter(user, "name", kind, 1, HERE, 7).0
    }

    fn origin(user: UserId) -> Origin {
        let client_id = ClientId::new("x").unwrap();
        Origin {
            user,
            device: DeviceId(1),
            client_id,
            tag: 0,
            at: Millis(0),
        }
    }

    #[test]
    fn a_bell_rings_for_everybody_in_the_conversation_but_the_writing_device() {
        let hub = Hub::default();
        let ann = enter(&hub, ANN, ClientKind::Pc);
        let ann_phone = enter(&hub, ANN, ClientKind::Android);
        let bob = enter(&hub, BOB, ClientKind::Pc);
        let conv = ConvId::direct(ANN, BOB);
        hub.ring(conv, (ANN, ann.device()));
        assert!(ann.collect().is_empty());
        assert!(ann_phone.collect().changed.contains(&conv));
        assert!(bob.collect().changed.contains(&conv));
        assert!(
            bob.collect().is_empty(),
            "a mailbox is emptied by looking into it"
        );
    }

    #[test]
    fn a_second_login_of_the_same_kind_ends_the_first() {
        let hub = Hub::default();
        let old = enter(&hub, ANN, ClientKind::Pc);
        let phone = enter(&hub, ANN, ClientKind::Android);
        let new = enter(&hub, ANN, ClientKind::Pc);
        assert_eq!(old.collect().end, Some(End::Replaced { tag: 7 }));
        assert_eq!(phone.collect().end, None);
        assert!(!hub.exit(&old), "it was out already");
        assert!(hub.exit(&new));
        assert!(hub.is_online(ANN));
        assert!(hub.exit(&phone));
        assert!(!hub.is_online(ANN));
    }

    #[test]
    fn presence_is_that_of_the_first_session_and_a_pc_counts_most() {
        let hub = Hub::default();
        assert_eq!(hub.presence(ANN), Presence::default());
        let (phone, _) = hub.enter(ANN, "ann", ClientKind::Android, 3, HERE, 0);
        assert_eq!(
            hub.presence(ANN),
            Presence {
                status: 3,
                client: 2
            }
        );
        enter(&hub, ANN, ClientKind::Pc);
        assert_eq!(
            hub.presence(ANN),
            Presence {
                status: 3,
                client: 1
            }
        );
        hub.exit(&phone);
        assert_eq!(
            hub.presence(ANN),
            Presence {
                status: 1,
                client: 1
            }
        );
    }

    #[test]
    fn members_come_and_go_with_the_committed_changes() {
        let hub = Hub::default();
        let ann = enter(&hub, ANN, ClientKind::Pc);
        let conv = ConvId::group(GROUP);
        let version = hub.membership_version(ANN);
        let limits = (9, 9);
        let join = Change::JoinGroup {
            origin: origin(ANN),
            group: GROUP,
            contacts_max: limits.0,
            members_max: limits.1,
        };
        hub.note_membership(&join, None);
        assert!(
            !hub.set_groups(ANN, &[], version),
            "the list was read before the join"
        );
        hub.ring(conv, (BOB, DeviceId(1)));
        assert!(ann.collect().changed.contains(&conv));

        hub.ring(conv, (BOB, DeviceId(1)));
        hub.note_membership(
            &Change::LeaveGroup {
                origin: origin(ANN),
                group: GROUP,
            },
            None,
        );
        hub.ring(conv, (BOB, DeviceId(1)));
        let mailbox = ann.collect();
        assert!(
            mailbox.changed.is_empty(),
            "who left hears nothing of it any more"
        );
        assert_eq!(mailbox.lost, [conv]);
    }

    #[test]
    fn events_are_bounded_and_the_oldest_go_first() {
        let hub = Hub::default();
        let ann = enter(&hub, ANN, ClientKind::Pc);
        for status in 0..1000 {
            let presence = Presence { status, client: 1 };
            hub.tell(
                ANN,
                &Event::Presence {
                    user: BOB,
                    presence,
                },
            );
        }
        let events = ann.collect().events;
        assert_eq!(events.len(), EVENTS_MAX);
        assert!(matches!(
            events.back(),
            Some(Event::Presence {
                presence: Presence { status: 999, .. },
                ..
            })
        ));
    }

    #[test]
    fn frames_of_a_screen_are_dropped_when_they_pile_up() {
        let hub = Hub::default();
        let ann = enter(&hub, ANN, ClientKind::Pc);
        let frame = Bytes::from(vec![0; FRAME_BYTES_MAX / 2]);
        for tag in 0..5 {
            let (header, frame) = (Bytes::new(), frame.clone());
            hub.tell(
                ANN,
                &Event::RemoteDesktop {
                    tag,
                    header,
                    frame,
                    to: ANN,
                },
            );
        }
        assert_eq!(ann.collect().events.len(), 2);
    }
}
