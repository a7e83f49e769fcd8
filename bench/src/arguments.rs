//! What the program can be asked for on its command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::{compare, fan_out, idle, mixed_day, plot, recovery, scale, storm};

/// Measures a myim server on this machine
#[derive(Parser)]
#[command(version, about)]
pub(crate) struct Cli {
    /// The database to measure: mysql://... or sqlite:PATH [default: SQLite in a fresh directory]
    #[arg(long, value_name = "URL", global = true)]
    pub database: Option<String>,

    /// The server's program
    #[arg(
        long,
        value_name = "FILE",
        default_value = "target/release/myim",
        global = true
    )]
    pub server: PathBuf,

    /// Writes the figures into this file, too [default of `compare`: bench/results/compare.json]
    #[arg(long, value_name = "FILE", global = true)]
    pub json: Option<PathBuf>,

    #[command(subcommand)]
    pub what: What,
}

#[derive(Subcommand)]
pub(crate) enum What {
    #[command(flatten)]
    One(One),
    /// Relays messages beside mosquitto, ejabberd and Prosody, and measures idle connections
    Compare(compare::Plan),
    /// How cost grows with what is stored: a database filled and asked without a server
    Scale(scale::Plan),
    /// From the start of a server until it answers, on nothing and after it was killed
    Recovery(recovery::Plan),
    /// Draws the pictures of the documents from figures that were measured before
    Plot(plot::Plan),
    /// How often the server calls the kernel for a message; needs `perf`, and to be root
    Calls {
        /// For how many seconds each
        #[arg(long, value_name = "SECONDS", default_value_t = 4)]
        seconds: u64,
    },
}

/// What is measured of one server, which is started before and stopped afterwards.
#[derive(Subcommand)]
pub(crate) enum One {
    /// Memory and processor time of logged-in connections that do nothing
    Idle(idle::Plan),
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
    /// A day of an office, faster than in life: all that people do, in its ratios
    MixedDay(mixed_day::Plan),
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
pub(crate) struct Relay {
    /// How many pairs
    #[arg(long, value_name = "P", default_value_t = 100)]
    pub pairs: usize,
    /// How many messages of a sender are under way at a time
    #[arg(long, value_name = "W", default_value_t = 32)]
    pub window: usize,
    /// Instead: how many messages a second all senders send together, by the clock
    /// (WebSocket only)
    #[arg(long, value_name = "N", conflicts_with = "window")]
    pub rate: Option<u64>,
    /// For how many seconds, after two of warming up
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub seconds: u64,
    /// What the pairs speak
    #[arg(long, value_enum, default_value_t = Protocol::Flamingo)]
    pub protocol: Protocol,
    /// How often, each time with other accounts: medians are told
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub rounds: usize,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Protocol {
    Flamingo,
    WebSocket,
}

/// How slow transfers go.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Http {
    #[value(name = "http1")]
    One,
    #[value(name = "http2")]
    Two,
}
