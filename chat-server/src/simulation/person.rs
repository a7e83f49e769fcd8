//! Somebody, what he does in a storm, and what is known of him from one life of his program to the
//! next.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use client::flamingo::Imitate;
use client::store::MemoryStore;
use common::id::{ConvId, DeviceId, GroupId, Peer, UserId};

use super::history::Log;
use super::world::{PEOPLE, World};
use super::{flamingo_program, sdk_program};

/// The most messages of one person: enough for the whole storm, because what goes wrong with the
/// last message of a conversation is not made good by the next one.
const MESSAGES_MAX: u32 = 100;
/// So many of a hundred times somebody changes who is in the group instead of writing.
const CHANGES_OF_HUNDRED: u32 = 8;

/// What somebody uses.
pub(super) enum Program {
    Sdk {
        token: String,
        memory: Arc<MemoryStore>,
    },
    Flamingo(Imitate),
}

/// See the module's description.
pub(super) struct Person {
    pub(super) name: String,
    pub(super) user: UserId,
    pub(super) device: DeviceId,
    pub(super) program: Program,
    state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    group: Option<GroupId>,
    written: u32,
    /// What the SDK accepted, and what is over of it.
    pub(super) accepted: BTreeSet<String>,
    pub(super) over: BTreeSet<String>,
    pub(super) confirmed: BTreeMap<ConvId, u64>,
    /// What an old client sent on its connection and does not know to be stored.
    pub(super) unsure: BTreeSet<String>,
    /// What an old client heard, or left unread.
    pub(super) heard: BTreeSet<String>,
}

/// What somebody does next.
pub(super) enum Act {
    Write { name: String, to: Peer },
    Leave(GroupId),
    Join(GroupId),
    Remove(GroupId, UserId),
    Add(GroupId, UserId),
}

impl Person {
    pub(super) fn new(name: String, user: UserId, device: DeviceId, program: Program) -> Self {
        Self {
            name,
            user,
            device,
            program,
            state: Mutex::default(),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_flamingo(&self) -> bool {
        matches!(self.program, Program::Flamingo(_))
    }

    pub(super) fn joined(&self, group: GroupId) {
        self.state().group = Some(group);
    }

    pub(super) fn group(&self) -> Option<GroupId> {
        self.state().group
    }

    /// Nothing is on its way any more.
    pub(super) fn has_sent_all(&self) -> bool {
        self.left().is_empty() && self.state().unsure.is_empty()
    }

    /// What was accepted and of which nothing was heard, in this or an earlier life.
    pub(super) fn left(&self) -> Vec<String> {
        let state = self.state();
        state.accepted.difference(&state.over).cloned().collect()
    }

    /// Whether he has everything that he has to have of this conversation.
    pub(super) fn has(&self, log: &Log) -> bool {
        let state = self.state();
        let mut owed = log.owed(self.user);
        match self.program {
            Program::Sdk { .. } => {
                let confirmed = state.confirmed.get(&log.conv).copied().unwrap_or(0);
                owed.next_back().is_none_or(|(last, _)| last <= confirmed)
            }
            Program::Flamingo(_) => {
                owed.all(|(_, name)| name.is_none_or(|name| state.heard.contains(name)))
            }
        }
    }

    /// What he does now; `None` when he has done enough.
    pub(super) fn act(&self, world: &World) -> Option<Act> {
        if !world.is_storm() || self.state().written >= MESSAGES_MAX {
            return None;
        }
        if let Some(group) = self.group()
            && world.happens(CHANGES_OF_HUNDRED)
        {
            return Some(self.change(world, group));
        }
        let mut state = self.state();
        state.written += 1;
        let name = format!("{}-{}", self.name, state.written);
        let to = match (state.group, world.below(5)) {
            (Some(group), 0 | 1) => Peer::Group(group),
            (_, n) => Peer::User(self.other(n)),
        };
        drop(state);
        let conv = ConvId::between(self.user, to);
        // In the history before anybody has it: who is killed in between does not know either.
        world.write(|history, at| history.wrote(at, &self.name, &name, conv));
        Some(Act::Write { name, to })
    }

    /// The owner, who cannot leave, takes others out and back. What is so already is refused, which
    /// is nobody's business here.
    fn change(&self, world: &World, group: GroupId) -> Act {
        let is_coming = world.happens(55);
        match (self.is_owner(), is_coming) {
            (true, true) => Act::Add(group, self.other(world.below(3))),
            (true, false) => Act::Remove(group, self.other(world.below(3))),
            (false, true) => Act::Join(group),
            (false, false) => Act::Leave(group),
        }
    }

    fn is_owner(&self) -> bool {
        self.user == UserId(1)
    }

    fn other(&self, n: usize) -> UserId {
        let others = (1..=PEOPLE).map(UserId).filter(|other| *other != self.user);
        others.cycle().nth(n).expect("there are others")
    }
}

/// One life after the other.
pub(super) async fn live(world: Arc<World>, person: Arc<Person>) {
    match &person.program {
        Program::Sdk { token, memory } => {
            sdk_program::live(&world, &person, token, memory).await;
        }
        Program::Flamingo(imitate) => flamingo_program::live(&world, &person, *imitate).await,
    }
}
