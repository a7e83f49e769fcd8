//! Somebody who uses the SDK: sends numbered messages, confirms what comes, reports both, and may
//! be killed anywhere.
//!
//! The report is one JSON object a line on standard output, each written at once: what a program
//! that was killed reported is exactly what it had done.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use client::live::{EntryContent, Outgoing};
use client::model::{ConversationId, KnownSegment, Segment};
use client::store::SqliteStore;
use client::{Api, Client, Entry, Event, Events, Target};
use rustix::process::{Signal, getpid, kill_process};
use serde::{Deserialize, Serialize};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;
use tokio::time::{interval, sleep, timeout};

use crate::dice::Dice;

/// What a person has to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Part {
    pub name: String,
    pub server: String,
    pub token: String,
    pub store: PathBuf,
    /// To whom messages go, in turn as the seed says.
    pub targets: Vec<Target>,
    /// Somebody who does not want to hear from us: what goes there is refused.
    pub stranger: Target,
    /// The numbers of messages to send.
    pub first: u64,
    pub last: u64,
    pub seed: u64,
    /// When it kills itself, if it does.
    pub death: Option<Death>,
}

/// `kill -9` at a certain point.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Death {
    pub point: Point,
    /// When this has happened so many times.
    pub count: u64,
    /// At the latest, in milliseconds.
    pub latest_ms: u64,
}

/// What happened just before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Point {
    Sending,
    Accepted,
    Sent,
    Got,
    Confirming,
    Confirmed,
}

/// A line of the report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Report {
    /// Is about to be given to the SDK.
    Sending {
        number: u64,
    },
    /// The SDK has accepted it.
    Accepted {
        number: u64,
        client_id: String,
    },
    /// The SDK says that the server has it.
    Sent {
        client_id: String,
        conversation: u64,
        seq: u64,
    },
    /// The SDK says that it failed.
    Failed {
        client_id: String,
        code: String,
    },
    /// The SDK handed out an entry; its text if it is a new message.
    Got {
        conversation: u64,
        seq: u64,
        text: Option<String>,
    },
    /// The SDK is about to be told that we have everything up to here.
    Confirming {
        conversation: u64,
        seq: u64,
    },
    /// The SDK keeps in mind that we have everything up to here.
    Confirmed {
        conversation: u64,
        seq: u64,
    },
    /// Everything up to the last number is accepted.
    AcceptedAll,
    /// Nothing waits to be sent; these have failed.
    Drained {
        failed: Vec<String>,
    },
    Resync,
    /// There is a connection, and it was welcomed.
    Online,
    /// There is no connection; why.
    Waiting(String),
    Ended(String),
}

impl Report {
    fn point(&self) -> Option<Point> {
        match self {
            Self::Sending { .. } => Some(Point::Sending),
            Self::Accepted { .. } => Some(Point::Accepted),
            Self::Sent { .. } => Some(Point::Sent),
            Self::Got { .. } => Some(Point::Got),
            Self::Confirming { .. } => Some(Point::Confirming),
            Self::Confirmed { .. } => Some(Point::Confirmed),
            _ => None,
        }
    }
}

/// The report in what a person wrote. The last line may be missing, never half there.
pub fn read_report(output: &str) -> Vec<Report> {
    let whole = output
        .split_inclusive('\n')
        .filter(|line| line.ends_with('\n'));
    whole
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line:?}: {error}")))
        .collect()
}

/// What is special about a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    Plain,
    /// Longer than any server takes.
    TooLong,
    /// Goes to somebody who does not want it.
    ToStranger,
    /// Is given up after a short time.
    Hasty(Duration),
}

impl Part {
    /// Which target the message of this number goes to, and how.
    pub fn message(&self, number: u64) -> (usize, Manner) {
        let mut dice = Dice::new(self.seed, number);
        let count = u64::try_from(self.targets.len()).expect("a few");
        let target = usize::try_from(dice.from(0, count - 1)).expect("a few");
        let manner = match dice.from(0, 99) {
            0..3 => Manner::TooLong,
            3..6 => Manner::ToStranger,
            6..12 => Manner::Hasty(Duration::from_millis(dice.from(30, 800))),
            _ => Manner::Plain,
        };
        (target, manner)
    }

    /// The text of the message of this number.
    pub fn text(&self, number: u64) -> String {
        format!("{} {number}", self.name)
    }
}

/// Longer than `message_bytes_max`.
const TOO_LONG_BYTES: usize = 70_000;
/// What was not confirmed at once is confirmed after a time between these.
const CONFIRM_MS: (u64, u64) = (60, 2000);
/// The outbox is looked at this often.
const LOOK_EVERY: Duration = Duration::from_millis(120);
/// The next try to connect is not later than this.
const RECONNECT_MAX: Duration = Duration::from_millis(700);

/// Nobody lives as long.
const NEVER: Duration = Duration::from_secs(3600);

/// Plays the part until it is killed or asked to end.
///
/// # Errors
/// What the SDK cannot go on with.
pub async fn play(part: Part) -> Result<(), Box<dyn Error>> {
    let reporter = Reporter::new(part.death);
    let api = Api::new(part.server.parse()?).with_token(&part.token);
    let store = SqliteStore::open(&part.store).await?;
    let builder = Client::builder(api)
        .store(store)
        .reconnect_max(RECONNECT_MAX);
    let (client, events) = builder.start().await?;
    let mut asked = signal(SignalKind::terminate())?;
    let latest = part
        .death
        .map(|death| Duration::from_millis(death.latest_ms));
    let moved = Notify::new();
    let both = async {
        tokio::try_join!(write(&part, &client, &reporter, &moved), async {
            read(&part, events, &reporter, &moved).await;
            Ok(())
        })
        .map(drop)
    };
    tokio::select! {
        over = both => over?,
        _ = asked.recv() => client.close().await,
        () = sleep(latest.unwrap_or(NEVER)) => die(),
    }
    Ok(())
}

