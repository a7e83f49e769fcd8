//! An embedded database that no server has open.

use std::path::Path;
use std::sync::Arc;

use axum::body::Body;
use chat_server::offline::Offline;
use common::blob::Blobs;
use common::blob::scrub::{Progress, Report, ScrubOptions, scrub};
use common::clock::{Clock, SystemClock};
use common::config::{AwsEnvironment, LogConfig, LogFormat, SuiteConfig, TransferConfig};
use common::net::own_uid;
use common::process::Exit;
use common::store::{DatabaseUrl, Store, StoreError, open};
use common::telemetry;
use common::transfer::{Retention, collect};
use hyper::{Request, Response};

use crate::cli::admin::trouble::Trouble;

/// See the module's description. The database's lock is held.
pub(in crate::cli::admin) struct Database {
    offline: Offline,
    store: Arc<dyn Store>,
    files: TransferConfig,
}

impl Database {
    /// `socket` is where nobody listens.
    pub(super) async fn open(config: SuiteConfig, socket: &Path) -> Result<Self, Trouble> {
        let database = config.database();
        let socket = socket.display();
        let DatabaseUrl::Sqlite(path) = &database.database else {
            return Err(Trouble::unreachable(format!(
                "no server answers at {socket}; start the server first"
            )));
        };
        if !path.exists() {
            return Err(Trouble::unreachable(format!(
                "no server answers at {socket}, and there is no database {}; say with --data, \
                 --socket or --server where the server is",
                path.display()
            )));
        }
        // What opening does to an older database is told; the command line has no log otherwise.
        telemetry::init(&LogConfig {
            log: "error,common::store=info".to_owned(),
            log_format: LogFormat::Text,
        });
        let store = match open(&database.database, &database.options()).await {
            Ok(store) => store,
            Err(error @ StoreError::InUse(_)) => {
                return Err(Trouble::unreachable(format!(
                    "no server answers at {socket}, but {error}; if that server has another admin \
                     socket, name it with --socket"
                )));
            }
            Err(error) => {
                let exit = Exit::database(&database.shown(), &error);
                return Err(Trouble::database(&exit));
            }
        };
        let offline = Offline::begin(config.chat, Arc::clone(&store), own_uid());
        let offline = offline.map_err(|error| Trouble::unreachable(error.to_string()))?;
        let files = config.transfer;
        Ok(Self {
            offline,
            store,
            files,
        })
    }

    pub(super) async fn answer(&self, request: Request<Body>) -> Response<Body> {
        self.offline.answer(request).await
    }

    /// Deletes files that are due. Answers how many.
    pub(super) async fn collect(&self) -> Result<usize, Trouble> {
        let broken = |error: &dyn std::fmt::Display| {
            Trouble::unreachable(format!("not everything was deleted: {error}"))
        };
        let blobs = self.blobs().await?;
        let retention = Retention::from(&self.files);
        let deleted = collect(&*self.store, &blobs, retention, SystemClock.now());
        deleted.await.map_err(|error| broken(&error))
    }

    /// Compares what is kept with the database; what is found is told as it is found.
    pub(super) async fn scrub(
        &self,
        options: &ScrubOptions,
        progress: impl FnMut(Progress),
    ) -> Result<Report, Trouble> {
        let blobs = self.blobs().await?;
        let scrubbed = scrub(&blobs, &*self.store, options, progress).await;
        scrubbed.map_err(|error| {
            Trouble::unreachable(format!("the look through the files broke off: {error}"))
        })
    }

    async fn blobs(&self) -> Result<Blobs, Trouble> {
        let (filecache, at) = (&self.files.filecache, &self.files.blob_store);
        let connected = Blobs::connect(filecache, at, &AwsEnvironment::read()).await;
        connected.map_err(|error| {
            Trouble::unreachable(format!("the file cache {}: {error}", filecache.display()))
        })
    }

    pub(super) async fn end(self) -> Result<(), Trouble> {
        let ended = self.offline.end().await;
        self.store.close().await;
        ended.map_err(|error| Trouble::unreachable(error.to_string()))
    }
}
