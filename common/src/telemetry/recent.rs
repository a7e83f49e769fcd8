//! The last lines of the log that somebody should look at, kept in memory for administrators.
//!
//! The same lines that are printed, of level warn and error: what the log must not say does not
//! get here either.

use std::collections::VecDeque;
use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use crate::clock::{Clock, SystemClock};
use crate::id::Millis;

/// How many lines are kept.
const LINES_MAX: usize = 200;
/// The longest text of a line and of a field, in bytes: the trace of a panic is much longer.
const TEXT_BYTES_MAX: usize = 1024;
/// Fields of one line. Ours have fewer.
const FIELDS_MAX: usize = 16;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Badness {
    Warn,
    Error,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub at: Millis,
    pub badness: Badness,
    /// The module that said it.
    pub target: String,
    pub message: String,
    /// Names and values, in the order in which they were said.
    pub fields: Vec<(&'static str, String)>,
}

/// The last lines. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Recent {
    kept: Arc<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    lines: Mutex<VecDeque<Line>>,
    warnings: AtomicU64,
    errors: AtomicU64,
}

impl Recent {
    /// The newest first.
    pub fn lines(&self) -> Vec<Line> {
        self.lock().iter().rev().cloned().collect()
    }

    /// How many lines of this kind there were since the start.
    pub fn count(&self, badness: Badness) -> u64 {
        self.counter(badness).load(Ordering::Relaxed)
    }

    fn counter(&self, badness: Badness) -> &AtomicU64 {
        match badness {
            Badness::Warn => &self.kept.warnings,
            Badness::Error => &self.kept.errors,
        }
    }

    fn keep(&self, line: Line) {
        self.counter(line.badness).fetch_add(1, Ordering::Relaxed);
        let mut lines = self.lock();
        if lines.len() == LINES_MAX {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Line>> {
        // Whoever panicked did so outside: what is in there is whole.
        self.kept
            .lines
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Subscriber> Layer<S> for Recent {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let about = event.metadata();
        let badness = match *about.level() {
            Level::ERROR => Badness::Error,
            Level::WARN => Badness::Warn,
            _ => return,
        };
        let mut said = Said::default();
        event.record(&mut said);
        self.keep(Line {
            at: SystemClock.now(),
            badness,
            target: about.target().to_owned(),
            message: said.message,
            fields: said.fields,
        });
    }
}

/// Collects what a line says.
#[derive(Default)]
struct Said {
    message: String,
    fields: Vec<(&'static str, String)>,
}

impl Visit for Said {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = Bounded(String::new());
        // What is too long is cut off, which is the only thing that can go wrong.
        let _ = write!(text, "{value:?}");
        let Bounded(text) = text;
        match field.name() {
            "message" => self.message = text,
            name if self.fields.len() < FIELDS_MAX => self.fields.push((name, text)),
            _ => {}
        }
    }
}

/// A text that takes no more than fits.
struct Bounded(String);

impl fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = TEXT_BYTES_MAX - self.0.len();
        if text.len() <= room {
            self.0.push_str(text);
            return Ok(());
        }
        self.0.push_str(&text[..text.floor_char_boundary(room)]);
        Err(fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::{EnvFilter, registry};

    use super::*;

    fn with(filter: &str, log: impl FnOnce()) -> Recent {
        let recent = Recent::default();
        let subscriber = registry().with(EnvFilter::new(filter)).with(recent.clone());
        tracing::subscriber::with_default(subscriber, log);
        recent
    }

    #[test]
    fn what_somebody_should_look_at_is_kept_with_its_fields() {
        let recent = with("info", || {
            tracing::info!("nothing special");
            tracing::warn!(attempts = 3, name = "ann", "too many");
            let error = std::io::Error::other("disk full");
            tracing::error!(%error, reason = ?Some(1), "cannot save");
        });
        let lines = recent.lines();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0].badness, Badness::Error);
        assert_eq!(lines[0].message, "cannot save");
        let fields = [
            ("error", "disk full".to_owned()),
            ("reason", "Some(1)".to_owned()),
        ];
        assert_eq!(lines[0].fields, fields);
        assert_eq!(
            (lines[1].badness, &*lines[1].message),
            (Badness::Warn, "too many")
        );
        assert_eq!(lines[1].fields[1], ("name", "ann".to_owned()));
        assert!(lines[0].target.contains("recent") && lines[0].at.0 > 0);
        let counts = [Badness::Warn, Badness::Error].map(|badness| recent.count(badness));
        assert_eq!(counts, [1, 1]);
    }

    #[test]
    fn what_is_not_printed_is_not_kept() {
        let recent = with("error", || tracing::warn!("quiet"));
        assert!(recent.lines().is_empty());
        assert_eq!(recent.count(Badness::Warn), 0);
    }

    #[test]
    fn there_is_a_bound_on_lines_and_on_texts() {
        let long = "ü".repeat(TEXT_BYTES_MAX);
        let recent = with("info", || {
            for number in 0..=LINES_MAX {
                tracing::warn!(number, "again");
            }
            tracing::error!(long, "{long}");
        });
        let lines = recent.lines();
        assert_eq!(lines.len(), LINES_MAX);
        assert_eq!(lines[LINES_MAX - 1].fields, [("number", "2".to_owned())]);
        assert_eq!(lines[0].message.len(), TEXT_BYTES_MAX);
        assert_eq!(lines[0].fields[0].1, lines[0].message);
        assert_eq!(recent.count(Badness::Warn), 201);
    }
}
