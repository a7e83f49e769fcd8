//! Outgoing webhooks as devices of their account, and their dead letters.

use super::setup::{
    LAPTOP, MANY, NOW, PHONE, ann_and_bob, behind, commit, cursor, done, group, has_no_cursor,
    join, leave, move_cursor, refused, register, say_freely,
};
use crate::api::Refusal;
use crate::id::{ConvId, DeviceId, HookId, Millis, NAMELESS_DEVICE_FIRST, Seq, UserId};
use crate::store::admin::AdminChange;
use crate::store::delivery;
use crate::store::outgoing_hook::{
    self, DeadLetter, Found, HookSecret, OutgoingHook, OutgoingHookChange,
};
use crate::store::{Change, Outcome, Store};

const HOOK: HookId = HookId(7_000_000_000);
const DEVICE: DeviceId = DeviceId(NAMELESS_DEVICE_FIRST + 5);

fn hook(user: UserId, conv: Option<ConvId>) -> OutgoingHook {
    OutgoingHook {
        hook: HOOK,
        user,
        creator: user,
        device: DEVICE,
        conv,
        name: "to the build server".to_owned(),
        url: "https://build.example/hook?a=b".to_owned(),
        secret: HookSecret("whsec_c2VjcmV0".to_owned()),
        created: NOW,
        paused: None,
    }
}

fn numbered(user: UserId, number: u64) -> OutgoingHook {
    OutgoingHook {
        hook: HookId(HOOK.0 + number),
        device: DeviceId(DEVICE.0 + number),
        created: Millis(NOW.0 + i64::try_from(number).unwrap()),
        ..hook(user, None)
    }
}

fn create_of(hook: OutgoingHook, of_creator_max: u32, total_max: u32) -> Change {
    Change::OutgoingHook(OutgoingHookChange::Create {
        hook,
        of_creator_max,
        total_max,
    })
}

fn create(hook: OutgoingHook) -> Change {
    create_of(hook, MANY, MANY)
}

fn letter(conv: ConvId, seq: u64) -> DeadLetter {
    DeadLetter {
        conv,
        seq: Seq(seq),
        time: Millis(NOW.0 + i64::try_from(seq).unwrap()),
        attempts: 8,
        reason: "the target answers 500".to_owned(),
    }
}

fn bury(letter: DeadLetter, letters_max: u32) -> Change {
    Change::OutgoingHook(OutgoingHookChange::Bury {
        hook: HOOK,
        letter,
        letters_max,
    })
}

async fn found(store: &dyn Store) -> Option<Found> {
    outgoing_hook::get(store, HOOK).await.unwrap()
}

async fn letters(store: &dyn Store) -> Vec<(ConvId, u64)> {
    let letters = outgoing_hook::dead_letters(store, HOOK).await.unwrap();
    letters.iter().map(|one| (one.conv, one.seq.0)).collect()
}

pub async fn what_a_hook_got_was_not_delivered(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let conv = ConvId::direct(ann, bob);
    for text in ["1", "2"] {
        done(store, say_freely(ann, conv, text)).await;
    }
    let wanted = [(bob, conv)];
    done(store, create(hook(bob, None))).await;
    assert_eq!(delivery::of(store, &wanted).await.unwrap(), []);
    done(store, say_freely(ann, conv, "3")).await;
    done(store, move_cursor(bob, DEVICE, conv, 3)).await;
    assert_eq!(delivery::of(store, &wanted).await.unwrap(), []);
    done(store, register(bob, PHONE)).await;
    done(store, move_cursor(bob, PHONE, conv, 1)).await;
    let furthest = delivery::of(store, &wanted).await.unwrap();
    assert_eq!(furthest, [(bob, conv, Seq(1))]);
}

pub async fn a_hook_begins_at_the_end_and_is_a_device(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let conv = ConvId::direct(ann, bob);
    let cars = group(store, ann, "cars").await;
    for text in ["1", "2"] {
        done(store, say_freely(ann, conv, text)).await;
    }
    done(store, create(hook(ann, None))).await;
    // It may be repeated.
    done(store, create(hook(ann, None))).await;
    assert_eq!(behind(store, ann, DEVICE).await, []);
    done(store, say_freely(bob, conv, "3")).await;
    done(store, join(bob, cars, "j")).await;
    let log = ConvId::group(cars);
    assert_eq!(
        behind(store, ann, DEVICE).await,
        [(conv, 2, 3), (log, 1, 2)]
    );
    done(store, move_cursor(ann, DEVICE, conv, 3)).await;
    assert_eq!(behind(store, ann, DEVICE).await, [(log, 1, 2)]);
    let kept = found(store).await.unwrap();
    assert_eq!(kept.hook, hook(ann, None));
    assert_eq!((kept.dead_letters, kept.is_disabled), (0, false));
    assert_eq!(outgoing_hook::all(store).await.unwrap(), [HOOK]);
    assert_eq!(outgoing_hook::of_user(store, ann).await.unwrap(), [HOOK]);
    assert!(outgoing_hook::of_user(store, bob).await.unwrap().is_empty());
}

