//! Programs that use the SDK: how much memory an idle client takes, and how many messages a second
//! go through one connection and through many, beside the same over bare WebSockets.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use client::live::Outgoing;
use client::model::{DeviceKind, Registration, Segment, UserId};
use client::{Api, Client, Device, Event, Events, SignedIn, Target};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use crate::server::Server;
use crate::spread::count_as_f64;
use crate::table::{Cell, Table};
use crate::web_relay::{self, Pace};

/// Devices of an account: fewer passwords to hash.
const DEVICES: usize = 50;
/// Sign-ins under way at a time.
const PARALLEL: usize = 32;
/// Before the measured time.
const WARM_UP: Duration = Duration::from_secs(2);
/// How many people one connection writes to.
const CONVERSATIONS: usize = 50;
/// So many pairs of connections are "many".
const PAIRS: usize = 500;
/// A receiver confirms after so many messages, as the bare receivers do.
const CONFIRM_EVERY: u64 = 32;

type Running = (Client, Events);

pub(crate) async fn run(
    server: &Server,
    idle: &[usize],
    window: usize,
    seconds: u64,
) -> anyhow::Result<Vec<Table>> {
    let api = Api::new(format!("http://{}", server.chat).parse()?);
    let memory = idle_clients(&api, idle).await?;
    println!();
    let seconds = seconds.max(1);
    let mut table = Table::begin(
        "rates",
        &[
            ("what", "through the SDK"),
            ("window", "window"),
            ("stored_per_s", "stored/s"),
            ("received_per_s", "received/s"),
            ("bare_stored_per_s", "bare WebSockets, stored/s"),
            ("ratio", "ratio"),
        ],
    );
    let few = window.div_ceil(8);
    let bare = web_relay::measure(server, 1, Pace::Window(window), seconds).await?;
    let bare_one = bare.stored() / seconds;
    let one = pairs(&api, "one", 1, window, seconds).await?;
    let what = "one connection, one conversation";
    table.row(row(what, window, one, bare_one));
    let many = one_to_many(&api, window, seconds).await?;
    let what = format!("one connection, {CONVERSATIONS} conversations");
    table.row(row(&what, window, many, bare_one));
    let bare = web_relay::measure(server, PAIRS, Pace::Window(few), seconds).await?;
    let all = pairs(&api, "all", PAIRS, few, seconds).await?;
    let what = format!("{} connections, {PAIRS} conversations", 2 * PAIRS);
    table.row(row(&what, few, all, bare.stored() / seconds));
    Ok(vec![memory, table])
}

/// Messages a second.
#[derive(Clone, Copy)]
struct Rates {
    stored: u64,
    /// None where the receivers are not there.
    received: Option<u64>,
}

fn row(what: &str, window: usize, rates: Rates, bare: u64) -> [Cell; 6] {
    let Rates { stored, received } = rates;
    [
        Cell::text(what),
        Cell::size(window),
        Cell::count(stored),
        received.map_or_else(|| Cell::none("nobody listens"), Cell::count),
        Cell::count(bare),
        Cell::figure(count_as_f64(stored) / count_as_f64(bare.max(1)), 2),
    ]
}

/// Resident memory of this process, with so many clients that are on line and do nothing.
async fn idle_clients(api: &Api, counts: &[usize]) -> anyhow::Result<Table> {
    let most = counts.iter().copied().max().unwrap_or_default();
    let mut signed_in = Vec::new();
    for account in 0..most.div_ceil(DEVICES) {
        signed_in.extend(devices(api, &format!("sdk-idle{account}"), DEVICES).await?);
    }
    let mut table = Table::begin(
        "idle",
        &[
            ("clients", "idle clients"),
            ("resident_bytes", "resident, MiB"),
            ("bytes_a_client", "bytes a client more"),
        ],
    );
    let mut running = Vec::new();
    let mut before: Option<(usize, u64)> = None;
    for count in counts {
        for some in signed_in[running.len()..*count].chunks(PARALLEL) {
            let some = some.iter().map(|one| start(one.api.clone()));
            running.extend(futures_util::future::try_join_all(some).await?);
        }
        let resident = resident()?;
        let each = before.map_or_else(
            || Cell::none(""),
            |(clients, bytes)| {
                let more = u64::try_from(count - clients).unwrap_or(1).max(1);
                Cell::count(resident.saturating_sub(bytes) / more)
            },
        );
        table.row([Cell::size(*count), Cell::mib(resident, 0), each]);
        before = Some((*count, resident));
    }
    for (client, _) in &running {
        client.close().await;
    }
    Ok(table)
}

fn resident() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line
        .and_then(|line| line.split_whitespace().nth(1))
        .context("no VmRSS")?;
    Ok(kib.parse::<u64>()? * 1024)
}

/// Makes an account and signs it in on so many devices.
async fn devices(api: &Api, name: &str, count: usize) -> anyhow::Result<Vec<SignedIn>> {
    let password = format!("{name}-password");
    api.register(&Registration {
        username: name.to_owned(),
        password: password.clone(),
        ..Registration::default()
    })
    .await?;
    let sign_in = async |number: usize| {
        let device = Device::new(DeviceKind::Bot, "bench").known_as(format!("{number}"));
        api.sign_in(name, &password, &device).await
    };
    // The first one hashes the password; the others find that it was verified.
    let mut all = vec![sign_in(0).await?];
    for number in 1..count {
        all.push(sign_in(number).await?);
    }
    Ok(all)
}

