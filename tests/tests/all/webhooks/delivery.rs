//! What is posted, in which order, how often, and how it is signed.

use std::collections::BTreeMap;
use std::time::Duration;

use myim_tests::api_person::segments;
use myim_tests::hook_target::{HookTarget, Posted, Reply};
use myim_tests::server::Db;
use serde_json::json;

use super::{Hook, Scene, setup};

macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[test] fn $name() { super::$name(myim_tests::server::Db::Sqlite); })*
        }
        mod on_mariadb {
            $(#[test] fn $name() { super::$name(myim_tests::server::Db::MariaDb); })*
        }
    };
}

on_both!(
    events_come_in_order_signed_and_once,
    what_is_not_taken_comes_again_under_the_same_id,
    a_killed_server_loses_nothing,
);

/// The places that were posted of a conversation, in order.
fn places(posted: &[Posted], conversation: &str) -> Vec<u64> {
    let of_it = posted
        .iter()
        .filter(|one| one.body()["conversation"] == *conversation);
    of_it.map(Posted::seq).collect()
}

fn events_come_in_order_signed_and_once(db: Db) {
    let scene = Scene::new(setup(db));
    let (ann, bob, direct) = (&scene.ann, &scene.bob, &scene.direct);
    let old = scene.say("from before");
    let target = HookTarget::new();
    let hook = Hook::of_all(ann, &target);
    let mut listening = ann.connect_with(json!({"backlog": "recent"}));
    for number in 1..=30 {
        scene.say(&format!("message {number}"));
    }
    // Longer than one piece of anything that is hashed or written at a time.
    bob.say(direct, "long", &"a long one 你好 ".repeat(2_000));
    let edited = format!("/conversations/{direct}/messages/{}", old + 3);
    bob.patch(&edited, &json!({"segments": segments("edited")}))
        .ok(200);
    // What the account writes itself on another device comes too.
    ann.say(direct, "own", "an answer");
    scene.say("the last");
    let posted = target.until_said("the last");
    let seqs = places(&posted, direct);
    let wanted: Vec<_> = (old + 1..=old + 34).collect();
    assert_eq!(seqs, wanted, "in order, once, and nothing from before");
    let own: Vec<_> = posted
        .iter()
        .filter(|one| one.body()["message"]["sender"] == *ann.user_id)
        .map(Posted::said)
        .collect();
    assert_eq!(own, ["an answer"]);
    for one in posted.iter().filter(|one| one.said() != "an answer") {
        assert_eq!(one.id(), hook.delivery_id(direct, one.seq()));
        assert!(one.is_signed(&hook.secret), "{one:?}");
        assert_eq!(one.path, "/hook");
        assert_eq!(one.header("content-type"), "application/json");
        assert!(one.header("user-agent").starts_with("myim/"));
        // The same as the owner's other device hears, but for the message that was edited soon.
        let event =
            listening.find(|event| event["conversation"] == **direct && event["seq"] == one.seq());
        assert_eq!(event["event"], one.body()["event"]);
        if one.seq() != old + 3 {
            assert_eq!(event, one.body());
        }
    }
    let listed = hook.until("all is well", |listed| listed["state"] == "ok");
    assert_eq!(listed["dead_letters"], 0);
    assert_eq!(listed["secret"], json!(null));
}

fn what_is_not_taken_comes_again_under_the_same_id(db: Db) {
    let scene = Scene::new(setup(db));
    let mut count = 0;
    let target = HookTarget::answering(move |_| {
        count += 1;
        match count {
            1 => Reply::With(503, "retry-after: 1\r\n", 10),
            2 => Reply::Status(500),
            _ => Reply::Status(200),
        }
    });
    let hook = Hook::of_all(&scene.ann, &target);
    let first = scene.say("first");
    let second = scene.say("second");
    let listed = hook.until("it tries again", |listed| listed["state"] == "retrying");
    let retrying = &listed["retrying"];
    assert_eq!(retrying["attempts"], 1, "{listed}");
    let error = retrying["last_error"].as_str().unwrap();
    assert!(error.contains("503"), "{error}");
    let posted = target.until_said("second");
    let ids: Vec<_> = posted.iter().map(Posted::id).collect();
    let id = hook.delivery_id(&scene.direct, first);
    let next = hook.delivery_id(&scene.direct, second);
    assert_eq!(ids, [&id, &id, &id, &next]);
    assert!(posted.iter().all(|one| one.is_signed(&hook.secret)));
    let pause = posted[1].at - posted[0].at;
    assert!(pause >= Duration::from_secs(1), "it waits: {pause:?}");
    hook.until("all is well", |listed| listed["state"] == "ok");
    assert!(hook.letters().is_empty());
}

