//! How cost grows with what is stored: a database is filled without a server, as full as it says, and
//! asked what a server asks.
//!
//! Half of the messages are in one conversation, as in a group that has talked for years; the others
//! are in short ones, of which each person has ten.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, bail, ensure};
use common::api::{Body, Dialect, NewAccount, Origin, Segment, SegmentedContent};
use common::id::{ClientId, ConvId, DeviceId, Millis, Seq, UserId};
use common::store::search::{Indexed, SearchChange, Wanted};
use common::store::{
    Append, Change, DatabaseUrl, Guard, OpenOptions, Outcome, Store, open, place, search,
};
use common::words;
use hdrhistogram::Histogram;

use crate::relay::micros_as_ms;
use crate::table::{Cell, Table};

/// Messages in a short conversation, and with how many others each person begins one.
const SHORT_MESSAGES: u32 = 20;
const FRIENDS: u32 = 5;
/// Messages of one conversation that are written together.
const TOGETHER: u32 = 200;
/// Changes in a transaction, as many as the server takes.
const BATCH_CHANGES: usize = 1_024;
/// Entries of a page of history, conversations of a page of the list.
const PAGE: u32 = 50;
/// How often each question is asked.
const ASKED: u32 = 200;
/// One word of a message is one of so many.
const RARE: u32 = 997;
const DEVICE: DeviceId = DeviceId(1);
/// The two who have written to each other for years.
const TALKATIVE: (UserId, UserId) = (UserId(1), UserId(2));

/// What is measured.
#[derive(clap::Args)]
pub(crate) struct Plan {
    /// How many messages; each number is measured in a database of its own, or one number in the
    /// empty one of --database
    #[arg(value_name = "N", value_delimiter = ',', default_values_t = [10_000, 100_000, 1_000_000])]
    messages: Vec<u32>,
}

#[tokio::main]
pub(crate) async fn run(
    program: &Path,
    database: Option<&str>,
    plan: &Plan,
) -> anyhow::Result<Vec<Table>> {
    let mut table = Table::begin(
        "databases",
        &[
            ("messages", "messages"),
            ("people", "people"),
            ("database_bytes", "database, MiB"),
            ("filled_per_s", "filled, messages/s"),
            ("open_ms", "opened, ms"),
            ("message_ms", "one message, ms"),
            ("batch_ms", &format!("{BATCH_CHANGES} messages, ms")),
            ("history_ms", "a page of history, ms"),
            ("news_ms", "what is new, ms"),
            ("list_ms", "list of conversations, ms"),
            ("rare_word_ms", "a rare word, ms"),
            ("frequent_word_ms", "a frequent word, ms"),
            ("typed_word_ms", "a frequent one as typed, ms"),
            ("both_words_ms", "both, ms"),
        ],
    );
    if let Some(url) = database {
        let [messages] = plan.messages[..] else {
            bail!("one number of messages fits into the one database");
        };
        table.row(measure(&url.parse()?, messages).await?);
        return Ok(vec![table]);
    }
    let beside = program
        .parent()
        .context("the server's program is nowhere")?;
    for messages in &plan.messages {
        let folder = tempfile::Builder::new()
            .prefix("bench-")
            .tempdir_in(beside)?;
        let url = DatabaseUrl::Sqlite(folder.path().join("myim.db"));
        table.row(measure(&url, *messages).await?);
    }
    Ok(vec![table])
}

async fn measure(url: &DatabaseUrl, messages: u32) -> anyhow::Result<Vec<Cell>> {
    let began = Instant::now();
    let mut filler = fill(url, messages).await?;
    let filled = f64::from(messages) / began.elapsed().as_secs_f64();
    let began = Instant::now();
    let store = open(url, &OpenOptions::default()).await?;
    let opened = began.elapsed();
    filler.store = Arc::clone(&store);
    let mut figures = vec![opened.as_secs_f64() * 1e3];
    figures.extend(filler.sends().await?);
    figures.extend(questions(&*store, &filler).await?);
    let mut cells = vec![
        Cell::count(messages.into()),
        Cell::count(filler.people.into()),
        Cell::mib(store.size_bytes().await?, 0),
        Cell::figure(filled, 0),
    ];
    cells.extend(figures.into_iter().map(|ms| Cell::figure(ms, 2)));
    store.close().await;
    Ok(cells)
}

