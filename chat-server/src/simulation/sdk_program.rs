//! A program on the SDK that is killed now and then.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use client::live::Surroundings;
use client::live::{Outgoing, Target};
use client::model::{Segment, text_of};
use client::store::{self, Memory, MemoryStore, StoreError};
use client::{Api, Client, Entry, Event, Events, Server};
use common::id::Peer;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::line::Line;
use super::person::{Act, Person};
use super::world::World;

/// How long somebody waits for an answer before he writes on.
const PATIENCE: Duration = Duration::from_secs(2);

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
pub(super) async fn live(
    world: &Arc<World>,
    person: &Person,
    token: &str,
    memory: &Arc<MemoryStore>,
) {
    loop {
        let end = CancellationToken::new();
        let is_dead = Arc::<AtomicBool>::default();
        let server: Server = "http://simulated:1".parse().expect("an address");
        let api = Api::new(server.through(Line::new(world, &end))).with_token(token);
        let random = Arc::clone(world);
        let builder = Client::builder(api)
            .store(Remembers {
                memory: Arc::clone(memory),
                is_dead: Arc::clone(&is_dead),
            })
            .surroundings(Surroundings {
                clock: Arc::new(world.clock()),
                random: Arc::new(move || random.random()),
                watches_network: false,
            });
        let (client, events) = builder.start().await.expect("the memory works");
        world.write(|history, at| history.began(at, &person.name));
        let life = Life {
            world,
            person,
            client,
        };
        life.recall_outcomes(memory).await;
        life.run(events).await;
        world.write(|history, at| history.died(at, &person.name));
        is_dead.store(true, Ordering::Relaxed);
        end.cancel();
        world.until_calm(world.time(0..2_000)).await;
    }
}

struct Life<'a> {
    world: &'a World,
    person: &'a Person,
    client: Client,
}

impl Life<'_> {
    /// What went out in an earlier life is not told again: it is over when the outbox does not have
    /// it any more, or keeps it as something that failed.
    async fn recall_outcomes(&self, memory: &MemoryStore) {
        let memory = store::Store::load(memory).await;
        let outbox = memory.expect("the memory works").outbox;
        let mut waiting = BTreeSet::new();
        for outgoing in outbox {
            match outgoing.failed {
                Some(why) => self.fails(&outgoing.client_id, &why),
                None => {
                    waiting.insert(outgoing.client_id);
                }
            }
        }
        let mut state = self.person.state();
        let gone: Vec<String> = state.accepted.difference(&waiting).cloned().collect();
        state.over.extend(gone);
    }

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
        let both = async { tokio::join!(self.act(), hearing) };
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
            Event::Failed(failed) => self.fails(&failed.client_id, &failed.to_string()),
            Event::Resync => world.write(|history, at| history.resync(at, &person.name)),
            Event::Passing(_) | Event::Connection(_) => {}
        }
    }

    /// Told once: what failed before is there in every life.
    fn fails(&self, name: &str, why: &str) {
        if self.person.state().over.insert(name.to_owned()) {
            let who = &self.person.name;
            self.world
                .write(|history, at| history.failed(at, who, name, why));
        }
    }

    async fn take(&self, entry: Entry) {
        let (world, person) = (self.world, self.person);
        let (conv, seq) = (entry.conversation, entry.seq.0);
        let name = entry.message().map(|message| text_of(&message.segments));
        world.write(|history, at| history.got(at, &person.name, (conv, seq), name));
        if world.happens(20) {
            sleep(world.time(0..200)).await;
        }
        if entry.confirm().await.is_ok() {
            person.state().confirmed.insert(conv, seq);
            world.write(|history, at| history.confirmed(at, &person.name, (conv, seq)));
        }
    }

    async fn act(&self) {
        loop {
            sleep(self.world.time(0..900)).await;
            let Some(act) = self.person.act(self.world) else {
                return;
            };
            if let Act::Write { name, to } = act {
                self.write(name, to).await;
            } else {
                // Whether it was done the log says.
                let _ = timeout(PATIENCE, self.change(&act)).await;
            }
        }
    }

    async fn change(&self, act: &Act) -> client::Result<()> {
        let api = self.client.api();
        match *act {
            Act::Write { .. } => Ok(()),
            Act::Leave(group) => api.remove_member(group, self.person.user).await,
            Act::Join(group) => api.join_group(group, "").await.map(drop),
            Act::Remove(group, user) => api.remove_member(group, user).await,
            Act::Add(group, user) => api.add_member(group, user).await,
        }
    }

    async fn write(&self, name: String, to: Peer) {
        let to = match to {
            Peer::User(user) => Target::User(user),
            Peer::Group(group) => Target::Group(group),
        };
        let outgoing = Outgoing::new(to, vec![Segment::text(name.clone())]);
        if self.client.send_with(outgoing.named(&name)).await.is_ok() {
            let who = &self.person.name;
            self.person.state().accepted.insert(name.clone());
            self.world
                .write(|history, at| history.accepted(at, who, &name));
        }
    }
}
