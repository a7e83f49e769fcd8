//! How long one command takes from its start to its end: `myim --version`, which does nothing, and
//! `myim send`, which is done when the message is durable on the server.
//!
//! They take turns, so that both meet the same mood of the machine.

use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use anyhow::ensure;
use hdrhistogram::Histogram;
use tokio::process::Command;

use crate::server::Server;
use crate::table::{Cell, Table};
use crate::web::WebPerson;

/// Runs before those that count: they bring the program into the page cache.
const WARM_UP: usize = 3;

pub(crate) async fn run(
    server: &Server,
    program: &Path,
    runs: usize,
) -> anyhow::Result<Vec<Table>> {
    let ann = WebPerson::new(server.chat, "ann").await?;
    let bob = WebPerson::new(server.chat, "bob").await?;
    ann.befriend(&bob).await?;
    let directory = tempfile::tempdir()?;
    let address = format!("http://{}", server.chat);
    let signed_in = [("MYIM_SERVER", &address), ("MYIM_TOKEN", &ann.token)];
    let mut version = Histogram::<u64>::new(3)?;
    let mut send = Histogram::<u64>::new(3)?;
    for number in 0..WARM_UP + runs {
        for (args, times) in [
            (&["--version"][..], &mut version),
            (&["send", "bob", "Lunch at noon?"][..], &mut send),
        ] {
            let mut command = Command::new(program);
            command.args(args).envs(signed_in);
            command.env("MYIM_CONFIG_DIR", directory.path());
            command.stdin(Stdio::null()).stdout(Stdio::null());
            let began = Instant::now();
            let ended = command.status().await?;
            let took_us = u64::try_from(began.elapsed().as_micros())?;
            ensure!(ended.success(), "myim {} failed: {ended}", args.join(" "));
            if number >= WARM_UP {
                times.record(took_us)?;
            }
        }
    }
    let mut table = Table::begin(
        "commands",
        &[
            ("command", &format!("command, {runs} runs")),
            ("p50_ms", "median, ms"),
            ("p95_ms", "95th of 100, ms"),
            ("longest_ms", "longest, ms"),
        ],
    );
    for (what, times) in [("`myim --version`", version), ("`myim send`", send)] {
        table.row([
            Cell::text(what),
            Cell::micros(times.value_at_quantile(0.5), 1),
            Cell::micros(times.value_at_quantile(0.95), 1),
            Cell::micros(times.max(), 1),
        ]);
    }
    Ok(vec![table])
}
