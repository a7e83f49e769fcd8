//! What becomes of a retry when the webhook is deleted meanwhile.

use bytes::Bytes;
use common::api::{Body, Dialect, KnownSegment, SegmentedContent};
use common::config::ChatConfig;
use common::id::{ConvId, Millis};
use common::store::{Append, Guard};
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::*;
use crate::testing::{TestServer, named};

#[tokio::test]
async fn who_deletes_a_webhook_does_not_wait_for_its_target() {
    let target = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", target.local_addr().unwrap());
    let mut config = ChatConfig::default();
    config.webhooks.webhook_allowed_networks = "127.0.0.1/32".parse().unwrap();
    config.webhooks.webhook_timeout_ms = 600_000;
    let server = TestServer::new(config).await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let app = &server.app;
    let found = server.hook(ann.user, &url).await;
    let hook = found.hook.hook;
    let conv = ConvId::direct(ann.user, bob.user);
    let text = "hi".to_owned();
    let content = SegmentedContent::new(vec![KnownSegment::Text { text }.into()]);
    let message = Append {
        conv,
        origin: app.origin(&bob, named("m")),
        body: Body::Message {
            dialect: Dialect::Segments,
            content: Bytes::from(serde_json::to_vec(&content).unwrap()),
        },
        guard: Guard::Exists,
        files: Vec::new(),
    };
    server.save(Change::Append(message)).await;
    let letter = DeadLetter {
        conv,
        seq: Seq(1),
        time: Millis(1),
        attempts: 8,
        reason: "it was away".to_owned(),
    };
    let bury = OutgoingHookChange::Bury {
        hook,
        letter,
        letters_max: 1,
    };
    server.save(Change::OutgoingHook(bury)).await;

    let closing = async {
        let silent = target.accept().await.unwrap();
        (app.webhooks.close(hook).await, silent)
    };
    let both = async { tokio::join!(retry(app, &found), closing) };
    let both = timeout(Duration::from_secs(30), both).await;
    let (retried, _closed) = both.expect("it waits for the target");
    assert!(
        matches!(retried, Err(Failure::Refused(Refusal::NoSuchWebhook))),
        "{retried:?}"
    );
    let letters = outgoing_hook::dead_letters(&*app.store, hook).await;
    assert_eq!(letters.unwrap().len(), 1);
}
