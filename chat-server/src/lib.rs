//! The chat server: accounts, friends, groups, messages, presence.
//!
//! Modules in reading order, along the path of one message: a connection arrives in `protocol`,
//! which asks a `command`, which writes to the `log`; the committed entry rings a bell in the
//! `hub`, and the receiver's session walks it out with its `walker`.
//!
//! **Invariant:** `protocol` → `command` → `log`, `hub`, `presence` → `common`, never back.
//! **Invariant:** commands return replies and never see a connection; protocols translate and
//! never write to the store.
//! **Invariant:** every write goes through the one committer.

pub mod app;
pub mod protocol;

pub mod command;

pub mod hub;
pub mod log;
pub mod presence;
pub mod walker;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use common::clock::SystemClock;
use common::config::ChatConfig;
use common::net::{self, ConnectionLimits, Listener};
use common::store::Store;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use app::App;
use hub::Hub;
use log::{Committer, Tail};

/// Serves until `shutdown`, then lets every session write what it has and ends.
///
/// # Errors
/// If the operating system gives no random numbers.
pub async fn run(
    config: ChatConfig,
    store: Arc<dyn Store>,
    listener: Listener,
    doors: SideDoors,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let (tail, hub) = (Arc::new(Tail::default()), Arc::new(Hub::default()));
    let (log, committer) = Committer::new(Arc::clone(&store), Arc::clone(&tail), Arc::clone(&hub));
    let committer = tokio::spawn(committer.run());
    let app = Arc::new(App::new(
        config,
        store,
        log,
        tail,
        hub,
        Arc::new(SystemClock),
    )?);

    let tasks = TaskTracker::new();
    doors.serve(&app, &tasks, &shutdown);
    let limits = app.config.limits.connections();
    net::serve(listener, limits, shutdown.clone(), &tasks, |connection| {
        protocol::flamingo::serve(Arc::clone(&app), connection, shutdown.clone())
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
    drop(app);
    if tokio::time::timeout(drain, committer).await.is_err() {
        tracing::warn!("the last changes were not saved in time");
    }
    Ok(())
}

/// The two small ports beside the chat port, both closed by default.
#[derive(Debug)]
pub struct SideDoors {
    monitor: Option<Listener>,
    register_page: Option<Listener>,
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
        })
    }

    fn serve(self, app: &Arc<App>, tasks: &TaskTracker, shutdown: &CancellationToken) {
        use protocol::flamingo::{monitor, register_page};
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