async fn start(api: Api) -> anyhow::Result<Running> {
    let running = Client::builder(api).start().await?;
    running.0.online().await?;
    Ok(running)
}

/// Somebody with one device, running.
async fn person(api: &Api, name: &str) -> anyhow::Result<(UserId, Api, Running)> {
    let mut signed_in = devices(api, name, 1).await?;
    let one = signed_in.pop().context("one was asked for")?;
    Ok((one.user.id, one.api.clone(), start(one.api).await?))
}

async fn befriend(one: &Api, other: &Api, other_id: UserId) -> anyhow::Result<()> {
    let request = one.request_contact(other_id, "").await?;
    other.answer_contact(request.id, true).await?;
    Ok(())
}

/// What is counted while it is counted.
#[derive(Default)]
struct Counters {
    counts: AtomicBool,
    is_over: AtomicBool,
    stored: AtomicU64,
    received: AtomicU64,
}

impl Counters {
    fn count(&self, counter: &AtomicU64) {
        if self.counts.load(Ordering::Relaxed) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts for so long, and ends it.
    async fn measure(&self, seconds: u64) -> Rates {
        tokio::time::sleep(WARM_UP).await;
        self.counts.store(true, Ordering::Relaxed);
        let began = Instant::now();
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        self.counts.store(false, Ordering::Relaxed);
        let elapsed_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.is_over.store(true, Ordering::Relaxed);
        let rate = |counter: &AtomicU64| counter.load(Ordering::Relaxed) * 1000 / elapsed_ms.max(1);
        Rates {
            stored: rate(&self.stored),
            received: Some(rate(&self.received)),
        }
    }
}

/// So many pairs, each with a connection at both ends.
async fn pairs(
    api: &Api,
    name: &str,
    pairs: usize,
    window: usize,
    seconds: u64,
) -> anyhow::Result<Rates> {
    let counters = Arc::new(Counters::default());
    let mut tasks = Vec::new();
    for number in 0..pairs {
        let (_, anns, ann) = person(api, &format!("sdk-{name}-ann{number}")).await?;
        let (bob_id, bobs, bob) = person(api, &format!("sdk-{name}-bob{number}")).await?;
        befriend(&anns, &bobs, bob_id).await?;
        let to = vec![Target::User(bob_id)];
        tasks.push(tokio::spawn(send(Arc::clone(&counters), ann, to, window)));
        tasks.push(tokio::spawn(receive(Arc::clone(&counters), bob)));
    }
    let rates = counters.measure(seconds).await;
    for task in tasks {
        task.await??;
    }
    Ok(rates)
}

/// One connection that writes to many people, who are not there.
async fn one_to_many(api: &Api, window: usize, seconds: u64) -> anyhow::Result<Rates> {
    let (_, anns, ann) = person(api, "sdk-many-ann").await?;
    let mut to = Vec::new();
    for number in 0..CONVERSATIONS {
        let mut signed_in = devices(api, &format!("sdk-many-bob{number}"), 1).await?;
        let bob = signed_in.pop().context("one was asked for")?;
        befriend(&anns, &bob.api, bob.user.id).await?;
        to.push(Target::User(bob.user.id));
    }
    let counters = Arc::new(Counters::default());
    let sending = tokio::spawn(send(Arc::clone(&counters), ann, to, window));
    let rates = counters.measure(seconds).await;
    sending.await??;
    Ok(Rates {
        received: None,
        ..rates
    })
}

/// Keeps so many messages under way, to each in turn.
async fn send(
    counters: Arc<Counters>,
    (client, mut events): Running,
    to: Vec<Target>,
    window: usize,
) -> anyhow::Result<()> {
    let text = "x".repeat(60);
    let mut targets = to.iter().cycle();
    let mut under_way = FuturesUnordered::new();
    while !counters.is_over.load(Ordering::Relaxed) {
        while under_way.len() < window {
            let to = *targets.next().context("somebody to write to")?;
            let message = Outgoing::new(to, vec![Segment::text(text.as_str())]);
            under_way.push(client.send_with(message).await?.stored());
        }
        tokio::select! {
            Some(outcome) = under_way.next() => {
                outcome?;
                counters.count(&counters.stored);
            }
            event = events.next() => {
                if event.is_none() {
                    bail!("the sender's client ended");
                }
            }
        }
    }
    client.close().await;
    Ok(())
}

async fn receive(counters: Arc<Counters>, (client, mut events): Running) -> anyhow::Result<()> {
    /// The end is looked for this often.
    const LOOK_AGAIN: Duration = Duration::from_millis(500);
    let mut heard = 0_u64;
    while !counters.is_over.load(Ordering::Relaxed) {
        let Ok(event) = tokio::time::timeout(LOOK_AGAIN, events.next()).await else {
            continue;
        };
        if let Event::Entry(entry) = event.context("the receiver's client ended")?
            && entry.message().is_some()
        {
            counters.count(&counters.received);
            heard += 1;
            if heard.is_multiple_of(CONFIRM_EVERY) {
                entry.confirm().await?;
            }
        }
    }
    client.close().await;
    Ok(())
}
