//! Numbered schema files: which of them a database still needs.
//!
//! Knows no connection. Each store applies what [`plan`] hands it and notes number, hash and time
//! in its table `t_schema_version`. A file that was released is never edited; a database that was
//! made by a newer program, or by a file that reads differently today, is refused.

use sha2::{Digest, Sha256};

use super::StoreError;

/// One numbered schema file of one database kind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Migration {
    /// 1, 2, 3, … without a gap.
    pub n: u32,
    pub name: &'static str,
    /// For SQLite run as one script; for MySQL split by [`statements`].
    pub sql: &'static str,
}

/// The files for SQLite.
pub(super) const SQLITE: &[Migration] = &[
    Migration {
        n: 1,
        name: "first",
        sql: include_str!("schema/0001_first.sqlite.sql"),
    },
    Migration {
        n: 2,
        name: "api",
        sql: include_str!("schema/0002_api.sqlite.sql"),
    },
    Migration {
        n: 3,
        name: "bots_admin",
        sql: include_str!("schema/0003_bots_admin.sqlite.sql"),
    },
    Migration {
        n: 4,
        name: "files",
        sql: include_str!("schema/0004_files.sqlite.sql"),
    },
    Migration {
        n: 5,
        name: "upgrades",
        sql: include_str!("schema/0005_upgrades.sqlite.sql"),
    },
    Migration {
        n: 6,
        name: "names",
        sql: include_str!("schema/0006_names.sqlite.sql"),
    },
];

/// The hash that is kept of an applied file. Line ends do not count: a checkout on another system
/// may change them.
pub(super) fn sha256(sql: &str) -> String {
    let digest = Sha256::digest(sql.replace('\r', "").as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The files that are still to be applied. `applied` is what the database says it has: number
/// and hash, ascending.
pub(super) fn plan<'a>(
    applied: &[(u32, String)],
    known: &'a [Migration],
) -> Result<&'a [Migration], StoreError> {
    let newest_known = known.last().map_or(0, |migration| migration.n);
    if let Some((newest, _)) = applied.last()
        && *newest > newest_known
    {
        return Err(StoreError::Newer {
            found: *newest,
            known: newest_known,
        });
    }
    for (row, (n, hash)) in applied.iter().enumerate() {
        let migration = known.get(row).filter(|migration| migration.n == *n);
        let Some(Migration { name, sql, .. }) = migration else {
            return Err(StoreError::Broken(format!(
                "its list of schema versions has a gap before version {n}"
            )));
        };
        if *hash != sha256(sql) {
            return Err(StoreError::Broken(format!(
                "schema version {n} ({name}) was made by another file than the one in this program"
            )));
        }
    }
    Ok(known.get(applied.len()..).unwrap_or_default())
}

/// The statements of a schema file for a database that takes them one at a time: they stand apart
/// by a line that is exactly `--;`, so that a statement may hold any character.
pub(super) fn statements(sql: &str) -> Vec<String> {
    let mut statements = vec![String::new()];
    for line in sql.lines() {
        match statements.last_mut() {
            Some(statement) if line.trim_end() != "--;" => {
                statement.push_str(line);
                statement.push('\n');
            }
            _ => statements.push(String::new()),
        }
    }
    statements.retain(|statement| {
        statement
            .lines()
            .any(|line| !line.trim().is_empty() && !line.trim_start().starts_with("--"))
    });
    statements
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[Migration] = &[
        Migration {
            n: 1,
            name: "one",
            sql: "A",
        },
        Migration {
            n: 2,
            name: "two",
            sql: "B",
        },
    ];

    fn applied(files: &[(u32, &str)]) -> Vec<(u32, String)> {
        files.iter().map(|(n, sql)| (*n, sha256(sql))).collect()
    }

    #[test]
    fn the_plan_is_what_is_missing() {
        let names = |files: &[(u32, &str)]| -> Vec<&str> {
            let plan = plan(&applied(files), KNOWN).unwrap();
            plan.iter().map(|migration| migration.name).collect()
        };
        assert_eq!(names(&[]), ["one", "two"]);
        assert_eq!(names(&[(1, "A")]), ["two"]);
        assert_eq!(names(&[(1, "A"), (2, "B")]), [""; 0]);
    }

    #[test]
    fn a_newer_database_is_refused() {
        let newer = applied(&[(1, "A"), (2, "B"), (3, "C")]);
        let refused = plan(&newer, KNOWN);
        assert!(matches!(
            refused,
            Err(StoreError::Newer { found: 3, known: 2 })
        ));
    }

    #[test]
    fn a_changed_file_and_a_gap_are_refused() {
        for files in [&[(1, "X")][..], &[(2, "B")], &[(1, "A"), (1, "A")]] {
            let refused = plan(&applied(files), KNOWN);
            assert!(matches!(refused, Err(StoreError::Broken(_))), "{files:?}");
        }
    }

    #[test]
    fn line_ends_do_not_count() {
        assert_eq!(sha256("A\r\nB\r\n"), sha256("A\nB\n"));
        assert_eq!(sha256("").len(), 64);
    }

    #[test]
    fn statements_stand_apart_by_a_line() {
        let sql = "-- Why.\nA ';--;'\n--;\n\n--;\r\nB\n--;\n-- only talk\n";
        assert_eq!(statements(sql), ["-- Why.\nA ';--;'\n", "B\n"]);
    }

    #[test]
    fn the_files_are_numbered_without_a_gap() {
        for (row, migration) in SQLITE.iter().enumerate() {
            assert_eq!(usize::try_from(migration.n).unwrap(), row + 1);
        }
    }
}
