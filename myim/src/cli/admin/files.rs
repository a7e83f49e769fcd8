//! `myim admin files …`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use common::blob::scrub::{Fault, Finding, Progress, Repair, ScrubOptions};
use common::clock::{Clock, SystemClock};
use common::config::ByteSize;
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
    /// Compare every file with its hash and with the database; only while no server runs
    Scrub(ScrubArgs),
}

#[derive(Args)]
pub(super) struct ScrubArgs {
    /// Put right what can be: damaged files go to quarantine, orphans of more than a day are
    /// deleted
    #[arg(long)]
    repair: bool,
    /// Look at lengths only, and read nothing
    #[arg(long)]
    quick: bool,
    /// The filecache of a backup, from which missing files are copied; with --repair
    #[arg(long, value_name = "DIR", requires = "repair")]
    copies: Option<PathBuf>,
    /// Bytes to read in a second at most
    #[arg(long, value_name = "BYTES")]
    rate: Option<ByteSize>,
}

pub(super) async fn run(desk: &Desk, verb: Verb) -> Result<(), Trouble> {
    match verb {
        Verb::Stats => stats(desk).await,
        Verb::Collect => collect(desk).await,
        Verb::Scrub(args) => scrub(desk, args).await,
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

/// Shows what is found as it is found; refused if something stays wrong.
async fn scrub(desk: &Desk, args: ScrubArgs) -> Result<(), Trouble> {
    let options = ScrubOptions {
        reads_content: !args.quick,
        bytes_per_s_max: args.rate.map(|rate| rate.0),
        repairs: args.repair,
        copies: args.copies,
        now: SystemClock.now(),
    };
    let mut shown = Ok(());
    let report = desk.way.scrub(&options, |progress| {
        if let (Progress::Found(finding), Ok(())) = (progress, &shown) {
            shown = desk.output.line(&found(&finding), &sentence(&finding));
        }
    });
    let report = report.await?;
    shown?;
    let wrong = report.missing + report.damaged + report.orphans;
    let told = json!({
        "type": "end", "files": report.files, "bytes": report.bytes, "missing": report.missing,
        "damaged": report.damaged, "orphans": report.orphans, "quarantined": report.quarantined,
        "restored": report.restored, "deleted": report.deleted,
    });
    let (files, read) = (report.files, bytes(report.bytes));
    let end = match wrong {
        0 => format!("{files} files are as they should be; {read} were read."),
        _ => format!("{wrong} findings in {files} files; {read} were read."),
    };
    desk.output.line(&told, &end)?;
    match report.is_clean() {
        true => Ok(()),
        false => Err(Trouble::found()),
    }
}

/// As an object, for programs.
fn found(finding: &Finding) -> Value {
    let fault = match finding.fault {
        Fault::Missing => "missing",
        Fault::Length { .. } | Fault::Content { .. } | Fault::Unreadable { .. } => "damaged",
        Fault::Orphan { .. } => "orphan",
    };
    let repair = match finding.repair {
        Repair::None => Value::Null,
        Repair::Quarantined => "quarantined".into(),
        Repair::Restored => "restored".into(),
        Repair::Deleted => "deleted".into(),
    };
    let (file, text) = (finding.blob.to_string(), sentence(finding));
    json!({"type": "finding", "file": file, "fault": fault, "repair": repair, "text": text})
}

fn sentence(finding: &Finding) -> String {
    let fault = match &finding.fault {
        Fault::Missing => "is missing".to_owned(),
        Fault::Length { expected, found } => format!("has {found} bytes, not {expected}"),
        Fault::Content { found } => format!("is damaged: its content is {found}"),
        Fault::Unreadable { reason } => format!("cannot be read: {reason}"),
        Fault::Orphan { size } => format!("is known to nobody: {}", bytes(*size)),
    };
    let repair = match finding.repair {
        Repair::None => "",
        Repair::Quarantined => "; moved to quarantine",
        Repair::Restored => "; copied from the backup",
        Repair::Deleted => "; deleted",
    };
    format!("{} {fault}{repair}", finding.blob)
}
