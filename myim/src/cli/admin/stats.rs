//! `myim admin stats`

use std::time::Duration;

use serde_json::Value;

use super::Desk;
use super::output::{bytes, text};
use super::trouble::Trouble;

pub(super) async fn run(desk: &Desk) -> Result<(), Trouble> {
    let stats = desk.way.get("/stats").await?;
    if desk.output.json {
        return desk.output.line(&stats, "");
    }
    for (what, text) in lines(&stats) {
        desk.output.line(&stats, &format!("{what:14} {text}"))?;
    }
    Ok(())
}

fn lines(stats: &Value) -> Vec<(&'static str, String)> {
    let size = |value: &Value| bytes(value.as_u64().unwrap_or(0));
    let uptime = Duration::from_secs(stats["uptime_s"].as_u64().unwrap_or(0));
    let online = &stats["online"];
    let connections = &online["connections"];
    vec![
        ("version", text(stats, "version")),
        ("up for", humantime::format_duration(uptime).to_string()),
        (
            "users",
            format!("{}, bots: {}", text(stats, "users"), text(stats, "bots")),
        ),
        ("groups", text(stats, "groups")),
        ("conversations", text(stats, "conversations")),
        ("entries", text(stats, "messages")),
        ("sessions", text(stats, "sessions")),
        (
            "on line",
            format!(
                "{} users; flamingo: {}, websocket: {}, event stream: {}, sync: {}",
                text(online, "users"),
                text(connections, "flamingo"),
                text(connections, "websocket"),
                text(connections, "event_stream"),
                text(connections, "sync"),
            ),
        ),
        ("database", size(&stats["database_bytes"])),
        (
            "file cache",
            format!(
                "{}, {} files",
                size(&stats["file_cache"]["bytes"]),
                text(&stats["file_cache"], "files")
            ),
        ),
        (
            "queue",
            format!("{} changes wait", text(&stats["queues"], "log")),
        ),
        ("epoch", text(stats, "epoch")),
    ]
}
