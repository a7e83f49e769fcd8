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
/// If one of the additional ports cannot be opened.
pub async fn run(
    config: ChatConfig,
    store: Arc<dyn Store>,
    listener: Listener,
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
    open_monitor(&app, &tasks, &shutdown)?;
    open_register_page(&app, &tasks, &shutdown)?;
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

fn open_monitor(
    app: &Arc<App>,
    tasks: &TaskTracker,
    shutdown: &CancellationToken,
) -> anyhow::Result<()> {
    let Some(port) = app.config.monitor_port else {
        return Ok(());
    };
    let address = SocketAddr::new(app.config.monitor_bind, port);
    let listener = Listener::bind(address)
        .with_context(|| format!("the monitor port {address} cannot be opened"))?;
    tracing::info!(address = %listener.local_addr(), "the monitor listens");
    serve_aside(listener, tasks, shutdown, {
        let (app, shutdown) = (Arc::clone(app), shutdown.clone());
        move |connection| {
            protocol::flamingo::monitor::serve(Arc::clone(&app), connection, shutdown.clone())
        }
    });
    Ok(())
}

fn open_register_page(
    app: &Arc<App>,
    tasks: &TaskTracker,
    shutdown: &CancellationToken,
) -> anyhow::Result<()> {
    let Some(port) = app.config.http_port else {
        return Ok(());
    };
    let address = SocketAddr::new(app.config.http_bind, port);
    let listener = Listener::bind(address)
        .with_context(|| format!("the HTTP port {address} cannot be opened"))?;
    tracing::info!(address = %listener.local_addr(), "the registration page listens");
    serve_aside(listener, tasks, shutdown, {
        let (app, shutdown) = (Arc::clone(app), shutdown.clone());
        move |connection| {
            protocol::flamingo::register_page::serve(Arc::clone(&app), connection, shutdown.clone())
        }
    });
    Ok(())
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
