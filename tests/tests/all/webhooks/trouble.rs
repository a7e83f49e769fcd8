//! Targets that do not take what is posted, and targets that are none.

use std::net::SocketAddr;
use std::time::Instant;

use myim_tests::hook_target::{HookTarget, Posted, Reply};
use myim_tests::http::get;
use myim_tests::process::PROCESS_PATIENCE;
use myim_tests::server::{Db, Server};
use serde_json::json;

use super::{HOOKS, Hook, Scene, setup};

/// Refuses what says "bad".
fn picky() -> HookTarget {
    HookTarget::answering(|posted| match posted.said().starts_with("bad") {
        true => Reply::Status(422),
        false => Reply::Status(204),
    })
}

fn dead_letters_wait_to_be_posted_again(db: Db) {
    let scene = Scene::new(setup(db).chat_flag("--webhook-attempts-max", "3"));
    let target = picky();
    let hook = Hook::of_all(&scene.ann, &target);
    let bad: Vec<_> = ["bad 1", "good 1", "bad 2", "good 2"]
        .map(|words| (words, scene.say(words)))
        .into_iter()
        .filter(|(words, _)| words.starts_with("bad"))
        .map(|(_, seq)| seq)
        .collect();
    let posted = target.until_said("good 2");
    let said: Vec<_> = posted.iter().map(Posted::said).collect();
    let thrice = |words| [words; 3];
    let wanted = [
        &thrice("bad 1")[..],
        &["good 1"],
        &thrice("bad 2"),
        &["good 2"],
    ]
    .concat();
    assert_eq!(said, wanted);
    let letters = hook.until_letters(2);
    for (letter, seq) in letters.iter().zip(&bad) {
        assert_eq!(letter["conversation"], *scene.direct);
        assert_eq!(letter["seq"], *seq);
        assert_eq!(letter["attempts"], 3);
        let reason = letter["reason"].as_str().unwrap();
        assert!(reason.contains("422"), "{reason}");
    }
    assert_eq!(hook.listed()["state"], "ok");
    let counts = [
        "myim_webhook_posts_total{result=\"taken\"} 2",
        "myim_webhook_posts_total{result=\"failed\"} 6",
        "myim_webhook_dead_letters_total{what=\"kept\"} 2",
        "myim_webhook_dead_letters_total{what=\"dropped\"} 0",
        "myim_webhook_lag_seconds_count 2",
        "myim_webhooks_retrying 0",
    ];
    counted(scene.server.admin[0], &counts);
    // Once more, in vain.
    let retried = hook.does("dead_letters/retry", 200);
    assert_eq!(retried, json!({"delivered": 0, "failed": 2, "left": 0}));
    assert_eq!(hook.letters()[0]["attempts"], 4);
    // And with success, in order, under the same names.
    target.take_everything();
    let before = target.posted().len();
    let retried = hook.does("dead_letters/retry", 200);
    assert_eq!(retried, json!({"delivered": 2, "failed": 0, "left": 0}));
    let posted = target.posted();
    let ids: Vec<_> = posted[before..].iter().map(Posted::id).collect();
    let wanted: Vec<_> = bad
        .iter()
        .map(|seq| hook.delivery_id(&scene.direct, *seq))
        .collect();
    assert_eq!(ids, wanted);
    assert!(hook.letters().is_empty());
}

#[test]
fn dead_letters_wait_on_sqlite() {
    dead_letters_wait_to_be_posted_again(Db::Sqlite);
}

#[test]
fn dead_letters_wait_on_mariadb() {
    dead_letters_wait_to_be_posted_again(Db::MariaDb);
}

#[test]
fn dead_letters_outlive_the_server_and_can_be_forgotten() {
    let mut scene = Scene::new(setup(Db::Sqlite).chat_flag("--webhook-attempts-max", "1"));
    let target = picky();
    let hook = Hook::of_all(&scene.ann, &target);
    scene.say("bad");
    hook.until_letters(1);
    scene.server.crash();
    scene.say("good");
    let posted = target.until_said("good");
    assert_eq!(posted.len(), 2, "the cursor went with the letter");
    assert_eq!(hook.letters().len(), 1);
    let path = hook.path("/dead_letters");
    scene.ann.delete(&path).ok(204);
    assert!(hook.letters().is_empty());
}

#[test]
fn a_redirect_is_not_followed() {
    let scene = Scene::new(setup(Db::Sqlite).chat_flag("--webhook-attempts-max", "1"));
    let target = HookTarget::answering(|_| Reply::With(302, "location: /elsewhere\r\n", 0));
    let hook = Hook::of_all(&scene.ann, &target);
    scene.say("hello");
    let letters = hook.until_letters(1);
    let reason = letters[0]["reason"].as_str().unwrap();
    assert!(
        reason.contains("302") && reason.contains("redirect"),
        "{reason}"
    );
    let posted = target.posted();
    assert!(posted.iter().all(|one| one.path == "/hook"), "{posted:?}");
}

#[test]
fn a_long_answer_is_not_read() {
    let scene = Scene::new(setup(Db::Sqlite).chat_flag("--webhook-attempts-max", "1"));
    let target = HookTarget::answering(|posted| match posted.said().as_str() {
        "long" => Reply::With(200, "", 1024 * 1024),
        _ => Reply::With(200, "", 60 * 1024),
    });
    let hook = Hook::of_all(&scene.ann, &target);
    scene.say("long");
    scene.say("short");
    target.until_said("short");
    let letters = hook.until_letters(1);
    let reason = letters[0]["reason"].as_str().unwrap();
    assert!(reason.contains("longer than"), "{reason}");
}

#[test]
fn the_own_network_is_no_target() {
    let server = Server::sqlite();
    let ann = server.newcomer("ann");
    let target = HookTarget::new();
    let port = target.address.port();
    for url in [
        target.url(),
        format!("http://localhost:{port}/"),
        format!("http://[::1]:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("http://2130706433:{port}/"),
        format!("http://0x7f.1:{port}/"),
        "http://10.0.0.1/".to_owned(),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://ann:secret@93.184.216.34/".to_owned(),
        "ftp://93.184.216.34/".to_owned(),
        "nothing".to_owned(),
    ] {
        let refused = ann.post(HOOKS, &json!({"url": url}));
        refused.refused(422, "webhook_target_refused");
    }
    assert!(target.posted().is_empty());
    assert!(ann.list(HOOKS, 100).is_empty());
}

#[test]
fn a_network_that_is_not_allowed_any_more_gets_nothing() {
    let mut scene = Scene::new(setup(Db::Sqlite).chat_flag("--webhook-attempts-max", "1"));
    let target = HookTarget::new();
    let hook = Hook::of_all(&scene.ann, &target);
    scene.server.stop();
    let flag = "--webhook-allowed-networks";
    scene
        .server
        .again_with(|setup| setup.without_chat_flag(flag).chat_flag(flag, "10.0.0.0/8"));
    scene.say("hello");
    let letters = hook.until_letters(1);
    let reason = letters[0]["reason"].as_str().unwrap();
    assert!(reason.contains("no public address"), "{reason}");
    assert!(target.posted().is_empty());
}

/// Waits until the metrics say all of this: a target has its post before the server has counted it.
fn counted(admin: SocketAddr, counts: &[&str]) {
    let deadline = Instant::now() + PROCESS_PATIENCE;
    loop {
        let metrics = get(admin, "/metrics").body;
        if counts.iter().all(|count| metrics.contains(count)) {
            return;
        }
        assert!(Instant::now() < deadline, "{counts:?}\n{metrics}");
    }
}
