//! The part with a terminal, a network and a clock.
//!
//! The user interface has the main thread for itself: a terminal that takes nothing for a while
//! holds up only it. Keys come from a thread of their own, everything else from tasks; all of them
//! write into one bounded channel.

mod calls;
mod events;
mod files;
mod network;
mod orders;
mod screen;
mod turns;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use client::Api;
use client::model::{Timestamp, UserId};
use common::clock::{Clock, SystemClock};
use common::config::TerminalEnvironment;
use jiff::tz::TimeZone;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::clean;
use super::people::display_name;
use super::state::{Setting, State};
use super::text::Lang;
use crate::account::{self, Choice};
use crate::failure::{Failure, judge};
use network::Network;
use screen::Screen;

/// Inputs that wait for the user interface, at most; whoever has more waits.
const INPUTS_MAX: usize = 1024;
/// What happens on the network is little work.
const WORKERS: usize = 2;

#[derive(Debug, Args)]
pub(crate) struct ChatArgs {
    #[command(flatten)]
    choice: Choice,
    /// The language of the screen [default: as LC_ALL, LC_MESSAGES or LANG say]
    #[arg(long, value_enum)]
    lang: Option<Lang>,
    /// Do not ring the terminal's bell for new messages
    #[arg(long)]
    no_bell: bool,
}

/// Runs until the user leaves.
pub(crate) fn run(args: &ChatArgs) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build()
        .context("cannot start the runtime");
    match runtime.and_then(|runtime| runtime.block_on(chat(args))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("myim chat: {error:#}");
            ExitCode::from(judge(&error).1.code())
        }
    }
}

async fn chat(args: &ChatArgs) -> anyhow::Result<()> {
    if !(std::io::stdin().is_terminal() && std::io::stdout().is_terminal()) {
        let words = "it needs a terminal; for scripts there are the other commands";
        return Err(Failure::usage(words).into());
    }
    let account = account::current(&args.choice)?;
    let memory: PathBuf = account::state_directory(&account)?.join("chat.db");
    let api = Api::new(account.server.clone()).with_token(&account.chat_token);
    let (me, my_name) = match &account.user {
        Some(owner) => (owner.id, owner.username.clone()),
        None => whose(&api).await?,
    };
    let sign_in = match &account.user {
        Some(owner) => format!("myim login {} {}", account.server, owner.username),
        None => "another MYIM_TOKEN".to_owned(),
    };
    let environment = TerminalEnvironment::read();
    let setting = Setting {
        me,
        my_name: clean::line(&my_name).into_owned(),
        lang: args
            .lang
            .unwrap_or_else(|| Lang::of_locale(&environment.locale)),
        zone: TimeZone::system(),
        now: now(),
        color: environment.has_colors(),
        bell: !args.no_bell,
        run: Uuid::now_v7().to_string(),
        sign_in: clean::line(&sign_in).into_owned(),
    };
    let (inputs, waiting) = mpsc::channel(INPUTS_MAX);
    let network = Network::start(api, memory, inputs.clone()).await?;
    let gone = CancellationToken::new();
    let mut screen = Screen::open(&gone)?;
    events::read(inputs, gone.clone());
    let state = State::new(setting, screen.size()?);
    let left = turns::take(state, &mut screen, waiting, &network, &gone).await;
    screen.close();
    network.close().await;
    left
}

/// A token from the environment does not say whose it is.
async fn whose(api: &Api) -> anyhow::Result<(UserId, String)> {
    let me = api.me().await?;
    Ok((me.id, display_name(&me)))
}

fn now() -> Timestamp {
    Timestamp::from_millisecond(SystemClock.now().0).unwrap_or(Timestamp::UNIX_EPOCH)
}
