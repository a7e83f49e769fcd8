//! `myim upload`: puts files on the file server, or pictures on the image server.

use std::path::{Path, PathBuf};

use clap::Args;
use client::Api;
use client::transfer::{Shelf, Uploaded};
use serde_json::json;

use super::Common;
use super::progress::Progress;
use crate::cli::output::Output;
use crate::failure::Failure;

#[derive(Debug, Args)]
pub(crate) struct UploadArgs {
    /// The files to upload
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// They are pictures: put them on the image server
    #[arg(long)]
    picture: bool,
    #[command(flatten)]
    pub(super) common: Common,
}

pub(super) async fn run(args: UploadArgs) -> anyhow::Result<()> {
    let api = args.common.account()?.api();
    let output = args.common.output();
    let shelf = if args.picture {
        Shelf::Pictures
    } else {
        Shelf::Files
    };
    for path in &args.files {
        let uploaded = tokio::select! {
            // First the signal: whoever is connected listens to it already.
            biased;
            _ = tokio::signal::ctrl_c() => return Err(interrupted(path).into()),
            uploaded = upload(&api, path, shelf, output) => uploaded?,
        };
        let how = if uploaded.was_there {
            "was there already"
        } else {
            "is uploaded"
        };
        let shown = json!({
            "path": path,
            "file": uploaded.file.to_string(),
            "name": uploaded.name,
            "bytes": uploaded.bytes,
            "was_there": uploaded.was_there,
        });
        let sentence = format!(
            "{} {how}: file {}, to download by {}",
            path.display(),
            uploaded.file,
            uploaded.name
        );
        output.result(&shown, &sentence)?;
    }
    Ok(())
}

async fn upload(
    api: &Api,
    path: &Path,
    shelf: Shelf,
    output: Output,
) -> Result<Uploaded, client::Error> {
    let mut progress = Progress::new(output, &path.display().to_string());
    let uploaded = api
        .upload(path, shelf, |done, total| progress.show(done, total))
        .await;
    progress.end();
    uploaded
}

/// The transfer protocol has no upload that goes on where another one stopped.
fn interrupted(path: &Path) -> Failure {
    Failure::Interrupted(format!(
        "interrupted; the server throws away what it has of {0}. Uploading {0} again begins at \
         its beginning; files that are there already are not sent again",
        path.display()
    ))
}