fn a_killed_server_loses_nothing(db: Db) {
    let mut scene = Scene::new(setup(db));
    // The fifth is on its way when the server dies.
    let target = HookTarget::answering(|posted| match posted.said().as_str() {
        "message 5" => Reply::Silence,
        _ => Reply::Status(204),
    });
    let hook = Hook::of_all(&scene.ann, &target);
    let first = scene.say("message 1");
    for number in 2..=12 {
        scene.say(&format!("message {number}"));
    }
    target.until_said("message 5");
    scene.server.kill();
    target.take_everything();
    scene.server.again();
    scene.server.logged("database open");
    let last = scene.say("after");
    let posted = target.until_said("after");
    let mut times: BTreeMap<&str, u32> = BTreeMap::new();
    for one in &posted {
        *times.entry(one.id()).or_default() += 1;
    }
    for seq in first..=last {
        let id = hook.delivery_id(&scene.direct, seq);
        assert!(times.contains_key(id.as_str()), "{seq} is missing");
    }
    // The one that was under way comes again, and at the most the one before it.
    assert_eq!(
        times[hook.delivery_id(&scene.direct, first + 4).as_str()],
        2
    );
    let twice: Vec<_> = times.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.len() <= 2, "{twice:?}");
    let mut seqs = places(&posted, &scene.direct);
    seqs.dedup();
    assert!(seqs.len() <= usize::try_from(last - first).unwrap() + 3);
}

#[test]
fn one_conversation_is_posted_until_it_is_lost() {
    let scene = Scene::new(setup(Db::Sqlite));
    let (ann, bob) = (&scene.ann, &scene.bob);
    let group = bob.create_group_with_members("Choir", &[ann]);
    let choir = bob.of_group(&group);
    let target = HookTarget::new();
    let _hook = Hook::of_one(ann, &target, &choir);
    scene.say("elsewhere");
    bob.say(&choir, "a", "in the choir");
    let posted = target.until_said("in the choir");
    assert_eq!(posted.len(), 1, "{posted:?}");
    // Ann leaves: what is written from now on is not hers.
    let leave = format!("/groups/{group}/members/{}", ann.user_id);
    ann.delete(&leave).ok(204);
    bob.say(&choir, "b", "without her");
    let put = format!("/groups/{group}/members/{}", ann.user_id);
    let added = bob.put(&put, &json!({}));
    assert!((200..300).contains(&added.status), "{added}");
    bob.say(&choir, "c", "together again");
    let posted = target.until_said("together again");
    let said: Vec<_> = posted.iter().map(Posted::said).collect();
    assert!(!said.contains(&"without her".to_owned()), "{said:?}");
    assert!(!said.contains(&"elsewhere".to_owned()), "{said:?}");
}

#[test]
fn a_large_group_is_posted_whole() {
    let setup = setup(Db::Sqlite)
        .chat_flag("--fanout-members-max", "1")
        .chat_flag("--heads-only-members-min", "2");
    let scene = Scene::new(setup);
    let group = scene.bob.create_group_with_members("Crowd", &[&scene.ann]);
    let crowd = scene.bob.of_group(&group);
    let target = HookTarget::new();
    let _hook = Hook::of_all(&scene.ann, &target);
    scene.bob.say(&crowd, "a", "first");
    scene.bob.say(&crowd, "b", "second");
    let posted = target.until_said("second");
    let said: Vec<_> = posted.iter().map(Posted::said).collect();
    assert_eq!(said, ["first", "second"]);
}

#[test]
fn what_was_taken_back_meanwhile_goes_nowhere() {
    let scene = Scene::new(setup(Db::Sqlite));
    let target = HookTarget::answering(|_| Reply::With(500, "retry-after: 2\r\n", 0));
    let hook = Hook::of_all(&scene.ann, &target);
    let seq = scene.say("a mistake");
    target.until_count(1);
    hook.until("it waits", |listed| listed["state"] == "retrying");
    let recall = format!("/conversations/{}/messages/{seq}/recall", scene.direct);
    let recalled = scene.bob.post(&recall, &json!({}));
    assert!((200..300).contains(&recalled.status), "{recalled}");
    target.take_everything();
    let posted = target.until_count(3);
    assert_eq!(posted[1].id(), posted[0].id());
    assert_eq!(posted[1].said(), "");
    assert!(posted[1].body()["message"]["recalled_at"].is_string());
    assert_eq!(posted[2].body()["event"], "message.updated");
}

#[test]
fn a_slow_target_holds_up_nobody() {
    let setup = setup(Db::Sqlite)
        .chat_flag("--webhook-timeout-ms", "1500")
        .chat_flag("--webhook-attempts-max", "1");
    let scene = Scene::new(setup);
    let slow = HookTarget::answering(|_| Reply::Silence);
    let quick = HookTarget::new();
    let of_slow = Hook::of_all(&scene.ann, &slow);
    let of_quick = Hook::of_all(&scene.ann, &quick);
    for number in 1..=5 {
        scene.say(&format!("message {number}"));
    }
    // The slow one takes 7.5 s for the five.
    quick.until_said("message 5");
    assert!(of_slow.letters().len() < 5, "the slow one is still busy");
    let letters = of_slow.until_letters(5);
    for letter in &letters {
        let reason = letter["reason"].as_str().unwrap();
        assert!(reason.contains("did not answer"), "{reason}");
    }
    assert_eq!(slow.posted().len(), 5);
    assert!(of_quick.letters().is_empty());
}
