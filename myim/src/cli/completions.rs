//! `myim completions`: what a shell needs to complete the command line.

use std::io::{ErrorKind, Write, stdout};
use std::process::ExitCode;

use clap::{Args, Command};
use clap_complete::Shell;

use super::output;
use crate::failure::Failure;

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(args: &CompletionsArgs, mut command: Command) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "myim", &mut script);
    match stdout().write_all(&script) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read it has enough, as `head` does.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let failed = Failure::local("standard output", error);
            ExitCode::from(output::report(&failed.into(), false).code())
        }
    }
}
