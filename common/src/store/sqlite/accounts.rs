//! Accounts and profiles. Users and groups share the table.

use rusqlite::{Connection, OptionalExtension, Row};

use super::fault::{Applied, Stop};
use super::{number, shared};
use crate::api::{Account, Avatar, NewAccount, Profile, Refusal};
use crate::id::{GROUP_ID_FIRST, ID_MAX, Millis, Peer, UserId};
use crate::store::{Outcome, StoreError};

/// What [`profile`] needs; a macro because SQL texts are put together at compile time.
macro_rules! profile_columns {
    () => {
        "u.f_user_id, u.f_username, u.f_nickname, u.f_facetype, u.f_customface, u.f_gender,
         u.f_birthday, u.f_signature, u.f_address, u.f_phonenumber, u.f_mail,
         EXISTS (SELECT 1 FROM t_bot b WHERE b.f_user_id = u.f_user_id) AS is_bot"
    };
}
pub(super) use profile_columns;

/// Which of the two counters of `t_id`.
#[derive(Clone, Copy, Debug)]
pub(super) enum IdKind {
    User,
    Group,
}

/// Makes an account.
pub(super) fn create(conn: &Connection, account: &NewAccount, at: Millis) -> Applied {
    if is_taken(conn, &account.username)? || shared::looks_taken(conn, &account.username)? {
        return Err(Refusal::UsernameTaken.into());
    }
    let id = take_id(conn, IdKind::User)?;
    insert(conn, id, &account.username, &account.nickname, at)?;
    shared::note_look(conn, UserId(id), &account.username)?;
    set_hash(conn, UserId(id), &account.password_hash)?;
    Ok(Outcome::Done {
        id: Some(id),
        entries: Vec::new(),
    })
}

/// The next number that is free to give; not given yet. Refused if there is none.
pub(super) fn next_id(conn: &Connection, kind: IdKind) -> Result<u32, Stop> {
    let (name, last) = match kind {
        IdKind::User => ("user", GROUP_ID_FIRST - 2),
        IdKind::Group => ("group", ID_MAX),
    };
    let next: u32 = conn
        .prepare_cached("SELECT f_next FROM t_id WHERE f_kind = ?1")?
        .query_row([name], |row| row.get(0))?;
    if next > last {
        return Err(Refusal::TooMany.into());
    }
    Ok(next)
}

/// Numbers up to this one will not be given again.
pub(super) fn burn_id(conn: &Connection, kind: IdKind, id: u32) -> Result<(), StoreError> {
    let name = match kind {
        IdKind::User => "user",
        IdKind::Group => "group",
    };
    conn.prepare_cached("UPDATE t_id SET f_next = ?2 WHERE f_kind = ?1")?
        .execute((name, i64::from(id) + 1))?;
    Ok(())
}

fn take_id(conn: &Connection, kind: IdKind) -> Result<u32, Stop> {
    let id = next_id(conn, kind)?;
    burn_id(conn, kind, id)?;
    Ok(id)
}

pub(super) fn is_taken(conn: &Connection, username: &str) -> Result<bool, StoreError> {
    Ok(conn
        .prepare_cached("SELECT 1 FROM t_username WHERE f_username = ?1")?
        .exists([username])?)
}

/// Puts in a new user or group and its name.
pub(super) fn insert(
    conn: &Connection,
    id: u32,
    username: &str,
    nickname: &str,
    at: Millis,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO t_user (f_user_id, f_username, f_nickname, f_register_time)
         VALUES (?1, ?2, ?3, datetime(?4, 'unixepoch'))",
    )?
    .execute((id, username, nickname, at.seconds()))?;
    conn.prepare_cached("INSERT INTO t_username (f_username, f_user_id) VALUES (?1, ?2)")?
        .execute((username, id))?;
    Ok(())
}

pub(super) fn set_owner(conn: &Connection, group: u32, owner: UserId) -> Result<(), StoreError> {
    conn.prepare_cached("UPDATE t_user SET f_owner_id = ?2 WHERE f_user_id = ?1")?
        .execute((group, owner.0))?;
    Ok(())
}

/// Replaces the hash and forgets a plain-text password.
pub(super) fn set_password(conn: &Connection, user: UserId, hash: &str) -> Applied {
    if !exists(conn, Peer::User(user))? {
        return Err(Refusal::NoSuchUser.into());
    }
    set_hash(conn, user, hash)?;
    Ok(Outcome::done())
}

