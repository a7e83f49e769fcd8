//! What the user does, one after the other: messages are accepted in the order they were written.

use client::{Client, Failed};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::network::Link;
use crate::chat::message::{Effect, News};

/// Follows orders until the program ends, then says good-bye to the server.
pub(super) async fn follow(
    client: Client,
    mut orders: mpsc::Receiver<Effect>,
    link: Link,
    over: CancellationToken,
) {
    loop {
        let order = tokio::select! {
            biased;
            // What was written before the end is accepted before the end.
            order = orders.recv() => order,
            () = over.cancelled() => None,
        };
        match order {
            Some(order) => one(&client, order, &link).await,
            None => break,
        }
    }
    client.close().await;
}

async fn one(client: &Client, order: Effect, link: &Link) {
    let done = match order {
        Effect::Send(outgoing) => {
            let client_id = outgoing.client_id.clone().unwrap_or_default();
            match client.send_with(*outgoing).await {
                Ok(_) => return,
                Err(error) => {
                    link.tell(failed(client_id, error.to_string())).await;
                    return;
                }
            }
        }
        Effect::LoadOutbox => match client.outbox().await {
            Ok(outbox) => {
                link.tell(News::Outbox(outbox)).await;
                return;
            }
            Err(error) => Err(error),
        },
        Effect::Retry(client_id) => client.retry(&client_id).await,
        Effect::Discard(client_id) => client.discard(&client_id).await,
        Effect::Typing(conversation) => client.typing(conversation).await,
        Effect::Read(conversation, seq) => client.read(conversation, seq).await,
        Effect::Open(conversation) => client.open(conversation).await,
        Effect::Close(conversation) => client.close_conversation(conversation).await,
        Effect::Wake => client.wake().await,
        _ => Ok(()),
    };
    if let Err(client::Error::Store(error)) = done {
        link.tell(News::Refused(error.to_string())).await;
    }
}

fn failed(client_id: String, reason: String) -> News {
    News::Failed(Failed {
        client_id,
        code: "closed".to_owned(),
        reason,
    })
}

/// There is no client that could take it, or it has too much to do.
pub(super) async fn refuse(link: &Link, order: Effect) {
    if let Effect::Send(outgoing) = order {
        let client_id = outgoing.client_id.unwrap_or_default();
        let reason = client::Error::Closed.to_string();
        link.tell(failed(client_id, reason)).await;
    }
}
