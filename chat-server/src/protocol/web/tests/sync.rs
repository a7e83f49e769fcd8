//! Calls that wait for something to happen.

use common::store::Change;
use common::store::meta::{EPOCH, MetaChange};
use serde_json::json;

use super::World;

#[tokio::test]
async fn a_call_whose_place_another_one_takes_is_answered() {
    let world = World::new().await;
    let ann = world.person("ann").await;
    let first = world.get(&ann, "/sync?wait=60");
    let others = async {
        loop {
            world.get(&ann, "/sync").await.ok(200);
        }
    };
    let answer = tokio::select! {
        answer = first => answer.ok(200),
        never = others => never,
    };
    assert_eq!(answer["events"], json!([]));
    let next = answer["next"].as_str().unwrap();
    world
        .get(&ann, &format!("/sync?since={next}"))
        .await
        .ok(200);
}

#[tokio::test]
async fn a_place_in_another_history_is_told() {
    let world = World::new().await;
    let (ann, bob) = (world.person("ann").await, world.person("bob").await);
    world.befriend(&bob, &ann).await;
    let first = world.get(&ann, "/sync").await.ok(200);
    assert!(first["resync"].is_null(), "{first}");
    let path = format!("/sync?wait=60&since={}", first["next"].as_str().unwrap());
    let restored = MetaChange::Set {
        key: EPOCH,
        value: "another".to_owned(),
    };
    world.app.log.commit(Change::Meta(restored)).await.unwrap();
    let again = world.get(&ann, &path).await.ok(200);
    assert_eq!(again["resync"], true);
    assert_eq!(again["events"], first["events"], "nothing was acknowledged");
    let path = format!("/sync?since={}", again["next"].as_str().unwrap());
    let after = world.get(&ann, &path).await.ok(200);
    assert!(after["resync"].is_null(), "{after}");
    assert_eq!(after["events"], json!([]));
    world.get(&bob, &path).await.refused(400, "bad_cursor");
}
