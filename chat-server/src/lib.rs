//! The chat server: accounts, friends, groups, messages, presence.
//!
//! Modules in reading order, along the path of one message: a connection arrives in `protocol`,
//! which asks a `command`, which writes to the `log`; the committed entry rings a bell in the
//! `hub`, and the receiver's session walks it out with its `walker`.
//!
//! **Invariant:** `protocol` → `command` → `log`, `hub`, `presence` → `common`, never back.
//! **Invariant:** commands return replies and never see a connection; protocols translate and
//! never write to the store. Only a session of `protocol::flamingo` that begins hands in changes
//! itself: that its device is known, and that somebody logged in from there.
//! **Invariant:** every write goes through the one committer.

pub mod actor;
pub mod app;
pub mod offline;
pub mod protocol;

pub mod command;
pub mod content;

pub mod activity;
pub mod hub;
pub mod indexer;
pub mod log;
pub mod presence;
pub mod rates;
pub mod read_marks;
pub mod revocations;
pub mod under_way;

pub mod arrival;
pub mod cursor_moves;
pub mod walker;

pub mod webhooks;

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod testing;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use common::clock::SystemClock;
use common::config::ChatConfig;
use common::net::{
    self, ConnectionLimits, Language, Listener, LocalError, LocalListener, Port, Reception,
};
use common::process::Exit;
use common::store::Store;
use common::telemetry::Insight;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use app::App;
use hub::{Hub, Reaches};
use log::{Committer, Tail};

/// What a program gives its server beside the settings, the database and the port.
#[derive(Debug)]
pub struct Surroundings {
    pub doors: SideDoors,
    /// What the program knows of itself, for administrators.
    pub insight: Insight,
    pub shutdown: CancellationToken,
}

/// Serves until `shutdown`, then lets every session write what it has and ends.
///
/// # Errors
/// If the operating system gives no random numbers.
pub async fn run(
    config: ChatConfig,
    store: Arc<dyn Store>,
    listener: Listener,
    Surroundings {
        doors,
        insight,
        shutdown,
    }: Surroundings,
) -> anyhow::Result<()> {
    let (tail, hub) = (
        Arc::new(Tail::default()),
        Arc::new(Hub::new(reaches(&config))),
    );
    let (log, committer) = Committer::new(Arc::clone(&store), Arc::clone(&tail), Arc::clone(&hub));
    let unindexed = committer.unindexed();
    let committer = tokio::spawn(committer.run(shutdown.clone()));
    let clock = Arc::new(SystemClock);
    let app = App::new(config, store, log, tail, hub, clock)?;
    let app = Arc::new(app.seen_by(insight));

    let tasks = TaskTracker::new();
    let waiting = Arc::clone(&unindexed);
    tasks.spawn(activity::run(Arc::clone(&app), waiting, shutdown.clone()));
    tasks.spawn(indexer::run(Arc::clone(&app), unindexed, shutdown.clone()));
    tasks.spawn(webhooks::run(Arc::clone(&app), shutdown.clone()));
    tasks.spawn(read_marks::run(Arc::clone(&app), shutdown.clone()));
    tasks.spawn(revocations::run(Arc::clone(&app), shutdown.clone()));
    let (telling, stop) = (Arc::clone(&app), shutdown.clone());
    tasks.spawn(async move {
        let departures = presence::tell_departures(&telling);
        let _ = stop.run_until_cancelled(departures).await;
    });
    let (hub, stop) = (Arc::clone(&app.hub), shutdown.clone());
    tasks.spawn(async move {
        let _ = stop.run_until_cancelled(hub.ring_aside()).await;
    });
    doors.serve(&app, &tasks, &shutdown);
    let limits = app.config.limits.connections();
    let desk = Arc::new(Desk::new(&app, listener.security(), &shutdown));
    net::serve(listener, limits, shutdown.clone(), &tasks, |connection| {
        Arc::clone(&desk).attend(connection, shutdown.clone())
    })
    .await;

    tasks.close();
    let drain = Duration::from_secs(app.config.limits.drain_s);
    if tokio::time::timeout(drain, tasks.wait()).await.is_err() {
        tracing::warn!(
            connections = tasks.len(),
            "connections were cut off at the end"
        );
    }
    // The committer ends when nobody can hand in changes any more.
    drop((app, desk));
    match tokio::time::timeout(drain, committer).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(panic)) => Err(panic).context("the server cannot save anything any more"),
        Err(_) => {
            tracing::warn!("the last changes were not saved in time");
            Ok(())
        }
    }
}

fn reaches(config: &ChatConfig) -> Reaches {
    Reaches {
        everybody_members_max: config.fanout_members_max,
        nobody_members_min: config.heads_only_members_min,
    }
}

/// Hands each connection of the chat port to the protocol that is spoken on it.
struct Desk {
    app: Arc<App>,
    router: axum::Router,
    reception: Reception,
}