pub async fn a_hook_stops_with_its_account_and_with_its_owner(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let clock = super::bots::bot(store, ann).await;
    done(store, create(hook(clock, None))).await;
    done(store, create(numbered(ann, 1))).await;
    done(store, create(numbered(bob, 2))).await;
    let numbers = [HOOK, HookId(HOOK.0 + 1), HookId(HOOK.0 + 2)];
    let stopped = || async {
        let mut stopped = Vec::new();
        for number in numbers {
            let found = outgoing_hook::get(store, number).await.unwrap().unwrap();
            stopped.push(found.is_disabled);
        }
        stopped
    };
    let found = found(store).await.unwrap();
    assert_eq!((found.hook.creator, found.answerable), (clock, ann));
    assert_eq!(stopped().await, [false, false, false]);
    let of_ann = outgoing_hook::of_user(store, ann).await.unwrap();
    assert_eq!(of_ann, numbers[..2]);
    let disable = |user| Change::Admin(AdminChange::Disable { user, at: NOW });
    done(store, disable(ann)).await;
    assert_eq!(stopped().await, [true, true, false]);
    done(store, Change::Admin(AdminChange::Enable { user: ann })).await;
    done(store, disable(clock)).await;
    assert_eq!(stopped().await, [true, false, false]);
}

pub async fn hooks_are_refused_where_they_must(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let conv = ConvId::direct(ann, bob);
    let nobody = hook(UserId(99), None);
    refused(store, create(nobody), Refusal::NoSuchUser).await;
    let of_one = create(hook(ann, Some(conv)));
    refused(store, of_one.clone(), Refusal::NoSuchConversation).await;
    done(store, say_freely(ann, conv, "1")).await;
    done(store, of_one).await;
    assert_eq!(cursor(store, ann, DEVICE, conv).await, 1);
    assert_eq!(found(store).await.unwrap().hook.conv, Some(conv));
}

pub async fn hooks_are_limited(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    done(store, create_of(numbered(ann, 1), 2, 3)).await;
    done(store, create_of(numbered(ann, 2), 2, 3)).await;
    refused(store, create_of(numbered(ann, 3), 2, 3), Refusal::TooMany).await;
    done(store, create_of(numbered(bob, 4), 2, 3)).await;
    refused(store, create_of(numbered(bob, 5), 2, 3), Refusal::TooMany).await;
    let of_ann = outgoing_hook::of_creator(store, ann).await.unwrap();
    let numbers: Vec<_> = of_ann.iter().map(|found| found.hook.hook.0).collect();
    assert_eq!(numbers, [HOOK.0 + 1, HOOK.0 + 2]);
}

pub async fn who_made_a_hook_changes_it(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    done(store, create(hook(ann, None))).await;
    let pause = |creator, since| {
        Change::OutgoingHook(OutgoingHookChange::SetPaused {
            creator,
            hook: HOOK,
            since,
        })
    };
    let secret = |creator| {
        Change::OutgoingHook(OutgoingHookChange::SetSecret {
            creator,
            hook: HOOK,
            secret: HookSecret("whsec_bmV3".to_owned()),
        })
    };
    let clear = |creator| {
        Change::OutgoingHook(OutgoingHookChange::Clear {
            creator,
            hook: HOOK,
        })
    };
    for change in [pause(bob, Some(NOW)), secret(bob), clear(bob)] {
        refused(store, change, Refusal::NoSuchWebhook).await;
    }
    assert_eq!(found(store).await.unwrap().hook, hook(ann, None));
    done(store, pause(ann, Some(NOW))).await;
    done(store, secret(ann)).await;
    let changed = found(store).await.unwrap().hook;
    assert_eq!(changed.paused, Some(NOW));
    assert_eq!(changed.secret.0, "whsec_bmV3");
    assert!(!format!("{changed:?}").contains("bmV3"));
    done(store, pause(ann, None)).await;
    assert_eq!(found(store).await.unwrap().hook.paused, None);
}

