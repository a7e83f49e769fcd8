//! The statements that the contract of the stores runs, written down by the database itself.

use std::collections::HashMap;
use std::sync::Arc;

use common::store::Store;
use myim_tests::mariadb::MariaDb;
use mysql_async::Conn;
use mysql_async::prelude::Queryable;

use super::open;

/// Statements that differ in their values only, of which each is kept: what is planned depends on the
/// values, too.
const ALIKE_MAX: usize = 3;

/// Tables that are not emptied between two tests: what is in there, a store finds when it is opened.
const KEPT: [&str; 3] = ["t_schema_version", "t_meta", "t_id"];

/// Plays the contract on one database that is emptied before each of its tests: to make a new one takes
/// longer than most of them.
pub(super) async fn by_the_contract(instance: &MariaDb) -> Vec<String> {
    let mut store: Arc<dyn Store> = Arc::new(open(instance, "contract").await);
    let mut emptying = Emptying::new(instance).await;
    emptying
        .run("SET GLOBAL log_output = 'TABLE', general_log = ON")
        .await;
    let fresh = async || {
        // Some tests close their store.
        store.close().await;
        emptying.empty().await;
        store = Arc::new(open(instance, "contract").await);
        Arc::clone(&store)
    };
    common::store_contract!(all fresh);
    emptying.run("SET GLOBAL general_log = OFF").await;
    store.close().await;
    let log: Vec<Vec<u8>> = emptying
        .conn
        .query("SELECT argument FROM mysql.general_log WHERE command_type IN ('Execute', 'Query')")
        .await
        .unwrap();
    let mut kept: HashMap<String, Vec<String>> = HashMap::new();
    for statement in log {
        let statement = String::from_utf8_lossy(&statement).into_owned();
        if is_explainable(&statement) {
            let alike = kept.entry(shape(&statement)).or_default();
            if alike.len() < ALIKE_MAX {
                alike.push(statement);
            }
        }
    }
    let mut statements: Vec<String> = kept.into_values().flatten().collect();
    statements.sort_unstable();
    statements
}

/// For rows that a statement brings along itself nothing is planned.
fn is_explainable(sql: &str) -> bool {
    let begins = |words: &[&str]| words.iter().any(|word| sql.starts_with(word));
    begins(&["SELECT", "UPDATE", "DELETE", "WITH"])
        || (begins(&["INSERT", "REPLACE"]) && sql.contains("SELECT"))
}

/// A statement without its values, and with lists of one length.
fn shape(sql: &str) -> String {
    let mut shape = String::with_capacity(sql.len());
    let mut chars = sql.chars().peekable();
    while let Some(first) = chars.next() {
        match first {
            '\'' => {
                let mut is_escaped = false;
                for next in chars.by_ref() {
                    if next == '\'' && !is_escaped {
                        break;
                    }
                    is_escaped = next == '\\' && !is_escaped;
                }
                shape.push('?');
            }
            '0'..='9' => {
                while chars.next_if(char::is_ascii_digit).is_some() {}
                shape.push('?');
            }
            ' ' | '\n' => {}
            other => shape.push(other),
        }
        for list in ["?,?", "(?),(?)"] {
            if shape.ends_with(list) {
                shape.truncate(shape.len() - list.len() / 2 - 1);
            }
        }
    }
    shape
}

/// Takes out of a database what a test put there.
struct Emptying {
    conn: Conn,
    tables: Vec<String>,
    numbers: Vec<(String, u32)>,
}

impl Emptying {
    async fn new(instance: &MariaDb) -> Self {
        let url = format!("{}/contract", instance.url());
        let mut conn = Conn::from_url(&url).await.unwrap();
        conn.query_drop("SET SESSION sql_log_off = ON")
            .await
            .unwrap();
        let tables: Vec<String> = conn.query("SHOW TABLES").await.unwrap();
        let numbers = conn.query("SELECT f_kind, f_next FROM t_id").await.unwrap();
        Self {
            conn,
            tables,
            numbers,
        }
    }

    async fn run(&mut self, sql: &str) {
        self.conn.query_drop(sql).await.unwrap();
    }

    async fn empty(&mut self) {
        self.run("START TRANSACTION").await;
        for table in self.tables.clone() {
            if !KEPT.contains(&table.as_str()) {
                self.run(&format!("DELETE FROM {table}")).await;
            }
        }
        for (kind, next) in self.numbers.clone() {
            self.run(&format!(
                "UPDATE t_id SET f_next = {next} WHERE f_kind = '{kind}'"
            ))
            .await;
        }
        self.run("COMMIT").await;
    }
}
