//! What every store must do.

use std::sync::Arc;

use common::store::Store;

use crate::server::Database;

async fn fresh() -> (Arc<dyn Store>, Database) {
    let database = Database::new();
    (Arc::new(database.store().await), database)
}

common::store_contract!(super::fresh);
