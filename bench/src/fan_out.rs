//! Messages into one group whose members are all on line over WebSockets: how many deliveries a
//! second, and how long each takes.
//!
//! A sender has so many messages under way, and one is under way until every other member has it:
//! a message that is lost on the way to anybody holds its sender up, and is noticed at the end.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, ensure};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::line::{Line, now_us, text_with};
use crate::pairs::{Measured, Run};
use crate::relay::micros_as_ms;
use crate::server::Server;
use crate::speak::web_socket;
use crate::spread::{Spread, count_as_f64};
use crate::table::{Cell, Table};
use crate::web::WebPerson;

const WARM_UP: Duration = Duration::from_secs(2);
/// Accounts that are made, and members that come on line, at a time.
const PARALLEL: usize = 16;
/// A message that has not reached everybody after this is lost.
const PATIENCE_US: u64 = 10_000_000;
/// Who is not on line after this never will be.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is measured.
#[derive(clap::Args)]
pub(crate) struct Plan {
    /// How many members; each number is measured
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [10, 100, 1000])]
    members: Vec<usize>,
    /// How many of them write
    #[arg(long, value_name = "N", default_value_t = 4)]
    senders: usize,
    /// How many messages of a sender are under way at a time
    #[arg(long, value_name = "W", default_value_t = 8)]
    window: usize,
    /// For how many seconds each time, after two of warming up
    #[arg(long, value_name = "SECONDS", default_value_t = 6)]
    seconds: u64,
    /// How often each
    #[arg(long, value_name = "N", default_value_t = 3)]
    rounds: usize,
}

/// A group and its members.
#[derive(Clone)]
struct Group {
    server: SocketAddr,
    process: u32,
    conversation: String,
    members: Vec<WebPerson>,
}

pub(crate) async fn run(server: &Server, plan: &Plan) -> anyhow::Result<Vec<Table>> {
    let most = plan.members.iter().copied().max().unwrap_or_default();
    let people: Vec<WebPerson> = stream::iter(0..most)
        .map(|number| async move { WebPerson::new(server.chat, &format!("member{number}")).await })
        .buffered(PARALLEL)
        .try_collect()
        .await?;
    println!(
        "{} senders with {} messages each under way; medians of {} rounds of {} s, the least and the most in parentheses\n",
        plan.senders, plan.window, plan.rounds, plan.seconds
    );
    let mut table = Table::begin(
        "groups",
        &[
            ("members", "members"),
            ("deliveries_per_s", "deliveries/s"),
            (
                "deliveries_per_server_core_s",
                "a core-second of the server",
            ),
            ("p50_ms", "p50, ms"),
            ("p99_ms", "p99, ms"),
            ("server_core_share", "server CPU"),
            ("generator_core_share", "generator CPU"),
        ],
    );
    for members in &plan.members {
        ensure!(*members > plan.senders, "somebody has to listen");
        let group = make_group(server, &people[..*members]).await?;
        let mut rounds = Vec::new();
        for _ in 0..plan.rounds {
            rounds.push(on_one_thread(group.clone(), plan).await?);
        }
        table.row(row(*members, &rounds));
    }
    Ok(vec![table])
}

async fn make_group(server: &Server, people: &[WebPerson]) -> anyhow::Result<Group> {
    let members: Vec<&WebPerson> = people.iter().collect();
    let made = crate::group::make_group(&members).await?;
    Ok(Group {
        server: server.chat,
        process: server.pid,
        conversation: made.conversation,
        members: people.to_vec(),
    })
}

/// The load comes from one thread, so that it takes one core at most.
async fn on_one_thread(group: Group, plan: &Plan) -> anyhow::Result<Measured> {
    let (senders, window) = (plan.senders, plan.window);
    let lasts = Duration::from_secs(plan.seconds);
    let on_thread = move || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?
            .block_on(measure(&group, senders, window, lasts))
    };
    tokio::task::spawn_blocking(on_thread).await?
}

