//! How the server did during the last hour, what it complained about, and how it is set up.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use common::config::{InForce, Origin};
use common::telemetry::{Badness, Line};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::activity::{EVERY, Sample};
use crate::app::App;
use crate::command::admin;
use crate::protocol::web::extract::Admin;
use crate::protocol::web::list_page::Items;
use crate::protocol::web::router::WebState;
use crate::protocol::web::shape::Timestamp;

pub(super) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new()
        .routes(routes!(activity))
        .routes(routes!(errors))
        .routes(routes!(config))
}

/// The last hour.
#[derive(Serialize, ToSchema)]
struct LastHour {
    /// Seconds between two samples.
    interval_s: u64,
    /// The oldest first.
    items: Vec<ActivitySample>,
}

/// A moment, and what happened since the sample before; in the first one since the start of the
/// program.
#[derive(Serialize, ToSchema)]
struct ActivitySample {
    time: Timestamp,
    users_online: usize,
    connections: OpenConnections,
    /// Messages and notices that were saved.
    messages: u64,
    /// Messages that were written to devices.
    deliveries: u64,
    /// The median of how long commits took, estimated; null if there were none.
    #[schema(required)]
    commit_p50_ms: Option<f64>,
    /// 99 of 100 took no longer, estimated; null if there were none.
    #[schema(required)]
    commit_p99_ms: Option<f64>,
    queues: WaitingThings,
    /// Lines of the log.
    warnings: u64,
    errors: u64,
    /// Of files, by this program.
    upload_bytes: u64,
    download_bytes: u64,
}

/// Open connections of this program, also of nobody who is signed in, by what is spoken on them.
#[derive(Serialize, ToSchema)]
struct OpenConnections {
    flamingo: u64,
    websocket: u64,
    http: u64,
    /// The existing clients' protocol for files and pictures.
    transfer: u64,
}

/// What waits.
#[derive(Serialize, ToSchema)]
struct WaitingThings {
    /// Changes that wait to be saved.
    log: usize,
    /// Conversations that wait for the search index.
    index: usize,
    /// Webhooks that wait to post again what their target did not take.
    webhooks_retrying: u64,
}

impl From<Sample> for ActivitySample {
    fn from(sample: Sample) -> Self {
        let now = sample.now;
        // To the microsecond: more is not known of an estimate.
        let ms = |seconds: f64| (seconds * 1e6).round() / 1e3;
        Self {
            time: Timestamp(now.at),
            users_online: now.users_online,
            connections: OpenConnections {
                flamingo: sample.connections.flamingo,
                websocket: sample.connections.websocket,
                http: sample.connections.http,
                transfer: sample.connections.transfer,
            },
            messages: sample.messages,
            deliveries: sample.deliveries,
            commit_p50_ms: sample.commit_p50_s.map(ms),
            commit_p99_ms: sample.commit_p99_s.map(ms),
            queues: WaitingThings {
                log: now.log_queue,
                index: now.index_queue,
                webhooks_retrying: sample.webhooks_retrying,
            },
            warnings: sample.warnings,
            errors: sample.errors,
            upload_bytes: sample.upload_bytes,
            download_bytes: sample.download_bytes,
        }
    }
}

/// How the server did during the last hour
///
/// Of this program: where several servers share a database each has its own.
#[utoipa::path(
    get, path = "/admin/activity", tag = "administration", operation_id = "admin_activity",
    responses(
        (status = 200, body = LastHour, description = "A sample every ten seconds"),
        (status = 403, description = "`not_an_admin`"),
    )
)]
async fn activity(State(app): State<Arc<App>>, Admin(who): Admin) -> Json<LastHour> {
    let samples = admin::activity(&app, &who);
    Json(LastHour {
        interval_s: EVERY.as_secs(),
        items: samples.into_iter().map(ActivitySample::from).collect(),
    })
}

/// A line of the log.
#[derive(Serialize, ToSchema)]
struct LogLine {
    time: Timestamp,
    level: LogLevel,
    /// The module that said it.
    #[schema(examples("chat_server::webhooks::post"))]
    target: String,
    message: String,
    /// What stands behind the message, by name.
    fields: BTreeMap<&'static str, String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum LogLevel {
    Warn,
    Error,
}

impl From<Line> for LogLine {
    fn from(line: Line) -> Self {
        Self {
            time: Timestamp(line.at),
            level: match line.badness {
                Badness::Warn => LogLevel::Warn,
                Badness::Error => LogLevel::Error,
            },
            target: line.target,
            message: line.message,
            fields: line.fields.into_iter().collect(),
        }
    }
}

/// What the server complained about
///
/// The last 200 warnings and errors that this program logged.
#[utoipa::path(
    get, path = "/admin/errors", tag = "administration", operation_id = "admin_errors",
    responses(
        (status = 200, body = Items<LogLine>, description = "The newest first"),
        (status = 403, description = "`not_an_admin`"),
    )
)]
async fn errors(State(app): State<Arc<App>>, Admin(who): Admin) -> Json<Items<LogLine>> {
    let lines = admin::errors(&app, &who);
    Json(Items::whole(lines.into_iter().map(LogLine::from).collect()))
}

/// A setting of the program.
#[derive(Serialize, ToSchema)]
#[schema(as = ServerSetting)]
struct Setting {
    #[schema(examples("chat_port"))]
    name: String,
    /// As it stands in a file of settings, without passwords; null for what is not set.
    #[schema(required)]
    value: Option<Value>,
    source: Source,
}

/// Where the value of a setting comes from.
#[derive(Serialize, ToSchema)]
#[schema(as = SettingSource)]
#[serde(rename_all = "snake_case")]
enum Source {
    Default,
    File,
    Environment,
    Flag,
}

impl From<InForce> for Setting {
    fn from(setting: InForce) -> Self {
        Self {
            name: setting.name,
            value: setting
                .value
                .and_then(|value| serde_json::to_value(value).ok()),
            source: match setting.origin {
                Origin::Default => Source::Default,
                Origin::File => Source::File,
                Origin::Environment => Source::Environment,
                Origin::Flag => Source::Flag,
            },
        }
    }
}

/// The settings in force
#[utoipa::path(
    get, path = "/admin/config", tag = "administration", operation_id = "admin_config",
    responses(
        (status = 200, body = Items<Setting>, description = "All of them, by name"),
        (status = 403, description = "`not_an_admin`"),
    )
)]
async fn config(State(app): State<Arc<App>>, Admin(who): Admin) -> Json<Items<Setting>> {
    let settings = admin::settings(&app, &who);
    Json(Items::whole(
        settings.into_iter().map(Setting::from).collect(),
    ))
}
