//! A day of an office, faster than in life: many are on line, some of them write to one or to a
//! group, share files, read, search, go away and come back, in the ratios of `ratios.rs`.
//!
//! What happens is planned before, and every time counts from the moment for which it was planned:
//! a server that stalls, or a load generator that is late, cannot hide it.

mod board;
mod calls;
mod connection;
mod desk;
mod office;
mod picture;
mod ratios;
mod schedule;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use hdrhistogram::Histogram;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use self::board::{Board, Delays, End};
use self::calls::Calls;
use self::desk::Desk;
use self::office::Office;
use self::ratios::Deed;
use self::schedule::{Act, Schedule, Times};
use crate::line::now_us;
use crate::proc;
use crate::relay::{micros_as_ms, synced_appends};
use crate::server::Server;
use crate::spread::count_as_f64;
use crate::table::{Cell, Table};

/// What is planned for the beginning of the day is done and not counted.
const WARM_UP: Duration = Duration::from_secs(2);
/// What is not over so long after the end is lost.
const PATIENCE: Duration = Duration::from_secs(20);
const PEOPLE_MIN: usize = 50;
/// With more calls under way the server does not keep up by far, and the rest would only wait.
const CALLS_MAX: usize = 4_000;
/// Of what one person has to do; if more is due, the clock's thread waits, and its delay counts.
const ACTS_MAX: usize = 64;

