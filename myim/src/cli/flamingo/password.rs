//! Gets a password without it standing on the command line or the screen.

use std::io::{self, BufRead, IsTerminal, Write};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

/// The password that was given, else a line of standard input; asked for if that is a terminal,
/// twice for a new one.
pub(in crate::cli) async fn read(given: Option<String>, new: bool) -> anyhow::Result<String> {
    let password = match given {
        Some(password) => password,
        None if !io::stdin().is_terminal() => tokio::task::spawn_blocking(line)
            .await
            .context("reading the password was interrupted")??,
        None => {
            let password = ask("Password: ").await?;
            if new && ask("The same again: ").await? != password {
                bail!("the two are not the same");
            }
            password
        }
    };
    if password.is_empty() {
        bail!("the password is empty");
    }
    Ok(password)
}

/// Asks with the terminal's echo off. Ctrl-C turns it on again before it ends the program.
async fn ask(prompt: &str) -> anyhow::Result<String> {
    let mut screen = io::stderr();
    let hidden = echo(false);
    let warning = if hidden { "" } else { "(will be visible) " };
    write!(screen, "{warning}{prompt}").and_then(|()| screen.flush())?;
    let typed = tokio::select! {
        typed = tokio::task::spawn_blocking(line) => Some(typed),
        _ = tokio::signal::ctrl_c() => None,
    };
    if hidden {
        echo(true);
        writeln!(screen)?;
    }
    match typed {
        Some(typed) => typed.context("reading the password was interrupted")?,
        // The thread that reads the terminal cannot be stopped in another way.
        None => std::process::exit(130),
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

fn line() -> anyhow::Result<String> {
    let mut line = String::new();
    io::stdin()
        .lock()
        .read_line(&mut line)
        .context("cannot read the password")?;
    let end = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(end);
    Ok(line)
}
