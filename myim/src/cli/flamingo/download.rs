//! `myim flamingo download`: gets a file from a server.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use client::flamingo::transfer::{self, Downloaded};
use serde_json::json;
use tokio::fs;

use super::progress::Bar;
use super::{Server, Show};

#[derive(Debug, Args)]
pub(super) struct DownloadArgs {
    /// The file's name on the server, usually its MD5
    name: String,
    /// Where to put it [default: its name, in the current directory]
    #[arg(long)]
    to: Option<PathBuf>,
    /// Replace an existing file
    #[arg(long)]
    force: bool,
    /// Download from the image server
    #[arg(long)]
    image: bool,
}

pub(super) async fn run(server: &Server, show: Show, args: DownloadArgs) -> anyhow::Result<()> {
    let to = match args.to {
        Some(path) => path,
        // Only the last part: a name is no reason to write anywhere else.
        None => Path::new(&args.name)
            .file_name()
            .map(PathBuf::from)
            .context("say with --to where to put it")?,
    };
    if !args.force && fs::try_exists(&to).await.unwrap_or(false) {
        bail!("{} exists; --force replaces it", to.display());
    }
    let mut part = to.clone().into_os_string();
    part.push(".part");
    let part = PathBuf::from(part);

    let downloaded = fetch(server, show, &args.name, args.image, &part).await;
    if downloaded.is_err() {
        // Whatever came of it is of no use. If this fails too there is nothing more to do.
        let _ = fs::remove_file(&part).await;
    }
    let downloaded = downloaded?;
    let cannot = || format!("cannot write {}", to.display());
    fs::rename(&part, &to).await.with_context(cannot)?;

    let named_otherwise = args.name.len() == 32 && !downloaded.md5.eq_ignore_ascii_case(&args.name);
    let doubt = if named_otherwise {
        " (its content does not match its name)"
    } else {
        ""
    };
    let (bytes, md5) = (downloaded.bytes, &downloaded.md5);
    show.line(
        &json!({"path": to, "bytes": bytes, "md5": md5}),
        &format!("{}: {bytes} bytes{doubt}", to.display()),
    )
}

async fn fetch(
    server: &Server,
    show: Show,
    name: &str,
    image: bool,
    part: &Path,
) -> anyhow::Result<Downloaded> {
    let cannot = || format!("cannot write {}", part.display());
    let mut file = fs::File::create(part).await.with_context(cannot)?;
    let bar = Bar::new(show.json);
    let progress = |done, total| bar.show(done, total);
    let address = server.files(image);
    let downloaded =
        transfer::download(&address, name, server.imitate, &mut file, progress).await?;
    file.sync_all().await.with_context(cannot)?;
    Ok(downloaded)
}
