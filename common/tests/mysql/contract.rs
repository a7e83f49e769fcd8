//! What every store must do.

use std::sync::Arc;

use common::store::Store;
use mysql_async::prelude::Queryable;

use crate::server::Database;

async fn fresh() -> (Arc<dyn Store>, Database) {
    let database = Database::new();
    (Arc::new(database.store().await), database)
}

common::store_contract!(super::fresh);

#[tokio::test]
async fn damage_is_found() {
    let (store, database) = fresh().await;
    // Keys of the same names that keep no number and no name from standing twice.
    let unlock = [
        "ALTER TABLE t_chatmsg DROP INDEX u_place, ADD KEY u_place (f_conv, f_seq)",
        "ALTER TABLE t_chatmsg DROP INDEX u_client_id, ADD KEY u_client_id (f_senderid, f_client_id)",
    ];
    let run = async |sql: &str| database.conn().await.query_drop(sql).await.unwrap();
    common::store::contract::damage::damage_is_found(&store, &unlock, run).await;
    store.close().await;
}
