//! The contract that every store must keep, on a real MariaDB.
//!
//! On SQLite it runs beside the code.

use std::sync::Arc;

use common::store::{DatabaseUrl, OpenOptions, Store, open};
use myim_tests::mariadb::Database;

pub(crate) async fn fresh() -> (Arc<dyn Store>, Database) {
    let database = Database::shared();
    let url: DatabaseUrl = database.url().parse().unwrap();
    let store = open(&url, &OpenOptions::default()).await.unwrap();
    (store, database)
}

mod on_mariadb {
    common::store_contract!(crate::contract::fresh);
}
