//! Durable messages between pairs on WebSockets: sent, acknowledged, delivered.
//!
//! With a window, each sender has so many messages under way and sends the next when one is
//! acknowledged. With a rate, they send by turns and by the clock whatever comes back, and a delay
//! counts from the moment at which a message was due: a server that stalls cannot hide it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::bail;
use futures_util::{SinkExt, StreamExt};
use hdrhistogram::Histogram;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio_tungstenite::tungstenite::Message;

use crate::relay::{micros_as_ms, synced_appends};
use crate::server::Server;
use crate::spread::{Spread, count_as_f64};
use crate::table::{Cell, Table};
use crate::web::{Receiver, Sender, WebPerson, value};

const WARM_UP: Duration = Duration::from_secs(2);
/// A receiver acknowledges after so many messages, as a client that batches does.
const ACKNOWLEDGE_EVERY: u64 = 32;

/// Pairs that were made so far: each has accounts of its own.
static PAIRS: AtomicUsize = AtomicUsize::new(0);

/// How senders are paced.
#[derive(Clone, Copy)]
pub(crate) enum Pace {
    /// So many messages of a sender under way.
    Window(usize),
    /// So many messages a second of all senders together.
    Rate(u64),
}

struct Run {
    pace: Pace,
    pairs: usize,
    began: Instant,
    is_over: AtomicBool,
}

struct Pair {
    /// Among the others.
    number: usize,
    /// How many messages may be sent now.
    places: Arc<Semaphore>,
    to: String,
    sender: (Sender, Receiver),
    receiver: (Sender, Receiver),
}

#[derive(Default)]
struct Delays {
    acknowledged: Vec<u64>,
    delivered: Vec<u64>,
}

/// What was measured.
pub(crate) struct Measured {
    acknowledged: Histogram<u64>,
    delivered: Histogram<u64>,
    processor_s: f64,
}

impl Measured {
    /// Messages that were stored.
    pub(crate) fn stored(&self) -> u64 {
        self.acknowledged.len()
    }

    /// From when a message was due to its acknowledgment, in microseconds.
    pub(crate) fn acknowledged(&self) -> &Histogram<u64> {
        &self.acknowledged
    }
}

pub(crate) async fn run(
    server: &Server,
    (pairs, pace): (usize, Pace),
    seconds: u64,
    rounds: usize,
) -> anyhow::Result<Vec<Table>> {
    let seconds = seconds.max(1);
    let mut measured = Vec::new();
    let mut synced = Vec::new();
    for _ in 0..rounds {
        synced.push(count_as_f64(synced_appends(server.directory.path())?));
        measured.push(measure(server, pairs, pace, seconds).await?);
    }
    let spread = |of: &dyn Fn(&Measured) -> f64| Spread::new(measured.iter().map(of).collect());
    let columns = |of: fn(&Measured) -> &Histogram<u64>| {
        let at = |quantile| spread(&|one| micros_as_ms(of(one).value_at_quantile(quantile)));
        let rate = spread(&|one| count_as_f64(of(one).len() / seconds));
        let (p50, p99) = (Cell::median(&at(0.5), 2), Cell::median(&at(0.99), 2));
        [Cell::spread(&rate, 0), p50, p99]
    };
    let pace = match pace {
        Pace::Window(window) => format!("{window} under way"),
        Pace::Rate(rate) => format!("{rate}/s"),
    };
    let mut table = Table::begin(
        "relays",
        &[
            ("pairs", "pairs"),
            ("pace", "pace"),
            ("acknowledged_per_s", "acknowledged/s"),
            ("acknowledged_p50_ms", "p50, ms"),
            ("acknowledged_p99_ms", "p99, ms"),
            ("delivered_per_s", "delivered/s"),
            ("delivered_p50_ms", "p50, ms"),
            ("delivered_p99_ms", "p99, ms"),
            ("server_cpu_s", &format!("server CPU, s of {seconds}")),
            ("synced_appends_per_s", "appends synced/s"),
        ],
    );
    let mut cells = vec![Cell::size(pairs), Cell::text(pace)];
    cells.extend(columns(|one| &one.acknowledged));
    cells.extend(columns(|one| &one.delivered));
    cells.push(Cell::median(&spread(&|one| one.processor_s), 1));
    cells.push(Cell::median(&Spread::new(synced), 0));
    table.row(cells);
    Ok(vec![table])
}

