//! Gets a password without it standing on the command line or the screen.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use crate::failure::Failure;

/// The password that was given, else a line of standard input; asked for if that is a terminal,
/// twice for a new one.
pub(crate) async fn read(given: Option<String>, new: bool) -> anyhow::Result<String> {
    match given {
        Some(password) => not_empty(password),
        None if !io::stdin().is_terminal() => not_empty(first_line_of_input().await?),
        None => prompted(new).await,
    }
}

/// The first line of a file, or of standard input for `-`; asked for at the terminal if no file is
/// given, twice for a new one.
pub(crate) async fn from_file(file: Option<&Path>, new: bool) -> anyhow::Result<String> {
    match file {
        Some(path) if path == Path::new("-") => not_empty(first_line_of_input().await?),
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| {
                Failure::local(format!("the password file {}", path.display()), error)
            })?;
            not_empty(text.lines().next().unwrap_or_default().to_owned())
        }
        None if io::stdin().is_terminal() => prompted(new).await,
        None => Err(Failure::usage(
            "there is no terminal to ask for the password: --password-file FILE says where it is, \
             - is standard input",
        )
        .into()),
    }
}

/// An answer that may be seen, from the terminal.
pub(crate) async fn ask_openly(prompt: &str) -> anyhow::Result<String> {
    let mut screen = io::stderr();
    write!(screen, "{prompt}").and_then(|()| screen.flush())?;
    match typed().await {
        Some(line) => Ok(line?.trim().to_owned()),
        None => std::process::exit(130),
    }
}

fn not_empty(password: String) -> anyhow::Result<String> {
    if password.is_empty() {
        return Err(Failure::usage("the password is empty").into());
    }
    Ok(password)
}

async fn prompted(new: bool) -> anyhow::Result<String> {
    let password = ask("Password: ").await?;
    if new && ask("The same again: ").await? != password {
        bail!(Failure::usage("the two are not the same"));
    }
    not_empty(password)
}

/// Asks with the terminal's echo off. Ctrl-C turns it on again before it ends the program.
async fn ask(prompt: &str) -> anyhow::Result<String> {
    let mut screen = io::stderr();
    let hidden = echo(false);
    let warning = if hidden { "" } else { "(will be visible) " };
    write!(screen, "{warning}{prompt}").and_then(|()| screen.flush())?;
    let typed = typed().await;
    if hidden {
        echo(true);
        writeln!(screen)?;
    }
    match typed {
        Some(typed) => typed,
        // The thread that reads the terminal cannot be stopped in another way.
        None => std::process::exit(130),
    }
}

/// A line of the terminal; `None` after Ctrl-C.
async fn typed() -> Option<anyhow::Result<String>> {
    tokio::select! {
        line = first_line_of_input() => Some(line),
        _ = tokio::signal::ctrl_c() => None,
    }
}

/// Whether the terminal did as told.
fn echo(on: bool) -> bool {
    let done = Command::new("stty")
        .arg(if on { "echo" } else { "-echo" })
        .stdin(Stdio::inherit())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    done.is_ok_and(|status| status.success())
}

async fn first_line_of_input() -> anyhow::Result<String> {
    tokio::task::spawn_blocking(line)
        .await
        .context("reading standard input was interrupted")?
}

fn line() -> anyhow::Result<String> {
    let mut line = String::new();
    io::stdin()
        .lock()
        .read_line(&mut line)
        .context("cannot read standard input")?;
    let end = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(end);
    Ok(line)
}
