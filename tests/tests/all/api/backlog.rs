//! A device that comes back after a month: fifty thousand messages in three hundred conversations.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use common::api::{Body, Dialect, Origin, SegmentedContent};
use common::clock::{Clock as _, SystemClock};
use common::id::{ClientId, ConvId, DeviceId, Millis, UserId};
use common::store::{Append, Change, Guard, OpenOptions, Outcome, Store, open};
use myim_tests::api_person::{ApiPerson, said, seq, text};
use myim_tests::server::{Db, Kind, Server, Setup};
use serde_json::json;

const CONVERSATIONS: u32 = 300;
const MESSAGES: u32 = 50_000;
/// How many of the newest entries of a conversation come unasked.
const RECENT_PAGE: u64 = 20;
/// How many are written in one transaction.
const BATCH: usize = 1_000;

/// The nth message of all, and in which of the conversations it stands.
fn nth(number: u32) -> (usize, String) {
    let conversation = usize::try_from(number % CONVERSATIONS).unwrap();
    (conversation, format!("message {number}"))
}

fn change(conv: ConvId, author: u32, number: u32) -> Change {
    let (_, words) = nth(number);
    let content =
        SegmentedContent::new(vec![common::api::KnownSegment::Text { text: words }.into()]);
    Change::Append(Append {
        conv,
        origin: Origin {
            user: UserId(author),
            device: DeviceId(1_000),
            client_id: ClientId::new(format!("backlog-{number}")).unwrap(),
            tag: 0,
            at: Millis(SystemClock.now().0),
        },
        body: Body::Message {
            dialect: Dialect::Segments,
            content: Bytes::from(serde_json::to_vec(&content).unwrap()),
        },
        guard: Guard::Exists,
        files: Vec::new(),
    })
}

async fn fill(store: Arc<dyn Store>, groups: &[ConvId], author: u32) {
    let numbers: Vec<u32> = (0..MESSAGES).collect();
    for batch in numbers.chunks(BATCH) {
        let changes: Vec<_> = batch
            .iter()
            .map(|number| change(groups[nth(*number).0], author, *number))
            .collect();
        let outcomes = store.commit(&changes).await.unwrap();
        assert!(
            outcomes
                .iter()
                .all(|one| !matches!(one, Outcome::Refused(_)))
        );
    }
    store.close().await;
}

/// A server on which Bob has not looked for a month.
fn month() -> (Server, ApiPerson, Vec<String>) {
    let setup = Setup::new(Kind::Whole, Db::Sqlite);
    let file = setup.directory().join("month.db");
    let url = format!("sqlite:{}", file.display());
    let mut server = setup.chat_flag("--database", &url).start();
    let (ann, bob) = server.acquainted();
    let groups: Vec<_> = (0..CONVERSATIONS)
        .map(|number| {
            ann.of_group(&ann.create_group_with_members(&format!("group {number}"), &[&bob]))
        })
        .collect();
    server.stop();
    let convs: Vec<_> = groups
        .iter()
        .map(|id| ConvId::from_decimal(id).unwrap())
        .collect();
    let author = ann.user_id.parse().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let store = open(&url.parse().unwrap(), &OpenOptions::default())
            .await
            .unwrap();
        fill(Arc::clone(&store), &convs, author).await;
        // The server finds the file free.
        store.close().await;
    });
    drop(runtime);
    server.again();
    (server, bob, groups)
}

#[test]
fn all_of_it_comes_in_order() {
    let (_server, bob, groups) = month();
    let began = Instant::now();
    let mut device = bob.connect_with(json!({"backlog": "all"}));
    let mut next: BTreeMap<String, u32> = groups.iter().cloned().zip(0..CONVERSATIONS).collect();
    let mut left = MESSAGES;
    while left > 0 {
        let event = device.event();
        if event["event"] != "message" || !event["message"]["notice"].is_null() {
            continue;
        }
        let number = next
            .get_mut(event["conversation"].as_str().unwrap())
            .unwrap();
        assert_eq!(
            said(&event["message"]),
            nth(*number).1,
            "in order, without a gap"
        );
        *number += CONVERSATIONS;
        left -= 1;
    }
    let took = began.elapsed();
    println!("{MESSAGES} messages in {CONVERSATIONS} conversations caught up in {took:?}");
}

#[test]
fn summaries_and_the_newest_page_come_at_once_and_the_rest_on_demand() {
    let (_server, bob, groups) = month();
    let began = Instant::now();
    let mut device = bob.connect_with(json!({"backlog": "recent"}));
    // First what each conversation looks like, the newest activity first.
    let mut summed_up = Vec::new();
    let mut next = device.event();
    while next["event"] == "conversation" {
        let (id, summary) = (text(&next["conversation"]), &next["summary"]);
        assert_eq!(summary["id"], *id, "{next}");
        let last = summary["last_seq"].as_u64().unwrap();
        assert_eq!(summary["last_message"]["seq"], last, "{next}");
        let after = next["skipped"]["after"].as_u64().unwrap();
        assert!(after < last - RECENT_PAGE, "{next}");
        assert_eq!(next["skipped"]["until"], last - RECENT_PAGE, "{next}");
        summed_up.push((text(&summary["active_at"]), id));
        next = device.event();
    }
    println!("{CONVERSATIONS} summaries after {:?}", began.elapsed());
    let times: Vec<_> = summed_up.iter().map(|(at, _)| at).rev().collect();
    assert!(times.is_sorted(), "{summed_up:?}");
    let ids: BTreeSet<_> = summed_up.iter().map(|(_, id)| id).collect();
    assert_eq!(ids.len(), summed_up.len());
    assert_eq!(ids, groups.iter().collect());
    device.keep(next);
    // The newest message of every conversation is there without asking.
    let newest: Vec<_> = (MESSAGES - CONVERSATIONS..MESSAGES)
        .map(|number| nth(number).1)
        .collect();
    let mut missing: BTreeSet<_> = newest.into_iter().collect();
    let mut count = 0;
    while !missing.is_empty() {
        let event = device.event();
        if event["event"] == "message" {
            count += 1;
            missing.remove(&said(&event["message"]));
        }
    }
    let took = began.elapsed();
    println!("the newest of {CONVERSATIONS} conversations after {took:?}");
    assert!(count < MESSAGES / 2, "not everything: {count}");
    // Paging backwards from there finds all of one conversation.
    let (conversation, id) = (7, &groups[7]);
    let path = format!("/conversations/{id}/messages");
    let mut before = bob.conversation(id)["last_seq"].as_u64().unwrap() + 1;
    let mut found = Vec::new();
    loop {
        let page = bob
            .get(&format!("{path}?before={before}&limit=100"))
            .ok(200);
        let items = page["items"].as_array().unwrap();
        let Some(first) = items.first() else {
            break;
        };
        before = seq(first);
        let texts: Vec<_> = items
            .iter()
            .map(said)
            .filter(|text| !text.is_empty())
            .collect();
        found.splice(0..0, texts);
    }
    let wanted: Vec<_> = (0..MESSAGES)
        .map(nth)
        .filter(|(at, _)| *at == conversation)
        .map(|(_, words)| words)
        .collect();
    assert_eq!(found, wanted);
    // The list has them all, with what is unread.
    let list = bob.conversations();
    let unread: u64 = list.iter().filter_map(|one| one["unread"].as_u64()).sum();
    assert_eq!(
        list.iter()
            .filter(|one| groups.contains(&text(&one["id"])))
            .count(),
        groups.len()
    );
    assert!(unread >= u64::from(MESSAGES), "{unread}");
}
