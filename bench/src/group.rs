//! A group of the API, made with all of its members.

use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde_json::json;

use crate::web::{WebPerson, text};

/// Members that join at a time.
const PARALLEL: usize = 16;

/// A group's number, and that of its conversation.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub id: String,
    pub conversation: String,
}

/// The first of these makes it, and the others join.
pub(crate) async fn make_group(people: &[&WebPerson]) -> anyhow::Result<Group> {
    let [owner, others @ ..] = people else {
        anyhow::bail!("a group of nobody");
    };
    let name = format!("group of {}", people.len());
    let made = owner.post("/api/v1/groups", &json!({"name": name})).await?;
    let id = text(&made["group"]["id"])?;
    let open = json!({"join": "open"});
    let path = format!("/api/v1/groups/{id}");
    owner.call(hyper::Method::PATCH, &path, Some(&open)).await?;
    let join = format!("{path}/join");
    stream::iter(others)
        .map(|person| {
            let join = &join;
            async move { person.post(join, &json!({})).await }
        })
        .buffer_unordered(PARALLEL)
        .try_collect::<Vec<_>>()
        .await?;
    let found = owner
        .post("/api/v1/conversations", &json!({"group_id": id}))
        .await?;
    Ok(Group {
        conversation: text(&found["conversation"]["id"])?,
        id,
    })
}
