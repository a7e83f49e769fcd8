//! Incoming webhooks: whose they are, and who writes through them.

use super::setup::{
    MANY, NOW, ann_and_bob, befriend, commit, done, group, join, leave, origin, refused, user,
};
use crate::api::Refusal;
use crate::id::{ConvId, DeviceId, HookId, Millis, SessionId, UserId};
use crate::store::bot::{BotChange, NewToken};
use crate::store::incoming_hook::{
    self, INCOMING_HOOKS_MAX, IncomingHook, IncomingHookChange, SecretHash,
};
use crate::store::{Change, Guard, Outcome, Store};

fn hook(hook: HookId, author: UserId, creator: UserId, conv: ConvId) -> IncomingHook {
    let later = i64::try_from(hook.0).unwrap();
    IncomingHook {
        hook,
        author,
        creator,
        conv,
        name: format!("webhook {hook}"),
        created: Millis(NOW.0 + later),
        used: Millis(0),
    }
}

fn kept(secret: &str) -> SecretHash {
    SecretHash(format!("{secret:0>64}"))
}

pub(super) fn new_hook(id: HookId, author: UserId, creator: UserId, conv: ConvId) -> Change {
    Change::IncomingHook(IncomingHookChange::Create {
        hook: hook(id, author, creator, conv),
        secret: kept("1"),
        guard: Guard::Contact,
    })
}

async fn of_creator(store: &dyn Store, creator: UserId) -> Vec<u64> {
    let hooks = incoming_hook::of_creator(store, creator).await.unwrap();
    hooks.iter().map(|one| one.hook.0).collect()
}

pub async fn a_webhook_is_its_creators(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    befriend(store, ann, bob).await;
    let conv = ConvId::direct(ann, bob);
    let (first, second) = (HookId(7), HookId(5));
    let change = new_hook(first, ann, ann, conv);
    done(store, change.clone()).await;
    done(store, change).await;
    done(store, new_hook(second, ann, ann, conv)).await;
    assert_eq!(of_creator(store, ann).await, [5, 7]);
    assert!(of_creator(store, bob).await.is_empty());
    let found = incoming_hook::get(store, first).await.unwrap().unwrap();
    assert_eq!(found.0, hook(first, ann, ann, conv));
    assert!(found.1 == kept("1"));
    let rotate = |creator| {
        Change::IncomingHook(IncomingHookChange::Rotate {
            creator,
            hook: first,
            secret: kept("2"),
        })
    };
    let remove = |creator| {
        let hook = first;
        Change::IncomingHook(IncomingHookChange::Remove { creator, hook })
    };
    refused(store, rotate(bob), Refusal::NoSuchWebhook).await;
    refused(store, remove(bob), Refusal::NoSuchWebhook).await;
    done(store, rotate(ann)).await;
    done(store, rotate(ann)).await;
    let used = |at| {
        let (hook, at) = (first, Millis(at));
        Change::IncomingHook(IncomingHookChange::Used { hook, at })
    };
    done(store, used(NOW.0 + 9)).await;
    done(store, used(NOW.0)).await;
    let (found, secret) = incoming_hook::get(store, first).await.unwrap().unwrap();
    assert_eq!(found.used, Millis(NOW.0 + 9));
    assert!(secret == kept("2"));
    done(store, remove(ann)).await;
    refused(store, remove(ann), Refusal::NoSuchWebhook).await;
    refused(store, rotate(ann), Refusal::NoSuchWebhook).await;
    done(store, used(NOW.0 + 10)).await;
    assert!(incoming_hook::get(store, first).await.unwrap().is_none());
    assert_eq!(of_creator(store, ann).await, [5]);
}

pub async fn a_webhook_needs_an_author_who_may_write(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let eve = user(store, "eve").await;
    let cars = group(store, ann, "cars").await;
    let (direct, cars_conv) = (ConvId::direct(ann, bob), ConvId::group(cars));
    let id = HookId(7);
    refused(store, new_hook(id, ann, ann, direct), Refusal::NotFriends).await;
    let not_in = new_hook(id, eve, eve, cars_conv);
    refused(store, not_in.clone(), Refusal::NotAMember).await;
    done(store, join(eve, cars, "j")).await;
    done(store, not_in).await;
    done(store, leave(eve, cars, "l")).await;
    // The webhook is there; whether its author may write is asked when something comes.
    assert_eq!(of_creator(store, eve).await, [7]);
    let other = HookId(8);
    refused(
        store,
        new_hook(other, bob, ann, cars_conv),
        Refusal::NoSuchBot,
    )
    .await;
    let made = commit(
        store,
        Change::Bot(BotChange::Create {
            origin: origin(ann, "bot"),
            username: "clock".to_owned(),
            nickname: "clock".to_owned(),
            token: NewToken {
                session: SessionId(500),
                device: DeviceId(1_000),
                name: "default".to_owned(),
                at: NOW,
                expires: Millis::NEVER,
            },
            bots_max: 1,
            contacts_max: MANY,
        }),
    );
    let Outcome::Done { id: Some(bot), .. } = made.await else {
        panic!("the bot was not made");
    };
    let clock = UserId(bot);
    refused(
        store,
        new_hook(other, clock, ann, cars_conv),
        Refusal::NotAMember,
    )
    .await;
    done(store, join(clock, cars, "k")).await;
    refused(
        store,
        new_hook(other, clock, eve, cars_conv),
        Refusal::NoSuchBot,
    )
    .await;
    done(store, new_hook(other, clock, ann, cars_conv)).await;
    assert_eq!(of_creator(store, ann).await, [8]);
}

pub async fn a_user_has_so_many_webhooks(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let (own, bobs) = (ConvId::direct(ann, ann), ConvId::direct(bob, bob));
    let free = |id, user, conv| {
        Change::IncomingHook(IncomingHookChange::Create {
            hook: hook(HookId(id), user, user, conv),
            secret: kept("1"),
            guard: Guard::Exists,
        })
    };
    for id in 1..=u64::from(INCOMING_HOOKS_MAX) {
        assert_eq!(commit(store, free(id, ann, own)).await, Outcome::done());
    }
    refused(store, free(1_000, ann, own), Refusal::TooMany).await;
    done(store, free(1_000, bob, bobs)).await;
}
