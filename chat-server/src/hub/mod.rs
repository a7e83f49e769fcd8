//! Who is on line, and whose bell to ring when something was committed.

mod crowd;
mod departures;
mod mailbox;
mod presence;
mod session;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use common::api::{Body, Entry, Notice};
use common::id::{ConvId, ConvKind, DeviceId, GroupId, Seq, SessionId, UserId};

use crowd::{Aside, Crowds};
pub use crowd::{Reach, Reaches};
use departures::Departures;
pub use mailbox::{Event, MARKS_MAX, Mailbox, PassingMark};
pub use session::{
    ClientKind, End, Entrant, INVISIBLE, Manner, ONLINE, OPEN_MAX, Presence, Session,
};

/// From so many members on line a group is rung beside the committer.
const ASIDE_MIN: usize = 256;
/// How many bells are rung before others get their turn.
const RUNG_AT_A_TIME: usize = 256;

/// A session's place in the hub. It is given up when this is dropped, so that a session that
/// panicked, or that could not begin, does not stay on line for ever; its user's friends are told.
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
        if self.leave() && self.session.manner.is_presence() {
            self.hub.departed(&self.session);
        }
    }
}

/// Everybody on line.
#[derive(Debug, Default)]
pub struct Hub {
    next_number: AtomicU64,
    state: Mutex<State>,
    aside: Aside,
    departures: Departures,
}

#[derive(Debug, Default)]
struct State {
    users: HashMap<UserId, Online>,
    /// The members of each group that are on line: the other side of [`Online::groups`].
    crowds: Crowds,
    watches: presence::Watches,
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
    /// A hub in which groups matter by these sizes.
    pub fn new(reaches: Reaches) -> Self {
        let hub = Self::default();
        hub.lock().crowds = Crowds::new(reaches);
        hub
    }

    /// Enters a session. The earlier session of the same device that hears in the same manner is
    /// told to end, and returned.
    pub fn enter(&self, entrant: Entrant) -> (Arc<Session>, Option<Arc<Session>>) {
        let number = self.next_number.fetch_add(1, Ordering::Relaxed) + 1;
        let tag = entrant.tag;
        let session = Arc::new(Session::new(number, entrant));
        let mut state = self.lock();
        let sessions = &mut state.users.entry(session.actor.user).or_default().sessions;
        let old = sessions
            .iter()
            .position(|old| old.device() == session.device() && old.manner == session.manner);
        let replaced = old.map(|old| sessions.remove(old));
        sessions.push(Arc::clone(&session));
        if let Some(old) = &replaced {
            old.put(|mailbox| mailbox.end = Some(End::Replaced { tag }));
            state.watches.forget(old);
        }
        (session, replaced)
    }

    /// Takes a session out. `false` if another one had replaced it.
    pub fn exit(&self, session: &Session) -> bool {
        let mut state = self.lock();
        state.watches.forget(session);
        let Some(online) = state.users.get_mut(&session.actor.user) else {
            return false;
        };
        let before = online.sessions.len();
        online
            .sessions
            .retain(|other| other.number != session.number);
        let was_in = online.sessions.len() < before;
        if online.sessions.is_empty() {
            state.forget(session.actor.user);
        }
        was_in
    }

    /// A session ended, and nobody was told yet.
    pub fn departed(&self, session: &Arc<Session>) {
        self.departures.note(session);
    }

    /// Waits until a session ended of which nobody was told. Cancel-safe.
    pub async fn next_departed(&self) -> Arc<Session> {
        self.departures.next().await
    }

    /// The sign-ins of a user's sessions of the API.
    pub fn api_sessions(&self, user: UserId) -> Vec<SessionId> {
        let sessions = self.sessions_of(user);
        sessions
            .iter()
            .filter_map(|session| session.sign_in)
            .collect()
    }

    /// Tells those sessions of a user to end whose sign-in is over.
    pub fn end_api_sessions(&self, user: UserId, is_over: impl Fn(SessionId) -> bool) {
        for session in self.sessions_of(user) {
            if session.sign_in.is_some_and(&is_over) {
                session.put(|mailbox| mailbox.end = Some(End::Revoked));
            }
        }
    }

