//! The text that a verb is given: as arguments, or on standard input.

use std::io::{self, IsTerminal, Read};

use crate::failure::Failure;

/// Several words become one text. For `-`, and without words if nobody types: standard input,
/// without the end of its last line.
pub(super) fn given(words: &[String]) -> anyhow::Result<String> {
    if words != ["-"] && (!words.is_empty() || io::stdin().is_terminal()) {
        return Ok(words.join(" "));
    }
    let mut text = String::new();
    io::stdin()
        .lock()
        .read_to_string(&mut text)
        .map_err(|error| Failure::local("standard input", error))?;
    if text.ends_with('\n') {
        text.pop();
    }
    Ok(text)
}
