//! Accounts: numbers, names, passwords, profiles.

use mysql_async::{Conn, Value};

use super::connections::{row, rows, write};
use super::fault::Fault;
use super::row::params;
use super::shared;
use crate::api::{NewAccount, Profile, Refusal};
use crate::id::{GROUP_ID_FIRST, ID_MAX, Millis, Peer, UserId};
use crate::store::Outcome;

/// The two ranges of the number space.
#[derive(Clone, Copy)]
pub(super) enum Numbers {
    Users,
    Groups,
}

/// Takes the next free number; `None` when the range is used up. The row stays locked until the
/// commit, so that numbers are taken one after another.
pub(super) async fn next_number(conn: &mut Conn, of: Numbers) -> Result<Option<u32>, Fault> {
    let (kind, last) = match of {
        Numbers::Users => ("user", GROUP_ID_FIRST - 2),
        Numbers::Groups => ("group", ID_MAX),
    };
    let found: Option<u32> = row(
        conn,
        "SELECT f_next FROM t_id WHERE f_kind = ? FOR UPDATE",
        (kind,),
    )
    .await?
    .map(|(next,)| next);
    let mut next = found.ok_or_else(|| Fault::broken("table t_id has lost a row"))?;
    if matches!(of, Numbers::Groups) {
        // A group is also found by its number as a user name: skip what somebody calls himself.
        while name_taken(conn, &next.to_string()).await? {
            next += 1;
        }
    }
    if next > last {
        return Ok(None);
    }
    write(
        conn,
        "UPDATE t_id SET f_next = ? WHERE f_kind = ?",
        (next + 1, kind),
    )
    .await?;
    Ok(Some(next))
}

async fn name_taken(conn: &mut Conn, name: &str) -> Result<bool, Fault> {
    let found: Vec<(u32,)> = rows(
        conn,
        "SELECT f_user_id FROM t_username WHERE f_username = ?",
        (name.as_bytes(),),
    )
    .await?;
    Ok(!found.is_empty())
}

pub(super) async fn create(
    conn: &mut Conn,
    account: &NewAccount,
    at: Millis,
) -> Result<Outcome, Fault> {
    if name_taken(conn, &account.username).await?
        || shared::looks_taken(conn, &account.username).await?
    {
        return Ok(Outcome::Refused(Refusal::UsernameTaken));
    }
    let Some(number) = next_number(conn, Numbers::Users).await? else {
        return Ok(Outcome::Refused(Refusal::TooMany));
    };
    let profile = Profile::fresh(
        Peer::User(UserId(number)),
        account.username.clone(),
        account.nickname.clone(),
    );
    insert(conn, &profile, &account.password_hash, 0, at).await?;
    // Another server may have made an account with this name, or one that looks so, since we asked.
    // The key of either table lets only one of them in; the other meets it, and asks again.
    shared::note_look(conn, UserId(number), &account.username).await?;
    Ok(Outcome::Done {
        id: Some(number),
        entries: Vec::new(),
    })
}

/// Writes a new user or group with the name that finds it.
pub(super) async fn insert(
    conn: &mut Conn,
    profile: &Profile,
    password_hash: &str,
    owner: u32,
    at: Millis,
) -> Result<(), Fault> {
    let id = profile.id.number();
    write(
        conn,
        "INSERT INTO t_username (f_username, f_user_id) VALUES (?, ?)",
        (profile.username.as_bytes(), id),
    )
    .await?;
    let values: [Value; 8] = [
        id.into(),
        profile.username.as_str().into(),
        profile.nickname.as_str().into(),
        password_hash.into(),
        profile.birthday.into(),
        at.seconds().into(),
        owner.into(),
        profile.avatar.builtin.into(),
    ];
    write(
        conn,
        "INSERT INTO t_user (f_user_id, f_username, f_nickname, f_password, f_password_hash, \
         f_birthday, f_register_time, f_owner_id, f_facetype, f_customface, f_gender, f_signature, \
         f_address, f_phonenumber, f_mail) \
         VALUES (?, ?, ?, '', ?, ?, TIMESTAMPADD(SECOND, ?, '1970-01-01'), ?, ?, '', 0, '', '', \
         '', '')",
        params(values),
    )
    .await?;
    Ok(())
}

/// Locks these users and groups in ascending order, so that two changes of one contact list follow
/// each other; answers which of them exist.
pub(super) async fn lock(conn: &mut Conn, peers: [u32; 2]) -> Result<Vec<u32>, Fault> {
    let found: Vec<(u32,)> = rows(
        conn,
        "SELECT f_user_id FROM t_user WHERE f_user_id IN (?, ?) ORDER BY f_user_id FOR UPDATE",
        (peers[0], peers[1]),
    )
    .await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

pub(super) async fn set_password(
    conn: &mut Conn,
    user: UserId,
    password_hash: &str,
) -> Result<Outcome, Fault> {
    if lock(conn, [user.0; 2]).await?.is_empty() {
        return Ok(Outcome::Refused(Refusal::NoSuchUser));
    }
    write(
        conn,
        "UPDATE t_user SET f_password_hash = ?, f_password = '' WHERE f_user_id = ?",
        (password_hash, user.0),
    )
    .await?;
    Ok(Outcome::done())
}

pub(super) async fn set_profile(
    conn: &mut Conn,
    profile: &Profile,
    at: Millis,
) -> Result<Outcome, Fault> {
    let id = profile.id.number();
    if lock(conn, [id; 2]).await?.is_empty() {
        return Ok(Outcome::Refused(Refusal::NoSuchUser));
    }
    let values: [Value; 10] = [
        profile.nickname.as_str().into(),
        profile.avatar.builtin.into(),
        profile.avatar.custom.as_str().into(),
        profile.gender.into(),
        profile.birthday.into(),
        profile.signature.as_str().into(),
        profile.address.as_str().into(),
        profile.phone.as_str().into(),
        profile.mail.as_str().into(),
        id.into(),
    ];
    write(
        conn,
        "UPDATE t_user SET f_nickname = ?, f_facetype = ?, f_customface = ?, f_gender = ?, \
         f_birthday = ?, f_signature = ?, f_address = ?, f_phonenumber = ?, f_mail = ? \
         WHERE f_user_id = ?",
        params(values),
    )
    .await?;
    shared::show_avatar(conn, profile, at).await?;
    Ok(Outcome::done())
}
