//! What MariaDB plans for every statement that the contract of the stores runs: none reads the whole
//! of a table that grows with use.
//!
//! The contract is played on an instance that writes down what it is asked. That is explained on a
//! database with much in it, because what MariaDB plans depends on what is there.

mod asked;
mod filled;

use common::store::mysql::MySqlStore;
use common::store::{OpenOptions, Row, Store};
use myim_tests::mariadb::MariaDb;

use self::filled::ROWS;

/// Tables that may be read whole, by the name that the plan has for them, and words of the statement.
const MAY_READ_ALL: [(&str, &str); 9] = [
    // An account has a few at the most, and most have none; there are 1000 in all.
    ("h", "JOIN t_outgoing_hook h"),
    ("h", "FROM t_outgoing_hook h"),
    ("t_outgoing_hook", "FROM t_outgoing_hook"),
    ("t_incoming_hook", "SELECT COUNT(*)"),
    ("t_bot", "SELECT COUNT(*)"),
    // Those that an administrator made, and accounts that one decided something about.
    ("t_invite", "FROM t_invite"),
    ("t_account_state", "FROM t_account_state"),
    // How much there is in all, for administrators.
    (
        "t_conversation",
        "SELECT COUNT(*), COALESCE(SUM(f_head), 0)",
    ),
    ("t_session", "SELECT COUNT(*) FROM t_session"),
];

/// The store in this database of the instance.
async fn open(instance: &MariaDb, name: &str) -> MySqlStore {
    let url = format!("{}/{name}", instance.url());
    // Nothing here has to outlive a power cut.
    let options = OpenOptions {
        accept_weak_durability: true,
    };
    MySqlStore::open(&url, &options).await.unwrap()
}

/// Statements of which not all is planned whatever they ask for.
const MAY_BE_UNPLANNED: [&str; 2] = [
    // Asks for pairs, and says by which index.
    "FORCE INDEX (u_pair)",
    // Bring a row of their own; with two of them they are planned.
    "AS w_user",
];

/// What the plan says of a statement that asks for a key which is nowhere; of its other tables it says
/// nothing then.
const NOTHING_TO_PLAN: &str = "Impossible WHERE noticed after reading const tables";

async fn explain(store: &MySqlStore, sql: &str) -> Vec<Row> {
    let plan = store.select(&format!("EXPLAIN {sql}"), Vec::new()).await;
    plan.unwrap_or_else(|error| panic!("{error}: {sql}"))
}

fn is_unplanned(plan: &[Row]) -> bool {
    let mut steps = plan.iter();
    steps.any(|step| step.text(9).unwrap() == NOTHING_TO_PLAN)
}

/// The steps of a plan that read the whole of a table. What a statement itself makes is no table.
async fn scans(store: &MySqlStore, sql: &str) -> Vec<String> {
    let mut plan = explain(store, sql).await;
    let has_more = sql.contains(" JOIN ") || sql.contains("(SELECT");
    if has_more && is_unplanned(&plan) {
        plan = explain(store, &asked::for_two(sql)).await;
        if is_unplanned(&plan) && !MAY_BE_UNPLANNED.iter().any(|words| sql.contains(words)) {
            return vec![NOTHING_TO_PLAN.to_owned()];
        }
    }
    let mut scans = Vec::new();
    for step in plan {
        let [table, way, key, extra] = [2, 3, 5, 9].map(|column| step.text(column).unwrap());
        let rows = step.maybe_int(8).unwrap().unwrap_or(0);
        let is_whole = matches!(way.as_str(), "ALL" | "index") && rows > ROWS / 4;
        let may = |(name, words): &(&str, &str)| table == *name && sql.contains(words);
        if is_whole && !table.starts_with('<') && !MAY_READ_ALL.iter().any(may) {
            scans.push(format!("{table}: {way} {key}, {rows} rows, {extra}"));
        }
    }
    scans
}

#[tokio::test]
async fn no_statement_reads_the_whole_of_a_table_that_grows() {
    let mut instance = MariaDb::not_started();
    instance.flag("--innodb-flush-log-at-trx-commit=0".to_owned());
    instance.start();
    let statements = asked::by_the_contract(&instance).await;
    assert!(statements.len() > 200, "{}", statements.len());
    let store = open(&instance, "filled").await;
    filled::fill(&instance, "filled").await;
    let mut wrong = Vec::new();
    for sql in &statements {
        let scans = scans(&store, sql).await;
        if !scans.is_empty() {
            wrong.push(format!("{}\n    {sql}", scans.join("\n")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
