//! How long a server takes from its start until it answers: on nothing, and on many messages after
//! it was killed when more had just been written.

use std::path::Path;
use std::time::{Duration, Instant};

use common::store::DatabaseUrl;
use hyper::Method;

use crate::server::Server;
use crate::spread::{Spread, count_as_f64};
use crate::table::{Cell, Table};
use crate::web::WebPerson;
use crate::web_relay::{self, Pace};
use crate::{proc, scale};

/// Who writes before the server is killed.
const PAIRS: usize = 10;
const WRITING_S: u64 = 1;
const PAUSE: Duration = Duration::from_millis(1);

/// What is measured.
#[derive(clap::Args)]
pub(crate) struct Plan {
    /// How many messages there are
    #[arg(value_name = "N", default_value_t = 1_000_000)]
    messages: u32,
    /// How often
    #[arg(long, value_name = "N", default_value_t = 5)]
    rounds: usize,
}

/// One start, in milliseconds and bytes.
struct Start {
    answers_ms: f64,
    resident: f64,
}

#[tokio::main]
pub(crate) async fn run(program: &Path, plan: &Plan) -> anyhow::Result<Vec<Table>> {
    let mut table = Table::begin(
        "starts",
        &[
            ("stored", "what was there"),
            ("answers_ms", "answers after, ms"),
            ("resident_mib", "resident, MiB"),
        ],
    );
    let mut starts = Vec::new();
    for _ in 0..plan.rounds {
        let began = Instant::now();
        let server = Server::start(program, None).await?;
        starts.push(answered(&server, &WebPerson::guest(server.chat), began).await?);
        server.stop().await?;
    }
    table.row(row("nothing", &starts));

    let directory = Server::fresh_directory(program)?;
    let data = directory.path().join("data");
    std::fs::create_dir(&data)?;
    scale::fill(&DatabaseUrl::Sqlite(data.join("myim.db")), plan.messages).await?;
    let mut server = Server::start_in(program, None, directory).await?;
    let mut somebody = WebPerson::new(server.chat, "somebody").await?;
    let mut starts = Vec::new();
    for _ in 0..plan.rounds {
        web_relay::measure(&server, PAIRS, Pace::Window(8), WRITING_S).await?;
        let began = Instant::now();
        server.kill_and_start().await?;
        somebody = somebody.at(server.chat);
        starts.push(answered(&server, &somebody, began).await?);
    }
    let stored = format!(
        "{} messages, killed when {PAIRS} pairs had written",
        plan.messages
    );
    table.row(row(&stored, &starts));
    server.stop().await?;
    Ok(vec![table])
}

/// Asks until the server has asked its database: a stranger is told that he is one.
async fn answered(server: &Server, somebody: &WebPerson, began: Instant) -> anyhow::Result<Start> {
    let is_stranger = |error: &anyhow::Error| error.to_string().contains("401");
    loop {
        match somebody.call(Method::GET, "/api/v1/me", None).await {
            Ok(_) => break,
            Err(error) if is_stranger(&error) => break,
            Err(_not_yet) => tokio::time::sleep(PAUSE).await,
        }
    }
    Ok(Start {
        answers_ms: began.elapsed().as_secs_f64() * 1e3,
        resident: count_as_f64(proc::resident(server.pid)?),
    })
}

fn row(stored: &str, starts: &[Start]) -> [Cell; 3] {
    let spread = |of: fn(&Start) -> f64| Spread::new(starts.iter().map(of).collect());
    [
        Cell::text(stored),
        Cell::spread(&spread(|start| start.answers_ms), 0),
        Cell::median(&spread(|start| start.resident / f64::from(1 << 20)), 1),
    ]
}
