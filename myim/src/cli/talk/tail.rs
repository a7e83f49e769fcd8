//! `myim tail`: prints what was missed and what happens. An entry is acknowledged when it has been
//! printed, so that whatever breaks, the next tail goes on behind it.

mod printer;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use anyhow::bail;
use clap::{Args, ValueEnum};
use client::api::seq_of;
use client::live::EntryContent;
use client::model::{ConversationId, Seq, Timestamp};
use client::{Api, Client, Connection, Ended, Entry, Event, Events};
use common::clock::{Clock, SystemClock};
use tokio::time::sleep;

use self::printer::Printer;
use super::{Common, conversations, resolve};
use crate::account::Account;
use crate::cli::duration;
use crate::cli::output::note;
use crate::failure::{Failure, was_locked};

#[derive(Debug, Args)]
pub(crate) struct TailArgs {
    /// Only these: user names, @NAME, #GROUP, numbers of groups or conversations
    #[arg(value_name = "CONVERSATION")]
    conversations: Vec<String>,
    /// Where to begin: behind what the last tail printed, at what comes from now on, or at the
    /// very beginning
    #[arg(long, value_enum, value_name = "PLACE", default_value_t = From::Last)]
    from: From,
    /// End after so many lines
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    /// End after this time, for example 30s; a failure if --count was not reached
    #[arg(long, value_name = "TIME", value_parser = duration::read)]
    timeout: Option<Duration>,
    /// Print what passes too: who writes, who has read, who is there
    #[arg(long)]
    passing: bool,
    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum From {
    Last,
    Now,
    All,
}

/// The most that one call answers.
const PIECE: u32 = 500;
/// So many conversations may be open at a time.
const OPEN_MAX: usize = 64;

pub(super) async fn run(args: TailArgs) -> anyhow::Result<()> {
    let account = args.common.account()?;
    let api = account.api();
    let mut tail = Tail {
        json: args.common.format.json,
        only: HashSet::new(),
        behind: HashMap::new(),
        since: None,
        passing: args.passing,
        left: args.count,
        lost: false,
        printer: Printer::new(args.common.output(), api.clone()),
    };
    // One wait each for all of the time: a signal between two waits would be lost.
    let end = async {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => End::Interrupted,
            () = over(args.timeout) => End::TimedOut,
        }
    };
    tokio::pin!(end);
    let prepared = tokio::select! {
        biased;
        end = &mut end => Err(end),
        prepared = tail.prepare(&args, &account, &api) => Ok(prepared?),
    };
    let end = match prepared {
        Err(end) | Ok(Some(end)) => end,
        Ok(None) => {
            let (client, mut events) = Client::builder(api.clone()).start().await?;
            let opened = tail.open(&client).await;
            let end = match opened {
                Ok(()) => tokio::select! {
                    biased;
                    end = &mut end => Ok(end),
                    end = tail.follow(&mut events, &api) => end,
                },
                Err(error) => Err(error.into()),
            };
            // Tells the server what was printed.
            client.close().await;
            end?
        }
    };
    match (end, tail.left) {
        (End::Interrupted, _) => bail!(Failure::Interrupted("interrupted".to_owned())),
        (End::TimedOut, Some(left)) => bail!(Failure::TimedOut(format!(
            "the time is over, and {left} lines are missing"
        ))),
        (End::Counted | End::TimedOut, _) => Ok(()),
    }
}

/// Why a tail ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Counted,
    TimedOut,
    Interrupted,
}

async fn over(after: Option<Duration>) {
    match after {
        Some(time) => sleep(time).await,
        None => std::future::pending().await,
    }
}

struct Tail {
    json: bool,
    /// Empty for all.
    only: HashSet<ConversationId>,
    /// What stands up to here is not printed (any more).
    behind: HashMap<ConversationId, Seq>,
    /// What happened before, outside of chats, is not printed.
    since: Option<Timestamp>,
    passing: bool,
    /// So many lines are to come.
    left: Option<u64>,
    /// The connection was lost, and that was said.
    lost: bool,
    printer: Printer,
}

impl Tail {
    /// Finds out what to print and where to begin. `Some` if that was all.
    async fn prepare(
        &mut self,
        args: &TailArgs,
        account: &Account,
        api: &Api,
    ) -> anyhow::Result<Option<End>> {
        for text in &args.conversations {
            let conversation = resolve::conversation(account, api, text).await?;
            self.only.insert(conversation);
        }
        if args.from == From::Last {
            return Ok(None);
        }
        self.since = Timestamp::from_millisecond(SystemClock.now().0).ok();
        let mut all = conversations::everything(api).await?;
        all.retain(|one| self.wanted(one.id));
        // The oldest activity first: the newest is what people look at.
        for conversation in all.iter().rev() {
            self.behind.insert(conversation.id, conversation.last_seq);
            if args.from == From::All
                && let Some(end) = self
                    .print_history(api, conversation.id, conversation.last_seq)
                    .await?
            {
                return Ok(Some(end));
            }
        }
        Ok(None)
    }

