//! Measures a server on this machine: `idle` (memory of a connection), `relay` (durable messages
//! a second and their delay), `compare` (the same beside mosquitto, ejabberd and Prosody),
//! `fan-out` (messages into a group), `calls` (how often the server calls the kernel),
//! `catch-up` (a device that was away), `bytes` (one message on the wire), `files` (a large file
//! up and down), `upload` and `download` (over HTTP, beside nginx), `slow-uploads`, `idle-uploads`
//! and `slow-downloads` (memory while many people do that), `sdk` (programs that use the SDK),
//! `terminal` (`myim chat` on a busy screen), `start-up` (one command from its start to its end),
//! `renditions` (a large photo made smaller, beside libvips), `sign-ins` (whether the time of a
//! refusal tells who has an account), `storm` (everybody comes at once), `mixed-day` (a day of an
//! office), `scale` (how cost grows with what is stored). `plot` draws what was measured.
//!
//! It starts the release build of `myim` by itself, on a fresh data directory, and stops it. Every
//! table has a line measured in the same run without the server (synced appends of this disk, a
//! hashed copy through loopback), because absolute figures change with the machine's mood.

#![allow(
    clippy::print_stdout,
    reason = "a table on standard output is the result"
)]

mod arguments;
mod calls;
mod catch_up;
mod compare;
mod counted;
mod download;
mod fan_out;
mod files;
mod group;
mod idle;
mod idle_uploads;
mod line;
mod mixed_day;
mod nginx;
mod pairs;
mod person;
mod plot;
mod proc;
mod recovery;
mod relay;
mod renditions;
mod scale;
mod sdk;
mod server;
mod sign_ins;
mod slow_downloads;
mod slow_uploads;
mod speak;
mod spread;
mod start_up;
mod storm;
mod table;
mod terminal;
mod upload;
mod watched;
mod web;
mod web_relay;
mod wire_bytes;

use std::path::Path;
use std::time::Duration;

use clap::Parser;

use crate::arguments::{Cli, One, Protocol, Relay, What};
use crate::table::Table;

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    common::net::raise_descriptor_limit();
    // Some are started in another working directory, where a relative path leads nowhere.
    let program = std::path::absolute(&cli.server)?;
    let tables = match cli.what {
        What::Compare(plan) => return compare::run(&program, &plan, cli.json.as_deref()),
        What::Plot(plan) => return plot::run(&plan),
        What::Scale(plan) => scale::run(&program, cli.database.as_deref(), &plan)?,
        What::Recovery(plan) => recovery::run(&program, &plan)?,
        What::Calls { seconds } => calls::run(&program, Duration::from_secs(seconds))?,
        What::One(one) => with_server(&program, cli.database.as_deref(), one)?,
    };
    let Some(file) = cli.json else {
        return Ok(());
    };
    let command: Vec<String> = std::env::args().skip(1).collect();
    table::write(&file, &command.join(" "), tables)
}

#[tokio::main]
async fn with_server(
    program: &Path,
    database: Option<&str>,
    one: One,
) -> anyhow::Result<Vec<Table>> {
    let mut server = server::Server::start(program, database).await?;
    let measured = measure(&mut server, program, one).await;
    server.stop().await?;
    measured
}

async fn measure(
    server: &mut server::Server,
    program: &Path,
    one: One,
) -> anyhow::Result<Vec<Table>> {
    match one {
        One::Idle(plan) => idle::run(server, &plan).await,
        One::Relay(plan) => relay(server, &plan).await,
        One::CatchUp {
            messages,
            conversations,
        } => catch_up::run(server, messages, conversations).await,
        One::Terminal {
            rate,
            seconds,
            keys,
        } => terminal::run(server, program, (rate, seconds), keys).await,
        One::StartUp { runs } => start_up::run(server, program, runs).await,
        One::Sdk {
            idle,
            window,
            seconds,
        } => sdk::run(server, &idle, window, seconds).await,
        One::Bytes => wire_bytes::run(server).await,
        One::Download {
            size,
            files,
            rounds,
        } => {
            let plan = download::Plan {
                large_bytes: size * 1024 * 1024,
                small_files: files,
                rounds,
            };
            download::run(server, plan).await
        }
        One::Upload { size, rounds } => upload::run(server, size * 1024 * 1024, rounds).await,
        One::SlowUploads {
            uploads,
            rate,
            seconds,
            protocol,
        } => {
            let plan = slow_uploads::Plan {
                protocol,
                uploads,
                bytes: rate * 1024,
                seconds,
            };
            slow_uploads::run(server, plan).await
        }
        One::IdleUploads { uploads, seconds } => idle_uploads::run(server, uploads, seconds).await,
        One::SlowDownloads {
            downloads,
            rate,
            seconds,
            protocol,
        } => {
            let plan = slow_downloads::Plan {
                protocol,
                downloads,
                bytes: rate * 1024,
                seconds,
            };
            slow_downloads::run(server, plan).await
        }
        One::FanOut(plan) => fan_out::run(server, &plan).await,
        One::MixedDay(plan) => mixed_day::run(server, &plan).await,
        One::Storm(plan) => storm::run(server, &plan).await,
        One::SignIns { tries } => sign_ins::run(server, tries).await,
        One::Renditions { rounds } => renditions::run(program, rounds).await,
        One::Files { size } => files::run(server, size * 1024 * 1024).await,
    }
}

async fn relay(server: &server::Server, plan: &Relay) -> anyhow::Result<Vec<Table>> {
    let Relay {
        pairs,
        window,
        seconds,
        rounds,
        ..
    } = *plan;
    match plan.protocol {
        Protocol::WebSocket => {
            let window = web_relay::Pace::Window(window);
            let pace = plan.rate.map_or(window, web_relay::Pace::Rate);
            web_relay::run(server, (pairs, pace), seconds, rounds).await
        }
        Protocol::Flamingo => relay::run(server, (pairs, window), seconds, rounds).await,
    }
}
