//! The one task of a client: owns the connection, the outbox and the places.
//!
//! It waits for one thing to happen, looks after it, and then does what has become possible. What
//! it promises across its own end is in the store before anybody is told.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};

use super::backoff::Backoff;
use super::client::ClientBuilder;
use super::command::{Command, Setting};
use super::connection::{self, Greeting, Link, Lost, Received, Wait};
use super::ending::Closing;
use super::event::{Confirm, Event};
use super::frames::Welcome;
use super::handover::Handover;
use super::network::Network;
use super::outbox::Outbox;
use super::places::Places;
use super::sending::{Failed, Sent};
use super::session::Session;
use super::state::{Connection, Ended};
use super::surroundings::Surroundings;
use super::wishes::Wishes;
use crate::api::{Api, Fate};
use crate::error::Result;
use crate::model::Timestamp;
use crate::store::{Memory, Owner, Store};

/// Confirmations that wait for the driver, at most.
const CONFIRMS_MAX: usize = 1024;
/// A connection that was replaced for unknown reasons is made again after this time.
const REPLACED_WAIT: Duration = Duration::from_secs(1);
/// The clock on the wall is looked at this often: it moves while a machine sleeps.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Loads the store and spawns the driver.
pub(super) async fn start(
    builder: ClientBuilder,
    commands: mpsc::Receiver<Command>,
    events: mpsc::Sender<Event>,
    state: watch::Sender<Connection>,
) -> Result<()> {
    let memory = builder.store.load().await?;
    let driver = Driver::new(builder, memory, commands, events, state);
    tokio::spawn(Box::pin(driver.run()));
    Ok(())
}

/// Where the connection is.
pub(super) enum Phase {
    Opening(Pin<Box<dyn Future<Output = Opened> + Send>>),
    Online(Box<Session>),
    Waiting { until: Instant },
}

type Opened = Result<(Link, Welcome), Lost>;
type Asked = Pin<Box<dyn Future<Output = (String, Fate)> + Send>>;

/// A message that is over, and nobody was told yet.
pub(super) enum Settled {
    Sent(Sent),
    Failed(Failed),
}

/// What the driver waits for.
enum Happened {
    Command(Option<Command>),
    Confirm(Confirm),
    /// The application took something.
    Room,
    /// The application takes no more events.
    Gone,
    Opened(Box<Opened>),
    Received(Result<Received, Lost>),
    Asked(String, Fate),
    Network,
    Time,
}

/// See the module's description. Its parts: `accept.rs` what the application asks for, `dispatch.rs`
/// what goes, `receive.rs` what comes, `ending.rs` the end.
pub(super) struct Driver {
    pub(super) api: Api,
    pub(super) store: Arc<dyn Store>,
    pub(super) setting: Setting,
    surroundings: Surroundings,
    pub(super) owner: Option<Owner>,
    pub(super) epoch: Option<String>,
    /// The store still has the places of another history: it gets the new one with the first place
    /// in it, so that a restart before tells the application again.
    pub(super) is_epoch_unsaved: bool,
    /// Counts histories: what was handed out of another one cannot be confirmed in this one.
    pub(super) history: u64,
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) is_commanded: bool,
    pub(super) confirms: mpsc::Receiver<Confirm>,
    pub(super) confirm: mpsc::Sender<Confirm>,
    pub(super) handover: Handover,
    pub(super) state: watch::Sender<Connection>,
    pub(super) outbox: Outbox,
    pub(super) outcomes: HashMap<String, Vec<oneshot::Sender<Result<Sent, Failed>>>>,
    pub(super) settled: Vec<Settled>,
    pub(super) to_ask: Vec<String>,
    pub(super) asked: FuturesUnordered<Asked>,
    pub(super) places: Places,
    pub(super) wishes: Wishes,
    backoff: Backoff,
    /// The last connection was replaced while it was new.
    was_replaced: bool,
    network: Network,
    pub(super) phase: Phase,
    pub(super) closing: Option<Closing>,
}