    async fn print_history(
        &mut self,
        api: &Api,
        conversation: ConversationId,
        until: Seq,
    ) -> anyhow::Result<Option<End>> {
        let mut after = Seq(0);
        loop {
            let page = api.messages_after(conversation, after, PIECE).await?;
            for message in page.items.iter().filter(|message| message.seq <= until) {
                self.printer.message(message.seq, message).await?;
                if self.counted() {
                    return Ok(Some(End::Counted));
                }
            }
            match &page.next {
                Some(next) => after = seq_of(next)?,
                None => return Ok(None),
            }
            if after >= until {
                return Ok(None);
            }
        }
    }

    /// Entries of large groups come only for what is open.
    async fn open(&self, client: &Client) -> Result<(), client::Error> {
        for conversation in self.only.iter().take(OPEN_MAX) {
            client.open(*conversation).await?;
        }
        Ok(())
    }

    async fn follow(&mut self, events: &mut Events, api: &Api) -> anyhow::Result<End> {
        while let Some(event) = events.next().await {
            match event {
                Event::Entry(entry) => {
                    if self.entry(&entry).await? {
                        return Ok(End::Counted);
                    }
                }
                Event::Passing(passing) => {
                    let printed = self.printer.passing(&passing, &self.only, self.passing);
                    if printed.await? && self.counted() {
                        return Ok(End::Counted);
                    }
                }
                Event::Connection(connection) => self.connection(connection, api).await?,
                Event::Resync => note(
                    self.json,
                    "resync",
                    "the server holds another history than before, a backup for example: \
                     what comes now may have come before",
                ),
                Event::Sent(_) | Event::Failed(_) => {}
            }
        }
        Err(client::Error::Closed.into())
    }

    /// Prints an entry that is wanted, then acknowledges it. `true` if it was the last one.
    async fn entry(&mut self, entry: &Entry) -> anyhow::Result<bool> {
        // What is not wanted waits for a tail that wants it.
        if !self.wanted(entry.conversation) {
            return Ok(false);
        }
        let mut last = false;
        if !self.is_old(entry) {
            self.printer.entry(entry).await?;
            last = self.counted();
        }
        entry.confirm().await?;
        Ok(last)
    }

    fn wanted(&self, conversation: ConversationId) -> bool {
        self.only.is_empty() || self.only.contains(&conversation)
    }

    fn is_old(&self, entry: &Entry) -> bool {
        if let Some(until) = self.behind.get(&entry.conversation) {
            return entry.seq <= *until;
        }
        match (&entry.content, self.since) {
            (EntryContent::Notice(notice), Some(since)) => notice.time < since,
            _ => false,
        }
    }

    /// Counts a line; `true` if it was the last one.
    fn counted(&mut self) -> bool {
        let Some(left) = &mut self.left else {
            return false;
        };
        *left = left.saturating_sub(1);
        *left == 0
    }

    async fn connection(&mut self, connection: Connection, api: &Api) -> anyhow::Result<()> {
        match connection {
            Connection::Connecting => {}
            Connection::Online { .. } if self.lost => {
                self.lost = false;
                note(self.json, "connected", "connected again");
            }
            Connection::Online { .. } => {}
            Connection::Waiting { reason, next_try } => {
                self.lost = true;
                let seconds = next_try.as_secs_f32();
                let sentence = format!("no connection ({reason}); next try in {seconds:.1} s");
                note(self.json, "no_connection", &sentence);
            }
            Connection::Ended(ended) => return Err(sorry(ended, api).await),
        }
        Ok(())
    }
}

async fn sorry(ended: Ended, api: &Api) -> anyhow::Error {
    match ended {
        Ended::SignedOut if was_locked(api).await => Failure::NotSignedIn(
            "an administrator locked this account: ask whoever runs the server".to_owned(),
        )
        .into(),
        Ended::SignedOut => Failure::NotSignedIn(
            "the sign-in of this device is over: myim login SERVER USER makes a new one".to_owned(),
        )
        .into(),
        Ended::Replaced => Failure::Refused {
            code: "replaced",
            message: "another tail of this account has taken over".to_owned(),
        }
        .into(),
        Ended::Store(problem) => Failure::Local(problem).into(),
        Ended::Closed => client::Error::Closed.into(),
    }
}
