//! What is compared: a running server and how its clients log in.

use std::net::SocketAddr;
use std::path::Path;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde_json::json;

use super::servers::{Kind, Started};
use crate::line::Line;
use crate::server::Server;
use crate::speak::{flamingo, mqtt, web_socket, xmpp};
use crate::web::WebPerson;

/// Logins under way at a time.
const PARALLEL: usize = 32;
/// Devices of an account when connections do nothing: fewer passwords to hash.
const DEVICES: usize = 50;
/// The protocol of the existing clients knows four kinds of devices.
const CLIENT_TYPES: usize = 4;

/// A server and a protocol.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Target {
    WebSocket,
    Flamingo,
    Peer(Kind),
}

pub(crate) const ALL: [Target; 5] = [
    Target::WebSocket,
    Target::Flamingo,
    Target::Peer(Kind::Mosquitto),
    Target::Peer(Kind::Ejabberd),
    Target::Peer(Kind::Prosody),
];

enum Serving {
    Myim(Box<Server>),
    Peer(Box<Started>),
}

/// A target that runs, with accounts.
pub(crate) struct Running {
    pub target: Target,
    pub version: String,
    serving: Serving,
    web: Vec<WebPerson>,
    /// Numbers of the users with even and odd names.
    flamingo: Vec<u32>,
}

impl Target {
    pub(crate) fn server(self) -> &'static str {
        match self {
            Self::WebSocket | Self::Flamingo => "myim",
            Self::Peer(kind) => kind.name(),
        }
    }

    pub(crate) fn protocol(self) -> &'static str {
        match self {
            Self::WebSocket => "WebSocket",
            Self::Flamingo => "Flamingo",
            Self::Peer(Kind::Mosquitto) => "MQTT, QoS 1",
            Self::Peer(Kind::Ejabberd | Kind::Prosody) => "XMPP",
        }
    }

    pub(crate) fn is_durable(self) -> bool {
        matches!(self, Self::WebSocket | Self::Flamingo)
    }

    /// Starts it on the core that this thread is on.
    pub(crate) async fn start(self, program: &Path) -> anyhow::Result<Running> {
        let (serving, version) = match self {
            Self::WebSocket | Self::Flamingo => (
                Serving::Myim(Box::new(Server::start(program, None).await?)),
                env!("CARGO_PKG_VERSION").to_owned(),
            ),
            Self::Peer(kind) => (
                Serving::Peer(Box::new(kind.start().await?)),
                kind.version().await,
            ),
        };
        Ok(Running {
            target: self,
            version,
            serving,
            web: Vec::new(),
            flamingo: Vec::new(),
        })
    }
}

fn name(number: usize) -> String {
    format!("bench{number}")
}

impl Running {
    pub(crate) fn process(&self) -> u32 {
        match &self.serving {
            Serving::Myim(server) => server.pid,
            Serving::Peer(started) => started.process,
        }
    }

