//! What is known of people: names, and where they are.

use std::collections::{HashMap, HashSet};

use client::model::{Contact, Presence, Status, User, UserId};

use super::clean;

/// Names and presence of everybody who was met.
#[derive(Debug, Default)]
pub(crate) struct People {
    names: HashMap<UserId, String>,
    /// Own names for contacts count more than theirs.
    remarks: HashMap<UserId, String>,
    presence: HashMap<UserId, Status>,
    asked: HashSet<UserId>,
    /// Counts changes of names.
    version: u64,
}

impl People {
    pub(crate) fn name(&self, user: UserId) -> Option<&str> {
        let name = self.remarks.get(&user).or_else(|| self.names.get(&user));
        name.map(String::as_str)
    }

    /// The name, or the number as long as it is not known.
    pub(crate) fn name_or_number(&self, user: UserId) -> String {
        self.name(user)
            .map_or_else(|| user.to_string(), str::to_owned)
    }

    pub(crate) fn meet(&mut self, user: &User) {
        self.call(user.id, display_name(user));
    }

    /// Gives somebody a name, in one harmless line.
    pub(crate) fn call(&mut self, user: UserId, name: String) {
        if self.names.get(&user) != Some(&name) {
            self.names.insert(user, name);
            self.version += 1;
        }
    }

    pub(crate) fn keep(&mut self, contacts: &[Contact]) {
        self.remarks.clear();
        self.version += 1;
        for contact in contacts {
            self.meet(&contact.user);
            if !contact.remark.is_empty() {
                let remark = clean::line(&contact.remark).into_owned();
                self.remarks.insert(contact.user.id, remark);
            }
        }
    }

    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// Whether somebody's profile has to be loaded; says so once.
    pub(crate) fn ask(&mut self, user: UserId) -> bool {
        !self.names.contains_key(&user) && self.asked.insert(user)
    }

    pub(crate) fn presence(&self, user: UserId) -> Status {
        self.presence.get(&user).copied().unwrap_or(Status::Offline)
    }

    pub(crate) fn is(&mut self, presence: &Presence) {
        self.presence.insert(presence.user_id, presence.status);
    }

    /// Without a connection nobody knows.
    pub(crate) fn forget_presence(&mut self) {
        self.presence.clear();
    }
}

/// What to call somebody, in one harmless line.
pub(crate) fn display_name(user: &User) -> String {
    let name = if user.nickname.trim().is_empty() {
        &user.username
    } else {
        &user.nickname
    };
    clean::line(name).into_owned()
}
