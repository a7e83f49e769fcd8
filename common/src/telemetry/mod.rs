//! The log: on standard error, text for people and JSON for machines.
//!
//! `metrics` has the numbers that a monitoring system collects, `own_process` those of the process,
//! and `numbers` reads them back. `recent` keeps the last complaints for administrators.
//!
//! **Invariant:** no password and no message text is ever a field or a message.

pub mod metrics;
mod numbers;
mod own_process;
mod recent;
pub mod trace;

use std::io::{IsTerminal, stderr};
use std::panic::PanicHookInfo;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{LogConfig, LogFormat};

pub use numbers::{Buckets, Numbers};
pub use recent::{Badness, Line, Recent};

/// What a program knows of itself, for those who look after it.
#[derive(Clone, Debug, Default)]
pub struct Insight {
    /// Nothing where nobody counts.
    pub counted: Option<metrics::Counted>,
    pub recent: Recent,
}

impl Insight {
    /// The same in Prometheus' text format.
    pub fn text(&self) -> String {
        let counted = self.counted.as_ref();
        counted.map(metrics::Counted::text).unwrap_or_default()
    }

    /// Everything that was counted until now.
    pub fn numbers(&self) -> Numbers {
        let counted = self.counted.as_ref();
        counted.map(metrics::Counted::numbers).unwrap_or_default()
    }
}

/// Starts logging, and logs panics too. Answers where the last complaints are. A second call changes
/// nothing.
pub fn init(config: &LogConfig) -> Recent {
    let recent = Recent::default();
    let filter = EnvFilter::builder().parse_lossy(&config.log);
    let json = match config.log_format {
        LogFormat::Json => true,
        LogFormat::Text => false,
        LogFormat::Auto => !stderr().is_terminal(),
    };
    // A log that cannot be written must not end the server: without `log_internal_errors(false)`
    // the subscriber would complain on standard error too, and panic when that is closed.
    let started = if json {
        let layer = fmt::layer()
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .log_internal_errors(false)
            .with_writer(stderr);
        registry()
            .with(filter)
            .with(recent.clone())
            .with(layer)
            .try_init()
    } else {
        let layer = fmt::layer()
            .with_ansi(stderr().is_terminal())
            .log_internal_errors(false)
            .with_writer(stderr);
        registry()
            .with(filter)
            .with(recent.clone())
            .with(layer)
            .try_init()
    };
    if started.is_ok() {
        std::panic::set_hook(Box::new(log_panic));
    }
    recent
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string);
    let thread = std::thread::current();
    tracing::error!(
        reason = panic.payload_as_str().unwrap_or("no text"),
        place = place.unwrap_or_default(),
        thread = thread.name().unwrap_or_default(),
        backtrace = %std::backtrace::Backtrace::capture(),
        "a task panicked; its connection is closed, the others go on"
    );
}
