//! `myim send`: writes one message, once, and says for certain what became of it if it can.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use client::Api;
use client::api::{Draft, Fate, Stored};
use client::model::{ConversationId, Segment, Seq};
use client::transfer::{Shelf, Uploaded};
use tokio::time::{Instant, sleep, timeout_at};

use super::upload::Uploads;
use super::{Common, resolve, words};
use crate::cli::duration;
use crate::failure::Failure;

#[derive(Debug, Args)]
pub(crate) struct SendArgs {
    /// A user name, @NAME, #GROUP, a group's number, or a conversation's number
    #[arg(value_name = "TO")]
    to: String,
    /// What to say; several words become one text. Without words, and for -, standard input
    #[arg(value_name = "TEXT")]
    text: Vec<String>,
    /// Upload this file and send it along; may be repeated
    #[arg(long, value_name = "PATH")]
    file: Vec<PathBuf>,
    /// Upload this picture and send it along; may be repeated
    #[arg(long, value_name = "PATH")]
    picture: Vec<PathBuf>,
    /// The place of the message that this one answers
    #[arg(long, value_name = "SEQ")]
    reply_to: Option<u64>,
    /// Your own name for the message: the same one is stored once, however often it is sent
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// How long to go on trying, for example 30s or 5m; files may take longer
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration::read)]
    timeout: Duration,
    #[command(flatten)]
    pub(super) common: Common,
}

/// How long to ask what became of a message, after the time for sending it is over.
const FATE_PATIENCE: Duration = Duration::from_secs(5);
/// The pauses between two tries.
const PAUSE_MIN: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(5);

pub(super) async fn run(args: SendArgs) -> anyhow::Result<()> {
    let account = args.common.account()?;
    let output = args.common.output();
    let api = account.api();
    let text = text(&args)?;
    // What comes before the message may be given up at any moment.
    let deadline = Instant::now() + args.timeout;
    let conversation = tokio::select! {
        found = timeout_at(deadline, resolve::conversation(&account, &api, &args.to)) => {
            found.map_err(|_| unsent("in time"))??
        }
        _ = tokio::signal::ctrl_c() => {
            let interrupted = "interrupted; nothing was sent".to_owned();
            return Err(Failure::Interrupted(interrupted).into());
        }
    };
    let uploads = Uploads::of(&account, output)?;
    let segments = segments(&args, &uploads, text).await?;
    // Files take as long as they take; the time is for the message.
    let deadline = Instant::now() + args.timeout;
    let mut draft = Draft::new(segments);
    draft.reply_to = args.reply_to.map(Seq);
    if let Some(client_id) = args.client_id {
        draft.client_id = client_id;
    }
    let stored = Attempt {
        api: &api,
        conversation,
        draft: &draft,
        in_doubt: false,
    }
    .persist(deadline)
    .await?;
    let line = if io::stdout().is_terminal() {
        format!("sent to {}, number {}", args.to, stored.seq)
    } else {
        format!("{} {}", stored.conversation, stored.seq)
    };
    output.result(&stored, &line)
}

fn text(args: &SendArgs) -> anyhow::Result<Option<String>> {
    let attached = !args.file.is_empty() || !args.picture.is_empty();
    if args.text.is_empty() && attached {
        return Ok(None);
    }
    let text = words::given(&args.text)?;
    if text.is_empty() {
        return Err(Failure::usage("there is nothing to send").into());
    }
    Ok(Some(text))
}

async fn segments(
    args: &SendArgs,
    uploads: &Uploads,
    text: Option<String>,
) -> anyhow::Result<Vec<Segment>> {
    let mut segments: Vec<Segment> = text.map(Segment::text).into_iter().collect();
    for path in &args.picture {
        let uploaded = upload(uploads, path, Shelf::Pictures).await?;
        segments.push(uploaded.as_picture(Some(&name(path))));
    }
    for path in &args.file {
        let uploaded = upload(uploads, path, Shelf::Files).await?;
        segments.push(uploaded.as_file(&name(path)));
    }
    Ok(segments)
}

async fn upload(uploads: &Uploads, path: &Path, shelf: Shelf) -> anyhow::Result<Uploaded> {
    let interrupted = "interrupted; nothing was sent";
    uploads.carry(path, shelf, interrupted).await
}

fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

fn unsent(when: &str) -> Failure {
    Failure::TimedOut(format!(
        "the server did not answer {when}; nothing was sent"
    ))
}

/// One message on its way, under one client id.
struct Attempt<'a> {
    api: &'a Api,
    conversation: ConversationId,
    draft: &'a Draft,
    /// It may have reached the server.
    in_doubt: bool,
}

impl Attempt<'_> {
    /// Sends it until it is stored, until the server says a no that stays, or until the time is
    /// over.
    async fn persist(mut self, deadline: Instant) -> anyhow::Result<Stored> {
        let mut pause = PAUSE_MIN;
        loop {
            let error = tokio::select! {
                answer = timeout_at(deadline, self.api.send(self.conversation, self.draft)) => match answer {
                    Ok(Ok(stored)) => return Ok(stored),
                    Ok(Err(error)) => {
                        self.in_doubt |= may_have_arrived(&error);
                        error
                    }
                    Err(_) => {
                        self.in_doubt = true;
                        return self.settle("the time is over").await;
                    }
                },
                _ = tokio::signal::ctrl_c() => {
                    self.in_doubt = true;
                    return self.interrupted().await;
                }
            };
            let Some(told) = error.retry_after() else {
                return Err(error.into());
            };
            let wait = told.max(pause);
            if Instant::now() + wait > deadline {
                return self.settle(&error.to_string()).await;
            }
            tokio::select! {
                () = sleep(wait) => {}
                _ = tokio::signal::ctrl_c() => return self.interrupted().await,
            }
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// The time is over: what became of it?
    async fn settle(&self, reason: &str) -> anyhow::Result<Stored> {
        Err(Failure::TimedOut(match self.fate().await {
            Some(Fate::Stored(stored)) => return Ok(stored),
            Some(Fate::NotStored) => {
                format!("{reason}; nothing was stored, that is certain")
            }
            None => self.doubt(reason),
        })
        .into())
    }

    async fn interrupted(&self) -> anyhow::Result<Stored> {
        Err(Failure::Interrupted(match self.fate().await {
            Some(Fate::Stored(stored)) => return Ok(stored),
            Some(Fate::NotStored) => "interrupted; nothing was stored, that is certain".to_owned(),
            None => self.doubt("interrupted"),
        })
        .into())
    }

    /// What the server says became of it; `None` if that cannot be found out.
    async fn fate(&self) -> Option<Fate> {
        if !self.in_doubt {
            return Some(Fate::NotStored);
        }
        let asked = Instant::now() + FATE_PATIENCE;
        let answer = timeout_at(asked, self.api.fate(&self.draft.client_id)).await;
        answer.ok().and_then(Result::ok)
    }

    fn doubt(&self, reason: &str) -> String {
        format!(
            "{reason}; it is not certain whether the message was stored. Sending it again with \
             --client-id {} cannot store it twice",
            self.draft.client_id
        )
    }
}

/// Whether the server may have stored it although this is the answer.
fn may_have_arrived(error: &client::Error) -> bool {
    match error {
        client::Error::Refused(problem) => {
            matches!(
                problem.code.as_str(),
                "timed_out" | "storage_unavailable" | "internal" | "shutting_down"
            )
        }
        other => !other.never_left(),
    }
}