    fn address(&self) -> SocketAddr {
        match &self.serving {
            Serving::Myim(server) => server.chat,
            Serving::Peer(started) => started.address,
        }
    }

    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        match self.serving {
            Serving::Myim(server) => server.stop().await,
            Serving::Peer(started) => started.stop().await,
        }
    }

    /// Makes the accounts of so many pairs, who may write to each other.
    pub(crate) async fn make_pairs(&mut self, pairs: usize) -> anyhow::Result<()> {
        let server = self.address();
        match self.target {
            Target::WebSocket => {
                for number in 0..pairs {
                    let ann = WebPerson::new(server, &name(2 * number)).await?;
                    let bob = WebPerson::new(server, &name(2 * number + 1)).await?;
                    ann.befriend(&bob).await?;
                    self.web.extend([ann, bob]);
                }
            }
            Target::Flamingo => {
                for number in 0..pairs {
                    let (ann_name, bob_name) = (name(2 * number), name(2 * number + 1));
                    let mut ann = flamingo::guest(server, 0).await?;
                    let mut bob = flamingo::guest(server, 0).await?;
                    ann.register(&ann_name).await?;
                    bob.register(&bob_name).await?;
                    let own = ann.log_in(&ann_name, 1).await?;
                    let other = bob.log_in(&bob_name, 1).await?;
                    ann.befriend(own, &mut bob, other).await?;
                    self.flamingo.extend([own, other]);
                }
            }
            Target::Peer(Kind::Mosquitto) => {}
            Target::Peer(Kind::Ejabberd | Kind::Prosody) => {
                for number in 0..2 * pairs {
                    xmpp::register(server, number, &name(number)).await?;
                }
            }
        }
        Ok(())
    }

    /// Logs a pair in: one who writes, and one who reads.
    pub(crate) async fn pair(&self, number: usize) -> anyhow::Result<(Line, Line)> {
        let (ann, bob) = (2 * number, 2 * number + 1);
        Ok((self.log_in(ann, bob).await?, self.log_in(bob, ann).await?))
    }

    async fn log_in(&self, own: usize, other: usize) -> anyhow::Result<Line> {
        let server = self.address();
        let (own_name, other_name) = (name(own), name(other));
        match self.target {
            Target::WebSocket => {
                let to = json!({"user": self.web[other].user});
                web_socket::open(server, own, &self.web[own], to, None).await
            }
            Target::Flamingo => {
                let mut person = flamingo::guest(server, own).await?;
                person.log_in(&own_name, 1).await?;
                Ok(flamingo::line(person, self.flamingo[other]))
            }
            Target::Peer(Kind::Mosquitto) => {
                mqtt::log_in(server, own, &own_name, &other_name).await
            }
            Target::Peer(Kind::Ejabberd | Kind::Prosody) => {
                xmpp::log_in(server, own, &own_name, &other_name).await
            }
        }
    }

    /// Makes what so many idle connections need.
    pub(crate) async fn make_idle(&mut self, connections: usize) -> anyhow::Result<()> {
        let server = self.address();
        match self.target {
            Target::WebSocket => {
                while self.web.len() < connections {
                    let name = name(self.web.len());
                    let first = WebPerson::new(server, &name).await?;
                    for device in 1..DEVICES {
                        let device = first.other_device(&name, &format!("d{device}")).await?;
                        self.web.push(device);
                    }
                    self.web.push(first);
                }
            }
            Target::Flamingo => {
                for number in 0..connections.div_ceil(CLIENT_TYPES) {
                    let mut person = flamingo::guest(server, number).await?;
                    person.register(&name(number)).await?;
                    // So that checking a password has left its memory behind.
                    person.log_in(&name(number), 1).await?;
                }
            }
            Target::Peer(Kind::Mosquitto) => {}
            Target::Peer(Kind::Ejabberd | Kind::Prosody) => {
                for number in 0..connections {
                    xmpp::register(server, number, &name(number)).await?;
                }
            }
        }
        Ok(())
    }

    /// Logs in those of `numbers`, who do nothing afterwards.
    pub(crate) async fn idle(&self, numbers: std::ops::Range<usize>) -> anyhow::Result<Vec<Line>> {
        stream::iter(numbers)
            .map(|number| self.idle_one(number))
            .buffer_unordered(PARALLEL)
            .try_collect()
            .await
    }

    async fn idle_one(&self, number: usize) -> anyhow::Result<Line> {
        let server = self.address();
        match self.target {
            Target::WebSocket => {
                let to = json!({"user": self.web[number].user});
                web_socket::open(server, number, &self.web[number], to, None).await
            }
            Target::Flamingo => {
                let mut person = flamingo::guest(server, number).await?;
                let kind = number % CLIENT_TYPES + 1;
                let id = person.log_in(&name(number / CLIENT_TYPES), kind).await?;
                Ok(flamingo::line(person, id))
            }
            Target::Peer(Kind::Mosquitto) => {
                mqtt::log_in(server, number, &name(number), &name(number)).await
            }
            Target::Peer(Kind::Ejabberd | Kind::Prosody) => {
                xmpp::log_in(server, number, &name(number), &name(number)).await
            }
        }
    }
}
