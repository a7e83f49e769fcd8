//! What happens to messages after they were written, and looking at them again.

use std::collections::HashMap;

use bytes::Bytes;
use futures_util::future::join_all;

use super::group_setup::{crew, mute, name_member, transfer};
use super::setup::{
    NOW, append, commit, contiguous, done, entries, join, leave, notices, origin, refused, remove,
    say, user,
};
use super::update_setup::{chat, edit, react, recall, segments};
use crate::api::{Body, Dialect, ForwardedFrom, Notice, Origin, Refusal, SegmentedContent};
use crate::id::{ConvId, Millis, Seq};
use crate::store::block::BlockChange;
use crate::store::message::{self as messages, MessageChange, MessageState, Reaction};
use crate::store::{Append, Change, Guard, Outcome, Store};

fn untouched(seq: u64) -> MessageState {
    MessageState {
        seq: Seq(seq),
        recalled_at: None,
        edited_at: None,
        segments: None,
        reactions: Vec::new(),
    }
}

async fn states(store: &dyn Store, conv: ConvId) -> Vec<MessageState> {
    messages::states(store, conv, Seq(0), Seq(u64::MAX))
        .await
        .unwrap()
}

pub async fn a_message_is_taken_back(store: &dyn Store) {
    let (ann, bob, conv) = chat(store).await;
    done(store, edit(ann, conv, 2, "two", "e")).await;
    done(store, react(bob, conv, 2, ("😀", true), "r")).await;
    let told = done(store, recall(ann, conv, 2, "x")).await;
    assert_eq!((told.len(), told[0].seq), (1, Seq(7)));
    let last = notices(store, conv).await.pop();
    assert_eq!(last, Some((ann, Notice::MessageRecalled { seq: Seq(2) })));
    let recalled = MessageState {
        recalled_at: Some(NOW),
        edited_at: Some(NOW),
        ..untouched(2)
    };
    assert_eq!(states(store, conv).await, [recalled]);
    let over = Refusal::AlreadyRecalled;
    refused(store, recall(ann, conv, 2, "x2"), over).await;
    refused(store, edit(ann, conv, 2, "again", "e2"), over).await;
    refused(store, react(bob, conv, 2, ("😀", true), "r2"), over).await;
    refused(store, react(bob, conv, 2, ("😀", false), "r3"), over).await;
    assert_eq!(contiguous(store, conv).await, 7);
}

pub async fn updates_are_refused_where_they_must(store: &dyn Store) {
    let (ann, bob, conv) = chat(store).await;
    let cem = user(store, "cem").await;
    done(store, recall(ann, conv, 1, "0")).await;
    let (foreign, none) = (Refusal::NoSuchConversation, Refusal::NoSuchMessage);
    let inbox = ConvId::inbox(ann);
    let wrong = [
        (recall(cem, conv, 2, "1"), foreign),
        (edit(cem, conv, 2, "x", "2"), foreign),
        (react(cem, conv, 2, ("x", true), "3"), foreign),
        (recall(ann, ConvId::inbox(bob), 1, "4"), foreign),
        (recall(ann, ConvId(5), 1, "5"), foreign),
        (recall(ann, ConvId::direct(ann, cem), 1, "6"), foreign),
        (recall(ann, conv, 0, "7"), none),
        (recall(ann, conv, 99, "8"), none),
        // A notice, and one of the inbox.
        (recall(ann, conv, 5, "9"), none),
        (react(ann, conv, 5, ("x", true), "10"), none),
        (recall(ann, inbox, 1, "11"), none),
        (recall(bob, conv, 2, "12"), Refusal::NotTheAuthor),
        (edit(bob, conv, 2, "x", "13"), Refusal::NotTheAuthor),
    ];
    for (change, refusal) in wrong {
        refused(store, change, refusal).await;
    }
    assert_eq!(contiguous(store, conv).await, 5);
}

pub async fn updates_come_in_time(store: &dyn Store) {
    let (ann, _bob, conv) = chat(store).await;
    for (not_before, late) in [(Millis(NOW.0 + 1), true), (NOW, false)] {
        let changes = [
            MessageChange::Edit {
                origin: origin(ann, "e"),
                conv,
                seq: Seq(1),
                segments: segments("one"),
                not_before,
                guard: Guard::Contact,
            },
            MessageChange::Recall {
                origin: origin(ann, "x"),
                conv,
                seq: Seq(1),
                not_before,
            },
        ];
        for change in changes.map(Change::Message) {
            if late {
                refused(store, change, Refusal::TooLate).await;
            } else {
                done(store, change).await;
            }
        }
    }
    assert_eq!(contiguous(store, conv).await, 6);
}

