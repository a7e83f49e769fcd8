//! Every number that the servers count, with its name, unit and meaning.
//!
//! What is counted often is a static here, so that counting it is one addition. Labels have few
//! values, and never say who: no user, no conversation, no file.

use std::sync::LazyLock;

use metrics::{Counter, Gauge, Histogram, Unit, counter, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use super::numbers::Numbers;
use super::own_process;
use crate::store::StoreError;

/// A metric as it is known to the outside.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    pub name: &'static str,
    pub kind: Kind,
    pub unit: Unit,
    /// One sentence.
    pub text: &'static str,
}

#[derive(Clone, Copy, Debug)]
pub enum Kind {
    Counter,
    Gauge,
    /// With these upper bounds.
    Histogram(&'static [f64]),
    /// Read from the system when somebody asks.
    OwnProcess(own_process::Reading),
}

/// Half a millisecond to ten seconds: what a person notices begins at 100 ms.
const SECONDS: &[f64] = &[
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// The committer's largest batch is 1024.
const BATCH: &[f64] = &[
    1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0,
];

macro_rules! metrics {
    ($($constant:ident: $kind:expr, $unit:ident, $name:literal, $text:literal;)*) => {
        $(pub const $constant: Metric = Metric {
            name: $name,
            kind: $kind,
            unit: Unit::$unit,
            text: $text,
        };)*

        /// All of them.
        pub const ALL: &[Metric] = &[$($constant),*];
    };
}

metrics! {
    BUILD_INFO: Kind::Gauge, Count, "myim_build_info",
        "Always 1; the label says which version runs.";
    CONNECTIONS: Kind::Gauge, Count, "myim_connections",
        "Open connections, by what is spoken on them.";
    ACCEPTS: Kind::Counter, Count, "myim_accepts_total",
        "Connections that came: admitted, refused at a limit, or failed in the system.";
    HANDSHAKES: Kind::Histogram(SECONDS), Seconds, "myim_handshake_duration_seconds",
        "How long TLS handshakes took.";
    PROTOCOL_ERRORS: Kind::Counter, Count, "myim_protocol_errors_total",
        "Connections that were ended because of what the peer did or did not send.";
    SLOW_CONSUMERS: Kind::Counter, Count, "myim_slow_consumer_disconnects_total",
        "Connections that were closed because the peer took no data.";
    RATE_LIMITED: Kind::Counter, Count, "myim_rate_limited_total",
        "Requests that were refused because too many came, by what was limited.";
    AUTH_ATTEMPTS: Kind::Counter, Count, "myim_auth_attempts_total",
        "Logins, by how they ended.";
    MESSAGES_ACCEPTED: Kind::Counter, Count, "myim_messages_accepted_total",
        "Messages and notices that were saved.";
    MESSAGES_DEDUPLICATED: Kind::Counter, Count, "myim_messages_deduplicated_total",
        "Messages that had been saved before and came again.";
    MESSAGES_DELIVERED: Kind::Counter, Count, "myim_messages_delivered_total",
        "Messages that were written to a device, by what is spoken with it.";
    ACKS: Kind::Histogram(SECONDS), Seconds, "myim_ack_duration_seconds",
        "From handing in a message until it was durable and its sender was told.";
    COMMIT_BATCHES: Kind::Histogram(BATCH), Count, "myim_commit_batch_size",
        "Changes that were committed together.";
    COMMITS: Kind::Histogram(SECONDS), Seconds, "myim_commit_duration_seconds",
        "How long commits took, those that failed included.";
    DB_ERRORS: Kind::Counter, Count, "myim_db_errors_total",
        "Calls that the database did not carry out, by what was wrong.";
    SEQ_GAPS: Kind::Counter, Count, "myim_seq_gap_total",
        "Entries that were missing in a conversation; anything but 0 is a fault of the server.";
    FANOUT_LAG: Kind::Histogram(SECONDS), Seconds, "myim_fanout_lag_seconds",
        "From the commit of a message until it was written to a device that is on line.";
    WEBHOOK_POSTS: Kind::Counter, Count, "myim_webhook_posts_total",
        "Events that were posted to targets of webhooks, by whether they were taken.";
    WEBHOOK_DEAD_LETTERS: Kind::Counter, Count, "myim_webhook_dead_letters_total",
        "Events that no target took: kept as dead letters, or dropped because there were too many.";
    WEBHOOK_LAG: Kind::Histogram(SECONDS), Seconds, "myim_webhook_lag_seconds",
        "From the commit of a message until a webhook's target had taken it.";
    WEBHOOKS_RETRYING: Kind::Gauge, Count, "myim_webhooks_retrying",
        "Webhooks whose target did not take an event and that wait to post it again.";
    UPLOAD_BYTES: Kind::Counter, Bytes, "myim_upload_bytes_total",
        "Bytes of files that were received.";
    DOWNLOAD_BYTES: Kind::Counter, Bytes, "myim_download_bytes_total",
        "Bytes of files that were sent.";
    UPLOADS_ACTIVE: Kind::Gauge, Count, "myim_uploads_active",
        "Files that are being received.";
    FILES_DELETED: Kind::Counter, Count, "myim_files_deleted_total",
        "Files that were deleted because nothing referred to them, or because of their age.";
    UPLOAD_HASH_MISMATCHES: Kind::Counter, Count, "myim_upload_hash_mismatch_total",
        "Uploads whose content did not match what they were announced as.";
    PICTURE_WORKER_FAILURES: Kind::Counter, Count, "myim_picture_worker_failures_total",
        "Processes that ended while they decoded a picture, by why; they are replaced.";
    PROCESS_CPU: Kind::OwnProcess(own_process::Reading::CpuSeconds), Seconds,
        "process_cpu_seconds_total", "Processor time that was used.";
    PROCESS_RESIDENT: Kind::OwnProcess(own_process::Reading::ResidentBytes), Bytes,
        "process_resident_memory_bytes", "Memory that is used.";
    PROCESS_OPEN_FDS: Kind::OwnProcess(own_process::Reading::OpenDescriptors), Count,
        "process_open_fds", "File descriptors that are open.";
    PROCESS_MAX_FDS: Kind::OwnProcess(own_process::Reading::DescriptorsMax), Count,
        "process_max_fds", "File descriptors that may be open.";
    PROCESS_START: Kind::OwnProcess(own_process::Reading::StartSeconds), Seconds,
        "process_start_time_seconds", "When the process started, in seconds since 1970.";
}

/// Counters and histograms for everyday use. They count from the first use after [`install`].
macro_rules! cached {
    ($($name:ident: $kind:ident = $make:expr;)*) => {
        $(pub static $name: LazyLock<$kind> = LazyLock::new(|| $make);)*

        /// Makes all of them known with nothing counted: monitoring does not see a number's first
        /// step if it was not there before.
        fn begin_at_zero() {
            $(LazyLock::force(&$name);)*
        }
    };
}

cached! {
    ACCEPTS_ADMITTED: Counter = counter!(ACCEPTS.name, "result" => "admitted");
    ACCEPTS_REFUSED: Counter = counter!(ACCEPTS.name, "result" => "refused");
    ACCEPTS_FAILED: Counter = counter!(ACCEPTS.name, "result" => "failed");
    HANDSHAKE_DURATION: Histogram = histogram!(HANDSHAKES.name);
    SLOW_CONSUMER_DISCONNECTS: Counter = counter!(SLOW_CONSUMERS.name);
    MESSAGES_ACCEPTED_TOTAL: Counter = counter!(MESSAGES_ACCEPTED.name);
    MESSAGES_DEDUPLICATED_TOTAL: Counter = counter!(MESSAGES_DEDUPLICATED.name);
    DELIVERED_FLAMINGO: Counter = counter!(MESSAGES_DELIVERED.name, "transport" => "flamingo");
    DELIVERED_WEBSOCKET: Counter = counter!(MESSAGES_DELIVERED.name, "transport" => "websocket");
    DELIVERED_HTTP: Counter = counter!(MESSAGES_DELIVERED.name, "transport" => "http");
    DELIVERED_WEBHOOK: Counter = counter!(MESSAGES_DELIVERED.name, "transport" => "webhook");
    ACK_DURATION: Histogram = histogram!(ACKS.name);
    COMMIT_BATCH_SIZE: Histogram = histogram!(COMMIT_BATCHES.name);
    COMMIT_DURATION: Histogram = histogram!(COMMITS.name);
    SEQ_GAP_TOTAL: Counter = counter!(SEQ_GAPS.name);
    FANOUT_LAG_SECONDS: Histogram = histogram!(FANOUT_LAG.name);
    WEBHOOK_POSTS_TAKEN: Counter = counter!(WEBHOOK_POSTS.name, "result" => "taken");
    WEBHOOK_POSTS_FAILED: Counter = counter!(WEBHOOK_POSTS.name, "result" => "failed");
    WEBHOOK_LETTERS_KEPT: Counter = counter!(WEBHOOK_DEAD_LETTERS.name, "what" => "kept");
    WEBHOOK_LETTERS_DROPPED: Counter = counter!(WEBHOOK_DEAD_LETTERS.name, "what" => "dropped");
    WEBHOOK_LAG_SECONDS: Histogram = histogram!(WEBHOOK_LAG.name);
    WEBHOOKS_RETRYING_NOW: Gauge = gauge!(WEBHOOKS_RETRYING.name);
    UPLOAD_BYTES_TOTAL: Counter = counter!(UPLOAD_BYTES.name);
    DOWNLOAD_BYTES_TOTAL: Counter = counter!(DOWNLOAD_BYTES.name);
    FILES_DELETED_TOTAL: Counter = counter!(FILES_DELETED.name);
    UPLOADS_ACTIVE_NOW: Gauge = gauge!(UPLOADS_ACTIVE.name);
    UPLOAD_HASH_MISMATCH_TOTAL: Counter = counter!(UPLOAD_HASH_MISMATCHES.name);
    CONNECTIONS_FLAMINGO: Gauge = gauge!(CONNECTIONS.name, "transport" => "flamingo");
    CONNECTIONS_HTTP: Gauge = gauge!(CONNECTIONS.name, "transport" => "http");
    CONNECTIONS_WEBSOCKET: Gauge = gauge!(CONNECTIONS.name, "transport" => "websocket");
    CONNECTIONS_TRANSFER: Gauge = gauge!(CONNECTIONS.name, "transport" => "transfer");
}

/// What is spoken on a connection, as a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// The chat protocol of the existing clients.
    Flamingo,
    /// Their protocol for files and pictures.
    Transfer,
    Http,
    Websocket,
}

impl Transport {
    /// The number of open connections of this kind.
    pub fn connections(self) -> &'static Gauge {
        match self {
            Self::Flamingo => &CONNECTIONS_FLAMINGO,
            Self::Transfer => &CONNECTIONS_TRANSFER,
            Self::Http => &CONNECTIONS_HTTP,
            Self::Websocket => &CONNECTIONS_WEBSOCKET,
        }
    }
}

