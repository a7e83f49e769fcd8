//! `myim flamingo upload`: puts a file on a server.

use std::path::PathBuf;

use clap::Args;
use client::flamingo::transfer;
use serde_json::json;

use super::progress::Bar;
use super::{Server, Show};

#[derive(Debug, Args)]
pub(super) struct UploadArgs {
    /// The file to upload
    file: PathBuf,
    /// Upload to the image server
    #[arg(long)]
    image: bool,
}

pub(super) async fn run(server: &Server, show: Show, args: UploadArgs) -> anyhow::Result<()> {
    let bar = Bar::new(show.json);
    let progress = |done, total| bar.show(done, total);
    let address = server.files(args.image);
    let uploaded = transfer::upload(&address, &args.file, server.imitate, progress).await?;
    drop(bar);
    let how = if uploaded.was_there {
        "was there already"
    } else {
        "is uploaded"
    };
    show.line(
        &json!({
            "name": uploaded.name,
            "bytes": uploaded.bytes,
            "was_there": uploaded.was_there,
        }),
        &format!("{} {how} as {}", args.file.display(), uploaded.name),
    )
}
