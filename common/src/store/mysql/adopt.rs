//! Takes over the tables of an original server: adds what they lack, whichever version made them.
//!
//! MySQL has no `ADD COLUMN IF NOT EXISTS`, so these steps look first. On new tables they find
//! nothing but the columns that the original never had.

use std::collections::HashSet;

use mysql_async::Conn;
use mysql_async::prelude::Queryable;

use super::connections::{rows, write};
use super::fault::Fault;

/// A table, and the columns it must have with their definitions.
type Table = (&'static str, &'static [(&'static str, &'static str)]);

/// Columns whose definition must be exactly this: the original had them narrower, or without the
/// fourth byte of UTF-8. Nobody's text is cut: each is at least as wide as the original's.
const WIDE: &[Table] = &[
    (
        "t_user",
        &[
            ("f_username", "varchar(255) NOT NULL"),
            ("f_nickname", "varchar(255) NOT NULL"),
            ("f_password", "varchar(255) NOT NULL DEFAULT ''"),
            ("f_facetype", "int DEFAULT 0"),
            ("f_customface", "varchar(255) DEFAULT NULL"),
            ("f_customfacefmt", "varchar(6) DEFAULT NULL"),
            ("f_gender", "int DEFAULT 0"),
            ("f_birthday", "bigint DEFAULT 19900101"),
            ("f_signature", "varchar(1024) DEFAULT NULL"),
            ("f_address", "varchar(1024) DEFAULT NULL"),
            ("f_phonenumber", "varchar(255) DEFAULT NULL"),
            ("f_mail", "varchar(1024) DEFAULT NULL"),
            (
                "f_register_time",
                "datetime NOT NULL DEFAULT '1970-01-01 00:00:00'",
            ),
            ("f_owner_id", "bigint DEFAULT 0"),
            ("f_teaminfo", "mediumblob DEFAULT NULL"),
            ("f_password_hash", "varchar(255) NOT NULL DEFAULT ''"),
        ],
    ),
    (
        "t_user_relationship",
        &[
            ("f_user1_teamname", "varchar(255) NOT NULL DEFAULT ''"),
            ("f_user1_markname", "varchar(255) DEFAULT NULL"),
            ("f_user2_teamname", "varchar(255) NOT NULL DEFAULT ''"),
            ("f_user2_markname", "varchar(255) DEFAULT NULL"),
        ],
    ),
    (
        "t_chatmsg",
        &[
            ("f_msgcontent", "mediumblob NOT NULL"),
            // The original's changed with every update of its row, also with ours.
            (
                "f_create_time",
                "timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP",
            ),
            ("f_conv", "bigint DEFAULT NULL"),
            ("f_seq", "bigint DEFAULT NULL"),
            ("f_kind", "int NOT NULL DEFAULT 1"),
            // Bytes, because a text collation that MySQL and MariaDB share ignores trailing spaces.
            ("f_client_id", "varbinary(64) DEFAULT NULL"),
            ("f_device", "bigint unsigned NOT NULL DEFAULT 0"),
            ("f_tag", "int NOT NULL DEFAULT 0"),
            ("f_time", "bigint DEFAULT NULL"),
        ],
    ),
];

/// NULLs in columns that must have none: table, column, what to put there.
const NULLS: &[(&str, &str, &str)] = &[
    ("t_user", "f_username", "''"),
    ("t_user", "f_nickname", "''"),
    ("t_user", "f_password", "''"),
    ("t_user", "f_register_time", "'1970-01-01 00:00:00'"),
    ("t_user_relationship", "f_user1_teamname", "''"),
    ("t_user_relationship", "f_user2_teamname", "''"),
    ("t_chatmsg", "f_msgcontent", "''"),
    ("t_chatmsg", "f_create_time", "'1970-01-02 00:00:00'"),
];

/// Unique keys and keys: table, key, definition.
const KEYS: &[(&str, &str, &str)] = &[
    (
        "t_user_relationship",
        "u_pair",
        "UNIQUE KEY u_pair (f_user_id1, f_user_id2)",
    ),
    (
        "t_user_relationship",
        "k_second",
        "KEY k_second (f_user_id2)",
    ),
    ("t_chatmsg", "u_place", "UNIQUE KEY u_place (f_conv, f_seq)"),
    (
        "t_chatmsg",
        "u_client_id",
        "UNIQUE KEY u_client_id (f_senderid, f_client_id)",
    ),
];

/// What the API added to tables that were there.
const API_COLUMNS: &[Table] = &[
    ("t_user", &[("f_last_seen", "bigint NOT NULL DEFAULT 0")]),
    (
        "t_user_relationship",
        &[
            ("f_role", "tinyint NOT NULL DEFAULT 0"),
            ("f_muted_until", "bigint NOT NULL DEFAULT 0"),
        ],
    ),
    (
        "t_friend_request",
        &[("f_note", "varchar(1024) NOT NULL DEFAULT ''")],
    ),
    (
        "t_conversation",
        &[("f_indexed", "bigint NOT NULL DEFAULT 0")],
    ),
    (
        "t_place",
        &[
            ("f_read", "bigint NOT NULL DEFAULT 0"),
            ("f_notify", "tinyint NOT NULL DEFAULT 0"),
            ("f_pinned", "tinyint NOT NULL DEFAULT 0"),
            ("f_hidden", "bigint NOT NULL DEFAULT -1"),
        ],
    ),
    (
        "t_device",
        &[
            ("f_kind", "varchar(16) NOT NULL DEFAULT ''"),
            ("f_name", "varchar(255) NOT NULL DEFAULT ''"),
        ],
    ),
];

