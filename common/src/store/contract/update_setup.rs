//! Short ways to say what a test of updates needs.

use super::setup::{NOW, ann_and_bob, befriend, done, origin, say};
use crate::api::{KnownSegment, Segment};
use crate::id::{ConvId, Seq, UserId};
use crate::store::message::MessageChange;
use crate::store::{Change, Guard, Store};

/// Different reactions on one message.
const LIMIT: u32 = 3;

pub(super) fn recall(user: UserId, conv: ConvId, seq: u64, client_id: &str) -> Change {
    Change::Message(MessageChange::Recall {
        origin: origin(user, client_id),
        conv,
        seq: Seq(seq),
        not_before: NOW,
    })
}

pub(super) fn segments(text: &str) -> Vec<Segment> {
    let text = text.to_owned();
    vec![KnownSegment::Text { text }.into()]
}

pub(super) fn edit(user: UserId, conv: ConvId, seq: u64, text: &str, client_id: &str) -> Change {
    Change::Message(MessageChange::Edit {
        origin: origin(user, client_id),
        conv,
        seq: Seq(seq),
        segments: segments(text),
        not_before: NOW,
        guard: Guard::Contact,
    })
}

pub(super) fn react(
    user: UserId,
    conv: ConvId,
    seq: u64,
    (emoji, added): (&str, bool),
    id: &str,
) -> Change {
    Change::Message(MessageChange::React {
        origin: origin(user, id),
        conv,
        seq: Seq(seq),
        emoji: emoji.to_owned(),
        added,
        limit: LIMIT,
        guard: Guard::Contact,
    })
}

/// A direct conversation with three messages of the first and one of the second.
pub(super) async fn chat(store: &dyn Store) -> (UserId, UserId, ConvId) {
    let (ann, bob) = ann_and_bob(store).await;
    befriend(store, ann, bob).await;
    let conv = ConvId::direct(ann, bob);
    for text in ["m1", "m2", "m3"] {
        done(store, say(ann, conv, text)).await;
    }
    done(store, say(bob, conv, "m4")).await;
    (ann, bob, conv)
}
