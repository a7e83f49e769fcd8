//! What everybody shares, and the course of one play.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use common::api::{Entry, NewAccount};
use common::clock::Clock;
use common::id::{ConvId, ConvKind, DeviceId, Millis, Seq, SessionId, UserId};
use common::store::sqlite::SqliteStore;
use common::store::{Change, Outcome, Store};
use fastrand::Rng;
use tokio::time::{Instant, sleep};

use super::history::History;
use super::node::Node;
use super::person::{self, Person};

/// How long there are faults.
const STORM: Duration = Duration::from_secs(20);
/// How long it may take after the storm until everybody has everything: a connection that went
/// silent is noticed after two heartbeats, and the wait between two attempts is up to 30 seconds.
const CALM_MAX: Duration = Duration::from_secs(300);
const PEOPLE: u32 = 4;
/// More than they write.
const ENTRIES_MAX: u32 = 100_000;
const SESSION: Duration = Duration::from_secs(86_400);

/// Time, chance, the database, and the server if one runs.
pub(super) struct World {
    pub(super) database: Arc<dyn Store>,
    dice: Mutex<Rng>,
    is_storm: AtomicBool,
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
        Millis(1_800_000_000_000 + since)
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
        let world = Arc::new(Self {
            database: Arc::new(database),
            dice: Mutex::new(Rng::with_seed(seed)),
            is_storm: AtomicBool::new(false),
            node: Mutex::default(),
            history: Mutex::default(),
            began: Instant::now(),
        });
        let people = world.settle().await;
        let conversations = conversations(&people);
        for &conv in &conversations {
            let entries = world.entries(conv).await;
            world.write(|history, _| history.began_with(conv, entries.last()));
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
        let deadline = Instant::now() + CALM_MAX;
        while !world.has_settled(&people, &conversations).await {
            if Instant::now() > deadline {
                world.note("not everybody has everything");
                break;
            }
            sleep(Duration::from_millis(100)).await;
        }
        server.abort();
        lives.iter().for_each(tokio::task::JoinHandle::abort);
        world.end_server();
        let mut history = std::mem::take(&mut *lock(&world.history));
        for conv in conversations {
            history.stored(conv, world.entries(conv).await);
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
                password_hash: "none".to_owned(),
            },
            at: self.clock().now(),
        };
        let Outcome::Done { id: Some(id), .. } = node.app.log.commit(change).await.unwrap() else {
            panic!("{name} was not made");
        };
        let (user, session) = (UserId(id), SessionId(u64::from(n)));
        let device = DeviceId(1000 + u64::from(n));
        let token = node.sign_in(user, device, session, SESSION).await;
        Arc::new(Person::new(name, user, device, token))
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

    async fn has_settled(&self, people: &[Arc<Person>], conversations: &[ConvId]) -> bool {
        if !people.iter().all(|person| person.has_sent_all()) {
            return false;
        }
        for &conv in conversations {
            let entries = self.entries(conv).await;
            for person in people {
                let of_others = |user| user != person.user;
                let last = entries.iter().rfind(|entry| of_others(entry.origin.user));
                let may_read = conv_has(conv, person.user);
                if may_read && last.is_some_and(|last| person.confirmed(conv) < last.seq.0) {
                    return false;
                }
            }
        }
        true
    }

    async fn entries(&self, conv: ConvId) -> Vec<Entry> {
        let all = self.database.pull(conv, Seq(0), ENTRIES_MAX).await;
        all.expect("the database works")
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

    pub(super) fn time(&self, ms: std::ops::Range<u64>) -> Duration {
        Duration::from_millis(lock(&self.dice).u64(ms))
    }

    // The rest

    pub(super) fn is_storm(&self) -> bool {
        self.is_storm.load(Ordering::Relaxed)
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
fn conversations(people: &[Arc<Person>]) -> Vec<ConvId> {
    let mut all = Vec::new();
    for (n, one) in people.iter().enumerate() {
        all.extend(
            people[n + 1..]
                .iter()
                .map(|other| ConvId::direct(one.user, other.user)),
        );
    }
    all.extend(people[0].group());
    all
}

fn conv_has(conv: ConvId, user: UserId) -> bool {
    match conv.kind() {
        Some(ConvKind::Direct(a, b)) => a == user || b == user,
        _ => true,
    }
}
