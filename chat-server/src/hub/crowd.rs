//! Groups as the hub sees them: who of their members is on line, and how far their entries reach.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use common::id::{ConvId, GroupId, Seq, UserId};
use tokio::sync::Notify;

/// Where the size of a group begins to matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reaches {
    /// Up to so many members every session on line gets each entry.
    pub everybody_members_max: u32,
    /// From so many members on sessions of the API are only told that the group moved.
    pub nobody_members_min: u32,
}

impl Default for Reaches {
    fn default() -> Self {
        Self {
            everybody_members_max: 500,
            nobody_members_min: 20_000,
        }
    }
}

/// Which sessions of the API get the entries of a conversation; the others are told that it moved.
/// Existing clients get all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    Everybody,
    /// Who has the conversation open.
    WhoLooks,
    Nobody,
}

impl Reaches {
    fn of(self, members: u32) -> Reach {
        if members <= self.everybody_members_max {
            Reach::Everybody
        } else if members < self.nobody_members_min {
            Reach::WhoLooks
        } else {
            Reach::Nobody
        }
    }
}

/// The groups of everybody on line.
#[derive(Debug, Default)]
pub(super) struct Crowds {
    reaches: Reaches,
    crowds: HashMap<GroupId, Crowd>,
}

/// A group with a member on line.
#[derive(Debug, Default)]
struct Crowd {
    /// In order, so that bells ring in the same one each time.
    online: BTreeSet<UserId>,
    /// Members in all, as far as known.
    size: u32,
}

impl Crowds {
    pub(super) fn new(reaches: Reaches) -> Self {
        Self {
            reaches,
            crowds: HashMap::new(),
        }
    }

    pub(super) fn online(&self, group: GroupId) -> impl Iterator<Item = &UserId> {
        let crowd = self.crowds.get(&group);
        crowd.into_iter().flat_map(|crowd| &crowd.online)
    }

    pub(super) fn online_count(&self, group: GroupId) -> usize {
        self.crowds
            .get(&group)
            .map_or(0, |crowd| crowd.online.len())
    }

    pub(super) fn reach(&self, group: GroupId) -> Reach {
        let size = self.crowds.get(&group).map_or(0, |crowd| crowd.size);
        self.reaches.of(size)
    }

    pub(super) fn add(&mut self, user: UserId, group: GroupId) {
        self.crowds.entry(group).or_default().online.insert(user);
    }

    pub(super) fn set_size(&mut self, group: GroupId, size: u32) {
        if let Some(crowd) = self.crowds.get_mut(&group) {
            crowd.size = size;
        }
    }

    /// The group got a member, or lost one.
    pub(super) fn count(&mut self, group: GroupId, is_member: bool) {
        if let Some(crowd) = self.crowds.get_mut(&group) {
            crowd.size = if is_member {
                crowd.size.saturating_add(1)
            } else {
                crowd.size.saturating_sub(1)
            };
        }
    }

    pub(super) fn remove(&mut self, user: UserId, group: GroupId) {
        if let Some(crowd) = self.crowds.get_mut(&group) {
            crowd.online.remove(&user);
            if crowd.online.is_empty() {
                self.crowds.remove(&group);
            }
        }
    }
}

/// Large groups that moved and whose members have not been rung yet: so many bells are rung beside
/// the committer, never in its way. A group that moves on meanwhile is rung once.
#[derive(Debug, Default)]
pub(super) struct Aside {
    moved: Mutex<BTreeMap<ConvId, Seq>>,
    bell: Notify,
}

impl Aside {
    pub(super) fn note(&self, conv: ConvId, seq: Seq) {
        let mut moved = self.moved.lock().unwrap_or_else(PoisonError::into_inner);
        let head = moved.entry(conv).or_default();
        *head = seq.max(*head);
        drop(moved);
        self.bell.notify_one();
    }

    /// Waits until something moved. Cancel-safe.
    pub(super) async fn take(&self) -> BTreeMap<ConvId, Seq> {
        loop {
            let moved =
                std::mem::take(&mut *self.moved.lock().unwrap_or_else(PoisonError::into_inner));
            if !moved.is_empty() {
                return moved;
            }
            self.bell.notified().await;
        }
    }
}