    /// Tells all sessions of a user to end: the account is locked, or has another password.
    pub fn end_all(&self, user: UserId) {
        for session in self.sessions_of(user) {
            session.put(|mailbox| mailbox.end = Some(End::Revoked));
        }
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
            state.crowds.add(user, *group);
        }
        true
    }

    /// Notes how many members groups have, on line or not.
    pub fn set_sizes(&self, sizes: &[(GroupId, u32)]) {
        let mut state = self.lock();
        for (group, size) in sizes {
            state.crowds.set_size(*group, *size);
        }
    }

    /// Keeps the members on line right after an entry was committed.
    pub fn note(&self, entry: &Entry) {
        let Body::Notice(notice) = &entry.body else {
            return;
        };
        let author = entry.origin.user;
        let (user, group, is_member) = match (entry.conv.kind(), notice) {
            (Some(ConvKind::Group(group)), Notice::GroupCreated { .. } | Notice::MemberJoined) => {
                (author, group, true)
            }
            (Some(ConvKind::Group(group)), Notice::MemberAdded { user }) => (*user, group, true),
            (Some(ConvKind::Group(group)), Notice::MemberLeft) => (author, group, false),
            (Some(ConvKind::Group(group)), Notice::MemberRemoved { user }) => (*user, group, false),
            (Some(ConvKind::Inbox(user)), Notice::GroupDissolved { group, .. }) => {
                (user, *group, false)
            }
            _ => return,
        };
        let mut state = self.lock();
        state.set_member(user, group, is_member);
        state.crowds.count(group, is_member);
    }

    /// The members of a group that are on line.
    pub fn members_online(&self, group: GroupId) -> Vec<UserId> {
        self.lock().crowds.online(group).copied().collect()
    }

    /// Puts right what is known of a user, where the entry that changed it may have been missed.
    pub fn correct_member(&self, user: UserId, group: GroupId, is_member: bool) {
        let mut state = self.lock();
        let Some(online) = state.users.get_mut(&user) else {
            return;
        };
        if online.groups.contains(&group) == is_member {
            // A list of his groups that is on its way may be older.
            online.membership_version += 1;
            return;
        }
        state.set_member(user, group, is_member);
    }

    /// Something was committed to this conversation: wakes everybody in it who is on line, but
    /// not this device.
    pub fn ring(&self, conv: ConvId, seq: Seq, but: Option<(UserId, DeviceId)>) {
        #[cfg(feature = "planted")]
        if common::config::planted::has_now("wake-up-lost") {
            return;
        }
        if let Some(ConvKind::Group(group)) = conv.kind()
            && self.lock().crowds.online_count(group) >= ASIDE_MIN
        {
            self.aside.note(conv, seq);
            return;
        }
        let (sessions, reach) = self.listeners(conv);
        for session in sessions {
            if Some((session.actor.user, session.device())) != but {
                session.ring(conv, seq, reach);
            }
        }
    }

    /// Rings the bells of large groups, for as long as the server runs.
    pub async fn ring_aside(&self) {
        loop {
            for (conv, seq) in self.aside.take().await {
                let (sessions, reach) = self.listeners(conv);
                for some in sessions.chunks(RUNG_AT_A_TIME) {
                    for session in some {
                        session.ring(conv, seq, reach);
                    }
                    tokio::task::yield_now().await;
                }
            }
        }
    }

    fn listeners(&self, conv: ConvId) -> (Vec<Arc<Session>>, Reach) {
        let state = self.lock();
        let of = |user: &UserId| {
            state
                .users
                .get(user)
                .into_iter()
                .flat_map(|online| &online.sessions)
                .cloned()
        };
        let mut reach = Reach::Everybody;
        let sessions = match conv.kind() {
            Some(ConvKind::Direct(a, b)) if a == b => of(&a).collect(),
            Some(ConvKind::Direct(a, b)) => of(&a).chain(of(&b)).collect(),
            Some(ConvKind::Inbox(user)) => of(&user).collect(),
            Some(ConvKind::Group(group)) => {
                reach = state.crowds.reach(group);
                state.crowds.online(group).flat_map(of).collect()
            }
            None => Vec::new(),
        };
        (sessions, reach)
    }

    /// Which sessions get the entries of this conversation.
    pub fn reach(&self, conv: ConvId) -> Reach {
        match conv.kind() {
            Some(ConvKind::Group(group)) => self.lock().crowds.reach(group),
            Some(ConvKind::Direct(..) | ConvKind::Inbox(_)) | None => Reach::Everybody,
        }
    }

    /// Leaves a mark with the sessions of a conversation, but not with this
    /// device. In groups where only those who look get entries, only they get marks.
    pub fn mark(&self, conv: ConvId, user: UserId, device: DeviceId, mark: PassingMark) {
        // Not even looked for: a group that large has thousands of them.
        if self.reach(conv) == Reach::Nobody {
            return;
        }
        let (sessions, reach) = self.listeners(conv);
        for session in sessions {
            let is_own = session.actor.user == user;
            let is_for_it = match mark {
                PassingMark::Typing | PassingMark::Delivered(_) => !is_own,
                PassingMark::Read(_) => !is_own || session.device() != device,
            };
            if is_for_it && session.wants_marks(conv, reach) {
                session.put(|mailbox| mailbox.note_mark(conv, user, mark));
            }
        }
    }

    /// Leaves an event with every session of a user. Events are dropped first when a session is
    /// slow.
    pub fn tell(&self, user: UserId, event: &Event) {
        self.tell_but(user, None, event);
    }

    /// As [`Hub::tell`], but not this device of his.
    pub fn tell_but(&self, user: UserId, but: Option<DeviceId>, event: &Event) {
        for session in self.sessions_of(user) {
            if Some(session.device()) != but {
                session.put_event(event);
            }
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

    /// How many users are on line.
    pub fn users_count(&self) -> usize {
        self.lock().users.len()
    }

    fn sessions_of(&self, user: UserId) -> Vec<Arc<Session>> {
        self.lock()
            .users
            .get(&user)
            .map(|online| online.sessions.clone())
            .unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn set_member(&mut self, user: UserId, group: GroupId, is_member: bool) {
        let Some(online) = self.users.get_mut(&user) else {
            return;
        };
        online.membership_version += 1;
        if is_member {
            online.groups.insert(group);
            self.crowds.add(user, group);
            return;
        }
        #[cfg(feature = "planted")]
        if common::config::planted::has("leaving-unnoticed") {
            return;
        }
        online.groups.remove(&group);
        let conv = ConvId::group(group);
        for session in &online.sessions {
            session.close(conv);
            session.put(|mailbox| mailbox.lose(conv));
        }
        self.crowds.remove(user, group);
    }

    fn forget(&mut self, user: UserId) {
        for group in self.users.remove(&user).unwrap_or_default().groups {
            self.crowds.remove(user, group);
        }
    }
}
