//! A device that was away: 50,000 messages in 300 conversations, taken all or only the newest.

use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde_json::{Value, json};

use crate::server::Server;
use crate::table::{Cell, Table};
use crate::web::{Live, WebPerson};

/// How many friends write at a time while the backlog is made.
const WRITERS: usize = 32;

pub(crate) async fn run(
    server: &Server,
    messages: usize,
    conversations: usize,
) -> anyhow::Result<Vec<Table>> {
    let ann = WebPerson::new(server.chat, "away").await?;
    let each = messages / conversations.max(1);
    let made = Instant::now();
    stream::iter(0..conversations)
        .map(|number| write_to(server, &ann, number, each))
        .buffer_unordered(WRITERS)
        .try_collect::<Vec<()>>()
        .await?;
    let messages = each * conversations;
    println!(
        "{messages} messages in {conversations} conversations were written in {:.1} s\n",
        made.elapsed().as_secs_f64()
    );
    let mut table = Table::begin(
        "backlogs",
        &[
            ("backlog", "backlog"),
            ("events", "events"),
            ("first_ms", "first, ms"),
            ("all_ms", "all, ms"),
            ("events_per_s", "events/s"),
            ("received_bytes", "MiB"),
            ("list_of_300_ms", "list of 300, ms"),
        ],
    );
    for backlog in ["recent", "all"] {
        let listed = Instant::now();
        ann.call(hyper::Method::GET, "/api/v1/conversations?limit=300", None)
            .await?;
        let listed = listed.elapsed();
        let began = Instant::now();
        let mut live = ann.live(backlog).await?;
        let (mut events, mut first, mut last) = (0_u32, Duration::ZERO, Duration::ZERO);
        while let Some(event) = quiet(&mut live).await? {
            if event["event"].is_null() {
                continue;
            }
            events += 1;
            last = began.elapsed();
            if events == 1 {
                first = last;
            }
        }
        table.row([
            Cell::text(backlog),
            Cell::count(events.into()),
            Cell::figure(first.as_secs_f64() * 1e3, 1),
            Cell::figure(last.as_secs_f64() * 1e3, 1),
            Cell::figure(f64::from(events) / last.as_secs_f64().max(1e-6), 0),
            Cell::mib(live.socket.get_ref().received, 0),
            Cell::figure(listed.as_secs_f64() * 1e3, 1),
        ]);
    }
    Ok(vec![table])
}

/// The next frame, or `None` after a second in which nothing came.
async fn quiet(live: &mut Live) -> anyhow::Result<Option<Value>> {
    match tokio::time::timeout(Duration::from_secs(1), live.hear()).await {
        Ok(heard) => heard.map(Some),
        Err(_elapsed) => Ok(None),
    }
}

async fn write_to(
    server: &Server,
    ann: &WebPerson,
    number: usize,
    count: usize,
) -> anyhow::Result<()> {
    let friend = WebPerson::new(server.chat, &format!("friend{number}")).await?;
    friend.befriend(ann).await?;
    let mut live = friend.live("all").await?;
    for message in 0..count {
        live.say(&json!({
            "id": message + 2,
            "op": "message.send",
            "to": {"user": ann.user},
            "client_id": message.to_string(),
            "segments": [{"type": "text", "text": format!("message {message} of friend {number}")}],
        }))
        .await?;
    }
    let mut answered = 0;
    while answered < count {
        let answer = live.hear().await?;
        if !answer["error"].is_null() {
            anyhow::bail!("a send was refused: {answer}");
        }
        answered += usize::from(!answer["ok"].is_null());
    }
    Ok(())
}
