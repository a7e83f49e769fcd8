//! Fills an empty file with what was imported.

use std::path::Path;

use async_trait::async_trait;
use rusqlite::Connection;

use super::place::Lock;
use super::{connection, log, number, place, shared};
use crate::api::{Body, Entry};
use crate::id::UserId;
use crate::store::import::{ImportBatch, Sink, not_empty};
use crate::store::{OpenOptions, StoreError};

/// One transaction over the connection that may write.
pub(in crate::store) struct SqliteSink {
    /// `None` while a thread works with it, and after that thread panicked.
    open: Option<Open>,
}

struct Open {
    conn: Connection,
    /// Dropped after the connection.
    _lock: Lock,
}

impl SqliteSink {
    pub(in crate::store) async fn open(
        path: &Path,
        options: &OpenOptions,
    ) -> Result<Self, StoreError> {
        let (path, options) = (path.to_owned(), options.clone());
        let open = blocking(move || {
            let path = place::prepare(&path)?;
            let lock = place::lock(&path)?;
            let conn = connection::open_writer(&path, &options)?;
            conn.execute_batch("BEGIN IMMEDIATE")?;
            let filled: bool = conn.query_row(
                "SELECT EXISTS (SELECT 1 FROM t_user) OR EXISTS (SELECT 1 FROM t_chatmsg)",
                [],
                |row| row.get(0),
            )?;
            if filled {
                return Err(not_empty());
            }
            Ok(Open { conn, _lock: lock })
        });
        Ok(Self {
            open: Some(open.await?),
        })
    }

    fn take(&mut self) -> Result<Open, StoreError> {
        let gone = || StoreError::Broken("the import stopped before".to_owned());
        self.open.take().ok_or_else(gone)
    }
}

#[async_trait]
impl Sink for SqliteSink {
    async fn put(&mut self, batch: ImportBatch) -> Result<(), StoreError> {
        let open = self.take()?;
        let written = blocking(move || {
            import(&open.conn, &batch)?;
            Ok(open)
        });
        self.open = Some(written.await?);
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<(), StoreError> {
        let open = self.take()?;
        blocking(move || Ok(open.conn.execute_batch("COMMIT")?)).await
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|stopped| Err(StoreError::Broken(stopped.to_string())))
}

fn import(conn: &Connection, batch: &ImportBatch) -> Result<(), StoreError> {
    put_users(conn, batch)?;
    put_relations(conn, batch)?;
    for entry in &batch.entries {
        put_entry(conn, entry)?;
    }
    let mut head = conn.prepare_cached(
        "INSERT INTO t_conversation (f_conv, f_head, f_time) VALUES (?1, ?2, ?3)",
    )?;
    for (conv, seq, at) in &batch.heads {
        head.execute((number::from_conv(*conv), number::from_seq(*seq), at.0))?;
    }
    let mut place = conn
        .prepare_cached("INSERT INTO t_place (f_user_id, f_conv, f_since) VALUES (?1, ?2, ?3)")?;
    for (user, conv, since) in &batch.places {
        place.execute((user.0, number::from_conv(*conv), number::from_seq(*since)))?;
    }
    if let Some((user, group)) = batch.next {
        let mut next = conn.prepare_cached("UPDATE t_id SET f_next = ?2 WHERE f_kind = ?1")?;
        next.execute(("user", user))?;
        next.execute(("group", group))?;
        shared::note_all_looks_before(conn, UserId(user))?;
    }
    Ok(())
}

fn put_users(conn: &Connection, batch: &ImportBatch) -> Result<(), StoreError> {
    let mut insert = conn.prepare_cached(
        "INSERT INTO t_user (f_user_id, f_username, f_nickname, f_password, f_facetype,
                             f_customface, f_gender, f_birthday, f_signature, f_address,
                             f_phonenumber, f_mail, f_register_time, f_owner_id, f_teaminfo)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, datetime(?13, 'unixepoch'),
                 ?14, ?15)",
    )?;
    for user in &batch.users {
        let profile = &user.profile;
        insert.execute(rusqlite::params![
            profile.id.number(),
            profile.username,
            profile.nickname,
            user.password,
            profile.avatar.builtin,
            profile.avatar.custom,
            profile.gender,
            profile.birthday,
            profile.signature,
            profile.address,
            profile.phone,
            profile.mail,
            user.registered,
            user.owner,
            user.teams,
        ])?;
    }
    let mut name =
        conn.prepare_cached("INSERT INTO t_username (f_username, f_user_id) VALUES (?1, ?2)")?;
    for (username, owner) in &batch.names {
        name.execute((username, owner))?;
    }
    shared::admit_looks(conn, &batch.names_of_users())?;
    Ok(())
}

fn put_relations(conn: &Connection, batch: &ImportBatch) -> Result<(), StoreError> {
    let mut insert = conn.prepare_cached(
        "INSERT INTO t_user_relationship (f_user_id1, f_user_id2, f_user1_teamname,
                                          f_user1_markname, f_user2_teamname, f_user2_markname)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for relation in &batch.relations {
        insert.execute((
            relation.numbers.0,
            relation.numbers.1,
            &relation.teams.0,
            &relation.remarks.0,
            &relation.teams.1,
            &relation.remarks.1,
        ))?;
    }
    Ok(())
}

/// The numbers are given already, so this is not `log::append`.
fn put_entry(conn: &Connection, entry: &Entry) -> Result<(), StoreError> {
    let Body::Message { dialect, content } = &entry.body else {
        return Err(StoreError::Broken("an import holds no notices".to_owned()));
    };
    let origin = &entry.origin;
    conn.prepare_cached(
        "INSERT INTO t_chatmsg (f_senderid, f_targetid, f_msgcontent, f_conv, f_seq, f_kind,
                                f_client_id, f_device, f_tag, f_time)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute((
        origin.user.0,
        log::target(origin.user, entry.conv)?,
        content.as_ref(),
        number::from_conv(entry.conv),
        number::from_seq(entry.seq),
        crate::store::stored::dialect_number(*dialect),
        origin.client_id.as_str(),
        number::from_device(origin.device),
        origin.tag,
        origin.at.0,
    ))?;
    Ok(())
}
