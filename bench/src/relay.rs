//! Durable messages between pairs of friends: how many a second, and how long each takes.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use common::wire::command;
use hdrhistogram::Histogram;
use tokio::sync::Semaphore;

use crate::person::{Person, packet};
use crate::server::Server;
use crate::spread::{Spread, count_as_f64};
use crate::table::{Cell, Table};

const WARM_UP: Duration = Duration::from_secs(2);

/// What all pairs share.
struct Run {
    window: usize,
    began: Instant,
    is_over: AtomicBool,
}

/// One round.
struct Measured {
    delays: Histogram<u64>,
    processor_s: f64,
}

pub(crate) async fn run(
    server: &Server,
    (pairs, window): (usize, usize),
    seconds: u64,
    rounds: usize,
) -> anyhow::Result<Vec<Table>> {
    let mut measured = Vec::new();
    let mut synced = Vec::new();
    for round in 0..rounds {
        synced.push(count_as_f64(synced_appends(server.directory.path())?));
        measured.push(measure(server, round, (pairs, window), seconds).await?);
    }
    let spread = |of: &dyn Fn(&Measured) -> f64| Spread::new(measured.iter().map(of).collect());
    let ms = |quantile| spread(&|one| micros_as_ms(one.delays.value_at_quantile(quantile)));
    let mut table = Table::begin(
        "relays",
        &[
            ("pairs", "pairs"),
            ("window", "window"),
            ("delivered_per_s", "delivered/s"),
            ("p50_ms", "p50, ms"),
            ("p99_ms", "p99, ms"),
            ("server_cpu_s", &format!("server CPU, s of {seconds}")),
            ("synced_appends_per_s", "appends synced/s"),
        ],
    );
    let rate = spread(&|one| count_as_f64(one.delays.len() / seconds.max(1)));
    table.row([
        Cell::size(pairs),
        Cell::size(window),
        Cell::spread(&rate, 0),
        Cell::median(&ms(0.5), 2),
        Cell::median(&ms(0.99), 2),
        Cell::median(&spread(&|one| one.processor_s), 1),
        Cell::median(&Spread::new(synced), 0),
    ]);
    println!(
        "\nThe last column is this disk alone, measured just before: 4 KiB appended and synced,"
    );
    println!("one after the other.");
    Ok(vec![table])
}

async fn measure(
    server: &Server,
    round: usize,
    (pairs, window): (usize, usize),
    seconds: u64,
) -> anyhow::Result<Measured> {
    let mut friends = Vec::new();
    for number in 0..pairs {
        friends.push(make_pair(server, round * pairs + number).await?);
    }
    let run = Arc::new(Run {
        window,
        began: Instant::now(),
        is_over: AtomicBool::new(false),
    });
    let receivers: Vec<_> = friends
        .into_iter()
        .map(|pair| tokio::spawn(relay(Arc::clone(&run), pair)))
        .collect();
    tokio::time::sleep(WARM_UP).await;
    let processor_before = server.processor_s()?;
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let processor_s = server.processor_s()? - processor_before;
    run.is_over.store(true, Ordering::Relaxed);

    let mut delays = Histogram::<u64>::new(3)?;
    for receiver in receivers {
        delays.add(receiver.await??)?;
    }
    Ok(Measured {
        delays,
        processor_s,
    })
}

async fn make_pair(server: &Server, number: usize) -> anyhow::Result<(Person, Person, u32)> {
    let (ann, bob) = (format!("ann{number}"), format!("bob{number}"));
    let mut sender = Person::connect(server.chat).await?;
    let mut receiver = Person::connect(server.chat).await?;
    sender.register(&ann).await?;
    receiver.register(&bob).await?;
    let own = sender.log_in(&ann, 1).await?;
    let other = receiver.log_in(&bob, 1).await?;
    sender.befriend(own, &mut receiver, other).await?;
    Ok((sender, receiver, other))
}

/// Sends with at most `window` messages under way; returns the delays of those that were received
/// between the warm-up and the end.
async fn relay(run: Arc<Run>, pair: (Person, Person, u32)) -> anyhow::Result<Histogram<u64>> {
    let (mut sender, mut receiver, to) = pair;
    let places = Arc::new(Semaphore::new(run.window));
    let sending = tokio::spawn({
        let (run, places) = (Arc::clone(&run), Arc::clone(&places));
        async move {
            let trailing = Bytes::copy_from_slice(&to.to_be_bytes());
            while !run.is_over.load(Ordering::Relaxed) {
                places.acquire().await?.forget();
                let mut count = 1;
                while places.try_acquire().map(|place| place.forget()).is_ok() {
                    count += 1;
                }
                let message = |_| {
                    let sent = run.began.elapsed().as_micros();
                    let text = "x".repeat(60);
                    let json = format!(
                        r#"{{"msgType":1,"time":0,"clientType":1,"content":[{{"msgText":"{text}"}}],"sent":{sent}}}"#
                    );
                    packet(command::CHAT, json, trailing.clone())
                };
                let messages: Vec<_> = (0..count).map(message).collect();
                sender.send(&messages).await?;
            }
            anyhow::Ok(())
        }
    });
    let mut delays = Histogram::new(3)?;
    while !run.is_over.load(Ordering::Relaxed) {
        let Ok(message) =
            tokio::time::timeout(Duration::from_secs(5), receiver.expect(command::CHAT)).await
        else {
            continue;
        };
        let json: serde_json::Value = serde_json::from_slice(&message?.data)?;
        let now = u64::try_from(run.began.elapsed().as_micros())?;
        if run.began.elapsed() > WARM_UP {
            delays.record(
                now.saturating_sub(json["sent"].as_u64().unwrap_or(now))
                    .max(1),
            )?;
        }
        places.add_permits(1);
    }
    // Lets a sender that waits for a place see that it is over.
    places.add_permits(run.window);
    sending.await??;
    Ok(delays)
}

/// How many times a second this disk appends 4 KiB and says that it is safe.
pub(crate) fn synced_appends(directory: &Path) -> anyhow::Result<u64> {
    const LASTS: Duration = Duration::from_secs(1);
    let mut file = File::create(directory.join("synced"))?;
    let began = Instant::now();
    let mut count = 0;
    while began.elapsed() < LASTS {
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        count += 1;
    }
    Ok(count)
}

pub(crate) fn micros_as_ms(micros: u64) -> f64 {
    f64::from(u32::try_from(micros).unwrap_or(u32::MAX)) / 1000.0
}
