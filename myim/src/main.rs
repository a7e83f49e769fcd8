//! `myim`: the whole suite as one program, and its command line.

mod account;
mod chat;
mod cli;
mod failure;
mod serve;

use std::env::args_os;
use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Context;
use clap::{CommandFactory, Parser, Subcommand};
use cli::admin::upgrade::{self, UpgradeArgs};
use cli::admin::{self, AdminArgs};
use cli::completions::{self, CompletionsArgs};
use cli::flamingo::{self, FlamingoArgs};
use cli::import::{self, ImportArgs};
use cli::man::{self, ManArgs};
use cli::{output, talk};
use failure::Failure;

#[derive(Parser)]
#[command(
    name = "myim",
    version,
    about = "A self-hosted instant messaging suite",
    override_usage = "myim [COMMAND]"
)]
#[command(after_help = "Without a command: myim serve.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the chat, file and image server in one process; --help shows the settings
    #[command(disable_help_flag = true)]
    Serve {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
        args: Vec<OsString>,
    },
    /// Take over the database or the files of an original Flamingo installation
    Import(ImportArgs),
    /// Chat in the terminal
    Chat(chat::ChatArgs),
    #[command(flatten)]
    Talk(talk::Verb),
    /// Administer a server: accounts, groups, sessions, invites, checks
    Admin(AdminArgs),
    /// Publish upgrade packages of clients
    Upgrade(UpgradeArgs),
    /// Talk to a server as the existing Flamingo clients do
    Flamingo(FlamingoArgs),
    /// Print what a shell needs to complete the command line
    Completions(CompletionsArgs),
    /// Write the manual pages into a directory
    Man(ManArgs),
}

fn main() -> ExitCode {
    let args: Vec<_> = args_os().collect();
    if let Some(ended) = image_server::worker::run_if_asked(&args) {
        return ended;
    }
    let args = with_serve(args);
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) => return misused(&error, &args),
    };
    match cli.command {
        Command::Serve { args } => serve::run(&args),
        Command::Import(args) => import::run(args),
        Command::Chat(args) => chat::run(&args),
        Command::Talk(verb) => talk::run(verb),
        Command::Admin(args) => admin::run(args),
        Command::Upgrade(args) => upgrade::run(args),
        Command::Flamingo(args) => converse(args),
        Command::Completions(args) => completions::run(&args, Cli::command()),
        Command::Man(args) => man::run(&args, Cli::command()),
    }
}

/// Wrong use, or a request for help. Whoever reads JSON reads it here too.
fn misused(error: &clap::Error, args: &[OsString]) -> ExitCode {
    if error.use_stderr() && args.iter().any(|arg| arg == "--json") {
        let text = error.to_string();
        let sentence = text.lines().next().unwrap_or_default();
        let sentence = sentence.strip_prefix("error: ").unwrap_or(sentence);
        let failure = Failure::usage(sentence);
        return ExitCode::from(output::report(&failure.into(), true).code());
    }
    error.exit()
}

/// Waits for the conversation's end; an error is one sentence on standard error.
fn converse(args: FlamingoArgs) -> ExitCode {
    let done = tokio::runtime::Runtime::new()
        .context("cannot start the runtime")
        .and_then(|runtime| runtime.block_on(flamingo::run(args)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("myim: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// `myim` and `myim --chat-port 0` mean `myim serve`; only help and version are its own.
fn with_serve(mut args: Vec<OsString>) -> Vec<OsString> {
    let own = ["-h", "--help", "-V", "--version"];
    let serves = args.get(1).is_none_or(|first| {
        first.to_string_lossy().starts_with('-') && !own.iter().any(|flag| first == flag)
    });
    if serves {
        args.insert(1.min(args.len()), "serve".into());
    }
    args
}
