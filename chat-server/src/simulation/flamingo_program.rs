//! A program that speaks the Flamingo protocol, comes back by itself, hangs now and then, and is
//! killed.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use client::flamingo::{self, Client, Event, Imitate, Options};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::history::Chat;
use super::line::Line;
use super::node::PASSWORD;
use super::person::{Act, Person};
use super::system::System;
use super::world::World;

/// Longer than a program hangs: whoever has no answer by then connects anew.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long somebody waits for the answer to something that may have none.
const SHORT_PATIENCE: Duration = Duration::from_secs(1);
/// What the program takes from its system and has not looked at.
const EVENTS_MAX: usize = 2;

/// One life after the other.
pub(super) async fn live(world: &Arc<World>, person: &Person, imitate: Imitate) {
    loop {
        let end = CancellationToken::new();
        world.write(|history, at| history.began(at, &person.name));
        let mut life = Life {
            world,
            person,
            line: Line::new(world, &end),
            imitate,
            connection: None,
        };
        life.run().await;
        life.closes();
        world.write(|history, at| history.died(at, &person.name));
        end.cancel();
        drop(life);
        world.until_calm(world.time(0..2_000)).await;
    }
}

struct Life<'a> {
    world: &'a World,
    person: &'a Person,
    line: Line,
    imitate: Imitate,
    connection: Option<Connection>,
}

struct Connection {
    client: Client,
    system: Arc<System>,
}

impl Life<'_> {
    /// Until it is killed, which never happens when the storm is over.
    async fn run(&mut self) {
        let world = self.world;
        let dies_after = world.time(500..12_000);
        let death = async {
            world.until_calm(dies_after).await;
            if !world.is_storm() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            biased;
            () = death => {}
            () = self.connect_again_and_again() => {}
        }
    }

    async fn connect_again_and_again(&mut self) {
        let world = self.world;
        let mut comes_back = false;
        loop {
            if self.connect().await.is_ok() {
                tokio::select! {
                    biased;
                    () = world.everybody_comes_back(), if !comes_back => comes_back = true,
                    () = self.converse() => {}
                }
            }
            self.closes();
            self.connection = None;
            sleep(world.time(0..2_000)).await;
        }
    }

    async fn connect(&mut self) -> io::Result<()> {
        let (io, system) = self.line.dial_flamingo().await?;
        let options = Options {
            imitate: self.imitate,
            timeout: PATIENCE,
            // Those of the program itself say more.
            heartbeat: None,
            events_max: EVENTS_MAX,
        };
        let client = Client::over(io, options);
        self.connection = Some(Connection { client, system });
        let signed_in = self.client()?.login(&self.person.name, PASSWORD).await;
        signed_in.map_err(io::Error::other)?;
        let who = &self.person.name;
        self.world.write(|history, at| history.signed_in(at, who));
        Ok(())
    }

    fn client(&self) -> io::Result<&Client> {
        let connection = self.connection.as_ref();
        Ok(&connection.ok_or(io::ErrorKind::NotConnected)?.client)
    }

    /// Until the connection is over.
    async fn converse(&self) {
        let Ok(client) = self.client() else {
            return;
        };
        tokio::select! {
            biased;
            () = self.listen(client) => {}
            _ = self.act(client) => {}
            _ = self.ask(client) => {}
        }
    }

    async fn listen(&self, client: &Client) {
        let mut hangs = self.world.is_storm() && self.world.happens(30);
        while let Ok(event) = client.next_event().await {
            if let (Some(name), Event::Chat { sender, target, .. }) = (event.text(), &event) {
                self.hears(&name, (*sender, *target));
            }
            if hangs && self.world.happens(10) {
                hangs = false;
                self.world.note("a program hangs");
                sleep(self.world.time(0..6_000)).await;
            }
        }
    }

    fn hears(&self, name: &str, chat: Chat) {
        let person = self.person;
        person.state().heard.insert(name.to_owned());
        self.world
            .write(|history, at| history.heard(at, &person.name, name, chat));
    }

    async fn act(&self, client: &Client) -> flamingo::Result<()> {
        loop {
            sleep(self.world.time(0..900)).await;
            match self.person.act(self.world) {
                None => std::future::pending().await,
                Some(Act::Write { name, to }) => {
                    self.person.state().unsure.insert(name.clone());
                    client.send_text(to, &name).await?;
                }
                Some(Act::Leave(group)) => {
                    let _ = timeout(SHORT_PATIENCE, client.leave_group(group)).await;
                }
                Some(Act::Join(group)) => {
                    let _ = timeout(SHORT_PATIENCE, client.join_group(group)).await;
                }
                // These clients have no words for it.
                Some(Act::Remove(..) | Act::Add(..)) => {}
            }
        }
    }

    /// Asks for heartbeats, whose answers say that what was sent before is stored.
    async fn ask(&self, client: &Client) -> flamingo::Result<()> {
        let person = self.person;
        loop {
            sleep(self.world.time(500..4_000)).await;
            let sent = person.state().unsure.clone();
            client.heartbeat().await?;
            person.state().unsure.retain(|name| !sent.contains(name));
            self.world
                .write(|history, at| history.answered(at, &person.name, sent));
        }
    }

    /// The connection is closed, by the program or because it is killed: what its system had and it
    /// did not look at is gone, and nobody will say what became of what was sent.
    fn closes(&self) {
        self.person.state().unsure = BTreeSet::new();
        let Some(Connection { system, .. }) = &self.connection else {
            return;
        };
        system.closes();
        for packet in system.packets() {
            let Some(name) = Event::read(packet).text() else {
                continue;
            };
            if self.person.state().heard.insert(name.clone()) {
                let who = &self.person.name;
                self.world
                    .write(|history, at| history.unread(at, who, &name));
            }
        }
    }
}
