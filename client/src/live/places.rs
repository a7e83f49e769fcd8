//! How far each conversation has come: handed to the application, confirmed by it, and told to the
//! server.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::model::{ConversationId, Seq};

/// See the module's description.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// The application holds everything up to here, and the store knows it.
    confirmed: HashMap<ConversationId, Seq>,
    /// Given to the application in this run.
    handed: HashMap<ConversationId, Seq>,
    /// How far the server said in this run that large groups are, without the entries.
    heads: HashMap<ConversationId, Seq>,
    /// What the server told of on this connection: only that can be acknowledged on it.
    told: HashSet<ConversationId>,
    to_ack: BTreeMap<ConversationId, Seq>,
}

impl Places {
    pub(super) fn new(confirmed: Vec<(ConversationId, Seq)>) -> Self {
        Self {
            confirmed: confirmed.into_iter().collect(),
            ..Self::default()
        }
    }

    /// An entry came from the server; `true` if the application was not given it yet.
    ///
    /// What is confirmed already comes again only because the server does not know: it is
    /// acknowledged again.
    pub(super) fn arrived(&mut self, conversation: ConversationId, seq: Seq) -> bool {
        self.told.insert(conversation);
        let confirmed = self.confirmed(conversation);
        if seq <= confirmed {
            self.to_ack.insert(conversation, confirmed);
            return false;
        }
        self.handed
            .get(&conversation)
            .is_none_or(|handed| seq > *handed)
    }

    /// The server named the end of a large group.
    pub(super) fn named(&mut self, conversation: ConversationId, last: Seq) {
        self.told.insert(conversation);
        let head = self.heads.entry(conversation).or_default();
        *head = last.max(*head);
    }

    /// How much of what the application says to hold can be: what is behind it may still come.
    pub(super) fn confirmable(&self, conversation: ConversationId, seq: Seq) -> Seq {
        let handed = self.handed.get(&conversation).copied().unwrap_or_default();
        let head = self.heads.get(&conversation).copied().unwrap_or_default();
        seq.min(handed.max(head))
    }

    /// The application will get this entry.
    pub(super) fn handed(&mut self, conversation: ConversationId, seq: Seq) {
        let handed = self.handed.entry(conversation).or_default();
        *handed = seq.max(*handed);
    }

    /// The application holds everything up to here, and the store knows it.
    pub(super) fn confirm(&mut self, conversation: ConversationId, seq: Seq) {
        let confirmed = self.confirmed.entry(conversation).or_default();
        *confirmed = seq.max(*confirmed);
        if self.told.contains(&conversation) {
            self.to_ack.insert(conversation, *confirmed);
        }
    }

    pub(super) fn confirmed(&self, conversation: ConversationId) -> Seq {
        let confirmed = self.confirmed.get(&conversation);
        confirmed.copied().unwrap_or_default()
    }

    pub(super) fn has_acks(&self) -> bool {
        !self.to_ack.is_empty()
    }

    /// Takes out what has to be acknowledged, at most so many conversations.
    pub(super) fn take_acks(&mut self, max: usize) -> Vec<(ConversationId, Seq)> {
        let mut taken = Vec::new();
        while taken.len() < max
            && let Some(ack) = self.to_ack.pop_first()
        {
            taken.push(ack);
        }
        taken
    }

    /// The connection is gone. An acknowledgment that did not arrive is made again when the server
    /// sends again what it is about.
    pub(super) fn lost(&mut self) {
        self.told.clear();
        self.to_ack.clear();
    }

    /// Another history: nothing that is known means anything.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CHAT: ConversationId = ConversationId(7);

    #[test]
    fn what_was_confirmed_before_is_acknowledged_again_and_not_handed_out() {
        let mut places = Places::new(vec![(CHAT, Seq(5))]);
        assert!(!places.arrived(CHAT, Seq(4)));
        assert_eq!(places.take_acks(9), [(CHAT, Seq(5))]);
        assert!(places.arrived(CHAT, Seq(6)));
        assert!(!places.has_acks());
    }

    #[test]
    fn nothing_is_acknowledged_that_this_connection_did_not_tell_of() {
        let mut places = Places::default();
        assert!(places.arrived(CHAT, Seq(1)));
        places.handed(CHAT, Seq(1));
        places.lost();
        places.confirm(CHAT, Seq(1));
        assert!(!places.has_acks());
        assert!(!places.arrived(CHAT, Seq(1)));
        assert!(places.has_acks());
    }

    proptest! {
        /// Whatever comes again after losses, each entry is handed out once, in order, and no
        /// acknowledgment passes what was confirmed.
        #[test]
        fn each_entry_is_handed_out_once(steps in prop::collection::vec((0_u8..4, 1_u64..20), 0..60)) {
            let mut places = Places::default();
            let (mut handed, mut confirmed, mut acked) = (Vec::new(), 0, 0);
            let mut next = 1;
            for (step, number) in steps {
                match step {
                    0 | 1 => {
                        if places.arrived(CHAT, Seq(next)) {
                            places.handed(CHAT, Seq(next));
                            handed.push(next);
                        }
                        next += 1;
                    }
                    2 => {
                        let seq = number.min(handed.last().copied().unwrap_or(0));
                        confirmed = confirmed.max(seq);
                        places.confirm(CHAT, Seq(seq));
                    }
                    _ => {
                        if number % 2 == 0 {
                            places.lost();
                            next = acked + 1;
                        }
                    }
                }
                for (_, seq) in places.take_acks(usize::MAX) {
                    prop_assert!(seq.0 <= confirmed);
                    // The server counts only what it told of on this connection.
                    acked = acked.max(seq.0.min(next - 1));
                }
            }
            let wanted: Vec<u64> = (1..).take(handed.len()).collect();
            prop_assert_eq!(handed, wanted);
        }
    }
}
