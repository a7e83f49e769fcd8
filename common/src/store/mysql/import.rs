//! Fills an empty database on MySQL with what was imported.

use async_trait::async_trait;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Params, Value};

use super::connections::{Patience, connect, options, row, write};
use super::fault::Fault;
use super::log::{insert_entries, write_heads, write_places};
use super::open::{open, parse};
use super::shared;
use crate::id::UserId;
use crate::store::bulk::{groups, pieces};
use crate::store::import::{ImportBatch, ImportedRelation, ImportedUser, Sink, not_empty};
use crate::store::{OpenOptions, StoreError};

/// One transaction over one connection.
pub(in crate::store) struct MySqlSink {
    conn: Conn,
}

impl MySqlSink {
    pub(in crate::store) async fn open(
        url: &str,
        settings: &OpenOptions,
    ) -> Result<Self, StoreError> {
        open(url, settings).await?.close();
        let opts = options(parse(url)?, Patience::Endless);
        let mut conn = connect(opts.into()).await?;
        run(&mut conn, "START TRANSACTION").await?;
        // Locks the numbers: a server that is running here waits with new accounts.
        let sql = "SELECT f_kind FROM t_id WHERE f_kind = 'user' FOR UPDATE";
        let _locked: Option<(String,)> = row(&mut conn, sql, ()).await?;
        let sql = "SELECT EXISTS (SELECT 1 FROM t_user) OR EXISTS (SELECT 1 FROM t_chatmsg)";
        let found: Option<(bool,)> = row(&mut conn, sql, ()).await?;
        match found {
            Some((false,)) => Ok(Self { conn }),
            Some((true,)) | None => Err(not_empty()),
        }
    }
}

async fn run(conn: &mut Conn, sql: &str) -> Result<(), Fault> {
    Ok(conn.query_drop(sql).await?)
}

#[async_trait]
impl Sink for MySqlSink {
    async fn put(&mut self, batch: ImportBatch) -> Result<(), StoreError> {
        let conn = &mut self.conn;
        put_users(conn, &batch.users).await?;
        put_names(conn, &batch.names).await?;
        shared::admit_looks(conn, &batch.names_of_users()).await?;
        put_relations(conn, &batch.relations).await?;
        insert_entries(conn, &batch.entries).await?;
        write_heads(conn, &batch.heads).await?;
        write_places(conn, &batch.places).await?;
        if let Some((user, group)) = batch.next {
            shared::note_all_looks_before(conn, UserId(user)).await?;
            for (kind, next) in [("user", user), ("group", group)] {
                write(
                    conn,
                    "UPDATE t_id SET f_next = ? WHERE f_kind = ?",
                    (next, kind),
                )
                .await?;
            }
        }
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<(), StoreError> {
        run(&mut self.conn, "COMMIT").await?;
        Ok(())
    }
}

async fn put_users(conn: &mut Conn, users: &[ImportedUser]) -> Result<(), Fault> {
    for piece in pieces(users) {
        let row_sql = "(?, ?, ?, ?, '', ?, ?, ?, ?, ?, ?, ?, ?, \
             TIMESTAMPADD(SECOND, ?, '1970-01-01'), ?, ?)";
        let sql = format!(
            "INSERT INTO t_user (f_user_id, f_username, f_nickname, f_password, f_password_hash, \
             f_facetype, f_customface, f_gender, f_birthday, f_signature, f_address, \
             f_phonenumber, f_mail, f_register_time, f_owner_id, f_teaminfo) VALUES {}",
            vec![row_sql; piece.len()].join(",")
        );
        let row = |user: &ImportedUser| -> [Value; 15] {
            let profile = &user.profile;
            [
                profile.id.number().into(),
                profile.username.as_str().into(),
                profile.nickname.as_str().into(),
                user.password.as_str().into(),
                profile.avatar.builtin.into(),
                profile.avatar.custom.as_str().into(),
                profile.gender.into(),
                profile.birthday.into(),
                profile.signature.as_str().into(),
                profile.address.as_str().into(),
                profile.phone.as_str().into(),
                profile.mail.as_str().into(),
                user.registered.into(),
                user.owner.into(),
                user.teams.as_deref().into(),
            ]
        };
        let values = piece.iter().flat_map(row).collect();
        write(conn, &sql, Params::Positional(values)).await?;
    }
    Ok(())
}

async fn put_names(conn: &mut Conn, names: &[(String, u32)]) -> Result<(), Fault> {
    for piece in pieces(names) {
        let sql = format!(
            "INSERT INTO t_username (f_username, f_user_id) VALUES {}",
            groups(piece.len(), 2)
        );
        let row = |(name, number): &(String, u32)| -> [Value; 2] {
            [name.as_bytes().into(), (*number).into()]
        };
        let values = piece.iter().flat_map(row).collect();
        write(conn, &sql, Params::Positional(values)).await?;
    }
    Ok(())
}

async fn put_relations(conn: &mut Conn, relations: &[ImportedRelation]) -> Result<(), Fault> {
    for piece in pieces(relations) {
        let sql = format!(
            "INSERT INTO t_user_relationship (f_user_id1, f_user_id2, f_user1_teamname, \
             f_user1_markname, f_user2_teamname, f_user2_markname) VALUES {}",
            groups(piece.len(), 6)
        );
        let row = |relation: &ImportedRelation| -> [Value; 6] {
            [
                relation.numbers.0.into(),
                relation.numbers.1.into(),
                relation.teams.0.as_str().into(),
                relation.remarks.0.as_str().into(),
                relation.teams.1.as_str().into(),
                relation.remarks.1.as_str().into(),
            ]
        };
        let values = piece.iter().flat_map(row).collect();
        write(conn, &sql, Params::Positional(values)).await?;
    }
    Ok(())
}
