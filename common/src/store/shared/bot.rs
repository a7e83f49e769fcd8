//! Accounts that are programs, who owns them, and the tokens with which they come.
//!
//! A token is a session of the bot that its owner opened without a password. It has a device of its
//! own, which keeps its place when the token is replaced.

use super::session::{self, SESSIONS_MAX, SignIn};
use super::tx::{done_with, refused};
use super::{Row, Tx, Value, group};
use crate::api::{Body, DEFAULT_TEAM, DeviceKind, Entry, NewAccount, Notice, Origin, Refusal};
use crate::id::{ConvId, DeviceId, Millis, Peer, SessionId, UserId};
use crate::store::{Outcome, Store, StoreError};

/// `f_owner_id` of a bot that has ended. No user has this number.
const NOBODY: UserId = UserId(0);

const OF_OWNER: &str = "SELECT f_user_id FROM t_bot WHERE f_owner_id = ? ORDER BY f_user_id";

/// A write about bots. Refused, all but `Create`: `NoSuchBot` if it is not the owner's.
#[derive(Clone, Debug)]
pub enum BotChange {
    /// Makes an account that nobody can sign in to with a password, with its first token; it and
    /// `origin.user`, who owns it, are contacts. Appends `ContactsChanged` to both inboxes. Done with
    /// the new user's id. Refused: `UsernameTaken`, `TooMany` (bots or contacts of the owner),
    /// `ClientIdConflict`.
    Create {
        origin: Origin,
        username: String,
        nickname: String,
        token: NewToken,
        bots_max: u32,
        contacts_max: u32,
    },
    /// Ends the bot: its sessions, devices and webhooks are gone and nobody owns it any more. What it
    /// wrote stays, and so does its name.
    End { owner: UserId, bot: UserId },
    /// Refused: `TooMany` if the bot has [`SESSIONS_MAX`] tokens; those that are expired are
    /// forgotten first, with their devices.
    AddToken {
        owner: UserId,
        bot: UserId,
        token: NewToken,
    },
    /// Puts another session in the place of a token's; name, device and expiry stay. Refused:
    /// `NoSuchToken`, also if its time is over.
    RotateToken {
        owner: UserId,
        bot: UserId,
        device: DeviceId,
        session: SessionId,
        at: Millis,
    },
    /// Ends a token and forgets its device. Refused: `NoSuchToken`.
    EndToken {
        owner: UserId,
        bot: UserId,
        device: DeviceId,
    },
}

/// A token that is to be made.
#[derive(Clone, Debug)]
pub struct NewToken {
    pub session: SessionId,
    pub device: DeviceId,
    /// What the owner calls it.
    pub name: String,
    pub at: Millis,
    /// [`Millis::NEVER`] for a token that lasts until it is ended.
    pub expires: Millis,
}

impl NewToken {
    fn of(&self, bot: UserId) -> SignIn {
        SignIn {
            session: self.session,
            user: bot,
            device: self.device,
            kind: DeviceKind::Bot.as_str().to_owned(),
            name: self.name.clone(),
            created: self.at,
            seen: self.at,
            expires: self.expires,
        }
    }
}

pub(super) async fn apply<T: Tx>(tx: &mut T, change: &BotChange) -> Result<Outcome, T::Fault> {
    match change {
        BotChange::Create {
            origin,
            username,
            nickname,
            token,
            bots_max,
            contacts_max,
        } => {
            let account = NewAccount {
                username: username.clone(),
                nickname: nickname.clone(),
                // No password has an empty hash.
                password_hash: String::new(),
            };
            let room = (*bots_max, *contacts_max);
            create(tx, origin, &account, token, room).await
        }
        BotChange::End { owner, bot } => end(tx, *owner, *bot).await,
        BotChange::AddToken { owner, bot, token } => add_token(tx, *owner, *bot, token).await,
        BotChange::RotateToken {
            owner,
            bot,
            device,
            session,
            at,
        } => rotate(tx, *owner, (*bot, *device), *session, *at).await,
        BotChange::EndToken { owner, bot, device } => {
            if !owns(tx, *owner, *bot).await? {
                return refused(Refusal::NoSuchBot);
            }
            let ended = session::end(tx, *bot, "f_device = ?", vec![(*device).into()]).await?;
            if ended == 0 {
                return refused(Refusal::NoSuchToken);
            }
            session::forget_devices(tx, *bot, &[*device]).await?;
            Ok(Outcome::done())
        }
    }
}

