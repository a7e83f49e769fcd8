//! `myim upload`: puts files on the file server, or pictures on the image server.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use client::transfer::{Shelf, UnfinishedFolder, Upload, Uploaded};
use indicatif::HumanBytes;
use serde_json::json;

use super::Common;
use super::progress::Progress;
use crate::account::{Account, state_directory};
use crate::cli::output::Output;
use crate::failure::Failure;

#[derive(Debug, Args)]
pub(crate) struct UploadArgs {
    /// The files to upload; what was interrupted goes on where it stopped
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// They are pictures: put them on the image server
    #[arg(long)]
    picture: bool,
    #[command(flatten)]
    pub(super) common: Common,
}

pub(super) async fn run(args: UploadArgs) -> anyhow::Result<()> {
    let uploads = Uploads::of(&args.common.account()?, args.common.output())?;
    let shelf = if args.picture {
        Shelf::Pictures
    } else {
        Shelf::Files
    };
    for path in &args.files {
        let uploaded = uploads.carry(path, shelf, "interrupted").await?;
        let mut shown = json!({
            "path": path,
            "file": uploaded.file.to_string(),
            "bytes": uploaded.bytes,
            "mime": uploaded.mime,
            "was_there": uploaded.was_there,
        });
        if let (Some(width), Some(height)) = (uploaded.width, uploaded.height) {
            shown["width"] = width.into();
            shown["height"] = height.into();
            shown["thumbhash"] = uploaded.thumbhash.clone().into();
        }
        uploads.output.result(&shown, &sentence(path, &uploaded))?;
    }
    Ok(())
}

fn sentence(path: &Path, uploaded: &Uploaded) -> String {
    let how = if uploaded.was_there {
        "was there already"
    } else {
        "is uploaded"
    };
    let size = match (uploaded.width, uploaded.height) {
        (Some(width), Some(height)) => format!(", {width}×{height}"),
        _ => String::new(),
    };
    let (path, file) = (path.display(), uploaded.file);
    format!("{path} {how}: file {file}{size}")
}

/// The uploads of an account. What was interrupted is remembered beside its credentials.
pub(super) struct Uploads {
    api: client::Api,
    unfinished: UnfinishedFolder,
    output: Output,
}

impl Uploads {
    pub(super) fn of(account: &Account, output: Output) -> anyhow::Result<Self> {
        Ok(Self {
            api: account.api(),
            unfinished: UnfinishedFolder::new(state_directory(account)?.join("uploads")),
            output,
        })
    }

    /// Uploads a file and shows how far it is. After Ctrl-C it says what is left, behind
    /// `interrupted`.
    pub(super) async fn carry(
        &self,
        path: &Path,
        shelf: Shelf,
        interrupted: &str,
    ) -> anyhow::Result<Uploaded> {
        let mut progress = Progress::new(self.output, &path.display().to_string());
        let upload = Upload::new(path, shelf).remembered_in(&self.unfinished);
        let uploading = self.api.upload(&upload, |step| progress.hear(&step));
        let uploaded = tokio::select! {
            // First the signal: whoever is connected listens to it already.
            biased;
            _ = tokio::signal::ctrl_c() => None,
            uploaded = uploading => Some(uploaded),
        };
        progress.end();
        let Some(uploaded) = uploaded else {
            let left = left(path, progress.reached());
            return Err(Failure::Interrupted(format!("{interrupted}; {left}")).into());
        };
        match uploaded {
            Err(error @ client::Error::Unreachable { .. }) if progress.reached().is_some() => {
                Err(error).with_context(|| left(path, progress.reached()))
            }
            uploaded => Ok(uploaded?),
        }
    }
}

/// What is left of an upload that did not come to its end.
fn left(path: &Path, reached: Option<(u64, u64)>) -> String {
    let path = path.display();
    match reached {
        None => format!("nothing of {path} was uploaded"),
        Some((done, total)) => format!(
            "the server keeps what it has of {path}, about {} of {}: the same command goes on there",
            HumanBytes(done),
            HumanBytes(total)
        ),
    }
}
