//! What the owner of a webhook can do with it, and nobody else.

use myim_tests::hook_target::{HookTarget, Posted, Reply};
use myim_tests::server::Db;
use serde_json::json;

use super::{HOOKS, Hook, Scene, setup};

#[test]
fn a_pause_holds_everything_back() {
    let mut scene = Scene::new(setup(Db::Sqlite));
    let target = HookTarget::new();
    let hook = Hook::of_all(&scene.ann, &target);
    scene.say("one");
    target.until_said("one");
    hook.does("pause", 204);
    hook.does("pause", 204);
    assert_eq!(hook.listed()["state"], "paused");
    scene.say("two");
    // A pause outlives the server. An orderly end waits for what is under way.
    scene.server.stop();
    scene.server.again();
    scene.say("three");
    assert_eq!(target.posted().len(), 1, "nothing while it is paused");
    hook.does("resume", 204);
    let posted = target.until_said("three");
    let said: Vec<_> = posted.iter().map(Posted::said).collect();
    assert_eq!(said, ["one", "two", "three"]);
}

#[test]
fn a_target_that_is_gone_pauses_the_hook() {
    let scene = Scene::new(setup(Db::Sqlite));
    let target = HookTarget::answering(|_| Reply::Status(410));
    let hook = Hook::of_all(&scene.ann, &target);
    scene.say("one");
    hook.until("it is paused", |listed| listed["state"] == "paused");
    assert!(hook.letters().is_empty());
    target.take_everything();
    hook.does("resume", 204);
    let posted = target.until_count(2);
    assert_eq!(posted[0].id(), posted[1].id(), "it was not taken before");
}

#[test]
fn a_deleted_hook_posts_nothing_and_ends_what_it_does() {
    let scene = Scene::new(setup(Db::Sqlite));
    let target = HookTarget::answering(|_| Reply::Silence);
    let hook = Hook::of_all(&scene.ann, &target);
    let other = HookTarget::new();
    let witness = Hook::of_all(&scene.ann, &other);
    scene.say("one");
    target.until_said("one");
    scene.ann.delete(&hook.path("")).ok(204);
    scene
        .ann
        .delete(&hook.path(""))
        .refused(404, "no_such_webhook");
    let listed = scene.ann.list(HOOKS, 100);
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["id"], *witness.id);
    target.take_everything();
    scene.say("two");
    other.until_said("two");
    assert_eq!(target.posted().len(), 1);
}

#[test]
fn a_new_secret_signs_what_is_posted_from_then_on() {
    let scene = Scene::new(setup(Db::Sqlite));
    let target = HookTarget::answering(|_| Reply::With(500, "retry-after: 600\r\n", 0));
    let hook = Hook::of_all(&scene.ann, &target);
    scene.say("one");
    hook.until("it waits", |listed| listed["state"] == "retrying");
    target.take_everything();
    let rotated = hook.does("rotate_secret", 200);
    let secret = rotated["secret"].as_str().unwrap();
    assert_ne!(secret, hook.secret);
    // It does not wait for the ten minutes: whoever makes a new secret wants to see it work.
    let posted = target.until_count(2);
    assert!(posted[0].is_signed(&hook.secret));
    assert!(posted[1].is_signed(secret));
}

#[test]
fn a_test_tells_how_the_target_answers() {
    let scene = Scene::new(setup(Db::Sqlite).chat_flag("--webhook-timeout-ms", "500"));
    let target = HookTarget::answering(|_| Reply::Status(202));
    let hook = Hook::of_all(&scene.ann, &target);
    assert_eq!(hook.does("test", 200), json!({"status": 202}));
    let posted = target.posted();
    assert_eq!(posted[0].body(), json!({"event": "ping"}));
    assert!(posted[0].is_signed(&hook.secret));
    assert!(posted[0].id().starts_with(&hook.id));
    target.answer(|_| Reply::Status(500));
    assert_eq!(hook.does("test", 200)["status"], 500);
    target.answer(|_| Reply::Silence);
    let failed = hook.does("test", 200);
    assert_eq!(failed["status"], json!(null));
    let error = failed["error"].as_str().unwrap();
    assert!(error.contains("did not answer"), "{error}");
}

#[test]
fn administrators_see_how_many_are_at_work() {
    let scene = Scene::new(setup(Db::Sqlite));
    let target = HookTarget::new();
    let root = scene.server.administrator("root");
    let at_work = || {
        let stats = root.get("/admin/stats").ok(200);
        stats["online"]["connections"]["webhook"].as_u64().unwrap()
    };
    assert_eq!(at_work(), 0);
    let hook = Hook::of_all(&scene.ann, &target);
    hook.until("it is at work", |_| at_work() == 1);
}

#[test]
fn a_hook_is_its_owners_alone() {
    let scene = Scene::new(setup(Db::Sqlite));
    let target = HookTarget::new();
    let hook = Hook::of_all(&scene.ann, &target);
    let bob = &scene.bob;
    assert!(bob.list(HOOKS, 100).is_empty());
    for (method, rest) in [
        ("DELETE", ""),
        ("POST", "/pause"),
        ("POST", "/resume"),
        ("POST", "/rotate_secret"),
        ("POST", "/test"),
        ("GET", "/dead_letters"),
        ("DELETE", "/dead_letters"),
        ("POST", "/dead_letters/retry"),
    ] {
        let refused = bob.call(method, &hook.path(rest), None);
        refused.refused(404, "no_such_webhook");
    }
    assert!(target.posted().is_empty(), "nobody else may even test it");
    scene.say("one");
    let posted = target.until_said("one");
    assert!(posted[0].is_signed(&hook.secret));
    // Only what one may read can be posted.
    let eve = scene.server.newcomer("eve");
    let body = json!({"url": target.url(), "conversation": scene.direct});
    eve.post(HOOKS, &body).refused(404, "no_such_conversation");
    let group = bob.create_group_with_members("Choir", &[]);
    let body = json!({"url": target.url(), "conversation": bob.of_group(&group)});
    eve.post(HOOKS, &body).refused(403, "not_a_member");
}

#[test]
fn hooks_are_limited() {
    let scene = Scene::new(setup(Db::Sqlite).chat_flag("--webhooks-max", "21"));
    let target = HookTarget::new();
    for _ in 0..20 {
        Hook::of_all(&scene.ann, &target);
    }
    let body = json!({"url": target.url()});
    scene.ann.post(HOOKS, &body).refused(409, "limit_reached");
    Hook::of_all(&scene.bob, &target);
    scene.bob.post(HOOKS, &body).refused(409, "limit_reached");
    let long = json!({"url": target.url(), "name": "x".repeat(65)});
    scene.bob.post(HOOKS, &long).refused(422, "invalid_value");
    // Everybody's hooks hear the same message.
    scene.say("to all of them");
    target.until_count(21);
}

#[test]
fn nobody_is_on_line_because_of_a_hook() {
    let scene = Scene::new(setup(Db::Sqlite));
    let target = HookTarget::new();
    let _hook = Hook::of_all(&scene.ann, &target);
    scene.say("one");
    target.until_said("one");
    let asked = format!("/presence?users={}", scene.ann.user_id);
    let presence = scene.bob.get(&asked).ok(200);
    assert_eq!(presence["items"][0]["status"], "offline", "{presence}");
}
