//! `myim admin …`: administers a server.
//!
//! Only reads arguments and shows results. What is done is done by the server's routes below
//! `/api/v1/admin`; `way` says how they are reached.

mod audit;
mod files;
mod group;
mod invite;
mod log;
mod output;
mod session;
mod stats;
mod sure;
mod table;
mod trouble;
pub(crate) mod upgrade;
mod user;
mod way;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use self::output::Output;
use self::trouble::Trouble;
use self::way::Way;

/// What stands below `myim admin --help`.
const EXIT_CODES: &str = "\
Without --server it asks the server that runs on the data directory, through its admin socket. If \
none runs there, it works on the embedded database itself.

Exit codes: 0 done, 1 refused or something found, 2 wrong arguments, 3 not reachable, 4 not signed \
in or not allowed.";

#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct AdminArgs {
    #[command(flatten)]
    reach: Reach,
    #[command(subcommand)]
    what: What,
}

/// Where the server is, and how results are shown.
#[derive(Args)]
struct Reach {
    /// The data directory of a server on this machine [default: as for myim serve]
    #[arg(long, global = true, value_name = "DIR", conflicts_with = "server")]
    data: Option<PathBuf>,
    /// The admin socket of a server on this machine [default: admin.sock in the data directory]
    #[arg(long, global = true, value_name = "PATH", conflicts_with_all = ["server", "data"])]
    socket: Option<PathBuf>,
    /// A server elsewhere, like https://chat.example, as the administrator who signed in there with
    /// myim login, or with the token in MYIM_TOKEN
    #[arg(long, global = true, value_name = "URL")]
    server: Option<String>,
    /// With --server: which of the accounts that signed in there [env: MYIM_ACCOUNT] [default: the
    /// last one]
    #[arg(long, global = true, value_name = "USER@SERVER")]
    account: Option<String>,
    /// The token of an administrator's session; better given in the environment
    #[arg(
        long,
        global = true,
        env = "MYIM_TOKEN",
        hide_env_values = true,
        hide = true
    )]
    token: Option<String>,
    /// Read the settings of myim serve from this TOML file
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<OsString>,
    /// Print one JSON object a line
    #[arg(long, global = true)]
    json: bool,
    /// Do not ask whether one is sure; only on a terminal is anything asked
    #[arg(long, short = 'y', global = true)]
    yes: bool,
}

#[derive(Subcommand)]
enum What {
    /// Accounts: create, disable and enable, reset-password, grant and revoke, list, show
    #[command(subcommand)]
    User(user::Verb),
    /// Groups: look at them, dissolve one
    #[command(subcommand)]
    Group(group::Verb),
    /// Devices that are signed in: look at them, sign one out
    #[command(subcommand)]
    Session(session::Verb),
    /// How much there is, and how it goes
    Stats,
    /// Stored files and pictures
    #[command(subcommand)]
    Files(files::Verb),
    /// The log of messages
    #[command(subcommand)]
    Log(log::Verb),
    /// What administrators did, the newest first
    Audit(audit::AuditArgs),
    /// Invites, for servers with --registration invite
    #[command(subcommand)]
    Invite(invite::Verb),
}

pub(crate) fn run(args: AdminArgs) -> ExitCode {
    ended(carry_out(args))
}

/// Waits for a command's end, which is told in one sentence if it failed.
fn ended(command: impl Future<Output = Result<(), Trouble>>) -> ExitCode {
    let done = tokio::runtime::Runtime::new()
        .map_err(|error| Trouble::unreachable(format!("cannot start: {error}")))
        .and_then(|runtime| runtime.block_on(command));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            if let Some(sentence) = trouble.sentence() {
                eprintln!("myim: {sentence}");
            }
            ExitCode::from(trouble.code())
        }
    }
}

async fn carry_out(args: AdminArgs) -> Result<(), Trouble> {
    let desk = args.reach.desk().await?;
    let done = match args.what {
        What::User(verb) => user::run(&desk, verb).await,
        What::Group(verb) => group::run(&desk, verb).await,
        What::Session(verb) => session::run(&desk, verb).await,
        What::Stats => stats::run(&desk).await,
        What::Files(verb) => files::run(&desk, verb).await,
        What::Log(log::Verb::Verify) => log::verify(&desk).await,
        What::Audit(args) => audit::run(&desk, args).await,
        What::Invite(verb) => invite::run(&desk, verb).await,
    };
    let ended = desk.way.end().await;
    done.and(ended)
}

impl Reach {
    async fn desk(self) -> Result<Desk, Trouble> {
        let output = Output { json: self.json };
        let place = way::Place {
            data: self.data,
            socket: self.socket,
            server: self.server,
            account: self.account,
            token: self.token,
            config: self.config,
        };
        Ok(Desk {
            way: Way::find(place).await?,
            output,
            yes: self.yes,
        })
    }
}

/// What every command works with.
struct Desk {
    way: Way,
    output: Output,
    /// Nobody is to be asked whether he is sure.
    yes: bool,
}