async fn create<T: Tx>(
    tx: &mut T,
    origin: &Origin,
    account: &NewAccount,
    token: &NewToken,
    (bots_max, contacts_max): (u32, u32),
) -> Result<Outcome, T::Fault> {
    let owner = origin.user;
    if !tx.lock(&[owner.0]).await?.contains(&owner.0) {
        return refused(Refusal::NoSuchUser);
    }
    if let Some(entry) = tx.sent(owner, &origin.client_id).await? {
        return repeated(tx, &entry, &account.username).await;
    }
    let sql = "SELECT COUNT(*) FROM t_bot WHERE f_owner_id = ?";
    let counted = tx.select(sql, vec![owner.into()]).await?;
    let count = counted.first().map_or(Ok(0), |row| row.unsigned(0))?;
    let is_full =
        count >= bots_max.into() || group::connected(tx, owner.0).await? >= contacts_max.into();
    if is_full {
        return refused(Refusal::TooMany);
    }
    let made = tx.create_account(account, origin.at).await?;
    let Outcome::Done { id: Some(id), .. } = made else {
        return Ok(made);
    };
    let bot = UserId(id);
    let sql = "INSERT INTO t_bot (f_user_id, f_owner_id, f_created) VALUES (?, ?, ?)";
    tx.execute(sql, vec![bot.into(), owner.into(), origin.at.into()])
        .await?;
    let sql = "INSERT INTO t_user_relationship (f_user_id1, f_user_id2, f_user1_teamname, \
         f_user1_markname, f_user2_teamname, f_user2_markname) VALUES (?, ?, ?, '', ?, '')";
    let (small, large) = (owner.min(bot), owner.max(bot));
    let teams = (DEFAULT_TEAM.into(), DEFAULT_TEAM.into());
    tx.execute(sql, vec![small.into(), large.into(), teams.0, teams.1])
        .await?;
    session::insert(tx, &token.of(bot)).await?;
    let told = |user: UserId, peer: UserId| {
        let peer = Peer::User(peer);
        (ConvId::inbox(user), Notice::ContactsChanged { peer })
    };
    match done_with(tx, origin, vec![told(owner, bot), told(bot, owner)]).await? {
        Outcome::Done { entries, .. } => Ok(Outcome::Done {
            id: Some(id),
            entries,
        }),
        other => Ok(other),
    }
}

/// The answer to a creation whose client id was used before: for the same bot, if the first entry of
/// its creation stands under it.
async fn repeated<T: Tx>(tx: &mut T, entry: &Entry, username: &str) -> Result<Outcome, T::Fault> {
    let owner = entry.origin.user;
    let made = match &entry.body {
        Body::Notice(Notice::ContactsChanged {
            peer: Peer::User(bot),
        }) if entry.conv == ConvId::inbox(owner) => *bot,
        _ => return refused(Refusal::ClientIdConflict),
    };
    let sql = "SELECT u.f_username FROM t_bot b JOIN t_user u ON u.f_user_id = b.f_user_id \
         WHERE b.f_user_id = ? AND b.f_owner_id = ?";
    let rows = tx.select(sql, vec![made.into(), owner.into()]).await?;
    match rows.first().map(|row| row.text(0)).transpose()? {
        Some(name) if name == username => Ok(Outcome::AlreadyThere {
            conv: entry.conv,
            seq: entry.seq,
            at: entry.origin.at,
        }),
        _ => refused(Refusal::ClientIdConflict),
    }
}

/// Locks the bot and says whether it is this owner's.
pub(super) async fn owns<T: Tx>(tx: &mut T, owner: UserId, bot: UserId) -> Result<bool, T::Fault> {
    tx.lock(&[owner.0, bot.0]).await?;
    let sql = "SELECT 1 FROM t_bot WHERE f_user_id = ? AND f_owner_id = ?";
    let rows = tx.select(sql, vec![bot.into(), owner.into()]).await?;
    Ok(owner != NOBODY && !rows.is_empty())
}

/// The bots of this owner.
pub(super) async fn owned<T: Tx>(tx: &mut T, owner: UserId) -> Result<Vec<UserId>, T::Fault> {
    let rows = tx.select(OF_OWNER, vec![owner.into()]).await?;
    let bots: Result<_, StoreError> = rows.iter().map(|row| row.user(0)).collect();
    Ok(bots?)
}

