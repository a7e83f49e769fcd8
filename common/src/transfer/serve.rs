//! A transfer server from its open port to its end.

use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use axum::Router;
use thiserror::Error;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, info, warn};

use super::flamingo::inbox::HEAD_WAIT;
use super::flamingo::refusal::Refusal;
use super::flamingo::session::Session;
use super::http::{router, tus};
use super::{Policy, Service, Transfers, collector, naming};
use crate::blob::{BlobError, Blobs};
use crate::clock::SystemClock;
use crate::config::{AwsEnvironment, TransferConfig};
use crate::http::{self, Windows};
use crate::net::{self, Connection, ConnectionLimits, Language, Listener, Port, Reception};
use crate::store::Store;

/// Why a transfer server cannot run.
#[derive(Debug, Error)]
pub enum ServeError {
    #[error("cannot keep files in {path} (--filecache): {source}")]
    FileCache { path: String, source: BlobError },
}

/// Opens the file cache and serves until `shutdown`.
pub async fn run(
    service: Service,
    config: &TransferConfig,
    store: Arc<dyn Store>,
    listener: Listener,
    shutdown: CancellationToken,
) -> Result<(), ServeError> {
    let policy = Policy::new(service.class, config);
    let inspector = service.inspector;
    let blobs = connect(config).await?;
    let open = move || Transfers::new(policy, store, blobs, Arc::new(SystemClock), inspector);
    let transfers = opened(&config.filecache, open).await?;
    let transfers = Arc::new(transfers.sharing(service.promises));
    let routes = (service.routes)(&transfers);
    let drain = Duration::from_secs(config.limits.drain_s);
    let limits = config.limits.connections();
    serve(transfers, routes, listener, (limits, drain), shutdown).await;
    Ok(())
}

async fn connect(config: &TransferConfig) -> Result<Blobs, ServeError> {
    let environment = AwsEnvironment::read();
    let connected = Blobs::connect(&config.filecache, &config.blob_store, &environment).await;
    connected.map_err(|source| ServeError::FileCache {
        path: config.filecache.display().to_string(),
        source,
    })
}

async fn opened<T, F>(filecache: &Path, open: F) -> Result<T, ServeError>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, BlobError> + Send + 'static,
{
    let opened = tokio::task::spawn_blocking(open).await;
    let opened = opened.unwrap_or_else(|stopped| std::panic::resume_unwind(stopped.into_panic()));
    opened.map_err(|source| ServeError::FileCache {
        path: filecache.display().to_string(),
        source,
    })
}

/// Serves until `shutdown`; then running requests have the `drain` of the limits to be answered.
pub async fn serve(
    transfers: Arc<Transfers>,
    routes: Router,
    listener: Listener,
    (limits, drain): (ConnectionLimits, Duration),
    shutdown: CancellationToken,
) {
    let tasks = TaskTracker::new();
    look_after(&transfers, &tasks, &shutdown);
    let over = CancellationToken::new();
    let reception = Reception::new(Port::Transfer, listener.security(), HEAD_WAIT);
    let desk = Arc::new(Desk {
        reception,
        router: router(&transfers, routes),
        transfers,
        shutdown: shutdown.clone(),
    });
    let handle = |connection: Connection| {
        // Every request looks at these tokens, and one that all share is a lock that all wait for.
        let (desk, over) = (Arc::clone(&desk), over.child_token());
        async move {
            tokio::select! {
                biased;
                () = over.cancelled() => info!("closed: the time to stop is over"),
                () = desk.attend(connection) => {}
            }
        }
    };
    net::serve(listener, limits, shutdown, &tasks, handle).await;
    tasks.close();
    if tokio::time::timeout(drain, tasks.wait()).await.is_err() {
        warn!(
            connections = tasks.len(),
            "transfers are still running; closing them"
        );
        over.cancel();
        tasks.wait().await;
    }
}

/// Starts what is done beside serving.
fn look_after(transfers: &Arc<Transfers>, tasks: &TaskTracker, shutdown: &CancellationToken) {
    tasks.spawn(tus::look_after(Arc::clone(transfers), shutdown.clone()));
    tasks.spawn(collector::look_after(
        Arc::clone(transfers),
        shutdown.clone(),
    ));
    let unnamed = transfers
        .unnamed
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    if let Some(unnamed) = unnamed {
        let naming = naming::run(Arc::clone(transfers), unnamed, shutdown.clone());
        tasks.spawn(naming);
    }
}

/// Everything a connection needs.
struct Desk {
    reception: Reception,
    router: Router,
    transfers: Arc<Transfers>,
    shutdown: CancellationToken,
}

impl Desk {
    async fn attend(&self, connection: Connection) {
        let shutdown = &self.shutdown;
        match self.reception.receive(connection, shutdown).await {
            Some((Language::Flamingo, connection)) => {
                let (socket, accepted) = (connection.socket, connection.accepted);
                let session = Session::new(&self.transfers, socket, accepted);
                let ended = session.run(&connection.permit, shutdown).await;
                tell(ended);
            }
            Some((Language::Http, connection)) => {
                let (router, shutdown) = (self.router.clone(), shutdown.child_token());
                let stall = self.transfers.policy.write_stall;
                http::serve(router, connection, Windows::LARGE, stall, shutdown).await;
            }
            None => {}
        }
    }
}

fn tell(ended: Result<(), Refusal>) {
    let Err(refusal) = ended else {
        debug!("closed");
        return;
    };
    refusal.count();
    match refusal {
        Refusal::Broken(error) => debug!(%error, "the connection broke"),
        refusal if refusal.is_ours() => warn!(reason = %refusal, "closed"),
        refusal => info!(reason = %refusal, "closed"),
    }
}