impl Desk {
    fn new(app: &Arc<App>, security: net::Security, shutdown: &CancellationToken) -> Self {
        let first_bytes = Duration::from_secs(app.config.first_bytes_timeout_s);
        Self {
            app: Arc::clone(app),
            router: protocol::web::router(Arc::clone(app), shutdown.clone()),
            reception: Reception::new(Port::Chat, security, first_bytes),
        }
    }

    async fn attend(self: Arc<Self>, connection: net::Connection, shutdown: CancellationToken) {
        // In boxes, because an idle connection is as large as the largest of the three.
        let received = Box::pin(self.reception.receive(connection, &shutdown)).await;
        let Some((language, connection)) = received else {
            return;
        };
        match language {
            Language::Flamingo => {
                let app = Arc::clone(&self.app);
                Box::pin(protocol::flamingo::serve(app, connection, shutdown)).await;
            }
            Language::Http => {
                let router = self.router.clone();
                let windows = protocol::web::Windows::SMALL;
                let stall = Duration::from_secs(self.app.config.limits.write_stall_s);
                let serving = protocol::web::serve(router, connection, windows, stall, shutdown);
                Box::pin(serving).await;
            }
        }
    }
}

/// The two small ports beside the chat port, both closed by default, and the admin socket.
#[derive(Debug)]
pub struct SideDoors {
    monitor: Option<Listener>,
    register_page: Option<Listener>,
    operator: Option<LocalListener>,
}

impl SideDoors {
    /// Opens those that the configuration asks for. Done before the program says it is ready.
    ///
    /// # Errors
    /// If a port cannot be opened.
    pub fn open(config: &ChatConfig) -> anyhow::Result<Self> {
        let open = |name, bind, port: Option<u16>| {
            port.map(|port| {
                let address = SocketAddr::new(bind, port);
                let listener = Listener::bind(address)
                    .with_context(|| format!("the {name} port {address} cannot be opened"))?;
                tracing::info!(address = %listener.local_addr(), "the {name} listens");
                anyhow::Ok(listener)
            })
            .transpose()
        };
        Ok(Self {
            monitor: open("monitor", config.monitor_bind, config.monitor_port)?,
            register_page: open("registration page", config.http_bind, config.http_port)?,
            operator: None,
        })
    }

    /// Opens the admin socket too. Done when the database is open: until then another server
    /// may have both.
    ///
    /// # Errors
    /// If another server answers there, or the system does not let us.
    pub fn with_operator(mut self, config: &ChatConfig) -> Result<Self, Exit> {
        let Some(path) = &config.admin_socket else {
            return Ok(self);
        };
        match LocalListener::bind(path) {
            Ok(listener) => {
                tracing::info!(path = %path.display(), "the admin socket is open");
                self.operator = Some(listener);
            }
            // Whoever has his data so deep in the tree did not ask for a socket.
            Err(error @ LocalError::TooLong(_)) if config.is_admin_socket_default => {
                tracing::warn!("no administration from this machine: {error} with --admin-socket");
            }
            Err(error @ LocalError::TooLong(_)) => {
                return Err(Exit::config(format!("{error} with --admin-socket")));
            }
            Err(error) => {
                return Err(Exit::io(format!("{error}; --admin-socket chooses another")));
            }
        }
        Ok(self)
    }

    fn serve(self, app: &Arc<App>, tasks: &TaskTracker, shutdown: &CancellationToken) {
        use protocol::flamingo::{monitor, register_page};
        if let Some(listener) = self.operator {
            let router = protocol::web::operators_router(Arc::clone(app), shutdown.clone());
            let stop = shutdown.clone();
            let serving = protocol::web::serve_operator(router, listener, tasks.clone(), stop);
            tasks.spawn(serving);
        }
        if let Some(listener) = self.monitor {
            let (app, stop) = (Arc::clone(app), shutdown.clone());
            serve_aside(listener, tasks, shutdown, move |connection| {
                monitor::serve(Arc::clone(&app), connection, stop.clone())
            });
        }
        if let Some(listener) = self.register_page {
            let (app, stop) = (Arc::clone(app), shutdown.clone());
            serve_aside(listener, tasks, shutdown, move |connection| {
                register_page::serve(Arc::clone(&app), connection, stop.clone())
            });
        }
    }
}

/// Serves a small additional port in a task of its own.
fn serve_aside<F, Fut>(
    listener: Listener,
    tasks: &TaskTracker,
    shutdown: &CancellationToken,
    handle: F,
) where
    F: Fn(net::Connection) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    /// Nobody needs many of these at a time.
    const LIMITS: ConnectionLimits = ConnectionLimits {
        total_max: 256,
        per_address_max: 256,
        greeting_per_address_max: 256,
    };
    let (own_tasks, shutdown) = (tasks.clone(), shutdown.clone());
    tasks.spawn(async move {
        net::serve(listener, LIMITS, shutdown, &own_tasks, handle).await;
    });
}