/// Has pairs of new accounts write to each other.
pub(crate) async fn measure(
    server: &Server,
    pairs: usize,
    pace: Pace,
    seconds: u64,
) -> anyhow::Result<Measured> {
    let mut friends = Vec::new();
    for number in 0..pairs {
        friends.push(make_pair(server, number, pace).await?);
    }
    let places: Vec<_> = friends
        .iter()
        .map(|pair| Arc::clone(&pair.places))
        .collect();
    let run = Arc::new(Run {
        pace,
        pairs,
        began: Instant::now(),
        is_over: AtomicBool::new(false),
    });
    let relays: Vec<_> = friends
        .into_iter()
        .map(|pair| tokio::spawn(relay(Arc::clone(&run), pair)))
        .collect();
    let clock = std::thread::spawn({
        let run = Arc::clone(&run);
        move || run.let_send(&places)
    });
    tokio::time::sleep(WARM_UP).await;
    let processor_before = server.processor_s()?;
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let processor_s = server.processor_s()? - processor_before;
    run.is_over.store(true, Ordering::Relaxed);
    if clock.join().is_err() {
        bail!("the clock of the senders broke down");
    }
    let mut acknowledged = Histogram::<u64>::new(3)?;
    let mut delivered = Histogram::<u64>::new(3)?;
    for relay in relays {
        let delays = relay.await??;
        for micros in delays.acknowledged {
            acknowledged.record(micros.max(1))?;
        }
        for micros in delays.delivered {
            delivered.record(micros.max(1))?;
        }
    }
    Ok(Measured {
        acknowledged,
        delivered,
        processor_s,
    })
}

impl Run {
    /// When a message of a pair is due, of which so many went before.
    fn due(&self, pair: usize, sent: u64) -> anyhow::Result<Duration> {
        Ok(match self.pace {
            Pace::Window(_) => self.began.elapsed(),
            Pace::Rate(rate) => {
                let before = sent * u64::try_from(self.pairs)? + u64::try_from(pair)?;
                Duration::from_micros(before.saturating_mul(1_000_000) / rate.max(1))
            }
        })
    }

    /// With a rate, lets one pair after the other send when it is due: the runtime's timers are too
    /// coarse for that, a thread wakes up in time.
    fn let_send(&self, places: &[Arc<Semaphore>]) {
        if matches!(self.pace, Pace::Window(_)) {
            return;
        }
        for sent in 0.. {
            for (pair, places) in places.iter().enumerate() {
                let Ok(due) = self.due(pair, sent) else {
                    return;
                };
                std::thread::sleep(due.saturating_sub(self.began.elapsed()));
                if self.is_over.load(Ordering::Relaxed) {
                    return;
                }
                places.add_permits(1);
            }
        }
    }
}

async fn make_pair(server: &Server, number: usize, pace: Pace) -> anyhow::Result<Pair> {
    let who = PAIRS.fetch_add(1, Ordering::Relaxed);
    let ann = WebPerson::new(server.chat, &format!("web-ann{who}")).await?;
    let bob = WebPerson::new(server.chat, &format!("web-bob{who}")).await?;
    ann.befriend(&bob).await?;
    Ok(Pair {
        number,
        places: Arc::new(Semaphore::new(match pace {
            Pace::Window(window) => window,
            Pace::Rate(_) => 0,
        })),
        to: bob.user.clone(),
        sender: ann.live("all").await?.socket.split(),
        receiver: bob.live("all").await?.socket.split(),
    })
}

