//! The index of stored files, and what addresses did: log in, upload.

use std::net::IpAddr;

use rusqlite::{Connection, OptionalExtension};

use super::fault::Applied;
use super::number;
use crate::api::Refusal;
use crate::id::{BlobId, Millis};
use crate::store::{BlobClass, NamedBlob, Outcome, StoreError};

/// Lets a name stand for a file. Verified content that came first stays.
pub(super) fn name_blob(
    conn: &Connection,
    (class, name): (BlobClass, &str),
    (blob, size): (BlobId, u64),
    verified: bool,
    at: Millis,
) -> Applied {
    let is_named = match blob_named(conn, class, name)? {
        Some(known) if known.verified && known.blob == blob => true,
        Some(known) if known.verified => return Err(Refusal::NameVerified.into()),
        Some(_) | None => false,
    };
    // An old client's file is kept, also if it came over HTTP before or was deleted.
    conn.prepare_cached(
        "INSERT INTO t_blob (f_sha256, f_size, f_time, f_legacy) VALUES (?1, ?2, ?3, 1)
         ON CONFLICT DO UPDATE SET f_legacy = max(f_legacy, 1), f_expires = NULL, f_gone = NULL
         WHERE f_legacy = 0 OR f_expires IS NOT NULL OR f_gone IS NOT NULL",
    )?
    .execute((blob.to_string(), number::from_u64(size), at.0))?;
    if is_named {
        return Ok(Outcome::done());
    }
    conn.prepare_cached(
        "INSERT OR REPLACE INTO t_blob_name (f_class, f_name, f_sha256, f_verified, f_time)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute((class_number(class), name, blob.to_string(), verified, at.0))?;
    Ok(Outcome::done())
}

/// What a name stands for.
pub(super) fn blob_named(
    conn: &Connection,
    class: BlobClass,
    name: &str,
) -> Result<Option<NamedBlob>, StoreError> {
    let row: Option<(String, i64, bool)> = conn
        .prepare_cached(
            "SELECT n.f_sha256, b.f_size, n.f_verified
             FROM t_blob_name n CROSS JOIN t_blob b ON b.f_sha256 = n.f_sha256
             WHERE n.f_class = ?1 AND n.f_name = ?2",
        )?
        .query_row((class_number(class), name), |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    row.map(|(hash, size, verified)| {
        Ok(NamedBlob {
            blob: BlobId::from_hex(&hash)
                .ok_or_else(|| StoreError::Broken(format!("{hash:?} as a file's hash")))?,
            size: number::to_u64(size)?,
            verified,
        })
    })
    .transpose()
}

fn class_number(class: BlobClass) -> i64 {
    match class {
        BlobClass::File => 1,
        BlobClass::Image => 2,
    }
}

/// Remembers when somebody last logged in from an address.
pub(super) fn note_login(conn: &Connection, address: IpAddr, at: Millis) -> Applied {
    conn.prepare_cached(
        "INSERT INTO t_address (f_address, f_last_login) VALUES (?1, ?2)
         ON CONFLICT DO UPDATE SET f_last_login = max(f_last_login, excluded.f_last_login)",
    )?
    .execute((address_text(address), at.0))?;
    Ok(Outcome::done())
}

pub(super) fn last_login_from(
    conn: &Connection,
    address: IpAddr,
) -> Result<Option<Millis>, StoreError> {
    let at: Option<i64> = conn
        .prepare_cached("SELECT f_last_login FROM t_address WHERE f_address = ?1")?
        .query_row([address_text(address)], |row| row.get(0))
        .optional()?;
    Ok(at.map(Millis))
}

/// Adds to an address's uploads of a day. What would overflow stays at the largest number.
pub(super) fn count_upload(conn: &Connection, address: IpAddr, day: i64, bytes: u64) -> Applied {
    let sum = uploaded(conn, address, day)?.saturating_add(bytes);
    conn.prepare_cached(
        "INSERT OR REPLACE INTO t_upload_day (f_address, f_day, f_bytes) VALUES (?1, ?2, ?3)",
    )?
    .execute((address_text(address), day, number::from_u64(sum)))?;
    Ok(Outcome::done())
}

pub(super) fn uploaded(conn: &Connection, address: IpAddr, day: i64) -> Result<u64, StoreError> {
    let bytes: Option<i64> = conn
        .prepare_cached("SELECT f_bytes FROM t_upload_day WHERE f_address = ?1 AND f_day = ?2")?
        .query_row((address_text(address), day), |row| row.get(0))
        .optional()?;
    number::to_u64(bytes.unwrap_or(0))
}

/// A socket that takes both kinds reports IPv4 inside IPv6: that is the same address.
fn address_text(address: IpAddr) -> String {
    address.to_canonical().to_string()
}