const API_KEYS: &[(&str, &str, &str)] = &[
    ("t_user", "k_username", "KEY k_username (f_username)"),
    ("t_user", "k_nickname", "KEY k_nickname (f_nickname)"),
    ("t_friend_request", "k_to", "KEY k_to (f_to)"),
    ("t_place", "k_read", "KEY k_read (f_conv, f_read)"),
    // Counting what is unread without looking at the messages themselves: four times as fast.
    (
        "t_chatmsg",
        "k_unread",
        "KEY k_unread (f_conv, f_seq, f_kind, f_senderid)",
    ),
    ("t_blob_name", "k_sha256", "KEY k_sha256 (f_sha256)"),
];

/// What files over HTTP added to a table that was there.
const FILE_COLUMNS: &[Table] = &[(
    "t_blob",
    &[
        (
            "f_mime",
            "varchar(255) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL",
        ),
        ("f_width", "int unsigned DEFAULT NULL"),
        ("f_height", "int unsigned DEFAULT NULL"),
        (
            "f_thumbhash",
            "varchar(64) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL",
        ),
        ("f_expires", "bigint DEFAULT NULL"),
        ("f_gone", "bigint DEFAULT NULL"),
        ("f_legacy", "tinyint NOT NULL DEFAULT 2"),
    ],
)];

const FILE_KEYS: &[(&str, &str, &str)] = &[
    ("t_blob", "k_expires", "KEY k_expires (f_expires)"),
    ("t_blob", "k_time", "KEY k_time (f_time)"),
    ("t_blob", "k_size", "KEY k_size (f_gone, f_size)"),
];

/// Gives the three original tables their columns.
pub(super) async fn columns(conn: &mut Conn) -> Result<(), Fault> {
    for (table, wanted) in WIDE {
        let there = columns_of(conn, table).await?;
        for (_, column, filler) in NULLS.iter().filter(|(of, ..)| of == table) {
            if there.contains(*column) {
                let sql = format!("UPDATE {table} SET {column} = {filler} WHERE {column} IS NULL");
                write(conn, &sql, ()).await?;
            }
        }
        let mut changes = vec!["CONVERT TO CHARACTER SET utf8mb4".to_owned()];
        for (column, definition) in *wanted {
            let verb = if there.contains(*column) {
                "MODIFY"
            } else {
                "ADD"
            };
            changes.push(format!("{verb} COLUMN {column} {definition}"));
        }
        // One statement, so that a big table is copied once.
        let sql = format!("ALTER TABLE {table} {}", changes.join(", "));
        conn.query_drop(sql).await?;
    }
    Ok(())
}

/// Adds the columns that the API needs.
pub(super) async fn api_columns(conn: &mut Conn) -> Result<(), Fault> {
    add_columns(conn, API_COLUMNS).await
}

/// Adds the columns that files over HTTP need.
pub(super) async fn file_columns(conn: &mut Conn) -> Result<(), Fault> {
    add_columns(conn, FILE_COLUMNS).await
}

async fn add_columns(conn: &mut Conn, tables: &[Table]) -> Result<(), Fault> {
    for (table, wanted) in tables {
        let there = columns_of(conn, table).await?;
        let missing: Vec<String> = wanted
            .iter()
            .filter(|(column, _)| !there.contains(*column))
            .map(|(column, definition)| format!("ADD COLUMN {column} {definition}"))
            .collect();
        if !missing.is_empty() {
            let sql = format!("ALTER TABLE {table} {}", missing.join(", "));
            conn.query_drop(sql).await?;
        }
    }
    Ok(())
}

/// Adds the keys. What stood in their way was put in order before.
pub(super) async fn unique_keys(conn: &mut Conn) -> Result<(), Fault> {
    add_keys(conn, KEYS).await
}

/// Adds the keys that the API needs.
pub(super) async fn api_keys(conn: &mut Conn) -> Result<(), Fault> {
    add_keys(conn, API_KEYS).await
}

/// Adds the keys that files over HTTP need.
pub(super) async fn file_keys(conn: &mut Conn) -> Result<(), Fault> {
    add_keys(conn, FILE_KEYS).await
}

async fn add_keys(conn: &mut Conn, keys: &[(&str, &str, &str)]) -> Result<(), Fault> {
    for (table, key, definition) in keys {
        let found: Vec<(String,)> = rows(
            conn,
            "SELECT DISTINCT index_name FROM information_schema.statistics \
             WHERE table_schema = DATABASE() AND table_name = ? AND index_name = ?",
            (*table, *key),
        )
        .await?;
        if found.is_empty() {
            let sql = format!("ALTER TABLE {table} ADD {definition}");
            conn.query_drop(sql).await?;
        }
    }
    Ok(())
}

pub(super) async fn columns_of(conn: &mut Conn, table: &str) -> Result<HashSet<String>, Fault> {
    let found: Vec<(String,)> = rows(
        conn,
        "SELECT column_name FROM information_schema.columns \
         WHERE table_schema = DATABASE() AND table_name = ?",
        (table,),
    )
    .await?;
    Ok(found
        .into_iter()
        .map(|(name,)| name.to_lowercase())
        .collect())
}
