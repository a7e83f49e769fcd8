//! What everybody shares, and the course of one play.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use client::flamingo::Imitate;
use common::api::NewAccount;
use common::clock::Clock;
use common::id::{ConvId, DeviceId, Millis, Seq, SessionId, UserId};
use common::store::sqlite::SqliteStore;
use common::store::{Change, Outcome, Store};
use fastrand::Rng;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::history::{History, Log};
use super::node::{Node, PASSWORD_HASH};
use super::person::{self, Person, Program};

/// How long there are faults.
const STORM: Duration = Duration::from_secs(20);
/// How long it may take after the storm until everybody has everything: a connection that went
/// silent is noticed after two heartbeats, and the wait between two attempts is up to 30 seconds.
const CALM_MAX: Duration = Duration::from_secs(300);
/// How long nothing happens before everybody comes back, and after it: what an old client has counts
/// after two seconds at most, and is saved at once when nothing fails.
const REST: Duration = Duration::from_secs(5);
/// How often to look whether everybody has everything.
const LOOK_AGAIN: Duration = Duration::from_millis(300);
pub(super) const PEOPLE: u32 = 4;
/// When every play begins.
pub(super) const EPOCH_MS: i64 = 1_800_000_000_000;
/// More than they write.
const ENTRIES_MAX: u32 = 100_000;
const SESSION: Duration = Duration::from_secs(86_400);

/// Time, chance, the database, and the server if one runs.
pub(super) struct World {
    pub(super) database: Arc<dyn Store>,
    dice: Mutex<Rng>,
    is_storm: AtomicBool,
    /// When the database is away, if ever: for longer than the committer tries again.
    away: Option<Range<Duration>>,
    encore: CancellationToken,
    node: Mutex<Option<Arc<Node>>>,
    history: Mutex<History>,
    began: Instant,
}

/// The clock on the wall goes with the runtime's.
#[derive(Debug)]
pub(super) struct WallClock(pub(super) Instant);