async fn write(
    part: &Part,
    client: &Client,
    reporter: &Reporter,
    moved: &Notify,
) -> Result<(), Box<dyn Error>> {
    let mut dice = Dice::new(part.seed, u64::MAX - part.first);
    for number in part.first..=part.last {
        sleep(Duration::from_millis(dice.from(0, 30))).await;
        let (target, manner) = part.message(number);
        let words = Segment::text(part.text(number));
        let mut outgoing = Outgoing::new(part.targets[target], vec![words]);
        match manner {
            Manner::Plain => {}
            Manner::TooLong => outgoing
                .segments
                .push(Segment::text("x".repeat(TOO_LONG_BYTES))),
            Manner::ToStranger => outgoing.to = part.stranger,
            Manner::Hasty(time) => outgoing.expire_after = Some(time),
        }
        reporter.tell(&Report::Sending { number });
        let sending = client.send_with(outgoing).await?;
        let client_id = sending.client_id().to_owned();
        reporter.tell(&Report::Accepted { number, client_id });
    }
    reporter.tell(&Report::AcceptedAll);
    loop {
        let outbox = client.outbox().await?;
        if outbox.iter().all(|outgoing| outgoing.failed.is_some()) {
            let failed = outbox
                .into_iter()
                .map(|outgoing| outgoing.client_id)
                .collect();
            reporter.tell(&Report::Drained { failed });
            return Ok(());
        }
        // The outbox also moves without an event that says so.
        let _ = timeout(LOOK_EVERY, moved.notified()).await;
    }
}

async fn read(part: &Part, mut events: Events, reporter: &Reporter, moved: &Notify) {
    let mut dice = Dice::new(part.seed, u64::MAX / 2 - part.first);
    let mut unconfirmed = BTreeMap::<ConversationId, Entry>::new();
    // Some are quick and some are slow, so that a connection ends before and after.
    let at_once = dice.one(&[0, 0, 40]);
    let mut tick = interval(Duration::from_millis(dice.from(CONFIRM_MS.0, CONFIRM_MS.1)));
    loop {
        let event = tokio::select! {
            event = events.next() => event,
            _ = tick.tick() => {
                for entry in std::mem::take(&mut unconfirmed).into_values() {
                    confirm(&entry, reporter).await;
                }
                continue;
            }
        };
        match event {
            None => return,
            Some(Event::Entry(entry)) => {
                reporter.tell(&got(&entry));
                if dice.percent(at_once) {
                    unconfirmed.remove(&entry.conversation);
                    confirm(&entry, reporter).await;
                } else {
                    unconfirmed.insert(entry.conversation, entry);
                }
            }
            Some(Event::Sent(sent)) => {
                reporter.tell(&Report::Sent {
                    client_id: sent.client_id,
                    conversation: sent.conversation.0,
                    seq: sent.seq.0,
                });
                moved.notify_one();
            }
            Some(Event::Failed(failed)) => {
                let (client_id, code) = (failed.client_id, failed.code);
                reporter.tell(&Report::Failed { client_id, code });
                moved.notify_one();
            }
            Some(Event::Resync) => reporter.tell(&Report::Resync),
            Some(Event::Connection(client::Connection::Ended(why))) => {
                reporter.tell(&Report::Ended(format!("{why:?}")));
            }
            Some(Event::Connection(client::Connection::Waiting { reason, .. })) => {
                reporter.tell(&Report::Waiting(reason));
            }
            Some(Event::Connection(client::Connection::Online { .. })) => {
                reporter.tell(&Report::Online);
            }
            Some(Event::Connection(client::Connection::Connecting) | Event::Passing(_)) => {}
        }
    }
}

async fn confirm(entry: &Entry, reporter: &Reporter) {
    let (conversation, seq) = (entry.conversation.0, entry.seq.0);
    reporter.tell(&Report::Confirming { conversation, seq });
    // It ends for good then, and says why.
    if entry.confirm().await.is_ok() {
        reporter.tell(&Report::Confirmed { conversation, seq });
    }
}

fn got(entry: &Entry) -> Report {
    let text = match &entry.content {
        EntryContent::Message(message) => {
            message.segments.first().and_then(|segment| match segment {
                Segment::Known(KnownSegment::Text { text }) => Some(text.clone()),
                _ => None,
            })
        }
        EntryContent::MessageUpdated(_) | EntryContent::Notice(_) => None,
    };
    let (conversation, seq) = (entry.conversation.0, entry.seq.0);
    Report::Got {
        conversation,
        seq,
        text,
    }
}

/// Writes the report, and dies where the part says.
struct Reporter {
    death: Option<Death>,
    counted: Mutex<u64>,
}

impl Reporter {
    fn new(death: Option<Death>) -> Self {
        let counted = Mutex::new(0);
        Self { death, counted }
    }

    fn tell(&self, report: &Report) {
        let mut line = serde_json::to_string(report).expect("it is JSON");
        line.push('\n');
        // One lock for line and count: nothing is reported behind the last line.
        let mut counted = self.counted.lock().expect("no holder of this lock panics");
        let mut out = std::io::stdout().lock();
        out.write_all(line.as_bytes()).expect("the test listens");
        out.flush().expect("the test listens");
        let Some(death) = self.death else { return };
        if report.point() == Some(death.point) {
            *counted += 1;
            if *counted >= death.count {
                die();
            }
        }
    }
}

fn die() {
    kill_process(getpid(), Signal::KILL).expect("one may kill oneself");
}
