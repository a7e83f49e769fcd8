//! `myim import`: takes over what an original Flamingo installation left behind.

use std::ffi::OsString;
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use common::blob::Blobs;
use common::clock::{Clock, SystemClock};
use common::config::{About, AwsEnvironment, SUITE_DEFAULTS, SuiteConfig, TransferConfig};
use common::process::{self, Exit, Process};
use common::store::{BlobClass, DatabaseUrl, DatabaseUrlError, Imported, import_flamingo};
use common::transfer::{Fate, import_files};

const ABOUT: About = About {
    name: "myim import",
    text: "Takes over what an original Flamingo installation left behind.",
    defaults: SUITE_DEFAULTS,
};

#[derive(Args)]
pub(crate) struct ImportArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Copy the files of an original file or image server; may be repeated
    Files {
        /// The original server's cache directory; it is only read
        directory: PathBuf,

        /// The directory is the image server's
        #[arg(long)]
        images: bool,

        #[command(flatten)]
        target: Target,
    },
    /// Copy users, contacts, groups and messages of an original database into an empty one
    Flamingo {
        /// The original database, mysql://USER:PASSWORD@HOST:PORT/flamingo; it is only read
        #[arg(long, value_name = "URL")]
        from: String,

        #[command(flatten)]
        target: Target,
    },
}

/// Where to: the settings of `myim serve`, from its environment and file too.
#[derive(Args)]
struct Target {
    /// The database [default: as for myim serve]
    #[arg(long, value_name = "URL")]
    database: Option<OsString>,

    /// Directory of the embedded database [default: as for myim serve]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<OsString>,

    /// Directory of the stored files [default: as for myim serve]
    #[arg(long, value_name = "DIR")]
    filecache: Option<OsString>,

    /// Where the files are kept, disk or s3://… [default: as for myim serve]
    #[arg(long, value_name = "PLACE")]
    blob_store: Option<OsString>,

    /// Read settings from this TOML file
    #[arg(long, value_name = "FILE")]
    config: Option<OsString>,
}

impl Target {
    fn settings(self) -> Result<SuiteConfig, ExitCode> {
        let given = [
            ("--database", self.database),
            ("--data-dir", self.data_dir),
            ("--filecache", self.filecache),
            ("--blob-store", self.blob_store),
            ("--config", self.config),
        ];
        let args: Vec<OsString> = given
            .into_iter()
            .filter_map(|(flag, value)| Some([flag.into(), value?]))
            .flatten()
            .collect();
        process::settings(ABOUT, &args)
    }
}

pub(crate) fn run(args: ImportArgs) -> ExitCode {
    match args.what {
        What::Files {
            directory,
            images,
            target,
        } => {
            let class = if images {
                BlobClass::Image
            } else {
                BlobClass::File
            };
            match target.settings() {
                Ok(config) => process::run(&config.log.clone(), |process| async move {
                    files(&directory, class, &config, &process).await
                }),
                Err(code) => code,
            }
        }
        What::Flamingo { from, target } => match target.settings() {
            Ok(config) => process::run(&config.log.clone(), |process| async move {
                database(&from, &config, &process).await
            }),
            Err(code) => code,
        },
    }
}

async fn database(from: &str, config: &SuiteConfig, process: &Process) -> anyhow::Result<()> {
    let url: DatabaseUrl = from
        .parse()
        .map_err(|error: DatabaseUrlError| Exit::config(format!("--from: {error}")))?;
    let into = config.database();
    process.prepare_database(&into)?;
    let progress = |so_far: Imported| {
        tracing::info!(
            users = so_far.users,
            messages = so_far.messages,
            "copied so far"
        );
    };
    let options = into.options();
    let shutdown = process.shutdown();
    let done = tokio::select! {
        imported = import_flamingo(from, &into.database, &options, &progress) => {
            imported.map_err(|error| Exit::import(&url.to_string(), &into.shown(), &error))?
        }
        () = shutdown.cancelled() => {
            anyhow::bail!("interrupted; nothing was kept, run it again")
        }
    };
    writeln!(
        stdout(),
        "{} users, {} groups, {} friendships and memberships, {} messages copied; \
         {} rows left out that mean nothing",
        done.users,
        done.groups,
        done.relations,
        done.messages,
        done.skipped
    )?;
    Ok(())
}

async fn files(
    directory: &Path,
    class: BlobClass,
    config: &SuiteConfig,
    process: &Process,
) -> anyhow::Result<()> {
    let store = process.open_store_now(&config.database()).await?;
    let shutdown = process.shutdown();
    let tell = |name: &str, fate| {
        if let Fate::Skipped(reason) = fate {
            tracing::warn!(name, reason, "left out");
        }
    };
    let TransferConfig {
        filecache,
        blob_store,
        ..
    } = &config.transfer;
    let blobs = Blobs::connect(filecache, blob_store, &AwsEnvironment::read()).await?;
    let now = SystemClock.now();
    let imported = import_files(&blobs, class, directory, store.as_ref(), now, tell);
    let done = tokio::select! {
        imported = imported => Some(imported?),
        () = shutdown.cancelled() => None,
    };
    store.close().await;
    let Some(adopted) = done else {
        anyhow::bail!("interrupted; what was copied so far stays, run it again for the rest");
    };
    writeln!(
        stdout(),
        "{} files copied and verified, {} copied although they do not match their name, \
         {} update packages copied, {} were here already, {} left out",
        adopted.verified,
        adopted.unverified,
        adopted.plain,
        adopted.present,
        adopted.skipped
    )?;
    Ok(())
}
