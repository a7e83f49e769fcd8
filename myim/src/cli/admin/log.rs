//! `myim admin log verify`

use std::io::{self, IsTerminal, Write};

use clap::Subcommand;
use hyper::Method;

use super::Desk;
use super::output::text;
use super::trouble::Trouble;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Look through the whole database for what cannot be: gaps, times that run backwards, rows that
    /// point nowhere; the server goes on meanwhile
    Verify,
}

/// Shows what is found as it is found; refused if anything is.
pub(super) async fn verify(desk: &Desk) -> Result<(), Trouble> {
    let mut end = None;
    let shows_progress = !desk.output.json && io::stderr().is_terminal();
    let each = |line: serde_json::Value| {
        match line["type"].as_str() {
            Some("progress") if !desk.output.json => {
                if shows_progress {
                    let (all, entries) = (text(&line, "conversations"), text(&line, "entries"));
                    let so_far = match line["conversations"].as_u64() {
                        Some(0) => "looking through the database".to_owned(),
                        _ => format!("{all} conversations, {entries} entries so far"),
                    };
                    // It only helps to wait.
                    let _ = write!(io::stderr(), "\r{so_far}\x1b[K");
                    let _ = io::stderr().flush();
                }
                return Ok(());
            }
            Some("error") => return Err(Trouble::unreachable(text(&line, "text"))),
            Some("end") => end = line["findings"].as_u64(),
            _ => {}
        }
        if shows_progress {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
        let sentence = match line["type"].as_str() {
            Some("end") => match line["findings"].as_u64() {
                Some(0) => format!(
                    "{} conversations with {} entries are in order.",
                    text(&line, "conversations"),
                    text(&line, "entries")
                ),
                _ => format!(
                    "{} findings in {} conversations with {} entries.",
                    text(&line, "findings"),
                    text(&line, "conversations"),
                    text(&line, "entries")
                ),
            },
            _ => text(&line, "text"),
        };
        desk.output.line(&line, &sentence)
    };
    desk.way.lines(Method::POST, "/log/verify", each).await?;
    match end {
        Some(0) => Ok(()),
        Some(_) => Err(Trouble::found()),
        None => Err(Trouble::unreachable(
            "the look through the database broke off before its end",
        )),
    }
}
