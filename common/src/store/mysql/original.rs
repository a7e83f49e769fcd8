//! Reads an original Flamingo database, whichever version made it, without changing it.

use std::collections::HashSet;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Row};

use super::adopt::columns_of;
use super::connections::{Patience, connect, options, rows};
use super::fault::Fault;
use super::open::parse;
use super::row::{cell, profile};
use crate::id::Millis;
use crate::store::StoreError;
use crate::store::import::ImportedUser;

/// Rows that are read and written at a time.
const ROWS: u32 = 1_000;

/// A row of `t_user_relationship`.
#[derive(Debug)]
pub(in crate::store) struct OriginalRelation {
    pub numbers: (i64, i64),
    pub teams: (String, String),
    pub remarks: (String, String),
}

/// A row of `t_chatmsg`.
#[derive(Debug)]
pub(in crate::store) struct OriginalMessage {
    pub row: u64,
    pub sender: i64,
    pub target: i64,
    pub content: Vec<u8>,
    pub at: Millis,
}

/// A connection that sees the database as it was when it was opened.
pub(in crate::store) struct Original {
    conn: Conn,
    /// The last row read of each table.
    user: u64,
    relation: u64,
    message: u64,
    users_sql: String,
}

impl Original {
    pub(in crate::store) async fn open(url: &str) -> Result<Self, StoreError> {
        let opts = options(parse(url)?, Patience::Endless);
        let mut conn = connect(opts.into()).await?;
        let columns = columns_of(&mut conn, "t_user").await?;
        for table in ["t_user", "t_user_relationship", "t_chatmsg"] {
            if columns_of(&mut conn, table).await?.is_empty() {
                return Err(StoreError::Broken(format!(
                    "the database to import from has no table {table}: \
                     is it an original Flamingo database?"
                )));
            }
        }
        if columns.contains("f_password_hash") {
            return Err(StoreError::Broken(
                "the database to import from is a myim database already: use it as it is"
                    .to_owned(),
            ));
        }
        // One picture of all tables, even if the original server still runs.
        for sql in [
            "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
            "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
        ] {
            conn.query_drop(sql).await.map_err(Fault::from)?;
        }
        Ok(Self {
            conn,
            user: 0,
            relation: 0,
            message: 0,
            users_sql: users_sql(&columns),
        })
    }

    /// The next users and groups, `None` at the end; a row whose number is nobody's is `None`.
    pub(in crate::store) async fn users(
        &mut self,
    ) -> Result<Option<Vec<Option<ImportedUser>>>, StoreError> {
        let found: Vec<Row> = rows(&mut self.conn, &self.users_sql, (self.user, ROWS)).await?;
        let mut users = Vec::with_capacity(found.len());
        for mut row in found {
            self.user = cell(&mut row, 16)?;
            let profile = profile(&mut row)?;
            let user = profile.map(|profile| {
                Ok::<_, Fault>(ImportedUser {
                    profile,
                    password: cell(&mut row, 12)?,
                    teams: cell::<Option<Vec<u8>>>(&mut row, 13)?
                        .and_then(|json| String::from_utf8(json).ok()),
                    registered: cell(&mut row, 14)?,
                    owner: u32::try_from(cell::<i64>(&mut row, 15)?).unwrap_or(0),
                })
            });
            users.push(user.transpose()?);
        }
        Ok(Some(users).filter(|users| !users.is_empty()))
    }

    /// The next relations, `None` at the end.
    pub(in crate::store) async fn relations(
        &mut self,
    ) -> Result<Option<Vec<OriginalRelation>>, StoreError> {
        let sql = "SELECT f_id, f_user_id1, f_user_id2, COALESCE(f_user1_teamname, ''), \
             COALESCE(f_user1_markname, ''), COALESCE(f_user2_teamname, ''), \
             COALESCE(f_user2_markname, '') \
             FROM t_user_relationship WHERE f_id > ? ORDER BY f_id LIMIT ?";
        type Columns = (u64, i64, i64, String, String, String, String);
        let found: Vec<Columns> = rows(&mut self.conn, sql, (self.relation, ROWS)).await?;
        let Some(last) = found.last() else {
            return Ok(None);
        };
        self.relation = last.0;
        let relation =
            |(_, one, other, team1, remark1, team2, remark2): Columns| OriginalRelation {
                numbers: (one, other),
                teams: (team1, team2),
                remarks: (remark1, remark2),
            };
        Ok(Some(found.into_iter().map(relation).collect()))
    }

    /// The next messages, `None` at the end.
    pub(in crate::store) async fn messages(
        &mut self,
    ) -> Result<Option<Vec<OriginalMessage>>, StoreError> {
        let sql = "SELECT f_id, COALESCE(f_senderid, 0), COALESCE(f_targetid, 0), \
             COALESCE(f_msgcontent, ''), \
             CAST(COALESCE(UNIX_TIMESTAMP(f_create_time), 0) AS SIGNED) * 1000 \
             FROM t_chatmsg WHERE f_id > ? ORDER BY f_id LIMIT ?";
        type Columns = (u64, i64, i64, Vec<u8>, i64);
        let found: Vec<Columns> = rows(&mut self.conn, sql, (self.message, ROWS)).await?;
        let Some(last) = found.last() else {
            return Ok(None);
        };
        self.message = last.0;
        let message = |(row, sender, target, content, at): Columns| OriginalMessage {
            row,
            sender,
            target,
            content,
            at: Millis(at),
        };
        Ok(Some(found.into_iter().map(message).collect()))
    }
}

/// Reads the columns of `row::PROFILE`, then password, teams, registration, owner, row number. A
/// column that this version of the original lacks is read as its default.
fn users_sql(columns: &HashSet<String>) -> String {
    let read = |column: &str, default: &str| {
        if columns.contains(column) {
            format!("COALESCE({column}, {default})")
        } else {
            default.to_owned()
        }
    };
    let teams = if columns.contains("f_teaminfo") {
        "f_teaminfo"
    } else {
        "NULL"
    };
    let selected = [
        "f_user_id".to_owned(),
        read("f_username", "''"),
        read("f_nickname", "''"),
        read("f_facetype", "0"),
        read("f_customface", "''"),
        read("f_gender", "0"),
        read("f_birthday", "19900101"),
        read("f_signature", "''"),
        read("f_address", "''"),
        read("f_phonenumber", "''"),
        read("f_mail", "''"),
        // It knew no bots.
        "0".to_owned(),
        read("f_password", "''"),
        teams.to_owned(),
        "CAST(COALESCE(TIMESTAMPDIFF(SECOND, '1970-01-01', f_register_time), 0) AS SIGNED)"
            .to_owned(),
        read("f_owner_id", "0"),
        "f_id".to_owned(),
    ];
    format!(
        "SELECT {} FROM t_user WHERE f_id > ? ORDER BY f_id LIMIT ?",
        selected.join(", ")
    )
}
