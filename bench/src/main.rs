//! Measures a server on this machine: `idle` (memory of a connection), `relay` (durable messages
//! a second and their delay), `compare` (the same beside mosquitto, ejabberd and Prosody),
//! `fan-out` (messages into a group), `calls` (how often the server calls the kernel),
//! `catch-up` (a device that was away), `bytes` (one message on the wire), `files` (a large file
//! up and down), `upload` and `download` (over HTTP, beside nginx), `slow-uploads`, `idle-uploads`
//! and `slow-downloads` (memory while many people do that), `sdk` (programs that use the SDK),
//! `terminal` (`myim chat` on a busy screen), `start-up` (one command from its start to its end),
//! `renditions` (a large photo made smaller, beside libvips), `sign-ins` (whether the time of a
//! refusal tells who has an account), `storm` (everybody comes at once), `scale` (how cost grows
//! with what is stored).
//!
//! It starts the release build of `myim` by itself, on a fresh data directory, and stops it. Every
//! table has a line measured in the same run without the server (synced appends of this disk, a
//! hashed copy through loopback), because absolute figures change with the machine's mood.

#![allow(
    clippy::print_stdout,
    reason = "a table on standard output is the result"
)]

mod calls;
mod catch_up;
mod compare;
mod counted;
mod download;
mod fan_out;
mod files;
mod idle;
mod idle_uploads;
mod line;
mod nginx;
mod pairs;
mod person;
mod proc;
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
mod terminal;
mod upload;
mod watched;
mod web;
mod web_relay;
mod wire_bytes;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};

/// Measures a myim server on this machine
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    /// The database to measure: mysql://... or sqlite:PATH [default: SQLite in a fresh directory]
    #[arg(long, value_name = "URL", global = true)]
    database: Option<String>,

    /// The server's program
    #[arg(
        long,
        value_name = "FILE",
        default_value = "target/release/myim",
        global = true
    )]
    server: PathBuf,

    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    #[command(flatten)]
    One(One),
    /// Relays messages beside mosquitto, ejabberd and Prosody, and measures idle connections
    Compare(compare::Plan),
    /// How cost grows with what is stored: a database filled and asked without a server
    Scale(scale::Plan),
    /// How often the server calls the kernel for a message; needs `perf`, and to be root
    Calls {
        /// For how many seconds each
        #[arg(long, value_name = "SECONDS", default_value_t = 4)]
        seconds: u64,
    },
}

/// What is measured of one server, which is started before and stopped afterwards.
#[derive(Subcommand)]
enum One {
    /// Resident memory of logged-in connections that do nothing
    Idle {
        /// How many connections; measured after each number
        #[arg(value_name = "N", default_values_t = [1_000, 10_000])]
        connections: Vec<usize>,
    },
    /// Messages between pairs of friends, each durable before it is delivered
    Relay(Relay),
    /// A device that comes back to a long backlog
    CatchUp {
        /// How many messages in all
        #[arg(long, value_name = "N", default_value_t = 50_000)]
        messages: usize,
        /// In how many conversations
        #[arg(long, value_name = "N", default_value_t = 300)]
        conversations: usize,
    },
    /// Programs that use the SDK: memory of an idle client, messages a second
    Sdk {
        /// How many idle clients; measured at each number
        #[arg(value_name = "N", default_values_t = [500, 2_000])]
        idle: Vec<usize>,
        /// How many messages of a sender are under way at a time
        #[arg(long, value_name = "W", default_value_t = 64)]
        window: usize,
        /// For how many seconds each
        #[arg(long, value_name = "SECONDS", default_value_t = 6)]
        seconds: u64,
    },
    /// What one short message costs on the wire
    Bytes,
    /// One file up to the file server and down again
    Files {
        /// Its size in MiB
        #[arg(long, value_name = "MIB", default_value_t = 1024)]
        size: u64,
    },
    /// One large file up over HTTP, beside the same bytes written, hashed and synced, and nginx
    Upload {
        /// Its size in MiB
        #[arg(long, value_name = "MIB", default_value_t = 1024)]
        size: u64,
        /// How often in each way
        #[arg(long, value_name = "N", default_value_t = 3)]
        rounds: usize,
    },
    /// Memory of the server while many people upload slowly
    SlowUploads {
        /// How many at the same time
        #[arg(value_name = "N", default_value_t = 1000)]
        uploads: u64,
        /// KiB a second of each
        #[arg(long, value_name = "KIB", default_value_t = 64)]
        rate: u64,
        /// For how many seconds
        #[arg(long, value_name = "SECONDS", default_value_t = 20)]
        seconds: u64,
        /// What they speak
        #[arg(long, value_enum, default_value_t = Http::One)]
        protocol: Http,
    },
    /// Memory of the server while many people have begun uploads and hardly send anything
    IdleUploads {
        /// How many at the same time; each takes two descriptors of the server
        #[arg(value_name = "N", default_value_t = 9000)]
        uploads: u64,
        /// For how many seconds all of them are there
        #[arg(long, value_name = "SECONDS", default_value_t = 20)]
        seconds: u64,
    },
    /// Memory of the server while many people download a large file slowly
    SlowDownloads {
        /// How many at the same time
        #[arg(value_name = "N", default_value_t = 1000)]
        downloads: u64,
        /// KiB a second of each
        #[arg(long, value_name = "KIB", default_value_t = 64)]
        rate: u64,
        /// For how many seconds
        #[arg(long, value_name = "SECONDS", default_value_t = 20)]
        seconds: u64,
        /// What they speak
        #[arg(long, value_enum, default_value_t = Http::One)]
        protocol: Http,
    },
    /// Downloads over HTTP, beside nginx
    Download {
        /// Size of the large file in MiB
        #[arg(long, value_name = "MIB", default_value_t = 1024)]
        size: u64,
        /// How many files of 20 KiB
        #[arg(long, value_name = "N", default_value_t = 10_000)]
        files: usize,
        /// How often each is fetched from either
        #[arg(long, value_name = "N", default_value_t = 5)]
        rounds: usize,
    },
    /// `myim chat` on a busy screen: processor time, and from a key to the screen
    Terminal {
        /// Messages a second
        #[arg(long, default_value_t = 100)]
        rate: u32,
        /// How long to be idle, and how long to be busy
        #[arg(long, default_value_t = 20)]
        seconds: u64,
        /// Keys that are typed
        #[arg(long, default_value_t = 200)]
        keys: usize,
    },
    /// One command from its start to its end: `myim --version` and `myim send`
    StartUp {
        /// How often each
        #[arg(long, value_name = "N", default_value_t = 60)]
        runs: usize,
    },
    /// Refused sign-ins: an unknown name beside a wrong password
    SignIns {
        /// How often each, over either protocol
        #[arg(long, value_name = "N", default_value_t = 2_000)]
        tries: usize,
    },
    /// Messages into a group whose members are all on line
    FanOut(fan_out::Plan),
    /// Everybody comes on line at once, comes back after the server was killed, signs in
    Storm(storm::Plan),
    /// A large photo made smaller, beside libvips; needs `vipsthumbnail`
    Renditions {
        /// How often each
        #[arg(long, value_name = "N", default_value_t = 20)]
        rounds: u32,
    },
}

