//! The chat server.

use std::sync::Arc;

use common::config::ChatConfig;
use common::net::Listener;
use common::store::Store;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Serves until `shutdown`.
pub async fn run(
    config: ChatConfig,
    _store: Arc<dyn Store>,
    listener: Listener,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let tasks = TaskTracker::new();
    let limits = config.limits.connections();
    common::net::serve(
        listener,
        limits,
        shutdown,
        &tasks,
        |connection| async move {
            connection.socket.close().await;
            drop(connection.permit);
        },
    )
    .await;
    tasks.close();
    tasks.wait().await;
    Ok(())
}
