//! How the server did during the last hour: every ten seconds a look at what is counted anyway, kept
//! in memory for administrators.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use common::id::Millis;
use common::telemetry::metrics::{
    COMMITS, CONNECTIONS, DOWNLOAD_BYTES, MESSAGES_ACCEPTED, MESSAGES_DELIVERED, Metric,
    UPLOAD_BYTES, WEBHOOKS_RETRYING,
};
use common::telemetry::{Badness, Insight, Numbers};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::log::Unindexed;

/// The time between two samples.
pub const EVERY: Duration = Duration::from_secs(10);
/// An hour of them.
pub const SAMPLES_MAX: usize = 360;

/// Takes samples until `shutdown`.
pub async fn run(app: Arc<App>, unindexed: Arc<Unindexed>, shutdown: CancellationToken) {
    let mut ticks = interval(EVERY);
    // A machine that slept has nothing to tell of the time in between.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
        let now = Now {
            at: app.clock.now(),
            users_online: app.hub.users_count(),
            log_queue: app.log.waiting(),
            index_queue: unindexed.waiting(),
        };
        app.activity.sample(now, &app.insight);
    }
}

/// What is asked at the moment of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    pub at: Millis,
    pub users_online: usize,
    /// Changes that wait to be saved.
    pub log_queue: usize,
    /// Conversations that wait for the search index.
    pub index_queue: usize,
}

/// One moment, and what happened since the one before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    pub now: Now,
    /// Open connections of this program.
    pub connections: Connections,
    /// Webhooks that wait to post again what their target did not take.
    pub webhooks_retrying: u64,
    /// Messages and notices that were saved.
    pub messages: u64,
    /// Messages that were written to devices.
    pub deliveries: u64,
    /// How long commits took, in seconds; `None` if there were none.
    pub commit_p50_s: Option<f64>,
    pub commit_p99_s: Option<f64>,
    /// Lines of the log.
    pub warnings: u64,
    pub errors: u64,
    /// Of files.
    pub upload_bytes: u64,
    pub download_bytes: u64,
}

/// By what is spoken on them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Connections {
    pub flamingo: u64,
    pub websocket: u64,
    pub http: u64,
    pub transfer: u64,
}

/// The samples of the last hour.
#[derive(Debug, Default)]
pub struct Activity {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    samples: VecDeque<Sample>,
    before: Option<Counts>,
}

/// What was counted until a moment.
#[derive(Debug)]
struct Counts {
    numbers: Numbers,
    warnings: u64,
    errors: u64,
}

impl Activity {
    /// The oldest first.
    pub fn samples(&self) -> Vec<Sample> {
        self.lock().samples.iter().copied().collect()
    }

    /// Takes a sample. The first one has nothing before it: it tells of the time since the start.
    pub fn sample(&self, now: Now, insight: &Insight) {
        let counts = Counts {
            numbers: insight.numbers(),
            warnings: insight.recent.count(Badness::Warn),
            errors: insight.recent.count(Badness::Error),
        };
        let mut state = self.lock();
        let sample = sample(now, &counts, state.before.as_ref());
        state.before = Some(counts);
        if state.samples.len() == SAMPLES_MAX {
            state.samples.pop_front();
        }
        state.samples.push_back(sample);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn sample(now: Now, counts: &Counts, before: Option<&Counts>) -> Sample {
    let nothing = Numbers::default();
    let (numbers, earlier) = (&counts.numbers, before.map_or(&nothing, |one| &one.numbers));
    let since = |metric: Metric| whole(numbers.sum(metric) - earlier.sum(metric));
    let commits = numbers
        .histogram(COMMITS)
        .since(&earlier.histogram(COMMITS));
    let of = |transport| whole(numbers.labeled(CONNECTIONS, "transport", transport));
    Sample {
        now,
        connections: Connections {
            flamingo: of("flamingo"),
            websocket: of("websocket"),
            http: of("http"),
            transfer: of("transfer"),
        },
        webhooks_retrying: whole(numbers.sum(WEBHOOKS_RETRYING)),
        messages: since(MESSAGES_ACCEPTED),
        deliveries: since(MESSAGES_DELIVERED),
        commit_p50_s: commits.quantile(0.5),
        commit_p99_s: commits.quantile(0.99),
        warnings: counts.warnings - before.map_or(0, |one| one.warnings),
        errors: counts.errors - before.map_or(0, |one| one.errors),
        upload_bytes: since(UPLOAD_BYTES),
        download_bytes: since(DOWNLOAD_BYTES),
    }
}

/// A count as the number that it is: monitoring has them all with fractions.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "`as` ends at the bounds, and nothing that is counted gets there"
)]
fn whole(number: f64) -> u64 {
    number.round() as u64
}

#[cfg(test)]
mod tests {
    use common::telemetry::metrics::{self, COMMIT_DURATION, MESSAGES_ACCEPTED_TOTAL};

    use super::*;

    fn at(at: i64) -> Now {
        Now {
            at: Millis(at),
            users_online: 2,
            log_queue: 3,
            index_queue: 4,
        }
    }

    #[test]
    fn a_sample_tells_what_happened_since_the_one_before() {
        let insight = Insight {
            counted: Some(metrics::install().unwrap()),
            ..Insight::default()
        };
        let activity = Activity::default();
        activity.sample(at(1), &insight);
        MESSAGES_ACCEPTED_TOTAL.increment(5);
        COMMIT_DURATION.record(0.002);
        activity.sample(at(2), &insight);
        let samples = activity.samples();
        assert_eq!((samples[0].now, samples[1].now), (at(1), at(2)));
        // Other tests of this process may count too.
        assert!(samples[1].messages >= 5, "{samples:?}");
        let (median, slowest) = (samples[1].commit_p50_s, samples[1].commit_p99_s);
        assert!(median > Some(0.0) && median <= slowest, "{samples:?}");
    }

    #[test]
    fn an_hour_is_kept() {
        let activity = Activity::default();
        for number in 0..=360 {
            activity.sample(at(number), &Insight::default());
        }
        let samples = activity.samples();
        assert_eq!(samples.len(), SAMPLES_MAX);
        assert_eq!((samples[0].now, samples[359].now), (at(1), at(360)));
        assert_eq!(samples[359].commit_p50_s, None);
        assert_eq!(samples[359].messages, 0);
    }
}
