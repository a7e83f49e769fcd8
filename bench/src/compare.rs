//! myim beside its peers: the same work by the same load generator, by turns, on a core of their
//! own each.
//!
//! The servers run on one core and the load generator, a single thread, on another. What is
//! compared is messages per second of processor time of the server, which says something even when
//! the load generator is the limit.

mod cores;
mod results;
mod servers;
pub(crate) mod target;

use std::path::Path;
use std::time::Duration;

use anyhow::ensure;

use self::cores::{Cores, move_to};
use self::results::{Idle, Relayed, Results};
use self::target::{ALL, Running, Target};
use crate::{pairs, proc};

const WARM_UP: Duration = Duration::from_secs(1);
/// Where the figures are written if nobody says otherwise: they are told in the documents.
const RESULTS: &str = "bench/results/compare.json";

/// What is measured.
#[derive(clap::Args)]
pub(crate) struct Plan {
    /// How many pairs write to each other
    #[arg(long, value_name = "P", default_value_t = 100)]
    pairs: usize,
    /// How many messages of a sender are under way at a time; each number is measured
    #[arg(long, value_name = "W", value_delimiter = ',', default_values_t = [1, 32])]
    windows: Vec<usize>,
    /// For how many seconds each time, after one of warming up
    #[arg(long, value_name = "SECONDS", default_value_t = 4)]
    seconds: u64,
    /// How often each; 0 with `--idle` measures nothing else
    #[arg(long, value_name = "N", default_value_t = 5)]
    rounds: usize,
    /// Measures, too, what so many connections take that do nothing
    #[arg(long, value_name = "N", value_delimiter = ',')]
    idle: Vec<usize>,
}

pub(crate) fn run(program: &Path, plan: &Plan, json: Option<&Path>) -> anyhow::Result<()> {
    ensure!(
        plan.rounds > 0 || !plan.idle.is_empty(),
        "nothing is measured in no round"
    );
    let cores = Cores::of_this_machine()?;
    // One thread, so that it is on one core, and what it starts meanwhile is on the other.
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(compare(
            program,
            plan,
            cores,
            json.unwrap_or(Path::new(RESULTS)),
        ))
}

async fn compare(program: &Path, plan: &Plan, cores: Cores, json: &Path) -> anyhow::Result<()> {
    let mut results = Results::new(plan.pairs, plan.seconds, plan.rounds);
    let targets = those_here();
    if plan.rounds > 0 {
        relays(program, plan, cores, &targets, &mut results).await?;
    }
    if !plan.idle.is_empty() {
        for target in &targets {
            results.idle(idle(program, &plan.idle, cores, *target).await?);
        }
    }
    results.print();
    results.write(json)
}

fn those_here() -> Vec<Target> {
    let (here, missing): (Vec<_>, Vec<_>) = ALL.into_iter().partition(|target| match target {
        Target::Peer(kind) => kind.is_here(),
        Target::WebSocket | Target::Flamingo => true,
    });
    for target in missing {
        let name = target.server();
        println!("{name} is left out: it is not installed; on Debian: apt install {name}");
    }
    here
}

/// Starts a server on the servers' core, and goes back to the generator's.
async fn start(program: &Path, cores: Cores, target: Target) -> anyhow::Result<Running> {
    move_to(cores.servers)?;
    let started = target.start(program).await;
    move_to(cores.generator)?;
    started
}

async fn relays(
    program: &Path,
    plan: &Plan,
    cores: Cores,
    targets: &[Target],
    results: &mut Results,
) -> anyhow::Result<()> {
    let mut running = Vec::new();
    for target in targets {
        let mut started = start(program, cores, *target).await?;
        started.make_pairs(plan.pairs).await?;
        running.push(started);
    }
    for round in 0..plan.rounds {
        eprintln!("round {} of {}", round + 1, plan.rounds);
        for window in &plan.windows {
            for one in &running {
                // Others get no processor time meanwhile: nobody is connected to them.
                let mut lines = Vec::new();
                for number in 0..plan.pairs {
                    lines.push(one.pair(number).await?);
                }
                let times = (WARM_UP, Duration::from_secs(plan.seconds));
                let (run, tasks) = pairs::start(lines, *window)?;
                let measured = run.measure(tasks, one.process(), times).await?;
                results.relayed(Relayed::new(one, *window, &measured));
            }
        }
    }
    for one in running {
        one.stop().await?;
    }
    Ok(())
}

/// Resident memory of a fresh server with connections that do nothing.
async fn idle(
    program: &Path,
    counts: &[usize],
    cores: Cores,
    target: Target,
) -> anyhow::Result<Vec<Idle>> {
    let most = counts.iter().copied().max().unwrap_or_default();
    eprintln!(
        "{}, {}: {most} connections",
        target.server(),
        target.protocol()
    );
    let mut running = start(program, cores, target).await?;
    running.make_idle(most).await?;
    // What is made once, and grows with the first connections only, is not counted.
    drop(running.idle(0..most.min(100)).await?);
    let base = proc::resident(running.process())?;
    let mut lines = Vec::with_capacity(most);
    let mut rows = Vec::new();
    for count in counts {
        lines.extend(running.idle(lines.len()..*count).await?);
        let resident = proc::resident(running.process())?;
        rows.push(Idle::new(&running, *count, base, resident));
    }
    drop(lines);
    running.stop().await?;
    Ok(rows)
}