/// Fills a database in which there is nothing, and closes it.
pub(crate) async fn fill(url: &DatabaseUrl, messages: u32) -> anyhow::Result<Filler> {
    let store = open(url, &OpenOptions::default()).await?;
    ensure!(
        store.account(UserId(1)).await?.is_none(),
        "there is something in {url}"
    );
    let mut filler = Filler::new(Arc::clone(&store), messages);
    filler.fill(messages).await?;
    store.close().await;
    Ok(filler)
}

/// Writes messages.
pub(crate) struct Filler {
    store: Arc<dyn Store>,
    people: u32,
    /// Of the next message.
    number: u32,
    waiting: Vec<Change>,
}

impl Filler {
    fn new(store: Arc<dyn Store>, messages: u32) -> Self {
        Self {
            store,
            people: (messages / 2 / SHORT_MESSAGES / FRIENDS).max(2 * FRIENDS + 1),
            number: 0,
            waiting: Vec::new(),
        }
    }

    async fn fill(&mut self, messages: u32) -> anyhow::Result<()> {
        for number in 1..=self.people {
            let account = NewAccount {
                username: format!("person{number}"),
                nickname: format!("Person {number}"),
                password_hash: String::new(),
            };
            let at = Millis(0);
            self.hand_in(Change::CreateAccount { account, at }).await?;
            let (user, device) = (UserId(number), DEVICE);
            self.hand_in(Change::RegisterDevice { user, device, at })
                .await?;
        }
        for first in (0..messages / 2).step_by(usize::try_from(TOGETHER)?) {
            let last = (messages / 2).min(first + TOGETHER);
            self.talk(TALKATIVE, first..last).await?;
        }
        // Everybody's conversations go on by turns, as they do.
        let half = SHORT_MESSAGES / 2;
        for messages in [0..half, half..SHORT_MESSAGES] {
            for one in 0..self.people {
                for step in 1..=FRIENDS {
                    let other = (one + step) % self.people;
                    self.talk((UserId(one + 1), UserId(other + 1)), messages.clone())
                        .await?;
                }
            }
        }
        self.commit().await
    }

    /// Two people write to each other, and what they write is indexed.
    async fn talk(
        &mut self,
        (one, other): (UserId, UserId),
        messages: std::ops::Range<u32>,
    ) -> anyhow::Result<()> {
        let conv = ConvId::direct(one, other);
        let mut indexed = Vec::new();
        for number in messages.clone() {
            let writer = if number % 2 == 0 { one } else { other };
            let text = self.text();
            let at = Millis(i64::from(self.number));
            let change = self.message(writer, conv, &text)?;
            self.hand_in(change).await?;
            // The long one may be one of the short ones too: then some words stand there twice.
            let seq = Seq(u64::from(number) + 1);
            let words = words::of_message(&text);
            indexed.push(Indexed { seq, at, words });
        }
        let change = SearchChange {
            conv,
            upto: Seq(messages.end.into()),
            words: indexed,
            mentions: Vec::new(),
        };
        self.hand_in(Change::Search(change)).await
    }

    fn text(&self) -> String {
        format!("Lunch at noon? r{}", self.number % RARE)
    }

