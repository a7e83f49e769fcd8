//! From a URL to connections: makes the database, refuses weak settings, brings the tables up to
//! date.

use std::collections::HashMap;
use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, OptsBuilder};
use tokio::time::timeout;

use super::connections::{CALL_LIMIT, Connections, Patience, connect, options, row, rows, write};
use super::fault::Fault;
use super::migrate::{migrate, missing};
use super::shared;
use crate::store::name_look::Filled;
use crate::store::{OpenOptions, StoreError, meta};

/// How long a server waits while another one makes the tables.
const SCHEMA_LOCK_LIMIT: Duration = Duration::from_secs(60);

/// The name of the lock under which tables are made.
const SCHEMA_LOCK: &str = "myim.schema";

pub(super) async fn open(url: &str, settings: &OpenOptions) -> Result<Connections, StoreError> {
    let opts = parse(url)?;
    let name = database_name(&opts)?;
    let mut conn = connect(without_database(&opts)).await?;
    if !settings.accept_weak_durability {
        within(CALL_LIMIT, refuse_weak(&mut conn)).await?;
    }
    within(SCHEMA_LOCK_LIMIT + CALL_LIMIT, lock_schema(&mut conn)).await?;
    within(CALL_LIMIT, create_database(&mut conn, &name)).await?;
    let missing = within(CALL_LIMIT, missing(&mut conn)).await?;
    // No limit: a big original database takes its time. The lock goes with the connection, should
    // anything fail.
    migrate(&mut conn, missing).await?;
    fill_looks(&mut conn).await?;
    within(CALL_LIMIT, name_history(&mut conn)).await?;
    // Closing lets go of the lock. The work is done; how the server takes the farewell changes
    // nothing.
    let _ = timeout(CALL_LIMIT, conn.disconnect()).await;
    Ok(Connections::new(options(opts, Patience::Call).into()))
}

/// A step that a database which hangs must not hold up for ever.
async fn within<T>(
    limit: Duration,
    step: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    timeout(limit, step).await.unwrap_or_else(|_elapsed| {
        Err(StoreError::Unreachable(format!(
            "the database did not answer within {} s",
            limit.as_secs()
        )))
    })
}

/// What a URL says for us and not for the driver: the file with the certificate that the server's
/// is to be signed by.
const AUTHORITY: &str = "ssl_ca=";

pub(super) fn parse(url: &str) -> Result<Opts, StoreError> {
    let (url, authority) = take_authority(url);
    // The driver's error does not repeat the URL, which may hold a password.
    let opts = Opts::from_url(&url)
        .map_err(|error| StoreError::Broken(format!("the database URL is wrong: {error}")))?;
    let Some(authority) = authority else {
        return Ok(opts);
    };
    // Who names an authority wants TLS, and no other authority.
    let ssl = opts.ssl_opts().cloned().unwrap_or_default();
    let ssl = ssl
        .with_root_certs(vec![PathBuf::from(authority).into()])
        .with_disable_built_in_roots(true);
    Ok(OptsBuilder::from_opts(opts).ssl_opts(ssl).into())
}

