//! What becomes of an entry that cannot be shown.

use common::api::{Body, Dialect};
use common::config::ChatConfig;
use common::store::outgoing_hook;
use common::store::{Append, Guard};

use super::*;
use crate::testing::{FaultyStore, TestServer, named};

struct Scene {
    server: TestServer,
    store: Arc<FaultyStore>,
    conv: ConvId,
    walk: Walk,
    stop: CancellationToken,
}

/// Bob wrote something that nobody can read, and Ann has a webhook.
async fn scene() -> Scene {
    let (server, store) = TestServer::faulty(ChatConfig::default()).await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let app = &server.app;
    let conv = ConvId::direct(ann.user, bob.user);
    let found = server.hook(ann.user, "http://127.0.0.1:9/").await;
    let number = found.hook.hook;
    let unreadable = Append {
        conv,
        origin: app.origin(&bob, named("m")),
        body: Body::Message {
            dialect: Dialect::Segments,
            content: Bytes::from_static(b"no JSON"),
        },
        guard: Guard::Exists,
        files: Vec::new(),
    };
    server.save(Change::Append(unreadable)).await;
    let (line, stop) = (app.webhooks.line(number), CancellationToken::new());
    let begun = Walk::begin(app, found, line, stop.clone()).await;
    Scene {
        walk: begun.unwrap(),
        server,
        store,
        conv,
        stop,
    }
}

impl Scene {
    async fn deliver(&mut self) -> Then {
        self.walk.collect(None);
        let held = self.walk.walker.next().await.unwrap().unwrap();
        self.walk.deliver(&held).await
    }

    async fn letters(&self) -> Vec<(ConvId, Seq, String)> {
        let hook = self.walk.hook.hook;
        let letters = outgoing_hook::dead_letters(&*self.server.app.store, hook).await;
        let letters = letters.unwrap().into_iter();
        letters.map(|one| (one.conv, one.seq, one.reason)).collect()
    }

    async fn cursor(&self) -> Seq {
        let (user, device) = (self.walk.hook.user, self.walk.hook.device);
        let cursor = self.server.app.store.cursor(user, device, self.conv).await;
        cursor.unwrap().unwrap()
    }
}

#[tokio::test]
async fn what_cannot_be_shown_is_a_dead_letter() {
    let mut scene = scene().await;
    assert!(matches!(scene.deliver().await, Then::Next));
    let letters = scene.letters().await;
    assert_eq!(letters, [(scene.conv, Seq(1), NOT_SHOWN.to_owned())]);
    assert_eq!(scene.cursor().await, Seq(1));
}

#[tokio::test]
async fn what_cannot_be_shown_while_the_hook_stops_comes_again() {
    let mut scene = scene().await;
    // What became of the message is asked for before it is read.
    let away = StoreError::Unreachable("away".to_owned());
    scene.store.fail_reads("FROM t_message_state", away);
    scene.stop.cancel();
    assert!(matches!(scene.deliver().await, Then::End));
    assert_eq!(scene.letters().await, []);
    assert_eq!(scene.cursor().await, Seq(0));
}

#[tokio::test]
async fn a_dead_letter_that_is_not_saved_is_not_passed() {
    let mut scene = scene().await;
    scene
        .store
        .fail_commits(StoreError::Broken("broken".to_owned()));
    assert!(matches!(scene.deliver().await, Then::Fail));
    assert_eq!(scene.cursor().await, Seq(0));
}