impl Driver {
    fn new(
        builder: ClientBuilder,
        memory: Memory,
        commands: mpsc::Receiver<Command>,
        events: mpsc::Sender<Event>,
        state: watch::Sender<Connection>,
    ) -> Self {
        let ClientBuilder {
            api,
            store,
            setting,
            surroundings,
        } = builder;
        let (confirm, confirms) = mpsc::channel(CONFIRMS_MAX);
        let me = memory.owner.as_ref().map(|owner| owner.user);
        Self {
            api,
            store,
            network: surroundings.network(),
            surroundings,
            owner: memory.owner,
            epoch: memory.epoch,
            is_epoch_unsaved: false,
            history: 0,
            commands,
            is_commanded: true,
            confirms,
            confirm,
            handover: Handover::new(events),
            state,
            outbox: Outbox::new(memory.outbox, me),
            outcomes: HashMap::new(),
            settled: Vec::new(),
            to_ask: Vec::new(),
            asked: FuturesUnordered::new(),
            places: Places::new(memory.places),
            wishes: Wishes::new(setting.status),
            backoff: Backoff::new(setting.reconnect_max),
            was_replaced: false,
            setting,
            phase: Phase::Waiting {
                until: Instant::now(),
            },
            closing: None,
        }
    }

    async fn run(mut self) {
        self.connect();
        let ended = loop {
            if let Err(ended) = self.turn().await {
                break ended;
            }
        };
        self.finish(ended).await;
    }

    /// Does what is possible, then waits for something and looks after it.
    async fn turn(&mut self) -> Result<(), Ended> {
        self.handover.drain();
        if self.handover.has_caught_up() && matches!(self.phase, Phase::Online(_)) {
            self.lost(Lost::Broken {
                reason: "entries were left out while the application was busy".to_owned(),
                wait: Wait::Told(Duration::ZERO),
            })?;
        }
        self.dispatch().await?;
        self.end_if_closed()?;
        match self.wait().await {
            Happened::Command(Some(command)) => self.command(command).await?,
            Happened::Command(None) => self.is_commanded = false,
            Happened::Confirm(confirm) => self.confirmed(Some(confirm)).await,
            Happened::Room | Happened::Gone => {}
            Happened::Opened(opened) => match *opened {
                Ok((link, welcome)) => self.welcomed(link, welcome).await?,
                Err(lost) => self.lost(lost)?,
            },
            Happened::Received(Err(lost)) => self.lost(lost)?,
            Happened::Received(Ok(received)) => {
                if let Err(lost) = self.received(received) {
                    self.lost(lost)?;
                }
            }
            Happened::Asked(client_id, fate) => self.told_fate(client_id, fate),
            Happened::Network => {
                tracing::debug!("the network changed");
                self.wake();
            }
            Happened::Time => self.look_at_the_clock()?,
        }
        Ok(())
    }

    async fn wait(&mut self) -> Happened {
        let due = self.due();
        let is_waiting = matches!(self.phase, Phase::Waiting { .. });
        let is_heard = !self.handover.is_gone();
        let is_reading = self.may_read();
        let Self {
            commands,
            is_commanded,
            confirms,
            handover,
            phase,
            asked,
            network,
            ..
        } = self;
        tokio::select! {
            // In a fixed order, so that the same thing can be played twice. Nothing is kept out for
            // long: the server is read only while the application takes its events, and what the
            // clock asks for is looked at in every turn.
            biased;
            happened = phase.next(is_reading) => happened,
            Some((client_id, fate)) = asked.next() => Happened::Asked(client_id, fate),
            Some(confirm) = confirms.recv() => Happened::Confirm(confirm),
            command = commands.recv(), if *is_commanded => Happened::Command(command),
            () = handover.room() => Happened::Room,
            () = handover.gone(), if is_heard => Happened::Gone,
            () = network.up(), if is_waiting => Happened::Network,
            () = sleep_until(due) => Happened::Time,
        }
    }

    /// When there is something to do even if nothing happens.
    fn due(&self) -> Instant {
        let now = Instant::now();
        let expires = self.outbox.expires_at().map(|at| {
            let left = at.duration_since(self.now());
            now + Duration::try_from(left).unwrap_or_default()
        });
        let of_phase = match &self.phase {
            Phase::Opening(_) => None,
            Phase::Waiting { until } => Some(*until),
            Phase::Online(session) => {
                let acks = self.places.has_acks().then(|| session.may_ack_at());
                // Whoever closes the client sends nothing more.
                let unblocks = self.outbox.unblocks_at();
                let unblocks = unblocks.filter(|_| self.closing.is_none());
                let others = [unblocks, self.wishes.due(), acks];
                others.into_iter().flatten().chain([session.due()]).min()
            }
        };
        let closing = self.closing.as_ref().map(|closing| closing.deadline);
        let all = [expires, of_phase, closing].into_iter().flatten();
        all.chain([now + LOOK_EVERY]).min().unwrap_or(now)
    }

