//! An embedded database that no server has open.

use std::path::Path;
use std::sync::Arc;

use axum::body::Body;
use chat_server::offline::Offline;
use common::config::SuiteConfig;
use common::net::own_uid;
use common::store::{DatabaseUrl, Store, StoreError, open};
use hyper::{Request, Response};

use crate::cli::admin::trouble::Trouble;

/// See the module's description. The database's lock is held.
pub(in crate::cli::admin) struct Database {
    offline: Offline,
    store: Arc<dyn Store>,
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
        let store = match open(&database.database, &database.options()).await {
            Ok(store) => store,
            Err(error @ StoreError::InUse(_)) => {
                return Err(Trouble::unreachable(format!(
                    "no server answers at {socket}, but {error}; if that server has another admin \
                     socket, name it with --socket"
                )));
            }
            Err(error) => return Err(Trouble::unreachable(error.to_string())),
        };
        let offline = Offline::begin(config.chat, Arc::clone(&store), own_uid());
        let offline = offline.map_err(|error| Trouble::unreachable(error.to_string()))?;
        Ok(Self { offline, store })
    }

    pub(super) async fn answer(&self, request: Request<Body>) -> Response<Body> {
        self.offline.answer(request).await
    }

    pub(super) async fn end(self) -> Result<(), Trouble> {
        let ended = self.offline.end().await;
        self.store.close().await;
        ended.map_err(|error| Trouble::unreachable(error.to_string()))
    }
}
