//! Plants everything that [`crate::store::verify`] looks for, and sees whether it is found.
//!
//! Not in the list of the contract, because it needs a way into the database beside the store.

use std::sync::Arc;

use super::setup::{PHONE, commit, done, group, join, move_cursor, say};
use super::update_setup::{chat, react, recall};
use crate::id::{ConvId, UserId};
use crate::store::Store;
use crate::store::verify::{Finding, Kind, Verification};

/// Everything that is found, and how many conversations and entries were looked at.
async fn look(store: &Arc<dyn Store>) -> (Vec<Finding>, u64, u64) {
    let mut looking = Verification::new(Arc::clone(store));
    let mut findings = Vec::new();
    while let Some(some) = looking.next().await.unwrap() {
        findings.extend(some);
    }
    (findings, looking.conversations, looking.entries)
}

/// What is done to a database, how it is undone, and what must be found in between.
struct Damage {
    plant: String,
    heal: String,
    kind: Kind,
    /// What the sentence must say.
    says: String,
}

fn damage(plant: String, heal: String, kind: Kind, says: impl Into<String>) -> Damage {
    Damage {
        plant,
        heal,
        kind,
        says: says.into(),
    }
}

fn of_logs(conv: ConvId, ann: UserId) -> Vec<Damage> {
    let entry = |what: &str, seq: u64| {
        format!("UPDATE t_chatmsg SET {what} WHERE f_conv = {conv} AND f_seq = {seq}")
    };
    let head =
        |head: u64| format!("UPDATE t_conversation SET f_head = {head} WHERE f_conv = {conv}");
    let named = |new: &str, old: &str| {
        format!(
            "UPDATE t_chatmsg SET f_client_id = '{new}' \
             WHERE f_senderid = {ann} AND f_client_id = '{old}' AND f_seq = 2"
        )
    };
    let moved = |new: ConvId, old: ConvId| {
        format!("UPDATE t_conversation SET f_conv = {new} WHERE f_conv = {old}")
    };
    vec![
        damage(
            entry("f_seq = 40", 2),
            entry("f_seq = 2", 40),
            Kind::Gap,
            format!("conversation {conv} has no entry 2"),
        ),
        // The first one counts like any other.
        damage(
            entry("f_conv = 5", 1),
            format!("UPDATE t_chatmsg SET f_conv = {conv} WHERE f_conv = 5"),
            Kind::Gap,
            format!("conversation {conv} has no entry 1"),
        ),
        damage(
            head(90),
            head(7),
            Kind::WrongHead,
            "last entry is 90, but it is 7",
        ),
        damage(
            head(3),
            head(7),
            Kind::WrongHead,
            "last entry is 3, but it is 7",
        ),
        damage(
            entry("f_time = f_time - 5", 3),
            entry("f_time = f_time + 5", 3),
            Kind::TimeRunsBack,
            format!("entry 3 of conversation {conv} is older"),
        ),
        damage(
            moved(ConvId(5), conv),
            moved(conv, ConvId(5)),
            Kind::EntryWithoutConversation,
            format!("entries of conversation {conv}"),
        ),
        damage(
            entry("f_seq = 2", 3),
            // Whichever of the two: nothing but its text tells them apart.
            format!("UPDATE t_chatmsg SET f_seq = 3 WHERE f_conv = {conv} AND f_client_id = 'm3'"),
            Kind::DoubleSeq,
            format!("conversation {conv} has two entries 2"),
        ),
        damage(
            named("m1", "m2"),
            named("m2", "m1"),
            Kind::DoubleClientId,
            format!("user {ann} used one client id for entry"),
        ),
    ]
}

