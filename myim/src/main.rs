//! The program `myim`: reads the command line and hands over to the verb.

mod cli;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(
    name = "myim",
    version,
    about = "A self-hosted instant messaging suite"
)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Talk to a server as the existing Flamingo clients do
    Flamingo(cli::flamingo::FlamingoArgs),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Arguments::parse().verb {
        Verb::Flamingo(args) => cli::flamingo::run(args).await,
    }
}