/// Who writes to whom, how fast, and how often.
#[derive(clap::Args)]
struct Relay {
    /// How many pairs
    #[arg(long, value_name = "P", default_value_t = 100)]
    pairs: usize,
    /// How many messages of a sender are under way at a time
    #[arg(long, value_name = "W", default_value_t = 32)]
    window: usize,
    /// Instead: how many messages a second all senders send together, by the clock
    /// (WebSocket only)
    #[arg(long, value_name = "N", conflicts_with = "window")]
    rate: Option<u64>,
    /// For how many seconds, after two of warming up
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    seconds: u64,
    /// What the pairs speak
    #[arg(long, value_enum, default_value_t = Protocol::Flamingo)]
    protocol: Protocol,
    /// How often, each time with other accounts: medians are told
    #[arg(long, value_name = "N", default_value_t = 1)]
    rounds: usize,
}

#[derive(Clone, Copy, ValueEnum)]
enum Protocol {
    Flamingo,
    WebSocket,
}

/// How slow transfers go.
#[derive(Clone, Copy, ValueEnum)]
enum Http {
    #[value(name = "http1")]
    One,
    #[value(name = "http2")]
    Two,
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    common::net::raise_descriptor_limit();
    // Some are started in another working directory, where a relative path leads nowhere.
    let program = std::path::absolute(&cli.server)?;
    match cli.what {
        What::Compare(plan) => compare::run(&program, &plan),
        What::Scale(plan) => scale::run(&program, cli.database.as_deref(), &plan),
        What::Calls { seconds } => calls::run(&program, Duration::from_secs(seconds)),
        What::One(one) => with_server(&program, cli.database.as_deref(), one),
    }
}

#[tokio::main]
async fn with_server(program: &Path, database: Option<&str>, one: One) -> anyhow::Result<()> {
    let mut server = server::Server::start(program, database).await?;
    let measured = measure(&mut server, program, one).await;
    server.stop().await?;
    measured
}

async fn measure(server: &mut server::Server, program: &Path, one: One) -> anyhow::Result<()> {
    match one {
        One::Idle { connections } => idle::run(server, &connections).await,
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
        One::Storm(plan) => storm::run(server, &plan).await,
        One::SignIns { tries } => sign_ins::run(server, tries).await,
        One::Renditions { rounds } => renditions::run(program, rounds).await,
        One::Files { size } => files::run(server, size * 1024 * 1024).await,
    }
}

async fn relay(server: &server::Server, plan: &Relay) -> anyhow::Result<()> {
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