    fn look_at_the_clock(&mut self) -> Result<(), Ended> {
        match &mut self.phase {
            Phase::Waiting { until } if *until <= Instant::now() => self.connect(),
            Phase::Online(session) => {
                if let Err(lost) = session.look_at_the_clock() {
                    return self.lost(lost);
                }
            }
            Phase::Opening(_) | Phase::Waiting { .. } => {}
        }
        Ok(())
    }

    pub(super) fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.surroundings.clock.now().0).unwrap_or_default()
    }

    /// An application that waits for an answer cannot take events: without reading on, the answer
    /// would never come.
    pub(super) fn may_read(&self) -> bool {
        match &self.phase {
            Phase::Online(session) => self.handover.waiting() == 0 || session.is_asking(),
            Phase::Opening(_) | Phase::Waiting { .. } => false,
        }
    }

    pub(super) fn wake(&mut self) {
        if matches!(self.phase, Phase::Waiting { .. }) {
            self.connect();
        }
    }

    fn connect(&mut self) {
        let greeting = Greeting {
            server: self.api.server().clone(),
            token: self.api.token.clone(),
            epoch: self.epoch.clone(),
            backlog: self.setting.backlog,
            status: self.wishes.greet(),
        };
        self.phase = Phase::Opening(Box::pin(connection::open(greeting)));
        self.set_state(Connection::Connecting);
    }

    pub(super) fn set_state(&mut self, connection: Connection) {
        if *self.state.borrow() != connection {
            self.state.send_replace(connection.clone());
            self.handover.connection(connection);
        }
    }

    /// There is no connection (any more).
    pub(super) fn lost(&mut self, lost: Lost) -> Result<(), Ended> {
        let mut lost = lost;
        let mut was_good = false;
        let mut was_new = true;
        if let Phase::Online(session) = &mut self.phase {
            was_good = session.is_good();
            was_new = session.is_new();
            lost = session.told(lost);
            session.unsaid().for_each(|wish| self.wishes.unsaid(wish));
        }
        self.phase = Phase::Waiting {
            until: Instant::now(),
        };
        self.outbox.lost();
        self.places.lost();
        self.handover.restart();
        self.to_ask.clear();
        self.asked.clear();
        let is_doubted = was_new && !self.was_replaced;
        self.was_replaced = was_new && (self.was_replaced || lost == Lost::Replaced);
        let (reason, wait) = match lost {
            Lost::SignedOut => return Err(Ended::SignedOut),
            // An earlier connection of our own, given up or of a run before, may have got through
            // late. Whoever else it is stays: the second time it is believed.
            Lost::Replaced if is_doubted => {
                let reason = "another connection of this device took the place of this one";
                (reason.to_owned(), Wait::AtLeast(REPLACED_WAIT))
            }
            Lost::Replaced => return Err(Ended::Replaced),
            Lost::Broken { reason, wait } => (reason, wait),
        };
        if self.closing.is_some() {
            return Err(Ended::Closed);
        }
        if was_good {
            self.backoff.reset();
        }
        let next = self.backoff.next((self.surroundings.random)());
        let wait = match wait {
            Wait::Backoff => next,
            Wait::AtLeast(least) => next.max(least),
            Wait::Told(told) if was_good => told,
            Wait::Told(told) => next.max(told),
        };
        tracing::info!(%reason, ?wait, "no connection to the server");
        if wait.is_zero() {
            self.connect();
            return Ok(());
        }
        self.phase = Phase::Waiting {
            until: Instant::now() + wait,
        };
        self.set_state(Connection::Waiting {
            reason,
            next_try: wait,
        });
        Ok(())
    }
}

impl Phase {
    async fn next(&mut self, is_reading: bool) -> Happened {
        match self {
            Self::Opening(opening) => Happened::Opened(Box::new(opening.await)),
            Self::Online(session) => Happened::Received(session.next(is_reading).await),
            Self::Waiting { .. } => std::future::pending().await,
        }
    }
}
