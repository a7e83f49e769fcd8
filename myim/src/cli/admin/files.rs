//! `myim admin files …`

use clap::Subcommand;
use serde_json::{Value, json};

use super::Desk;
use super::output::{bytes, text};
use super::trouble::Trouble;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// How much room files take, and why they are kept
    Stats,
    /// Delete what is due now; only while no server runs: servers do it every minute
    Collect,
}

pub(super) async fn run(desk: &Desk, verb: Verb) -> Result<(), Trouble> {
    match verb {
        Verb::Stats => stats(desk).await,
        Verb::Collect => collect(desk).await,
    }
}

async fn stats(desk: &Desk) -> Result<(), Trouble> {
    let kept = desk.way.get("/files").await?;
    if desk.output.json {
        return desk.output.line(&kept, "");
    }
    for (what, room) in [
        ("stored", &kept),
        ("unused", &kept["unused"]),
        ("of old clients", &kept["legacy"]),
    ] {
        let size = bytes(room["bytes"].as_u64().unwrap_or(0));
        let line = format!("{what:14} {size}, {} files", text(room, "files"));
        desk.output.line(&kept, &line)?;
    }
    let line = format!("{:14} {} files", "too old", text(&kept, "gone"));
    desk.output.line(&kept, &line)
}

async fn collect(desk: &Desk) -> Result<(), Trouble> {
    let deleted = desk.way.collect().await?;
    let told: Value = json!({"deleted": deleted});
    desk.output.line(&told, &format!("{deleted} files deleted"))
}