fn of_rows(conv: ConvId, bob: UserId) -> Vec<Damage> {
    let of_bob = |table: &str, what: &str| {
        format!("UPDATE {table} SET {what} WHERE f_user_id = {bob} AND f_conv = {conv}")
    };
    let seq = |table: &str, new: u64, old: u64| {
        format!("UPDATE {table} SET f_seq = {new} WHERE f_conv = {conv} AND f_seq = {old}")
    };
    let nowhere = ConvId::direct(UserId(777), UserId(778));
    vec![
        damage(
            of_bob("t_cursor", "f_seq = 99"),
            of_bob("t_cursor", "f_seq = 3"),
            Kind::CursorBeyondHead,
            format!("user {bob} has entry 99 of conversation {conv}, which ends at 7"),
        ),
        damage(
            of_bob("t_place", "f_read = 99"),
            of_bob("t_place", "f_read = 0"),
            Kind::PlaceBeyondHead,
            format!("user {bob} has read entry 99"),
        ),
        damage(
            of_bob("t_place", "f_since = 99"),
            of_bob("t_place", "f_since = 0"),
            Kind::PlaceBeyondHead,
            "behind entry 99, but it ends at 7",
        ),
        damage(
            format!(
                "INSERT INTO t_place (f_user_id, f_conv, f_since) VALUES ({bob}, {nowhere}, 0)"
            ),
            format!("DELETE FROM t_place WHERE f_conv = {nowhere}"),
            Kind::PlaceWithoutConversation,
            format!("conversation {nowhere}, which is not there"),
        ),
        damage(
            seq("t_message_state", 77, 1),
            seq("t_message_state", 1, 77),
            Kind::StateWithoutEntry,
            format!("conversation {conv} has a state of entry 77"),
        ),
        damage(
            seq("t_reaction", 77, 4),
            seq("t_reaction", 4, 77),
            Kind::ReactionWithoutEntry,
            format!("conversation {conv} has a reaction of entry 77"),
        ),
    ]
}

/// `run` runs a statement in the store's database; after the statements `unlock` the database
/// takes what its keys forbid.
pub async fn damage_is_found(store: &Arc<dyn Store>, unlock: &[&str], run: impl AsyncFn(&str)) {
    let db = &**store;
    let (ann, bob, conv) = chat(db).await;
    done(db, recall(ann, conv, 1, "r")).await;
    done(db, react(bob, conv, 4, ("👍", true), "u")).await;
    done(db, say(ann, conv, "m5")).await;
    done(db, move_cursor(bob, PHONE, conv, 3)).await;
    let choir = group(db, ann, "choir").await;
    done(db, join(bob, choir, "j")).await;
    // Enough for several pieces.
    let many: Vec<_> = (0..2_500)
        .map(|number| say(ann, ConvId::group(choir), &format!("n{number}")))
        .collect();
    for some in many.chunks(500) {
        db.commit(some).await.unwrap();
    }
    let (findings, conversations, entries) = look(store).await;
    assert_eq!(findings, []);
    // Theirs, the group's, and an inbox each.
    assert_eq!((conversations, entries), (4, 7 + 2_502 + inboxes(db).await));

    for statement in unlock {
        run(statement).await;
    }
    assert_eq!(look(store).await.0, []);
    for damage in of_logs(conv, ann).into_iter().chain(of_rows(conv, bob)) {
        run(&damage.plant).await;
        let (found, ..) = look(store).await;
        let fits =
            |finding: &Finding| finding.kind == damage.kind && finding.text.contains(&damage.says);
        assert!(
            found.iter().any(fits),
            "{:?} is not found after {}: {found:?}",
            damage.kind,
            damage.plant
        );
        run(&damage.heal).await;
        assert_eq!(look(store).await.0, [], "healed by {}", damage.heal);
    }
    // What is written meanwhile is no damage.
    let mut looking = Verification::new(Arc::clone(store));
    let mut number = 0;
    while let Some(found) = looking.next().await.unwrap() {
        assert_eq!(found, []);
        number += 1;
        commit(db, say(bob, conv, &format!("meanwhile {number}"))).await;
        commit(db, say(ann, conv, &format!("and {number}"))).await;
    }
    doubles_at_a_seam_are_found(store, conv, ConvId::group(choir), run).await;
}

/// Every number twice: wherever two pieces meet, one of two rows more or less puts the seam between
/// two that are the same. Nothing is healed.
async fn doubles_at_a_seam_are_found(
    store: &Arc<dyn Store>,
    before: ConvId,
    long: ConvId,
    run: impl AsyncFn(&str),
) {
    run(&format!(
        "UPDATE t_chatmsg SET f_seq = f_seq - 1 WHERE f_conv = {long} AND f_seq % 2 = 0"
    ))
    .await;
    for row in ["f_seq = 5", "f_seq = 6"] {
        let (found, ..) = look(store).await;
        let doubles = found.iter().filter(|found| found.kind == Kind::DoubleSeq);
        assert_eq!(doubles.count(), 2_502 / 2, "before {row} is gone");
        run(&format!(
            "DELETE FROM t_chatmsg WHERE f_conv = {before} AND {row}"
        ))
        .await;
    }
}

/// How many entries the inboxes have.
async fn inboxes(store: &dyn Store) -> u64 {
    let mut entries = 0;
    for user in [1, 2] {
        let inbox = ConvId::inbox(UserId(user));
        let pulled = store.pull(inbox, crate::id::Seq(0), 100).await.unwrap();
        entries += u64::try_from(pulled.len()).unwrap();
    }
    entries
}