pub async fn updates_need_what_a_message_needs(store: &dyn Store) {
    let (ann, bob, conv) = chat(store).await;
    let block = |user, blocked| {
        let at = NOW;
        Change::Block(BlockChange::Add { user, blocked, at })
    };
    done(store, block(bob, ann)).await;
    refused(store, edit(ann, conv, 1, "x", "1"), Refusal::Blocked).await;
    refused(
        store,
        react(ann, conv, 4, ("x", true), "2"),
        Refusal::Blocked,
    )
    .await;
    let (user, blocked) = (bob, ann);
    done(store, Change::Block(BlockChange::Remove { user, blocked })).await;
    done(store, edit(ann, conv, 1, "x", "1")).await;
    done(store, remove(ann, bob, "end")).await;
    refused(store, edit(ann, conv, 2, "x", "3"), Refusal::NotFriends).await;
    let change = react(ann, conv, 4, ("x", true), "4");
    refused(store, change, Refusal::NotFriends).await;
    // One may always take back what one wrote.
    done(store, recall(ann, conv, 2, "5")).await;
    assert_eq!(contiguous(store, conv).await, 6);
}

pub async fn updates_in_a_group(store: &dyn Store) {
    let crew = crew(store).await;
    let (group, conv) = (crew.group, crew.conv);
    // Places 5 to 7.
    for user in [crew.owner, crew.admin, crew.member] {
        done(store, say(user, conv, "hi")).await;
    }
    done(store, join(crew.outsider, group, "j")).await;
    let new = crew.outsider;
    let none = Refusal::NoSuchMessage;
    refused(store, react(new, conv, 7, ("x", true), "0"), none).await;
    let foreign = Refusal::NotTheAuthor;
    refused(store, recall(crew.member, conv, 6, "1"), foreign).await;
    refused(store, recall(crew.admin, conv, 5, "2"), foreign).await;
    refused(store, edit(crew.owner, conv, 7, "x", "3"), foreign).await;
    done(store, mute(crew.admin, group, crew.member, NOW.0 + 1, "4")).await;
    let muted = Refusal::Muted;
    refused(store, edit(crew.member, conv, 7, "x", "5"), muted).await;
    refused(store, react(crew.member, conv, 6, ("x", true), "6"), muted).await;
    done(store, leave(crew.member, group, "7")).await;
    refused(
        store,
        recall(crew.member, conv, 7, "8"),
        Refusal::NotAMember,
    )
    .await;
    // Admins are not bound to a time, and reach who left.
    let late = |by, seq, client_id| {
        Change::Message(MessageChange::Recall {
            origin: origin(by, client_id),
            conv,
            seq: Seq(seq),
            not_before: Millis(NOW.0 + 1),
        })
    };
    done(store, late(crew.admin, 7, "9")).await;
    refused(store, late(crew.admin, 6, "10"), Refusal::TooLate).await;
    done(store, late(crew.owner, 6, "11")).await;
    done(store, transfer(crew.owner, group, crew.admin, "12")).await;
    done(store, late(crew.admin, 5, "13")).await;
    assert_eq!(contiguous(store, conv).await, 14);
}

pub async fn an_edit_replaces_the_segments(store: &dyn Store) {
    let (ann, bob, conv) = chat(store).await;
    let written = SegmentedContent {
        segments: segments("reply"),
        reply_to: Some(Seq(4)),
        forwarded_from: Some(ForwardedFrom {
            user: bob,
            nickname: "Bob".to_owned(),
        }),
    };
    let change = Append {
        body: Body::Message {
            dialect: Dialect::Segments,
            content: Bytes::from(serde_json::to_vec(&written).unwrap()),
        },
        ..append(origin(ann, "reply"), conv, "", Guard::Contact)
    };
    done(store, Change::Append(change)).await;
    done(store, edit(ann, conv, 5, "first", "e1")).await;
    let later = Origin {
        at: Millis(NOW.0 + 5),
        ..origin(ann, "e2")
    };
    let change = MessageChange::Edit {
        origin: later,
        conv,
        seq: Seq(5),
        segments: segments("second 😀"),
        not_before: NOW,
        guard: Guard::Contact,
    };
    done(store, Change::Message(change)).await;
    done(store, edit(ann, conv, 1, "of the old kind", "e3")).await;
    let edited = |seq, at, text| MessageState {
        edited_at: Some(Millis(at)),
        segments: Some(segments(text)),
        ..untouched(seq)
    };
    let expected = [
        edited(1, NOW.0 + 5, "of the old kind"),
        edited(5, NOW.0 + 5, "second 😀"),
    ];
    assert_eq!(states(store, conv).await, expected);
    let sql = "SELECT f_content FROM t_message_state WHERE f_conv = ? AND f_seq = ?";
    let rows = store.select(sql, vec![conv.into(), Seq(5).into()]).await;
    let kept = rows.unwrap()[0].bytes(0).unwrap().unwrap();
    let expected = SegmentedContent {
        segments: segments("second 😀"),
        ..written
    };
    assert_eq!(
        serde_json::from_slice::<SegmentedContent>(&kept).unwrap(),
        expected
    );
    // What was written stays in its place of the log.
    let first = messages::at(store, &[(conv, Seq(1))]).await.unwrap();
    assert_eq!(first[0].body, super::setup::message("m1"));
}

