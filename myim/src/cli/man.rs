//! `myim man`: writes manual pages, one a command.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Command};

use super::output;
use crate::failure::Failure;

#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// Where to put them; made if it is not there
    directory: PathBuf,
}

pub(crate) fn run(args: &ManArgs, command: Command) -> ExitCode {
    let written = fs::create_dir_all(&args.directory)
        .and_then(|()| clap_mangen::generate_to(command, &args.directory));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let failed = Failure::local(args.directory.display(), error);
            ExitCode::from(output::report(&failed.into(), false).code())
        }
    }
}