fn set_hash(conn: &Connection, user: UserId, hash: &str) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE t_user SET f_password = '', f_password_hash = ?2 WHERE f_user_id = ?1",
    )?
    .execute((user.0, hash))?;
    Ok(())
}

/// Replaces everything but id, user name and whether it is a bot.
pub(super) fn set_profile(conn: &Connection, profile: &Profile, at: Millis) -> Applied {
    if !exists(conn, profile.id)? {
        return Err(Refusal::NoSuchUser.into());
    }
    conn.prepare_cached(
        "UPDATE t_user SET f_nickname = ?2, f_facetype = ?3, f_customface = ?4, f_gender = ?5,
                f_birthday = ?6, f_signature = ?7, f_address = ?8, f_phonenumber = ?9,
                f_mail = ?10, f_update_time = CURRENT_TIMESTAMP
         WHERE f_user_id = ?1",
    )?
    .execute((
        profile.id.number(),
        &profile.nickname,
        profile.avatar.builtin,
        &profile.avatar.custom,
        profile.gender,
        profile.birthday,
        &profile.signature,
        &profile.address,
        &profile.phone,
        &profile.mail,
    ))?;
    shared::show_avatar(conn, profile, at)?;
    Ok(Outcome::done())
}

pub(super) fn exists(conn: &Connection, peer: Peer) -> Result<bool, StoreError> {
    Ok(conn
        .prepare_cached("SELECT 1 FROM t_user WHERE f_user_id = ?1")?
        .exists([peer.number()])?)
}

pub(super) fn account(conn: &Connection, user: UserId) -> Result<Option<Account>, StoreError> {
    conn.prepare_cached(concat!(
        "SELECT u.f_password, u.f_password_hash, ",
        profile_columns!(),
        " FROM t_user u WHERE u.f_user_id = ?1 AND u.f_user_id < 268435455"
    ))?
    .query_row([user.0], |row| Ok(account_in(row)))
    .optional()?
    .transpose()
}

pub(super) fn account_named(
    conn: &Connection,
    username: &str,
) -> Result<Option<Account>, StoreError> {
    match id_named(conn, username)? {
        Some(id) => account(conn, UserId(id)),
        None => Ok(None),
    }
}

pub(super) fn profile_named(
    conn: &Connection,
    username: &str,
) -> Result<Option<Profile>, StoreError> {
    match id_named(conn, username)? {
        Some(id) => profile_numbered(conn, id),
        None => Ok(None),
    }
}

/// The profiles of those that exist, in the order asked.
pub(super) fn profiles(conn: &Connection, peers: &[Peer]) -> Result<Vec<Profile>, StoreError> {
    peers
        .iter()
        .filter_map(|peer| profile_numbered(conn, peer.number()).transpose())
        .collect()
}

fn id_named(conn: &Connection, username: &str) -> Result<Option<u32>, StoreError> {
    Ok(conn
        .prepare_cached("SELECT f_user_id FROM t_username WHERE f_username = ?1")?
        .query_row([username], |row| row.get(0))
        .optional()?)
}

fn profile_numbered(conn: &Connection, id: u32) -> Result<Option<Profile>, StoreError> {
    conn.prepare_cached(concat!(
        "SELECT ",
        profile_columns!(),
        " FROM t_user u WHERE u.f_user_id = ?1"
    ))?
    .query_row([id], |row| Ok(profile(row)))
    .optional()?
    .transpose()
}

fn account_in(row: &Row<'_>) -> Result<Account, StoreError> {
    Ok(Account {
        id: number::to_user(row.get("f_user_id")?)?,
        profile: profile(row)?,
        password_hash: row.get("f_password_hash")?,
        password_plain: row.get("f_password")?,
    })
}

/// A profile from a row that has `profile_columns`.
pub(super) fn profile(row: &Row<'_>) -> Result<Profile, StoreError> {
    Ok(Profile {
        id: number::to_peer(row.get("f_user_id")?)?,
        username: row.get("f_username")?,
        nickname: row.get("f_nickname")?,
        avatar: Avatar {
            builtin: row.get("f_facetype")?,
            custom: row.get("f_customface")?,
        },
        gender: row.get("f_gender")?,
        birthday: row.get("f_birthday")?,
        signature: row.get("f_signature")?,
        address: row.get("f_address")?,
        phone: row.get("f_phonenumber")?,
        mail: row.get("f_mail")?,
        is_bot: row.get("is_bot")?,
    })
}
