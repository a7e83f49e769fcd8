//! `myim login`, `myim send` and so on: the verbs of a user, over the SDK. One verb, one file.
//!
//! Only reads arguments and shows results. How it ends is decided in [`crate::failure`].

mod bot;
mod contacts;
mod conversations;
mod download;
mod edit;
mod groups;
mod happened;
mod history;
mod login;
mod logout;
mod names;
mod progress;
mod react;
mod recall;
mod register;
mod resolve;
mod search;
mod send;
mod show;
mod tail;
mod upload;
mod webhook;
mod whoami;
mod words;

use std::future::Future;
use std::io;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand};

use super::output::{self, Output};
use crate::account::{self, Account, Choice};
use crate::failure::Failure;

/// What `--help` of each verb says about its end.
pub(crate) const ENDINGS: &str = "\
Exit codes: 0 done, 1 refused by the server, 2 wrong use, 3 not reachable or timed out,
4 not signed in, 5 a local file is the problem, 130 interrupted.";

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Make an account on a server
    #[command(after_help = ENDINGS)]
    Register(register::RegisterArgs),
    /// Sign in, and remember the account
    #[command(after_help = ENDINGS)]
    Login(login::LoginArgs),
    /// End the sign-ins of an account, and forget it
    #[command(after_help = ENDINGS)]
    Logout(logout::LogoutArgs),
    /// Show whose account is used
    #[command(after_help = ENDINGS)]
    Whoami(whoami::WhoamiArgs),
    /// Write a message
    #[command(after_help = ENDINGS)]
    Send(send::SendArgs),
    /// Say something else in a message of your own
    #[command(after_help = ENDINGS)]
    Edit(edit::EditArgs),
    /// Take a message back
    #[command(after_help = ENDINGS)]
    Recall(recall::RecallArgs),
    /// Put an emoji under a message, or take it away
    #[command(after_help = ENDINGS)]
    React(react::ReactArgs),
    /// Print what was missed, then what happens, until Ctrl-C
    #[command(after_help = ENDINGS)]
    Tail(tail::TailArgs),
    /// Print what was written in a conversation
    #[command(after_help = ENDINGS)]
    History(history::HistoryArgs),
    /// List the conversations, the newest activity first
    #[command(after_help = ENDINGS)]
    Conversations(conversations::ConversationsArgs),
    /// Find messages by their words
    #[command(after_help = ENDINGS)]
    Search(search::SearchArgs),
    /// List, ask, accept, decline and remove contacts
    #[command(after_help = ENDINGS)]
    Contacts(contacts::ContactsArgs),
    /// List, make, join and leave groups, and see to their members
    #[command(after_help = ENDINGS)]
    Groups(groups::GroupsArgs),
    /// Put files on the server
    #[command(after_help = ENDINGS)]
    Upload(upload::UploadArgs),
    /// Get a file from the server
    #[command(after_help = ENDINGS)]
    Download(download::DownloadArgs),
    /// Make and end bots, and their tokens
    #[command(after_help = ENDINGS)]
    Bot(bot::BotArgs),
    /// Make webhooks
    #[command(after_help = ENDINGS)]
    Webhook(webhook::WebhookArgs),
}

/// What every verb of a signed-in user understands.
#[derive(Debug, Args)]
pub(crate) struct Common {
    #[command(flatten)]
    choice: Choice,
    #[command(flatten)]
    format: Format,
}

/// How the results are shown.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Format {
    /// Print one JSON object a line; errors too, on standard error
    #[arg(long, global = true)]
    json: bool,
}

impl Common {
    fn account(&self) -> anyhow::Result<Account> {
        account::current(&self.choice)
    }

    fn output(&self) -> Output {
        self.format.output()
    }
}

impl Format {
    fn output(self) -> Output {
        Output::new(self.json)
    }
}

impl Verb {
    fn format(&self) -> Format {
        match self {
            Self::Register(args) => args.format,
            Self::Login(args) => args.format,
            Self::Logout(args) => args.common.format,
            Self::Whoami(args) => args.common.format,
            Self::Send(args) => args.common.format,
            Self::Edit(args) => args.common.format,
            Self::Recall(args) => args.common.format,
            Self::React(args) => args.common.format,
            Self::Tail(args) => args.common.format,
            Self::History(args) => args.common.format,
            Self::Conversations(args) => args.common.format,
            Self::Search(args) => args.common.format,
            Self::Contacts(args) => args.common.format,
            Self::Groups(args) => args.common.format,
            Self::Upload(args) => args.common.format,
            Self::Download(args) => args.common.format,
            Self::Bot(args) => args.common.format,
            Self::Webhook(args) => args.common.format,
        }
    }

    async fn carry_out(self) -> anyhow::Result<()> {
        match self {
            // These see to Ctrl-C themselves: something has to be said or finished first.
            Self::Tail(args) => tail::run(args).await,
            Self::Send(args) => send::run(args).await,
            Self::Upload(args) => upload::run(args).await,
            Self::Download(args) => download::run(args).await,
            Self::Register(args) => until_interrupted(register::run(args)).await,
            Self::Login(args) => until_interrupted(login::run(args)).await,
            Self::Logout(args) => until_interrupted(logout::run(args)).await,
            Self::Whoami(args) => until_interrupted(whoami::run(args)).await,
            Self::Edit(args) => until_interrupted(edit::run(args)).await,
            Self::Recall(args) => until_interrupted(recall::run(args)).await,
            Self::React(args) => until_interrupted(react::run(args)).await,
            Self::History(args) => until_interrupted(history::run(args)).await,
            Self::Conversations(args) => until_interrupted(conversations::run(args)).await,
            Self::Search(args) => until_interrupted(search::run(args)).await,
            Self::Contacts(args) => until_interrupted(contacts::run(args)).await,
            Self::Groups(args) => until_interrupted(groups::run(args)).await,
            Self::Bot(args) => until_interrupted(bot::run(args)).await,
            Self::Webhook(args) => until_interrupted(webhook::run(args)).await,
        }
    }
}

async fn until_interrupted(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::select! {
        // First the signal: whoever is connected listens to it already.
        biased;
        _ = tokio::signal::ctrl_c() => Err(Failure::Interrupted("interrupted".to_owned()).into()),
        done = work => done,
    }
}

/// Carries out a verb. One thread is enough, and starts faster than several.
pub(crate) fn run(verb: Verb) -> ExitCode {
    let json = verb.format().json;
    let done = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")
        .and_then(|runtime| runtime.block_on(Box::pin(verb.carry_out())));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read the output has enough, as `head` does.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => ExitCode::from(output::report(&error, json).code()),
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
