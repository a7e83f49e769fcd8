//! `myim download`: gets a file by the SHA-256 of its content, which is what messages name.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use client::model::BlobId;
use client::transfer::{Download, Downloaded};
use serde_json::json;
use tokio::fs;

use super::Common;
use super::progress::Progress;
use crate::failure::Failure;

#[derive(Debug, Args)]
pub(crate) struct DownloadArgs {
    /// The SHA-256 of its content, as messages and myim upload tell it
    file: String,
    /// Where to put it [default: its SHA-256, in the current directory]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Get a picture as it was uploaded, with everything that its file tells; for its uploader and
    /// those who got it as a file
    #[arg(long)]
    original: bool,
    /// Replace an existing file
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    pub(super) common: Common,
}

pub(super) async fn run(args: DownloadArgs) -> anyhow::Result<()> {
    let api = args.common.account()?.api();
    let output = args.common.output();
    let file = BlobId::from_hex(&args.file.to_ascii_lowercase()).ok_or_else(|| {
        Failure::usage(format!(
            "{} is no SHA-256, which has 64 hexadecimal digits; by an MD5 or another name files \
             come with myim flamingo download",
            args.file
        ))
    })?;
    let to = args.output.unwrap_or_else(|| PathBuf::from(&args.file));
    if !args.force && fs::try_exists(&to).await.unwrap_or(false) {
        let exists = format!("{} exists; --force replaces it", to.display());
        return Err(Failure::Local(exists).into());
    }
    let mut progress = Progress::new(output, &to.display().to_string());
    let download = Download::new(file, &to).replacing(args.force);
    let download = if args.original {
        download.original()
    } else {
        download
    };
    let downloading = api.download(&download, |step| progress.hear(&step));
    let downloaded = tokio::select! {
        // First the signal: whoever is connected listens to it already.
        biased;
        _ = tokio::signal::ctrl_c() => None,
        downloaded = downloading => Some(downloaded),
    };
    progress.end();
    let has_begun = progress.reached().is_some();
    let Some(downloaded) = downloaded else {
        let left = left(&to, has_begun);
        return Err(Failure::Interrupted(format!("interrupted; {left}")).into());
    };
    let downloaded = match downloaded {
        Err(error @ client::Error::Unreachable { .. }) if has_begun => {
            return Err(error).with_context(|| left(&to, has_begun));
        }
        downloaded => downloaded?,
    };
    let Downloaded { bytes, is_original } = downloaded;
    let shown = json!({
        "path": to,
        "file": file.to_string(),
        "bytes": bytes,
        "original": is_original,
    });
    let how = if is_original {
        ""
    } else {
        ", without what the picture's file tells of its author; if it is yours, --original gets that"
    };
    let sentence = format!("{}: {bytes} bytes{how}", to.display());
    output.result(&shown, &sentence)
}

/// What is left of a download that did not come to its end.
fn left(to: &Path, has_begun: bool) -> String {
    let to = to.display();
    if has_begun {
        format!("what came stays in {to}.part, and the same command goes on there")
    } else {
        format!("nothing came for {to}")
    }
}
