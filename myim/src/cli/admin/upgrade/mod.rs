//! `myim upgrade …`: publishes upgrade packages of clients.
//!
//! A package goes to the file server; that it is given to clients is registered with the chat
//! server, like everything that administrators do. `key` and `package` need no server.

mod change;
mod key;
mod list;
mod package;
mod publish;
mod upload;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::Value;

use super::way::escaped;
use super::{Desk, Reach, Trouble, ended};

/// What stands below `myim upgrade --help`.
const EXIT_CODES: &str = "\
The server is reached as by myim admin. To upload a package one has to be signed in there: myim \
login, or MYIM_TOKEN with --server.

Exit codes: 0 done, 1 refused, 2 wrong arguments, 3 not reachable, 4 not signed in or not allowed.";

#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct UpgradeArgs {
    #[command(flatten)]
    reach: Reach,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Make the key pair that signs packages, and print its public half
    Key(key::KeyArgs),
    /// Sign a package, upload it and give it to clients
    Publish(Box<publish::PublishArgs>),
    /// Give the newest package to more devices, or to fewer
    Percent(change::PercentArgs),
    /// Withdraw the newest package: the one before is the newest again
    RollBack(Line),
    /// List what was published, the newest first
    List(list::ListArgs),
}

/// Which packages are meant.
#[derive(Args)]
struct Line {
    /// What the clients run on, like windows
    #[arg(long, value_name = "NAME")]
    platform: String,
    /// For whom: everybody is stable
    #[arg(long, value_name = "NAME", default_value = "stable")]
    channel: String,
}

impl Line {
    /// The packages of this line, the newest first.
    async fn all(&self, desk: &Desk) -> Result<Vec<Value>, Trouble> {
        let (platform, channel) = (escaped(&self.platform), escaped(&self.channel));
        let path = format!("/upgrades?platform={platform}&channel={channel}");
        let mut all = Vec::new();
        let keep = |page| {
            all.extend(page);
            Ok(())
        };
        desk.way.pages(&path, u64::MAX, keep).await?;
        Ok(all)
    }

    /// The newest package that was not withdrawn. Versions only go up.
    async fn newest(&self, desk: &Desk) -> Result<Value, Trouble> {
        let mut all = self.all(desk).await?.into_iter();
        all.find(is_out).ok_or_else(|| {
            let Self { platform, channel } = self;
            let sentence = format!("nothing is published for {platform} {channel}");
            Trouble::refused(sentence)
        })
    }
}

fn is_out(upgrade: &Value) -> bool {
    upgrade["withdrawn_at"].is_null()
}

pub(crate) fn run(args: UpgradeArgs) -> ExitCode {
    ended(carry_out(args))
}

async fn carry_out(args: UpgradeArgs) -> Result<(), Trouble> {
    let UpgradeArgs { reach, what } = args;
    let what = match what {
        What::Key(args) => return key::run(&args, reach.json),
        what => what,
    };
    let uploader = upload::Uploader {
        server: reach.server.clone(),
        account: reach.account.clone(),
        token: reach.token.clone(),
    };
    let desk = reach.desk().await?;
    let done = match what {
        What::Key(_) => Ok(()),
        What::Publish(args) => publish::run(&desk, &uploader, *args).await,
        What::Percent(args) => change::percent(&desk, &args).await,
        What::RollBack(line) => change::roll_back(&desk, &line).await,
        What::List(args) => list::run(&desk, &args).await,
    };
    let ended = desk.way.end().await;
    done.and(ended)
}