pub async fn a_deleted_hook_leaves_nothing(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let conv = ConvId::direct(ann, bob);
    done(store, say_freely(bob, conv, "1")).await;
    done(store, create(hook(ann, None))).await;
    done(store, register(ann, PHONE)).await;
    done(store, move_cursor(ann, PHONE, conv, 1)).await;
    done(store, bury(letter(conv, 1), MANY)).await;
    let delete = |creator| {
        Change::OutgoingHook(OutgoingHookChange::Delete {
            creator,
            hook: HOOK,
        })
    };
    refused(store, delete(bob), Refusal::NoSuchWebhook).await;
    done(store, delete(ann)).await;
    refused(store, delete(ann), Refusal::NoSuchWebhook).await;
    assert_eq!(found(store).await, None);
    assert_eq!(letters(store).await, []);
    for table in ["t_device", "t_cursor"] {
        let sql = format!("SELECT f_device FROM {table} WHERE f_user_id = ?");
        let rows = store.select(&sql, vec![ann.into()]).await.unwrap();
        let devices: Vec<_> = rows.iter().map(|row| row.device(0).unwrap()).collect();
        assert_eq!(devices, [PHONE], "{table}");
    }
    // What comes too late changes nothing.
    done(store, bury(letter(conv, 1), MANY)).await;
    assert_eq!(letters(store).await, []);
}

pub async fn a_dead_letter_comes_with_the_cursor(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let conv = ConvId::direct(ann, bob);
    done(store, create(hook(ann, None))).await;
    for text in ["1", "2", "3"] {
        done(store, say_freely(bob, conv, text)).await;
    }
    done(store, bury(letter(conv, 2), MANY)).await;
    assert_eq!(cursor(store, ann, DEVICE, conv).await, 2);
    // Trying once more does not move the cursor back, nor beyond the head.
    done(store, bury(letter(conv, 1), MANY)).await;
    assert_eq!(cursor(store, ann, DEVICE, conv).await, 2);
    done(store, bury(letter(conv, 9), MANY)).await;
    assert_eq!(cursor(store, ann, DEVICE, conv).await, 3);
    let again = DeadLetter {
        attempts: 9,
        reason: "自".repeat(300),
        ..letter(conv, 2)
    };
    done(store, bury(again.clone(), MANY)).await;
    assert_eq!(letters(store).await, [(conv, 1), (conv, 2), (conv, 9)]);
    let kept = outgoing_hook::dead_letters(store, HOOK).await.unwrap();
    assert_eq!(kept[1], again);
    assert_eq!(found(store).await.unwrap().dead_letters, 3);
    let unbury = OutgoingHookChange::Unbury {
        hook: HOOK,
        conv,
        seq: Seq(2),
    };
    done(store, Change::OutgoingHook(unbury)).await;
    assert_eq!(letters(store).await, [(conv, 1), (conv, 9)]);
    let clear = OutgoingHookChange::Clear {
        creator: ann,
        hook: HOOK,
    };
    done(store, Change::OutgoingHook(clear)).await;
    assert_eq!(letters(store).await, []);
    // Of a group that the account left nothing moves.
    let cars = group(store, bob, "cars").await;
    done(store, join(ann, cars, "j")).await;
    done(store, leave(ann, cars, "l")).await;
    done(store, bury(letter(ConvId::group(cars), 2), MANY)).await;
    assert!(has_no_cursor(store, ann, DEVICE, ConvId::group(cars)).await);
}

pub async fn of_too_many_dead_letters_the_oldest_go(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let conv = ConvId::direct(ann, bob);
    done(store, create(hook(ann, None))).await;
    let dropped = |dropped| Outcome::Done {
        id: Some(dropped),
        entries: Vec::new(),
    };
    for (seq, gone) in [(1, 0), (2, 0), (3, 0), (4, 1)] {
        done(store, say_freely(bob, conv, &seq.to_string())).await;
        let outcome = commit(store, bury(letter(conv, seq), 3)).await;
        assert_eq!(outcome, dropped(gone), "{seq}");
    }
    assert_eq!(letters(store).await, [(conv, 2), (conv, 3), (conv, 4)]);
}

pub async fn what_was_posted_was_read_by_nobody(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let conv = ConvId::direct(ann, bob);
    done(store, create(hook(ann, None))).await;
    for text in ["1", "2", "3"] {
        done(store, say_freely(bob, conv, text)).await;
    }
    done(store, register(ann, LAPTOP)).await;
    done(store, move_cursor(ann, LAPTOP, conv, 1)).await;
    done(store, move_cursor(ann, DEVICE, conv, 3)).await;
    // A client that is new begins where people got, not where a program did.
    done(store, register(ann, PHONE)).await;
    assert_eq!(cursor(store, ann, PHONE, conv).await, 1);
}
