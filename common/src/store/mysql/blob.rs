//! Names of stored files, and what an address did.

use std::collections::BTreeMap;

use mysql_async::{Conn, Params, Value};

use super::connections::{row, write};
use super::fault::Fault;
use super::row::params;
use crate::api::Refusal;
use crate::id::{BlobId, Millis};
use crate::store::bulk::{groups, pieces};
use crate::store::{BlobClass, Change, Outcome};

/// Content that gets a name.
pub(super) struct Naming<'a> {
    pub(super) class: BlobClass,
    pub(super) name: &'a str,
    pub(super) blob: BlobId,
    pub(super) size: u64,
    pub(super) verified: bool,
}

/// The stored number of a name space.
pub(super) fn class_number(class: BlobClass) -> u8 {
    match class {
        BlobClass::File => 1,
        BlobClass::Image => 2,
    }
}

pub(super) async fn name(
    conn: &mut Conn,
    naming: &Naming<'_>,
    at: Millis,
) -> Result<Outcome, Fault> {
    let class = class_number(naming.class);
    let hash = naming.blob.to_string();
    let before = verified_before(conn, naming, &hash).await?;
    if let Some(refused @ Outcome::Refused(_)) = before {
        return Ok(refused);
    }
    // An old client's file is kept, also if it came over HTTP before or was deleted.
    write(
        conn,
        "INSERT INTO t_blob (f_sha256, f_size, f_time, f_legacy) VALUES (?, ?, ?, 1) \
         ON DUPLICATE KEY UPDATE \
             f_legacy = GREATEST(f_legacy, 1), f_expires = NULL, f_gone = NULL",
        (&hash, naming.size, at.0),
    )
    .await?;
    if let Some(outcome) = before {
        return Ok(outcome);
    }
    let values: [Value; 5] = [
        class.into(),
        naming.name.as_bytes().into(),
        hash.as_str().into(),
        naming.verified.into(),
        at.0.into(),
    ];
    // Should another server have verified the name just now, its content stays.
    write(
        conn,
        "INSERT INTO t_blob_name (f_class, f_name, f_sha256, f_verified, f_time) \
         VALUES (?, ?, ?, ?, ?) \
         ON DUPLICATE KEY UPDATE \
             f_sha256 = IF(f_verified, f_sha256, VALUES(f_sha256)), \
             f_time = IF(f_verified, f_time, VALUES(f_time)), \
             f_verified = IF(f_verified, f_verified, VALUES(f_verified))",
        params(values),
    )
    .await?;
    Ok(verified_before(conn, naming, &hash)
        .await?
        .unwrap_or_else(Outcome::done))
}

/// The answer for a name that has verified content. Locks the name.
async fn verified_before(
    conn: &mut Conn,
    naming: &Naming<'_>,
    hash: &str,
) -> Result<Option<Outcome>, Fault> {
    let named: Option<(String, bool)> = row(
        conn,
        "SELECT f_sha256, f_verified FROM t_blob_name WHERE f_class = ? AND f_name = ? FOR UPDATE",
        (class_number(naming.class), naming.name.as_bytes()),
    )
    .await?;
    Ok(match named {
        Some((there, true)) if there == hash => Some(Outcome::done()),
        Some((_, true)) => Some(Outcome::Refused(Refusal::NameVerified)),
        Some((_, false)) | None => None,
    })
}

pub(super) async fn note_logins(conn: &mut Conn, notes: &[Change]) -> Result<(), Fault> {
    let mut last: BTreeMap<String, i64> = BTreeMap::new();
    for change in notes {
        if let Change::NoteLogin { address, at } = change {
            let known = last.entry(address.to_string()).or_insert(at.0);
            *known = (*known).max(at.0);
        }
    }
    let rows: Vec<(String, i64)> = last.into_iter().collect();
    for piece in pieces(&rows) {
        let sql = format!(
            "INSERT INTO t_address (f_address, f_last_login) VALUES {} \
             ON DUPLICATE KEY UPDATE f_last_login = GREATEST(f_last_login, VALUES(f_last_login))",
            groups(piece.len(), 2)
        );
        let row = |one: &(String, i64)| -> [Value; 2] { [one.0.as_str().into(), one.1.into()] };
        let values = piece.iter().flat_map(row).collect();
        write(conn, &sql, Params::Positional(values)).await?;
    }
    Ok(())
}

pub(super) async fn count_uploads(conn: &mut Conn, counts: &[Change]) -> Result<(), Fault> {
    let mut sums: BTreeMap<(String, i64), u64> = BTreeMap::new();
    for change in counts {
        if let Change::CountUpload {
            address,
            day,
            bytes,
        } = change
        {
            let sum = sums.entry((address.to_string(), *day)).or_default();
            *sum = sum.saturating_add(*bytes);
        }
    }
    let rows: Vec<((String, i64), u64)> = sums.into_iter().collect();
    for piece in pieces(&rows) {
        let sql = format!(
            "INSERT INTO t_upload_day (f_address, f_day, f_bytes) VALUES {} \
             ON DUPLICATE KEY UPDATE f_bytes = f_bytes + VALUES(f_bytes)",
            groups(piece.len(), 3)
        );
        let row = |((address, day), bytes): &((String, i64), u64)| -> [Value; 3] {
            [address.as_str().into(), (*day).into(), (*bytes).into()]
        };
        let values = piece.iter().flat_map(row).collect();
        write(conn, &sql, Params::Positional(values)).await?;
    }
    Ok(())
}