impl Clock for WallClock {
    fn now(&self) -> Millis {
        let since = i64::try_from(self.0.elapsed().as_millis()).unwrap_or(i64::MAX);
        Millis(EPOCH_MS + since)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    pub(super) async fn play(seed: u64) -> History {
        // For what has only the thread's own dice.
        fastrand::seed(seed);
        let database = SqliteStore::in_memory().expect("SQLite works");
        let mut dice = Rng::with_seed(seed);
        let away = (dice.u32(0..100) < 30).then(|| {
            let from = Duration::from_millis(dice.u64(0..12_000));
            from..from + Duration::from_millis(dice.u64(5_000..8_000))
        });
        let world = Arc::new(Self {
            database: Arc::new(database),
            dice: Mutex::new(dice),
            is_storm: AtomicBool::new(false),
            away,
            encore: CancellationToken::new(),
            node: Mutex::default(),
            history: Mutex::default(),
            began: Instant::now(),
        });
        let people = world.settle().await;
        let mut conversations = Vec::new();
        for conv in conversations_of(&people) {
            let before = world.log(conv, 0).await.last();
            conversations.push((conv, before));
        }
        world.is_storm.store(true, Ordering::Relaxed);
        let server = tokio::spawn(Arc::clone(&world).keep_a_server());
        let lives: Vec<_> = people
            .iter()
            .map(|person| tokio::spawn(person::live(Arc::clone(&world), Arc::clone(person))))
            .collect();
        sleep(STORM).await;
        world.note("the storm is over");
        world.is_storm.store(false, Ordering::Relaxed);
        if world.settles(&people, &conversations).await {
            sleep(REST).await;
            world.write(|history, at| history.settled(at));
            world.encore.cancel();
            sleep(REST).await;
        } else {
            world.note("not everybody has everything");
        }
        server.abort();
        lives.iter().for_each(tokio::task::JoinHandle::abort);
        world.end_server();
        let mut history = std::mem::take(&mut *lock(&world.history));
        for (conv, before) in conversations {
            history.stored(world.log(conv, before).await);
        }
        for person in &people {
            history.left(&person.name, person.left());
        }
        history
    }

    /// A world in which four people know each other and have a group.
    async fn settle(self: &Arc<Self>) -> Vec<Arc<Person>> {
        let node = Node::start(self).await;
        let mut people = Vec::new();
        for n in 1..=PEOPLE {
            people.push(self.settler(&node, n).await);
        }
        node.befriend(&people).await;
        node.kill();
        people
    }

    async fn settler(self: &Arc<Self>, node: &Node, n: u32) -> Arc<Person> {
        let name = format!("p{n}");
        let change = Change::CreateAccount {
            account: NewAccount {
                username: name.clone(),
                nickname: name.clone(),
                password_hash: PASSWORD_HASH.to_owned(),
            },
            at: self.clock().now(),
        };
        let Outcome::Done { id: Some(id), .. } = node.app.log.commit(change).await.unwrap() else {
            panic!("{name} was not made");
        };
        let user = UserId(id);
        let device = DeviceId(1000 + u64::from(n));
        // The first one owns the group, and these clients cannot take anybody out of it.
        let program = if n > 1 && self.happens(40) {
            let is_pc = self.happens(50);
            Program::Flamingo(if is_pc { Imitate::Pc } else { Imitate::Android })
        } else {
            let session = SessionId(u64::from(n));
            Program::Sdk {
                token: node.sign_in(user, device, session, SESSION).await,
                memory: Arc::default(),
            }
        };
        let person = Person::new(name, user, device, program);
        self.write(|history, _| history.introduce(&person.name, user, person.is_flamingo()));
        Arc::new(person)
    }

    /// Starts the server whenever there is none, and ends it now and then. In some plays it lives
    /// through the storm: whoever comes back to another server is helped by that alone.
    async fn keep_a_server(self: Arc<Self>) {
        let is_killed = self.happens(60);
        loop {
            let node = Arc::new(Node::start(&self).await);
            self.note("the server starts");
            *lock(&self.node) = Some(Arc::clone(&node));
            let lives_for = self.time(500..6_000);
            self.until_calm(if is_killed { lives_for } else { STORM })
                .await;
            if !self.is_storm() {
                return;
            }
            if self.happens(30) {
                self.note("the server stops in order");
                node.stop_in_order().await;
            } else {
                self.note("the server is killed");
            }
            *lock(&self.node) = None;
            node.kill();
            self.until_calm(self.time(0..3_000)).await;
        }
    }

    fn end_server(&self) {
        if let Some(node) = lock(&self.node).take() {
            node.kill();
        }
    }

    /// Whether everybody has everything in time.
    async fn settles(&self, people: &[Arc<Person>], conversations: &[(ConvId, u64)]) -> bool {
        let logs = conversations.iter();
        let mut logs: Vec<Log> = logs.map(|&(conv, before)| Log::new(conv, before)).collect();
        let deadline = Instant::now() + CALM_MAX;
        while Instant::now() < deadline {
            if self.has_settled(people, &mut logs).await {
                return true;
            }
            sleep(LOOK_AGAIN).await;
        }
        false
    }

    async fn has_settled(&self, people: &[Arc<Person>], logs: &mut [Log]) -> bool {
        if !people.iter().all(|person| person.has_sent_all()) {
            return false;
        }
        for log in logs {
            self.read_on(log).await;
            if !people.iter().all(|person| person.has(log)) {
                return false;
            }
        }
        true
    }

    async fn log(&self, conv: ConvId, before: u64) -> Log {
        let mut log = Log::new(conv, before);
        self.read_on(&mut log).await;
        log
    }

    /// Reads what the database has and the log does not have yet.
    async fn read_on(&self, log: &mut Log) {
        let behind = self
            .database
            .pull(log.conv, Seq(log.last()), ENTRIES_MAX)
            .await;
        log.extend(&behind.expect("the database works"));
    }

    /// Comes when the storm is over and everybody has everything: then nobody is sent again what he
    /// has.
    pub(super) async fn everybody_comes_back(&self) {
        self.encore.cancelled().await;
    }

    // Chance. Everything that differs from seed to seed asks here.

    /// Whether something happens that happens so many times of a hundred.
    pub(super) fn happens(&self, of_hundred: u32) -> bool {
        lock(&self.dice).u32(0..100) < of_hundred
    }

    /// The same for faults: never when there is no storm.
    pub(super) fn fails(&self, of_hundred: u32) -> bool {
        self.happens(of_hundred) && self.is_storm()
    }

    pub(super) fn below(&self, bound: usize) -> usize {
        lock(&self.dice).usize(0..bound)
    }

    pub(super) fn random(&self) -> u64 {
        lock(&self.dice).u64(..)
    }

    pub(super) fn time(&self, ms: Range<u64>) -> Duration {
        Duration::from_millis(lock(&self.dice).u64(ms))
    }

    // The rest

    pub(super) fn is_storm(&self) -> bool {
        self.is_storm.load(Ordering::Relaxed)
    }

    pub(super) fn is_database_away(&self) -> bool {
        let away = self.away.as_ref();
        self.is_storm() && away.is_some_and(|away| away.contains(&self.began.elapsed()))
    }

    /// Waits for so long, and not much longer than the storm.
    pub(super) async fn until_calm(&self, time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() < until && self.is_storm() {
            sleep(Duration::from_millis(100).min(until - Instant::now())).await;
        }
    }

    pub(super) fn node(&self) -> Option<Arc<Node>> {
        lock(&self.node).clone()
    }

    pub(super) fn clock(&self) -> WallClock {
        WallClock(self.began)
    }

    pub(super) fn note(&self, what: &str) {
        self.write(|history, at| history.note(at, what));
    }

    pub(super) fn write(&self, write: impl FnOnce(&mut History, Duration)) {
        write(&mut lock(&self.history), self.began.elapsed());
    }
}

/// Those of two people each, and the group's.
fn conversations_of(people: &[Arc<Person>]) -> Vec<ConvId> {
    let mut all = Vec::new();
    for (n, one) in people.iter().enumerate() {
        let others = people[n + 1..].iter();
        all.extend(others.map(|other| ConvId::direct(one.user, other.user)));
    }
    all.extend(people[0].group().map(ConvId::group));
    all
}