/// Counts a connection that was ended because of its peer. Not for every day.
pub fn protocol_error(transport: &'static str, reason: &'static str) {
    counter!(PROTOCOL_ERRORS.name, "transport" => transport, "reason" => reason).increment(1);
}

/// Counts a process for pictures that ended before it had answered.
pub fn picture_worker_failed(reason: &'static str) {
    counter!(PICTURE_WORKER_FAILURES.name, "reason" => reason).increment(1);
}

/// Counts a login.
pub fn auth_attempt(result: &'static str) {
    counter!(AUTH_ATTEMPTS.name, "result" => result).increment(1);
}

/// Counts a call that the database did not carry out.
pub fn db_error(error: &StoreError) {
    let class = match error {
        StoreError::Unreachable(_) => "unreachable",
        StoreError::OutcomeUnknown(_) => "outcome_unknown",
        StoreError::SyncFailed(_) => "sync_failed",
        StoreError::InUse(_) => "in_use",
        StoreError::Newer { .. } => "newer",
        StoreError::WeakDurability { .. } => "weak_durability",
        StoreError::Broken(_) => "broken",
    };
    counter!(DB_ERRORS.name, "class" => class).increment(1);
}

/// Counts a request that came too often.
pub fn rate_limited(scope: &'static str) {
    counter!(RATE_LIMITED.name, "scope" => scope).increment(1);
}

