//! The windows: what can be read, one statement each.

use std::collections::HashMap;
use std::net::IpAddr;

use mysql_async::{Params, Row, Value};

use super::blob::class_number;
use super::connections::Connections;
use super::fault::Fault;
use super::row::{ENTRY, PROFILE, PROFILE_WIDTH, account as account_of, cell, entry, profile};
use super::team;
use crate::api::{Account, Contact, ContactList, Entry, Profile};
use crate::id::{BlobId, ConvId, DeviceId, GROUP_ID_FIRST, GroupId, Millis, Peer, Seq, UserId};
use crate::store::bulk::{lookups, marks};
use crate::store::{Behind, BlobClass, NamedBlob, StoreError};

pub(super) async fn pull(
    db: &Connections,
    conv: ConvId,
    after: Seq,
    limit: u32,
) -> Result<Vec<Entry>, StoreError> {
    let sql = format!(
        "SELECT {ENTRY} FROM t_chatmsg WHERE f_conv = ? AND f_seq > ? ORDER BY f_seq LIMIT ?"
    );
    let rows: Vec<Row> = db.rows(&sql, (conv.0, after.0, limit)).await?;
    let entries: Result<Vec<Entry>, Fault> = rows.into_iter().map(entry).collect();
    Ok(entries?)
}

pub(super) async fn behind(
    db: &Connections,
    user: UserId,
    device: DeviceId,
) -> Result<Vec<Behind>, StoreError> {
    let found: Vec<(u64, u64, u64, i64)> = db
        .rows(
            "SELECT p.f_conv, COALESCE(c.f_seq, p.f_since), v.f_head, \
                 COALESCE(m.f_time, v.f_time) \
             FROM t_place p \
             JOIN t_conversation v ON v.f_conv = p.f_conv \
             LEFT JOIN t_cursor c ON c.f_user_id = p.f_user_id AND c.f_conv = p.f_conv \
                 AND c.f_device = ? \
             LEFT JOIN t_chatmsg m ON m.f_conv = p.f_conv \
                 AND m.f_seq = COALESCE(c.f_seq, p.f_since) + 1 \
             WHERE p.f_user_id = ? AND v.f_head > COALESCE(c.f_seq, p.f_since) \
             ORDER BY p.f_conv",
            (device.0, user.0),
        )
        .await?;
    let one = |(conv, cursor, head, next_at)| Behind {
        conv: ConvId(conv),
        cursor: Seq(cursor),
        head: Seq(head),
        next_at: Millis(next_at),
    };
    Ok(found.into_iter().map(one).collect())
}

/// `None` where the user has no place.
pub(super) async fn cursor(
    db: &Connections,
    user: UserId,
    device: DeviceId,
    conv: ConvId,
) -> Result<Option<Seq>, StoreError> {
    let found: Vec<(u64,)> = db
        .rows(
            "SELECT COALESCE(c.f_seq, p.f_since) \
             FROM t_place p \
             LEFT JOIN t_cursor c ON c.f_user_id = p.f_user_id AND c.f_conv = p.f_conv \
                 AND c.f_device = ? \
             WHERE p.f_user_id = ? AND p.f_conv = ?",
            (device.0, user.0, conv.0),
        )
        .await?;
    Ok(found.first().map(|(seq,)| Seq(*seq)))
}

pub(super) async fn account_named(
    db: &Connections,
    username: &str,
) -> Result<Option<Account>, StoreError> {
    let sql = format!(
        "SELECT {PROFILE}, COALESCE(u.f_password_hash, ''), COALESCE(u.f_password, '') \
         FROM t_username n JOIN t_user u ON u.f_user_id = n.f_user_id WHERE n.f_username = ?"
    );
    one_account(db, &sql, username.as_bytes().into()).await
}

pub(super) async fn account(db: &Connections, user: UserId) -> Result<Option<Account>, StoreError> {
    let sql = format!(
        "SELECT {PROFILE}, COALESCE(u.f_password_hash, ''), COALESCE(u.f_password, '') \
         FROM t_user u WHERE u.f_user_id = ?"
    );
    one_account(db, &sql, user.0.into()).await
}

async fn one_account(
    db: &Connections,
    sql: &str,
    key: Value,
) -> Result<Option<Account>, StoreError> {
    let rows: Vec<Row> = db.rows(sql, Params::Positional(vec![key])).await?;
    match rows.into_iter().next() {
        Some(row) => Ok(account_of(row)?),
        None => Ok(None),
    }
}

pub(super) async fn profile_named(
    db: &Connections,
    username: &str,
) -> Result<Option<Profile>, StoreError> {
    let sql = format!(
        "SELECT {PROFILE} FROM t_username n JOIN t_user u ON u.f_user_id = n.f_user_id \
         WHERE n.f_username = ?"
    );
    let rows: Vec<Row> = db.rows(&sql, (username.as_bytes(),)).await?;
    match rows.into_iter().next() {
        Some(mut row) => Ok(profile(&mut row)?),
        None => Ok(None),
    }
}

