//! Asks before something is done that cannot be undone easily.

use std::io::{self, BufRead, IsTerminal, Write};

use super::Desk;
use super::table::harmless;
use super::trouble::Trouble;

impl Desk {
    /// Asks on a terminal; a script is taken at its word.
    pub(super) async fn be_sure(&self, what: &str) -> Result<(), Trouble> {
        if self.yes || !io::stdin().is_terminal() {
            return Ok(());
        }
        let question = format!("{} Sure? [y/N] ", harmless(what));
        let answer = tokio::task::spawn_blocking(move || ask(&question)).await;
        match answer {
            Ok(Ok(answer)) if is_yes(&answer) => Ok(()),
            Ok(Ok(_)) => Err(Trouble::refused("nothing was done")),
            Ok(Err(error)) => Err(Trouble::usage(format!(
                "cannot ask whether you are sure: {error}; give --yes"
            ))),
            Err(_) => Err(Trouble::refused("the question was interrupted")),
        }
    }
}

fn ask(question: &str) -> io::Result<String> {
    let mut screen = io::stderr();
    screen.write_all(question.as_bytes())?;
    screen.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(answer)
}

fn is_yes(answer: &str) -> bool {
    ["y", "yes"].contains(&answer.trim().to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_is_yes() {
        assert!(is_yes("y\n") && is_yes(" YES "));
        assert!(!is_yes("") && !is_yes("no") && !is_yes("yep"));
    }
}
