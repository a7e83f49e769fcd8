//! Shows how far a file is: a bar on a terminal, a line a second elsewhere, nothing for what takes
//! no second; and that it broke and goes on.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use client::transfer;
use indicatif::{HumanBytes, HumanDuration, ProgressBar, ProgressStyle};
use serde_json::json;

use crate::cli::harmless;
use crate::cli::output::{self, Output};

/// What takes less is not worth a word; also the time between two lines.
const EVERY: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Progress {
    name: String,
    json: bool,
    started: Instant,
    /// How much was there when the counting began.
    first: Option<u64>,
    told: Instant,
    bar: Option<ProgressBar>,
    reached: Option<(u64, u64)>,
}

impl Progress {
    pub(super) fn new(output: Output, name: &str) -> Self {
        let now = Instant::now();
        Self {
            name: harmless::line(name),
            json: output.json,
            started: now,
            first: None,
            told: now,
            bar: None,
            reached: None,
        }
    }

    pub(super) fn hear(&mut self, step: &transfer::Progress) {
        match step {
            transfer::Progress::Moved { done, total } => {
                self.reached = Some((*done, *total));
                self.show(*done, *total);
            }
            transfer::Progress::Waiting { reason, next_try } => {
                self.end();
                let name = &self.name;
                let seconds = next_try.as_secs_f64();
                let note = format!("{name}: {reason}; going on in {seconds:.1} s");
                output::note(self.json, "broken", &note);
            }
        }
    }

    /// How many bytes of how many are through; `None` before the server took or sent any.
    pub(super) fn reached(&self) -> Option<(u64, u64)> {
        self.reached
    }

    /// So many bytes of so many.
    fn show(&mut self, done: u64, total: u64) {
        let first = *self.first.get_or_insert(done);
        if let Some(bar) = &self.bar {
            bar.set_length(total);
            bar.set_position(done);
            return;
        }
        if self.told.elapsed() < EVERY || done >= total {
            return;
        }
        if !self.json && io::stderr().is_terminal() {
            self.bar = Some(self.make_bar(done, total));
            return;
        }
        self.told = Instant::now();
        let (rate, left) = estimate(
            done.saturating_sub(first),
            total - done,
            self.started.elapsed(),
        );
        self.line(done, total, rate, left);
    }

    /// Takes the bar away.
    pub(super) fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    fn make_bar(&self, done: u64, total: u64) -> ProgressBar {
        let bar = ProgressBar::new(total)
            .with_elapsed(self.started.elapsed())
            .with_position(done)
            .with_message(self.name.clone());
        let style = "{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta} left";
        bar.set_style(ProgressStyle::with_template(style).expect("the template is well-formed"));
        bar
    }

    fn line(&self, done: u64, total: u64, rate: u64, left: Duration) {
        let line = if self.json {
            let progress = json!({
                "name": self.name,
                "done": done,
                "total": total,
                "bytes_per_second": rate,
                "seconds_left": left.as_secs(),
            });
            json!({"progress": progress}).to_string()
        } else {
            format!(
                "{}: {} of {}, {}/s, {} left",
                self.name,
                HumanBytes(done),
                HumanBytes(total),
                HumanBytes(rate),
                HumanDuration(left)
            )
        };
        // It is only for whoever looks.
        let _ = writeln!(io::stderr().lock(), "{line}");
    }
}

/// Bytes a second, and how long the rest takes at that rate.
fn estimate(moved: u64, left: u64, time: Duration) -> (u64, Duration) {
    let milliseconds = u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1);
    let rate = moved.saturating_mul(1000) / milliseconds;
    (
        rate,
        Duration::from_secs(left.checked_div(rate).unwrap_or_default()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_takes_as_long_as_what_came() {
        let second = Duration::from_secs(1);
        assert_eq!(estimate(100, 300, second), (100, 3 * second));
        assert_eq!(estimate(0, 300, second), (0, Duration::ZERO));
    }
}
