//! Opening: an empty server, a second time, together with another.

use common::store::mysql::MySqlStore;
use common::store::{OpenOptions, Store, StoreError};
use mysql_async::Row;
use mysql_async::prelude::Queryable;

use crate::server::{Database, register};

#[tokio::test(flavor = "multi_thread")]
async fn stores_that_open_together_share_one_database() {
    let database = Database::new();
    let (url, options) = (database.url(), OpenOptions::default());
    let (a, b, c) = tokio::join!(
        MySqlStore::open(&url, &options),
        MySqlStore::open(&url, &options),
        MySqlStore::open(&url, &options),
    );
    let (a, b, c) = (a.unwrap(), b.unwrap(), c.unwrap());
    let ann = register(&a, "ann").await;
    assert_eq!(b.account_named("ann").await.unwrap().unwrap().id, ann);
    assert_eq!(register(&c, "bob").await.0, ann.0 + 1);
}

#[tokio::test]
async fn a_second_opening_changes_nothing() {
    let database = Database::new();
    let first = database.store().await;
    register(&first, "ann").await;
    let before = everything(&database).await;
    first.close().await;
    database.store().await;
    assert_eq!(everything(&database).await, before);
}

/// Definitions and content of all tables.
async fn everything(database: &Database) -> Vec<String> {
    let mut conn = database.conn().await;
    let tables: Vec<String> = conn.query("SHOW TABLES").await.unwrap();
    assert!(tables.len() > 10);
    let mut all = Vec::new();
    for table in tables {
        let shown: Option<(String, String)> = conn
            .query_first(format!("SHOW CREATE TABLE {table}"))
            .await
            .unwrap();
        all.push(shown.unwrap().1);
        let rows: Vec<Row> = conn.query(format!("SELECT * FROM {table}")).await.unwrap();
        all.extend(rows.into_iter().map(|row| format!("{:?}", row.unwrap())));
    }
    all
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_refused() {
    let database = Database::new();
    database.store().await.close().await;
    let mut conn = database.conn().await;
    conn.query_drop("INSERT INTO t_schema_version VALUES (99, 'x', 0)")
        .await
        .unwrap();
    let opened = MySqlStore::open(&database.url(), &OpenOptions::default()).await;
    assert!(matches!(opened, Err(StoreError::Newer { found: 99, .. })));
}

#[tokio::test]
async fn a_url_without_a_database_is_refused() {
    let url = "mysql://root@127.0.0.1:3306";
    let opened = MySqlStore::open(url, &OpenOptions::default()).await;
    assert!(matches!(opened, Err(StoreError::Broken(_))));
}

#[tokio::test]
async fn a_closed_store_is_unreachable() {
    let database = Database::new();
    let store = database.store().await;
    store.ping().await.unwrap();
    store.close().await;
    assert!(matches!(
        store.ping().await,
        Err(StoreError::Unreachable(_))
    ));
}