pub async fn reactions_come_and_go(store: &dyn Store) {
    let (ann, bob, conv) = chat(store).await;
    let add = |user, emoji, id| react(user, conv, 1, (emoji, true), id);
    let take = |user, emoji, id| react(user, conv, 1, (emoji, false), id);
    let told = done(store, add(bob, "😀", "1")).await;
    assert_eq!(told[0].seq, Seq(5));
    // It is so already.
    assert!(done(store, add(bob, "😀", "2")).await.is_empty());
    assert!(done(store, take(ann, "😀", "3")).await.is_empty());
    let at = Millis(NOW.0 + 1);
    let mut later = add(ann, "😁", "4");
    if let Change::Message(MessageChange::React { origin, .. }) = &mut later {
        origin.at = at;
    }
    done(store, later).await;
    done(store, add(ann, "😀", "5")).await;
    done(store, add(bob, "👍🏽", "6")).await;
    refused(store, add(bob, "🎉", "7"), Refusal::TooMany).await;
    done(store, add(bob, "😁", "8")).await;
    let state = states(store, conv).await.remove(0);
    let shown: Vec<&str> = state
        .reactions
        .iter()
        .map(|one| one.emoji.as_str())
        .collect();
    assert_eq!(shown[0], "😀");
    assert_eq!(shown.len(), 3);
    let smile = Reaction {
        emoji: "😀".to_owned(),
        users: vec![bob, ann],
        count: 2,
    };
    assert_eq!(state.reactions[0], smile);
    done(store, take(bob, "👍🏽", "9")).await;
    done(store, add(bob, "🎉", "10")).await;
    for (user, emoji) in [
        (bob, "😀"),
        (ann, "😀"),
        (ann, "😁"),
        (bob, "😁"),
        (bob, "🎉"),
    ] {
        let client_id = format!("-{emoji}");
        done(store, react(user, conv, 1, (emoji, false), &client_id)).await;
    }
    assert!(states(store, conv).await.is_empty());
    assert_eq!(contiguous(store, conv).await, 16);
}

pub async fn the_first_who_react_are_named_and_all_are_counted(store: &dyn Store) {
    let crew = crew(store).await;
    let (group, conv) = (crew.group, ConvId::group(crew.group));
    let mut reacted = Vec::new();
    for nth in 0..25 {
        let who = user(store, &format!("many{nth}")).await;
        done(store, join(who, group, "j")).await;
        reacted.push(who);
    }
    let said = done(store, say(crew.owner, conv, "to all")).await[0].seq.0;
    for who in &reacted {
        done(store, react(*who, conv, said, ("😀", true), "r")).await;
    }
    done(store, react(crew.owner, conv, said, ("👍", true), "r")).await;
    let state = states(store, conv).await.pop().unwrap();
    let smile = state.reactions.iter().find(|one| one.emoji == "😀");
    let smile = smile.unwrap();
    assert_eq!((smile.count, &*smile.users), (25, &reacted[..20]));
    assert_eq!(state.reactions.len(), 2);
    done(store, recall(crew.owner, conv, said, "x")).await;
    let bare = messages::changes(store, conv, Seq(0), Seq(u64::MAX)).await;
    let bare = bare.unwrap();
    assert_eq!((bare[0].seq.0, bare[0].reactions.len()), (said, 0));
    let gone = messages::recalled(store, conv, Seq(0), Seq(u64::MAX)).await;
    assert_eq!(gone.unwrap(), [Seq(said)]);
}

pub async fn a_repeated_update_is_one(store: &dyn Store) {
    let (ann, bob, conv) = chat(store).await;
    let changes = [
        edit(ann, conv, 1, "x", "e"),
        react(ann, conv, 1, ("😀", true), "r"),
        react(ann, conv, 1, ("😀", false), "s"),
        recall(ann, conv, 1, "x"),
    ];
    let mut firsts = Vec::new();
    for change in &changes {
        let first = entries(commit(store, change.clone()).await).remove(0);
        firsts.push(Outcome::AlreadyThere {
            conv,
            seq: first.seq,
            at: first.origin.at,
        });
    }
    // Also where it could not be done anew.
    done(store, remove(bob, ann, "end")).await;
    for (change, first) in changes.into_iter().zip(firsts) {
        assert_eq!(commit(store, change).await, first);
    }
    let conflict = Refusal::ClientIdConflict;
    refused(store, edit(ann, conv, 1, "y", "e"), conflict).await;
    refused(store, recall(ann, conv, 2, "x"), conflict).await;
    refused(store, recall(ann, conv, 2, "m2"), conflict).await;
    assert_eq!(contiguous(store, conv).await, 8);
}

