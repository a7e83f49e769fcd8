//! `myim download`: gets a file from the file server, or a picture from the image server.

use std::path::{Path, PathBuf};

use clap::Args;
use client::Api;
use client::transfer::{Downloaded, Shelf};
use serde_json::json;
use tokio::fs::{self, File};

use super::Common;
use super::progress::Progress;
use crate::cli::output::Output;
use crate::failure::Failure;

#[derive(Debug, Args)]
pub(crate) struct DownloadArgs {
    /// The file's name on the server: the MD5 that upload prints, or a plain name
    name: String,
    /// Where to put it [default: its name, in the current directory]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// It is a picture: get it from the image server
    #[arg(long)]
    picture: bool,
    /// Replace an existing file
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    pub(super) common: Common,
}

pub(super) async fn run(args: DownloadArgs) -> anyhow::Result<()> {
    let api = args.common.account()?.api();
    let output = args.common.output();
    let is_hex = args.name.bytes().all(|byte| byte.is_ascii_hexdigit());
    if args.name.len() == 64 && is_hex {
        return Err(Failure::Refused {
            code: "no_download_by_sha256",
            message: "the server gives out files by the MD5 of their content, and not by the \
                      SHA-256 yet; upload prints both"
                .to_owned(),
        }
        .into());
    }
    let to = match &args.output {
        Some(path) => path.clone(),
        // Only the last part: a name is no reason to write anywhere else.
        None => Path::new(&args.name)
            .file_name()
            .map(PathBuf::from)
            .ok_or_else(|| Failure::usage("say with -o where to put it"))?,
    };
    if !args.force && fs::try_exists(&to).await.unwrap_or(false) {
        let exists = format!("{} exists; --force replaces it", to.display());
        return Err(Failure::Local(exists).into());
    }
    let mut part = to.clone().into_os_string();
    part.push(".part");
    let part = PathBuf::from(part);
    let shelf = if args.picture {
        Shelf::Pictures
    } else {
        Shelf::Files
    };
    let fetched = tokio::select! {
        // First the signal: whoever is connected listens to it already.
        biased;
        _ = tokio::signal::ctrl_c() => Err(interrupted(&args.name).into()),
        fetched = fetch(&api, &args.name, shelf, &part, output) => fetched,
    };
    if fetched.is_err() {
        // A download cannot go on in the middle, so this is of no use to anybody.
        let _ = fs::remove_file(&part).await;
    }
    let fetched = fetched?;
    let renamed = fs::rename(&part, &to).await;
    renamed.map_err(|error| Failure::local(to.display(), error))?;

    let doubt = if args.name.len() == 32 && !fetched.md5.eq_ignore_ascii_case(&args.name) {
        " (its content does not match its name)"
    } else {
        ""
    };
    let shown = json!({"path": to, "bytes": fetched.bytes, "md5": fetched.md5});
    let sentence = format!("{}: {} bytes{doubt}", to.display(), fetched.bytes);
    output.result(&shown, &sentence)
}

async fn fetch(
    api: &Api,
    name: &str,
    shelf: Shelf,
    part: &Path,
    output: Output,
) -> anyhow::Result<Downloaded> {
    let failed = |error: std::io::Error| Failure::local(part.display(), error);
    let mut file = File::create(part).await.map_err(failed)?;
    let mut progress = Progress::new(output, name);
    let fetched = api
        .download(name, shelf, &mut file, |done, total| {
            progress.show(done, total);
        })
        .await;
    progress.end();
    let fetched = fetched?;
    file.sync_all().await.map_err(failed)?;
    Ok(fetched)
}

fn interrupted(name: &str) -> Failure {
    Failure::Interrupted(format!(
        "interrupted; nothing is kept of {name}: the server begins each download at the beginning"
    ))
}
