//! Somebody with a program on the SDK that is killed now and then.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use client::live::Surroundings;
use client::live::{Outgoing, Target};
use client::model::Segment;
use client::store::{self, Memory, MemoryStore, StoreError};
use client::{Api, Client, Entry, Event, Events, Server};
use common::id::{ConvId, DeviceId, GroupId, UserId};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::line::Line;
use super::world::World;

/// The most messages of one person: enough for the whole storm, because what goes wrong with the
/// last message of a conversation is not made good by the next one.
const MESSAGES_MAX: u32 = 100;

/// What is known of somebody from one life of his program to the next.
pub(super) struct Person {
    pub(super) name: String,
    pub(super) user: UserId,
    pub(super) device: DeviceId,
    token: String,
    memory: Arc<MemoryStore>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    group: Option<GroupId>,
    written: u32,
    accepted: BTreeSet<String>,
    over: BTreeSet<String>,
    confirmed: BTreeMap<ConvId, u64>,
}

impl Person {
    pub(super) fn new(name: String, user: UserId, device: DeviceId, token: String) -> Self {
        Self {
            name,
            user,
            device,
            token,
            memory: Arc::default(),
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn joined(&self, group: GroupId) {
        self.state().group = Some(group);
    }

    pub(super) fn group(&self) -> Option<ConvId> {
        self.state().group.map(ConvId::group)
    }

    /// Up to where the program said that it has everything.
    pub(super) fn confirmed(&self, conv: ConvId) -> u64 {
        self.state().confirmed.get(&conv).copied().unwrap_or(0)
    }

    /// Nothing is on its way any more.
    pub(super) fn has_sent_all(&self) -> bool {
        self.left().is_empty()
    }

    /// What was accepted and of which nothing was heard, in this or an earlier life.
    pub(super) fn left(&self) -> Vec<String> {
        let state = self.state();
        state.accepted.difference(&state.over).cloned().collect()
    }
}

/// The memory of a program that can be killed: then nothing is remembered any more.
struct Remembers {
    memory: Arc<MemoryStore>,
    is_dead: Arc<AtomicBool>,
}

#[async_trait]
impl store::Store for Remembers {
    async fn load(&self) -> Result<Memory, StoreError> {
        self.memory.load().await
    }

    async fn apply(&self, changes: &[store::Change]) -> Result<(), StoreError> {
        if self.is_dead.load(Ordering::Relaxed) {
            // Whoever is dead waits for ever.
            std::future::pending::<()>().await;
        }
        self.memory.apply(changes).await
    }
}

/// One life after the other.
pub(super) async fn live(world: Arc<World>, person: Arc<Person>) {
    loop {
        let end = CancellationToken::new();
        let is_dead = Arc::<AtomicBool>::default();
        let server: Server = "http://simulated:1".parse().expect("an address");
        let api = Api::new(server.through(Line::new(&world, &end))).with_token(&person.token);
        let random = Arc::clone(&world);
        let builder = Client::builder(api)
            .store(Remembers {
                memory: Arc::clone(&person.memory),
                is_dead: Arc::clone(&is_dead),
            })
            .surroundings(Surroundings {
                clock: Arc::new(world.clock()),
                random: Arc::new(move || random.random()),
                watches_network: false,
            });
        let (client, events) = builder.start().await.expect("the memory works");
        world.write(|history, at| history.began(at, &person.name));
        recall_outcomes(&person).await;
        let life = Life {
            world: &world,
            person: &person,
            client,
        };
        life.run(events).await;
        world.write(|history, at| history.died(at, &person.name));
        is_dead.store(true, Ordering::Relaxed);
        end.cancel();
        world.until_calm(world.time(0..2_000)).await;
    }
}

/// What went out in an earlier life is not told again: it is over when the outbox does not have it
/// any more.
async fn recall_outcomes(person: &Person) {
    let memory = store::Store::load(&*person.memory).await;
    let outbox = memory.expect("the memory works").outbox;
    let waiting: BTreeSet<String> = outbox.into_iter().map(|it| it.client_id).collect();
    let mut state = person.state();
    let gone: Vec<String> = state.accepted.difference(&waiting).cloned().collect();
    state.over.extend(gone);
}

struct Life<'a> {
    world: &'a World,
    person: &'a Person,
    client: Client,
}

impl Life<'_> {
    /// Until it is killed, which never happens when the storm is over.
    async fn run(&self, mut events: Events) {
        let dies_after = self.world.time(500..12_000);
        let death = async {
            self.world.until_calm(dies_after).await;
            if !self.world.is_storm() {
                std::future::pending::<()>().await;
            }
        };
        let hearing = async {
            while let Some(event) = events.next().await {
                self.hear(event).await;
            }
        };
        let both = async { tokio::join!(self.write(), hearing) };
        tokio::select! {
            biased;
            () = death => {}
            _ = both => {}
        }
    }

    async fn hear(&self, event: Event) {
        let (world, person) = (self.world, self.person);
        match event {
            Event::Entry(entry) => self.take(entry).await,
            Event::Sent(sent) => {
                person.state().over.insert(sent.client_id.clone());
                let place = (sent.conversation, sent.seq.0);
                world.write(|history, at| {
                    history.acknowledged(at, &person.name, &sent.client_id, place);
                });
            }
            Event::Failed(failed) => {
                person.state().over.insert(failed.client_id.clone());
                world.write(|history, at| {
                    history.failed(at, &person.name, &failed.client_id, &failed.to_string());
                });
            }
            Event::Resync => world.write(|history, at| history.resync(at, &person.name)),
            Event::Passing(_) | Event::Connection(_) => {}
        }
    }

    async fn take(&self, entry: Entry) {
        let (world, person) = (self.world, self.person);
        let (conv, seq) = (entry.conversation, entry.seq.0);
        let client_id = entry.message().map(|message| message.client_id.clone());
        world.write(|history, at| history.got(at, &person.name, (conv, seq), client_id));
        if world.happens(20) {
            sleep(world.time(0..200)).await;
        }
        if entry.confirm().await.is_ok() {
            person.state().confirmed.insert(conv, seq);
            world.write(|history, at| history.confirmed(at, &person.name, (conv, seq)));
        }
    }

    async fn write(&self) {
        let (world, person) = (self.world, self.person);
        loop {
            sleep(world.time(0..900)).await;
            if !world.is_storm() || person.state().written >= MESSAGES_MAX {
                return;
            }
            let client_id = {
                let mut state = person.state();
                state.written += 1;
                format!("{}-{}", person.name, state.written)
            };
            let outgoing = Outgoing::new(self.somebody(), vec![Segment::text(client_id.clone())]);
            // In the history before it is accepted: who is killed in between does not know either.
            world.write(|history, at| history.wrote(at, &person.name, &client_id));
            if self
                .client
                .send_with(outgoing.named(&client_id))
                .await
                .is_ok()
            {
                person.state().accepted.insert(client_id.clone());
                world.write(|history, at| history.accepted(at, &person.name, &client_id));
            }
        }
    }

    fn somebody(&self) -> Target {
        let group = self.person.state().group;
        match (group, self.world.below(5)) {
            (Some(group), 0 | 1) => Target::Group(group),
            (_, n) => {
                let others = [1, 2, 3, 4].map(UserId);
                let others = others
                    .into_iter()
                    .filter(|other| *other != self.person.user);
                let chosen = others.cycle().nth(n);
                Target::User(chosen.expect("there are others"))
            }
        }
    }
}
