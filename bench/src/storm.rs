//! Everybody at once: many come on line together, come back together after the server was killed, and
//! sign in with passwords, while others go on writing.

use std::time::{Duration, Instant};

use anyhow::Context;
use hdrhistogram::Histogram;
use serde_json::json;
use tokio::task::JoinSet;

use crate::relay::micros_as_ms;
use crate::server::Server;
use crate::table::{Cell, Table};
use crate::web::{Live, WebPerson, devices, text};
use crate::web_relay::{self, Pace};

/// Who goes on writing meanwhile, at how many messages a second together.
const PAIRS: usize = 20;
const RATE: u64 = 500;
/// How long they are listened to when nothing else happens.
const QUIET_S: u64 = 5;
/// Who is not on line after this is not waited for.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long somebody who was not let in waits before he tries again.
const PAUSE: Duration = Duration::from_millis(200);

/// Who comes.
#[derive(clap::Args)]
pub(crate) struct Plan {
    /// How many connections
    #[arg(value_name = "N", default_value_t = 9_000)]
    connections: usize,
    /// How many sign in with a password that the server has to hash
    #[arg(long, value_name = "N", default_value_t = 300)]
    passwords: usize,
}

pub(crate) async fn run(server: &mut Server, plan: &Plan) -> anyhow::Result<Vec<Table>> {
    let people = devices(server.chat, plan.connections).await?;
    let quiet = web_relay::measure(server, PAIRS, Pace::Rate(RATE), QUIET_S).await?;

    let mut arrivals = Table::begin(
        "arrivals",
        &[
            ("what", "what comes at once"),
            ("count", "how many"),
            ("p50_s", "half after, s"),
            ("p99_s", "99 of 100 after, s"),
            ("all_s", "all after, s"),
        ],
    );
    let (stormy, came) = tokio::join!(
        web_relay::measure(server, PAIRS, Pace::Rate(RATE), QUIET_S * 2),
        arrive(&people, Instant::now()),
    );
    let (came, on_line) = came?;
    arrivals.row(row("on line, with a token", &came));
    drop(on_line);

    let killed = Instant::now();
    server.kill_and_start().await?;
    let ready_s = killed.elapsed().as_secs_f64();
    let people: Vec<_> = people
        .into_iter()
        .map(|person| person.at(server.chat))
        .collect();
    let (back, on_line) = arrive(&people, killed).await?;
    arrivals.row(row("back after `kill -9` of the server", &back));
    drop(on_line);

    let names: Vec<_> = (0..plan.passwords).map(|n| format!("late{n}")).collect();
    for name in &names {
        WebPerson::new(server.chat, name).await?;
    }
    // A server that was started anew has seen none of the passwords.
    server.kill_and_start().await?;
    let (hashing, signed_in) = tokio::join!(
        web_relay::measure(server, PAIRS, Pace::Rate(RATE), QUIET_S),
        sign_in(server, &names),
    );
    arrivals.row(row("signed in with a password", &signed_in?));
    println!("\nThe server was ready again {ready_s:.2} s after the kill.\n");

    let meanwhile = format!("{PAIRS} pairs, {RATE} messages/s, meanwhile");
    let mut messages = Table::begin(
        "messages",
        &[
            ("meanwhile", &meanwhile),
            ("acknowledged_p50_ms", "acknowledged, p50, ms"),
            ("acknowledged_p99_ms", "p99, ms"),
        ],
    );
    let (stormy, hashing) = (stormy?, hashing?);
    for (what, measured) in [
        ("nothing", &quiet),
        ("everybody comes on line", &stormy),
        ("passwords are checked", &hashing),
    ] {
        let at = |quantile| Cell::micros(measured.acknowledged().value_at_quantile(quantile), 1);
        messages.row([Cell::text(what), at(0.5), at(0.99)]);
    }
    Ok(vec![arrivals, messages])
}

fn row(what: &str, after: &Histogram<u64>) -> [Cell; 5] {
    let at = |quantile| Cell::figure(micros_as_ms(after.value_at_quantile(quantile)) / 1e3, 2);
    [
        Cell::text(what),
        Cell::count(after.len()),
        at(0.5),
        at(0.99),
        at(1.0),
    ]
}

/// Everybody connects at once, and those who are not let in try again.
async fn arrive(
    people: &[WebPerson],
    began: Instant,
) -> anyhow::Result<(Histogram<u64>, Vec<Live>)> {
    let mut coming = JoinSet::new();
    for person in people {
        let person = person.clone();
        coming.spawn(async move {
            loop {
                match person.live("recent").await {
                    Ok(live) => return Ok((live, began.elapsed())),
                    Err(error) if began.elapsed() > PATIENCE => return Err(error),
                    Err(_) => tokio::time::sleep(PAUSE).await,
                }
            }
        });
    }
    let (mut after, mut on_line) = (Histogram::new(3)?, Vec::with_capacity(people.len()));
    while let Some(came) = coming.join_next().await {
        let (live, elapsed) = came??;
        after.record(u64::try_from(elapsed.as_micros())?.max(1))?;
        on_line.push(live);
    }
    Ok((after, on_line))
}

async fn sign_in(server: &Server, names: &[String]) -> anyhow::Result<Histogram<u64>> {
    let began = Instant::now();
    let mut coming = JoinSet::new();
    for name in names {
        let (guest, name) = (WebPerson::guest(server.chat), name.clone());
        coming.spawn(async move {
            let device = json!({"username": name, "password": format!("{name}-password"),
                "device": {"kind": "bot", "id": "bench"}});
            let session = guest.post("/api/v1/sessions", &device).await?;
            text(&session["token"]).context("no token")?;
            anyhow::Ok(began.elapsed())
        });
    }
    let mut after = Histogram::new(3)?;
    while let Some(came) = coming.join_next().await {
        after.record(u64::try_from(came??.as_micros())?.max(1))?;
    }
    Ok(after)
}