pub(super) async fn profiles(db: &Connections, peers: &[Peer]) -> Result<Vec<Profile>, StoreError> {
    let mut found: HashMap<Peer, Profile> = HashMap::with_capacity(peers.len());
    for keys in lookups(peers) {
        let sql = format!(
            "SELECT {PROFILE} FROM t_user u WHERE u.f_user_id IN ({})",
            marks(keys.len())
        );
        let keys = keys.into_iter().map(|peer| peer.number().into()).collect();
        let rows: Vec<Row> = db.rows(&sql, Params::Positional(keys)).await?;
        for mut row in rows {
            if let Some(profile) = profile(&mut row)? {
                found.insert(profile.id, profile);
            }
        }
    }
    Ok(peers
        .iter()
        .filter_map(|peer| found.get(peer).cloned())
        .collect())
}

pub(super) async fn contacts(db: &Connections, user: UserId) -> Result<ContactList, StoreError> {
    let stored: Vec<(Option<Vec<u8>>,)> = db
        .rows(
            "SELECT f_teaminfo FROM t_user WHERE f_user_id = ?",
            (user.0,),
        )
        .await?;
    let stored = stored.into_iter().next().and_then(|(json,)| json);
    let teams = team::parse(&stored.unwrap_or_default());
    // The two directions separately, so that each finds its key.
    let sql = format!(
        "SELECT {PROFILE}, r.f_user1_teamname, COALESCE(r.f_user1_markname, ''), r.f_id \
             FROM t_user_relationship r JOIN t_user u ON u.f_user_id = r.f_user_id2 \
             WHERE r.f_user_id1 = ? \
         UNION ALL \
         SELECT {PROFILE}, r.f_user2_teamname, COALESCE(r.f_user2_markname, ''), r.f_id \
             FROM t_user_relationship r JOIN t_user u ON u.f_user_id = r.f_user_id1 \
             WHERE r.f_user_id2 = ?"
    );
    let rows: Vec<Row> = db.rows(&sql, (user.0, user.0)).await?;
    let mut contacts: Vec<(u64, Contact)> = Vec::with_capacity(rows.len());
    for mut row in rows {
        let since: u64 = cell(&mut row, PROFILE_WIDTH + 2)?;
        if let Some(profile) = profile(&mut row)? {
            let team: String = cell(&mut row, PROFILE_WIDTH)?;
            let contact = Contact {
                profile,
                team: team::shown(&teams, &team),
                remark: cell(&mut row, PROFILE_WIDTH + 1)?,
            };
            contacts.push((since, contact));
        }
    }
    contacts.sort_by_key(|(since, _)| *since);
    Ok(ContactList {
        teams,
        contacts: contacts.into_iter().map(|(_, contact)| contact).collect(),
    })
}

pub(super) async fn peers(db: &Connections, user: UserId) -> Result<Vec<Peer>, StoreError> {
    let found: Vec<(u32,)> = db
        .rows(
            "SELECT f_user_id2 AS n FROM t_user_relationship WHERE f_user_id1 = ? \
             UNION ALL SELECT f_user_id1 FROM t_user_relationship WHERE f_user_id2 = ? \
             ORDER BY n",
            (user.0, user.0),
        )
        .await?;
    let peer = |(number,)| Peer::from_number(number);
    Ok(found.into_iter().filter_map(peer).collect())
}

pub(super) async fn members(db: &Connections, group: GroupId) -> Result<Vec<UserId>, StoreError> {
    if group.0 < GROUP_ID_FIRST {
        return Ok(Vec::new());
    }
    let found: Vec<(u32,)> = db
        .rows(
            "SELECT f_user_id1 FROM t_user_relationship WHERE f_user_id2 = ? ORDER BY f_id",
            (group.0,),
        )
        .await?;
    Ok(found.into_iter().map(|(user,)| UserId(user)).collect())
}

pub(super) async fn blob_named(
    db: &Connections,
    class: BlobClass,
    name: &str,
) -> Result<Option<NamedBlob>, StoreError> {
    let found: Vec<(String, u64, bool)> = db
        .rows(
            "SELECT n.f_sha256, b.f_size, n.f_verified \
             FROM t_blob_name n JOIN t_blob b ON b.f_sha256 = n.f_sha256 \
             WHERE n.f_class = ? AND n.f_name = ?",
            (class_number(class), name.as_bytes()),
        )
        .await?;
    let Some((hash, size, verified)) = found.into_iter().next() else {
        return Ok(None);
    };
    let blob = BlobId::from_hex(&hash)
        .ok_or_else(|| StoreError::Broken("a stored file has no SHA-256".to_owned()))?;
    Ok(Some(NamedBlob {
        blob,
        size,
        verified,
    }))
}

pub(super) async fn last_login_from(
    db: &Connections,
    address: IpAddr,
) -> Result<Option<Millis>, StoreError> {
    let found: Vec<(i64,)> = db
        .rows(
            "SELECT f_last_login FROM t_address WHERE f_address = ?",
            (address.to_string(),),
        )
        .await?;
    Ok(found.first().map(|(at,)| Millis(*at)))
}

pub(super) async fn uploaded(
    db: &Connections,
    address: IpAddr,
    day: i64,
) -> Result<u64, StoreError> {
    let found: Vec<(u64,)> = db
        .rows(
            "SELECT f_bytes FROM t_upload_day WHERE f_address = ? AND f_day = ?",
            (address.to_string(), day),
        )
        .await?;
    Ok(found.first().map_or(0, |(bytes,)| *bytes))
}
