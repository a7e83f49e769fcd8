//! A database with much in every table that grows, as far as the planner can see.
//!
//! Knows no table: a column's kind and whether an index begins with it say what is put there. So a new
//! table is filled too.

use std::collections::HashSet;
use std::iter;

use myim_tests::mariadb::MariaDb;
use mysql_async::Conn;
use mysql_async::prelude::Queryable;

/// Rows of a table.
pub(super) const ROWS: i64 = 8_000;

/// What stands in the first and in each further column that an index over several begins with: 40 rows
/// are alike, but never in two such columns.
const ALIKE: [&str; 2] = ["(seq DIV 40)", "(seq MOD 500)"];

/// A few rows each, however long a server lives.
const SMALL: [&str; 3] = ["t_schema_version", "t_meta", "t_id"];

/// Of table, name, kind, length of texts.
type Column = (String, String, String, Option<u64>);

pub(super) async fn fill(instance: &MariaDb, database: &str) {
    let url = format!("{}/{database}", instance.url());
    let mut conn = Conn::from_url(&url).await.unwrap();
    let columns: Vec<Column> = conn
        .query(
            "SELECT table_name, column_name, data_type, character_maximum_length \
             FROM information_schema.columns \
             WHERE table_schema = DATABASE() AND extra NOT LIKE '%GENERATED%' \
             ORDER BY table_name, ordinal_position",
        )
        .await
        .unwrap();
    let leading: Vec<(String, String)> = conn
        .query(
            "SELECT first.table_name, first.column_name FROM information_schema.statistics first \
             JOIN information_schema.statistics second USING (table_schema, table_name, index_name) \
             WHERE table_schema = DATABASE() AND first.seq_in_index = 1 AND second.seq_in_index = 2",
        )
        .await
        .unwrap();
    let leading: HashSet<(String, String)> = leading.into_iter().collect();
    for columns in columns.chunk_by(|one, next| one.0 == next.0) {
        let table = &columns[0].0;
        if SMALL.contains(&table.as_str()) {
            continue;
        }
        let mut alike = ALIKE.iter().chain(iter::repeat(&ALIKE[1]));
        let value = |column: &Column| {
            let leads = leading.contains(&(table.clone(), column.1.clone()));
            let number = leads.then(|| alike.next()).flatten();
            value(column, number.unwrap_or(&"seq"))
        };
        let names: Vec<&str> = columns.iter().map(|column| column.1.as_str()).collect();
        let values: Vec<String> = columns.iter().map(value).collect();
        let sql = format!(
            "INSERT IGNORE INTO {table} ({}) SELECT {} FROM seq_1_to_{ROWS}",
            names.join(", "),
            values.join(", ")
        );
        conn.query_drop(&sql).await.unwrap();
        let count: Option<i64> = conn
            .query_first(format!("SELECT COUNT(*) FROM {table}"))
            .await
            .unwrap();
        assert!(count > Some(ROWS / 2), "{table} has {count:?} rows: {sql}");
        conn.query_drop(format!("ANALYZE TABLE {table}"))
            .await
            .unwrap();
    }
}

/// What a column gets in the row with this number.
fn value((_, name, kind, length): &Column, number: &str) -> String {
    match (name.as_str(), kind.as_str()) {
        // A conversation of two.
        ("f_conv", _) => format!("(1 << 60) | (({number} + 1) << 30) | ({number} + 2)"),
        (_, "tinyint") => "seq % 2".to_owned(),
        (_, "datetime" | "timestamp") => "NOW()".to_owned(),
        _ => match length {
            Some(length) => format!("LEFT(CONCAT('x', {number}), {length})"),
            None => number.to_owned(),
        },
    }
}
