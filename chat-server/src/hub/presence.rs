//! Where users are, as others see them, and which sessions watch whom.

use std::collections::HashMap;
use std::sync::Arc;

use common::id::UserId;

use super::{ClientKind, Hub, Manner, Presence, Session};

/// Which sessions chose to hear of whom.
#[derive(Debug, Default)]
pub(super) struct Watches {
    watchers: HashMap<UserId, Vec<Arc<Session>>>,
    /// The other side, by the number of the session.
    watched: HashMap<u64, Vec<UserId>>,
}

impl Watches {
    fn set(&mut self, session: &Arc<Session>, users: &[UserId]) {
        self.forget(session);
        for user in users {
            let watchers = self.watchers.entry(*user).or_default();
            watchers.push(Arc::clone(session));
        }
        if !users.is_empty() {
            self.watched.insert(session.number, users.to_vec());
        }
    }

    pub(super) fn forget(&mut self, session: &Session) {
        for user in self.watched.remove(&session.number).unwrap_or_default() {
            if let Some(watchers) = self.watchers.get_mut(&user) {
                watchers.retain(|watcher| watcher.number != session.number);
                if watchers.is_empty() {
                    self.watchers.remove(&user);
                }
            }
        }
    }
}

impl Hub {
    /// Where a user is, as others see it: the status of his first session, and PC if any of his
    /// sessions is one.
    pub fn presence(&self, user: UserId) -> Presence {
        let state = self.lock();
        let sessions = state
            .users
            .get(&user)
            .map_or(&[][..], |online| &online.sessions);
        let mut seen = sessions
            .iter()
            .filter(|session| session.manner.is_presence());
        let Some(first) = seen.next() else {
            return Presence::default();
        };
        let (mut has_pc, mut last) = (first.kind == ClientKind::Pc, first);
        for session in seen {
            has_pc |= session.kind == ClientKind::Pc;
            last = session;
        }
        let client = if has_pc { ClientKind::Pc } else { last.kind };
        Presence {
            status: first.status(),
            client: client.number(),
            is_away: first.is_away(),
        }
    }

    /// The status that a user chose through the API, if he has a session there.
    pub fn api_status(&self, user: UserId) -> Option<i32> {
        let state = self.lock();
        let mut sessions = state.users.get(&user)?.sessions.iter();
        let chosen = sessions.find(|session| session.is_api() && session.manner.is_presence());
        chosen.map(|session| session.status())
    }

    /// Sets a session's status; `false` if it was that already. A status that is set through the
    /// API is that of all the user's sessions there.
    pub fn set_status(&self, session: &Session, status: i32, is_away: bool) -> bool {
        let mut is_change = session.set_status(status, is_away);
        if session.is_api() {
            for other in self.sessions_of(session.actor.user) {
                if other.is_api() && other.manner != Manner::Webhook {
                    is_change |= other.set_status(status, is_away);
                }
            }
        }
        is_change
    }

    /// The session wants to hear of exactly these users from now on.
    pub fn watch(&self, session: &Arc<Session>, users: &[UserId]) {
        session.choose();
        let mut state = self.lock();
        let is_in = state
            .users
            .get(&session.actor.user)
            .is_some_and(|online| online.sessions.iter().any(|s| s.number == session.number));
        if is_in {
            state.watches.set(session, users);
        }
    }

    /// Tells the sessions that chose to hear of this user.
    pub fn tell_watchers(&self, user: UserId, presence: Presence) {
        let watchers = self.lock().watches.watchers.get(&user).cloned();
        for watcher in watchers.unwrap_or_default() {
            watcher.put_presence(user, presence);
        }
    }
}