/// What is measured.
#[derive(clap::Args)]
pub(crate) struct Plan {
    /// How many people are on line; a quarter of them is active
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    people: usize,
    /// How much faster than in life: with 60 an hour takes a minute
    #[arg(long, value_name = "N", default_value_t = 60.0)]
    faster: f64,
    /// In how many seconds everybody comes in the morning
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    morning: u64,
    /// For how many seconds of the day, after two of warming up
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    seconds: u64,
    /// Another one makes another day of the same kind
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

/// What a day cost.
struct Day {
    delays: Delays,
    elapsed_s: f64,
    server_s: f64,
    generator_s: f64,
    resident: u64,
}

pub(crate) async fn run(server: &Server, plan: &Plan) -> anyhow::Result<Vec<Table>> {
    ensure!(
        plan.people >= PEOPLE_MIN,
        "fewer than {PEOPLE_MIN} people fill no team of this size"
    );
    ensure!(
        plan.faster > 0.0 && plan.morning > 0 && plan.seconds > 0,
        "no time goes by"
    );
    let began = Instant::now();
    let office = Arc::new(Office::open(server, plan.people).await?);
    eprintln!(
        "{} people in {} groups wrote yesterday's messages in {:.0} s",
        plan.people,
        office.teams.len(),
        began.elapsed().as_secs_f64()
    );
    let synced = synced_appends(server.directory.path())?;
    let day = on_one_thread(office, plan, server.pid).await?;
    Ok(vec![deeds(&day), machine(&day, synced)?])
}

/// The load comes from one thread, so that it takes one core at most.
async fn on_one_thread(office: Arc<Office>, plan: &Plan, process: u32) -> anyhow::Result<Day> {
    let (faster, seed) = (plan.faster, plan.seed);
    let (morning, seconds) = (plan.morning, plan.seconds);
    let on_thread = move || {
        let us = |seconds: u64| seconds * 1_000_000;
        let morning_us = now_us() + us(1);
        let day_us = morning_us + us(morning);
        let times = Times {
            morning_us,
            day_us,
            evening_us: day_us + us(WARM_UP.as_secs() + seconds),
        };
        let schedule = Schedule::new(Arc::clone(&office), times, faster, seed);
        eprintln!("{:.1} acts a second", schedule.acts_a_second());
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?
            .block_on(live_through(office, schedule, times, process))
    };
    tokio::task::spawn_blocking(on_thread).await?
}

async fn live_through(
    office: Arc<Office>,
    schedule: Schedule,
    times: Times,
    process: u32,
) -> anyhow::Result<Day> {
    let counts_from_us = times.day_us + u64::try_from(WARM_UP.as_micros())?;
    let board = Arc::new(Board::new(counts_from_us));
    let mut working = JoinSet::new();
    let mut desks = Vec::new();
    for number in 0..office.people.len() {
        let desk = Desk::new(Arc::clone(&office), Arc::clone(&board), number);
        let (acts, due) = mpsc::channel(ACTS_MAX);
        desks.push(acts);
        working.spawn(desk.work(due));
    }
    let calls = Arc::new(Calls::new(office, Arc::clone(&board))?);
    let due = schedule.start();
    let whole_day = hand_out(due, &desks, calls, &mut working);
    let (handed_out, spent) = tokio::join!(whole_day, watch(counts_from_us, times, process));
    handed_out?;
    let (elapsed_s, server_s, generator_s) = spent?;
    let resident = proc::resident(process)?;
    settle(&board, &mut working).await?;
    working.shutdown().await;
    Ok(Day {
        delays: board.delays(),
        elapsed_s,
        server_s,
        generator_s,
        resident,
    })
}

/// Tells everybody what he does when it is due, until the evening.
async fn hand_out(
    mut due: mpsc::Receiver<Act>,
    desks: &[mpsc::Sender<Act>],
    calls: Arc<Calls>,
    working: &mut JoinSet<anyhow::Result<()>>,
) -> anyhow::Result<()> {
    while let Some(act) = due.recv().await {
        while let Some(ended) = working.try_join_next() {
            ended??;
        }
        if !act.deed.is_call() {
            desks[act.person].send(act).await?;
            continue;
        }
        ensure!(
            working.len() < desks.len() + CALLS_MAX,
            "the server does not keep up: {CALLS_MAX} calls are under way"
        );
        let calls = Arc::clone(&calls);
        working.spawn(async move { calls.carry_out(act).await });
    }
    Ok(())
}

/// How many seconds the day was, and the processor time of the server and of the load generator.
async fn watch(from_us: u64, times: Times, process: u32) -> anyhow::Result<(f64, f64, f64)> {
    let until = |at_us: u64| {
        let left = Duration::from_micros(at_us.saturating_sub(now_us()));
        tokio::time::sleep(left)
    };
    until(from_us).await;
    let (server, own) = (proc::processor_s(process)?, proc::own_processor_s()?);
    let began = Instant::now();
    until(times.evening_us).await;
    let elapsed_s = began.elapsed().as_secs_f64();
    let server = proc::processor_s(process)? - server;
    Ok((elapsed_s, server, proc::own_processor_s()? - own))
}

/// Waits until everything is over.
async fn settle(board: &Board, working: &mut JoinSet<anyhow::Result<()>>) -> anyhow::Result<()> {
    const LOOK_AGAIN: Duration = Duration::from_millis(20);
    const TOLD_MAX: usize = 5;
    let began = Instant::now();
    while board.under_way() > 0 {
        while let Some(ended) = working.try_join_next() {
            ended??;
        }
        if began.elapsed() > PATIENCE {
            let lost = board.unfinished();
            let told = lost[..lost.len().min(TOLD_MAX)].join("; ");
            bail!("{} things did not come to an end: {told}", lost.len());
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    Ok(())
}

fn deeds(day: &Day) -> Table {
    let mut table = Table::begin(
        "deeds",
        &[
            ("what", "what"),
            ("until", "until"),
            ("count", "how often"),
            ("p50_ms", "p50, ms"),
            ("p90_ms", "p90, ms"),
            ("p99_ms", "p99, ms"),
            ("longest_ms", "longest, ms"),
        ],
    );
    for ((deed, end), delays) in &day.delays {
        // How late the load generator itself was stands in the other table.
        let until = match end {
            End::Written => continue,
            End::Answered => "answered",
            End::Received => "received",
        };
        let at = |quantile| Cell::figure(micros_as_ms(delays.value_at_quantile(quantile)), 1);
        table.row([
            Cell::text(deed.words()),
            Cell::text(until),
            Cell::count(delays.len()),
            at(0.5),
            at(0.9),
            at(0.99),
            at(1.0),
        ]);
    }
    println!();
    table
}

fn machine(day: &Day, synced: u64) -> anyhow::Result<Table> {
    let mut table = Table::begin(
        "machine",
        &[
            ("messages_per_s", "messages/s"),
            ("deliveries_per_s", "deliveries/s"),
            ("late_p50_ms", "written late, p50, ms"),
            ("late_p99_ms", "p99, ms"),
            ("server_core_share", "server CPU"),
            ("generator_core_share", "generator CPU"),
            ("resident_bytes", "server resident, MiB"),
            ("synced_appends_per_s", "appends synced/s"),
        ],
    );
    let count = |wanted: fn(Deed, End) -> bool| {
        let those = day
            .delays
            .iter()
            .filter(|((deed, end), _)| wanted(*deed, *end));
        count_as_f64(those.map(|(_, delays)| delays.len()).sum()) / day.elapsed_s
    };
    // Existing clients are not answered, and of a call nobody knows when it was written.
    let messages = count(|deed, end| match deed {
        Deed::File | Deed::Picture => end == End::Answered,
        _ => deed.is_text() && end == End::Written,
    });
    let mut late = Histogram::<u64>::new(3)?;
    for ((_, end), delays) in &day.delays {
        if *end == End::Written {
            late.add(delays)?;
        }
    }
    table.row([
        Cell::figure(messages, 1),
        Cell::figure(count(|_, end| end == End::Received), 1),
        Cell::figure(micros_as_ms(late.value_at_quantile(0.5)), 2),
        Cell::figure(micros_as_ms(late.value_at_quantile(0.99)), 2),
        Cell::share(day.server_s / day.elapsed_s),
        Cell::share(day.generator_s / day.elapsed_s),
        Cell::mib(day.resident, 0),
        Cell::count(synced),
    ]);
    Ok(table)
}
