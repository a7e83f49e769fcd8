//! From a URL to connections: makes the database, refuses weak settings, brings the tables up to
//! date.

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts};

use super::connections::{Connections, Patience, connect, options, row, rows};
use super::fault::Fault;
use super::migrate::migrate;
use crate::store::{OpenOptions, StoreError};

/// How long a server waits while another one makes the tables, in seconds.
const SCHEMA_LOCK_SECONDS: u32 = 60;

/// The name of the lock under which tables are made.
const SCHEMA_LOCK: &str = "myim.schema";

pub(super) async fn open(url: &str, settings: &OpenOptions) -> Result<Connections, StoreError> {
    let opts = parse(url)?;
    let name = database_name(&opts)?;
    let mut conn = connect(without_database(&opts)).await?;
    if !settings.accept_weak_durability {
        refuse_weak(&mut conn).await?;
    }
    lock_schema(&mut conn).await?;
    create_database(&mut conn, &name).await?;
    // The lock goes with the connection, should anything fail.
    migrate(&mut conn).await?;
    let _released: Option<(Option<i64>,)> =
        row(&mut conn, "SELECT RELEASE_LOCK(?)", (SCHEMA_LOCK,)).await?;
    // The work is done; how the server takes the farewell changes nothing.
    let _ = conn.disconnect().await;
    Ok(Connections::new(options(opts, Patience::Call).into()))
}

pub(super) fn parse(url: &str) -> Result<Opts, StoreError> {
    // The driver's error does not repeat the URL, which may hold a password.
    Opts::from_url(url)
        .map_err(|error| StoreError::Broken(format!("the database URL is wrong: {error}")))
}

fn database_name(opts: &Opts) -> Result<String, StoreError> {
    match opts.db_name() {
        Some(name) if !name.is_empty() && name.len() <= 64 => Ok(name.to_owned()),
        _ => Err(StoreError::Broken(
            "the database URL must end in a database name of at most 64 bytes".to_owned(),
        )),
    }
}

/// Options for a connection to the server itself: the database may not be there yet.
fn without_database(opts: &Opts) -> Opts {
    let none: Option<String> = None;
    options(opts.clone(), Patience::Endless)
        .db_name(none)
        .into()
}

async fn lock_schema(conn: &mut Conn) -> Result<(), StoreError> {
    let answer: Option<(Option<i64>,)> = row(
        conn,
        "SELECT GET_LOCK(?, ?)",
        (SCHEMA_LOCK, SCHEMA_LOCK_SECONDS),
    )
    .await?;
    match answer {
        Some((Some(1),)) => Ok(()),
        _ => Err(StoreError::Unreachable(format!(
            "another server is still making the tables after {SCHEMA_LOCK_SECONDS} s"
        ))),
    }
}

async fn create_database(conn: &mut Conn, name: &str) -> Result<(), StoreError> {
    let quoted = format!("`{}`", name.replace('`', "``"));
    let found: Vec<(String,)> = rows(
        conn,
        "SELECT schema_name FROM information_schema.schemata WHERE schema_name = ?",
        (name,),
    )
    .await?;
    // Looked up first: who may only use an existing database must not need the right to make one.
    if found.is_empty() {
        let sql = format!("CREATE DATABASE IF NOT EXISTS {quoted} CHARACTER SET utf8mb4");
        conn.query_drop(sql).await.map_err(Fault::from)?;
    }
    let sql = format!("USE {quoted}");
    conn.query_drop(sql).await.map_err(Fault::from)?;
    Ok(())
}

/// A setting that decides whether a power cut can lose what was acknowledged.
struct Setting {
    name: &'static str,
    /// Whether a value (upper case) is weak. A server without the setting has it at its best.
    is_weak: fn(&str) -> bool,
    needed: &'static str,
}

const SETTINGS: [Setting; 3] = [
    Setting {
        name: "innodb_flush_log_at_trx_commit",
        // MariaDB's 3 flushes even more often than 1.
        is_weak: |value| value != "1" && value != "3",
        needed: "1",
    },
    Setting {
        name: "innodb_doublewrite",
        is_weak: |value| matches!(value, "OFF" | "0" | "DETECT_ONLY"),
        needed: "ON",
    },
    Setting {
        name: "innodb_flush_method",
        is_weak: |value| matches!(value, "NOSYNC" | "LITTLESYNC"),
        needed: "fsync or O_DIRECT",
    },
];

async fn refuse_weak(conn: &mut Conn) -> Result<(), StoreError> {
    for setting in &SETTINGS {
        let value = variable(conn, setting.name).await?;
        if value.as_deref().is_some_and(setting.is_weak) {
            return Err(StoreError::WeakDurability {
                setting: setting.name,
                found: value.unwrap_or_default(),
                needed: setting.needed,
            });
        }
    }
    // With a binary log, recovery believes that log: a commit that did not reach it is undone.
    let logged = variable(conn, "log_bin").await?;
    if logged.is_some_and(|value| value == "ON" || value == "1") {
        let found = variable(conn, "sync_binlog").await?.unwrap_or_default();
        if found != "1" {
            return Err(StoreError::WeakDurability {
                setting: "sync_binlog",
                found,
                needed: "1",
            });
        }
    }
    Ok(())
}

/// A server variable in upper case; `None` where this server has none of the name.
async fn variable(conn: &mut Conn, name: &str) -> Result<Option<String>, StoreError> {
    // The names are constants of this file; SHOW takes no parameters on older servers.
    let sql = format!("SHOW GLOBAL VARIABLES LIKE '{name}'");
    let found: Option<(String, String)> = conn.query_first(sql).await.map_err(Fault::from)?;
    Ok(found.map(|(_, value)| value.to_uppercase()))
}
