//! The second checker, `scripts/check-history`, asked about a history: it has to find the same.

use std::io::{self, Write as _};
use std::process::{Command, Stdio};
use std::thread;

use super::check::Violation;
use super::history::{self, Event, Line};
use crate::foreign::root;

/// Which sentence is broken, where, at which number, and by whom.
pub type Key = (String, String, Option<u64>, String);

/// What the second checker finds, in order.
///
/// # Errors
/// When it cannot be run, or fails.
pub fn check(history: &[Event]) -> io::Result<Vec<Key>> {
    let mut text = Vec::new();
    for event in history {
        let line = Line {
            at_ms: 0,
            event: event.clone(),
        };
        history::write(&mut text, &line)?;
    }
    let mut python = Command::new("python3")
        .arg(root().join("scripts/check-history"))
        .arg("--json")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let input = python.stdin.take();
    let (output, written) = thread::scope(|scope| {
        let write = scope.spawn(|| input.map_or(Ok(()), |mut input| input.write_all(&text)));
        let output = python.wait_with_output();
        (output, write.join().expect("writing does not panic"))
    });
    let output = output?;
    if !output.status.success() {
        return Err(io::Error::other(format!("{}", output.status)));
    }
    written?;
    let lines = output.stdout.split(|byte| *byte == b'\n');
    let keys = lines.filter(|line| !line.is_empty());
    let mut keys = keys
        .map(|line| serde_json::from_slice(line).map_err(io::Error::other))
        .collect::<io::Result<Vec<Key>>>()?;
    keys.sort();
    Ok(keys)
}

/// The same of what the first one found.
pub fn keys(found: &[Violation]) -> Vec<Key> {
    let key = |one: &Violation| {
        (
            one.invariant.to_owned(),
            one.place.clone(),
            one.seq,
            one.who.clone(),
        )
    };
    let mut keys: Vec<_> = found.iter().map(key).collect();
    keys.sort();
    keys
}