async fn relay(run: Arc<Run>, pair: Pair) -> anyhow::Result<Delays> {
    let places = Arc::clone(&pair.places);
    let (send, answers) = pair.sender;
    let sending = tokio::spawn(send_all(
        Arc::clone(&run),
        send,
        (pair.number, pair.to),
        Arc::clone(&places),
    ));
    let answering = tokio::spawn(hear_answers(Arc::clone(&run), answers, Arc::clone(&places)));
    let delivered = hear_messages(&run, pair.receiver).await?;
    places.close();
    let acknowledged = answering.await??;
    sending.await??;
    Ok(Delays {
        acknowledged,
        delivered,
    })
}

async fn send_all(
    run: Arc<Run>,
    mut send: Sender,
    (pair, to): (usize, String),
    places: Arc<Semaphore>,
) -> anyhow::Result<()> {
    let text = "x".repeat(60);
    let mut number = 0_u64;
    while !run.is_over.load(Ordering::Relaxed) {
        match places.acquire().await {
            Ok(place) => place.forget(),
            Err(_closed) => return Ok(()),
        }
        let due = run.due(pair, number)?;
        number += 1;
        let sent = u64::try_from(due.as_micros())?;
        let frame = json!({
            "id": sent,
            "op": "message.send",
            "to": {"user": to},
            "client_id": format!("{number}"),
            "segments": [{"type": "text", "text": format!("{sent} {text}")}],
        });
        send.feed(Message::text(frame.to_string())).await?;
        if places.available_permits() == 0 || matches!(run.pace, Pace::Rate(_)) {
            send.flush().await?;
        }
    }
    Ok(())
}

/// Whether what was due then belongs to the measured time.
fn counts(run: &Run, due: u64) -> bool {
    Duration::from_micros(due) > WARM_UP && !run.is_over.load(Ordering::Relaxed)
}

async fn hear_answers(
    run: Arc<Run>,
    mut answers: Receiver,
    places: Arc<Semaphore>,
) -> anyhow::Result<Vec<u64>> {
    let mut delays = Vec::new();
    while !places.is_closed() {
        let Some(answer) = next(&mut answers).await? else {
            continue;
        };
        if !answer["error"].is_null() {
            bail!("a send was refused: {answer}");
        }
        let Some(due) = answer["id"].as_u64() else {
            continue;
        };
        let now = u64::try_from(run.began.elapsed().as_micros())?;
        if counts(&run, due) {
            delays.push(now.saturating_sub(due));
        }
        if matches!(run.pace, Pace::Window(_)) {
            places.add_permits(1);
        }
    }
    Ok(delays)
}

async fn hear_messages(
    run: &Run,
    (mut send, mut events): (Sender, Receiver),
) -> anyhow::Result<Vec<u64>> {
    let mut delays = Vec::new();
    let mut heard = 0;
    while !run.is_over.load(Ordering::Relaxed) {
        let Some(event) = next(&mut events).await? else {
            continue;
        };
        if event["event"] != "message" {
            continue;
        }
        let now = u64::try_from(run.began.elapsed().as_micros())?;
        let due = event["message"]["segments"][0]["text"]
            .as_str()
            .and_then(|text| text.split(' ').next()?.parse().ok());
        if let Some(due) = due.filter(|due| counts(run, *due)) {
            delays.push(now.saturating_sub(due));
        }
        heard += 1;
        if heard % ACKNOWLEDGE_EVERY == 0 {
            let ack = json!({"op": "ack", "conversation": event["conversation"],
                "seq": event["seq"]});
            send.send(Message::text(ack.to_string())).await?;
        }
    }
    Ok(delays)
}

/// The next frame; `None` now and then, so that the caller sees that it is over.
async fn next(receiver: &mut Receiver) -> anyhow::Result<Option<Value>> {
    const LOOK_AGAIN: Duration = Duration::from_millis(500);
    match tokio::time::timeout(LOOK_AGAIN, receiver.next()).await {
        Err(_elapsed) => Ok(None),
        Ok(None) => bail!("the socket ended"),
        Ok(Some(frame)) => value(&frame?),
    }
}
