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
use clap::{Parser, Subcommand};
use cli::flamingo::{self, FlamingoArgs};
use cli::import::{self, ImportArgs};

#[derive(Parser)]
#[command(
    name = "myim",
    version,
    about = "A self-hosted instant messaging suite"
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
    /// Talk to a server as the existing Flamingo clients do
    Flamingo(FlamingoArgs),
}

fn main() -> ExitCode {
    match Cli::parse_from(with_serve(args_os().collect())).command {
        Command::Serve { args } => serve::run(&args),
        Command::Import(args) => import::run(args),
        Command::Chat(args) => chat::run(&args),
        Command::Flamingo(args) => converse(args),
    }
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