/// Everybody has the group on the screen, because in large groups only such hear each message.
async fn measure(
    group: &Group,
    senders: usize,
    window: usize,
    lasts: Duration,
) -> anyhow::Result<Measured> {
    let lines: Vec<Line> = stream::iter(group.members.iter().enumerate())
        .map(|(place, person)| async move {
            let (server, shown) = (group.server, group.conversation.as_str());
            let to = json!({"conversation": shown});
            let open = web_socket::open(server, place, person, to, Some(shown));
            timeout(PATIENCE, open)
                .await
                .with_context(|| format!("member {place} did not come on line"))?
        })
        .buffered(PARALLEL)
        .try_collect()
        .await?;
    let run = Run::new()?;
    let board = Arc::new(Board {
        hearers: lines.len() - 1,
        places: (0..senders).map(|_| Semaphore::new(window)).collect(),
        under_way: Mutex::new(UnderWay::default()),
    });
    let mut tasks = JoinSet::new();
    for (number, line) in lines.into_iter().enumerate() {
        let (run, board) = (Arc::clone(&run), Arc::clone(&board));
        match number < senders {
            true => tasks.spawn(write_and_listen(run, board, line, number)),
            false => tasks.spawn(listen(run, board, line, number)),
        };
    }
    let measured = run.measure(tasks, group.process, (WARM_UP, lasts)).await?;
    board.nothing_is_lost()?;
    Ok(measured)
}

/// Which messages are under way, and to how many.
struct Board {
    hearers: usize,
    /// Of each sender.
    places: Vec<Semaphore>,
    under_way: Mutex<UnderWay>,
}

#[derive(Default)]
struct UnderWay {
    last_mark: u64,
    /// Who sent it, and how many do not have it yet.
    messages: HashMap<u64, (usize, usize)>,
}

impl Board {
    /// A mark that no other message has: the time at which it is sent, or the next one.
    fn send(&self, sender: usize) -> u64 {
        let mut under_way = self.lock();
        let mark = now_us().max(under_way.last_mark + 1);
        under_way.last_mark = mark;
        under_way.messages.insert(mark, (sender, self.hearers));
        mark
    }

    /// Takes note of what somebody heard, and leaves of it what was sent by others in this run.
    fn heard(&self, hearer: usize, marks: &mut Vec<u64>) {
        let mut under_way = self.lock();
        marks.retain(|mark| {
            let Some((sender, missing)) = under_way.messages.get_mut(mark) else {
                return false;
            };
            if *sender == hearer {
                return false;
            }
            *missing -= 1;
            if *missing == 0 {
                self.places[*sender].add_permits(1);
                under_way.messages.remove(mark);
            }
            true
        });
    }

    fn nothing_is_lost(&self) -> anyhow::Result<()> {
        let now_us = now_us();
        let under_way = self.lock();
        let lost = under_way
            .messages
            .keys()
            .filter(|mark| now_us.saturating_sub(**mark) > PATIENCE_US)
            .count();
        ensure!(lost == 0, "{lost} messages did not reach everybody");
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, UnderWay> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

async fn listen(
    run: Arc<Run>,
    board: Arc<Board>,
    mut line: Line,
    own: usize,
) -> anyhow::Result<()> {
    let mut marks = Vec::new();
    loop {
        line.readable().await?;
        hear(&run, &board, &mut line, own, &mut marks).await?;
    }
}

async fn write_and_listen(
    run: Arc<Run>,
    board: Arc<Board>,
    mut line: Line,
    own: usize,
) -> anyhow::Result<()> {
    let mut marks = Vec::new();
    let places = &board.places[own];
    loop {
        tokio::select! {
            place = places.acquire() => {
                place?.forget();
                line.put(&text_with(board.send(own)))?;
                while let Ok(place) = places.try_acquire() {
                    place.forget();
                    line.put(&text_with(board.send(own)))?;
                }
                line.flush().await?;
            }
            ready = line.readable() => {
                ready?;
                hear(&run, &board, &mut line, own, &mut marks).await?;
            }
        }
    }
}

async fn hear(
    run: &Run,
    board: &Board,
    line: &mut Line,
    own: usize,
    marks: &mut Vec<u64>,
) -> anyhow::Result<()> {
    marks.clear();
    line.read(|mark| marks.push(mark)).await?;
    board.heard(own, marks);
    run.arrived(marks);
    Ok(())
}

fn row(members: usize, rounds: &[Measured]) -> [Cell; 7] {
    let spread = |of: fn(&Measured) -> f64| Spread::new(rounds.iter().map(of).collect());
    let rate = spread(|one| count_as_f64(one.delays.len()) / one.elapsed_s);
    let a_core = spread(|one| count_as_f64(one.delays.len()) / one.server_s.max(0.01));
    let p50 = spread(|one| micros_as_ms(one.delays.value_at_quantile(0.5)));
    let p99 = spread(|one| micros_as_ms(one.delays.value_at_quantile(0.99)));
    [
        Cell::size(members),
        Cell::spread(&rate, 0),
        Cell::spread(&a_core, 0),
        Cell::median(&p50, 1),
        Cell::median(&p99, 1),
        Cell::median_share(&spread(|one| one.server_s / one.elapsed_s)),
        Cell::median_share(&spread(|one| one.generator_s / one.elapsed_s)),
    ]
}
