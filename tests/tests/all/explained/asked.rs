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

/// The statement, asking for one more value wherever it asks for one: a key with one value is looked up
/// before anything is planned.
pub(super) fn for_two(sql: &str) -> String {
    let is_condition = |words: &&str| sql.contains(words);
    let first = [" ON ", " WHERE "].iter().copied().filter(is_condition);
    let at = first.filter_map(|words| sql.find(words)).min();
    let (what, conditions) = sql.split_at(at.unwrap_or(sql.len()));
    let conditions = two_values(conditions, " = ", "");
    format!("{what}{}", two_values(&conditions, " IN (", ")"))
}

/// The conditions, with a list of two wherever there is one value between these.
fn two_values(conditions: &str, before: &str, after: &str) -> String {
    let mut parts = conditions.split(before);
    let mut two = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (value, rest) = part.split_at(value_length(part));
        // An index is of use for values of its own kind.
        let other = if value.starts_with('\'') { "'1'" } else { "1" };
        match rest.strip_prefix(after) {
            Some(rest) if !value.is_empty() => two += &format!(" IN ({value}, {other}){rest}"),
            _ => two += &format!("{before}{part}"),
        }
    }
    two
}

/// How long the number or the text is that stands at the beginning, in bytes.
fn value_length(sql: &str) -> usize {
    if !sql.starts_with('\'') {
        return sql.bytes().take_while(u8::is_ascii_digit).count();
    }
    let mut is_escaped = false;
    let within = sql.bytes().skip(1).take_while(|byte| {
        let goes_on = *byte != b'\'' || is_escaped;
        is_escaped = *byte == b'\\' && !is_escaped;
        goes_on
    });
    within.count() + 2
}

/// A statement without its values, and with lists of one length.
fn shape(sql: &str) -> String {
    let mut shape = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let length = value_length(rest).min(rest.len());
        if length > 0 {
            shape.push('?');
        } else if !matches!(first, ' ' | '\n') {
            shape.push(first);
        }
        rest = &rest[length.max(first.len_utf8())..];
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