async fn end<T: Tx>(tx: &mut T, owner: UserId, bot: UserId) -> Result<Outcome, T::Fault> {
    if !owns(tx, owner, bot).await? {
        return refused(Refusal::NoSuchBot);
    }
    let sql = "UPDATE t_bot SET f_owner_id = ? WHERE f_user_id = ?";
    tx.execute(sql, vec![NOBODY.into(), bot.into()]).await?;
    for table in ["t_session", "t_cursor", "t_device"] {
        let sql = format!("DELETE FROM {table} WHERE f_user_id = ?");
        tx.execute(&sql, vec![bot.into()]).await?;
    }
    // Its webhooks were made by its owner or by itself.
    let of_bot = "f_creator IN (?, ?) AND f_user_id = ?";
    let values = vec![owner.into(), bot.into(), bot.into()];
    // One after the other: MariaDB would read the letters of everybody to find those of some.
    let sql = format!("SELECT f_hook FROM t_outgoing_hook WHERE {of_bot}");
    for row in tx.select(&sql, values.clone()).await? {
        let sql = "DELETE FROM t_dead_letter WHERE f_hook = ?";
        tx.execute(sql, vec![row.hook(0)?.into()]).await?;
    }
    for sql in [
        format!("DELETE FROM t_outgoing_hook WHERE {of_bot}"),
        format!("DELETE FROM t_incoming_hook WHERE {of_bot}"),
    ] {
        tx.execute(&sql, values.clone()).await?;
    }
    Ok(Outcome::done())
}

async fn add_token<T: Tx>(
    tx: &mut T,
    owner: UserId,
    bot: UserId,
    token: &NewToken,
) -> Result<Outcome, T::Fault> {
    if !owns(tx, owner, bot).await? {
        return refused(Refusal::NoSuchBot);
    }
    let sql = "SELECT f_session, f_device, f_expires FROM t_session WHERE f_user_id = ?";
    let (mut over, mut going_on) = (Vec::new(), 0);
    for row in tx.select(sql, vec![bot.into()]).await? {
        if row.session(0)? == token.session {
            // The change is repeated.
            return Ok(Outcome::done());
        }
        if row.millis(2)? <= token.at {
            over.push(row.device(1)?);
        } else {
            going_on += 1;
        }
    }
    if going_on >= SESSIONS_MAX {
        return refused(Refusal::TooMany);
    }
    session::end(tx, bot, "f_expires <= ?", vec![token.at.into()]).await?;
    session::forget_devices(tx, bot, &over).await?;
    session::insert(tx, &token.of(bot)).await?;
    Ok(Outcome::done())
}

async fn rotate<T: Tx>(
    tx: &mut T,
    owner: UserId,
    (bot, device): (UserId, DeviceId),
    session: SessionId,
    at: Millis,
) -> Result<Outcome, T::Fault> {
    if !owns(tx, owner, bot).await? {
        return refused(Refusal::NoSuchBot);
    }
    let sql = "SELECT s.f_session, s.f_expires, d.f_name FROM t_session s JOIN t_device d \
         ON d.f_user_id = s.f_user_id AND d.f_device = s.f_device \
         WHERE s.f_user_id = ? AND s.f_device = ?";
    let rows = tx.select(sql, vec![bot.into(), device.into()]).await?;
    let Some(row) = rows.first() else {
        return refused(Refusal::NoSuchToken);
    };
    if row.session(0)? == session {
        // The change is repeated.
        return Ok(Outcome::done());
    }
    let token = NewToken {
        session,
        device,
        name: row.text(2)?,
        at,
        expires: row.millis(1)?,
    };
    if token.expires <= at {
        return refused(Refusal::NoSuchToken);
    }
    session::end(tx, bot, "f_device = ?", vec![device.into()]).await?;
    session::insert(tx, &token.of(bot)).await?;
    Ok(Outcome::done())
}

/// A user's bots, in the order in which they were made.
///
/// # Errors
/// When the database cannot be asked.
pub async fn of_owner(store: &dyn Store, owner: UserId) -> Result<Vec<UserId>, StoreError> {
    let rows = store.select(OF_OWNER, vec![owner.into()]).await?;
    rows.iter().map(|row| row.user(0)).collect()
}

/// Who owns a bot; `None` for one that has ended, and for what is no bot.
///
/// # Errors
/// When the database cannot be asked.
pub async fn owner(store: &dyn Store, bot: UserId) -> Result<Option<UserId>, StoreError> {
    let sql = "SELECT f_owner_id FROM t_bot WHERE f_user_id = ? AND f_owner_id <> ?";
    let values: Vec<Value> = vec![bot.into(), NOBODY.into()];
    let rows: Vec<Row> = store.select(sql, values).await?;
    rows.first().map(|row| row.user(0)).transpose()
}
