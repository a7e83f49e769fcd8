//! Brings the tables up to date, one numbered file after another.
//!
//! MySQL commits every change of a table at once, so a file that stopped in the middle is run
//! again from its top: all its statements may be repeated.

use mysql_async::Conn;
use mysql_async::prelude::Queryable;

use super::adopt;
use super::connections::{rows, write};
use super::fault::Fault;
use crate::clock::{Clock, SystemClock};
use crate::store::StoreError;
use crate::store::schema::{Migration, plan, sha256, statements};

/// The files for MySQL and MariaDB.
pub(super) const MYSQL: &[Migration] = &[
    Migration {
        n: 1,
        name: "original",
        sql: include_str!("../schema/0001_original.mysql.sql"),
    },
    Migration {
        n: 2,
        name: "log",
        sql: include_str!("../schema/0002_log.mysql.sql"),
    },
    Migration {
        n: 3,
        name: "api",
        sql: include_str!("../schema/0003_api.mysql.sql"),
    },
    Migration {
        n: 4,
        name: "bots_admin",
        sql: include_str!("../schema/0004_bots_admin.mysql.sql"),
    },
    Migration {
        n: 5,
        name: "files",
        sql: include_str!("../schema/0005_files.mysql.sql"),
    },
    Migration {
        n: 6,
        name: "upgrades",
        sql: include_str!("../schema/0006_upgrades.mysql.sql"),
    },
    Migration {
        n: 7,
        name: "names",
        sql: include_str!("../schema/0007_names.mysql.sql"),
    },
];

/// The files that the database lacks.
pub(super) async fn missing(conn: &mut Conn) -> Result<&'static [Migration], StoreError> {
    run(
        conn,
        "CREATE TABLE IF NOT EXISTS t_schema_version ( \
             n int NOT NULL, sha256 char(64) NOT NULL, at bigint NOT NULL, PRIMARY KEY (n) \
         ) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4",
    )
    .await?;
    let sql = "SELECT n, sha256 FROM t_schema_version ORDER BY n";
    let applied: Vec<(u32, String)> = rows(conn, sql, ()).await?;
    plan(&applied, MYSQL)
}

/// Applies files. The caller holds the schema lock.
pub(super) async fn migrate(conn: &mut Conn, missing: &[Migration]) -> Result<(), StoreError> {
    for migration in missing {
        tracing::info!(
            version = migration.n,
            name = migration.name,
            "upgrading the database"
        );
        for statement in statements(migration.sql) {
            apply(conn, &statement)
                .await
                .map_err(|fault| in_file(migration, fault))?;
        }
        write(
            conn,
            "INSERT INTO t_schema_version (n, sha256, at) VALUES (?, ?, ?)",
            (migration.n, sha256(migration.sql), SystemClock.now().0),
        )
        .await?;
    }
    Ok(())
}

async fn apply(conn: &mut Conn, statement: &str) -> Result<(), Fault> {
    let step = statement
        .lines()
        .find_map(|line| line.strip_prefix("CALL "));
    match step.map(str::trim) {
        Some("columns") => adopt::columns(conn).await,
        Some("api_columns") => adopt::api_columns(conn).await,
        Some("api_keys") => adopt::api_keys(conn).await,
        Some("file_columns") => adopt::file_columns(conn).await,
        Some("file_keys") => adopt::file_keys(conn).await,
        Some("unique_keys") => adopt::unique_keys(conn).await,
        Some(other) => Err(Fault::Broken(format!("there is no step {other}"))),
        None => run(conn, statement).await,
    }
}

async fn run(conn: &mut Conn, statement: &str) -> Result<(), Fault> {
    Ok(conn.query_drop(statement).await?)
}

fn in_file(migration: &Migration, fault: Fault) -> Fault {
    match fault {
        Fault::Broken(text) => Fault::Broken(format!(
            "schema version {} ({}): {text}",
            migration.n, migration.name
        )),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_are_numbered_without_a_gap() {
        for (row, migration) in MYSQL.iter().enumerate() {
            assert_eq!(usize::try_from(migration.n).unwrap(), row + 1);
        }
    }
}