/// What was counted since the process began.
#[derive(Clone, Debug)]
pub struct Counted(PrometheusHandle);

/// Starts counting. Only the first call of a process counts anything.
pub fn install() -> Result<Counted, BuildError> {
    let mut builder = PrometheusBuilder::new();
    for metric in ALL {
        if let Kind::Histogram(bounds) = metric.kind {
            let matcher = Matcher::Full(metric.name.to_owned());
            builder = builder.set_buckets_for_metric(matcher, bounds)?;
        }
    }
    let recorder = builder.build_recorder();
    let counted = Counted(recorder.handle());
    // Tests start several servers in a process: the first one's recorder stays.
    if metrics::set_global_recorder(recorder).is_ok() {
        describe();
        begin_at_zero();
        gauge!(BUILD_INFO.name, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    }
    Ok(counted)
}

fn describe() {
    for metric in ALL {
        let Metric {
            name, unit, text, ..
        } = *metric;
        match metric.kind {
            Kind::Counter => metrics::describe_counter!(name, unit, text),
            Kind::Gauge => metrics::describe_gauge!(name, unit, text),
            Kind::Histogram(_) => metrics::describe_histogram!(name, unit, text),
            Kind::OwnProcess(_) => {}
        }
    }
}

impl Counted {
    /// Everything, to be looked at by the program itself.
    pub fn numbers(&self) -> Numbers {
        self.0.run_upkeep();
        Numbers::read(&self.0.render())
    }

    /// Everything, in Prometheus' text format.
    pub fn text(&self) -> String {
        self.0.run_upkeep();
        let mut text = self.0.render();
        own_process::append(&mut text, ALL);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_named_and_explained_as_monitoring_expects() {
        for metric in ALL {
            let Metric { name, text, .. } = metric;
            assert!(
                name.starts_with("myim_") || name.starts_with("process_"),
                "{name}"
            );
            assert!(text.ends_with('.') && !text.contains('\n'), "{name}");
            let counts = matches!(metric.kind, Kind::Counter);
            assert!(!counts || name.ends_with("_total"), "{name}");
            let seconds = matches!(metric.unit, Unit::Seconds);
            assert_eq!(seconds, name.contains("_seconds"), "{name}");
        }
        let mut names: Vec<_> = ALL.iter().map(|metric| metric.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
    }

    #[test]
    fn what_was_counted_can_be_read() {
        let counted = install().unwrap();
        ACCEPTS_ADMITTED.increment(2);
        COMMIT_DURATION.record(0.003);
        protocol_error("flamingo", "bad_frame");
        let text = counted.text();
        for part in [
            "# TYPE myim_build_info gauge\nmyim_build_info{version=\"",
            "# HELP myim_accepts_total Connections that came",
            "myim_accepts_total{result=\"admitted\"}",
            "myim_commit_duration_seconds_bucket{le=\"0.005\"} 1",
            "myim_protocol_errors_total{transport=\"flamingo\",reason=\"bad_frame\"}",
            "# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes ",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
    }
}