    fn message(&mut self, user: UserId, conv: ConvId, text: &str) -> anyhow::Result<Change> {
        let client_id = ClientId::new(format!("{:032x}", self.number));
        let at = Millis(self.number.into());
        self.number += 1;
        let content = SegmentedContent {
            segments: vec![Segment::text(text)],
            reply_to: None,
            forwarded_from: None,
        };
        Ok(Change::Append(Append {
            conv,
            origin: Origin {
                user,
                device: DEVICE,
                client_id: client_id.context("a client id")?,
                tag: 0,
                at,
            },
            body: Body::Message {
                dialect: Dialect::Segments,
                content: serde_json::to_vec(&content)?.into(),
            },
            guard: Guard::Exists,
            files: Vec::new(),
        }))
    }

    async fn hand_in(&mut self, change: Change) -> anyhow::Result<()> {
        self.waiting.push(change);
        if self.waiting.len() == BATCH_CHANGES {
            self.commit().await?;
        }
        Ok(())
    }

    async fn commit(&mut self) -> anyhow::Result<()> {
        let outcomes = self
            .store
            .commit(&std::mem::take(&mut self.waiting))
            .await?;
        for outcome in outcomes {
            ensure!(
                matches!(outcome, Outcome::Done { .. }),
                "not saved: {outcome:?}"
            );
        }
        Ok(())
    }

    /// The time of a message that is committed alone, and of as many as fit into one transaction, each
    /// between others of the people.
    async fn sends(&mut self) -> anyhow::Result<[f64; 2]> {
        let mut figures = [0.0; 2];
        for (figure, (together, times)) in figures.iter_mut().zip([(1, ASKED), (BATCH_CHANGES, 20)])
        {
            let mut took = Histogram::<u64>::new(3)?;
            for _ in 0..times {
                for _ in 0..together {
                    let one = self.number.wrapping_mul(7919) % self.people;
                    let other = (one + 1) % self.people;
                    let (one, other) = (UserId(one + 1), UserId(other + 1));
                    let text = self.text();
                    let change = self.message(one, ConvId::direct(one, other), &text)?;
                    self.waiting.push(change);
                }
                let began = Instant::now();
                self.commit().await?;
                took.record(u64::try_from(began.elapsed().as_micros())?)?;
            }
            *figure = micros_as_ms(took.value_at_quantile(0.5));
        }
        Ok(figures)
    }
}

/// The median time of each question, of people and places all over the database.
async fn questions(store: &dyn Store, filler: &Filler) -> anyhow::Result<[f64; 7]> {
    let mut took = [(); 7].map(|()| Histogram::<u64>::new(3));
    let long = ConvId::direct(TALKATIVE.0, TALKATIVE.1);
    let length = filler.number / 2;
    for number in 0..ASKED {
        let user = UserId(1 + number.wrapping_mul(7919) % filler.people);
        let after = Seq((number.wrapping_mul(104_729) % length).into());
        let rare = Wanted::Word(format!("r{}", number % RARE));
        let frequent = Wanted::Word("lunch".to_owned());
        let searches = [
            vec![rare.clone()],
            vec![frequent.clone()],
            // The last word of what people type may be unfinished.
            vec![Wanted::Prefix("lunc".to_owned())],
            vec![frequent, rare],
        ];
        for (question, took) in took.iter_mut().enumerate() {
            let began = Instant::now();
            match question {
                0 => drop(store.pull(long, after, PAGE).await?),
                1 => drop(store.behind(user, DEVICE).await?),
                2 => drop(place::list(store, user, false, None, PAGE).await?),
                nth => {
                    let words = searches.get(nth - 3).context("a search")?;
                    drop(search::find(store, TALKATIVE.0, None, words, None, PAGE).await?);
                }
            }
            let us = u64::try_from(began.elapsed().as_micros())?;
            took.as_mut()
                .map_err(|error| anyhow::anyhow!("{error}"))?
                .record(us)?;
        }
    }
    let median = |took: Result<Histogram<u64>, _>| {
        took.map_or(f64::NAN, |took| micros_as_ms(took.value_at_quantile(0.5)))
    };
    Ok(took.map(median))
}