fn take_authority(url: &str) -> (String, Option<String>) {
    let Some((place, query)) = url.rsplit_once('?') else {
        return (url.to_owned(), None);
    };
    let (ours, rest): (Vec<_>, Vec<_>) = query
        .split('&')
        .partition(|parameter| parameter.starts_with(AUTHORITY));
    let file = ours.first().and_then(|text| text.strip_prefix(AUTHORITY));
    let url = match rest.is_empty() {
        true => place.to_owned(),
        false => format!("{place}?{}", rest.join("&")),
    };
    (url, file.map(str::to_owned))
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
        (SCHEMA_LOCK, SCHEMA_LOCK_LIMIT.as_secs()),
    )
    .await?;
    match answer {
        Some((Some(1),)) => Ok(()),
        _ => Err(StoreError::Unreachable(format!(
            "another server is still making the tables after {} s",
            SCHEMA_LOCK_LIMIT.as_secs()
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

/// Notes how the names of accounts look that nobody looked at yet. Each step is a transaction, so
/// that who stops in the middle goes on from there.
async fn fill_looks(conn: &mut Conn) -> Result<(), Fault> {
    loop {
        conn.query_drop("START TRANSACTION").await?;
        let filled = shared::fill_looks(conn).await?;
        conn.query_drop("COMMIT").await?;
        if filled == Filled::Whole {
            return Ok(());
        }
    }
}

/// Gives the history its epoch, unless it has one.
async fn name_history(conn: &mut Conn) -> Result<(), StoreError> {
    let sql = "INSERT IGNORE INTO t_meta (f_key, f_value) VALUES (?, ?)";
    write(conn, sql, (meta::EPOCH, meta::new_epoch()?)).await?;
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

/// Matters where there is a binary log: recovery believes that log, and undoes a commit that did
/// not reach it.
const BINARY_LOG: Setting = Setting {
    name: "sync_binlog",
    is_weak: |value| value != "1",
    needed: "1",
};

async fn refuse_weak(conn: &mut Conn) -> Result<(), StoreError> {
    let sql = "SHOW GLOBAL VARIABLES WHERE Variable_name IN \
         ('innodb_flush_log_at_trx_commit', 'innodb_doublewrite', 'innodb_flush_method', \
          'log_bin', 'sync_binlog')";
    let found: Vec<(String, String)> = conn.query(sql).await.map_err(Fault::from)?;
    let found = found
        .into_iter()
        .map(|(name, value)| (name.to_lowercase(), value.to_uppercase()));
    judge(&found.collect())
}

/// Refuses the first weak setting.
fn judge(found: &HashMap<String, String>) -> Result<(), StoreError> {
    let logged = found
        .get("log_bin")
        .is_some_and(|value| value == "ON" || value == "1");
    let binary_log = logged.then_some(&BINARY_LOG);
    for setting in SETTINGS.iter().chain(binary_log) {
        if let Some(value) = found.get(setting.name)
            && (setting.is_weak)(value)
        {
            return Err(StoreError::WeakDurability {
                setting: setting.name,
                found: value.clone(),
                needed: setting.needed,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The setting that is refused, of these.
    fn refused(settings: &[(&str, &str)]) -> Option<&'static str> {
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        match judge(&settings.iter().map(pair).collect()) {
            Err(StoreError::WeakDurability { setting, .. }) => Some(setting),
            Err(other) => panic!("{other}"),
            Ok(()) => None,
        }
    }

    #[test]
    fn a_url_can_ask_for_tls() {
        let read = |query: &str| parse(&format!("mysql://root@db:3306/myim{query}"));
        let ssl = |query: &str| read(query).unwrap().ssl_opts().cloned();
        assert!(ssl("").is_none());
        assert!(ssl("?require_ssl=true").is_some());
        let unchecked = ssl("?require_ssl=true&verify_ca=false&verify_identity=false").unwrap();
        assert!(unchecked.accept_invalid_certs() && unchecked.skip_domain_validation());
        for query in [
            "?ssl_ca=/etc/ca.pem",
            "?ssl_ca=/etc/ca.pem&require_ssl=true",
            "?require_ssl=true&ssl_ca=/etc/ca.pem&verify_identity=false",
        ] {
            let ssl = ssl(query).unwrap();
            let file = PathBuf::from("/etc/ca.pem").into();
            assert_eq!(ssl.root_certs(), [file], "{query}");
            assert!(ssl.disable_built_in_roots() && !ssl.accept_invalid_certs());
        }
        let opts = read("?ssl_ca=/etc/ca.pem").unwrap();
        assert_eq!(opts.db_name(), Some("myim"));
        assert!(read("?no_such_thing=1").is_err());
    }

    #[test]
    fn settings_that_lose_commits_are_refused() {
        let flush = "innodb_flush_log_at_trx_commit";
        assert_eq!(refused(&[(flush, "1"), ("innodb_doublewrite", "ON")]), None);
        assert_eq!(refused(&[(flush, "2")]), Some(flush));
        assert_eq!(refused(&[(flush, "0")]), Some(flush));
        let method = "innodb_flush_method";
        assert_eq!(refused(&[(flush, "1"), (method, "O_DIRECT")]), None);
        assert_eq!(refused(&[(flush, "1"), (method, "NOSYNC")]), Some(method));
        let double = "innodb_doublewrite";
        assert_eq!(refused(&[(double, "DETECT_AND_RECOVER")]), None);
        assert_eq!(refused(&[(double, "OFF")]), Some(double));
    }

    #[test]
    fn the_binary_log_matters_where_there_is_one() {
        let sync = "sync_binlog";
        assert_eq!(refused(&[("log_bin", "OFF"), (sync, "0")]), None);
        assert_eq!(refused(&[("log_bin", "ON"), (sync, "1")]), None);
        assert_eq!(refused(&[("log_bin", "ON"), (sync, "0")]), Some(sync));
        assert_eq!(refused(&[("log_bin", "ON"), (sync, "100")]), Some(sync));
    }
}