pub async fn states_are_of_a_range(store: &dyn Store) {
    let (ann, bob, conv) = chat(store).await;
    done(store, recall(ann, conv, 1, "x")).await;
    done(store, react(bob, conv, 2, ("😀", true), "r")).await;
    done(store, edit(ann, conv, 3, "three", "e")).await;
    done(store, react(ann, conv, 3, ("😀", true), "r")).await;
    let seqs = async |from, to| -> Vec<u64> {
        let states = messages::states(store, conv, Seq(from), Seq(to)).await;
        states.unwrap().iter().map(|state| state.seq.0).collect()
    };
    assert_eq!(seqs(1, 4).await, [1, 2, 3]);
    assert_eq!(seqs(2, 2).await, [2]);
    assert_eq!(seqs(2, 3).await, [2, 3]);
    assert!(seqs(4, 9).await.is_empty());
    assert!(seqs(3, 2).await.is_empty());
    let both = states(store, conv).await.pop().unwrap();
    assert_eq!(both.segments, Some(segments("three")));
    assert_eq!(both.reactions[0].users, [ann]);
}

pub async fn entries_are_looked_at_again(store: &dyn Store) {
    let (ann, bob, conv) = chat(store).await;
    let all = store.pull(conv, Seq(0), 9).await.unwrap();
    let before = async |before, since, limit| -> Vec<u64> {
        let found = messages::before(store, conv, Seq(before), Seq(since), limit).await;
        let found = found.unwrap();
        for entry in &found {
            assert!(all.contains(entry));
        }
        found.iter().map(|entry| entry.seq.0).collect()
    };
    assert_eq!(before(u64::MAX, 0, 2).await, [3, 4]);
    assert_eq!(before(3, 0, 9).await, [1, 2]);
    assert_eq!(before(4, 1, 9).await, [2, 3]);
    assert!(before(1, 0, 9).await.is_empty());
    assert!(before(9, 4, 9).await.is_empty());
    let inbox = ConvId::inbox(bob);
    let places = [
        (conv, Seq(3)),
        (inbox, Seq(1)),
        (conv, Seq(99)),
        (conv, Seq(1)),
    ];
    let found = messages::at(store, &places).await.unwrap();
    let found: Vec<(ConvId, Seq)> = found.iter().map(|entry| (entry.conv, entry.seq)).collect();
    assert_eq!(found, [(conv, Seq(3)), (inbox, Seq(1)), (conv, Seq(1))]);
    assert!(messages::at(store, &[]).await.unwrap().is_empty());
    let many: Vec<(ConvId, Seq)> = (0..600).map(|nth| (conv, Seq(nth % 5))).collect();
    assert_eq!(messages::at(store, &many).await.unwrap().len(), 480);
    let id = origin(ann, "m2").client_id;
    let sent = messages::sent(store, ann, &id).await.unwrap();
    assert_eq!(sent.as_ref(), Some(&all[1]));
    assert_eq!(messages::sent(store, bob, &id).await.unwrap(), None);
    let other = origin(ann, "M2").client_id;
    let names = [(ann, id.clone()), (ann, other), (bob, id.clone())];
    let places = messages::places(store, &names).await.unwrap();
    assert_eq!(places, HashMap::from([((ann, id), conv)]));
    assert!(messages::places(store, &[]).await.unwrap().is_empty());
}

pub async fn concurrent_updates_are_contiguous(store: &dyn Store) {
    const ROUNDS: u32 = 8;
    let crew = crew(store).await;
    let (group, conv) = (crew.group, crew.conv);
    done(store, say(crew.member, conv, "m")).await;
    let act = async |nth: u32| {
        let id = format!("c{nth}");
        for change in [
            say(crew.admin, conv, &id),
            react(crew.owner, conv, 5, (&id, true), &format!("r{nth}")),
            edit(crew.member, conv, 5, &id, &id),
            name_member(crew.owner, group, crew.member, &id, &id),
            join(crew.outsider, group, &id),
            leave(crew.outsider, group, &id),
        ] {
            // Who comes late may be refused; nobody may fail.
            commit(store, change).await;
        }
    };
    join_all((0..ROUNDS).map(act)).await;
    let member = crate::store::group::member(store, group, crew.owner).await;
    assert!(member.unwrap().is_some());
    assert!(contiguous(store, conv).await > u64::from(3 * ROUNDS));
    let state = states(store, conv).await.remove(0);
    assert!(state.reactions.len() <= 3);
}
