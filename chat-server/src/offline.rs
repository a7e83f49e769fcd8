//! The administration of a database that no server has open: the same routes, without a socket.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use common::clock::SystemClock;
use common::config::ChatConfig;
use common::store::Store;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::app::App;
use crate::hub::Hub;
use crate::log::{Committer, Tail};
use crate::protocol::web::{Operator, operators_router};

/// How long the last changes may take to be saved.
const SAVED_WITHIN: Duration = Duration::from_secs(10);

/// See the module's description.
#[derive(Debug)]
pub struct Offline {
    router: Router,
    committer: JoinHandle<()>,
    shutdown: CancellationToken,
    operator: Operator,
}

impl Offline {
    /// Begins, for somebody who could open the database. Needs a runtime.
    ///
    /// # Errors
    /// If the operating system gives no random numbers.
    pub fn begin(config: ChatConfig, store: Arc<dyn Store>, uid: u32) -> anyhow::Result<Self> {
        let (tail, hub) = (Arc::<Tail>::default(), Arc::<Hub>::default());
        let (log, committer) =
            Committer::new(Arc::clone(&store), Arc::clone(&tail), Arc::clone(&hub));
        let shutdown = CancellationToken::new();
        let committer = tokio::spawn(committer.run(shutdown.clone()));
        let app = App::new(config, store, log, tail, hub, Arc::new(SystemClock))?;
        Ok(Self {
            router: operators_router(Arc::new(app), shutdown.clone()),
            committer,
            shutdown,
            operator: Operator { uid },
        })
    }

    /// Answers a request as the server would.
    pub async fn answer(&self, mut request: Request<Body>) -> Response<Body> {
        request.extensions_mut().insert(self.operator);
        let answered = self.router.clone().oneshot(request).await;
        answered.unwrap_or_else(|never| match never {})
    }

    /// Waits until everything is saved.
    ///
    /// # Errors
    /// If it could not be.
    pub async fn end(self) -> anyhow::Result<()> {
        self.shutdown.cancel();
        // The committer ends when nobody can hand in changes any more.
        drop(self.router);
        let ended = tokio::time::timeout(SAVED_WITHIN, self.committer).await;
        ended
            .context("the last changes were not saved in time")?
            .context("the last changes could not be saved")
    }
}
