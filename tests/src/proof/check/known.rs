//! A history, sorted so that questions about it are short.

use std::collections::{BTreeMap, BTreeSet};

use crate::proof::history::Event;

/// An entry of the dump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry<'h> {
    pub(super) sender: &'h str,
    pub(super) client_id: &'h str,
    pub(super) content: Option<&'h str>,
}

/// A device as it was announced.
#[derive(Clone, Copy, Debug)]
pub(super) struct Device<'h> {
    pub(super) user: &'h str,
    pub(super) acknowledges: bool,
}

/// Something that was sent, at its first time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent<'h> {
    pub(super) device: &'h str,
    pub(super) client_id: Option<&'h str>,
}

type Place<'h> = (&'h str, u64);

/// See the module's description.
#[derive(Debug, Default)]
pub(super) struct Known<'h> {
    pub(super) history: &'h [Event],
    pub(super) devices: BTreeMap<&'h str, Device<'h>>,
    /// The log, by conversation and number. What stands there twice is in `doubled`.
    pub(super) log: BTreeMap<&'h str, BTreeMap<u64, Entry<'h>>>,
    pub(super) doubled: Vec<(Place<'h>, Entry<'h>)>,
    /// Where a content of a sender stands in a conversation: (conversation, sender, content).
    pub(super) places: BTreeMap<(&'h str, &'h str, &'h str), Vec<u64>>,
    /// What was sent, by (conversation, user, content), each client id once.
    pub(super) sent: BTreeMap<(&'h str, &'h str, &'h str), Vec<Sent<'h>>>,
    /// The contents that each device sent into each conversation, in the order of the first time.
    pub(super) order: BTreeMap<(&'h str, &'h str), Vec<&'h str>>,
    /// Who may read what: (conversation, user) to stretches behind one number up to another.
    pub(super) members: BTreeMap<(&'h str, &'h str), Vec<(u64, u64)>>,
    /// Of files: how long, and what is in them.
    pub(super) kept: BTreeMap<&'h str, (u64, &'h str)>,
}

impl<'h> Known<'h> {
    pub(super) fn sorted(history: &'h [Event]) -> Self {
        let mut known = Self {
            history,
            ..Self::default()
        };
        for event in history {
            known.add(event);
        }
        known
    }

    fn add(&mut self, event: &'h Event) {
        match event {
            Event::Device {
                device,
                user,
                acknowledges,
            } => {
                let about = Device {
                    user,
                    acknowledges: *acknowledges,
                };
                self.devices.insert(device, about);
            }
            Event::Sending {
                device,
                conversation,
                client_id,
                content,
            } => self.add_sent(device, conversation, client_id.as_deref(), content),
            Event::Stored {
                conversation,
                seq,
                sender,
                client_id,
                content,
            } => {
                let content = content.as_deref();
                let entry = Entry {
                    sender,
                    client_id,
                    content,
                };
                if let Some(content) = content {
                    let key = (conversation.as_str(), entry.sender, content);
                    self.places.entry(key).or_default().push(*seq);
                }
                let log = self.log.entry(conversation).or_default();
                if log.contains_key(seq) {
                    self.doubled.push(((conversation, *seq), entry));
                } else {
                    log.insert(*seq, entry);
                }
            }
            Event::Member {
                conversation,
                user,
                after,
                until,
            } => {
                let stretches = self.members.entry((conversation, user)).or_default();
                stretches.push((*after, until.unwrap_or(u64::MAX)));
            }
            Event::Kept {
                file,
                bytes,
                sha256,
            } => {
                self.kept.insert(file, (*bytes, sha256));
            }
            _ => {}
        }
    }

    fn add_sent(
        &mut self,
        device: &'h str,
        conversation: &'h str,
        client_id: Option<&'h str>,
        content: &'h str,
    ) {
        let key = (conversation, self.user(device), content);
        let sent = self.sent.entry(key).or_default();
        let is_again = client_id.is_some() && sent.iter().any(|one| one.client_id == client_id);
        if is_again {
            return;
        }
        sent.push(Sent { device, client_id });
        let order = self.order.entry((device, conversation)).or_default();
        order.push(content);
    }

    /// Whose device it is; nobody's if it was never announced.
    pub(super) fn user(&self, device: &str) -> &'h str {
        self.devices.get(device).map_or("", |device| device.user)
    }

    pub(super) fn at(&self, conversation: &str, seq: u64) -> Option<Entry<'h>> {
        self.log.get(conversation)?.get(&seq).copied()
    }

    /// Where a content of this user stands first.
    pub(super) fn place_of(&self, conversation: &str, user: &str, content: &str) -> Option<u64> {
        let places = self.places.get(&(conversation, user, content))?;
        places.iter().min().copied()
    }

    pub(super) fn may_read(&self, conversation: &str, user: &str, seq: u64) -> bool {
        let stretches = self.members.get(&(conversation, user));
        let mut stretches = stretches.into_iter().flatten();
        stretches.any(|(after, until)| (*after < seq) && (seq <= *until))
    }

    /// Whether a device has to be told of an entry: not of its own messages, and an old one not of
    /// notices.
    pub(super) fn is_told(&self, device: &str, conversation: &str, entry: &Entry<'_>) -> bool {
        let Some(about) = self.devices.get(device) else {
            return false;
        };
        let Some(content) = entry.content else {
            return about.acknowledges;
        };
        let key = (conversation, entry.sender, content);
        let mut own = self.sent.get(&key).into_iter().flatten();
        !own.any(|sent| sent.device == device)
    }

    /// The first entry between these two, neither included, of which the device has to be told. Who
    /// was taken out and came back need not hear what stands before he came back.
    pub(super) fn first_missed(
        &self,
        device: &str,
        conversation: &str,
        after: u64,
        before: u64,
    ) -> Option<u64> {
        let stretches = self.members.get(&(conversation, self.user(device)));
        let mut stretches = stretches.into_iter().flatten();
        let (begin, _) = stretches.find(|(begin, end)| *begin < before && before <= *end)?;
        let after = after.max(*begin);
        if before <= after {
            return None;
        }
        let between = self.log.get(conversation)?.range(after + 1..before);
        let mut missed = between.filter(|(_, entry)| self.is_told(device, conversation, entry));
        missed.next().map(|(seq, _)| *seq)
    }

    /// Whether the user was taken out at least once.
    pub(super) fn was_taken_out(&self, conversation: &str, user: &str) -> bool {
        let stretches = self.members.get(&(conversation, user));
        let mut stretches = stretches.into_iter().flatten();
        stretches.any(|(_, until)| *until != u64::MAX)
    }

    /// Whether the user may read this entry and has been a member since.
    pub(super) fn is_still_there(&self, conversation: &str, user: &str, seq: u64) -> bool {
        let stretches = self.members.get(&(conversation, user));
        let mut stretches = stretches.into_iter().flatten();
        stretches.any(|(after, until)| *after < seq && *until == u64::MAX)
    }

    /// Where this user is or was a member.
    pub(super) fn conversations_of(&self, user: &str) -> BTreeSet<&'h str> {
        let mine = self.members.keys().filter(|(_, member)| *member == user);
        mine.map(|(conversation, _)| *conversation).collect()
    }
}
